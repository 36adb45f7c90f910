"""Two halves attacked at once: what is common or odd about a row cancels, what is remembered stays."""

import numpy as np
import pytest

from tuckpoint.measure.attacks.membership import membership
from tuckpoint.seed import Seed
from tuckpoint.table.crossed import crossed
from tuckpoint.table.engine import Encoded, Field

FIELDS = (Field("a", decimals=9), Field("b", decimals=9), Field("half", levels=("x", "y")))


def rows(count, seed, *, alike=0.99):
    rng = np.random.default_rng(seed)
    a, noise = rng.normal(size=(2, count))
    b = alike * a + (1 - alike**2) ** 0.5 * noise
    return Encoded(FIELDS, {"a": a, "b": b, "half": rng.integers(0, 2, count).astype(np.int32)})


def attacked(halves, made):
    return membership(*crossed(halves, made), seed=Seed(0))


def test_every_row_is_real_once_and_a_control_once():
    halves, made = (rows(30, 1), rows(20, 2)), (rows(30, 3), rows(20, 4))
    real, drawn, control = crossed(halves, made)
    assert (real.rows, drawn.rows, control.rows) == (50, 50, 50)
    np.testing.assert_array_equal(np.sort(real.columns["a"]), np.sort(control.columns["a"]))
    names = {field.name for field in real.fields}
    assert names == set(real.columns)
    assert len(names) >= len(FIELDS) + 9  # the marks, none of which takes the name of a column
    np.testing.assert_array_equal(real.columns["half"], np.concatenate([half.columns["half"] for half in halves]))


def test_an_odd_half_alone_shows_nothing():
    halves = rows(1500, 1), rows(1500, 2, alike=0.9)
    made = rows(1500, 3), rows(1500, 4)
    found = attacked(halves, made)
    plain = membership(halves[0], made[0], halves[1], seed=Seed(0))
    assert plain.value > 0.6  # one split: the odd half looks like outsiders
    assert found.value == pytest.approx(0.5, abs=0.04)


def test_copies_of_the_own_half_show():
    halves = rows(1500, 1), rows(1500, 2)
    assert attacked(halves, halves).value > 0.95
    assert attacked(halves, (halves[1], halves[0])).value < 0.05


def test_people_are_kept():
    halves = tuple(
        Encoded(part.fields, part.columns, person=np.arange(part.rows) // 2 + 100 * i)
        for i, part in enumerate((rows(30, 1), rows(20, 2)))
    )
    real, _, control = crossed((halves[0], halves[1]), (halves[0], halves[1]))
    np.testing.assert_array_equal(np.sort(real.person), np.sort(control.person))
