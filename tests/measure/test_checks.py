from __future__ import annotations

from dataclasses import replace

import pytest
from measure.audits import GUARANTEE, audit, broken

from tuckpoint.measure import decide
from tuckpoint.measure.checks import Check, beside_leaks, bounds, claim, evidence, listed, p_value, power, worst
from tuckpoint.measure.finding import Audit, Power
from tuckpoint.measure.policy import Policy
from tuckpoint.score import Score


def blocking(found: Audit | None) -> list[Check]:
    return [check for check in evidence(found, "") if check.state != "pass"]


def without(found: Audit, criterion: str, why: str = "") -> Audit:
    """The audit whose findings of a criterion are gone, or could not be computed."""
    kept = [item for item in found.findings if item.criterion != criterion]
    if why:
        gone = next(item for item in found.findings if item.criterion == criterion)
        kept.append(replace(gone, score=Score(gone.score.name, None, why=why), p=None, adjusted=None))
    return replace(found, findings=tuple(kept))


def test_a_sound_audit_blocks_nothing() -> None:
    assert blocking(audit()) == []
    assert "smallest adjusted p = 0.9)" in next(iter(evidence(audit(), ""))).found


def test_a_leak_blocks_and_is_told_in_rounded_figures() -> None:
    found = audit(leaky=True)
    (check,) = blocking(found)
    assert found.reasons[0] not in check.found
    assert "unique values (weight): 55% in the data, under 1% outside" in check.found
    assert check.todo


def test_what_is_no_leak_among_the_reasons_of_an_audit_is_told_as_it_stands() -> None:
    found = broken(audit(leaky=True), "leaky copy")
    told = decide.reasons(found.findings, found.epsilon, found.controls, ("the attack x failed to compute",))
    assert len(told) > 5
    kept = beside_leaks(replace(found, reasons=told))
    assert kept[0] == "the attack x failed to compute"
    assert kept[1].startswith("the audit is blind here")
    assert len(kept) == 2


@pytest.mark.parametrize("rows", [{"holdout": 0}, {"people": 0}, {"people": 49}])
def test_too_few_people_outside_the_data_block(rows: dict[str, int]) -> None:
    found = audit()
    (check,) = blocking(replace(found, rows={**found.rows, **rows}))
    assert "outside the data" in check.what
    assert "--holdout" in check.todo


@pytest.mark.parametrize("name", ["leaky copy", "other real people"])
def test_a_control_that_failed_or_is_missing_blocks(name: str) -> None:
    passes, failed = blocking(broken(audit(), name))
    assert "the audit" in passes.found
    assert failed.what.startswith("Control")
    assert "p = 0.4" in failed.found
    gone = audit()
    gone = replace(gone, controls=tuple(control for control in gone.controls if control.name != name))
    (check,) = blocking(gone)
    assert check.found == "it was not run"


@pytest.mark.parametrize("criterion", ["copying", "membership"])
def test_deciding_attacks_that_were_not_computed_block(criterion: str) -> None:
    (check,) = blocking(without(audit(), criterion, "memory ran out"))
    assert check.found == "memory ran out"
    (check,) = blocking(without(audit(), criterion))
    assert "no such attack" in check.found


def test_a_bound_that_could_not_be_computed_blocks() -> None:
    (check,) = blocking(replace(audit(), epsilon=Score("epsilon", None, why="too few people")))
    assert check.found == "too few people"


def test_a_proven_loss_above_the_claim_blocks_as_an_incident() -> None:
    found = audit()
    assert claim(GUARANTEE, found).state == "pass"
    proven = replace(found, epsilon=replace(found.epsilon, value=2.41))
    assert claim(GUARANTEE, proven).state == "block"
    assert "incident" in claim(GUARANTEE, proven).todo
    assert claim(GUARANTEE, replace(found, epsilon=replace(found.epsilon, value=2.4))).state == "pass"
    canary = replace(found.findings[0], attack="canaries", epsilon=3.0)
    assert claim(GUARANTEE, replace(found, findings=(*found.findings, canary))).state == "block"


@pytest.mark.parametrize("epsilon", [None, "1", True, float("nan"), float("inf"), -1.0])
def test_a_claim_without_a_number_blocks(epsilon: object) -> None:
    assert claim({**GUARANTEE, "epsilon": epsilon}, audit()).state == "block"


def test_bounds_that_do_not_hold_or_were_not_measured_need_a_person() -> None:
    assert {check.state for check in bounds(audit())} == {"pass"}
    gone = [check for check in bounds(without(audit(), "linkability", "one column only")) if check.state != "pass"]
    assert [check.found for check in gone] == ["not measured: one column only"]
    leaky = [check for check in bounds(audit(leaky=True)) if check.state == "review"]
    assert any(
        "singling out (one attribute) 9 points above outsiders, up to 10, limit 5" in check.found for check in leaky
    )
    assert any("recognised at 1% false alarms (density) 3%, up to 4%, limit 2%" in check.found for check in leaky)
    assert all("--private EPSILON --unit COLUMN" in check.todo for check in leaky)


@pytest.mark.parametrize(
    ("tried", "state"),
    [
        ((), "review"),
        ((Power(20, 0, 0),), "review"),
        ((Power(20, 7, 10),), "review"),
        ((Power(20, 8, 10), Power(5, 1, 10)), "pass"),
    ],
)
def test_an_audit_that_could_not_see_needs_a_person(tried: tuple[Power, ...], state: str) -> None:
    assert power(replace(audit(), power=tried), Policy()).state == state


def test_the_worst_state_decides() -> None:
    checks = [Check("a", "pass", "", ""), Check("b", "review", "", "")]
    assert worst(checks) == "review"
    assert worst([*checks, Check("c", "block", "", "")]) == "block"


def test_lists_and_p_values_are_short() -> None:
    assert listed(["a", "", "b", "a", "c", "d"]) == "a; b; c; and 1 more"
    assert p_value(1e-12) == "p below 0.001"
    assert p_value(0.0416) == "p = 0.04"
