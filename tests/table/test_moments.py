from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import SchemaError
from tuckpoint.table.formats import recognise
from tuckpoint.table.moments import parse, spell

FORMATS = [
    "%Y-%m-%d %H:%M:%S.%f",
    "%d.%m.%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d %b %Y",
    "%B %d, %Y",
    "%Y%m%dT%H%M%S",
]


@given(st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 31)), st.sampled_from(FORMATS))
def test_reading_and_writing_agree_with_the_standard_library(at, format_):
    text = at.strftime(format_)
    expected = (dt.datetime.strptime(text, format_) - dt.datetime(1970, 1, 1)) / dt.timedelta(seconds=1)
    seconds, bad = parse(pa.array([text]), format_)
    assert not bad.any()
    assert seconds[0] == pytest.approx(expected, abs=2e-5)
    if "%f" not in format_:
        assert spell(seconds, format_).to_pylist() == [text]


@pytest.mark.parametrize("text", ["2020-02-30", "2019-02-29", "2020-13-01", "2020-00-10", "2020-01-00", "20-01-01"])
def test_days_that_do_not_exist_are_refused(text):
    assert parse(pa.array([text, None]), "%Y-%m-%d")[1].tolist() == [True, False]
    assert recognise(pa.array([text])) is None


@pytest.mark.parametrize(
    ("texts", "kind", "format_", "zone"),
    [
        (["2020-01-31", "1500-02-28"], "date", "%Y-%m-%d", None),
        (["31/01/2020", "01/02/2020"], "date", "%d/%m/%Y", None),
        (["01/31/2020", "01/02/2020"], "date", "%m/%d/%Y", None),
        (["20141013T000000"], "date", "%Y%m%dT000000", None),
        (["2020-01-01 00:00:00"], "date", "%Y-%m-%d 00:00:00", None),
        (["2020-01-01T10:00:00Z"], "datetime", "%Y-%m-%dT%H:%M:%SZ", "UTC"),
        (["2020-01-01 10:00:00-0330"], "datetime", "%Y-%m-%d %H:%M:%S%z", "-03:30"),
        (["2020-01-01 10:00+01:00", "2020-07-01 10:00+02:00"], "datetime", "%Y-%m-%d %H:%M%:z", "Europe/Berlin"),
        (["2020-07-01 10:00+01:00", "2020-01-01 10:00+02:00"], "datetime", "%Y-%m-%d %H:%M%:z", "UTC"),
        (["10:20", "99:59"], "duration", "%H:%M", None),
        (["-1 days 02:03:04"], "duration", "%D days %H:%M:%S", None),
    ],
)
def test_formats_are_found(texts, kind, format_, zone):
    read = recognise(pa.array(texts))
    assert (read.kind, read.format, read.timezone) == (kind, format_, zone)


@pytest.mark.parametrize("texts", [["20200131"], ["abc"], ["12T"], ["10:20", "later"], ["2020-01"]])
def test_other_text_is_no_moment(texts):
    assert recognise(pa.array(texts)) is None


def test_bare_digits_are_dates_only_where_asked():
    assert recognise(pa.array(["20200131"]), compact_dates=True).format == "%Y%m%d"


@pytest.mark.parametrize(
    ("texts", "format_", "zone"),
    [
        (["20240131", "99991231"], "%Y%m%d", None),
        (["20240131101500", "19991231235959"], "%Y%m%d%H%M%S", None),
        (["202401311015", "199912312359"], "%Y%m%d%H%M", None),
        (["20240131101500+0100", "19991231235959+0100"], "%Y%m%d%H%M%S%z", "+01:00"),
    ],
)
def test_digits_alone_are_moments_only_where_they_may_be(texts, format_, zone):
    read = recognise(pa.array(texts), compact_dates=True)
    assert (read.format, read.timezone) == (format_, zone)
    assert spell(parse(pa.array(texts), read.format)[0], read.format, zone).to_pylist() == texts
    assert recognise(pa.array(texts)) is None
    for other in (
        ["20241301"],
        ["2024131"],
        ["20240131", "202401311015"],
        ["30240131"],
        ["18000131"],
        ["20240101256000"],
    ):
        assert recognise(pa.array(other), compact_dates=True) is None


TIMES = ["000000", "081500", "235959", *(f"{h:02d}{7 * h % 60:02d}{11 * h % 60:02d}" for h in range(1, 23))]


