"""A moment that never lies before another is learnt as its distance from that: a stay, not two dates that may cross."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuckpoint.schema import Schema, Steps
from tuckpoint.table import days, steps
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.protect import clipped
from tuckpoint.table.rule import Rule

MOMENTS = ("date", "datetime")
NARROW = 0.9  # a distance is learnt where it spreads at most so much beside the moment itself


@dataclass(frozen=True)
class Span:
    """`column` is `after` plus a distance in days or seconds; `field` is what an engine sees of that distance.

    Where `days` tells on which days the column lies, these alone are counted.
    """

    column: str
    after: str
    field: Field
    days: Steps | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Span:
        """The span that a model stored; raises KeyError or TypeError if it cannot be one."""
        days_ = Steps(**data["days"]) if data.get("days") else None
        return cls(data["column"], data["after"], Field.from_dict(data["field"]), days_)

    def run(self, after: Array, distance: Array) -> Array:
        """The moments (n,) at these distances."""
        if self.days is None:
            return np.asarray(np.round(after + distance, self.field.decimals))
        return np.round(days.lifted(days.flat(after, self.days) + distance, self.days), self.field.decimals)

    def between(self, columns: Mapping[str, Array]) -> Array:
        """The distances (n,) of these moments."""
        return _distance(columns[self.column], columns[self.after], self.field.decimals, self.days)

    def back(self, moment: Array, distance: Array) -> Array:
        """The moments (n,) that these lie at these distances after."""
        if self.days is None:
            return np.asarray(moment - distance)
        return days.lifted(days.flat(moment, self.days) - distance, self.days)


def find(rules: Sequence[Rule], real: Encoded, schema: Schema, *, k: int) -> tuple[Span, ...]:
    """For each moment that an enforced order puts after others, the nearest of those that is there whenever it is.

    Extremes of a distance that fewer than `k` people hold are clipped, like those of any number.
    """
    nearest: dict[str, tuple[float, Span]] = {}
    for rule in rules:
        if rule.kind != "order" or not rule.enforced or rule.detail.get("zero"):
            continue
        first, second = rule.columns
        kinds = {schema[name].kind for name in rule.columns}
        if len(kinds) > 1 or not kinds <= set(MOMENTS) or not {first, second} <= set(real.columns):
            continue
        start, end = real.columns[first], real.columns[second]
        present = ~np.isnan(end)
        if present.sum() < k or np.isnan(start[present]).any():
            continue
        on = schema[second].steps
        on = on if days.has(on) else None
        distance = _distance(end, start, real.field(second).decimals, on)
        width = float(np.nanstd(distance))
        if width > NARROW * float(np.nanstd(end)):
            continue
        seen = real.field(second)
        apart_by = steps.find(distance, seen.decimals, "date" if kinds == {"date"} else "duration")
        item = replace(seen, low=None, high=None, provenance="data", steps=apart_by)
        span = Span(second, first, clipped(item, distance, real.person, k)[0], on)
        if second not in nearest or width < nearest[second][0]:
            nearest[second] = (width, span)
    return tuple(span for _, span in nearest.values())


def apart(spans: Sequence[Span], columns: Mapping[str, Array]) -> dict[str, Array]:
    """Columns as an engine sees them: of a moment that has a span its distance."""
    return {**columns, **{span.column: span.between(columns) for span in spans}}


def protected(spans: Sequence[Span], columns: Mapping[str, Array]) -> dict[str, Array]:
    """Columns in which no distance goes beyond what enough people share."""
    return {**columns, **{s.column: np.clip(columns[s.column], s.field.low, s.field.high) for s in spans}}


def anchored(spans: Sequence[Span], drawn: Mapping[str, Array], given: Mapping[str, Array]) -> dict[str, Array]:
    """Drawn columns in which given moments hold: what comes before a given one, and is not given, moves with it."""
    known = dict(given)
    for span in _last_first(spans):
        if span.column in known and span.after not in known:
            known[span.after] = span.back(known[span.column], drawn[span.column])
    by_column = {span.column: span for span in spans}
    out = dict(drawn)
    for name in known:
        if name in by_column and by_column[name].after in known:
            out[name] = by_column[name].between(known)
        elif name in out and name not in by_column:
            out[name] = known[name]
    return out


def _distance(end: Array, start: Array, decimals: int, on: Steps | None) -> Array:
    if on is not None:
        end, start = days.flat(end, on), days.flat(start, on)
    return np.asarray(np.round(end - start, decimals) + 0.0)


def _last_first(spans: Sequence[Span]) -> list[Span]:
    """Spans in an order in which a column comes before what it is after."""
    by_column = {span.column: span for span in spans}

    def depth(span: Span) -> int:
        before = by_column.get(span.after)
        return 0 if before is None else 1 + depth(before)

    return sorted(spans, key=lambda span: (-depth(span), span.column))
