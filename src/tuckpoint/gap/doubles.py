"""Leaks in the user's own split: the same people, twins and near-twins on both sides; outcomes that contradict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tuckpoint.errors import count
from tuckpoint.gap.finding import Leak
from tuckpoint.measure.intervals import wilson
from tuckpoint.table.engine import Array

MOST_COLUMNS = 100  # of which each is left out in turn for near-twins
STEP = 0x9E3779B97F4A7C15  # of splitmix64, between columns
FEWEST = 3  # columns under which rows are alike by chance too often to say anything


@dataclass(frozen=True)
class Twins:
    """Test rows that have a twin among training rows, beside training rows that have one among the others of them.

    `count` of `rows` test rows, `among` of `compared` training rows; with repeated rows within the training side the
    latter is high, and so it should be.
    """

    count: int
    rows: int
    among: int
    compared: int

    @property
    def chance(self) -> int:
        """How many test rows would have a twin by chance."""
        return round(self.among / max(self.compared, 1) * self.rows)

    @property
    def beyond(self) -> bool:
        """Whether there are surely more than by chance: the 95 % intervals of both shares do not touch.

        Twins come in pairs, so a count of them varies up to twice as much as one of single rows; test rows that share
        one training row come together too (both bounds: Poisson counts of rows with the same values).
        """
        if not self.rows or not self.compared:
            return False
        together = 1 + self.rows / self.compared / np.e
        least, _ = wilson(self.count / together, self.rows / together)
        return least > wilson(self.among / 2, self.compared / 2)[1]


def keys(columns: Sequence[Array]) -> Array:
    """A number (n,) uint64 for the values of each row: equal for equal rows, by chance equal once in 2**64 pairs."""
    total = np.zeros(len(columns[0]), dtype=np.uint64)
    for place, column in enumerate(columns):
        total ^= _mixed(column.astype(np.uint64) + np.uint64((place + 1) * STEP % 2**64))
    return total


def _mixed(x: Array) -> Array:
    """The finaliser of splitmix64 (Steele, Lea and Flood 2014), twice, so that neighbours share nothing."""
    for _ in range(2):
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return x


def codes(train: pa.Table, test: pa.Table, names: Sequence[str]) -> tuple[list[Array], list[Array]]:
    """Each column of both tables as numbers of its distinct values as text: (n,) and (m,), equal where values are."""
    first, second = [], []
    for name in names:
        both = pa.chunked_array([_text(train[name]), _text(test[name])])
        found = both.combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        first.append(found[: train.num_rows].astype(np.int64))
        second.append(found[train.num_rows :].astype(np.int64))
    return first, second


def _text(column: pa.ChunkedArray) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        column = column.cast(pa.float64(), safe=False).cast(pa.string())
    flat = column.cast(pa.string()).combine_chunks()
    return (
        flat
        if isinstance(flat, pa.Array)
        else pa.concat_arrays(flat.chunks)
        if flat.num_chunks
        else pa.array([], pa.string())
    )


def twins(train: Array, test: Array) -> Twins:
    """From row keys (n,) and (m,)."""
    sizes = np.unique(train, return_counts=True)[1]
    return Twins(int(np.isin(test, train).sum()), len(test), int(sizes[sizes > 1].sum()), len(train))


def leaks(
    train: pa.Table,
    test: pa.Table,
    names: Sequence[str],
    *,
    group: str | None = None,
) -> list[Leak]:
    """What both sides of a split share that they must not; `names` are the columns that are compared."""
    found = []
    if group is not None and group in test.column_names:
        mine, theirs = ([v for v in side[group].to_pylist() if v is not None] for side in (train, test))
        shared = set(map(str, mine)) & set(map(str, theirs))
        rows = sum(str(v) in shared for v in theirs)
        if shared:
            found.append(
                Leak(
                    "group", f"{count(len(shared), 'value')} of {group} on both sides of the split, with {rows:,} test "
                    "rows; split again by this column, or what is measured is too good", len(shared), True,
                )
            )  # fmt: skip
    names = [name for name in names if name in test.column_names][:MOST_COLUMNS]
    if len(names) < FEWEST or not train.num_rows or not test.num_rows:
        return found
    first, second = codes(train, test, names)
    exact = twins(keys(first), keys(second))
    if exact.beyond:
        found.append(
            Leak(
                "duplicates", f"{exact.count:,} of {exact.rows:,} test rows stand in the training rows word by word "
                f"(by chance {exact.chance:,} would); take them out of one side", exact.count, True,
            )
        )  # fmt: skip
    return found + _near(first, second, names, exact)


def _near(first: Sequence[Array], second: Sequence[Array], names: Sequence[str], exact: Twins) -> list[Leak]:
    """Test rows that differ from a training row in one column only."""
    found = []
    for place, name in enumerate(names):
        left, right = ([c for at, c in enumerate(side) if at != place] for side in (first, second))
        near = twins(keys(left), keys(right))
        if near.beyond and near.count - exact.count > near.chance:
            told = (
                f"{near.count - exact.count:,} of {near.rows:,} test rows differ from a training row in {name} alone "
                f"(by chance {near.chance:,} would be as near); are they the same things, changed?"
            )
            found.append(Leak("near-duplicates", told, near.count - exact.count, False))
    return sorted(found, key=lambda leak: -leak.count)[:3]


def contradictions(table: pa.Table, names: Sequence[str], target: str) -> Leak | None:
    """Rows that are alike in all but the target: no model can be right about all of them."""
    inputs = [name for name in names if name != target]
    if len(inputs) < FEWEST or not table.num_rows:
        return None
    columns, _ = codes(table, table.slice(0, 0), [*inputs, target])
    alike = np.unique(keys(columns[:-1]), return_inverse=True)[1]
    pairs = np.unique(np.stack([alike, columns[-1]]), axis=1)
    several = np.bincount(pairs[0]) > 1
    count = int(several[alike].sum())
    if not count:
        return None
    return Leak(
        "contradictions", f"{count:,} rows are alike in all but {target}; no model can be right about all of them",
        count, False,
    )  # fmt: skip
