"""How large the leaves of a column's trees should be: as large as held-out rows allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table import kernel

Array = NDArray[Any]
Tree = tuple[Array, Array, Array, Array]  # nodes, counts, sets and members, as kernel.grow gives them

WAVES = (0.5, 2, 8, 32, 100)  # turns over the range of ranks at which a leaf size is judged
LONG = (
    4  # columns of the longest waves: finer ones, of which most is noise, would hide that coarser leaves lose a trend
)
FINER_GAIN = 0.002  # least share of the loss that a finer leaf must save
COARSER = (4, 16)  # times as large as asked, where nothing is lost by it


def waves(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cosine and sine (n, 2 * scales) of the rank, from waves of twice the range down to a hundredth of it."""
    turns = 2 * np.pi * ranks[:, None] * np.array(WAVES)
    return np.stack([np.cos(turns), np.sin(turns)], axis=2).reshape(len(ranks), -1)


def largest(
    grow: Callable[[int], Tree],
    offered: Sequence[kernel.Codes],
    told: Array,
    held: NDArray[np.int32],
    leaf: int,
    finest: int,
    coarser: Sequence[int] = (),
) -> int:
    """The largest leaf that foretells held-out rows as well as any finer one does.

    The score is the squared distance of what is told of a row to its mean over the leaf: the Brier score of a category,
    a kernel score of a number at several scales (Gneiting, Raftery 2007, section 5), both proper. Leaves of `leaf` give
    way to finer ones step by step while these are better beyond doubt, or to leaves `coarser` times as large while
    these are no worse, on long waves: larger leaves show less of each person.
    """
    first = grow(leaf)
    best, best_loss = leaf, held_loss(first, offered, told, held)
    for size in sorted({min(size, leaf) for size in (round((leaf * finest) ** 0.5), finest)} - {leaf}, reverse=True):
        loss = held_loss(grow(size), offered, told, held)
        gain = best_loss - loss
        if gain.mean() <= max(2 * _error(gain), FINER_GAIN * best_loss.mean()):
            break
        best, best_loss = size, loss
    if best < leaf:
        return best
    long = told[:, :LONG]
    long_loss = held_loss(first, offered, long, held) if coarser else best_loss
    for times in coarser:
        loss = held_loss(grow(leaf * times), offered, long, held)
        if (loss - long_loss).mean() > 0:
            break
        best, long_loss = leaf * times, loss
    return best


def _error(values: NDArray[np.float64]) -> float:
    """The standard error of the mean."""
    return float(values.std() / max(len(values), 1) ** 0.5)


def held_loss(tree: Tree, offered: Sequence[kernel.Codes], told: Array, held: NDArray[np.int32]) -> NDArray[np.float64]:
    """Squared distance (len(held),) of what is told (n, k) of each held-out row to its mean over the row's leaf."""
    nodes, counts, _, members = tree
    leaves = np.flatnonzero(counts)
    order = np.argsort(nodes["left"][leaves], kind="stable")  # members lie in the order of their leaves
    leaf_of_member = np.repeat(leaves[order], counts[leaves[order]])
    size = np.maximum(counts, 1)
    sums = [np.bincount(leaf_of_member, column[members], len(nodes)) for column in told.T]
    mean = np.stack(sums, axis=1) / size[:, None]
    square = np.bincount(leaf_of_member, (told[members] ** 2).sum(axis=1), len(nodes)) / size
    # The mean of a leaf errs by its own sampling, which a draw of one member does not feel: that part is taken off.
    sampling = np.maximum(square - (mean**2).sum(axis=1), 0) / np.maximum(counts - 1, 1)
    at = kernel.leaves(offered, tree, held)
    loss: NDArray[np.float64] = ((told[held] - mean[at]) ** 2).sum(axis=1) - sampling[at]
    return loss
