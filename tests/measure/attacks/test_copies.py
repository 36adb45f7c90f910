from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.measure.attacks.copies import exact_copies, keys, near_copies, reissued_identifiers
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed

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


def test_identifiers_written_again_are_found() -> None:
    found = {
        made.num_rows: reissued_identifiers(REAL, made, HOLDOUT, SCHEMA) for made in (MADE, leaky(5).slice(0, 1999))
    }
    assert found[2000][0].passed is True
    assert found[1999][0].passed is False
    assert found[1999][0].detail["count"] == 5
    assert found[1999][0].subject == ("email",)
