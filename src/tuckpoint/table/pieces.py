"""The parts of a column's cells that a condition lets through, and places drawn inside them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table.grid import Grid
from tuckpoint.table.restrict import allowed_runs

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_KEY = 2**19  # groups below this share one sort key with 44 random bits


@dataclass(frozen=True)
class Pieces:
    """What a column may still take: runs of steps with their weight, ordered by bin; step -1 is missing."""

    bin: Codes
    first: Codes
    count: Codes
    weight: Floats


def allowed(grid: Grid, bins: Codes, share: Floats, mask: object) -> Pieces:
    """The pieces of a column that a mask lets through; all of them without a mask.

    `bins` (cells,) names each cell's bin, `share` (cells,) its chance within the bin.
    """
    cells = np.arange(grid.size)
    first = np.concatenate([grid.first, np.full(int(grid.missing), -1)])
    count = np.concatenate([grid.count, np.ones(int(grid.missing), np.int64)])
    if callable(mask):
        kept = np.asarray(mask(grid.values(np.where(first < 0, -1, first))), dtype=bool) & ((first < 0) | (count == 1))
        cells, first, part = cells[kept], first[kept], np.ones(int(kept.sum()))
        if grid.field.numeric:
            wide = _cut(grid, mask)
            cells, first, part = (np.concatenate(pair) for pair in zip((cells, first, part), wide, strict=True))
        count = np.where(first < 0, 1, np.rint(part * count[cells])).astype(np.int64)
        weight = share[cells] * part
    else:
        weight = share
    order = np.lexsort((first, bins[cells]))
    return Pieces(bins[cells][order], first[order], count[order], weight[order])


def _cut(grid: Grid, mask: object) -> tuple[Codes, Codes, Floats]:
    """The allowed parts of cells wider than one number: cell, first step and share of the cell's numbers."""
    edges = np.append(grid.first, grid.first[-1] + grid.count[-1])
    runs = allowed_runs(mask, grid.low, grid.low + int(edges[-1]) - 1, grid.field.decimals) - grid.low  # type: ignore[arg-type]
    cuts = np.unique(np.concatenate([edges, runs.ravel()]))
    first, past = cuts[:-1], cuts[1:]
    run = np.searchsorted(runs[:, 0], first, side="right") - 1
    inside = (run >= 0) & (first < runs[run, 1]) if len(runs) else np.zeros(len(first), bool)
    cell = np.searchsorted(grid.first, first, side="right") - 1
    inside &= grid.count[cell] > 1
    return cell[inside], first[inside], (past - first)[inside] / grid.count[cell[inside]]


def place(pieces: Pieces, bins: Codes, stream: np.random.Generator) -> Codes:
    """Draw a step inside each row's bin (n,), -1 for missing."""
    start = np.searchsorted(pieces.bin, bins, side="left")
    stop = np.searchsorted(pieces.bin, bins, side="right")
    running = np.concatenate([[0.0], np.cumsum(pieces.weight)])
    target = running[start] + stream.random(len(bins)) * (running[stop] - running[start])
    at = np.clip(np.searchsorted(running, target, side="right") - 1, start, stop - 1)
    inside = np.minimum(stream.random(len(bins)) * pieces.count[at], pieces.count[at] - 1).astype(np.int64)
    return np.where(pieces.first[at] < 0, -1, pieces.first[at] + inside)


def spread(group: Codes, stream: np.random.Generator) -> Floats:
    """Uniform numbers (n,) in [0, 1) that fill each group evenly: one in each n-th part, in random order.

    Each alone is uniform; together they follow a law more closely than independent ones would.
    """
    if group.max(initial=0) >= _KEY:
        group = np.unique(group, return_inverse=True)[1]
    order = np.argsort((group << 44) | stream.integers(0, 2**44, len(group)))  # one sort of unique keys
    size = np.bincount(group, minlength=1)
    begin = np.cumsum(size) - size
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - begin[group[order]]
    return np.minimum((rank + stream.random(len(group))) / size[group], np.nextafter(1, 0))
