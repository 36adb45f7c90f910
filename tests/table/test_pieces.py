import numpy as np
import pytest
from scipy import stats

from tuckpoint.table.engine import Field
from tuckpoint.table.grid import grid
from tuckpoint.table.pieces import allowed, place, spread

FIELD = Field("x", decimals=1, nullable=True, low=0.0, high=1000.0, provenance="public")


def test_without_a_mask_all_of_every_bin_is_left():
    cells = grid(FIELD, 6)
    bins = np.minimum(np.arange(cells.size) // 2, 2)
    share = np.arange(1.0, cells.size + 1)
    left = allowed(cells, bins, share, None)
    assert left.bin.tolist() == sorted(bins)
    assert left.weight.sum() == share.sum()
    assert left.count.sum() == 10_001 + 1
    assert (left.first < 0).sum() == 1  # the place of missing values


def test_a_mask_cuts_cells_and_weighs_what_is_left_of_them():
    cells = grid(FIELD, 6)
    left = allowed(cells, np.zeros(cells.size, np.int64), np.ones(cells.size), lambda v: (v > 200.3) & (v <= 200.9))
    assert left.count.sum() == 6
    assert (left.first.min(), (left.first + left.count).max()) == (2004, 2010)
    wide = np.searchsorted(cells.first, 2004, side="right") - 1
    assert left.weight.sum() == pytest.approx(6 / cells.count[wide])
    nothing = allowed(cells, np.zeros(cells.size, np.int64), np.ones(cells.size), np.isnan)
    assert nothing.first.tolist() == [-1]


def test_places_follow_the_weight_of_pieces_and_are_even_within():
    cells = grid(Field("x", nullable=False, low=0.0, high=29.0, provenance="public"), 3)
    share = np.arange(1.0, cells.size + 1)
    left = allowed(cells, np.arange(cells.size) % 2, share, None)
    bins = np.repeat([0, 1], 30_000)
    steps = place(left, bins, np.random.default_rng(0))
    cell = np.searchsorted(cells.first, steps, side="right") - 1
    assert np.array_equal(cell % 2, bins)
    for which in (0, 1):
        mine = share * (np.arange(cells.size) % 2 == which)
        per_step = np.repeat(mine / cells.count, cells.count)
        seen = np.bincount(steps[bins == which], minlength=30)
        kept = per_step > 0
        assert seen[~kept].sum() == 0
        assert stats.chisquare(seen[kept], 30_000 * per_step[kept] / per_step.sum()).pvalue > 1e-6


def test_spread_fills_each_group_evenly():
    group = np.repeat([2, 0, 1], [50, 1, 49])
    chance = spread(group, np.random.default_rng(0))
    assert ((chance >= 0) & (chance < 1)).all()
    assert sorted((chance[group == 2] * 50).astype(int)) == list(range(50))
    assert not np.array_equal(np.sort(chance[group == 2]), chance[group == 2])


def test_groups_may_have_large_numbers():
    group = np.repeat([2**40, 3, 2**62], 40)
    chance = spread(group, np.random.default_rng(0))
    for mine in np.unique(group):
        assert sorted((chance[group == mine] * 40).astype(int)) == list(range(40))
    assert len(spread(group[:0], np.random.default_rng(0))) == 0
