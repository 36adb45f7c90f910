"""Knobs in parts: columns of any table cut into levels and ranges, each with its condition in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tuckpoint.schema import Column, Schema
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.expression import quote

BINS = 5
SINGLE = 6  # so many distinct numbers or fewer stand for themselves
LEVELS = 12
RARE = 20  # rows under which a level is not told


@dataclass(frozen=True)
class Knob:
    """A column in parts: the condition of each (None: no words for it), and the cuts between ranges of a number."""

    name: str
    where: tuple[str | None, ...]
    cuts: tuple[float, ...] = ()
    values: tuple[float, ...] = ()  # of levels: their codes, or the single numbers

    @property
    def numeric(self) -> bool:
        """Whether its parts follow one another."""
        return bool(self.cuts)

    def below(self, place: int) -> str:
        """All up to a cut."""
        return f"{quote(self.name)} < {_number(self.cuts[place])}"

    def above(self, place: int) -> str:
        """All from a cut."""
        return f"{quote(self.name)} >= {_number(self.cuts[place])}"

    def codes(self, data: Encoded) -> Array:
        """The part (n,) that each row of a table is in, -1 for none."""
        column = data.columns[self.name].astype(float)
        if self.cuts:
            return np.where(np.isnan(column), -1, np.searchsorted(self.cuts, column, side="right"))
        found = np.full(len(column), -1)
        for place, value in enumerate(self.values):
            found[column == value] = place
        return found


def knobs(data: Encoded, schema: Schema, without: str) -> list[Knob]:
    """All columns but the target that vary and can be said in words: levels, and numbers in five quantile bins."""
    found = []
    for one in data.fields:
        if one.name == without:
            continue
        column, kind = data.columns[one.name], schema[one.name]
        if one.numeric and kind.kind in ("integer", "decimal"):
            found.append(_ranged(one.name, column))
        elif not one.numeric:
            found.append(_levelled(one, column, kind))
    return [knob for knob in found if knob is not None]


def _ranged(name: str, column: Array) -> Knob | None:
    held = column[~np.isnan(column)]
    distinct = np.unique(held)
    if len(distinct) < 2:
        return None
    if len(distinct) <= SINGLE:
        where = tuple(f"{quote(name)} == {_number(value)}" for value in distinct)
        return Knob(name, where, values=tuple(map(float, distinct)))
    quantiles = np.unique(np.quantile(held, np.arange(1, BINS) / BINS, method="higher"))
    cuts = tuple(float(cut) for cut in quantiles if cut > distinct[0])
    said = [_number(cut) for cut in cuts]
    middle = [f"{low} <= {quote(name)} < {high}" for low, high in pairwise(said)]
    return Knob(name, (f"{quote(name)} < {said[0]}", *middle, f"{quote(name)} >= {said[-1]}"), cuts)


def _levelled(field: Field, column: Array, kind: Column) -> Knob | None:
    counts = np.bincount(column[column >= 0], minlength=len(field.levels or ()))
    kept = [int(level) for level in np.argsort(-counts, kind="stable") if counts[level] >= RARE][:LEVELS]
    if len(kept) < 2:
        return None
    where = [f"{quote(field.name)} == {_level(kind, (field.levels or ())[level])}" for level in sorted(kept)]
    return Knob(field.name, tuple(where), values=tuple(map(float, sorted(kept))))


def _level(column: Column, level: str) -> str:
    if column.kind in ("integer", "decimal"):
        return level
    if column.kind == "boolean" and level.lower() in ("true", "false"):
        return level.capitalize()
    return '"' + level.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def named(found: Sequence[Knob], wanted: Sequence[str]) -> list[Knob]:
    """Those of these names; all, if none is named."""
    return [knob for knob in found if not wanted or knob.name in wanted]
