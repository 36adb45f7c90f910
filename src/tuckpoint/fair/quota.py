"""Whole numbers of rows: shares by largest remainders, and positives that make every cell's rate one rate."""

from __future__ import annotations

import numpy as np

from tuckpoint.table.engine import Array


def largest_remainders(shares: Array, rows: int) -> Array:
    """Whole counts (c,) that add up to rows: floors, then one more where the remainder is largest (Hamilton's method).

    No count is further than one row from its share; of equal remainders the first wins.
    """
    exact = shares / shares.sum() * rows
    counts = np.floor(exact + 1e-9).astype(np.int64)
    first = np.argsort(-(exact - counts), kind="stable")[: rows - int(counts.sum())]
    counts[first] += 1
    return np.asarray(counts)


def positives(rows: Array, total: int) -> Array:
    """Positive rows (c,) of cells with `rows` (c,) rows, adding up to total, each rate as near total / rows as can be.

    Each cell takes the nearest whole number; what that leaves over goes, one by one, where it moves a rate least, which
    is a large cell.
    """
    rate = total / rows.sum()
    counts = np.floor(rate * rows + 0.5).astype(np.int64)
    while (left := total - int(counts.sum())) != 0:
        step = 1 if left > 0 else -1
        moved = counts + step
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where((moved < 0) | (moved > rows) | (rows == 0), np.inf, np.abs(moved / rows - rate))
        counts[int(np.argmin(error))] += step
    return np.asarray(counts)
