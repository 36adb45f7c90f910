"""Quotes in delimited text that were opened and never closed, told from honest values of several lines."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError

_Look = Callable[[str], bool] | None
BREAK = r"\r\n|\n|\r"
FIGURE = re.compile(r"^[+-]?[0-9][0-9.,:/T +-]*$")
MOSTLY = 0.95  # share of a column that are figures, where all its cells should be
FEW = 50  # levels of a column whose cells should be among them
DO = 'close it, or write it twice ("") inside quotes where it belongs to the text'


def check(data: bytes, separator: str, name: str) -> None:
    """Raise InputError at the first quote that is open at the end of the file, or runs over lines into another value.

    A value that closes is followed by a separator or the end of a line; one that was never closed ends where the next
    quote opens, and more text follows.
    """
    mark = re.escape(separator.encode())
    opened = re.compile(rb'"(?:(?<=\A")|(?<=[\r\n]")|(?<=' + mark + rb'"))[^"]*+(?:""[^"]*+)*+("?)')
    closed = re.compile(rb" *(?:" + mark + rb"|[\r\n]|\Z)")
    for found in opened.finditer(data):
        start, end = found.span()
        if not found[1]:
            raise InputError(f"{name}: the quote opened in line {_line(data, start)} is never closed; {DO}")
        over = data.count(b"\n", start, end) or data.count(b"\r", start, end)
        if over and closed.match(data, end) is None:
            raise InputError(_told(name, _line(data, start), over))


def check_rows(table: pa.Table, data: bytes, separator: str, name: str) -> None:
    """Raise InputError if a value holds whole rows of the table, which a quote swallowed up to a stray one.

    Each line of it has as many cells as the header, and they look like those of their columns: figures where nearly all
    are figures, known levels where there are few.
    """
    width, looks = table.num_columns, list[_Look]()
    for at, column in enumerate(table.columns if width > 1 else ()):
        breaks = pc.count_substring_regex(column, BREAK)
        cells = pc.multiply(breaks, width - 1)
        whole = pc.and_(pc.greater(breaks, 0), pc.equal(pc.count_substring(column, separator), cells))
        for row in pc.indices_nonzero(pc.fill_null(whole, False)).to_pylist():
            looks = looks or [_look(other) for other in table.columns]
            text = column[row].as_py()
            if '"' not in text and _are_rows(table, row, at, separator, looks):
                start = data.find(b'"' + text.encode())
                raise InputError(_told(name, _line(data, start), len(re.findall(BREAK, text))))


def breaks_lines(table: pa.Table) -> bool:
    """Whether a name or a value runs over several lines."""
    if any(re.search(BREAK, name) for name in table.column_names):
        return True
    return any(pc.any(pc.match_substring_regex(column, "[\r\n]")).as_py() for column in table.columns)


def _are_rows(table: pa.Table, row: int, at: int, separator: str, looks: list[_Look]) -> bool:
    """Whether a value is the end of one row, whole rows, and the start of another."""
    lines = [line.split(separator) for line in re.split(BREAK, table.column(at)[row].as_py())]
    width = table.num_columns
    if len(lines[0]) != width - at or len(lines[-1]) != at + 1 or any(len(line) != width for line in lines[1:-1]):
        return False

    def fits(line: list[str], first: int) -> list[bool]:
        tests = zip(looks[first:], line, strict=False)
        return [look(cell) for look, cell in tests if look is not None and cell]

    told = [fits(lines[0], at) + fits(lines[-1], 0), *(fits(line, 0) for line in lines[1:-1])]
    return all(line and all(line) for line in told)  # what nothing is known of proves nothing


def _look(column: pa.ChunkedArray) -> _Look:
    """A test whether a cell looks like those of a column; None where anything may stand."""
    held = column.drop_null()
    if not len(held):
        return None
    figures = pc.match_substring_regex(held, FIGURE.pattern)
    if pc.mean(pc.cast(figures, pa.float64())).as_py() >= MOSTLY:
        return lambda cell: FIGURE.match(cell) is not None
    levels = set(held.unique().to_pylist())
    return levels.__contains__ if len(levels) <= min(FEW, len(held) / 2) else None


def _line(data: bytes, place: int) -> int:
    """The line of a place, from 1."""
    return (data.count(b"\n", 0, place) or data.count(b"\r", 0, place)) + 1


def _told(name: str, line: int, over: int) -> str:
    return (
        f"{name}: the quote opened in line {line} is not closed there and swallows the row{'s' if over > 1 else ''} up "
        f"to line {line + over}; {DO}"
    )
