"""Days on which a column's moments lie: weekdays alone, the first or the last of each month. Found, counted, kept.

Days that are allowed are numbered, so that a distance is one in such days, and any other day has the next of them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tuckpoint.schema import Kind, Steps
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Field

Numbers = NDArray[np.float64]
DAY = 86_400.0
BITS = 20.0  # of evidence against chance: one in a million
FEW = 5  # rows that each weekday holds at least
STRAY = 0.001  # share of rows that may lie on others
PERIODS = (12, 6, 4, 3, 2)  # months of a year, a half, a third, a quarter, a pair
WEEK = 7
LAST = 28  # day that every month has


def find(present: Numbers, kind: Kind) -> Steps | None:
    """The days on which all moments (n,) lie beyond chance, once in a million times; None without such."""
    if kind not in ("date", "datetime") or len(present) < FEW:
        return None
    day = 1.0 if kind == "date" else DAY
    days = np.floor(present / day).astype(np.int64)
    found = _of_month(np.unique(days)) or _of_week(days)
    return None if found is None else replace(found, day=day)


def has(steps: Steps | None) -> bool:
    """Whether steps name days."""
    return steps is not None and (steps.weekdays is not None or steps.month_day is not None)


def flat(values: Array, steps: Steps) -> Array:
    """Moments (n,) with their day's number in place of the day."""
    day = np.floor(values / steps.day)
    number = _number(day, steps)
    return np.asarray(number * steps.day + np.where(_day(number, steps) == day, values - day * steps.day, 0.0))


def lifted(values: Array, steps: Steps) -> Array:
    """The moments (n,) that `flat` numbered."""
    number = np.floor(values / steps.day)
    return np.asarray(_day(number, steps) * steps.day + values - number * steps.day)


def placed(values: Array, field: Field, seed: Seed) -> Array:
    """Moments (n,) on the days of their field: the nearest, or of weekdays any of the week before or after."""
    steps = field.steps
    if steps is None or not has(steps):
        return values
    day = np.floor(values / steps.day)
    after = _number(day, steps)
    late, early = _day(after, steps), _day(after - 1, steps)
    number = np.where(late - day <= day - early, after, after - 1)
    if steps.weekdays is not None:
        held = len(str(steps.weekdays))
        drawn = seed.child(field.name, "days").numpy().integers(held, size=len(values))
        number = np.where(number == after, after + drawn, after - 1 - drawn)
    moved = _day(_inside(number, field, steps), steps)
    return np.where((late == day) | np.isnan(values), values, values + (moved - day) * steps.day)


def _inside(number: Array, field: Field, steps: Steps) -> Array:
    """Numbers of days that lie in a field's range, as near as can be."""
    if field.low is not None:
        number = np.maximum(number, _number(np.ceil(np.array([field.low / steps.day])), steps)[0])
    if field.high is not None:
        number = np.minimum(number, _number(np.floor(np.array([field.high / steps.day])) + 1, steps)[0] - 1)
    return number


def _number(day: Array, steps: Steps) -> Array:
    """The number of the first allowed day that is not before each day (n,), NaN for missing."""
    gone = np.isnan(day)
    at = np.where(gone, 0, day).astype(np.int64)
    if steps.weekdays is not None:
        held = _weekdays(steps)
        week, place = np.divmod(at + 3, WEEK)
        number = week * len(held) + np.searchsorted(held, place)
    else:
        number = (_months(at) - _first(steps)) // (steps.months or 1)
        number += _monthly(number, steps) < at
    return np.where(gone, np.nan, number.astype(np.float64))


def _day(number: Array, steps: Steps) -> Array:
    """The allowed day of each number (n,)."""
    gone = np.isnan(number)
    at = np.where(gone, 0, number).astype(np.int64)
    if steps.weekdays is not None:
        held = _weekdays(steps)
        week, place = np.divmod(at, len(held))
        day = week * WEEK + held[place] - 3
    else:
        day = _monthly(at, steps)
    return np.where(gone, np.nan, day.astype(np.float64))


def _weekdays(steps: Steps) -> NDArray[np.int64]:
    """Allowed weekdays, from Monday 0."""
    return np.array([int(digit) - 1 for digit in str(steps.weekdays)], np.int64)


def _monthly(number: NDArray[np.int64], steps: Steps) -> NDArray[np.int64]:
    month = number * (steps.months or 1) + _first(steps)
    if steps.month_day == -1:
        return _start(month + 1) - 1
    return _start(month) + (steps.month_day or 1) - 1


def _first(steps: Steps) -> int:
    return (steps.month or 1) - 1


def _months(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """Months since January 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _start(month: NDArray[np.int64]) -> NDArray[np.int64]:
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _of_month(distinct: NDArray[np.int64]) -> Steps | None:
    """One day of the month, and the months, of all distinct days; the last day is -1."""
    months = _months(distinct)
    first, last = distinct - _start(months) + 1, distinct + 1 == _start(months + 1)
    if len(distinct) < FEW or not (last.all() or (first == min(first[0], LAST)).all()):
        return None
    if len(distinct) * np.log2(30) < BITS:
        return None
    found = Steps(month_day=-1 if last.all() else int(first[0]))
    apart = int(np.gcd.reduce(np.diff(months))) if len(months) > 1 else 1
    period = next((one for one in PERIODS if apart % one == 0), 1)
    if period == 1 or (len(months) - 1) * np.log2(period) < BITS:
        return found
    return replace(found, months=period, month=int(months[0] % period) + 1)


def _of_week(days: NDArray[np.int64]) -> Steps | None:
    """The weekdays that hold all days but a few strays."""
    counts = np.bincount((days + 3) % WEEK, minlength=WEEK)
    held = np.flatnonzero(counts >= FEW)
    stray = counts[counts < FEW].sum()
    if not 0 < len(held) < WEEK or stray > STRAY * len(days):
        return None
    if len(np.unique(days)) * np.log2(WEEK / len(held)) - np.log2(2.0**WEEK) < BITS:
        return None
    return Steps(weekdays=int("".join(str(day + 1) for day in held)))
