"""From noisy counts to tables that can be true: nothing here sees real rows, so nothing here costs privacy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Table = NDArray[np.float64]


def project(noisy: Table, total: float) -> Table:
    """The nearest counts (..., k) of this total that are not negative: noise in empty cells cancels, not adds up."""
    return np.maximum(noisy + _offset(noisy, np.full(noisy.shape[:-1], total))[..., None], 0) if noisy.size else noisy


def project_margins(noisy: Table, rows: Table, columns: Table, *, rounds: int = 30) -> Table:
    """Counts (a, b) near the noisy ones that are not negative and have about these row (a,) and column (b,) sums.

    Alternating exact ascent on the dual of the least-squares problem: each half step sets one offset a row or column.
    """
    below = np.zeros(len(columns))
    for _ in range(rounds):
        beside = _offset(noisy + below, rows)
        below = _offset((noisy + beside[:, None]).T, columns)
    return np.maximum(noisy + beside[:, None] + below, 0)


def _offset(noisy: Table, totals: Table) -> Table:
    """What to add to all of each row (..., k) so that its positive part sums to `totals` (...)."""
    ranked = np.sort(noisy, axis=-1)[..., ::-1]
    excess = (np.cumsum(ranked, axis=-1) - totals[..., None]) / np.arange(1, noisy.shape[-1] + 1)
    last = np.maximum((ranked > excess).sum(axis=-1) - 1, 0)
    return -np.take_along_axis(excess, last[..., None], axis=-1)[..., 0]


def fit_margins(table: Table, rows: Table, columns: Table, *, rounds: int = 30) -> Table:
    """Scale positive counts (a, b) to these row (a,) and column (b,) sums (iterative proportional fitting)."""
    for _ in range(rounds):
        table = table * (rows / table.sum(axis=1))[:, None]
        table = table * (columns / table.sum(axis=0))
    return table


def average(estimates: list[Table], variances: list[float]) -> Table:
    """The inverse-variance mean of independent estimates of the same counts."""
    weights = 1 / np.asarray(variances)
    return np.asarray(np.einsum("i,i...->...", weights / weights.sum(), np.stack(estimates)))


def standing(noisy: Table, deviation: float) -> NDArray[np.bool_]:
    """Which neighbouring cells (k,) to believe in: those in a run that stands out of noise of this deviation.

    Runs are the halves of halves of the whole. A run that does not stand out, nor any within it, beside one that does,
    is believed to be empty: noise there would make values far off that nobody has. The limit is what hardly any of so
    many runs of pure noise passes.
    """
    size = len(noisy)
    limit = np.sqrt(2 * np.log(2 * max(size, 2)))
    sums = [np.append(noisy, np.zeros((1 << (size - 1).bit_length()) - size if size else 1))]
    width = [np.append(np.ones(size), np.zeros(len(sums[0]) - size))]
    while len(sums[-1]) > 1:
        sums.append(sums[-1].reshape(-1, 2).sum(axis=1))
        width.append(width[-1].reshape(-1, 2).sum(axis=1))
    out = [total > limit * deviation * np.sqrt(cells) for total, cells in zip(sums, width, strict=True)]
    for fine, coarse in pairwise(out):
        coarse |= fine.reshape(-1, 2).any(axis=1)
    kept = np.ones(1, bool)
    for own in reversed(out[:-1]):
        seen = np.repeat(own.reshape(-1, 2).any(axis=1), 2)
        kept = np.repeat(kept, 2) & (own | ~seen)
    return kept[:size]