@pytest.mark.parametrize(
    ("texts", "format_"),
    [
        (TIMES, "%H%M%S"),
        ([text + ".25" for text in TIMES], "%H%M%S.%2f"),
        (["20240131101500.123456", "19991231235959.000001"], "%Y%m%d%H%M%S.%f"),
        (["20240131101500.123+0100", "19991231235959.000+0100"], "%Y%m%d%H%M%S.%3f%z"),
    ],
)
def test_times_in_digits_alone_are_told_by_what_chance_would_not_write(texts, format_):
    read = recognise(pa.array(texts), compact_dates=True)
    assert read.format == format_
    assert spell(parse(pa.array(texts), format_)[0], format_, read.timezone).to_pylist() == texts


@pytest.mark.parametrize(
    "texts",
    [
        TIMES[:10],
        [*TIMES, "126000"],
        [text for text in TIMES if text[0] != "0"] * 2,
        [f"{at:06d}" for at in range(50)],
        [f"{year}{month:02d}" for year in (2022, 2023) for month in range(1, 13)],
        [f"{at:04d}" for at in range(0, 2360, 100)],
    ],
)
def test_other_digits_are_no_times(texts):
    assert recognise(pa.array(texts), compact_dates=True) is None


def test_two_digits_that_hardly_vary_are_the_year():
    days = [(day, month, year) for year in (21, 22) for month in range(1, 13) for day in (3, 9, 17, 28)]
    for format_, layout in (("%d/%m/%y", "{0:02d}/{1:02d}/{2}"), ("%y/%m/%d", "{2}/{1:02d}/{0:02d}")):
        read = recognise(pa.array([layout.format(*day) for day in days]))
        assert read.format == format_
        assert "which are years and which days is not certain" in read.note
        stamped = recognise(pa.array([layout.format(*day) + " 10:15" for day in days]))
        assert stamped.format == f"{format_} %H:%M"
        assert stamped.note == read.note
    assert recognise(pa.array(["31/12/99", "30/11/98"])).note == ""
    assert "month or day first" in recognise(pa.array(["05/06/2024 10:15", "07/08/2024 11:15"])).note
    assert recognise(pa.array(["05/16/2024 10:15", "07/08/2024 11:15"])).note == ""
    assert recognise(pa.array(["12-05-03", "11-04-02"])) is None


@pytest.mark.parametrize(("format_", "layout"), [("%y%m%d", "{2}{1:02d}{0:02d}"), ("%d%m%y", "{0:02d}{1:02d}{2}")])
def test_dates_of_six_digits_are_told_by_what_chance_would_not_write(format_, layout):
    days = [(day, month, year) for year in (23, 24) for month in range(1, 13) for day in (3, 9, 17, 28, *range(10, 20))]
    texts = [layout.format(*day) for day in days]
    read = recognise(pa.array(texts), compact_dates=True)
    assert (read.kind, read.format) == ("date", format_)
    assert spell(parse(pa.array(texts), format_)[0], format_).to_pylist() == texts
    for other in (
        texts[:15],
        [*texts, "241301"],
        [f"{year}{month:02d}" for year in (2010, 2011, 2012) for month in range(1, 13)],
        [str(number) for number in range(240_101, 240_130)],
        [str(number) for number in range(100_000, 100_400)],
    ):
        assert recognise(pa.array(other), compact_dates=True) is None


def test_clocks_of_four_digits_are_told_by_what_chance_would_not_write():
    texts = [f"{hour:02d}{minute:02d}" for hour in range(24) for minute in (0, 15, 45)]
    read = recognise(pa.array(texts), compact_dates=True)
    assert (read.kind, read.format) == ("duration", "%H%M")
    assert spell(parse(pa.array(texts), "%H%M")[0], "%H%M").to_pylist() == texts
    for other in ([f"{at:04d}" for at in range(60)], [f"{at:04d}" for at in range(50, 2360, 50)], ["0815", "1200"]):
        assert recognise(pa.array(other), compact_dates=True) is None


def test_offsets_shift_and_come_back():
    seconds, _ = parse(pa.array(["1970-01-01 02:00:00+02:00"]), "%Y-%m-%d %H:%M:%S%z")
    assert seconds.tolist() == [0]
    assert spell(np.array([0.0, np.nan]), "%H:%M%:z %Y", "+02:00").to_pylist() == ["02:00+02:00 1970", None]


def test_an_unknown_directive_is_named():
    with pytest.raises(SchemaError, match="%Q is not known"):
        parse(pa.array(["x"]), "%Q")


