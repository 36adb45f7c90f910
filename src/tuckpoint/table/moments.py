"""Dates, times and durations written as text: which format a column uses, and text to numbers and back.

Formats are strptime's: %Y %y %m %d %b %B %H %I %p %M %S %f %z; anything else stands for itself. As for `date`, %-d %-m
%-H %-I write no zero in front, %^b %^B capitals, %P am and pm, %:z +02:00 and %:::z +02 where %z writes +0200; %3f
writes three decimals, %.f a point and as many as needed. All of them read either way. `%D` stands for the days of a
duration (`%D days %H:%M:%S`). Numbers are days, or seconds, since 1970-01-01 UTC, or seconds since zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError
from tuckpoint.table import zones

Seconds = NDArray[np.float64]
DAY = 86_400
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_FIELDS = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%y": r"(?P<y>[0-9]{2})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%b": r"(?P<b>(?i:" + "|".join(name[:3] for name in _MONTHS) + "))",
    "%B": r"(?P<B>(?i:" + "|".join(_MONTHS) + "))",
    "%H": r"(?P<H>[0-9]{1,4})",  # of a duration
    "%I": r"(?P<I>[0-9]{1,2})",
    "%p": r"(?P<p>(?i:AM|PM))",
    "%P": r"(?P<p>(?i:AM|PM))",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2})",
    "%f": r"(?P<f>[0-9]{1,9})",
    "%.f": r"(?:\.(?P<f>[0-9]{1,9}))?",
    "%z": r"(?P<z>Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    "%D": r"(?P<D>-?[0-9]+)",
}
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%b %d, %Y",
    "%d %B %Y",
    "%B %d, %Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%d-%b-%y",
)
_FIELDS |= {f"%-{letter}": _FIELDS[f"%{letter}"] for letter in "dmHI"}
_FIELDS |= {f"%^{letter}": _FIELDS[f"%{letter}"] for letter in "bB"}
_FIELDS |= {f"%{digits}f": _FIELDS["%f"] for digits in range(1, 10)}
_FIELDS |= {"%:z": _FIELDS["%z"], "%:::z": _FIELDS["%z"]}
_ZONES = ("%z", "%:z", "%:::z")
_DIRECTIVE = r"%(?:[-^.0-9]|:+)?[A-Za-z]"
_CLOCKS = (
    *("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"),
    *("%H:%M:%S%.f", "%H:%M:%S,%f", "%I:%M:%S%p", "%I:%M%p"),
)
_SPANS = (*_CLOCKS, "%D days %H:%M:%S", "%D days %H:%M:%S.%f")
_AMBIGUOUS = {"%m/%d/%Y": "%d/%m/%Y", "%m-%d-%Y": "%d-%m-%Y", "%m/%d/%y": "%d/%m/%y"}
_COMPACT = ("%Y%m%dT%H%M%S", "%Y%m%d %H%M%S")
_BARE = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}  # by their digits


@dataclass(frozen=True)
class Reading:
    """What a column of distinct texts says: the kind of moment, its format, its zone, and what is doubtful."""

    kind: str  # date, datetime or duration
    format: str
    timezone: str | None = None
    note: str = ""


def recognise(texts: pa.Array, *, compact_dates: bool = False) -> Reading | None:
    """How distinct trimmed texts spell dates, datetimes or durations; None if they do not.

    Bare digits (8, 12 or 14, and perhaps an offset) are moments only if `compact_dates` says that they may be, because
    the column's name calls for it or many values agree.
    """
    found = (_bare(texts) if compact_dates else None) or _recognised(texts)
    return None if found is None else replace(found, format=_as_written(found.format, texts))


def _bare(texts: pa.Array) -> Reading | None:
    """Moments of this and the last century, or of the year 9999, written in digits alone."""
    lengths = pc.utf8_length(pc.replace_substring_regex(texts, "[+-][0-9]{4}$", "")).unique()
    format_ = _BARE.get(lengths[0].as_py()) if len(lengths) == 1 else None
    if (
        format_ is None
        or not pc.all(pc.match_substring_regex(texts, "^(?:19|20|9999)[0-9]+(?:[+-][0-9]{4})?$")).as_py()
    ):
        return None
    for zone in ("", "%z"):
        if _fits(texts, format_ + zone):
            return Reading("date", format_) if format_ == "%Y%m%d" else _timed(texts, format_ + zone)
    return None


def _recognised(texts: pa.Array) -> Reading | None:
    sample = texts[:: max(1, len(texts) // 20)][:20]
    for format_ in _DATES:
        if _fits(sample, format_) and _fits(texts, format_):
            other = _AMBIGUOUS.get(format_)
            doubt = other is not None and _fits(texts, other)
            note = f"month or day first is not certain: read as {format_}; correct the format if it is {other}"
            return Reading("date", format_, note=note if doubt else "")
    first = texts[0].as_py() if len(texts) else ""
    if ":" not in first and "T" not in first:
        return next(
            (_timed(texts, format_) for format_ in _COMPACT if _fits(sample, format_) and _fits(texts, format_)), None
        )
    for format_ in _SPANS:
        if _fits(sample, format_) and _fits(texts, format_):
            return Reading("duration", format_)
    for date in (*_DATES, "%Y%m%d"):
        for clock in (*_CLOCKS, "%H%M%S"):
            for between in (" ", "T", ", "):
                for zone in ("", "%z", " %z"):
                    format_ = date + between + clock + zone
                    if _fits(sample, format_) and _fits(texts, format_):
                        return _timed(texts, format_)
    return None


def _as_written(format_: str, texts: pa.Array) -> str:
    """The format with each directive as nearly all texts agree to write it: without zeros in front, in capitals."""
    found = pc.extract_regex(texts, _pattern(format_))
    names = re.findall(r"\(\?P<(\w)>", _pattern(format_))
    cells = {name: found.field(at) for at, name in enumerate(names)}
    pieces = [_variant(piece, cells[piece[-1]]) if piece in _FIELDS else piece for piece in _pieces(format_)]
    return "".join(pieces)


def _variant(piece: str, cells: pa.Array) -> str:
    """The directive that writes these cells, which this one reads; itself where they do not agree."""

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())

    letter = piece[-1]
    if letter in "dmHI" and some("^[0-9]$"):
        return piece if some("^0[0-9]") else f"%-{letter}"
    if letter in "bB":
        return piece if some("[a-z]") else f"%^{letter}"
    if letter == "p":
        return piece if some("[A-Z]") else "%P"
    if piece == "%f":
        lengths = pc.min_max(pc.utf8_length(cells))
        return f"%{lengths['max']}f" if lengths["min"] == lengths["max"] and lengths["max"].as_py() != 6 else piece
    if letter == "z" and not some("^.[0-9]{4}$"):
        return "%:z" if some(":") or not some("^[+-]") else "%:::z"
    return piece


def parse(texts: pa.Array, format_: str) -> tuple[Seconds, NDArray[np.bool_]]:
    """Seconds (of dates: at midnight) per text, NaN where unreadable, and which non-null texts are unreadable."""
    pattern = _pattern(format_)
    trimmed = pc.utf8_trim_whitespace(texts)
    found = pc.extract_regex(trimmed, pattern)
    good = np.asarray(found.is_valid())
    names = re.findall(r"\(\?P<(\w)>", pattern)
    parts = {name: found.field(at).filter(pa.array(good)) for at, name in enumerate(names)}
    seconds = np.full(len(texts), np.nan)
    seconds[good] = _seconds(parts, int(good.sum()))
    return seconds, np.isnan(seconds) & np.asarray(texts.is_valid())


def spell(seconds: Seconds, format_: str, timezone: str | None = None) -> pa.Array:
    """Each moment as text, null for NaN; `timezone` is an offset such as `+02:00` or `UTC`."""
    missing = np.isnan(seconds)
    micros = np.rint(np.where(missing, 0, seconds) * 1e6).astype(np.int64)
    if "%D" not in format_ and any(piece in _ZONES for piece in _pieces(format_)):
        micros = micros + zones.offsets_at(np.floor(np.where(missing, 0, seconds)), timezone) * 10**6
    zone: pa.Array | str | None = timezone
    if timezone in zones.PLACES:
        zone = zones.written(zones.offsets_at(np.floor(np.where(missing, 0, seconds)), timezone))
    cells: list[pa.Array | str] = [_cell(micros, piece, zone, format_) for piece in _pieces(format_)]
    texts = pc.binary_join_element_wise(*cells, "") if any(isinstance(c, pa.Array) for c in cells) else cells[0]
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), texts)


def _midnight(texts: pa.Array, format_: str) -> str | None:
    """The format of a date whose texts all write this one's clock alike, as midnight; None where they do not."""
    if (parse(texts, format_)[0] % DAY != 0).any():
        return None
    date = next((date for date in (*_DATES, "%Y%m%d") if format_.startswith(date)), "")
    whole = pc.extract_regex(texts, _pattern(date).removesuffix("$") + "(?P<rest>.*)$").field("rest").unique()
    return date + whole[0].as_py() if date and len(whole) == 1 else None


