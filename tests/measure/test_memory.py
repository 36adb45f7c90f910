"""Two halves attacked at once: what is common or odd about a row cancels, what is remembered stays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.measure import memory
from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.memory import memorised
from tuckpoint.measure.prepare import prepare
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field

FIELDS = (Field("a", decimals=9), Field("b", decimals=9), Field("half", levels=("x", "y")))


def asked(halves: tuple[pa.Table, pa.Table], made: tuple[pa.Table, pa.Table]) -> tuple[bool, bool]:
    """Whether rows made from either half perhaps, and surely, give it away."""
    space = prepare(halves[0], pa.concat_tables(made), halves[1], SCHEMA)
    assert space.holdout is not None
    real, cut = (space.real, space.holdout), np.arange(space.made.rows) < made[0].num_rows
    drawn = space.made.take(cut), space.made.take(~cut)
    return memorised(real, drawn, surely=False), memorised(real, drawn, surely=True)


def rows(count: int, seed: int, *, alike: float = 0.99) -> Encoded:
    """Rows whose two numbers go together, so that a row in which they do not is far from all others."""
    rng = np.random.default_rng(seed)
    a, noise = rng.normal(size=(2, count))
    b = alike * a + (1 - alike**2) ** 0.5 * noise
    return Encoded(FIELDS, {"a": a, "b": b, "half": rng.integers(0, 2, count).astype(np.int32)})


@pytest.mark.parametrize(("copied", "leaks"), [(0, False), (200, True)])
def test_copies_beyond_their_base_rate_are_surely_memorised(copied: int, leaks: bool) -> None:
    halves = people(6000, 11), people(6000, 12)
    made = [pa.concat_tables([half.slice(0, copied), people(6000 - copied, 13 + k)]) for k, half in enumerate(halves)]
    assert asked(halves, (made[0], made[1])) == (leaks, leaks)


def test_rows_near_those_of_the_data_are_surely_memorised() -> None:
    halves = people(4000, 11), people(4000, 12)
    moved = [half.set_column(0, "age", pa.array(np.asarray(half["age"]) + 0.001)) for half in halves]
    assert asked(halves, (moved[0], moved[1])) == (True, True)


def test_few_rows_show_nothing_surely() -> None:
    halves, made = (people(300, 11), people(300, 12)), (people(300, 13), people(300, 14))
    assert not asked(halves, made)[1]
    few = people(20, 11), people(20, 12)
    assert asked(few, few) == (True, False)


def test_an_odd_half_alone_shows_nothing() -> None:
    halves = rows(2000, 1), rows(2000, 2, alike=0.9)
    made = rows(2000, 3), rows(2000, 4)
    assert (membership(halves[0], made[0], halves[1], seed=Seed(0)).value or 0) > 0.6  # one split alone
    assert not memorised(halves, made, surely=True)


def test_rows_of_the_other_half_give_nothing_away() -> None:
    halves = rows(2000, 1), rows(2000, 2)
    assert memorised(halves, halves, surely=True)
    assert not memorised(halves, (halves[1], halves[0]), surely=False)


@pytest.mark.parametrize(
    ("value", "perhaps", "surely", "draws"), [(0.505, False, False, 1), (0.518, True, False, 4), (0.54, True, True, 1)]
)
def test_more_rows_are_drawn_only_where_the_first_do_not_settle_it(
    monkeypatch: pytest.MonkeyPatch, value: float, perhaps: bool, surely: bool, draws: int
) -> None:
    drawn = []

    def counted(real: Encoded, made: Encoded, holdout: Encoded, *, seed: Seed) -> Score:
        drawn.append(seed)
        return Score("membership", value, value - 0.0196, value + 0.0196)

    monkeypatch.setattr(memory, "membership", counted)
    halves, made = (rows(8000, 1), rows(8000, 2)), (rows(8000, 3), rows(8000, 4))
    for which, leaks in ((False, perhaps), (True, surely)):
        drawn.clear()
        assert memorised(halves, made, surely=which) is leaks
        assert len(drawn) == 2 * draws
