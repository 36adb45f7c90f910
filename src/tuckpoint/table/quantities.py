"""Columns of numbers: integers, decimals, and whole numbers that are keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuckpoint.schema import Column, Domain
from tuckpoint.table import patterns
from tuckpoint.table.decode import EXACT, storage_type

TINY = 20  # rows below which shares mean nothing
FAR, FEW = 3, 5  # widths of all other values that one lies off, and rows that hold it
HIGH = 100_000  # where numbers in a row are no years and no days of a spreadsheet
MANY, MANY_SHARE = 100, 0.02  # keys, and of the rows, above which they are no levels of a category


def nothing(name: str, kind: pa.DataType, note: str = "") -> Column:
    """A column without a single value."""
    note = note or "every value is missing: nothing to learn, made missing again"
    return Column(name, "text", str(kind), True, pattern="missing", note=note)


def counted(values: NDArray[Any], decimals: int, column: Column, *, rows: int, cells: int) -> Column:
    """The column with the kind, domain and decimals that its values have, or as keys.

    `values` are none missing, each at least once; `cells` is how many of the `rows` hold one.
    """
    low, high = values.min(), values.max()
    if decimals == 0 and _is_key(values, column.name, rows, cells):
        start, note = key_start(int(low), int(high), column.storage)
        return replace(column, kind="identifier", pattern=f"key:{start}", note=note)
    kind = storage_type(column.storage)
    whole = pa.types.is_integer(kind) or (pa.types.is_decimal(kind) and kind.scale <= 0)
    if max(abs(float(low)), abs(float(high))) > EXACT and decimals == 0 and whole:
        note = "whole numbers beyond 2^53 cannot be modelled exactly: taken for keys"
        return replace(column, kind="identifier", pattern="key:1", note=note)
    return replace(
        column,
        kind="integer" if decimals == 0 else "decimal",
        decimals=None if decimals == 0 else decimals,
        domain=Domain(low=float(low), high=float(high)),
    )


def _is_key(values: NDArray[Any], name: str, rows: int, cells: int) -> bool:
    """Whether whole numbers are keys: all different and called one, or an unbroken sequence from 0, 1 or a high number.

    Keys of another table repeat: they are called one and are more than levels would be.
    """
    different = len(np.unique(values))
    if different < cells * 0.9:
        return patterns.names_a_key(name) and different > max(MANY, MANY_SHARE * cells)
    if patterns.names_an_id(name) and (different == rows or rows >= TINY):
        return True
    unbroken = different == rows and float(values.max()) - float(values.min()) == rows - 1
    starts = values.min() in (0, 1) or values.min() >= HIGH
    return bool(rows >= TINY and unbroken and starts and not patterns.names_a_rank(name))


def key_start(low: int, high: int, storage: str) -> tuple[int, str]:
    """A first new key above all real ones that tells nothing but their number of digits."""
    start = 10 ** len(str(max(abs(low), abs(high)))) + 1
    if start <= largest_key(storage) // 2:
        return start, ""
    return 1, f"new keys count from 1 and may meet old ones: {storage} has no room above those"


def largest_key(storage: str) -> int:
    """The largest whole number up to which a storage type holds every one."""
    kind = storage_type(storage)
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if pa.types.is_integer(kind):
        return int(np.iinfo(kind.to_pandas_dtype()).max)
    if pa.types.is_floating(kind):
        return int(2 ** {16: 11, 32: 24, 64: 53}[kind.bit_width])
    widest = int(np.iinfo(np.uint64).max)
    return min(widest, int(10 ** (kind.precision - kind.scale)) - 1) if pa.types.is_decimal(kind) else widest


def far_off(values: NDArray[np.float64]) -> tuple[float, int] | None:
    """A value that many rows (n,) hold far from all others, as one that stands for a missing one may be; and how many.

    The outermost of up to three that lie off together, such as 98 and 99 beside answers from 1 to 5.
    """
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    for side in (slice(None), slice(None, None, -1)):
        ends, held = distinct[side], counts[side]
        for off in range(1, min(3, len(ends) - FEW) + 1):
            width, gap = abs(ends[-1] - ends[off]), abs(ends[off] - ends[off - 1])
            if gap > FAR * width and held[:off].min() >= FEW:
                return float(ends[0]), int(held[0])
    return None


def fraction(ticks: NDArray[np.int64], per_second: int) -> int | None:
    """Decimals of a second that reproduce the ticks, at most 6; None for whole seconds."""
    steps = (d for d in range(7) if 10**d >= per_second or not (ticks % (per_second // 10**d)).any())
    return next(steps, 6) or None


def range_of(values: NDArray[np.float64]) -> Domain:
    """From the least to the largest value that is not NaN."""
    return Domain(low=float(np.nanmin(values)), high=float(np.nanmax(values)))
