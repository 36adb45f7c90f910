"""Which format a column of dates, times or durations is written in; `table.moments` tells what formats say."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.table import durations, languages, zones
from tuckpoint.table.moments import DAY, parse, pattern_of, pieces_of, read_by

_SHORT = ("%d-%m-%y", "%m-%d-%y", "%y-%m-%d")
_DATES = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y",
    "%m-%d-%Y",
    "%d-%m-%Y",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y",
    "%y/%m/%d",
    *("%d. %m. %Y", "%Y. %m. %d.", "%Y.%m.%d.", "%d.%m.%Y.", "%Y年%m月%d日"),
    *_SHORT,
)
_NAMED = (
    *("%d {} %Y", "%d-{}-%Y", "{} %d, %Y", "%d. {} %Y", "%d/{}/%Y", "%d.{}.%Y", "%d-{}-%y", "%d {} %y", "%d. {} %y"),
    *(
        "%d de {} de %Y",
        "%d de {} %Y",
        "%d de {} del %Y",
        "%Y-{}-%d",
        "%Y {} %d",
        "%d{}%Y",
        "%d{}%y",
        "{}-%d-%Y",
        "{} %d %Y",
    ),
    *("{} %e %Y", "%o {} %Y", "{} %o, %Y", "{} %o %Y"),
)
_MONTHS = ("%Y-%m", "%m/%Y", "%m.%Y", "%m-%Y", "%Y/%m", "%Y.%m")
_NAMED_MONTHS = ("{} %Y", "{}-%Y", "{}/%Y", "{}.%Y", "%Y {}", "%Y-{}", "{}-%y", "{} %y")
_CENTURIES = r"(?:^|[^0-9])(?:19|20)[0-9]{2}(?:$|[^0-9])|^\D+[0-9]{2}$"
_CLOCKS = (
    *("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"),
    *("%H:%M:%S%.f", "%H:%M:%S,%f", "%I:%M:%S%p", "%I:%M%p"),
)
_SPOKEN = ("%H:%M Uhr", "%H:%M:%S Uhr", "%H.%M Uhr", "%H:%M h", "%H:%M:%S h", "%Hh%M", "%H h %M")
_AFTER_DATES = (
    *_CLOCKS,
    *("%H%M%S", *_SPOKEN, "%H.%M.%S", "%H.%M.%S.%f", "%H.%M", "%I.%M.%S %p", "%I.%M.%S.%f %p", "%I:%M:%S.%f %p"),
    *("%l:%M%p", "%l:%M:%S%p", "%H:%M:%S:%f"),
)
_ZONES = ("", "%z", " %z", " UTC", " GMT", " GMT%z")
_BETWEEN = (" ", "T", ", ", " um ", " à ", "  ", "-", ":")
_SPANS = (
    *_CLOCKS,
    *_SPOKEN,
    *(days + clock for days in ("%D days ", "%D days, ") for clock in ("%H:%M:%S", "%H:%M:%S.%f")),
    *(f"%D days %+H:%M:%S{fraction}" for fraction in ("", "%:f")),
    *(f"%:D%H:%M:%S{fraction}" for fraction in ("", "%:f")),
    *("%Hh %-Mm", "%Hh%-Mm", "%Hh %-Mm %-Ss", "%Hh%-Mm%-Ss", "%H h %-M min", "%H h %-M m", "%Dd %Hh %-Mm"),
    *("%-M:%S.%f", "%-M:%S,%f", "%-Mm %-Ss", "%-Mm%-Ss", "%-M min %-S s"),
    *(f"%N{clock}" for clock in ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M:%S%.f", "%H:%M")),
)
_YEAR_FIRST = {"%d/%m/%y": "%y/%m/%d", "%d-%m-%y": "%y-%m-%d"}
_AMBIGUOUS = {"%m/%d/%Y": "%d/%m/%Y", "%m-%d-%Y": "%d-%m-%Y", "%m/%d/%y": "%d/%m/%y", "%m-%d-%y": "%d-%m-%y"}
_COMPACT = ("%Y%m%dT%H%M%S", "%Y%m%d %H%M%S")
_HALVES = re.compile(r"[0-9] ?([AaPp]\. ?[Mm]\.)$")
FEW = 5  # dates from which on they are told from codes
MANY = 20  # times from which on they are told from codes
_SIX = r"^(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9](?:\.[0-9]+)?$"
_FOUR = r"^(?:[01][0-9]|2[0-3])[0-5][0-9]$"
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
    lasting = durations.recognise(texts)
    if lasting is not None:
        return Reading("duration", lasting)
    found = (_bare(texts) if compact_dates else None) or _recognised(texts)
    return None if found is None else replace(found, format=_as_written(found.format, texts))


def recognise_months(texts: pa.Array) -> Reading | None:
    """How distinct trimmed texts spell months without a day; None if they do not."""
    names = languages.names_in(texts) if len(texts) else None
    layouts = _MONTHS if names is None else tuple(one.replace("{}", names.months) for one in _NAMED_MONTHS)
    format_ = next((one for one in layouts if _fits(texts, one)), None)
    if format_ is None or not pc.all(pc.match_substring_regex(texts, _CENTURIES)).as_py():
        return None
    return Reading("date", _as_written(format_, texts))


def _bare(texts: pa.Array) -> Reading | None:
    """Moments of this and the last century, or of the year 9999, written in digits alone."""
    lengths = pc.utf8_length(pc.replace_substring_regex(texts, r"(?:\.[0-9]{1,9})?(?:[+-][0-9]{4})?$", "")).unique()
    format_ = _BARE.get(lengths[0].as_py()) if len(lengths) == 1 else None
    if format_ is None:
        return _bare_clock(texts) or _bare_day(texts)
    if not pc.all(pc.match_substring_regex(texts, r"^(?:19|20|9999)[0-9]+(?:\.[0-9]+)?(?:[+-][0-9]{4})?$")).as_py():
        return None
    for rest in ("", "%z", ".%f", ".%f%z") if format_ != "%Y%m%d" else ("",):
        if _fits(texts, format_ + rest):
            return Reading("date", format_) if format_ == "%Y%m%d" else _timed(texts, format_ + rest, "%Y%m%d")
    return None


def _bare_day(texts: pa.Array) -> Reading | None:
    """Days written in six digits, in several months, which so many numbers would not all be by chance."""
    if len(texts) < MANY or not pc.all(pc.match_substring_regex(texts, "^[0-9]{6}$")).as_py():
        return None
    for format_ in ("%y%m%d", "%d%m%y"):
        if not _fits(texts, format_):
            continue
        found = pc.extract_regex(texts, pattern_of(format_))
        years, months, days = (len(found.field(part).unique()) for part in "ymd")
        if days > max(12, years) and months >= 3:
            return Reading("date", format_)
    return None


def _bare_clock(texts: pa.Array) -> Reading | None:
    """Times of day written in six digits or four, which so many numbers or codes would not all be by chance.

    Some begin with a zero, as no number does, and some are past ten, as no short count is.
    """
    format_ = next((one for one in ("%H%M%S", "%H%M%S.%f") if _fits(texts[:1], one)), None)
    if len(texts) < MANY:
        return None
    if pc.all(pc.match_substring_regex(texts, _FOUR)).as_py():
        minutes = pc.utf8_slice_codeunits(texts, 2, 4).unique()
        format_ = "%H%M" if len(minutes) >= 3 else None  # hundreds and fifties are counted
    elif not pc.all(pc.match_substring_regex(texts, _SIX)).as_py():
        format_ = None
    if format_ is None:
        return None
    some = [pc.any(pc.match_substring_regex(texts, start)).as_py() for start in ("^0", "^1", "^2|^1[2-9]")]
    return Reading("duration", format_) if all(some) and _fits(texts, format_) else None


def _recognised(texts: pa.Array) -> Reading | None:
    if not len(texts):
        return None
    halves = _HALVES.search(texts[0].as_py())
    if halves is not None:
        return _halved(texts, halves[1])
    sample = texts[:: max(1, len(texts) // 20)][:20]
    dates = _dates(texts)
    for format_ in dates:
        if _fits(sample, format_) and _fits(texts, format_):
            if format_ in _SHORT and len(texts) < FEW:
                return None  # three numbers of two digits may be a code
            date, note = _order(texts, format_)
            return Reading("date", date, note=note)
    for format_ in (date.removesuffix(" %Y") + " %H:%M:%S %Y" for date in dates if date.endswith((" %d %Y", "%e %Y"))):
        if _fits(sample, format_) and _fits(texts, format_):
            return Reading("datetime", format_)
    for format_ in _SPANS:
        if _fits(sample, format_) and _fits(texts, format_):
            return Reading("duration", format_)
    place = re.search(r"\[\w+(?:/[\w+-]+)*\]$", texts[0].as_py())
    zones_ = _ZONES if place is None else (f"%z{place[0]}",)
    for date in (*dates, "%Y%m%d"):
        if not pc.all(pc.match_substring_regex(sample, pattern_of(date).removesuffix("$"))).as_py():
            continue
        for clock in _AFTER_DATES:
            for between in _BETWEEN:
                for zone in zones_:
                    format_ = date + between + clock + zone
                    if _fits(sample, format_) and _fits(texts, format_):
                        date, note = _order(texts, date, format_.removeprefix(date))
                        read = _timed(texts, date + format_[len(date) :], date)
                        return replace(read, note="; ".join(filter(None, (note, read.note))))
    return None


def _halved(texts: pa.Array, word: str) -> Reading | None:
    """Moments with `a. m.` and `p. m.`, or a like pair, written as the first has it."""
    letter = "p" if "P" in word.upper() else "a"
    pair = [re.sub(f"(?i){letter}", one if word.islower() else one.upper(), word, count=1) for one in "ap"]
    plain = pc.replace_substring(pc.replace_substring(texts, pair[0], "AM"), pair[1], "PM")
    read = _recognised(plain)
    if read is None or "%p" not in read.format:
        return None
    return replace(read, format=read.format.replace("%p", "%{" + "|".join(pair) + "}"))


def _order(texts: pa.Array, date: str, rest: str = "") -> tuple[str, str]:
    """The date of a format that these texts fit, or one that they fit as well and more likely, and what is doubtful."""
    other, years = _AMBIGUOUS.get(date), _YEAR_FIRST.get(date)
    if years is not None and _fits(texts, years + rest):
        found = pc.extract_regex(texts, pattern_of(date + rest))
        if len(found.field("d").unique()) < len(found.field("y").unique()):
            date, years = years, date
        return (
            date,
            f"which are years and which days is not certain: read as {date}; correct the format if it is {years}",
        )
    doubt = other is not None and _fits(texts, other + rest)
    note = f"month or day first is not certain: read as {date}; correct the format if it is {other}"
    return date, note if doubt else ""


def _dates(texts: pa.Array) -> tuple[str, ...]:
    """The formats of dates that may be: those with names, with the days of the week, where the texts hold them."""
    names = languages.names_in(texts)
    if names is None:
        return _DATES
    named = tuple(format_.replace("{}", names.months) for format_ in _NAMED) if names.months else _DATES
    if not names.days:
        return named
    return tuple(names.days + between + date for between in (", ", " ", ", den ", " ") for date in named)


def _as_written(format_: str, texts: pa.Array) -> str:
    """The format with each directive as nearly all texts agree to write it: without zeros in front, in capitals."""
    found = pc.extract_regex(texts, pattern_of(format_))
    names = re.findall(r"\(\?P<(\w)>", pattern_of(format_))
    cells = {name: found.field(at) for at, name in enumerate(names)}
    pieces = [_variant(piece, cells) if read_by(piece) else piece for piece in pieces_of(format_)]
    return "".join(pieces)


def _variant(piece: str, held: dict[str, pa.Array]) -> str:
    """The directive that writes these cells, which this one reads; itself where they do not agree."""
    letter = piece[-1]
    cells = held.get(letter)
    if cells is None:
        return piece

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(cells, pattern)).as_py())

    if letter in "MS":
        return piece if some("^[0-9]$") and not some("^0[0-9]") else f"%{letter}"
    if letter in "dmHI" and piece[1] not in "el" and some("^[0-9]$"):
        return piece if some("^0[0-9]") or piece == "%+H" else f"%-{letter}"
    if piece == "%N" and not some("^$"):
        return "%+N"
    if letter in "bBaA":
        return piece if some("[a-z]") else f"%^{letter}"
    if letter == "p":
        return piece if some("[A-Z]") else "%P"
    if piece == "%f":
        lengths = pc.min_max(pc.utf8_length(cells))
        return f"%{lengths['max']}f" if lengths["min"] == lengths["max"] and lengths["max"].as_py() != 6 else piece
    if letter == "z" and not some("^.[0-9]{4}$"):
        return "%:z" if some(":") or not some("^[+-]") else "%:::z"
    return piece


def _midnight(texts: pa.Array, format_: str, date: str) -> str | None:
    """The format of a date whose texts all write this one's clock alike, as midnight; None where they do not."""
    if (parse(texts, format_)[0] % DAY != 0).any():
        return None
    rest = pc.extract_regex(texts, pattern_of(date).removesuffix("$") + "(?P<rest>.*)$").field("rest").unique()
    return date + rest[0].as_py() if len(rest) == 1 else None


