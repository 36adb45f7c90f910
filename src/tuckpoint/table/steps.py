"""Steps of a column: times at whole minutes, amounts in hundreds. They are found, and made values are put on them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint.schema import MOMENTS, Kind, Steps
from tuckpoint.seed import Seed
from tuckpoint.table import days
from tuckpoint.table.decode import EXACT
from tuckpoint.table.engine import Array, Encoded, Field

LEAST_SHARE = 0.9  # of the rows that lie on a heap
LEAST_PART = 0.8  # of each part of them by value: where only small values leave the heap, they must not become zero
PARTS, PART_ROWS = 20, 50  # such parts at most, and rows of one at least
MOST_DECIMALS = 4  # more are a computer's digits, not a person's
BITS = 20.0  # of evidence against chance: one in a million
FEW, MANY = 5, 20  # distinct values from which on a usual, and any, step is believed
PROBE = 1000  # rows that tell at once that there is no step
CLOSED = 4  # hours in a row of which nobody has a time
STRAY = 0.001  # share of rows that may lie in them
HOUR, DAY = 3600, 86_400
_CLOCK = (1, 5, 10, 15, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400)  # seconds
_LEADS = (10, 20, 25, 50)  # of usual steps, times powers of ten, in the last decimal


def find(values: NDArray[np.float64], decimals: int, kind: Kind) -> Steps | None:
    """What all values (n,) are multiples of, and coarser what nearly all are, beyond chance; None without either.

    A step stands when the distinct values would all be its multiples by chance once in a million times; a heap when 90
    % of the rows lie on it, 80 % in each twentieth of them by value, and so many distinct values would not by chance.
    Hours of the day stand when four or more in a row are empty, but for fewer than five rows each; days as in `days`.
    """
    present = values[~np.isnan(values)]
    hours = _hours(present) if kind == "datetime" else None
    found = _multiples(present, decimals, kind)
    on = days.find(present, kind)
    if on is not None and (found is None or found.step is None or on.month_day is not None or found.step % 7):
        found = replace(on, **_told(found))
    return found if hours is None else replace(found or Steps(), opens=hours[0], closes=hours[1])


def _told(steps: Steps | None) -> dict[str, Any]:
    """What steps say of multiples."""
    if steps is None:
        return {}
    told = {name: getattr(steps, name) for name in ("step", "heap", "share", "origin")}
    return {name: value for name, value in told.items() if value is not None}


def _multiples(present: NDArray[np.float64], decimals: int, kind: Kind) -> Steps | None:
    """The step and the heap of values (n,) none of which is missing."""
    if len(present) < FEW or decimals > MOST_DECIMALS or np.abs(present).max() * 10.0**decimals >= EXACT / 4:
        return None
    usual = _usual(kind, decimals)
    if not _promising(present[:: max(1, len(present) // PROBE)], decimals, usual):
        return None
    ticks = np.rint(present * 10.0**decimals).astype(np.int64)
    distinct = np.unique(ticks)
    step, origin = _shared(distinct, usual)
    heap, share = _heaped(ticks, distinct, step, usual)
    if step == 1 and heap == 0:
        return None
    scale = 10.0**decimals
    return Steps(
        step=step / scale if step > 1 else None,
        heap=heap / scale if heap else None,
        share=share if heap else None,
        origin=origin / scale if step > 1 else 0.0,
    )


def placed(
    fields: Sequence[Field], columns: Mapping[str, Array], seed: Seed, *, heap: bool = True, keep: Collection[str] = ()
) -> dict[str, Array]:
    """Drawn columns (rows,) on the steps of their fields; those named in `keep` stay as they are.

    Values come to lie on a heap until its share is reached, which of them is drawn; without `heap` none is moved there.
    """
    out = dict(columns)
    for field in fields:
        steps = field.steps
        if steps is None or field.name in keep or not len(out[field.name]):
            continue
        values = out[field.name]
        if steps.opens is not None and steps.closes is not None:
            values = _in_hours(values, steps.opens, steps.closes, field)
        if heap and steps.heap is not None and steps.share is not None:
            near = _nearest(values, steps.heap, 0.0, field)
            lies = float(np.mean((near == values)[~np.isnan(values)])) if not np.isnan(values).all() else 1.0
            chance = (steps.share - lies) / (1 - lies) if lies < steps.share else 0.0
            moved = seed.child(field.name).numpy().random(len(values)) < chance
            values = np.where(moved, near, values)
        if steps.step is not None:
            near = _nearest(values, steps.step, steps.origin, field)
            past = _closed(near, steps) & ~_closed(values, steps)  # the step after the last of a day
            values = np.where(past, near - steps.step, near)
        values = days.placed(values, field, seed)
        out[field.name] = values
    return out


class Book(Protocol):
    """What makes all columns of a table from the free ones."""

    @property
    def free(self) -> tuple[Field, ...]:
        """The columns that are drawn."""
        ...

    def construct(self, columns: Mapping[str, Array], rows: int) -> dict[str, Array]:
        """All columns (rows,)."""
        ...


def settled(
    book: Book, drawn: Encoded, seed: Seed, judge: Callable[[Mapping[str, Array]], NDArray[np.bool_]]
) -> tuple[dict[str, Array], NDArray[np.bool_]]:
    """All columns that a book makes from drawn ones put on their steps, and which rows are judged good.

    A row that is bad because a value was moved to a heap keeps that value where it was.
    """
    columns = book.construct(placed(book.free, drawn.columns, seed), drawn.rows)
    good = judge(columns)
    if good.all() or not any(field.steps is not None and field.steps.heap for field in book.free):
        return columns, good
    loose = book.construct(placed(book.free, drawn.columns, seed, heap=False), drawn.rows)
    saved = ~good & judge(loose)
    return {name: np.where(saved, loose[name], values) for name, values in columns.items()}, good | saved


def _closed(values: Array, steps: Steps) -> NDArray[np.bool_]:
    """Which moments lie outside the hours."""
    if steps.opens is None or steps.closes is None:
        return np.zeros(len(values), bool)
    return np.asarray((values - steps.opens) % DAY >= steps.closes - steps.opens)


def _in_hours(values: Array, opens: float, closes: float, field: Field) -> Array:
    """Moments of which those outside the hours are moved into those before or after, whichever are nearer, evenly."""
    low = -np.inf if field.low is None else field.low
    high = np.inf if field.high is None else field.high
    since, width = (values - opens) % DAY, closes - opens
    late = (since - width) / max(DAY - width, 1e-9)  # 0..1 between closing and the next opening
    inside = np.where(late < 0.5, 2 * late * width, DAY + (2 * late - 1) * width)
    moved = np.round(values - since + inside, field.decimals)
    return np.where((since >= width) & (moved >= low) & (moved <= high), moved, values)


def _hours(present: NDArray[np.float64]) -> tuple[float, float] | None:
    """When the day opens and closes, in seconds, whole hours: the longest run of empty hours lies outside."""
    counts = np.bincount((present % DAY // HOUR).astype(np.int64), minlength=24)
    if not counts.any():
        return None
    empty = np.append(counts < FEW, counts < FEW)
    runs = np.zeros(49, np.int64)  # how many empty hours end before each
    for hour in range(48):
        runs[hour + 1] = runs[hour] + 1 if empty[hour] else 0
    closed = int(min(runs.max(), 23))
    opens = int(np.argmax(runs)) % 24
    left = counts[[(opens - 1 - back) % 24 for back in range(closed)]].sum()
    if closed < CLOSED or left > STRAY * len(present) or -len(present) * np.log2(1 - closed / 24) - 5 < BITS:
        return None
    return float(opens * HOUR), float((opens + 24 - closed) * HOUR)


def _nearest(values: Array, step: float, origin: float, field: Field) -> Array:
    """The nearest multiples of the step inside the field's range; the values themselves where it holds none."""
    low = -np.inf if field.low is None else field.low
    high = np.inf if field.high is None else field.high
    half = 10.0**-field.decimals / 4  # what a bound may lack in its last digits
    least, most = np.ceil((low - origin - half) / step), np.floor((high - origin + half) / step)
    place = np.minimum(np.maximum(np.rint((values - origin) / step), least), most)
    near = np.round(place * step + origin, field.decimals) + 0.0
    return np.where((near >= low - half) & (near <= high + half), near, values)


