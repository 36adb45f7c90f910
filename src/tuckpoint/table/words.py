"""Columns of text: numbers, moments and truth values that were written out, levels, codes, contact data, free text."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import count
from tuckpoint.schema import Column, Domain
from tuckpoint.table import formats, moments, numerals, patterns
from tuckpoint.table.quantities import MANY, MANY_SHARE, TINY, counted, fraction, nothing, range_of

COMMON = 5  # rows from which on a level counts as common
_TRUTHS = (("false", "true"), ("False", "True"), ("FALSE", "TRUE"))
_SCALES = (
    ("strongly disagree", "disagree", "somewhat disagree", "neutral", "somewhat agree", "agree", "strongly agree"),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("never", "rarely", "sometimes", "often", "usually", "always"),
    ("very low", "low", "medium", "moderate", "high", "very high"),
    ("none", "mild", "moderate", "severe", "critical"),
    ("very poor", "poor", "fair", "good", "very good", "excellent"),
    ("xxs", "xs", "s", "m", "l", "xl", "xxl", "xxxl"),
    ("tiny", "small", "medium", "large", "extra large"),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
)
_CALENDAR = re.compile(
    "january|february|march|april|june|july|august|sept|september|october|november|december|"
    "monday|tues|tuesday|weds|wednesday|thur|thurs|thursday|friday|saturday|sunday"
)
_FIGURE = r"^[^<>≤≥~]*[0-9]"  # how a text begins that may be a number or a moment
_NO_DAY = r"^(?:0{4}[-/.]?00[-/.]?00|00[-/.]00[-/.](?:00)?00)(?:[ T]?00:?00(?::?00)?)?$"
_MONTH = r"^(?:0?[1-9]|1[0-2])[.](?:19|20)[0-9]{2}$"  # which so many numbers would not all look like
MOST_LETTERS = 60  # of a moment
MOST_WORDS = 5  # among numbers or moments
SLIPS = 0.01  # share of cells that may hold words which few rows hold
_LIMIT = r"^(?:[<>≤≥]=?|~)\s*[0-9][0-9.,]*(?:\s*[^0-9]{1,12})?$"  # of what could be measured
_BETWEEN = ("/", "x", "×", ";", ",", "–", "-")  # two numbers of one cell
PAIRS = "numbers in a cell"
RARE_CODES = "codes that few rows share: made anew, not learnt"
MOST_DIGITS = 18  # that a computer writes of a number that it keeps with 15 to 17
NANOSECONDS = "moments are kept to microseconds: what is finer is written as 0"
_NUMBER = r"^[+-]?[0-9][0-9,]*\.?[0-9]*$"


def text(name: str, array: pa.ChunkedArray, missing: bool, born: str | None) -> Column:
    """The column that a text array is: a spelling of numbers or moments, levels, codes, contact data, or words."""
    found = array.drop_null().value_counts()
    texts, counts = found.field("values"), found.field("counts").to_numpy()
    trimmed = pc.utf8_trim_whitespace(texts)
    absent = numerals.is_missing(trimmed)
    present = trimmed.filter(pa.array(~absent)).unique() if absent.any() else trimmed.unique()
    if len(present) == 0:
        return nothing(name, pa.string(), "only words for missing values: made missing")
    typed = _boolean(name, present, born) or _written_number(name, present, counts, absent, array.null_count, born)
    typed = typed or _written_moment(name, present, born)
    typed = typed or _but_for_days(name, array, trimmed, counts, absent, born)
    typed = typed or _but_for_words(name, array, trimmed, counts, absent, born)
    if typed is None:
        return _words(name, texts, present, counts, array, missing, born)
    notes = [typed.note] if typed.note else []
    if absent.any():
        said = ", ".join(repr(word) for word in texts.filter(pa.array(absent)).to_pylist()[:4])
        notes.append(f"{count(int(counts[absent].sum()), 'cell says', 'cells say')} {said}: taken as missing")
        said_by = trimmed.filter(pa.array(absent)).unique().to_pylist()
        if len(said_by) == 1 and said_by[0] and not array.null_count and not typed.absent:
            typed = replace(typed, absent=tuple(said_by))  # a text file writes it again
    if not trimmed.equals(texts):
        notes.append("spaces around values are dropped")
    gone = missing or typed.missing or bool(absent.any())
    return replace(typed, missing=gone, note="; ".join(notes))


def _but_for_words(
    name: str, array: pa.ChunkedArray, texts: pa.Array, counts: NDArray[np.int64], absent: NDArray[np.bool_],
    born: str | None,
) -> Column | None:  # fmt: skip
    """Numbers or moments among which a few words stand, such as `<5` or `pending`: these are read as missing.

    A single word, if nothing else is missing, is written again where a made value is missing.
    """
    word = ~absent & ~np.asarray(pc.match_substring_regex(texts, _FIGURE))
    return _read_but(word, name, array, texts, counts, absent, born)


def _but_for_days(
    name: str, array: pa.ChunkedArray, texts: pa.Array, counts: NDArray[np.int64], absent: NDArray[np.bool_],
    born: str | None,
) -> Column | None:  # fmt: skip
    """Moments among which days stand that there are not, such as `0000-00-00`: these are read as missing."""
    nowhen = ~absent & np.asarray(pc.match_substring_regex(texts, _NO_DAY))
    word = nowhen | (~absent & ~np.asarray(pc.match_substring_regex(texts, _FIGURE)))
    column = _read_but(word, name, array, texts, counts, absent, born) if nowhen.any() else None
    return column if column is not None and column.kind in ("date", "datetime") else None


def _read_but(
    word: NDArray[np.bool_], name: str, array: pa.ChunkedArray, texts: pa.Array, counts: NDArray[np.int64],
    absent: NDArray[np.bool_], born: str | None,
) -> Column | None:  # fmt: skip
    """Numbers or moments among texts (n,) of which some are words, or limits such as `<0.5`."""
    rest = ~absent & ~word
    limit = word & np.asarray(pc.match_substring_regex(texts, _LIMIT))
    other = word & ~limit
    words = texts.filter(pa.array(word)).unique()
    present = texts.filter(pa.array(rest)).unique()
    if not len(words) or len(present) < TINY or counts[rest].sum() < counts[word].sum():
        return None
    if len(texts.filter(pa.array(other)).unique()) > MOST_WORDS or (
        other.any() and counts[other].min() < COMMON and counts[other].sum() > SLIPS * counts.sum()
    ):
        return None  # neither a word that is used nor a few slips among many numbers: a person must look
    gone = array.null_count + int(counts[word].sum())
    typed = _written_number(name, present, counts, absent | word, gone, born) or _written_moment(name, present, born)
    if typed is None or not typed.modelled:
        return None
    alone = len(words) == 1 and not array.null_count and not absent.any() and counts[word].sum() >= COMMON
    again = ", and written again where a made value is missing" if alone else ""
    notes = [typed.note, _limits(array, texts.filter(pa.array(limit)).unique(), int(counts[limit].sum()), again)]
    if other.any():
        said = ", ".join(repr(text) for text in texts.filter(pa.array(other)).unique().to_pylist())
        notes.append(f"{count(int(counts[other].sum()), 'cell says', 'cells say')} {said}: taken as missing{again}")
    known = tuple(words.to_pylist()) if alone or len(words) > 1 else (*words.to_pylist(), "")
    storage = "string" if alone else typed.storage
    return replace(typed, missing=True, absent=known, storage=storage, note="; ".join(filter(None, notes)))


def _limits(array: pa.ChunkedArray, limits: pa.Array, cells: int, again: str) -> str:
    """What is said of cells that are limits of what could be measured; nothing where there are none."""
    if not len(limits):
        return ""
    among = pc.is_in(pc.utf8_trim_whitespace(array), value_set=limits)
    row = int(np.argmax(np.asarray(pc.fill_null(among, False))))
    said = ", ".join(repr(text) for text in limits[:4].to_pylist()) + (", ..." if len(limits) > 4 else "")
    return (
        f"{count(cells, 'cell is a limit', 'cells are limits')} ({said}; first: row {row + 1} = "
        f"{array[row].as_py()!r}): taken as missing{again}; to have them learnt, write a number for each, such as half "
        "of it"
    )


def _boolean(name: str, present: pa.Array, born: str | None) -> Column | None:
    if len(present) > 2:
        return None
    said = set(present.to_pylist())
    words = next((pair for pair in _TRUTHS if said <= set(pair)), None)
    if words is None:
        return None
    written = None if words[0] == "false" else "/".join(words)
    return Column(
        name, "boolean", "bool" if born else "string", format=written, domain=Domain(levels=("false", "true"))
    )


def _written_number(
    name: str, present: pa.Array, counts: NDArray[np.int64], absent: NDArray[np.bool_], missing: int, born: str | None
) -> Column | None:
    picture = numerals.recognise(present)
    if picture is None or (patterns.special(name, present) or "").startswith("phone"):
        return None
    if (picture.prefix or picture.suffix) and len(present) < 3:
        return None  # "5 GB" and "10 GB" are names of two things
    if _may_be_bare(name, present) and formats.recognise(present, compact_dates=True) is not None:
        return None
    if len(present) >= TINY and pc.all(pc.match_substring_regex(present, _MONTH)).as_py():
        return None
    values, _ = numerals.parse(present, picture)
    if np.isinf(values).any():
        return None
    decimals = numerals.decimals_of(values)
    whole = decimals == 0
    storage = ("int64" if whole and not picture.places else "double") if born else "string"
    column = Column(name, "decimal", storage, format=numerals.needed(picture, present, decimals))
    column = replace(column, unit=(picture.prefix + picture.suffix).strip() or None)
    if column.format is not None and (picture.group or picture.point == ","):
        column = replace(column, note=f"numbers are written like {picture}")
    digits = pc.max(pc.utf8_length(pc.replace_substring_regex(present, r"[eE].*$|[^0-9]|^[^1-9]*", ""))).as_py()
    if digits >= MOST_DIGITS:
        told = f"up to {digits} digits, of which {numerals.MAX_DIGITS} are kept"
        column = replace(column, note="; ".join(filter(None, (column.note, told))))
    cells = int(counts[~absent].sum())
    return counted(values, decimals, column, rows=cells + missing + int(counts[absent].sum()), cells=cells)


def _may_be_bare(name: str, present: pa.Array) -> bool:
    """Whether digits alone may be moments: by the name, or because so many would hardly all be days by chance."""
    called = {"date", "day", "dob", "datum", "birthdate", "dt"} & set(patterns.words_of(name))
    return bool(called) or (len(present) >= TINY and not patterns.names_an_id(name))


def _written_moment(name: str, present: pa.Array, born: str | None) -> Column | None:
    read = formats.recognise(present, compact_dates=_may_be_bare(name, present))
    return None if read is None else _moment(name, present, read, born)


def _moment(name: str, present: pa.Array, read: formats.Reading, born: str | None) -> Column:
    """The column of moments that texts are by a reading."""
    zone = f", tz={read.timezone}" if read.timezone else ""
    stored = {"date": "date32[day]", "datetime": f"timestamp[us{zone}]", "duration": "duration[us]"}[read.kind]
    seconds, _ = moments.parse(present, read.format)
    finer = "f" in read.format and pc.any(pc.match_substring_regex(present, r"[.,][0-9]{6}0*[1-9]")).as_py()
    decimals = fraction(np.rint(seconds * 1e6).astype(np.int64), 10**6)
    return Column(
        name,
        "date" if read.kind == "date" else "datetime" if read.kind == "datetime" else "duration",
        stored if born else "string",
        timezone=read.timezone,
        format=read.format,
        decimals=None if read.kind == "date" else decimals,
        domain=range_of(np.floor(seconds / moments.DAY) if read.kind == "date" else seconds),
        note="; ".join(filter(None, (read.note, NANOSECONDS if finer else ""))),
    )


def _words(
    name: str,
    texts: pa.Array,
    present: pa.Array,
    counts: NDArray[np.int64],
    array: pa.ChunkedArray,
    missing: bool,
    born: str | None,
) -> Column:
    """Levels, codes, contact data or free text."""
    rows, different = int(counts.sum()), len(texts)
    note = _doubts(present, array, born)
    special = patterns.special(name, present)
    if special is not None:
        personal = special not in ("uuid", "url")
        return Column(name, "identifier", "string", missing, pattern=special, personal=personal, note=note)
    months = None if _are_levels(texts, counts, rows, different) else formats.recognise_months(present)
    if months is not None and rows >= TINY:
        return replace(_moment(name, present, months, born), missing=missing, note=note)
    code_like = different > 1 and patterns.is_code_like(texts)
    called = patterns.names_an_id(name)
    if code_like and (
        (different == rows and (called or rows >= TINY))
        or (called and different > max(MANY, MANY_SHARE * rows))
        or (rows >= TINY and different > 0.5 * rows and different > 20)
    ):
        told = _pairs(present) or ("" if called or different == rows else RARE_CODES)
        note = "; ".join(filter(None, (note, told)))
        return Column(name, "identifier", "string", missing, pattern=patterns.code_of(name, texts), note=note)
    if not _are_levels(texts, counts, rows, different):
        if rows >= TINY and patterns.is_code_like(pc.replace_substring(present, " ", "")) and _is_short(present):
            told = _pairs(present) or RARE_CODES
            note = "; ".join(filter(None, (note, told)))
            return Column(name, "identifier", "string", missing, pattern=patterns.code_of(name, texts), note=note)
        return Column(name, "text", "string", missing, pattern=patterns.words_pattern(texts), note=note)
    levels = in_order(texts.to_pylist())
    if levels is not None:
        return Column(name, "ordered", "string", missing, domain=Domain(levels=tuple(levels)), note=note)
    ranked = sorted(zip((-counts).tolist(), texts.to_pylist(), strict=True))
    return Column(
        name, "category", "string", missing, domain=Domain(levels=tuple(level for _, level in ranked)), note=note
    )


def _pairs(present: pa.Array) -> str:
    """What is said of cells that hold several numbers, such as a blood pressure or a range; nothing of others."""
    for mark in _BETWEEN:
        number = r"-?[0-9]{1,4}\.[0-9]+" if mark == "," else r"-?[0-9]{1,4}(?:[.,][0-9]+)?"
        cell = rf"^{number}(?:\s*{re.escape(mark)}\s*{number})+(?:\s?[^\s0-9]{{1,6}})?$"
        if pc.all(pc.match_substring_regex(present, cell)).as_py():
            many = len(re.findall(rf"[0-9]\s*{re.escape(mark)}", present[0].as_py())) + 1
            told = f"{many} {PAIRS}, with {mark!r} between: made anew, not learnt"
            return f"{told}; split them into {many} columns to have them learnt"
    return ""


def _is_short(texts: pa.Array) -> bool:
    """Whether texts are as short as codes, and none has a word in lower case; those without letters may be longer."""

    def some(pattern: str) -> bool:
        return bool(pc.any(pc.match_substring_regex(texts, pattern)).as_py())

    longest = pc.max(pc.utf8_length(texts)).as_py()
    return not some(r"[a-z]{3}") and (longest <= 20 or (longest <= 40 and not some(r"\p{L}")))


def _are_levels(texts: pa.Array, counts: NDArray[np.int64], rows: int, different: int) -> bool:
    """Whether texts repeat like levels: most rows hold one that is common."""
    if different <= 2 and rows > different:
        return True
    if rows < TINY:
        return float(pc.mean(pc.utf8_length(texts)).as_py()) <= 40
    return bool(counts[counts >= COMMON].sum() >= 0.5 * rows or different <= min(TINY, rows // 2))


def _doubts(present: pa.Array, array: pa.ChunkedArray, born: str | None) -> str:
    notes = []
    plain = np.asarray(pc.match_substring_regex(present, _NUMBER))
    if 0.5 <= plain.mean() < 1 and len(present) >= 10:
        notes.append(_mixed(present, ~plain, array, "numbers"))
    elif pc.max(pc.utf8_length(present)).as_py() <= MOST_LETTERS:
        notes += _moments_among(present, array)
    if born is not None and born not in ("utf-8", "utf-16") and not pc.all(pc.string_is_ascii(present)).as_py():
        notes.append(f"the file is not UTF-8: read as {born}")
    return "; ".join(notes)


def _mixed(present: pa.Array, odd: NDArray[np.bool_], array: pa.ChunkedArray, what: str) -> str:
    """What is said of texts of which some, the odd (n,), are not what the others are."""
    trimmed = pc.utf8_trim_whitespace(array.cast(pa.string()))
    row = int(np.argmax(np.asarray(pc.is_in(trimmed, value_set=present.filter(pa.array(odd))))))
    return (
        f"mixed: {int((~odd).sum())} of {len(present)} different values are {what}, the rest are not (first: row "
        f"{row + 1}); clean them to have {what.partition(' ')[0]}"
    )


def _moments_among(present: pa.Array, array: pa.ChunkedArray) -> list[str]:
    """What is said of texts of which most are moments, written alike."""
    if not re.search("[0-9]", present[0].as_py()):
        return []
    digits = pc.replace_substring_regex(present, "[0-9]", "9")
    shapes = pc.replace_substring_regex(digits, r"\p{L}+", "A")
    found = shapes.value_counts()
    usual = found[int(np.argmax(found.field("counts").to_numpy()))]
    if not max(10, 0.5 * len(present)) <= usual["counts"].as_py() < len(present):
        return []
    read = formats.recognise(present.filter(pc.equal(shapes, usual["values"]))[:10])
    if read is None:
        return []
    odd = moments.parse(present, read.format)[1]
    return [_mixed(present, odd, array, f"moments written like {read.format}")] if odd.any() else []


def in_order(levels: list[str]) -> list[str] | None:
    """The levels of a known scale, or of ranges of numbers, in their order; None for others."""
    if len(levels) < 3:
        return None
    folded = {level: level.strip().casefold().replace("_", " ").replace("-", " ") for level in levels}
    short = {level: word[:3] if _CALENDAR.fullmatch(word) else word for level, word in folded.items()}
    for scale in _SCALES:
        if len(set(short.values())) == len(levels) and set(short.values()) <= set(scale):
            return sorted(levels, key=lambda level: scale.index(short[level]))
    return _ranges(levels)


def _ranges(levels: list[str]) -> list[str] | None:
    """`<18`, `18-24`, `65+` by their numbers."""
    number = r"[$€£]?\s?(\d[\d.,]*)\s?[kKmM%]?"
    edges: dict[str, tuple[float, float]] = {}
    for level in levels:
        text = level.strip().lower()
        between = re.fullmatch(rf"[\[(]?\s*{number}\s*(?:-|–|to|,\s)\s*{number}\s*[\])]?(?: \w+)?", text)
        below = re.fullmatch(rf"(?:<=?|under|below|less than|up to)\s*{number}(?: \w+)?", text)
        above = re.fullmatch(
            rf"(?:>=?|over|above|more than)\s*{number}(?: \w+)?|{number}\s*(?:\+|and over|or more)(?: \w+)?", text
        )
        if between:
            edges[level] = (_value(between[1]), _value(between[2]))
        elif below:
            edges[level] = (-np.inf, _value(below[1]))
        elif above:
            edges[level] = (_value(above[1] or above[2]), np.inf)
        else:
            return None
    if len(set(edges.values())) < len(levels) or any(np.isnan(edge).any() for edge in edges.values()):
        return None
    return sorted(levels, key=lambda level: edges[level])


def _value(text: str) -> float:
    try:
        return float(text.replace(",", "").rstrip("."))
    except ValueError:
        return float("nan")
