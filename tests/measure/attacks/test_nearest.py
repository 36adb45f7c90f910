from __future__ import annotations

import pytest
from measure.tables import SCHEMA, people

from tuckpoint.measure.attacks.nearest import nearest_record_share
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed

REAL, HOLDOUT = people(2000, 1), people(1000, 3)


def test_the_share_is_even_for_other_people_and_proves_nothing() -> None:
    space = prepare(REAL, people(2000, 2), HOLDOUT, SCHEMA)
    score = nearest_record_share(space.real, space.made, space.holdout, seed=Seed(0))
    assert score.value == pytest.approx(0.5, abs=0.05)
    assert score.passed is None
    assert score.low is None
    assert "proves no privacy" in score.why


def test_copies_lie_nearer_and_ties_count_half() -> None:
    # Half of the training rows are drawn to equal the holdout's number: their copies are at distance zero.
    space = prepare(REAL, REAL, HOLDOUT, SCHEMA)
    score = nearest_record_share(space.real, space.made, space.holdout, seed=Seed(0))
    assert score.value == pytest.approx(0.75, abs=0.04)
    same = nearest_record_share(space.real, space.holdout, space.real, seed=Seed(0))  # type: ignore[arg-type]
    assert same.detail["rows_a_side"] == 2000
    assert same.value == 0.5


def test_no_holdout_says_why() -> None:
    space = prepare(REAL, REAL, None, SCHEMA)
    assert "no holdout" in nearest_record_share(space.real, space.made, None, seed=Seed(0)).why