def _timed(texts: pa.Array, format_: str) -> Reading:
    if "%z" not in format_:
        zeros = _midnight(texts, format_)
        return Reading("datetime", format_) if zeros is None else Reading("date", zeros)
    found = pc.unique(pc.extract_regex(texts, _pattern(format_)).field("z")).to_pylist()
    if found == ["Z"]:
        return Reading("datetime", format_.replace("%z", "Z"), "UTC")
    if len(found) == 1:
        offset = f"{found[0][:3]}:{found[0][3:].removeprefix(':') or '00'}"
        return Reading("datetime", format_, "UTC" if offset in ("+00:00", "-00:00") else offset)
    offsets = zones.offsets_of(pc.extract_regex(texts, _pattern(format_)).field("z"))
    moments = parse(texts, format_)[0]
    for place in zones.PLACES:
        if (zones.offsets_at(np.floor(moments), place) == offsets).all():
            return Reading("datetime", format_, place, note=f"offsets are those of {place}, or a place like it")
    return Reading("datetime", format_, "UTC", note=f"{len(found)} different offsets: kept as moments, written in UTC")


def _fits(texts: pa.Array, format_: str) -> bool:
    if len(texts) == 0 or not pc.all(pc.match_substring_regex(texts, _pattern(format_))).as_py():
        return False
    return not np.isnan(parse(texts, format_)[0]).any()


