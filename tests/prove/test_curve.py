import numpy as np
import pytest

from tuckpoint.prove.curve import isotonic, on_curve


def test_rows_saved_are_read_off_the_curve():
    rows, values = np.array([100.0, 200.0, 400.0]), np.array([0.6, 0.7, 0.8])
    assert on_curve(rows, values, 0.8, 100) == (pytest.approx(0.75), False)
    assert on_curve(rows, values, 0.75, 200)[0] == pytest.approx(1 - 200 / np.sqrt(200 * 400))
    assert on_curve(rows, values, 0.7, 200)[0] == pytest.approx(0)


def test_beyond_the_curve_only_a_bound_is_known():
    rows, values = np.array([100.0, 200.0]), np.array([0.6, 0.7])
    assert on_curve(rows, values, 0.9, 100) == (pytest.approx(0.5), True)
    assert on_curve(rows, values, 0.5, 200) == (pytest.approx(-1), False)


def test_neighbours_that_fall_are_pooled():
    assert isotonic(np.array([1.0, 3.0, 2.0, 4.0])) == pytest.approx([1, 2.5, 2.5, 4])
    assert isotonic(np.array([3.0, 2.0, 1.0])) == pytest.approx([2, 2, 2])
