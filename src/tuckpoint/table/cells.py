"""Cells of a few columns of few values, in each of which a formula may have an offset of its own: a rate by term."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
FEW = 50  # values of a column that can part rows into cells
GROUPS = 12  # columns that are tried, those of fewest values first
LEAST = 10  # rows of the sample in a cell that has an offset of its own
MOST = 400  # cells
COVERED = 0.95  # share of rows in such cells
TOLD = 0.1  # share of what is unexplained without cells that they may leave
FAR = 4.0  # times the usual rest, as which what is farther counts
HALVED = 0.5  # share of the usual rest that one more column must leave at most


@dataclass(frozen=True)
class Cells:
    """Cells of the columns `groups`, told by the values or codes that stand in `values`, sorted, of each."""

    groups: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]

    @property
    def count(self) -> int:
        """How many cells there are."""
        return int(np.prod([len(known) for known in self.values]))

    def of(self, columns: Mapping[str, Array]) -> NDArray[np.int64]:
        """The cell (n,) of each row, -1 where a value is missing or not one of those."""
        rows = len(columns[self.groups[0]])
        cell, known = np.zeros(rows, np.int64), np.ones(rows, bool)
        for name, listed in zip(self.groups, self.values, strict=True):
            values, places = columns[name].astype(np.float64), np.array(listed)
            place = np.minimum(np.searchsorted(places, values), len(places) - 1)
            known &= places[place] == values
            cell = cell * len(places) + place
        return np.where(known, cell, -1)


def cells_of(names: Sequence[str], seen: Mapping[str, Array]) -> Cells:
    """The cells of these columns, by the values that rows (n,) hold; -1 and NaN are missing."""
    values = [np.unique(seen[name]).astype(np.float64) for name in names]
    known = [
        tuple(map(float, v[~np.isnan(v) & ((v >= 0) | (seen[n].dtype.kind == "f"))]))
        for n, v in zip(names, values, strict=True)
    ]
    return Cells(tuple(names), tuple(known))


def offsets(cell: Array, rest: Array, count: int) -> NDArray[np.float64]:
    """The median rest of each cell (count,); of all where a cell has few rows."""
    out = np.full(count, np.median(rest))
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(count + 1))
    for k in range(count):
        if starts[k + 1] - starts[k] >= LEAST:
            out[k] = np.median(rest[order[starts[k] : starts[k + 1]]])
    return out


def worth(
    groups: Mapping[str, Array], unexplained: Callable[[Array | None], Mapping[str, float]]
) -> dict[Cells, set[str]]:
    """Cells of one column within which others explain nearly all that they do not explain without, and the columns of
    numbers of which that is true, each by its best cells.

    `groups` are columns (n,) of few values; `unexplained(cell)` gives the share of each column's variance that the
    others leave within cells (n,), rows of -1 aside, or without any.
    """
    usual = unexplained(None)
    found: dict[str, tuple[float, Cells]] = {}
    for cells, cell in _tried((), groups, np.ones(len(next(iter(groups.values()))), bool)):
        for name, share in unexplained(cell).items():
            if name in usual and share < usual[name] * found.get(name, (TOLD,))[0]:
                found[name] = share / usual[name], cells
    told: dict[Cells, set[str]] = {}
    for name, (_, cells) in found.items():
        told.setdefault(cells, set()).add(name)
    return told


def finer(cells: Cells | None, groups: Mapping[str, Array], usable: NDArray[np.bool_], rest: Array) -> Cells | None:
    """The same cells parted by one more column, if their offsets halve what is left, `rest`, of the `usable` rows.

    Means are halved, but for what is far away: the medians of rests of two values are 0 for the commoner one.
    """
    far = FAR * float(np.median(np.abs(rest)))
    best, least = None, HALVED * float(np.minimum(np.abs(rest), far).mean())
    for some, cell in _tried(() if cells is None else cells.groups, groups, usable):
        inside = cell >= 0
        left = rest[inside] - offsets(cell[inside], rest[inside], some.count)[cell[inside]]
        if (spread := float(np.minimum(np.abs(left), far).mean())) < least:
            best, least = some, spread
    return best


def _tried(
    known: tuple[str, ...], groups: Mapping[str, Array], usable: NDArray[np.bool_]
) -> Iterator[tuple[Cells, NDArray[np.int64]]]:
    """Cells of these columns and one more, and those of the usable rows, -1 where a cell has few of them."""
    for name in sorted(groups.keys() - set(known), key=lambda name: (len(np.unique(groups[name])), name))[:GROUPS]:
        cells = cells_of((*known, name), groups)
        if not 2 <= cells.count <= MOST:
            continue
        cell = cells.of(groups)[usable]
        counts = np.bincount(cell[cell >= 0], minlength=cells.count)
        cell = np.where((cell >= 0) & (counts[cell] >= LEAST), cell, -1)
        if (cell >= 0).mean() >= COVERED:
            yield cells, cell


def within(cell: NDArray[np.int64], values: Array) -> NDArray[np.float64]:
    """Columns (k, n) less their means in each cell (n,)."""
    counts = np.maximum(np.bincount(cell), 1)
    return np.asarray(np.stack([one - (np.bincount(cell, one) / counts)[cell] for one in values]))
