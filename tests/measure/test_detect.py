from __future__ import annotations

from dataclasses import replace

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


def families(people: int, seed: int, rows: int = 6) -> Encoded:
    """Rows of people who stay as they are from row to row, which gives each of them away."""
    random = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), rows)
    own = random.normal(size=(people, 3)).round(3)
    own[:, 1] = (own[:, 0] + 0.3 * own[:, 1]).round(3)
    columns = {**{f"x{i}": own[person, i] for i in range(3)}, "visit": random.normal(size=people * rows)}
    return Encoded(tuple(Field(name) for name in columns), columns, person + seed * people)


def test_a_person_known_again_is_not_what_tells_made_from_real() -> None:
    real, holdout = families(120, 1, 5), families(120, 2, 5)
    made = replace(families(600, 3, 1), person=None)  # each made row is another person's
    null = detect.Told(0.5, 0.02, 600, {})
    score = detect.detection(real, made, holdout, seed=Seed(0), null=null)
    assert score.value < 0.6
    assert score.passed is True
    assert score.high - score.low > 0.1  # 120 people tell less than 600 rows
    random = np.random.default_rng(4)
    shuffled = {name: random.permutation(values) for name, values in made.columns.items()}
    score = detect.detection(real, replace(made, columns=shuffled), holdout, seed=Seed(0), null=null)
    assert score.passed is False
    assert score.value > 0.65


def test_where_real_rows_are_told_from_the_holdout_the_limits_hold_beyond_that() -> None:
    real, holdout = (replace(families(150, seed), person=None) for seed in (1, 2))
    made = replace(families(150, 3), person=None)
    score = detect.detection(real, made, holdout, seed=Seed(0))
    assert score.reference > 0.9  # nobody says whose the rows are: the judge knows people again
    assert score.value > 0.9
    assert score.detail["beyond"] < 0.6
    assert score.passed is True
    near, far = detect.Told(0.913, 0.008, 1000, {}), detect.Told(0.928, 0.008, 1000, {})
    assert detect._beyond(far, near)[0] == pytest.approx(0.54, abs=0.005)
    assert detect._beyond(detect.Told(0.97, 0.004, 1000, {}), near)[1] > 0.55
    assert detect._beyond(far, far)[0] == pytest.approx(0.5)
