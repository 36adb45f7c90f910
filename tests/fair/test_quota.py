import numpy as np
import pytest

from tuckpoint.fair.quota import largest_remainders, positives


def test_largest_remainders_by_hand():
    assert largest_remainders(np.array([0.47, 0.16, 0.158, 0.12, 0.061, 0.031]), 100).tolist() == [47, 16, 16, 12, 6, 3]
    assert largest_remainders(np.ones(3), 10).tolist() == [4, 3, 3]
    assert largest_remainders(np.array([1.0, 0.0]), 7).tolist() == [7, 0]


@pytest.mark.parametrize("key", range(20))
def test_quotas_are_never_a_row_away_and_add_up(key):
    rng = np.random.default_rng(key)
    shares, rows = rng.dirichlet(np.ones(7)), int(rng.integers(1, 500))
    counts = largest_remainders(shares, rows)
    assert counts.sum() == rows
    assert np.abs(counts - shares * rows).max() < 1


@pytest.mark.parametrize("key", range(20))
def test_positives_add_up_and_small_cells_take_the_nearest_number(key):
    rng = np.random.default_rng(key)
    rows = rng.integers(1, 60, 8) + np.array([0] * 7 + [3000])
    total = int(rng.integers(0, rows.sum() + 1))
    counts = positives(rows, total)
    assert counts.sum() == total
    away = np.abs(counts / rows - total / rows.sum())
    assert (away[:-1] <= 0.5 / rows[:-1] + 1e-12).all()
    assert away[-1] <= 4 / rows[-1]


def test_cells_without_rows_take_none():
    assert positives(np.array([10, 0, 10]), 7).tolist() in ([4, 0, 3], [3, 0, 4])
    assert positives(np.array([2, 2]), 4).tolist() == [2, 2]
