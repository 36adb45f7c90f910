"""From noisy counts to tables that can be true: nothing here sees real rows, so nothing here costs privacy."""

from __future__ import annotations

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
