from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from measure.crowds import FIELDS, around, exchanged, leaking, stacked, strangers
from measure.tables import SCHEMA, people

from tuckpoint.measure.attacks.copies import (
    copies,
    exact_copies,
    keys,
    near_copies,
    reissued_identifiers,
    rounded,
    surprise,
)
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.nearness import embedding, nearness
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded

REAL, MADE, HOLDOUT = people(2000, 1), people(2000, 2), people(1000, 3)


def leaky(rows: int) -> pa.Table:
    return pa.concat_tables([REAL.slice(0, rows), MADE.slice(rows)])


def test_planted_copies_are_counted_exactly() -> None:
    space = prepare(REAL, leaky(60), HOLDOUT, SCHEMA)
    score = exact_copies(space.real, space.made, space.holdout)
    assert score.value == pytest.approx(0.03)
    assert score.reference == 0.0
    assert score.passed is False
    assert score.advice


def test_other_people_pass() -> None:
    space = prepare(REAL, MADE, HOLDOUT, SCHEMA)
    assert exact_copies(space.real, space.made, space.holdout).passed is True
    assert near_copies(space.real, space.made, space.holdout, seed=Seed(0)).passed is True


def test_coarse_tables_repeat_naturally_and_pass() -> None:
    coarse = [table.select(["grade", "member", "rich"]) for table in (REAL, MADE, HOLDOUT)]
    from tuckpoint.measure.prepare import plain

    space = prepare(*coarse, plain(coarse[0]))
    score = exact_copies(space.real, space.made, space.holdout)
    assert score.value == 1.0
    assert score.reference == 1.0
    assert score.passed is True


def test_slightly_moved_copies_are_near_but_not_exact() -> None:
    moved = REAL.set_column(6, "pay", pa.array(np.asarray(REAL["pay"]) + 0.01))
    space = prepare(REAL, moved, HOLDOUT, SCHEMA)
    assert exact_copies(space.real, space.made, space.holdout).passed is True
    score = near_copies(space.real, space.made, space.holdout, seed=Seed(0))
    assert (score.value or 0) > 0.9
    assert score.reference == pytest.approx(0.01, abs=0.012)
    assert score.passed is False


def test_keys_agree_with_rows_compared_as_tuples() -> None:
    space = prepare(REAL.slice(0, 300), leaky(100).slice(0, 300), None, SCHEMA)
    first, second = keys([space.real, space.made])
    rows = [
        [tuple(None if v != v else round(float(v), 6) for v in row) for row in zip(*side.columns.values(), strict=True)]
        for side in (space.real, space.made)
    ]
    assert np.isin(second, first).tolist() == [row in set(rows[0]) for row in rows[1]]


def test_no_holdout_shows_the_share_without_a_verdict() -> None:
    space = prepare(REAL, leaky(60), None, SCHEMA)
    score = exact_copies(space.real, space.made, None)
    assert score.value == pytest.approx(0.03)
    assert score.passed is None
    assert "no holdout" in score.why


def test_a_holdout_too_small_is_told_as_such_and_not_as_none() -> None:
    space = prepare(REAL, leaky(60), HOLDOUT.slice(0, 30), SCHEMA)
    for score in (
        exact_copies(space.real, space.made, space.holdout),
        near_copies(space.real, space.made, space.holdout, seed=Seed(0)),
    ):
        assert score.passed is None
        assert "no holdout" not in score.why
        assert "30 of 50 rows" in score.why


def test_identifiers_written_again_are_found() -> None:
    told = {
        made.num_rows: reissued_identifiers(REAL, made, HOLDOUT, SCHEMA) for made in (MADE, leaky(5).slice(0, 1999))
    }
    assert told[2000][0].passed is True
    assert told[1999][0].passed is False
    assert told[1999][0].detail["count"] == 5
    assert told[1999][0].subject == ("email",)


def found(sides: Sides) -> dict[str, Finding]:
    return {finding.score.name: finding for finding in copies(sides, Seed(0))}


def p_of(finding: Finding) -> float:
    assert finding.p is not None
    return finding.p


def test_copied_rows_are_found_beside_none_of_outsiders() -> None:
    told = found(leaking(0.02))
    assert told["exact_copies"].score.value == pytest.approx(0.02)
    assert told["exact_copies"].score.reference == 0.0
    assert p_of(told["exact_copies"]) == pytest.approx(0.5**20, rel=0.2)
    assert p_of(told["rare_copies"]) < 1e-3
    assert p_of(told["near_copies"]) < 1e-3
    assert {finding.criterion for finding in told.values()} == {"copying"}