@pytest.mark.parametrize(
    ("texts", "format_"),
    [
        (["0:30:00", "12:05:01"], "%-H:%M:%S"),
        (["100:30", "7:05"], "%-H:%M"),
        (["100:30", "07:05"], "%H:%M"),
        (["8:15 AM", "5:30 PM"], "%-I:%M %p"),
        (["1/5/2024", "12/31/2023"], "%-m/%-d/%Y"),
        (["1.5.2024", "31.12.2023"], "%-d.%-m.%Y"),
        (["1/5/2024 0:00", "12/31/2023 0:00"], "%-m/%-d/%Y 0:00"),
        (["1/5/2024 0:00", "12/31/2023 13:15"], "%-m/%-d/%Y %-H:%M"),
        (["1/5/2024 12:00:00 AM", "12/31/2023 12:00:00 AM"], "%-m/%-d/%Y 12:00:00 AM"),
        (["1/5/2024 3:05 pm", "12/31/2023 12:15 am"], "%-m/%-d/%Y %-I:%M %P"),
        (["01/05/2024 03:05PM", "12/31/2023 12:15AM"], "%m/%d/%Y %I:%M%p"),
        (["01-JAN-24", "31-MAY-23"], "%d-%^b-%y"),
        (["1 Jan 2024", "31 May 2023"], "%-d %b %Y"),
        (["2024-01-01 10:00:00.120", "2024-01-01 10:00:00.500"], "%Y-%m-%d %H:%M:%S.%3f"),
        (["2024-01-01 10:00:00.12", "2024-01-01 10:00:00"], "%Y-%m-%d %H:%M:%S%.f"),
        (["2024-01-01 10:00:00,120", "2024-01-01 10:00:01,456"], "%Y-%m-%d %H:%M:%S,%3f"),
        (["2024-01-01 10:00:00.120456000"], "%Y-%m-%d %H:%M:%S.%9f"),
        (["2024-01-01 10:00:00.12+00", "2024-01-01 10:00:00+00"], "%Y-%m-%d %H:%M:%S%.f%:::z"),
        (["2024-01-01 10:00:00+02", "2024-01-01 11:00:00+02"], "%Y-%m-%d %H:%M:%S%:::z"),
        (["2024-01-01T10:00:00+0200"], "%Y-%m-%dT%H:%M:%S%z"),
        (["2024-01-01T10:00:00-03:30"], "%Y-%m-%dT%H:%M:%S%:z"),
        (["2024-01-01T10:00:00.120Z", "2024-01-01T10:00:00.000Z"], "%Y-%m-%dT%H:%M:%S.%3fZ"),
        (["5.1.2024, 08:15:00", "31.12.2023, 12:00:00"], "%-d.%-m.%Y, %H:%M:%S"),
        (["2024-03-31T01:59:00+0100", "2024-03-31T03:00:00+0200"], "%Y-%m-%dT%H:%M:%S%z"),
        (["2024-11-03 01:30:00-04", "2024-11-03 01:30:00-05"], "%Y-%m-%d %H:%M:%S%:::z"),
        (["2024-01-03 01:30:00+11:00", "2024-07-03 01:30:00+10:00"], "%Y-%m-%d %H:%M:%S%:z"),
        (["01-JAN-2024 10.15.30", "24-MAY-2023 00.00.01"], "%d-%^b-%Y %H.%M.%S"),
        (["01-JAN-24 10.15.30.123456 AM", "24-MAY-23 12.00.01.000000 PM"], "%d-%^b-%y %I.%M.%S.%f %p"),
        (["01-JAN-24 10.15.30.123000000 AM +02:00"], "%d-%^b-%y %I.%M.%S.%9f %p %:z"),
        (["08:15 Uhr", "23:59 Uhr"], "%H:%M Uhr"),
        (["8.15 Uhr", "23.59 Uhr"], "%-H.%M Uhr"),
        (["24.12.2023, 08:15 Uhr", "01.01.2024, 23:59 Uhr"], "%d.%m.%Y, %H:%M Uhr"),
        (["24.12.2023 um 8:15 Uhr", "01.01.2024 um 23:59 Uhr"], "%d.%m.%Y um %-H:%M Uhr"),
        (["08h15", "23h59"], "%Hh%M"),
        (["24/12/2023 à 08h15", "01/01/2024 à 23h59"], "%d/%m/%Y à %Hh%M"),
        (["12/Mar/2024:10:15:30 +0000"], "%d/%b/%Y:%H:%M:%S %z"),
        (["20240131-101500", "20231231-235959"], "%Y%m%d-%H%M%S"),
        (["2024-01-31 10:15:00 UTC", "2023-12-31 23:59:59 UTC"], "%Y-%m-%d %H:%M:%S UTC"),
        (["Wed, 31 Jan 2024 10:15:00 GMT", "Sun, 31 Dec 2023 23:59:59 GMT"], "%a, %d %b %Y %H:%M:%S GMT"),
        (["Wed Jan 31 2024 10:15:00 GMT+0100", "Sun Dec 31 2023 23:59:59 GMT+0100"], "%a %b %d %Y %H:%M:%S GMT%z"),
        (["Wed Jan  3 10:15:00 2024", "Sun Dec 31 23:59:59 2023"], "%a %b %e %H:%M:%S %Y"),
        (["23.01.2023 07:43:22:013", "03.11.2023 17:43:22:500"], "%d.%m.%Y %H:%M:%S:%3f"),
        (["3/12/2022 4:16:21 p. m.", "20/7/2022 11:25:28 a. m."], "%-d/%-m/%Y %-I:%M:%S %{a. m.|p. m.}"),
        (["4:16 p.m.", "11:25 a.m."], "%-I:%M %{a.m.|p.m.}"),
        (["2024年1月31日", "2023年12月1日"], "%Y年%-m月%-d日"),
        (["2024. 1. 31.", "2023. 12. 1."], "%Y. %-m. %-d."),
        (["2024.01.31.", "2023.12.01."], "%Y.%m.%d."),
        (["31. 1. 2024", "1. 12. 2023"], "%-d. %-m. %Y"),
        (["31JAN24", "01DEC23"], "%d%^b%y"),
        (["31-01-24", "01-12-23", "15-06-24", "16-07-23", "17-07-23"], "%d-%m-%y"),
        (["24-01-31", "23-12-01", "24-06-15", "23-07-16", "23-07-17"], "%y-%m-%d"),
        (["Wed Jan 03 10:15:00 2024", "Sun Dec 31 23:59:59 2023"], "%a %b %d %H:%M:%S %Y"),
        (["Jan  3 2024  9:05AM", "Dec 31 2023 11:16PM"], "%b %e %Y %l:%M%p"),
        (["2024-01-31T10:15:00+01:00[Europe/Berlin]"], "%Y-%m-%dT%H:%M:%S%:z[Europe/Berlin]"),
        (["1st January 2024", "22nd May 2023", "13th June 2024", "3rd July 2024", "11th May 2024"], "%o %B %Y"),
        (["January 1st, 2024", "May 22nd, 2023"], "%B %o, %Y"),
        (["0h 27m", "12h 3m"], "%-Hh %-Mm"),
        (["0h03m23s", "12h59m59s"], "%-Hh%Mm%Ss"),
        (["1 h 05 min", "12 h 59 min"], "%-H h %M min"),
        (["2d 3h 5m", "0d 12h 10m"], "%Dd %-Hh %-Mm"),
        (["23:11.3", "09:54.5"], "%M:%S.%1f"),
        (["3:11.35", "129:54.05"], "%-M:%S.%2f"),
        (["5m 7s", "112m 59s"], "%-Mm %-Ss"),
        (["-0:30:00", "1:15:00"], "%N%-H:%M:%S"),
        (["-00:30", "+12:15"], "%+N%H:%M"),
        (["1 day, 0:30:00", "2 days, 13:04:05", "0:00:10", "-1 day, 23:59:59"], "%:D%-H:%M:%S"),
        (["1 day, 0:30:00.250000", "0:00:10"], "%:D%-H:%M:%S%:f"),
        (["2 days 03:04:05", "0 days 00:00:00"], "%D days %H:%M:%S"),
        (["2 days 03:04:05", "-1 days +23:30:00"], "%D days %+H:%M:%S"),
        (["2 days 03:04:05.250000", "-1 days +23:30:00"], "%D days %+H:%M:%S%:f"),
    ],
)
def test_moments_are_written_as_they_were(texts, format_):
    read = recognise(pa.array(texts))
    assert read.format == format_
    seconds, bad = parse(pa.array(texts), read.format)
    assert not bad.any()
    assert spell(seconds, read.format, read.timezone).to_pylist() == texts


def test_where_texts_do_not_agree_zeros_stand_in_front():
    read = recognise(pa.array(["1/5/2024 9:00", "01/06/2024 12:00"]))
    assert read.format == "%m/%d/%Y %-H:%M"
    assert recognise(pa.array(["1 Jan 2024", "2 MAY 2023"])).format == "%-d %b %Y"


@pytest.mark.parametrize("format_", ["%-d.%-m.%Y %-H:%M:%S%.f%:z", "%m/%d/%Y %I:%M:%S.%3f %P %z"])
def test_formats_read_looser_relatives(format_):
    texts = spell(np.array([3.5e8 + 0.25]), "%m/%d/%Y %H:%M:%S.%f+0000", "UTC")
    loose = spell(np.array([3.5e8 + 0.25]), format_, "UTC")
    assert parse(loose, format_)[0].tolist() == parse(texts, "%m/%d/%Y %H:%M:%S.%f%z")[0].tolist() == [3.5e8 + 0.25]