def _usual(kind: Kind, decimals: int) -> tuple[int, ...]:
    """Steps that people use, in ticks of the last decimal, coarse to fine."""
    if kind == "date":
        return ()
    unit = 10**decimals
    if kind in MOMENTS:
        return tuple(unit * step for step in reversed(_CLOCK) if unit * step > 1)
    steps = {lead * 10**power // 10 for power in range(13) for lead in _LEADS}
    return tuple(sorted((s for s in steps if s > 1), reverse=True))


def _promising(values: Array, decimals: int, usual: Sequence[int]) -> bool:
    """Whether a few rows leave room for a step or a heap."""
    ticks = np.unique(np.rint(values * 10.0**decimals).astype(np.int64), return_counts=True)
    if np.gcd.reduce(ticks[0] - ticks[0][0]) != 1:
        return True
    return any(ticks[1][ticks[0] % step == 0].sum() > (LEAST_SHARE - 0.1) * len(values) for step in usual)


def _shared(distinct: NDArray[np.int64], usual: Sequence[int]) -> tuple[int, int]:
    """The greatest step that all values share, and the least value from zero that lies on it; 1 and 0 without one."""
    step = int(np.gcd.reduce(distinct - distinct[0]))
    if step <= 1:
        return 1, 0
    if len(distinct) < MANY:
        zero = int(np.gcd.reduce(distinct))
        step = next((one for one in usual if zero % one == 0), 1)
    if len(distinct) < FEW or (len(distinct) - 1) * np.log2(step) < BITS:
        return 1, 0
    return step, int(distinct[0] % step)


def _heaped(
    ticks: NDArray[np.int64], distinct: NDArray[np.int64], step: int, usual: Sequence[int]
) -> tuple[int, float]:
    """The coarsest usual step on which nearly all rows lie, and their share; 0 without one."""
    for heap in usual:
        if heap <= step or heap % step:
            continue
        on = ticks % heap == 0
        share = float(on.mean())
        if not LEAST_SHARE <= share < 1:
            continue
        whole = distinct % heap == 0
        if whole.sum() < FEW or _evidence(float(whole.mean()), step / heap) * len(distinct) < BITS:
            continue
        parts = np.array_split(on[np.argsort(ticks, kind="stable")], int(np.clip(len(on) // PART_ROWS, 1, PARTS)))
        if min(part.mean() for part in parts) >= LEAST_PART:
            return heap, round(share, 4)
    return 0, 0.0


def _evidence(share: float, chance: float) -> float:
    """Bits a value (Chernoff) by which a share above chance speaks against it."""
    if share <= chance:
        return 0.0
    rest = (1 - share) * np.log2((1 - share) / (1 - chance)) if share < 1 else 0.0
    return float(share * np.log2(share / chance) + rest)
