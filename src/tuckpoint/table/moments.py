"""Dates, times and durations written as text, to numbers and back; `table.formats` finds a column's format.

Formats are strptime's: %Y %y %m %d %b %B %a %A %H %I %p %M %S %f %z; anything else stands for itself. As for `date`,
%-d %-m %-H %-I %-M %-S write no zero in front, %e %l a space, %o 1st 2nd 3rd, %^b %^B %^a %^A capitals, %P am and pm,
%:z +02:00 and %:::z +02 where %z writes +0200; %3f writes three decimals, %.f a point and as many as needed, %:f a
point and six of them or nothing. All of them read either way. `%{Jan|Feb|...}` lists the twelve months, or seven days
from Monday, of any language, or two halves of a day.

Of durations, %D stands for the days (`%D days %H:%M:%S`), %:D for `1 day, `, `2 days, ` or nothing; %N for a minus in
front of all below zero, %+N for a plus or a minus; %+H writes a plus before the hours where the days are below zero.
`P[nD]T[nH]nM` and the like are durations by ISO 8601 (see `table.durations`). Numbers are days, or seconds, since
1970-01-01 UTC, or seconds since zero.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError
from tuckpoint.table import durations, languages, zones

Seconds = NDArray[np.float64]
DAY = 86_400
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_FIELDS = {
    "%Y": r"(?P<Y>[0-9]{4})",
    "%y": r"(?P<y>[0-9]{2})",
    "%m": r"(?P<m>[0-9]{1,2})",
    "%d": r"(?P<d>[0-9]{1,2})",
    "%e": r" ?(?P<d>[0-9]{1,2})",
    "%o": r"(?P<d>[0-9]{1,2})(?:st|nd|rd|th)",
    "%b": r"(?P<b>(?i:" + "|".join(name[:3] for name in _MONTHS) + "))",
    "%B": r"(?P<B>(?i:" + "|".join(_MONTHS) + "))",
    "%H": r"(?P<H>[0-9]{1,4})",  # of a duration
    "%I": r"(?P<I>[0-9]{1,2})",
    "%l": r" ?(?P<I>[0-9]{1,2})",
    "%p": r"(?P<p>(?i:AM|PM))",
    "%P": r"(?P<p>(?i:AM|PM))",
    "%M": r"(?P<M>[0-9]{2})",
    "%S": r"(?P<S>[0-9]{2})",
    "%f": r"(?P<f>[0-9]{1,9})",
    "%.f": r"(?:\.(?P<f>[0-9]{1,9}))?",
    "%:f": r"(?:\.(?P<f>[0-9]{1,9}))?",
    "%-M": r"(?P<M>[0-9]{1,6})",
    "%-S": r"(?P<S>[0-9]{1,8})",
    "%z": r"(?P<z>Z|[+-][0-9]{2}(?::?[0-9]{2})?)",
    "%D": r"(?P<D>-?[0-9]+)",
    "%:D": r"(?:(?P<D>-?[0-9]+) days?, )?",
    "%N": r"(?P<N>[+-]?)",
    "%+N": r"(?P<N>[+-]?)",
    "%+H": r"\+?(?P<H>[0-9]{1,2})",
    "%a": r"(?P<a>(?i:" + "|".join(name[:3] for name in _DAYS) + "))",
    "%A": r"(?P<A>(?i:" + "|".join(_DAYS) + "))",
}
_NAMES = r"\p{L}[\p{L}-]*\.?"  # of a month or day in any language
_FIELDS |= {f"%-{letter}": _FIELDS[f"%{letter}"] for letter in "dmHI"}
_FIELDS |= {f"%^{letter}": _FIELDS[f"%{letter}"] for letter in "bBaA"}
_FIELDS |= {f"%{digits}f": _FIELDS["%f"] for digits in range(1, 10)}
_FIELDS |= {"%:z": _FIELDS["%z"], "%:::z": _FIELDS["%z"]}
_ZONES = ("%z", "%:z", "%:::z")
_DIRECTIVE = r"%(?:\{[^{}]*\}|(?:[-+^.0-9]|:+)?[A-Za-z])"


def parse(texts: pa.Array, format_: str) -> tuple[Seconds, NDArray[np.bool_]]:
    """Seconds (of dates: at midnight) per text, NaN where unreadable, and which non-null texts are unreadable."""
    if durations.is_format(format_):
        return durations.parse(texts)
    pattern = pattern_of(format_)
    trimmed = pc.utf8_trim_whitespace(texts)
    found = pc.extract_regex(trimmed, pattern)
    good = np.asarray(found.is_valid())
    names = re.findall(r"\(\?P<(\w)>", pattern)
    parts = _numbered({name: found.field(at).filter(pa.array(good)) for at, name in enumerate(names)}, format_)
    seconds = np.full(len(texts), np.nan)
    seconds[good] = _seconds(parts, int(good.sum()))
    return seconds, np.isnan(seconds) & np.asarray(texts.is_valid())


def spell(seconds: Seconds, format_: str, timezone: str | None = None) -> pa.Array:
    """Each moment as text, null for NaN; `timezone` is an offset such as `+02:00` or `UTC`."""
    if durations.is_format(format_):
        return durations.spell(seconds, format_)
    missing = np.isnan(seconds)
    micros = np.rint(np.where(missing, 0, seconds) * 1e6).astype(np.int64)
    if "%D" not in format_ and any(piece in _ZONES for piece in pieces_of(format_)):
        micros = micros + zones.offsets_at(np.floor(np.where(missing, 0, seconds)), timezone) * 10**6
    zone: pa.Array | str | None = timezone
    if timezone in zones.PLACES:
        zone = zones.written(zones.offsets_at(np.floor(np.where(missing, 0, seconds)), timezone))
    pieces, below = pieces_of(format_), micros
    micros = np.abs(micros) if {"%N", "%+N"} & set(pieces) else micros
    cells: list[pa.Array | str] = [_cell(below if p[-1] == "N" else micros, p, zone, format_) for p in pieces]
    texts = pc.binary_join_element_wise(*cells, "") if any(isinstance(c, pa.Array) for c in cells) else cells[0]
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), texts)


@cache
def pieces_of(format_: str) -> list[str]:
    """Directives and what stands between them."""
    return [piece for piece in re.split(f"({_DIRECTIVE})", format_) if piece]


@cache
def pattern_of(format_: str) -> str:
    """A regular expression of the texts of a format; each directive is a group called as its letter."""
    pieces = re.findall(rf"{_DIRECTIVE}|%.", format_)
    if unknown := [piece for piece in pieces if not read_by(piece)]:
        named = "%{...} lists 12 months or 7 days, each once, or 2 halves of a day, with | between them"
        raise SchemaError(f"format {format_!r}: {unknown[0]} is not known; use {' '.join(_FIELDS)}; {named}")
    return "^" + "".join(read_by(piece) or re.escape(piece) for piece in pieces_of(format_)) + "$"


def read_by(piece: str) -> str | None:
    """The regular expression that a directive is read by; None for other text."""
    if not piece.startswith("%{"):
        return _FIELDS.get(piece)
    words = languages.listed(piece)
    if len(words) == 2:
        return f"(?P<p>{'|'.join(map(re.escape, words))})"
    right = len(words) in (7, 12) and (languages.places(pa.array(words), words) == np.arange(len(words))).all()
    return f"(?P<{'a' if len(words) == 7 else 'b'}>{_NAMES})" if right else None


def _numbered(parts: dict[str, pa.Array], format_: str) -> dict[str, pa.Array]:
    """Parts with the number of the month, and of the day of the week, in place of their names; 0 for none."""
    out = dict(parts)
    for piece in pieces_of(format_):
        letter = piece[-1]
        words = languages.listed(piece) if letter == "}" else _MONTHS if letter in "bB" else _DAYS
        if piece.startswith("%") and letter in "bBaA}":
            if len(words) == 2:
                out["p"] = pc.if_else(pc.equal(parts["p"], words[1]), "PM", "AM")
                continue
            group = letter if letter != "}" else "b" if len(words) == 12 else "a"
            names = words if letter in "BA}" else tuple(name[:3] for name in words)
            out["m" if len(words) == 12 else "a"] = pa.array(languages.places(parts[group], names) + 1)
    return out


def _seconds(parts: dict[str, pa.Array], rows: int) -> Seconds:
    def number(name: str, otherwise: int) -> NDArray[np.int64]:
        if name not in parts:
            return np.full(rows, otherwise, np.int64)
        digits = pc.replace_substring_regex(pc.ascii_ltrim(parts[name], "+"), "^$", "0")
        return np.asarray(pc.cast(digits, pa.int64()))

    hour, minute, second = number("H", 0), number("M", 0), number("S", 0)
    bad = (hour > 23) | (minute > 59) | (second > 59)
    if "D" not in parts and "Y" not in parts and "y" not in parts:
        # A duration may last longer than a day, and one in minutes longer than an hour.
        bad = ("H" in parts) & (minute > 59) | ("M" in parts) & (second > 59)
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
        negative = np.asarray(pc.equal(parts["N"], "-")) if "N" in parts else False
        return np.where(bad, np.nan, np.where(negative, -clock, clock))
    days, wrong = _days(_year(parts), _month(parts, rows), number("d", 1))
    if "a" in parts:
        wrong |= (days + 3) % 7 + 1 != np.asarray(parts["a"])
    return np.where(bad | wrong, np.nan, days * float(DAY) + clock)


def _year(parts: dict[str, pa.Array]) -> NDArray[np.int64]:
    if "Y" in parts:
        return np.asarray(pc.cast(parts["Y"], pa.int64()))
    short = np.asarray(pc.cast(parts["y"], pa.int64()))
    return short + np.where(short < 69, 2000, 1900).astype(np.int64)  # POSIX strptime


def _month(parts: dict[str, pa.Array], rows: int) -> NDArray[np.int64]:
    return np.asarray(pc.cast(parts["m"], pa.int64())) if "m" in parts else np.ones(rows, np.int64)


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
    if read_by(piece) is None:
        return piece
    if piece in _ZONES:
        return _zone(timezone, piece)
    if piece[-1] in "DN" or piece == "%+H":
        return _lasting(micros, piece)
    if piece[-1] == "f":
        return _fraction(micros % 10**6, piece)
    if piece in ("%e", "%l", "%o"):
        return _unpadded(_cell(micros, "%I" if piece == "%l" else "%d", timezone, format_), piece)
    if piece[1] == "-":
        return pc.replace_substring_regex(_cell(micros, f"%{piece[-1]}", timezone, format_), "^0([0-9])", r"\1")
    if piece[1] == "^":
        return pc.utf8_upper(_cell(micros, f"%{piece[-1]}", timezone, format_))
    seconds = micros // 10**6
    if piece[-1] in "HIMSpP":
        largest = next((one for one in "DYydHIMS" if re.search(f"%[-:]?{one}", format_)), "")
        return _clock(seconds, piece, long=largest == piece[-1])
    days = (seconds // DAY).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    month = months.astype(np.int64) % 12
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    if piece in ("%Y", "%y"):
        full = _padded(10_000, 4).take(pa.array(np.clip(year, 0, 9999)))
        return full if piece == "%Y" else pc.utf8_slice_codeunits(full, 2, 4)
    if piece[-1] in "aAbB}":
        words: tuple[str, ...] = (
            languages.listed(piece) if piece[-1] == "}" else _MONTHS if piece[-1] in "bB" else _DAYS
        )
        half = seconds % DAY // (DAY // 2)
        which = month if len(words) == 12 else half if len(words) == 2 else (seconds // DAY + 3) % 7
        return pa.array([name[: 3 if piece[-1] in "ab" else None] for name in words]).take(pa.array(which))
    number = month + 1 if piece == "%m" else (days - months.astype("datetime64[D]")).astype(np.int64) + 1
    return _padded(60, 2).take(pa.array(number))


def _unpadded(digits: pa.Array, piece: str) -> pa.Array:
    """Two digits as a directive writes them: with a space in place of a zero, or as 1st, 2nd, 3rd."""
    if piece != "%o":
        return pc.replace_substring_regex(digits, "^0", " ")
    number = pc.replace_substring_regex(digits, "^0", "")
    for ends, ending in (("(^|[^1])1$", "st"), ("(^|[^1])2$", "nd"), ("(^|[^1])3$", "rd"), ("[0-9]$", "th")):
        number = pc.if_else(
            pc.match_substring_regex(number, ends), pc.binary_join_element_wise(number, ending, ""), number
        )
    return number


def _lasting(micros: NDArray[np.int64], piece: str) -> pa.Array:
    """A piece of a duration: its days, its sign, or its hours with a plus after days below zero."""
    days = micros // (DAY * 10**6)
    if piece == "%+H":
        hours = _padded(60, 2).take(pa.array(micros // (3600 * 10**6) % 24))
        return pc.binary_join_element_wise(pc.if_else(pa.array(days < 0), "+", ""), hours, "")
    if piece[-1] == "N":
        return pc.if_else(pa.array(micros < 0), "-", "+" if piece == "%+N" else "")
    number = pc.cast(pa.array(days), pa.string())
    if piece == "%D":
        return number
    word = pc.if_else(pa.array(np.abs(days) == 1), " day, ", " days, ")
    return pc.if_else(pa.array(days == 0), "", pc.binary_join_element_wise(number, word, ""))


def _clock(seconds: NDArray[np.int64], piece: str, *, long: bool) -> pa.Array:
    """A piece of the time of day; what is `long` counts all that there is."""
    of_day = seconds % DAY
    if long and piece in ("%H", "%M", "%S"):
        return pc.utf8_lpad(pc.cast(pa.array(seconds // {"H": 3600, "M": 60, "S": 1}[piece[1]]), pa.string()), 2, "0")
    if piece in ("%p", "%P"):
        return pa.array(["AM", "PM"] if piece == "%p" else ["am", "pm"]).take(pa.array(of_day // (12 * 3600)))
    hour = of_day // 3600
    number = {"%M": of_day // 60 % 60, "%S": of_day % 60, "%H": hour, "%I": (hour + 11) % 12 + 1}[piece]
    return _padded(60, 2).take(pa.array(number))


def _fraction(micros: NDArray[np.int64], piece: str) -> pa.Array:
    """The decimals of a second: six, as many as the piece says, or with their point as many as needed."""
    digits = pc.utf8_lpad(pc.cast(pa.array(micros), pa.string()), 6, "0")
    if piece in ("%.f", "%:f"):
        zeros = r"\.?0*$" if piece == "%.f" else r"\.0*$"
        return pc.replace_substring_regex(pc.binary_join_element_wise(".", digits, ""), zeros, "")
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