@cache
def _pieces(format_: str) -> list[str]:
    return [piece for piece in re.split(f"({_DIRECTIVE})", format_) if piece]


@cache
def _pattern(format_: str) -> str:
    for piece in re.findall(rf"{_DIRECTIVE}|%.", format_):
        if piece not in _FIELDS:
            raise SchemaError(f"format {format_!r}: {piece} is not known; use {' '.join(_FIELDS)}")
    return "^" + "".join(_FIELDS.get(piece, re.escape(piece)) for piece in _pieces(format_)) + "$"


def _seconds(parts: dict[str, pa.Array], rows: int) -> Seconds:
    def number(name: str, otherwise: int) -> NDArray[np.int64]:
        if name not in parts:
            return np.full(rows, otherwise, np.int64)
        return np.asarray(pc.cast(pc.ascii_ltrim(parts[name], "+"), pa.int64()))

    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    bad = (hour > 23) | (minute > 59) | (second > 59)
    if "D" not in parts and "Y" not in parts and "y" not in parts:
        bad = (minute > 59) | (second > 59)  # a duration may last longer than a day
    if "I" in parts:
        twelve = number("I", 12)
        bad |= (twelve < 1) | (twelve > 12)
        afternoon = np.asarray(pc.equal(pc.utf8_upper(parts["p"]), "PM")) if "p" in parts else 0
        hour = twelve % 12 + 12 * afternoon
    clock = (hour * 60 + minute) * 60.0 + second
    if "f" in parts:
        clock = clock + np.asarray(pc.cast(pc.binary_join_element_wise("0.", parts["f"], "0", ""), pa.float64()))
    if "z" in parts:
        clock = clock - zones.offsets_of(parts["z"])
    if "D" in parts:
        return np.where(bad, np.nan, number("D", 0) * float(DAY) + clock)
    if "Y" not in parts and "y" not in parts:
        return np.where(bad, np.nan, clock)
    days, wrong = _days(_year(parts), _month(parts, rows), number("d", 1))
    return np.where(bad | wrong, np.nan, days * float(DAY) + clock)


def _year(parts: dict[str, pa.Array]) -> NDArray[np.int64]:
    if "Y" in parts:
        return np.asarray(pc.cast(parts["Y"], pa.int64()))
    short = np.asarray(pc.cast(parts["y"], pa.int64()))
    return short + np.where(short < 69, 2000, 1900).astype(np.int64)  # POSIX strptime


