"""Columns that follow from a moment are found, written as rules, and obeyed in every made row."""

import numpy as np
import pandas as pd
import pytest

from tuckpoint.seed import Seed
from tuckpoint.table.encode import decode, encode, spell
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.fit import fit
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer
from tuckpoint.table.rules import Rule, RuleBook, mine, user_rule
from tuckpoint.table.sample import sample

ROWS = 3000


def stamps(zone=None, *, seed=1):
    random = np.random.default_rng(seed)
    offsets = pd.to_timedelta(random.integers(0, 2 * 365 * 1440, ROWS), unit="min")
    return pd.Series(pd.Timestamp("2022-01-01", tz=zone) + offsets)


def table(**columns):
    random = np.random.default_rng(2)
    frame = pd.DataFrame({"sex": random.choice(["m", "f"], ROWS), "amount": random.gamma(2, 100, ROWS).round(2)})
    return read(frame.assign(**columns)).table


def found(real):
    schema = infer(real)
    rules = mine(encode(real, schema), schema=schema)
    return {rule.columns[1]: rule for rule in rules if rule.kind == "calendar"}, schema


PARTS = {
    "date(at) == y": lambda at: at.dt.date,
    "month_start(at) == y": lambda at: at.dt.tz_localize(None).dt.to_period("M").dt.start_time.dt.date,
    "year(at) == y": lambda at: at.dt.year,
    "year_month(at) == y": lambda at: at.dt.year * 100 + at.dt.month,
    "quarter(at) == y": lambda at: at.dt.quarter,
    "month(at) == y": lambda at: at.dt.month,
    "week(at) == y": lambda at: at.dt.isocalendar().week.astype("int64"),
    "day(at) == y": lambda at: at.dt.day,
    "weekday(at) == y": lambda at: at.dt.day_of_week + 1,
    "hour(at) == y": lambda at: at.dt.hour,
    "weekday(at) -> y": lambda at: at.dt.day_name(),
    "month(at) -> y": lambda at: at.dt.month_name(),
    "year_month(at) -> y": lambda at: at.dt.strftime("%Y/%m"),
    "quarter(at) -> y": lambda at: "Q" + at.dt.quarter.astype(str),
    "hour(at) -> y": lambda at: np.where(at.dt.hour < 6, "night", "day"),
}


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("text", PARTS)
def test_parts_are_found_and_obeyed(text, zone):
    at = stamps(zone)
    real = table(at=at.dt.as_unit("us"), y=PARTS[text](at))
    rules, schema = found(real)
    assert rules["y"].text == text
    assert rules["y"].enforced
    model = fit(real, schema, engine=Independent(), seed=Seed(1), context=Context())
    made = sample(model, 2000, Seed(3)).to_pandas()
    again = pd.Series(PARTS[text](made["at"]))
    assert (made["y"].astype(str) == again.astype(str)).all()
    assert [item.name for item in model.book.free] == ["sex", "amount", "at"]


def test_years_of_dates_are_found_where_dates_are_many():
    real = table(born=stamps().dt.date, year=stamps().dt.year)
    assert found(real)[0]["year"].text == "year(born) == year"


@pytest.mark.parametrize("wrong", [1, 30])
def test_one_exception_is_enough_to_be_no_rule(wrong):
    at = stamps()
    day = at.dt.date.where(np.arange(ROWS) >= wrong, at.dt.date + pd.Timedelta(days=400))
    assert not found(table(at=at, y=day))[0]


def test_unrelated_columns_and_constants_are_no_parts():
    random = np.random.default_rng(5)
    real = table(
        at=stamps(),
        other=stamps(seed=7).dt.date,
        one=np.full(ROWS, 2022),
        hour=random.integers(0, 24, ROWS),
        rare=np.where(np.arange(ROWS) == 0, "yes", "no"),
    )
    assert not found(real)[0]


def test_the_zone_decides_which_day_it_is():
    at = stamps("America/New_York")
    real = table(at=at, here=at.dt.date, there=at.dt.tz_convert("UTC").dt.date)
    assert set(found(real)[0]) == {"here"}


@pytest.mark.parametrize(
    ("gone_at", "gone_y", "fills"), [(0.1, 0.0, True), (0.0, 0.1, False), (0.1, 0.1, False)], ids=str
)
def test_missing_values_of_either_stay_their_own(gone_at, gone_y, fills):
    random, at = np.random.default_rng(6), stamps()
    real = table(at=at.where(random.random(ROWS) >= gone_at), y=at.dt.date.where(random.random(ROWS) >= gone_y, None))
    rules, schema = found(real)
    assert rules["y"].detail["partial"]
    assert rules["y"].detail["fills"] is fills
    model = fit(real, schema, engine=Independent(), seed=Seed(1), context=Context())
    made = sample(model, 2000, Seed(3)).to_pandas()
    both = made["at"].notna() & made["y"].notna()
    assert (made["at"].dt.date[both] == made["y"][both]).all()
    assert made["at"].isna().mean() == pytest.approx(gone_at, abs=0.03)
    assert made["y"].isna().mean() == pytest.approx(gone_y, abs=0.03)


def test_a_month_that_few_people_have_is_pooled():
    at = stamps()
    at[:3] = pd.Timestamp("2019-05-06 10:00")
    real = table(at=at, y=at.dt.strftime("%Y/%m"))
    model = fit(real, infer(real), engine=Independent(), seed=Seed(1), context=Context())
    rule = next(rule for rule in model.book.rules if rule.kind == "calendar")
    assert "2019/05" not in str(rule.detail)
    made = sample(model, 2000, Seed(3)).to_pandas()
    known = made["y"] != "(rare)"
    assert known.mean() > 0.9
    assert (made["at"].dt.strftime("%Y/%m")[known] == made["y"][known]).all()


def test_of_two_moments_each_has_its_own_parts():
    first, second = stamps(), stamps(seed=9)
    rules, _ = found(table(a=first, b=second, a_day=first.dt.date, b_day=second.dt.date, b_year=second.dt.year))
    assert {name: rule.columns[0] for name, rule in rules.items()} == {"a_day": "a", "b_day": "b", "b_year": "b"}


def test_a_written_part_is_obeyed_by_construction():
    real = table(at=stamps(), y=stamps().dt.year)
    schema = infer(real)
    encoded = encode(real, schema)
    for text in ("year(at) == y", "y == year(`at`)"):
        rule = user_rule(text, encoded.fields, schema)
        assert (rule.kind, rule.columns) == ("calendar", ("at", "y"))
        book = RuleBook((rule,), encoded.fields)
        assert [item.name for item in book.free] == ["sex", "amount", "at"]
        assert Rule.from_dict(rule.to_dict()) == rule
        assert dict(book.adherence(encoded.columns)) == {text: 1.0}
        shifted = {**encoded.columns, "y": encoded.columns["y"] + 1}
        assert dict(book.adherence(shifted)) == {text: 0.0}


def test_offsets_that_change_with_the_season_are_those_of_a_place(tmp_path):
    at = stamps("Europe/Berlin")
    text = at.dt.strftime("%Y-%m-%dT%H:%M:%S%z")
    (tmp_path / "t.csv").write_text(
        pd.DataFrame({"at": text, "day": at.dt.date, "hour": at.dt.hour}).to_csv(index=False)
    )
    real = read(tmp_path / "t.csv").table
    rules, schema = found(real)
    assert schema["at"].timezone == "Europe/Berlin"
    assert {rule.text for rule in rules.values()} == {"date(at) == day", "hour(at) == hour"}
    written = spell(decode(encode(real, schema), schema), schema)
    assert written.column("at").to_pylist() == text.to_list()
