from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from measure.audits import ACCOUNT, GUARANTEE, audit, record

from tuckpoint.errors import InputError
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import TIERS, Tier, Verdict, as_json, gate
from tuckpoint.measure.policy import Policy


def judged(tier: Tier, *, private: dict[str, Any] | None = None, **given: Any) -> Verdict:
    return gate(tier, **{"audit": audit(), "record": record(private), "guarantee": private, **given})


def promise(epsilon: float) -> dict[str, Any]:
    return {**GUARANTEE, "epsilon": epsilon}


def over_bound() -> Audit:
    """No leak, but one upper bound that does not hold."""
    found = audit()
    first = next(item for item in found.findings if item.criterion == "inference")
    wide = replace(first, score=replace(first.score, passed=False))
    return replace(found, findings=tuple(wide if item is first else item for item in found.findings))


@pytest.mark.parametrize(
    ("epsilon", "found", "public", "partner", "internal"),
    [
        (2.4, audit(), "pass", "pass", "pass"),
        (3.0, audit(), "pass", "pass", "pass"),
        (3.1, audit(), "block", "pass", "pass"),
        (10.0, audit(), "block", "pass", "pass"),
        (10.1, audit(), "block", "review", "pass"),
        (None, audit(), "block", "review", "pass"),
        (2.4, over_bound(), "pass", "pass", "pass"),
        (10.1, over_bound(), "block", "review", "review"),
        (None, over_bound(), "block", "review", "review"),
        (2.4, audit(leaky=True), "block", "block", "block"),
        (None, audit(leaky=True), "block", "block", "block"),
    ],
)
def test_the_table_of_tiers(epsilon: float | None, found: Audit, public: str, partner: str, internal: str) -> None:
    private = None if epsilon is None else promise(epsilon)
    assert {tier: judged(tier, audit=found, private=private).state for tier in TIERS} == {
        "public": public,
        "partner": partner,
        "internal": internal,
    }


def test_a_stricter_tier_never_lets_more_through() -> None:
    order = ("block", "review", "pass")
    for private in (None, promise(2), promise(5), promise(20)):
        for found in (audit(), over_bound(), audit(leaky=True)):
            states = [order.index(judged(tier, audit=found, private=private).state) for tier in TIERS]
            assert states == sorted(states)


def test_the_ledgers_total_counts_where_there_is_one() -> None:
    assert judged("public", private=GUARANTEE, account=ACCOUNT).state == "pass"
    used = {**ACCOUNT, "epsilon": 3.2}
    blocked = judged("public", private=GUARANTEE, account=used)
    assert blocked.state == "block"
    assert blocked.reasons[0].found == "total epsilon 3.2"
    alone = next(check for check in judged("public", private=GUARANTEE).checks if "formal" in check.what)
    assert "earlier releases are not counted" in alone.found


def test_a_policy_moves_the_verdict_and_stands_in_it() -> None:
    strict = Policy(public_epsilon=1.0)
    assert judged("public", private=GUARANTEE, policy=strict).state == "block"
    assert judged("public", private=GUARANTEE, policy=strict).policy == strict
    assert judged("partner", private=promise(3), policy=Policy(1.0, partner_epsilon=2.0)).state == "review"
    assert judged("public", private=GUARANTEE, policy=Policy(public_needs_ledger=True)).state == "block"
    assert judged("public", private=GUARANTEE, account=ACCOUNT, policy=Policy(public_needs_ledger=True)).state == "pass"
    assert judged("internal", policy=Policy(power=0.0)).state == "pass"
    assert judged("public", private=GUARANTEE, policy=Policy(delta_people=1e6)).state == "block"
    week = judged("internal", policy=Policy(valid_days=7))
    assert any("after 7 days" in check.threshold for check in week.checks)


def test_no_evidence_is_no_pass() -> None:
    verdict = gate("internal", audit=None, record=record(), guarantee=None, failure="memory ran out")
    assert verdict.state == "block"
    assert verdict.reasons[0].found == "memory ran out"
    assert verdict.audit is None


def test_reasons_are_those_that_decide_and_each_tells_what_to_do() -> None:
    verdict = judged("public", audit=audit(leaky=True), private=GUARANTEE)
    assert {check.state for check in verdict.reasons} == {"block"}
    assert all(check.todo for check in verdict.reasons)
    assert all(not check.todo for check in verdict.checks if check.state == "pass")
    states = [check.state for check in verdict.checks]
    assert states == sorted(states, key=("block", "review", "pass").index)


def test_exit_codes() -> None:
    assert judged("internal").exit == 0
    assert judged("public").exit == 2
    assert judged("partner").exit == 3


def test_an_unknown_tier_is_refused() -> None:
    with pytest.raises(InputError, match='did you mean "public"'):
        gate("publik", audit=audit(), record=record(), guarantee=None)  # type: ignore[arg-type]


def test_a_record_that_no_file_could_hold_blocks_instead_of_raising() -> None:
    verdict = judged("internal", record={"tuckpoint_record": 1, "odd": float("nan")})
    assert verdict.state == "block"
    assert verdict.record is None


def test_verdicts_are_written_as_json() -> None:
    verdicts = tuple(judged(tier, private=GUARANTEE) for tier in TIERS)
    told = json.loads(as_json(verdicts))
    assert told == {"tuckpoint_gate": 1, "verdicts": [verdict.to_dict() for verdict in verdicts]}
    assert [verdict["exit"] for verdict in told["verdicts"]] == [verdict.exit for verdict in verdicts]


def test_a_verdict_names_what_it_judged() -> None:
    one, other = judged("internal"), judged("internal", audit=over_bound())
    assert one.audit != other.audit
    assert one.record == other.record
    assert one.version
