"""Weekdays and days of the month are found, and made moments and distances lie on them."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.schema import Column, Steps
from tuckpoint.seed import Seed
from tuckpoint.table import days, spans
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Context, Field
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.fit import fit
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import sample

EPOCH = pd.Timestamp("1970-01-01")
ALLOWED = [
    Steps(weekdays=12345),
    Steps(weekdays=7),
    Steps(weekdays=146),
    Steps(month_day=1),
    Steps(month_day=28),
    Steps(month_day=-1),
    Steps(month_day=1, months=3, month=1),
    Steps(month_day=-1, months=3, month=3),
    Steps(month_day=15, months=12, month=4),
]


def is_allowed(day, steps):
    if steps.weekdays is not None:
        return str(day.isoweekday()) in str(steps.weekdays)
    on = (day + dt.timedelta(days=1)).day == 1 if steps.month_day == -1 else day.day == steps.month_day
    return on and (day.month - (steps.month or 1)) % (steps.months or 1) == 0


@given(st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)), st.sampled_from(ALLOWED))
def test_numbers_count_the_allowed_days(day, steps):
    at = float((day - EPOCH.date()).days)
    number = days.flat(np.array([at, np.nan]), steps)
    (back, gone) = days.lifted(number, steps)
    found = EPOCH.date() + dt.timedelta(days=back)
    assert np.isnan(gone)
    assert is_allowed(found, steps)
    assert found >= day
    between = [day + dt.timedelta(days=n) for n in range(int(back - at))]
    assert not any(is_allowed(one, steps) for one in between)
    after = EPOCH.date() + dt.timedelta(days=float(days.lifted(number[:1] + 1, steps)[0]))
    assert after > found
    skipped = [found + dt.timedelta(days=n) for n in range(1, (after - found).days)]
    assert not any(is_allowed(one, steps) for one in skipped)


def business_days(rows, seed=0):
    possible = pd.bdate_range("2020-01-01", "2023-12-31")
    return possible[np.random.default_rng(seed).integers(0, len(possible), rows)]


def every(start, end, frequency, rows=600):
    possible = pd.date_range(start, end, freq=frequency)
    return possible[np.random.default_rng(1).integers(0, len(possible), rows)]


FOUND = {
    "weekdays": (business_days(600), Steps(weekdays=12345)),
    "first": (every("2015-01-01", "2020-12-31", "MS"), Steps(month_day=1)),
    "last": (every("2015-01-01", "2020-12-31", "ME"), Steps(month_day=-1)),
    "quarters": (every("1990-01-01", "2020-12-31", "QS"), Steps(month_day=1, months=3, month=1)),
    "ends": (every("1990-01-01", "2020-12-31", "QE"), Steps(month_day=-1, months=3, month=3)),
    "years": (every("1990-01-01", "2020-12-31", "YS"), Steps(month_day=1, months=12, month=1)),
}


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("name", FOUND)
def test_days_are_found_and_made_rows_lie_on_them(name, kind):
    moments, expected = FOUND[name]
    random = np.random.default_rng(2)
    if kind == "datetime":
        moments = moments + pd.to_timedelta(random.integers(0, 86_400, len(moments)), unit="s")
    at = moments.date if kind == "date" else moments.as_unit("us")
    real = read(pd.DataFrame({"at": at, "amount": random.normal(size=len(moments))})).table
    schema = infer(real)
    found = schema["at"].steps
    day = 1.0 if kind == "date" else 86_400.0
    assert (found.weekdays, found.month_day, found.months, found.month, found.day) == (
        *(expected.weekdays, expected.month_day, expected.months, expected.month),
        day,
    )
    model = fit(real, schema, engine=Independent(), seed=Seed(1), context=Context())
    made = pd.to_datetime(sample(model, 1000, Seed(2)).column("at").to_pandas())
    assert all(is_allowed(one.date(), expected) for one in made)
    assert moments.min().date() <= made.min().date() <= made.max().date() <= moments.max().date()


def test_unrelated_days_have_no_steps():
    random = np.random.default_rng(3)
    plain = random.integers(15_000, 20_000, 3000).astype(float)
    assert days.find(plain, "date") is None
    assert days.find(plain[:30], "date") is None
    few = np.array([0.0, 31, 59, 90])  # firsts of four months by chance
    assert days.find(np.repeat(few, 100), "date") is None
    assert days.find(FOUND["weekdays"][0].day_of_year.to_numpy(float), "integer") is None
    monday = float((business_days(1)[0] - EPOCH).days // 7 * 7 + 4)
    stray = np.append(np.tile(np.arange(5.0), 400) + np.repeat(np.arange(400.0) * 7, 5) + monday, [monday - 1] * 4)
    assert days.find(stray[:-3], "date").weekdays == 12345  # one in two thousand
    assert days.find(stray, "date") is None


def test_days_off_are_spread_over_the_week_beside_them_and_stay_in_range():
    field = Field("at", low=3.0, high=25.0, steps=Steps(weekdays=12345))  # Sunday, and on
    made = days.placed(np.repeat([3.0, 9.0, 10.0, 24.0, 5.0, np.nan], 500), field, Seed(1)).reshape(6, 500)
    assert set(made[0]) == {4.0, 5, 6, 7, 8}
    assert set(made[1]) == {4.0, 5, 6, 7, 8}
    assert set(made[2]) == {11.0, 12, 13, 14, 15}
    assert set(made[3]) <= {18.0, 19, 20, 21, 22, 25}
    assert set(made[4]) == {5.0}
    assert np.isnan(made[5]).all()


def test_a_distance_counts_allowed_days_and_keeps_both_ends():
    random, rows = np.random.default_rng(4), 2000
    booked = business_days(rows)
    due = pd.DatetimeIndex(np.busday_offset(booked.values.astype("datetime64[D]"), random.integers(0, 20, rows)))
    real = read(pd.DataFrame({"booked": booked.date, "due": due.date, "x": random.normal(size=rows)})).table
    schema = infer(real)
    model = fit(real, schema, engine=Trees(rounds=5), seed=Seed(1), context=Context())
    (span,) = model.book.spans
    encoded = encode(real, schema).columns
    distance = span.between(encoded)
    assert set(distance) == set(range(20))
    assert (span.run(encoded["booked"], distance) == encoded["due"]).all()
    assert (span.back(encoded["due"], distance) == encoded["booked"]).all()
    assert spans.Span.from_dict({**vars(span), "field": vars(span.field), "days": vars(span.days)}) == span
    made = sample(model, 2000, Seed(2)).to_pandas()
    for name in ("booked", "due"):
        assert (pd.to_datetime(made[name]).dt.day_of_week < 5).all()
    apart = np.busday_count(made["booked"].tolist(), made["due"].tolist())
    assert 0 <= apart.min() <= apart.max() <= 19


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"weekdays": 8}, "digits from 1"),
        ({"weekdays": 21}, "digits from 1"),
        ({"month_day": 31}, "-1 for the last day"),
        ({"month_day": 1, "weekdays": 1}, "stand together"),
        ({"month_day": 1, "months": 5, "month": 1}, "2, 3, 4, 6 or 12"),
        ({"month_day": 1, "months": 3}, "write both"),
        ({"month_day": 1, "day": 24}, "1 for dates"),
    ],
)
def test_steps_that_mean_no_days_are_refused(wrong, told):
    with pytest.raises(SchemaError, match=told):
        Steps(**wrong)


def test_days_of_a_column_have_its_unit():
    with pytest.raises(SchemaError, match="write day: 86400"):
        Column("at", "datetime", "timestamp[us]", steps=Steps(weekdays=12345))
    with pytest.raises(SchemaError, match="leave weekdays and month_day out"):
        Column("n", "integer", "int64", steps=Steps(month_day=1))
