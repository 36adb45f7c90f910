"""The public cells of a column: a fixed way to count its values that depends on the schema alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.restrict import from_steps, to_steps

_STEPS = 2**52  # more distinct numbers than float64 can tell apart cannot be asked for


@dataclass(frozen=True)
class Grid:
    """Cells of one column: `first` (cells,) and `count` (cells,) are steps above `low` for numbers, codes for levels.

    `missing` says that one more cell, the last, stands for missing values.
    """

    field: Field
    low: int
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    missing: bool

    @property
    def size(self) -> int:
        """Number of cells, that for missing values included."""
        return len(self.first) + self.missing

    def code(self, values: Array) -> NDArray[np.int64]:
        """The cell of each value (n,).

        What the schema does not foresee goes to the nearest cell, a missing value that may not be to the first:
        an error here would tell whether such a row exists.
        """
        last = int(self.first[-1] + self.count[-1]) - 1 if len(self.first) else 0
        nothing = self.size - 1 if self.missing else 0
        if not self.field.numeric:
            return np.where(values < 0, nothing, np.minimum(values, last)).astype(np.int64)
        absent = np.isnan(values)
        steps = to_steps(np.where(absent, 0.0, values), self.field.decimals) - self.low
        place = np.clip(np.where(absent, 0.0, steps), 0, last).astype(np.int64)
        cell = np.searchsorted(self.first, place, side="right") - 1
        return np.where(absent, nothing, np.maximum(cell, 0))

    def values(self, steps: NDArray[np.int64]) -> Array:
        """The values at these steps above `low` (n,), -1 for missing."""
        if not self.field.numeric:
            return steps.astype(np.int32)
        return np.where(steps < 0, np.nan, from_steps(steps + self.low, self.field.decimals))


def grid(field: Field, cells: int) -> Grid:
    """Lay cells over the domain of a field: one a level, or about `cells` over low..high.

    A number's smallest and largest value and zero are cells of their own, for there real numbers heap; half of the
    other cells are of equal width and half grow with the distance from zero (or the nearest bound to it).
    """
    if field.levels is not None:
        count = len(field.levels)
        if not count and not field.nullable:
            raise InputError(f'column "{field.name}" has no levels and may not be missing; give it levels')
        return Grid(field, 0, np.arange(count), np.ones(count, np.int64), field.nullable)
    if field.low is None or field.high is None:
        raise InputError(f'column "{field.name}" has no low and high; give both in its domain')
    scale = 10.0**field.decimals
    low, high = int(np.ceil(field.low * scale - 1e-9)), int(np.floor(field.high * scale + 1e-9))
    steps = high - low + 1
    if not 0 < steps <= _STEPS:
        raise InputError(
            f'column "{field.name}": {field.low}..{field.high} with {field.decimals} decimals holds {max(steps, 0)} '
            f"numbers; give 1 to 2**52 (change low, high or decimals)"
        )
    edges = _edges(low, steps, cells)
    return Grid(field, low, edges[:-1], np.diff(edges), field.nullable)


def _edges(low: int, steps: int, cells: int) -> NDArray[np.int64]:
    if steps <= cells:
        return np.arange(steps + 1, dtype=np.int64)
    zero = min(max(-low, 0), steps - 1)
    even = np.ceil(np.linspace(0, steps, cells // 2 + 1))
    reach = np.geomspace(1, steps, cells // 2 + 1)
    grown = np.rint(np.concatenate([zero + reach, zero - reach]))
    special = [0, 1, zero, zero + 1, steps - 1, steps]
    edges = np.unique(np.concatenate([even, grown, special]).astype(np.int64))
    return edges[(edges >= 0) & (edges <= steps)]
