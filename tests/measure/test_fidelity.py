from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, independent, people

from tuckpoint.measure import bins, fidelity
from tuckpoint.measure.prepare import plain, prepare
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field

REAL, MADE, HOLDOUT = people(3000, 1), people(3000, 2), people(1000, 3)


def test_bins_of_numbers_are_deciles_with_an_own_bin_for_missing() -> None:
    values = np.append(np.arange(1000.0), [np.nan] * 7)
    found = bins.binning(Field("x"), values)
    assert found.size == 11
    assert np.bincount(found.assign(values)).tolist() == [100] * 10 + [7]


def test_bins_of_few_numbers_are_the_numbers() -> None:
    values = np.array([0.0, 0.0, 3.0, 9.0])
    assert bins.binning(Field("x"), values).assign(np.array([0.0, 3.0, 9.0, 9.0, np.nan])).tolist() == [0, 1, 2, 2, 3]


def test_bins_of_levels_pool_the_rare_and_part_the_unseen() -> None:
    codes = np.concatenate([np.repeat(np.arange(30), 5), np.arange(30, 40)]).astype(np.int32)
    found = bins.binning(Field("a", levels=tuple(map(str, range(41)))), codes)
    assert found.size == 33
    assert found.assign(np.array([0, 30, 39, 40, -1])).tolist() == [0, 30, 30, 31, 32]


def test_distances_equal_their_closed_form() -> None:
    # Two levels with shares 1/2, 1/2 against 3/4, 1/4, tied one to one: a distance of 1/4 both ways.
    def table(first: int, second: int) -> pa.Table:
        return pa.table({"a": ["x"] * first + ["y"] * second, "b": ["u"] * first + ["v"] * second})

    real, made, holdout = table(200, 200), table(300, 100), table(200, 200)
    space = prepare(real, made, holdout, plain(real))
    for ways, subjects in ((1, 2), (2, 1)):
        found = fidelity.distances(space.real, space.made, space.holdout, seed=Seed(0), ways=ways)
        assert len(found.subjects) == subjects
        assert found.made.tolist() == pytest.approx([0.25] * subjects)
        assert found.holdout is not None
        assert found.holdout.tolist() == pytest.approx([0.0] * subjects)


def test_bootstrap_draws_equal_a_plain_loop() -> None:
    random = np.random.default_rng(0)
    cells, truth = random.integers(0, 6, 80), np.full(6, 1 / 6)
    weights = np.stack([np.bincount(random.integers(0, 80, 80), minlength=80) for _ in range(5)], axis=1).astype(float)
    plain_loop = [0.5 * np.abs(np.bincount(cells, weights=w, minlength=6) / 80 - truth).sum() for w in weights.T]
    assert fidelity._resampled(cells, weights, truth) == pytest.approx(plain_loop, abs=1e-6)


def test_at_most_so_many_pairs() -> None:
    space = prepare(REAL, MADE, HOLDOUT, SCHEMA)
    found = fidelity.distances(space.real, space.made, space.holdout, seed=Seed(0), ways=2, most=5)
    assert len(found.subjects) == 5
    assert len(set(found.subjects)) == 5


def test_shuffled_columns_keep_margins_and_lose_pairs_and_correlations() -> None:
    space = prepare(REAL, independent(REAL, 0), HOLDOUT, SCHEMA)
    sides = space.real, space.made, space.holdout
    one, two = (fidelity.distance_score(fidelity.distances(*sides, seed=Seed(0), ways=ways)) for ways in (1, 2))
    assert one.passed is True
    assert two.passed is False
    assert two.advice
    assert fidelity.correlation_error(*sides, seed=Seed(0)).passed is False


def test_correlation_error_is_spearmans() -> None:
    from scipy.stats import spearmanr

    space = prepare(REAL.drop_columns(["hours"]), MADE, None, plain(REAL.drop_columns(["hours"])))
    names = [field.name for field in space.real.fields if field.numeric]
    rho = [spearmanr(np.stack([side.columns[n] for n in names], 1)).statistic for side in (space.real, space.made)]
    expected = np.abs(rho[0] - rho[1])[np.triu_indices(len(names), 1)].mean()
    assert fidelity.correlation_error(space.real, space.made, None, seed=Seed(0)).value == pytest.approx(expected)


