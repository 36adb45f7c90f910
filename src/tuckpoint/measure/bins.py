"""Cuts columns into the few bins that total variation counts in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tuckpoint.table.engine import Array, Encoded, Field

COMMONEST = 30


@dataclass(frozen=True)
class Binning:
    """One column's bins, learnt from real rows: `assign(values)` gives (n,) int64 in 0..size-1."""

    size: int
    assign: Callable[[Array], Array]


def binning(field: Field, real: Array) -> Binning:
    """Deciles for numbers (midpoints if at most ten values), the 30 commonest levels for categories.

    Each has one bin for missing; categories have one pool for rarer levels and one bin for levels that real rows lack.
    """
    return _number_bins(real) if field.numeric else _level_bins(field, real)


def assign(data: Encoded, bins: dict[str, Binning]) -> dict[str, Array]:
    """The bin of each row in each column."""
    return {name: item.assign(data.columns[name]) for name, item in bins.items()}


def _number_bins(real: Array) -> Binning:
    known = real[~np.isnan(real)]
    distinct = np.unique(known)
    if len(distinct) <= 10:
        cuts = (distinct[1:] + distinct[:-1]) / 2
    else:
        cuts = np.unique(np.quantile(known, np.arange(1, 10) / 10))
    missing = len(cuts) + 1

    def place(values: Array) -> Array:
        # A value on a cut falls above it, as in the published figures.
        return np.where(np.isnan(values), missing, np.searchsorted(cuts, values, side="right")).astype(np.int64)

    return Binning(missing + 1, place)


def _level_bins(field: Field, real: Array) -> Binning:
    size = len(field.levels or ())
    counts = np.bincount(real[real >= 0], minlength=size)
    order = np.argsort(-counts, kind="stable")
    seen = order[: np.count_nonzero(counts)]
    kept = len(seen[:COMMONEST])
    pool, unseen, missing = kept, kept + 1, kept + 2
    table = np.full(size + 1, unseen, dtype=np.int64)
    table[seen] = pool
    table[seen[:COMMONEST]] = np.arange(kept)
    table[-1] = missing  # code -1

    def place(values: Array) -> Array:
        return np.asarray(table[values], dtype=np.int64)

    return Binning(missing + 1, place)