def _timed(texts: pa.Array, format_: str, date: str) -> Reading:
    if format_.endswith((" UTC", " GMT")):
        return Reading("datetime", format_, "UTC")
    if "%z" not in format_:
        zeros = _midnight(texts, format_, date)
        return Reading("datetime", format_) if zeros is None else Reading("date", zeros)
    found = pc.unique(pc.extract_regex(texts, pattern_of(format_)).field("z")).to_pylist()
    if found == ["Z"]:
        return Reading("datetime", format_.replace("%z", "Z"), "UTC")
    if len(found) == 1:
        offset = f"{found[0][:3]}:{found[0][3:].removeprefix(':') or '00'}"
        return Reading("datetime", format_, "UTC" if offset in ("+00:00", "-00:00") else offset)
    offsets = zones.offsets_of(pc.extract_regex(texts, pattern_of(format_)).field("z"))
    moments = parse(texts, format_)[0]
    for place in zones.PLACES:
        if (zones.offsets_at(np.floor(moments), place) == offsets).all():
            return Reading("datetime", format_, place, note=f"offsets are those of {place}, or a place like it")
    return Reading("datetime", format_, "UTC", note=f"{len(found)} different offsets: kept as moments, written in UTC")


def _fits(texts: pa.Array, format_: str) -> bool:
    if len(texts) == 0 or not pc.all(pc.match_substring_regex(texts, pattern_of(format_))).as_py():
        return False
    return not np.isnan(parse(texts, format_)[0]).any()
