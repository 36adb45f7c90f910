"""The counts behind the report's pictures: each column real beside made, and each pair's distance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np

from tuckpoint.measure.evaluation import ColumnView, PairView
from tuckpoint.measure.fidelity import Distances
from tuckpoint.schema import Kind
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.protect import LEAST_PEOPLE, people_of

BARS = 20
MOST_LEVELS = 12


def column_views(real: Encoded, made: Encoded, found: Distances, kinds: Mapping[str, Kind]) -> tuple[ColumnView, ...]:
    """One view per column: at most 20 bins of equal width (ends open), or the 12 commonest levels and the rest."""
    views = []
    for j, subject in enumerate(found.subjects):
        name = subject[0]
        field, kind = real.field(name), kinds[name]
        draw = _number_bars if field.numeric else _level_bars
        labels, shares = draw(field, kind, (real.columns[name], made.columns[name]), real.person)
        keep = [i for i in range(len(labels)) if any(share[i] > 0 for share in shares)]
        reference = None if found.holdout is None else float(found.holdout[j])
        bars = [tuple(float(share[i]) for i in keep) for share in shares]
        kept = tuple(labels[i] for i in keep)
        views.append(ColumnView(name, kind, kept, bars[0], bars[1], float(found.made[j]), reference))
    return tuple(views)


def pair_views(found: Distances) -> tuple[PairView, ...]:
    """One view per measured pair."""
    return tuple(
        PairView(first, second, float(found.made[j]), None if found.holdout is None else float(found.holdout[j]))
        for j, (first, second) in enumerate(found.subjects)
    )


def _number_bars(
    field: Field, kind: Kind, sides: tuple[Array, Array], person: Array | None
) -> tuple[list[str], list[Array]]:
    known = sides[0][~np.isnan(sides[0])]
    distinct = np.unique(known)
    if len(distinct) <= BARS:
        cuts = (distinct[1:] + distinct[:-1]) / 2
        few = _held_by_few(np.searchsorted(distinct, known), len(distinct), person, ~np.isnan(sides[0]))
        written = [_written(value, kind, field.decimals) for value in distinct]
        labels = ["(of few people)" if alone else label for label, alone in zip(written, few, strict=True)]
    else:
        low, high = np.quantile(known, [0.005, 0.995])
        if low == high:
            low, high = distinct[0], distinct[-1]
        cuts = np.linspace(low, high, BARS + 1)[1:-1]
        if field.decimals == 0 and kind != "decimal":
            cuts = np.unique(np.floor(cuts) + 0.5)
        edges = [_written(np.floor(cut) if field.decimals == 0 else cut, kind, field.decimals) for cut in cuts]
        inner = [f"{a} to {b}" for a, b in pairwise(edges)]
        labels = [f"up to {edges[0]}", *inner, f"over {edges[-1]}"]
    places = [np.where(np.isnan(s), len(cuts) + 1, np.searchsorted(cuts, s, side="left")) for s in sides]
    shares = [np.bincount(place, minlength=len(cuts) + 2) / len(place) for place in places]
    return [*labels, "(missing)"], shares


def _held_by_few(which: Array, values: int, person: Array | None, present: Array) -> Array:
    """Which values fewer than five people hold, where a person has several rows; how many rows hold them is told."""
    if person is None:
        return np.zeros(values, bool)
    return people_of(which, values, person[present]) < LEAST_PEOPLE


def _level_bars(
    field: Field, kind: Kind, sides: tuple[Array, Array], person: Array | None
) -> tuple[list[str], list[Array]]:
    levels = field.levels or ()
    seen = sides[0] >= 0
    counts = np.bincount(sides[0][seen], minlength=len(levels))
    few = _held_by_few(sides[0][seen], len(levels), person, seen)
    order = np.argsort(np.where(few, 0, -counts), kind="stable")
    shown = order[: min(MOST_LEVELS, len(levels) - int(few.sum()))]
    shown = np.sort(shown) if field.ordered else shown
    unseen, rest = len(levels) - 1, [i for i in order[len(shown) :] if i != len(levels) - 1]
    shown = shown[shown != unseen]
    shares = []
    for side in sides:
        share = np.bincount(side[side >= 0], minlength=len(levels)) / len(side)
        shares.append(np.array([*share[shown], share[rest].sum(), share[unseen], np.mean(side < 0)]))
    names = [levels[i] for i in shown]
    return [*names, f"(other {len(rest)})", levels[unseen], "(missing)"], shares


def _written(value: float, kind: Kind, decimals: int) -> str:
    try:
        if kind in ("date", "datetime"):
            step = timedelta(days=value) if kind == "date" else timedelta(seconds=value)
            moment = datetime(1970, 1, 1, tzinfo=UTC) + step
            return moment.strftime("%Y-%m-%d") if kind == "date" else moment.strftime("%Y-%m-%d %H:%M")
    except OverflowError:
        pass
    return f"{value:.{min(decimals, 3)}f}" if abs(value) < 1e15 and decimals else f"{value:.6g}"
