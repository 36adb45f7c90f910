from __future__ import annotations

import numpy as np
from measure.tables import SCHEMA, people

from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed

REAL, HOLDOUT = people(2000, 1), people(1000, 3)


def test_other_people_reveal_nothing() -> None:
    space = prepare(REAL, people(4000, 2), HOLDOUT, SCHEMA)
    score = membership(space.real, space.made, space.holdout, seed=Seed(0))
    assert score.passed is True
    assert score.low is not None
    assert score.high is not None
    assert score.low <= 0.5 <= score.high
    assert score.n == 1000


def test_a_bootstrap_of_the_table_reveals_its_people() -> None:
    made = REAL.take(np.random.default_rng(0).integers(0, 2000, 2000))
    space = prepare(REAL, made, HOLDOUT, SCHEMA)
    score = membership(space.real, space.made, space.holdout, seed=Seed(0))
    assert (score.value or 0) > 0.75
    assert score.passed is False
    assert score.advice


def test_few_or_no_holdout_rows_say_why() -> None:
    space = prepare(REAL, REAL, HOLDOUT.slice(0, 10), SCHEMA)
    assert "only 10 rows" in membership(space.real, space.made, space.holdout, seed=Seed(0)).why
    assert "no holdout" in membership(space.real, space.made, None, seed=Seed(0)).why
