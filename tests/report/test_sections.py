from __future__ import annotations

from typing import Any

import pytest
from report import fabricate

from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.report.sections import guarantee, protection, provenance, repetition, rule_list, understood
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.score import Score

PRIVATE = {"epsilon": 1.0049, "delta": 1e-6, "rho": 0.02, "unit": "person", "neighbours": "add or remove one unit"}
EMPTY = Evaluation({"real": 10, "made": 10, "holdout": 5}, None, (), (), ())


def test_a_guarantee_is_shown_whole_and_never_rounded_down() -> None:
    body = protection(EMPTY, {"privacy": PRIVATE}).body
    assert "Differentially private" in body
    assert "1.0049" in body
    assert "1 × 10⁻⁶" in body
    assert "person" in body
    assert "add or remove one unit" in body
    assert "does not cover this page" in body
    assert "No privacy guarantee" not in body


@pytest.mark.parametrize(
    "privacy",
    [
        None,
        {},
        "epsilon 1",
        {"epsilon": 1.0},
        {"epsilon": 1.0, "delta": 1e-6},
        {"epsilon": None, "delta": 0, "unit": "person"},
        {"epsilon": True, "delta": 0, "unit": "person"},
    ],
)
def test_anything_less_than_a_whole_guarantee_is_none(privacy: Any) -> None:
    assert guarantee({"privacy": privacy}) is None
    assert "No privacy guarantee" in protection(EMPTY, {"privacy": privacy}).body


def test_without_a_record_nothing_is_claimed_of_the_making() -> None:
    body = protection(EMPTY, {}).body
    assert "No record came with these rows" in body
    assert "engine promises" not in body


def test_protections_generation_and_notes_are_told() -> None:
    evaluation = Evaluation({}, None, (), (), (), notes=("one attack was tried",))
    body = protection(evaluation, {"protections": ["country: 4 levels pooled"], "generation": 2}).body
    assert "country: 4 levels pooled" in body
    assert "generation 2" in body
    assert "one attack was tried" in body


def test_values_read_off_the_real_rows_are_counted_not_shown() -> None:
    columns = (
        Column("disease", "category", "string", domain=Domain("data", levels=("secret one", "secret two"))),
        Column("grade", "ordered", "string", domain=Domain("public", levels=("A", "B"))),
        Column("income", "decimal", "double", domain=Domain("data", low=0, high=987654)),
        Column("age", "integer", "int64", unit="years", domain=Domain("expert", low=0, high=120)),
    )
    body = understood(Schema(columns, target="age")).body
    assert "secret" not in body
    assert "987" not in body
    assert "2 levels" in body
    assert "A</bdi>, <bdi>B" in body
    assert "0 to 120" in body
    assert "target" in body


def test_repeating_gives_commands_digest_seed_and_version() -> None:
    body = repetition(fabricate.record(), fabricate.REPEAT).body
    for part in ("tuckpoint run out/recipe.yaml", "9a3d" * 16, ">7<", "0.1.0"):
        assert part in body
    assert "No command was recorded" in repetition({}, ()).body


def test_the_record_is_shown_to_its_leaves() -> None:
    body = provenance(fabricate.record()).body
    assert "inputs[0].rows" in body
    assert "4884" in body
    assert provenance({}).body == ""
    assert "and 80 more" in provenance({"many": list(range(200))}).body.lower()


def test_rules_are_listed_or_said_to_be_absent() -> None:
    obeyed = Evaluation({}, None, (Score("rule_adherence", 0.99996),), (), ())
    found = rule_list(obeyed, ("a + b == c",))
    assert "a + b == c" in found.body
    assert "99.996%" in found.lead
    assert "No rule is known" in rule_list(EMPTY, ()).body
    assert (
        "No rule is known"
        in rule_list(Evaluation({}, None, (Score("rule_adherence", None, why="-"),), (), ()), ()).body
    )
    single = Evaluation({}, None, (Score("rule_adherence", 0.5, subject=("a <= b",)),), (), ())
    assert "a &lt;= b: obeyed by 50.0%" in rule_list(single, ("a <= b", "c > 0")).body
    assert "c &gt; 0" in rule_list(single, ("a <= b", "c > 0")).body