def test_strangers_are_no_copies() -> None:
    told = found(leaking(0.0))
    assert told["exact_copies"].score.value == 0.0
    assert min(map(p_of, told.values())) > 0.05


def test_moved_copies_are_near_only() -> None:
    sides = leaking(0.05)
    noise = np.random.default_rng(0).normal(0, 1e-4, 1000)
    made = Encoded(sides.made.fields, {**sides.made.columns, "a": sides.made.columns["a"] + noise})
    told = found(replace(sides, made=made))
    assert told["exact_copies"].score.value == 0.0
    assert told["near_copies"].score.value == pytest.approx(0.05, abs=0.005)
    assert p_of(told["near_copies"]) < 1e-3


def test_rows_of_several_people_cancel() -> None:
    columns = {name: np.zeros(60, np.int32) for name in "pqrs"}
    same = Encoded(FIELDS[4:], columns)
    told = found(around(same, same, same))
    assert all(finding.p is None for name, finding in told.items() if name != "near_copies")
    assert p_of(told["near_copies"]) == 1.0
    assert "too common" in told["exact_copies"].score.why


def test_unequal_sizes_have_their_own_odds() -> None:
    # Nine members in ten people: ten copied rows, nine of them members', are what chance gives.
    train, holdout = strangers(900, 0), strangers(100, 1)
    made = stacked(train.take(np.arange(9)), holdout.take(np.arange(1)))
    sides = around(train.take(np.arange(100)), holdout, made)
    told = found(replace(sides, train=train))
    assert p_of(told["exact_copies"]) > 0.5


def test_a_total_leak_has_a_finite_p_value() -> None:
    people = strangers(3000, 0)
    sides = around(people, strangers(3000, 1), people)
    told = found(sides)
    assert 0.0 <= p_of(told["exact_copies"]) < 1e-300
    assert p_of(told["rare_copies"]) == 1 / 20_001


def test_hits_weigh_as_much_as_their_rows_are_rare() -> None:
    # Fifty coincidences on either side, and eight copies of rows that lie far from everybody.
    weights = np.concatenate([np.full(100, 0.01), np.full(8, 1.0)])
    member = np.concatenate([np.arange(100) % 2 == 0, np.ones(8, bool)])
    assert surprise(weights, member, Seed(0)) == pytest.approx(0.5**8 * 0.54, rel=0.7)  # some 42 of 20,000 draws
    assert surprise(np.ones(10), np.arange(10) < 9, Seed(0)) == pytest.approx(11 / 1024, rel=0.4)
    assert surprise(np.ones(108), member, Seed(0)) > 0.1
    assert surprise(np.zeros(0), np.zeros(0, bool), Seed(0)) == 1.0


def test_weighed_hits_have_valid_p_values() -> None:
    random = np.random.default_rng(0)
    weights, trials = random.exponential(size=40), 500
    p = np.array([surprise(weights, random.random(40) < 0.5, Seed(0, (i,))) for i in range(trials)])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 6 * np.sqrt(level * (1 - level) / trials)
    assert np.mean(p <= 0.2) > 0.1


def test_p_values_are_valid_if_people_can_be_exchanged() -> None:
    sides = leaking(0.3, people=120)
    people, _ = crowd(sides)
    near = nearness(people, sides.made, embedding(people, Seed(0)))
    sides, trials = replace(sides, near=near), 400
    dealt = [found(exchanged(sides, i)) for i in range(trials)]
    for name in ("exact_copies", "rare_copies", "near_copies"):
        p = np.array([p_of(told[name]) for told in dealt])
        for level in (0.01, 0.05, 0.2):
            assert np.mean(p <= level) <= level + 6 * np.sqrt(level * (1 - level) / trials), name


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ([1.0000001, 1.0000009, 2.0], [1.0, 1.000001, 2.0]),
        ([1.0000001e-9, 1.2e-9, 0.0], [1e-9, 1.2e-9, 0.0]),
        ([1e300, -1e308, 1.5], [1e300, -1e308, 1.5]),
        ([np.nan, -0.0, 3.0], [np.inf, 0.0, 3.0]),
    ],
)
def test_numbers_are_rounded_by_their_size(values: list[float], kept: list[float]) -> None:
    assert rounded(np.array(values)) == pytest.approx(kept, rel=1e-12)
