from __future__ import annotations

from dataclasses import replace
from typing import Any

from measure.audits import GUARANTEE, audit, broken
from report.assessments import CONTEXT, verdicts
from report.reader import Reader

from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import gate
from tuckpoint.measure.policy import Policy
from tuckpoint.report.officer_decision import all_checks, decision, outcome, people_and_purpose, sign_off
from tuckpoint.schema import Column, Schema


def told(html: str) -> str:
    return Reader(html).prose


def test_a_reason_that_several_tiers_share_is_told_once_with_their_names() -> None:
    text = told(decision(verdicts(audit(leaky=True), GUARANTEE), audit(leaky=True)).body)
    assert text.count("The audit passes Does not hold") == 1
    assert "Blocks Publication, A named partner, Internal use" in text
    assert "What to do keep the rows back" in text


def test_each_tier_that_needs_a_promise_says_so_and_the_rest_passes() -> None:
    text = told(decision(verdicts(audit(), None), audit()).body)
    assert "Found no formal guarantee Threshold total epsilon at most 3" in text
    assert "Holds up A named partner" in text
    assert "Internal use Pass Every check holds" in text


def test_many_leaks_are_counted() -> None:
    found = audit(leaky=True)
    many = tuple(replace(found.findings[0], attack=f"copies {i}") for i in range(9))
    found = replace(found, findings=many, reasons=())
    assert "and 4 more results" in told(decision(verdicts(found, None), found).body)


def test_a_short_reason_for_every_tier_on_the_first_screen() -> None:
    def shown(found: Audit, private: dict[str, Any] | None) -> str:
        return told(outcome(found, verdicts(found, private), guarantee=private, account=None))

    assert "Publication: Block Anybody may have the rows, for good. No formal guarantee." in shown(audit(), None)
    assert "Internal use: Pass People of this house only. All" in shown(audit(), None)
    assert "what was found must be explained before it is believed" in shown(audit(leaky=True), GUARANTEE)
    assert "The audit is blind here" in shown(broken(audit(), "leaky copy"), None)
    assert "And 1 more reason." in shown(audit(leaky=True), None)


def test_a_long_reason_is_cut_after_a_word() -> None:
    long = gate("internal", audit=None, record=None, guarantee=None, failure="word " * 100)
    text = told(outcome(None, [long], guarantee=None, account=None))
    assert "word …." in text
    assert len(text) < 500


def test_who_is_concerned_and_blanks_for_what_only_people_know() -> None:
    section = people_and_purpose(audit(), {"recipient": "a hospital", "note": "x"}, guarantee=None, schema=None)
    text = told(section.body)
    assert "Who receives them a hospital" in text
    assert "Note x" in text
    assert text.count("to be filled in") == 5
    assert "How many 39,073 rows behind the made ones" in text
    assert "The attacks below assume the worst" in text


def test_sensitive_columns_are_named() -> None:
    columns = tuple(Column(f"c{i}", "category", "string", sensitive=True) for i in range(25))
    text = told(people_and_purpose(audit(), {}, guarantee=None, schema=Schema(columns)).body)
    assert "c19 and 5 more" in text


def test_an_approval_expires_and_has_places_to_sign() -> None:
    signed = told(sign_off(verdicts(audit(), GUARANTEE), CONTEXT).body)
    assert "lapses on 31 December 2027, at most 365 days after it was signed" in signed
    assert "Data-protection officer A. Example approve with conditions refuse" in signed
    assert "Head of the data office" in signed
    assert "SHA-256" in signed
    blank = told(sign_off((), {}).body)
    assert "lapses on to be filled in" in blank
    assert "Whoever answers for the data" in blank


def test_the_strictest_policy_sets_the_days() -> None:
    short = verdicts(audit(), None, policy=Policy(valid_days=30))
    assert "at most 30 days" in told(sign_off(short, {}).body)


def test_all_checks_stand_once_with_the_tiers_they_count_for() -> None:
    text = told(all_checks(verdicts(audit(), None)).body)
    assert text.count("Control: a leaky copy is caught") == 1
    assert "A formal guarantee protects each person for A named partner no formal guarantee" in text
    assert "Control: a leaky copy is caught for" not in text
