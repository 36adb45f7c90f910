from __future__ import annotations

import numpy as np
import pytest
from measure.tables import SCHEMA, independent, people

from tuckpoint.measure import detect
from tuckpoint.measure.prepare import Space, prepare
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field

REAL, HOLDOUT = people(2000, 1), people(1000, 3)


def space(made: object) -> Space:
    return prepare(REAL, made, HOLDOUT, SCHEMA)  # type: ignore[arg-type]


def test_same_law_is_not_told_apart_and_the_null_is_printed_beside_it() -> None:
    one = space(people(2000, 2))
    score = detect.detection(one.real, one.made, one.holdout, seed=Seed(0))
    assert score.passed is True
    assert score.n == 1000
    assert score.low is not None
    assert score.high is not None
    assert score.low <= 0.5 <= score.high
    assert score.reference == pytest.approx(0.5, abs=0.06)


def test_independent_columns_are_told_apart() -> None:
    one = space(independent(REAL, 0))
    score = detect.detection(one.real, one.made, one.holdout, seed=Seed(0))
    assert score.passed is False
    assert (score.value or 0) > 0.8
    assert score.advice


def test_the_column_that_gives_it_away_leads_the_gains() -> None:
    made = people(2000, 2)
    shifted = made.set_column(0, "age", [np.asarray(made["age"]) + 9])
    one = space(shifted)
    score = detect.detection(one.real, one.made, one.holdout, seed=Seed(0))
    assert next(iter(score.detail["gains"])) == "age"
    assert sum(score.detail["gains"].values()) == pytest.approx(1.0)
    assert "age" in score.advice


def test_copies_of_training_rows_raise_the_alarm_against_training_rows() -> None:
    copied = REAL.take(np.random.default_rng(0).integers(0, 2000, 2000))
    one = space(copied)
    score = detect.detection_against_training(one.real, one.made, seed=Seed(0))
    assert score.passed is False
    assert (score.high or 1) < 0.5


@pytest.mark.parametrize("seed", [0, 1])
def test_the_shares_of_the_training_rows_alone_raise_no_alarm(seed: int) -> None:
    draw = np.random.default_rng(seed)
    fields = tuple(Field(f"c{j}", decimals=6) for j in range(6))
    real = {field.name: draw.normal(size=1500) for field in fields}
    made = {name: draw.permutation(column) for name, column in real.items()}  # the same values, and nobody's row
    score = detect.detection_against_training(Encoded(fields, real), Encoded(fields, made), seed=Seed(seed))
    assert (score.high or 1) < 0.5  # what an alarm at 0.5 would have called copies
    assert score.passed is True
    assert (score.reference or 0) < 0.49
    twice = {name: np.where(np.arange(1500) < 900, real[name], made[name]) for name in real}
    assert not detect.detection_against_training(Encoded(fields, real), Encoded(fields, twice), seed=Seed(seed)).passed


def test_a_holdout_offered_as_made_raises_the_alarm() -> None:
    one = space(HOLDOUT)
    score = detect.detection(one.real, one.made, one.holdout, seed=Seed(0))
    assert (score.value or 1) < 0.4
    assert score.passed is False
    assert "not untouched" in score.advice


def test_same_seed_same_value_and_other_seed_another() -> None:
    one = space(people(400, 2))
    values = [detect.detection_against_training(one.real, one.made, seed=Seed(s)).value for s in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_too_few_or_no_holdout_rows_say_why() -> None:
    few = prepare(REAL, REAL, HOLDOUT.slice(0, 20), SCHEMA)
    score = detect.detection(few.real, few.made, few.holdout, seed=Seed(0))
    assert score.value is None
    assert "only 20 holdout rows" in score.why
    assert "no holdout rows" in detect.detection(few.real, few.made, None, seed=Seed(0)).why