def _month(parts: dict[str, pa.Array], rows: int) -> NDArray[np.int64]:
    word = parts.get("b", parts.get("B"))
    if word is None:
        return np.asarray(pc.cast(parts["m"], pa.int64())) if "m" in parts else np.ones(rows, np.int64)
    known = pa.array([name[:3].lower() for name in _MONTHS])
    return np.asarray(pc.index_in(pc.utf8_lower(pc.utf8_slice_codeunits(word, 0, 3)), value_set=known)) + 1


def _days(
    year: NDArray[np.int64], month: NDArray[np.int64], day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Days since 1970-01-01, and which dates do not exist."""
    wrong = (month < 1) | (month > 12) | (day < 1)
    months = ((year - 1970) * 12 + np.where(wrong, 1, month) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + day - 1
    length = (months + 1).astype("datetime64[D]").astype(np.int64) - months.astype("datetime64[D]").astype(np.int64)
    return days, wrong | (day > length)


@cache
def _padded(stop: int, width: int) -> pa.Array:
    return pa.array([f"{number:0{width}d}" for number in range(stop)])


def _cell(micros: NDArray[np.int64], piece: str, timezone: pa.Array | str | None, format_: str) -> pa.Array | str:
    """One piece of a format, written for each moment."""
    if piece not in _FIELDS:
        return piece
    if piece in _ZONES:
        return _zone(timezone, piece)
    if piece == "%D":
        return pc.cast(pa.array(micros // (DAY * 10**6)), pa.string())
    if piece[-1] == "f":
        return _fraction(micros % 10**6, piece)
    if piece[1] == "-":
        return pc.replace_substring_regex(_cell(micros, f"%{piece[-1]}", timezone, format_), "^0([0-9])", r"\1")
    if piece[1] == "^":
        return pc.utf8_upper(_cell(micros, f"%{piece[-1]}", timezone, format_))
    seconds = micros // 10**6
    if piece[-1] in "HIMSpP":
        return _clock(seconds, piece, long=not re.search(r"%-?[YydD]", format_))
    days = (seconds // DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month = months.astype(np.int64) % 12
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    if piece in ("%Y", "%y"):
        full = _padded(10_000, 4).take(pa.array(np.clip(year, 0, 9999)))
        return full if piece == "%Y" else pc.utf8_slice_codeunits(full, 2, 4)
    if piece in ("%b", "%B"):
        return pa.array([name[: 3 if piece == "%b" else None] for name in _MONTHS]).take(pa.array(month))
    number = month + 1 if piece == "%m" else (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    return _padded(60, 2).take(pa.array(number))


def _clock(seconds: NDArray[np.int64], piece: str, *, long: bool) -> pa.Array:
    """A piece of the time of day; hours may be more than 23 where they are `long`."""
    of_day = seconds % DAY
    if piece == "%H" and long:
        return pc.utf8_lpad(pc.cast(pa.array(seconds // 3600), pa.string()), 2, "0")
    if piece in ("%p", "%P"):
        return pa.array(["AM", "PM"] if piece == "%p" else ["am", "pm"]).take(pa.array(of_day // (12 * 3600)))
    hour = of_day // 3600
    number = {"%M": of_day // 60 % 60, "%S": of_day % 60, "%H": hour, "%I": (hour + 11) % 12 + 1}[piece]
    return _padded(60, 2).take(pa.array(number))


def _fraction(micros: NDArray[np.int64], piece: str) -> pa.Array:
    """The decimals of a second: six, as many as the piece says, or with their point as many as needed."""
    digits = pc.utf8_lpad(pc.cast(pa.array(micros), pa.string()), 6, "0")
    if piece == "%.f":
        return pc.replace_substring_regex(pc.binary_join_element_wise(".", digits, ""), r"\.?0*$", "")
    length = 6 if piece == "%f" else int(piece[1])
    return pc.utf8_rpad(pc.utf8_slice_codeunits(digits, 0, length), length, "0")


def _zone(timezone: pa.Array | str | None, piece: str) -> pa.Array | str:
    """An offset, or one for each moment, as the piece writes it."""
    if isinstance(timezone, pa.Array):
        encoded = timezone.dictionary_encode()
        known = [_zone(zone, piece) for zone in encoded.dictionary.to_pylist()]
        return pa.array(known, pa.string()).take(encoded.indices)
    offset = "+00:00" if timezone in (None, "UTC") else str(timezone)
    if piece == "%:::z":
        return offset.removesuffix(":00")
    return offset if piece == "%:z" else offset.replace(":", "")
