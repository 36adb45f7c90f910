"""How large leaves should be, asked of columns whose answer is known."""

import numpy as np
import pytest
from scipy import stats

from tuckpoint.table import kernel
from tuckpoint.table.leaf import COARSER, WAVES, held_loss, largest, waves

N = 8000


def halves(target, *, steps=1000, seed=0):
    """A feature of so many values that the target is a function of, the tree of each size, and the rows left out."""
    rng = np.random.default_rng(seed)
    code = rng.integers(1, steps + 1, N).astype(np.uint16)
    told = np.ascontiguousarray(target(code, rng)[:, None])
    rows, held = np.arange(N // 2, dtype=np.int32), np.arange(N // 2, N, dtype=np.int32)

    def grow(size):
        return kernel.grow([code], [False], target=told, label=None, outputs=1, weight=None, min_leaf=size, rows=rows)

    return grow, [code], told, held


def test_waves_are_those_of_the_rank():
    found = waves(np.array([0.0, 0.25, 1.0]))
    assert found.shape == (3, 2 * len(WAVES))
    assert found[0].tolist() == [1.0, 0.0] * len(WAVES)
    assert found[1, 2] == pytest.approx(np.cos(2 * np.pi * 0.25 * 2))  # the second longest
    assert (found[:, ::2] ** 2 + found[:, 1::2] ** 2) == pytest.approx(1.0)


def test_the_loss_is_the_squared_distance_to_the_leaf_less_the_error_of_its_mean():
    grow, offered, told, held = halves(lambda code, rng: (code > 500) + rng.normal(0, 1, N))
    tree = grow(300)
    leaf = kernel.leaves(offered, tree, np.arange(N))
    wanted = np.empty(len(held))
    for at in np.unique(leaf):
        inside = told[: N // 2, 0][leaf[: N // 2] == at]
        mine = leaf[held] == at
        wanted[mine] = (told[held[mine], 0] - inside.mean()) ** 2 - inside.var(ddof=1) / len(inside)
    assert held_loss(tree, offered, told, held) == pytest.approx(wanted)


def test_the_loss_of_leaves_of_noise_is_its_variance_whatever_their_size():
    grow, offered, told, held = halves(lambda code, rng: rng.normal(0, 1, N))
    losses = [held_loss(grow(size), offered, told, held).mean() for size in (20, 200)]
    # Trees choose splits by the rows that they keep, so that fine leaves of noise are a little worse than no leaves.
    assert losses[1] == pytest.approx(1.0, abs=0.08)
    assert losses[0] >= losses[1] - 0.02


def test_fine_structure_is_worth_finer_leaves_and_noise_is_not():
    steep = halves(lambda code, rng: np.sin(code / 8) + rng.normal(0, 0.1, N))
    flat = halves(lambda code, rng: rng.normal(0, 1, N))
    assert largest(*steep, 400, 10) < 400
    assert largest(*flat, 400, 10) == 400
    assert largest(*flat, 60, 10, COARSER) == 60 * COARSER[-1]
    assert largest(*steep, 60, 10, COARSER) <= 60


def test_coarser_leaves_end_where_they_lose_a_trend():
    """A weak trend that leaves of 200 keep, whose loss leaves of all rows hide behind that of leaves of 50."""

    def weak(code, rng):
        ranks = stats.rankdata(0.4 * code / 1000 + rng.normal(0, 0.3, N)) / N
        return waves(ranks)

    for seed in range(5):
        rng = np.random.default_rng(seed)
        code = rng.integers(1, 1001, N).astype(np.uint16)
        told = weak(code, rng)
        target = np.ascontiguousarray(told[:, :2])
        rows, held = np.arange(1200, dtype=np.int32), np.arange(1200, 3600, dtype=np.int32)

        def grow(size, code=code, target=target, rows=rows):
            return kernel.grow(
                [code], [False], target=target, label=None, outputs=2, weight=None, min_leaf=size, rows=rows
            )

        found = largest(grow, [code], told, held, 50, 5, COARSER)
        assert len(np.flatnonzero(grow(found)[1])) > 1
