"""Parts of moments agree with the standard library, in every zone."""

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.table.calendars import DATES, PARTS, part

ZONES = {
    None: dt.UTC,
    "UTC": dt.UTC,
    "+05:30": dt.timezone(dt.timedelta(hours=5.5)),
    "-03:00": dt.timezone(dt.timedelta(hours=-3)),
    "Europe/Berlin": ZoneInfo("Europe/Berlin"),
    "America/New_York": ZoneInfo("America/New_York"),
}
EPOCH = dt.date(1970, 1, 1)


def expected(name, at):
    day = at.date()
    return {
        "date": (day - EPOCH).days,
        "month_start": (day.replace(day=1) - EPOCH).days,
        "year": day.year,
        "year_month": day.year * 100 + day.month,
        "quarter": (day.month + 2) // 3,
        "month": day.month,
        "week": day.isocalendar().week,
        "day": day.day,
        "weekday": day.isoweekday(),
        "hour": at.hour,
    }[name]


@given(
    st.datetimes(dt.datetime(1930, 1, 2), dt.datetime(2037, 12, 30), timezones=st.just(dt.UTC)),
    st.sampled_from(list(ZONES)),
)
def test_parts_of_datetimes(at, zone):
    seconds = np.array([at.timestamp(), np.nan])
    for name in PARTS:
        made = part(name, seconds, days=False, zone=zone)
        assert made[0] == expected(name, at.astimezone(ZONES[zone])), name
        assert np.isnan(made[1])


@given(st.dates(dt.date(1600, 1, 1), dt.date(2999, 12, 31)))
def test_parts_of_dates(day):
    days = np.array([(day - EPOCH).days, np.nan], float)
    for name in set(PARTS) - {"hour"}:
        made = part(name, days, days=True)
        assert made[0] == expected(name, dt.datetime.combine(day, dt.time())), name
        assert np.isnan(made[1])


def test_hours_that_the_clock_skips_or_repeats():
    before = dt.datetime(2024, 3, 31, 0, 59, tzinfo=dt.UTC).timestamp()
    hours = part("hour", np.array([before, before + 60]), days=False, zone="Europe/Berlin")
    assert hours.tolist() == [1, 3]
    back = dt.datetime(2024, 10, 27, 0, 30, tzinfo=dt.UTC).timestamp()
    assert part("hour", np.array([back, back + 3600]), days=False, zone="Europe/Berlin").tolist() == [2, 2]


def test_an_unknown_zone_is_named():
    with pytest.raises(SchemaError, match="unknown time zone"):
        part(DATES[0], np.zeros(1), days=False, zone="Nowhere/At_All")