def test_weighted_correlations_are_those_of_repeated_rows_with_and_without_a_gap() -> None:
    random = np.random.default_rng(3)
    ranks, weight = random.normal(size=(60, 3)), random.integers(0, 4, 60).astype(float)
    wanted = np.corrcoef(np.repeat(ranks, weight.astype(int), axis=0).T)
    assert fidelity._correlations(ranks, weight) == pytest.approx(wanted)
    ranks[0], weight[0] = np.nan, 0.0
    wanted = np.corrcoef(np.repeat(ranks, weight.astype(int), axis=0).T)
    assert fidelity._correlations(ranks, weight) == pytest.approx(wanted)


def test_ordered_answers_that_lost_all_dependence_fail_by_their_order() -> None:
    words = ("never", "rarely", "sometimes", "often", "always")

    def survey(seed: int, *, tied: bool) -> pa.Table:
        random = np.random.default_rng(seed)
        mood = random.normal(size=(1500, 1)) if tied else random.normal(size=(1500, 4))
        answers = np.clip(np.rint(mood + random.normal(size=(1500, 4))) + 2, 0, 4).astype(int)
        return pa.table({f"q{i}": np.array(words)[answers[:, i]] for i in range(4)})

    kinds = tuple(Column(f"q{i}", "ordered", "string", domain=Domain(levels=words)) for i in range(4))
    real, holdout = survey(1, tied=True), survey(2, tied=True)
    for made, passed in ((survey(3, tied=True), True), (survey(3, tied=False), False)):
        space = prepare(real, made, holdout, Schema(kinds))
        score = fidelity.correlation_error(space.real, space.made, space.holdout, seed=Seed(0))
        assert score.passed is passed
        assert score.detail["pairs"] == 6
    whole = fidelity._correlations(fidelity._ranked(space.real, ["q0", "q1"]), np.ones(1500))[0, 1]
    assert 0.4 < whole < 0.6  # in the order of the words, not of their frequency
    other = survey(3, tied=True).set_column(0, "q0", pa.array(["weekly"] * 1500))
    space = prepare(real, other, None, Schema(kinds))
    assert np.isnan(fidelity._ranked(space.made, ["q0"])).all()


def test_correlation_with_missing_values_uses_rows_where_both_are_present() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=4000)
    y = x + 0.1 * random.normal(size=4000)
    y[random.random(4000) < 0.5] = np.nan
    data = Encoded((Field("x"), Field("y")), {"x": x, "y": y})
    assert fidelity._correlations(fidelity._ranked(data, ["x", "y"]), np.ones(4000))[0, 1] == pytest.approx(
        0.994, abs=0.01
    )


def test_missing_share_error_sees_lost_gaps() -> None:
    filled = MADE.set_column(1, "hours", MADE["hours"].fill_null(40.0))
    space = prepare(REAL, filled, HOLDOUT, SCHEMA)
    score = fidelity.missing_share_error(space.real, space.made, space.holdout, seed=Seed(0))
    assert score.detail["full"] == pytest.approx(REAL["hours"].null_count / 3000 / 8)
    assert score.passed is False
    assert list(score.detail["worst"]) == ["hours"]


def test_rare_level_coverage_names_what_was_never_made() -> None:
    levels = [f"r{i}" for i in range(30)]
    random = np.random.default_rng(0)

    def table(rows: int, rare: float) -> pa.Table:
        return pa.table({"a": np.where(random.random(rows) < rare, random.choice(levels, rows), "usual")})

    real, holdout = table(6000, 0.15), table(3000, 0.15)
    for made, passed in ((table(6000, 0.15), True), (table(6000, 0.0), False)):
        space = prepare(real, made, holdout, plain(real))
        score = fidelity.rare_level_coverage(space.real, space.made, space.holdout, seed=Seed(0))
        assert score.passed is passed
        assert score.n == 30
        assert score.detail["never_made_count"] == (0 if passed else 30)


def test_without_holdout_a_distance_is_shown_and_not_judged() -> None:
    space = prepare(REAL, MADE, None, SCHEMA)
    for score in (
        fidelity.distance_score(fidelity.distances(space.real, space.made, None, seed=Seed(0))),
        fidelity.missing_share_error(space.real, space.made, None, seed=Seed(0)),
        fidelity.rare_level_coverage(space.real, space.made, None, seed=Seed(0)),
    ):
        assert score.value is not None
        assert score.passed is None
        assert "holdout" in score.why
        assert score.low is None
