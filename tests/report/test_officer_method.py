from __future__ import annotations

from dataclasses import replace

from measure.audits import audit, record
from report.assessments import COMMANDS, verdicts
from report.reader import Reader

from tuckpoint.report.officer_method import NOTES, method, not_covered, repetition, uncovered


def told(html: str) -> str:
    return Reader(html).prose


def test_what_is_not_covered_depends_on_the_promise_and_holds_the_notes() -> None:
    private, none = (list(uncovered(audit(), private=private)) for private in (True, False))
    assert any("fitted model" in line for line in none)
    assert not any("fitted model" in line for line in private)
    assert any("family" in line for line in private)
    for lines in (private, none):
        assert any(line.startswith("This page and its JSON") for line in lines)
        assert any("names of columns" in line for line in lines)
        assert "free text and identifiers were not attacked" in lines


def test_many_notes_are_counted() -> None:
    many = replace(audit(), notes=tuple(f"note {i}" for i in range(100)))
    assert f"and {7 + 2 + 100 - NOTES} more in the JSON" in told(not_covered(many, private=True).body)


def test_each_attack_is_explained_once_with_its_source() -> None:
    text = told(method(audit(), verdicts(audit(), None)).body)
    assert text.count("Telling one who was in the data from one who was not") == 1
    assert "Giomi et al. 2023" in text
    assert "Opinion 05/2014" in text
    assert "more often than in 55 of 100 cases (ε = 0.2)" in text
    assert "Publication: total ε at most 3" in text
    assert "Publication needs a ledger no" in text


def test_a_score_that_is_not_known_says_so() -> None:
    odd = replace(audit().findings[0], score=replace(audit().findings[0].score, name="brand_new"))
    text = told(method(replace(audit(), findings=(odd,)), ()).body)
    assert "Brand new This page knows no description of this attack." in text


def test_how_to_repeat_names_commands_versions_and_digests() -> None:
    judged = verdicts(audit(), None)
    section = repetition(judged, record(), COMMANDS, private=False)
    text = told(section.body)
    assert "tuckpoint gate out/ --tier public" in text
    assert f"Digest of the audit {judged[0].audit}" in text
    assert "Engine trees" in text
    assert "cannot be repeated" not in section.lead
    assert "cannot be repeated" in repetition(judged, record(), (), private=True).lead
    assert "No command was recorded." in told(repetition((), {}, (), private=False).body)
