import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.table.engine import Field
from tuckpoint.table.grid import grid


def number(low, high, **more):
    return Field("x", low=low, high=high, **more)


@pytest.mark.parametrize(
    "field",
    [number(0, 99_999), number(-50, 50, decimals=2), number(17, 90), number(3.5, 1e9, decimals=1), number(-9, -2)],
)
def test_cells_cover_the_domain_without_gaps(field):
    cells = grid(field, 64)
    scale = 10**field.decimals
    assert cells.first[0] == 0
    assert (cells.count > 0).all()
    assert np.array_equal(cells.first[1:], cells.first[:-1] + cells.count[:-1])
    assert cells.count.sum() == round((field.high - field.low) * scale) + 1
    assert cells.size <= 64 + 40


def test_every_value_falls_into_the_cell_that_holds_it():
    field = number(-50, 5000, decimals=2)
    cells = grid(field, 100)
    steps = np.random.default_rng(0).integers(0, cells.count.sum(), 5000)
    code = cells.code(cells.values(steps))
    assert ((cells.first[code] <= steps) & (steps < cells.first[code] + cells.count[code])).all()


def test_bounds_and_zero_stand_alone():
    cells = grid(number(-1000, 99_999), 32)
    code = cells.code(np.array([-1000.0, 0.0, 99_999.0]))
    assert (cells.count[code] == 1).all()


def test_a_small_domain_has_a_cell_a_number():
    assert grid(number(1, 16), 64).count.tolist() == [1] * 16


def test_cells_depend_on_the_schema_alone():
    """What the schema does not foresee is put somewhere, never refused: an error would tell of a row."""
    strict = grid(number(0, 9, nullable=False), 64)
    assert strict.code(np.array([-5.0, 50.0, np.nan, np.inf, -np.inf])).tolist() == [0, 9, 0, 9, 0]
    loose = grid(number(0, 9, nullable=True), 64)
    assert loose.code(np.array([np.nan, 3.0])).tolist() == [10, 3]
    levels = grid(Field("x", levels=("a", "b", "other"), nullable=False), 64)
    assert levels.code(np.array([-1, 0, 2, 17], np.int32)).tolist() == [0, 0, 2, 2]
    assert grid(Field("x", levels=("a",)), 64).code(np.array([-1, 0], np.int32)).tolist() == [1, 0]


def test_bounds_between_two_numbers_are_drawn_inwards():
    cells = grid(number(0.5, 3.2, decimals=0), 64)
    assert cells.values(np.arange(3)).tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("field", "what"),
    [
        (Field("x"), "low and high"),
        (Field("x", levels=(), nullable=False), "no levels"),
        (number(0, 1e15, decimals=6), "numbers"),
        (number(0.2, 0.8), "holds 0 numbers"),
    ],
)
def test_domains_that_cannot_be_counted_are_refused(field, what):
    with pytest.raises(InputError, match=what):
        grid(field, 64)
