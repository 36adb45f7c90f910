"""Columns that follow from a moment by the calendar, found in real rows: its date, year, weekday, name of the month."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tuckpoint.errors import SchemaError
from tuckpoint.schema import Column, Schema
from tuckpoint.table import calendars
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.evidence import FEWEST_PEOPLE, MIN_ROWS, RARE, View, lucky, told, value
from tuckpoint.table.expression import quote
from tuckpoint.table.rule import Rule

MOST_LEVELS = 400  # of a column that a table gives: months of three decades
MOST_RARE = 0.02  # of the rows that may lie in parts which fewer than five people share


def follow(seen: View, pooled: View, schema: Schema | None, without: set[str]) -> list[Rule]:
    """For each column the first moment, and the plainest part of it, that it follows from in every row.

    Numbers and dates may be the part itself; levels, and numbers that count otherwise, come by a table of which each
    entry is held by five people or more.
    """
    if schema is None or seen.table.rows < MIN_ROWS:
        return []
    moments = [schema[item.name] for item in seen.fields if schema[item.name].kind in ("datetime", "date")]
    moments = sorted((column for column in moments if column.name not in without), key=lambda c: c.kind == "date")
    tries = len(moments) * len(seen.fields) * len(calendars.PARTS)
    rules: dict[str, Rule] = {}
    for column in moments:
        parts = _Parts(seen, column)
        for item in pooled.fields:
            if item.name in {column.name, *rules, *without} or schema[item.name].kind in ("datetime", "duration"):
                continue
            rule = _found(seen, pooled, parts, schema[item.name], tries)
            if rule is not None and not _leads_back(rules, *rule.columns):
                rules[item.name] = rule
    return list(rules.values())


class _Parts:
    """The parts of one moment, of the sample and of all rows, computed when asked for."""

    def __init__(self, seen: View, column: Column) -> None:
        self.column = column
        self.sample = seen.sample[:, [item.name for item in seen.fields].index(column.name)]
        self.full = seen.full(column.name)
        self._made: dict[tuple[str, bool], Array] = {}
        self._sorted: dict[tuple[str, bool], tuple[Array, Array]] = {}

    def get(self, name: str, *, whole: bool) -> Array:
        if (name, whole) not in self._made:
            values = self.full if whole else self.sample
            days, zone = self.column.kind == "date", self.column.timezone
            self._made[name, whole] = calendars.part(name, values, days=days, zone=zone)
        return self._made[name, whole]

    def decides(self, name: str, values: Array, *, whole: bool) -> bool:
        """Whether all values (n,) that are not missing are alike wherever this part is the same."""
        if (name, whole) not in self._sorted:
            part = self.get(name, whole=whole)
            order = np.argsort(part, kind="stable")[: len(part) - int(np.isnan(part).sum())]
            starts = np.unique(part[order], return_index=True)[1]
            self._sorted[name, whole] = order, starts
        order, starts = self._sorted[name, whole]
        if len(starts) < 2:
            return False
        held = values[order]
        gone = np.isnan(held)
        least = np.minimum.reduceat(np.where(gone, np.inf, held), starts)
        most = np.maximum.reduceat(np.where(gone, -np.inf, held), starts)
        return bool((least >= most).all())


def _found(seen: View, pooled: View, parts: _Parts, column: Column, tries: int) -> Rule | None:
    item = pooled.table.field(column.name)
    place = [field.name for field in seen.fields].index(column.name)
    for name in _likely(parts.column, column):
        try:
            sample = parts.get(name, whole=False)
        except SchemaError:  # a zone that is not known here
            return None
        if _disagree(sample, seen.sample[:, place]):
            continue
        if item.numeric and (rule := _itself(seen, parts, name, item, tries)) is not None:
            return rule
    if column.kind == "date":
        return None
    for name in (part for part in _by_size(parts.column) if part not in calendars.DATES):
        if parts.decides(name, pooled.sample[:, place], whole=False):
            rule = _by_table(pooled, parts, name, item, tries)
            if rule is not None:
                return rule
    return None


def _likely(moment: Column, column: Column) -> Iterable[str]:
    """The parts of a moment that a column of this kind may be itself."""
    if column.kind not in ("date", "integer"):
        return ()
    return [part for part in calendars.parts_of(moment) if (part in calendars.DATES) == (column.kind == "date")]


def _by_size(moment: Column) -> list[str]:
    """Parts with few values first: what follows from the weekday is not told by the day of the month."""
    order = ("quarter", "weekday", "month", "hour", "day", "week", "year", "year_month")
    return [part for part in order if part in calendars.parts_of(moment)]


def _disagree(part: Array, values: Array) -> bool:
    both = ~np.isnan(part) & ~np.isnan(values)
    return bool(not both.any() or (part[both] != values[both]).any())


def _itself(seen: View, parts: _Parts, name: str, item: Field, tries: int) -> Rule | None:
    part, values = parts.get(name, whole=True), seen.full(item.name)
    if _disagree(part, values):
        return None
    both = ~np.isnan(part) & ~np.isnan(values)
    shares = np.unique(values[both], return_counts=True)[1] / both.sum()
    chance = float(both.sum() * (shares * np.log(shares)).sum()) * seen.independence
    if lucky(chance, tries):
        return None
    text = f"{name}({quote(parts.column.name)}) == {quote(item.name)}"
    return _rule(parts, name, item, text, {}, chance, _missing(part, values))


def _by_table(pooled: View, parts: _Parts, name: str, item: Field, tries: int) -> Rule | None:
    values = pooled.full(item.name)
    if not parts.decides(name, values, whole=True):
        return None
    part = parts.get(name, whole=True)
    both = ~np.isnan(part) & ~np.isnan(values)
    keys, first, inverse = np.unique(part[both], return_index=True, return_inverse=True)
    people = np.arange(len(part)) if pooled.table.person is None else np.asarray(pooled.table.person)
    sizes = np.bincount(np.unique(np.stack([inverse, people[both]]), axis=1)[0], minlength=len(keys))
    listed, images = sizes >= FEWEST_PEOPLE, values[both][first]
    rare = item.levels.index(RARE) if item.levels is not None and RARE in item.levels else -1
    unlike = ~listed[inverse] & (images[inverse] != rare)
    if listed.sum() > MOST_LEVELS or unlike.mean() > MOST_RARE or len(np.unique(images[listed])) < 2:
        return None
    shares = np.unique(values[both], return_counts=True)[1] / both.sum()
    chance = float(np.log((shares[None, :] ** sizes[:, None]).sum(axis=1) + 1e-300).sum())
    if lucky(chance, tries):
        return None
    text = f"{name}({quote(parts.column.name)}) -> {quote(item.name)}"
    table = {"from": keys[listed].tolist(), "to": [value(item, image) for image in images[listed]]}
    return _rule(parts, name, item, text, table, chance, _missing(part, values))


def _missing(part: Array, values: Array) -> dict[str, bool]:
    """How missing values go: together, or the column is there whenever the moment is, or on its own."""
    there = ~np.isnan(part)
    if (there == ~np.isnan(values)).all():
        return {}
    return {"partial": True, "fills": not bool(np.isnan(values[there]).any())}


def _rule(
    parts: _Parts, name: str, item: Field, text: str, table: dict[str, list[object]], chance: float,
    gone: dict[str, bool],
) -> Rule:  # fmt: skip
    column = parts.column
    detail = {"part": name, "days": column.kind == "date", "zone": column.timezone, **table, **gone}
    evidence = told(1.0, len(parts.full), chance, enforced=True)
    return Rule("calendar", (column.name, item.name), text, detail=detail, **evidence)


def _leads_back(rules: dict[str, Rule], source: str, target: str) -> bool:
    """Whether the moment itself follows from the column."""
    while source in rules:
        source = rules[source].columns[0]
        if source == target:
            return True
    return False
