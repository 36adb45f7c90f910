from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from measure.audits import ACCOUNT, GUARANTEE, audit, record

from tuckpoint.measure.policy import Policy
from tuckpoint.measure.promise import Promise, consistent, enough, unfiltered
from tuckpoint.record import digest_of


def promised(guarantee: dict[str, Any] | None = GUARANTEE, **changes: Any) -> Promise:
    given = {"record": record(guarantee), "account": None, "audit": audit(), **changes}
    return Promise(guarantee, **given)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"epsilon": None}, "states no epsilon and delta"),
        ({"epsilon": float("nan")}, "states no epsilon and delta"),
        ({"delta": 1.0}, "states no epsilon and delta"),
        ({"delta": "small"}, "states no epsilon and delta"),
        ({"unit": ""}, "without its unit"),
        ({"neighbours": None}, "without its unit"),
        ({"epsilon": 3.01}, "total epsilon 3.01"),
        ({"delta": 1e-5}, "delta 1e-05 with about 38,912 rows"),
        ({"delta": 1e-5, "rows": None}, "delta 1e-05 with about 39,073 rows"),
    ],
)
def test_a_guarantee_that_lacks_something_does_not_count(changes: dict[str, Any], told: str) -> None:
    assert told in promised({**GUARANTEE, **changes}).lacks(3.0, Policy())


def test_a_whole_guarantee_counts_up_to_its_epsilon() -> None:
    assert promised().lacks(3.0, Policy()) == ""
    assert promised().lacks(2.3, Policy()) != ""
    assert promised(None).lacks(3.0, Policy()) == "no formal guarantee"


def test_an_account_without_a_total_does_not_count() -> None:
    assert "ledger" in promised(account={}).lacks(3.0, Policy())
    assert promised(account=ACCOUNT).lacks(3.0, Policy()) == ""
    assert promised(account={**ACCOUNT, "epsilon": 4}).lacks(3.0, Policy()) == "total epsilon 4"


def test_without_people_delta_cannot_be_judged() -> None:
    lacks = promised({**GUARANTEE, "rows": None}, audit=None).lacks(3.0, Policy())
    assert "number of people is not known" in lacks


def test_what_is_enough_for_a_tier() -> None:
    weak = promised({**GUARANTEE, "epsilon": 5.0})
    assert [enough(tier, weak, Policy()).state for tier in ("public", "partner", "internal")] == [
        "block",
        "pass",
        "pass",
    ]
    none = promised(None)
    assert [enough(tier, none, Policy()).state for tier in ("public", "partner", "internal")] == [
        "block",
        "review",
        "pass",
    ]
    assert "attacks alone decide" in enough("internal", none, Policy()).found


def test_what_agrees_is_no_contradiction() -> None:
    assert consistent(promised()).state == "pass"
    assert consistent(promised(account=ACCOUNT)).state == "pass"
    assert consistent(promised(None)).state == "pass"
    assert "not known" in consistent(promised(None, record=None)).found


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"record": None}, "no record came with the rows"),
        ({"record": record(None)}, "the record states no guarantee"),
        ({"record": record({**GUARANTEE, "epsilon": 1.0})}, "differ in epsilon"),
        ({"record": record({**GUARANTEE, "unit": "one row"})}, "differ in unit"),
        ({"record": record(GUARANTEE, rows=12)}, "the record is of 12 rows, the audit of 3,907"),
        ({"record": {**record(GUARANTEE), "generation": 4}}, "contradicts itself"),
        ({"record": {"synthetic": True, "digest": "x"}}, "not a record of tuckpoint"),
        ({"record": record(GUARANTEE, evidence={"audit": "0" * 64})}, "names another audit"),
        ({"account": {**ACCOUNT, "rho": 0.05}}, "less than this release alone"),
    ],
)
def test_a_contradiction_blocks(changes: dict[str, Any], told: str) -> None:
    found = consistent(promised(**changes))
    assert found.state == "block"
    assert told in found.found
    assert found.todo


def test_a_claimed_absence_is_a_contradiction_too() -> None:
    assert consistent(promised(None, record=record(GUARANTEE))).state == "block"


def test_the_audit_that_the_record_names_is_the_right_one() -> None:
    right = record(GUARANTEE, evidence={"audit": digest_of(audit().to_dict())})
    assert consistent(promised(record=right)).state == "pass"
    assert consistent(promised(record=right, audit=replace(audit(), unit="row"))).state == "block"


@pytest.mark.parametrize(
    "changes",
    [
        {"protections": ("a Similarity Filter dropped 12 rows",)},
        {"evidence": {"similarity_filter": True}},
        {"evidence": {"steps": [{"distance_filter": {"below": 0.1}}]}},
    ],
)
def test_a_similarity_filter_on_a_private_release_blocks(changes: dict[str, Any]) -> None:
    found = unfiltered(record(GUARANTEE, **changes))
    assert found.state == "block"
    assert "voids the guarantee" in found.threshold


def test_a_filter_that_was_off_is_none() -> None:
    assert unfiltered(record(GUARANTEE, evidence={"similarity_filter": False})).state == "pass"
    assert unfiltered(record(GUARANTEE, dataset="similarity filter")).state == "pass"
    assert unfiltered(None).state == "pass"
