"""Literals of an expression, turned into what encoded columns hold: codes of levels, days, seconds."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa

from tuckpoint.errors import InputError, SchemaError, did_you_mean
from tuckpoint.schema import Column
from tuckpoint.table import moments
from tuckpoint.table.engine import Field

Literal = str | float | bool
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SHOWN_LEVELS = 12
CLOCKS = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M", "%D days", "%D days %H:%M:%S", "%D days %H:%M:%S.%f")


def code(field: Field, literal: Literal) -> int:
    """The code of the level that a text, a number or True/False means.

    Raises SchemaError with the nearest level if the column has none like it.
    """
    levels = field.levels or ()
    if isinstance(literal, bool):
        known = [index for index, level in enumerate(levels) if level.lower() == str(literal).lower()]
    elif isinstance(literal, str):
        known = [levels.index(literal)] if literal in levels else []
    else:
        known = [index for index, level in enumerate(levels) if _number(level) == literal]
    if len(known) == 1:
        return known[0]
    shown = ", ".join(repr(level) for level in levels[:SHOWN_LEVELS])
    more = f" and {len(levels) - SHOWN_LEVELS} more" if len(levels) > SHOWN_LEVELS else ""
    pooled = '; levels that few people hold were pooled into "(rare)"' if "(rare)" in levels else ""
    text = literal if isinstance(literal, str) else f"{literal:g}" if isinstance(literal, float) else str(literal)
    raise SchemaError(
        f'column "{field.name}" has no level {text!r}{did_you_mean(text, levels)}; there are: {shown}{more}{pooled}'
    )


def moment(column: Column, text: str) -> float:
    """Days (date columns) or seconds (datetime columns) since 1970-01-01 of a date written as text.

    ISO text, or the format that the column itself was written in. Raises InputError if it is neither.
    """
    read = _read(column, text)
    if column.kind == "date":
        if read.timetz() != datetime.min.time():
            raise InputError(f'column "{column.name}" holds dates without a time; write {read.date().isoformat()!r}')
        return float((read.date() - EPOCH.date()).days)
    if read.tzinfo is None:
        read = read.replace(tzinfo=_zone(column.timezone))
    elif column.timezone is None:
        raise InputError(f'column "{column.name}" has no time zone; leave the zone out of {text!r}')
    return (read - EPOCH) / timedelta(seconds=1)


def duration(column: Column, text: str) -> float:
    """Seconds of a duration, or a time of day, written as text, in the format of the column or as in CLOCKS.

    Raises InputError if it is neither.
    """
    for format_ in (*([column.format] if column.format else []), *CLOCKS):
        seconds = float(moments.parse(pa.array([text]), format_)[0][0])
        if math.isfinite(seconds):
            return seconds
    raise InputError(
        f"{text!r} is no duration of column \"{column.name}\"; write it like '1:30:00', or as seconds: 5400"
    )


def decimals(number: float) -> int:
    """How many decimals a number was written with."""
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _number(level: str) -> float | None:
    try:
        return float(level)
    except ValueError:
        return None


def _read(column: Column, text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        seconds = float(moments.parse(pa.array([text]), column.format)[0][0]) if column.format else math.nan
    if not math.isfinite(seconds):
        example = date(2024, 1, 31).isoformat() + ("" if column.kind == "date" else " 12:30:00")
        raise InputError(f'{text!r} is no {column.kind} of column "{column.name}"; write it like {example!r}')
    zone = UTC if column.timezone else None
    return (EPOCH + timedelta(seconds=seconds)).replace(tzinfo=zone)


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", name)
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise SchemaError(f'unknown time zone "{name}"; use a name such as "Europe/Berlin" or "UTC"') from None
