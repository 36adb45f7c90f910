from __future__ import annotations

from dataclasses import replace

from measure.audits import audit, broken, copied_of
from report.reader import Reader

from tuckpoint.measure.finding import Audit
from tuckpoint.report.officer_attacks import (
    DRAWN,
    LISTED,
    all_figures,
    copies_and_members,
    ordered,
    proof,
    reasons,
    three,
    trust,
    worst_off,
)
from tuckpoint.score import Score


def told(html: str) -> str:
    return Reader(html).prose


def section(found: Audit | None, title: str, *, bounded: bool = True) -> str:
    return told(next(item for item in three(found, bounded=bounded) if item.title == title).body)


def test_members_stand_beside_outsiders_with_intervals_and_outcome() -> None:
    text = section(audit(leaky=True), "Singling out")
    assert "A leak: 1 of 2 results beyond what chance explains." in text
    assert "In the data: 11% (9 to 12%) Outside: 1.5% (1 to 2.5%)" in text
    assert "Excess: 9 points, 8.5 to 9.5 Limit of the excess: 5 points Leak" in text


def test_what_was_not_tried_or_not_measured_is_said_and_is_no_pass() -> None:
    assert "It was not tried. What was not tried does not pass." in section(None, "Linkability")
    assert "It was not tried" in section(replace(audit(), findings=()), "Inference")
    unmeasured = [
        replace(item, score=Score(item.score.name, None, why="one column only"), adjusted=None)
        if item.criterion == "linkability"
        else item
        for item in audit().findings
    ]
    text = section(replace(audit(), findings=tuple(unmeasured)), "Linkability")
    assert "Nothing could be measured." in text
    assert "not measured: one column only" in text
    assert "No leak found" not in text


def test_limits_decide_only_where_no_promise_counts() -> None:
    found = audit()
    first = next(item for item in found.findings if item.criterion == "inference")
    wide = replace(first, score=replace(first.score, passed=False))
    found = replace(found, findings=tuple(wide if item is first else item for item in found.findings))
    assert "might lie above the limit." in section(found, "Inference")
    assert "limits do not decide" not in section(found, "Inference")
    assert "Under the formal guarantee the limits do not decide." in section(found, "Inference", bounded=False)


def test_the_worst_results_are_drawn_first_and_the_rest_is_counted() -> None:
    words = [item.key for item in ordered(audit(leaky=True).findings)]
    assert words[0] == "values / unique_values / weight"
    many = tuple(copied_of("values", "unique_values", (9 + i, 8), p=0.4, subject=(f"c{i}",)) for i in range(20))
    body = copies_and_members(replace(audit(), findings=many), bounded=True).body
    assert body.count('class="trial"') == DRAWN
    assert f"{20 - DRAWN} more results among all figures, none worse than these." in told(body)
    assert "c19" in body


def test_reasons_are_plain_rounded_and_hold_what_made_the_audit_fail() -> None:
    told_of = reasons(audit(leaky=True))
    assert told_of[0] == "Values of one person alone, written again (weight): 55% in the data, 0.5% outside of it"
    assert not any("0.0205" in reason for reason in told_of)
    assert reasons(audit()) == []
    assert "the audit is blind here" in reasons(broken(audit(), "leaky copy"))[0]


def test_the_proof_beside_the_claim() -> None:
    assert "At least ε = 0 is proven; ε = 2.4 is claimed." in told(proof(audit(), 2.4).body)
    assert "there is no claim that it could contradict" in told(proof(audit(leaky=True), None).body)
    high = replace(audit(), epsilon=replace(audit().epsilon, value=3.0))
    assert "The claim is false." in told(proof(high, 2.4).body)
    assert "The claim is false." not in told(proof(high, 3.0).body)
    assert "Not measured: no attack" in told(
        proof(replace(audit(), epsilon=Score("epsilon", None, why="no attack")), 1).body
    )
    assert "there was no audit" in told(proof(None, 1).body)


def test_controls_and_power_are_told_whether_they_worked_or_not() -> None:
    text = told(trust(audit()).body)
    assert "A leaky copy must be caught As it must be" in text
    assert "10 copied rows would have been found in 17 of 20 trials." in text
    failed = told(trust(broken(audit(), "other real people")).body)
    assert "Other real people must pass Failed" in failed
    assert "The audit shows nothing." in failed
    gone = told(trust(replace(audit(), controls=(), power=())).body)
    assert gone.count("Not run") == 2
    assert "That was not measured." in gone


def test_the_most_exposed_are_rows_and_never_more_than_99_per_cent() -> None:
    text = told(worst_off(audit(), bounded=True).body)
    assert "17,205 density over 99% of outsiders" in text
    assert "99.9" not in text


def test_all_figures_hold_every_finding_up_to_a_limit() -> None:
    text = told(all_figures(audit(leaky=True)).body)
    assert "Values of one person alone, written again weight 55% (52 to 57%) 0.5% (0 to 1%) under 0.001 Leak" in text
    assert "not measured" in text
    many = tuple(copied_of("values", "unique_values", (9, 8), p=0.4, subject=(f"c{i}",)) for i in range(LISTED + 5))
    assert "And 5 more results in the JSON" in told(all_figures(replace(audit(), findings=many)).body)
