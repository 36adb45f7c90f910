"""Cuts columns of training rows and reference into the same few parts, each with its condition in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from tuckpoint.schema import Column, Schema
from tuckpoint.table.engine import Array, Encoded, Field

BINS = 8  # quantile bins of a number
SINGLE = 10  # so many distinct numbers or fewer stand for themselves
LEVELS = 30  # levels of a category; rarer ones are one part
RARE = 30  # rows of both tables together under which a level is rare
NAMED = 12  # rare levels that a condition names; a pool of more has no condition


@dataclass(frozen=True)
class Parts:
    """One column in parts: codes of training rows (n,) and of the reference (m,) into `where`, the condition of each.

    A part without words (None) holds what no condition names; it is counted and never reported.
    """

    name: str
    where: tuple[str | None, ...]
    train: Array
    reference: Array
    cuts: tuple[str, ...] = ()  # between ranges, which are then the first parts


def parts(train: Encoded, reference: Encoded, schema: Schema) -> list[Parts]:
    """All columns that both tables have, in parts; levels that both together hold too rarely are pooled.

    Cuts are quantiles of an even
    mixture of both tables, so that neither a large table nor a depleted one hides what the other holds.
    """
    found = []
    for field in reference.fields:
        first, second = train.columns[field.name], reference.columns[field.name]
        column = schema[field.name]
        if field.numeric:
            found.append(_number(column, first, second))
        else:
            found.append(_levels(field, column, first, second))
    return found


def _number(column: Column, train: Array, reference: Array) -> Parts:
    held, said = [side[~np.isnan(side)] for side in (train, reference)], tuple[str, ...]()
    distinct = np.unique(np.concatenate(held))
    if len(distinct) <= SINGLE:
        where: list[str | None] = [f"{spelt(column.name)} == {value(column, v)}" for v in distinct]
        codes = [np.searchsorted(distinct, side) for side in (train, reference)]
    else:
        cuts = _cuts([side for side in held if len(side)])
        said = tuple(value(column, cut) for cut in cuts)
        where = [ranged(spelt(column.name), said, at, at) for at in range(len(said) + 1)]
        codes = [np.searchsorted(cuts, side, side="right") for side in (train, reference)]
    where.append(f"missing({spelt(column.name)})")
    first, second = (
        np.where(np.isnan(side), len(where) - 1, code).astype(np.int64)
        for side, code in zip((train, reference), codes, strict=True)
    )
    return Parts(column.name, tuple(where), first, second, said)


def _cuts(sides: Sequence[Array]) -> Array:
    """Values at which an even mixture of the sides has its inner quantiles."""
    values = np.concatenate(sides)
    weights = np.concatenate([np.full(len(side), 1 / len(side)) for side in sides])
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    at = np.searchsorted(share, np.arange(1, BINS) / BINS)
    return np.unique(values[order][np.minimum(at, len(values) - 1)])


def ranged(name: str, cuts: Sequence[str], first: int, last: int) -> str:
    """The condition of the ranges from the first to the last, which are not all of them."""
    if not first:
        return f"{name} < {cuts[last]}"
    return f"{name} >= {cuts[first - 1]}" if last == len(cuts) else f"{cuts[first - 1]} <= {name} < {cuts[last]}"


def _levels(field: Field, column: Column, train: Array, reference: Array) -> Parts:
    size = len(field.levels or ())  # the last level is of values that the reference lacks
    counts = np.bincount(train[train >= 0], minlength=size) + np.bincount(reference[reference >= 0], minlength=size)
    order = np.argsort(-counts[: size - 1], kind="stable")
    kept = [int(level) for level in order if counts[level] >= RARE][:LEVELS]
    rare = [int(level) for level in order if int(level) not in set(kept)]
    names = [(field.levels or ())[level] for level in (*kept, *rare)]
    said = [quoted(column, name) for name in names]
    where: list[str | None] = [f"{spelt(column.name)} == {one}" for one in said[: len(kept)]]
    pool = said[len(kept) :]
    if len(pool) == 1:
        where.append(f"{spelt(column.name)} == {pool[0]}")
    else:
        where.append(f"{spelt(column.name)} in [{', '.join(pool)}]" if 1 < len(pool) <= NAMED else None)
    where += [None, f"missing({spelt(column.name)})"]
    table = np.full(size + 1, len(kept), dtype=np.int64)
    table[kept] = np.arange(len(kept))
    table[size - 1], table[-1] = len(kept) + 1, len(kept) + 2
    return Parts(column.name, tuple(where), table[train], table[reference])


def spelt(name: str) -> str:
    """A column's name as a condition spells it."""
    return name if name.isidentifier() else f"`{name}`"


def quoted(column: Column, level: str) -> str:
    """A level as a condition spells it."""
    if column.kind in ("integer", "decimal"):
        return level
    if column.kind == "boolean" and level.lower() in ("true", "false"):
        return level.capitalize()
    return '"' + level.replace("\\", "\\\\").replace('"', '\\"') + '"'


def value(column: Column, number: float) -> str:
    """A number, or a moment in the column's unit, as a condition spells it."""
    if column.kind == "date":
        return f'"{(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=float(number))).date().isoformat()}"'
    if column.kind == "datetime":
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(number))
        return f'"{moment.replace(tzinfo=None).isoformat(timespec="seconds")}"'
    return str(int(number)) if float(number).is_integer() else repr(float(number))
