from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.measure.attacks.copies import copies
from tuckpoint.measure.attacks.density import density
from tuckpoint.measure.attacks.values import values
from tuckpoint.measure.controls import leaky_twin, negative, other_people, positive
from tuckpoint.measure.decide import adjust
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.nearness import embedding, nearness
from tuckpoint.measure.sides import Stand, stand
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed


def suite(sides: Sides, seed: Seed) -> Sequence[Finding]:
    return adjust([*copies(sides, seed), *values(sides, seed), *density(sides, seed)])


def stood(train: pa.Table, made: pa.Table, holdout: pa.Table, schema: Schema = SCHEMA) -> Stand:
    return stand(train, made, holdout, schema, person=None, seed=Seed(0), most_people=2000, most_made=5000)


FAIR = stood(people(600, 1), people(500, 3), people(600, 2))


def test_the_leaky_twin_holds_the_rows_of_some_members() -> None:
    twin = leaky_twin(FAIR, Seed(0), most_made=5000)
    assert twin.made.rows == 500 + 30  # a twentieth of 600
    assert twin.near is not None
    zero = twin.near.made[:, 0] == 0
    assert zero[:600].sum() == 30
    assert zero[600:].sum() == 0
    train, _, made = twin.texts["email"]
    assert len(made) == 530
    assert np.isin(made[500:], train).all()
    assert FAIR.sides.made.rows == 500


def test_distances_of_the_twin_are_those_measured_anew() -> None:
    twin = leaky_twin(FAIR, Seed(0), most_made=5000)
    both, _ = crowd(twin)
    anew = nearness(both, twin.made, embedding(both, Seed(0, ("sides",))))
    assert twin.near is not None
    assert twin.near.made[:, 0] == pytest.approx(anew.made[:, 0], abs=1e-5)


def test_few_members_still_give_twenty_copies() -> None:
    small = stood(people(60, 1), people(100, 3), people(60, 2))
    assert leaky_twin(small, Seed(0), most_made=5000).made.rows == 120


def test_the_leaky_twin_is_caught() -> None:
    control = positive(FAIR, suite, Seed(0), most_made=5000)
    assert control.worked
    assert control.p < 1e-3
    assert control.by
    assert "30 people" in control.what


def test_an_audit_that_sees_nothing_fails_the_positive_control() -> None:
    def blind(sides: Sides, seed: Seed) -> Sequence[Finding]:
        return adjust([replace(one, p=0.5) for one in copies(sides, seed)])

    assert not positive(FAIR, blind, Seed(0), most_made=5000).worked
    assert not positive(FAIR, lambda sides, seed: (), Seed(0), most_made=5000).worked


def test_rows_too_common_to_be_anybodys_fail_the_positive_control() -> None:
    names = ("grade", "member", "rich")
    coarse = [people(600, seed).select(list(names)) for seed in (1, 3, 2)]
    assert not positive(stood(*coarse, Schema(tuple(SCHEMA[n] for n in names))), suite, Seed(0), most_made=5000).worked


def test_other_people_stand_on_all_sides() -> None:
    sides = other_people(FAIR, Seed(0))
    assert (sides.made.rows, sides.members.rows, sides.outsiders.rows) == (300, 300, 300)
    pay = [set(side.columns["pay"]) for side in (sides.made, sides.outsiders, sides.members)]
    outside = set(FAIR.sides.outsiders.columns["pay"])
    assert pay[0] | pay[1] <= outside
    assert pay[2] <= set(FAIR.sides.members.columns["pay"])
    assert sides.near is not None
    assert sides.near.others.shape == (600, 5)


def test_other_real_people_pass() -> None:
    control = negative(FAIR, suite, Seed(0), level=0.001)
    assert control.worked
    assert control.p > 0.001
    assert control.by


def test_a_holdout_from_elsewhere_fails_the_negative_control() -> None:
    def older(table: pa.Table) -> pa.Table:
        pay = pa.array(np.round(np.asarray(table["pay"]) * 1.5 + 500, 2))
        return table.set_column(table.column_names.index("pay"), "pay", pay)

    odd = stood(people(600, 1), people(500, 3), older(people(600, 2)))
    control = negative(odd, suite, Seed(0), level=0.001)
    assert not control.worked
    assert control.p < 1e-6
    assert "membership_auc" in control.by


def test_people_of_many_rows_pass_beside_people_of_one() -> None:
    def visits(seed: int) -> pa.Table:
        random = np.random.default_rng(seed)
        who = np.repeat(np.arange(400), 20) + 1000 * seed
        return pa.table({"who": who, "ward": random.integers(0, 40, 8000), "code": random.integers(0, 20_000, 8000)})

    columns = (Column("who", "identifier", "int64"), *(Column(name, "integer", "int64") for name in ("ward", "code")))
    fair = stood(visits(1), visits(3), visits(2), Schema(columns, person="who"))
    assert negative(fair, suite, Seed(0), level=0.05).worked


def test_an_attack_that_peeks_at_the_sides_fails_the_negative_control() -> None:
    def peeking(sides: Sides, seed: Seed) -> Sequence[Finding]:
        return adjust([replace(one, p=1e-9) for one in copies(sides, seed)])

    assert not negative(FAIR, peeking, Seed(0), level=0.001).worked
    assert not negative(FAIR, lambda sides, seed: (), Seed(0), level=0.001).worked
