from __future__ import annotations

import unicodedata

import pytest
from measure.audits import GUARANTEE, audit, broken
from report.assessments import hostile_given, verdicts

from tuckpoint.measure.finding import Audit
from tuckpoint.report.lines import columns_of
from tuckpoint.report.officer_terminal import audited, gated


def test_the_decision_comes_first_then_reasons_results_trials_and_the_page() -> None:
    found = audit(leaky=True)
    told = audited(found, verdicts=verdicts(found, GUARANTEE), width=100, report="audit.html")
    order = [
        "Blocked: do not hand these rows out",
        "✗ Publication: Block",
        "The audit passes: unique values (weight)",
        "What to do: keep the rows back",
        "✗ A named partner: Block",
        "For the reasons above.",
        "Attacks, the worst first",
        "Unique values",
        "leak",
        "Proven: epsilon is at least 1.9",
        "Control: a leaky copy was caught",
        "20 copied rows would have been found in 20 of 20 trials",
        "proves only that this one failed",
        "Page: audit.html",
    ]
    for part in order:
        before, there, told = told.partition(part)
        assert there, f"{part!r} does not stand after {before[-80:]!r}"


@pytest.mark.parametrize(
    ("found", "head"),
    [
        (audit(), "No leak found"),
        (audit(leaky=True), "Blocked: a leak was found"),
        (broken(audit(), "leaky copy"), "Blocked: the audit cannot be trusted"),
    ],
)
def test_without_a_gate_the_audit_speaks_for_itself(found: Audit, head: str) -> None:
    told = audited(found)
    assert told.startswith(head)
    assert ("✓ No attack learnt notably more" in told) == (found.decision == "pass")


def test_a_failed_control_is_told() -> None:
    told = audited(broken(audit(), "other real people"), width=120)
    assert "Control: FAILED: other real people" in told
    assert "Control: other real people passed" not in told


def test_the_gate_alone() -> None:
    told = gated(verdicts(audit(), None), report="out/audit.html", width=100)
    assert told.startswith("Passes for internal use only")
    assert "– A named partner: Review" in told
    assert "✓ Internal use: Pass" in told
    assert "lapses after 365 days" in told
    assert told.endswith("Page: out/audit.html\n")


def shown(width: int, encoding: str, *, colour: bool = False) -> list[str]:
    asked = hostile_given()
    both = {"width": width, "encoding": encoding, "colour": colour, "report": "\x1b[2J.html"}
    return [
        audited(asked["audit"], verdicts=asked["verdicts"], **both),  # type: ignore[arg-type]
        audited(asked["audit"], **both),  # type: ignore[arg-type]
        gated(asked["verdicts"], **both),  # type: ignore[arg-type]
        audited(audit(leaky=True), **both),  # type: ignore[arg-type]
    ]


@pytest.mark.parametrize("width", [40, 61, 80, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp1252"])
def test_no_line_is_wider_than_asked(width: int, encoding: str) -> None:
    for told in shown(width, encoding):
        assert max(map(columns_of, told.split("\n"))) <= width
        told.encode(encoding)


def test_names_in_the_data_cannot_drive_the_terminal() -> None:
    for told in shown(80, "utf-8"):
        assert not any(unicodedata.category(c) in {"Cc", "Cs", "Cf"} and c not in "\n\u200d" for c in told)


def test_colour_only_when_asked() -> None:
    assert not any("\x1b" in told for told in shown(80, "utf-8"))
    assert "\x1b[31m" in shown(80, "utf-8", colour=True)[0]
    assert "\x1b[32m" in audited(audit(), colour=True)
