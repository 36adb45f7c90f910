"""Parts of moments by the calendar and clock of their zone: the date of a time stamp, its year, weekday, hour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuckpoint.schema import Column
from tuckpoint.table.moments import DAY
from tuckpoint.table.zones import offsets_at

Numbers = NDArray[np.float64]
# Dates in days since 1970, months of years like 202401, weekdays from Monday 1 to Sunday 7, weeks by ISO 8601.
PARTS = ("date", "month_start", "year", "year_month", "quarter", "month", "week", "day", "weekday", "hour")
DATES = ("date", "month_start")


def parts_of(column: Column) -> tuple[str, ...]:
    """The parts that a column of moments has and is not itself."""
    return PARTS if column.kind == "datetime" else tuple(part for part in PARTS if part not in ("date", "hour"))


def part(name: str, values: Numbers, *, days: bool, zone: str | None = None) -> Numbers:
    """A part of moments (n,), NaN where one is missing; they are `days` or seconds since 1970-01-01 UTC.

    `zone` is a name, an offset such as `+02:00`, or None for UTC and for moments without one. Raises SchemaError for a
    zone that is not known.
    """
    gone = np.isnan(values)
    local = np.where(gone, 0.0, values * DAY if days else _local(values, zone))
    day = np.floor(local / DAY)
    if name == "date":
        return np.where(gone, np.nan, day)
    if name == "hour":
        return np.where(gone, np.nan, (local - day * DAY) // 3600)
    months = day.astype("datetime64[D]").astype("datetime64[M]")
    start = months.astype("datetime64[D]").astype(np.float64)
    year, month = np.divmod(months.astype(np.int64), 12)
    made = {
        "month_start": start,
        "year": year + 1970.0,
        "year_month": (year + 1970.0) * 100 + month + 1,
        "quarter": month // 3 + 1.0,
        "month": month + 1.0,
        "week": _week(day),
        "day": day - start + 1,
        "weekday": (day + 3) % 7 + 1,
    }[name]
    return np.where(gone, np.nan, made)


def _week(day: Numbers) -> Numbers:
    """The week of the year of the Thursday in it."""
    thursday = day - (day + 3) % 7 + 3
    year = thursday.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.float64)
    return np.asarray((thursday - year) // 7 + 1)


def _local(values: Numbers, zone: str | None) -> Numbers:
    filled = np.where(np.isnan(values), 0.0, values)
    return np.where(np.isnan(values), np.nan, filled + offsets_at(np.floor(filled), zone))
