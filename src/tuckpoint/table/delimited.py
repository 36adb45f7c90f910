"""Delimited text files as tables of strings: packing, encoding, separator and ragged rows settled at the edge."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from tuckpoint.errors import InputError, count
from tuckpoint.table import quotes
from tuckpoint.write.csv import SEPARATOR

PACKED = (".gz", ".bz2", ".xz", ".zst")
SUFFIXES = tuple(kind + packed for kind in (".csv", ".tsv") for packed in ("", *PACKED))
SEPARATORS = (",", ";", "\t", "|")
PARTED = "one of , ; tab or |"
MARK = b"tuckpoint.cells"  # field metadata of a column whose text is a spelling, not its type; holds the encoding
PROBE_BYTES = 1 << 16
PROBE_ROWS = 50
MAX_CELL_BYTES = 1 << 24


def read(path: Path) -> pa.Table:
    """All columns as text, null where the cell is empty, each field marked with `MARK`, an unusual separator told.

    UTF-8 (with or without a byte order mark), UTF-16 with one, else Windows-1252; the separator is sniffed.
    Raises InputError for an empty, damaged or ragged file, or a quote that is not closed; it says in which line.
    """
    data = _unpacked(path)
    if not data.strip():
        raise InputError(f"{path.name} is empty: no header and no rows; pass a file with a header line")
    data, encoding = _as_utf8(data, path.name)
    data, said = _said(data.removesuffix(b"\x1a"), path.name)
    separator = said or ("\t" if ".tsv" in path.suffixes else _separator(data, path.name))
    table = _filled_rows(_parsed(data, separator, path.name))
    if b'"' in data and quotes.breaks_lines(table):
        quotes.check(data, separator, path.name)
        quotes.check_rows(table, data, separator, path.name)
    names = _filled(table.column_names)
    fields = [pa.field(name, pa.string(), metadata={MARK: encoding.encode()}) for name in names]
    unusual = separator != "," and ".tsv" not in path.suffixes
    told = {SEPARATOR: separator.encode()} if unusual else None
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, metadata=told))


def _unpacked(path: Path) -> bytes:
    suffix = path.suffix.lower()
    try:
        data = path.read_bytes()
        if suffix == ".zst":
            with pa.CompressedInputStream(pa.py_buffer(data), "zstd") as stream:
                return bytes(stream.read())
        unpack = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}.get(suffix, bytes)
        return unpack(data)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except (OSError, EOFError, lzma.LZMAError, ValueError) as error:
        raise InputError(f"{path.name} cannot be unpacked as {suffix}: {error}; is the file whole?") from None


def _as_utf8(data: bytes, name: str) -> tuple[bytes, str]:
    """The same text in UTF-8 without a byte order mark, and the encoding that it was in."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16").encode(), "utf-16"
        except UnicodeDecodeError as error:
            raise InputError(f"{name} starts like UTF-16 but is not: {error}; save it as UTF-8") from None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\x00" in data[:PROBE_BYTES]:
        raise InputError(f"{name} holds zero bytes: it is no text file; save the table as CSV in UTF-8, or as Parquet")
    try:
        data.decode("utf-8")
        return data, "utf-8"
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        try:
            return data.decode("cp1252").encode(), "cp1252"
        except UnicodeDecodeError:
            raise InputError(
                f"{name}: byte 0x{data[error.start]:02x} in line {line} is neither UTF-8 nor Windows-1252; "
                "save the file as UTF-8"
            ) from None


def _said(data: bytes, name: str) -> tuple[bytes, str | None]:
    """The separator that a first line `sep=;` tells spreadsheets, and the data with that line empty."""
    line = re.match(rb'"?sep=([^\r\n"])"?(?=\r|\n)', data, re.IGNORECASE)
    if line is None:
        return data, None
    separator = line[1].decode()
    if separator not in SEPARATORS:
        raise InputError(f"{name} begins with {line[0].decode()}, and cells are parted by {PARTED}; save it with one")
    return data[line.end() :], separator


def _filled_rows(table: pa.Table) -> pa.Table:
    """The table without the empty rows at its end, which spreadsheets leave."""
    if table.num_columns < 2 or not table.num_rows:
        return table
    some = np.zeros(table.num_rows, bool)
    for column in table.columns:
        some |= np.asarray(column.is_valid())
        if some[-1]:
            return table
    return table.slice(0, int(np.flatnonzero(some)[-1]) + 1) if some.any() else table


def _separator(data: bytes, name: str) -> str:
    """The separator that splits most of the first lines into as many cells as the header has.

    Raises InputError where one splits them all alike but not the header.
    """
    probe = data[:PROBE_BYTES].decode("utf-8", "ignore")
    best, best_score, below = ",", (0.0, 1), 1
    for separator in SEPARATORS:
        try:
            lines = csv.reader(io.StringIO(probe, newline=""), delimiter=separator)
            rows = [row for row, _ in zip(lines, range(PROBE_ROWS), strict=False) if row]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 1
        inner = rows[1:-1] if len(data) > PROBE_BYTES else rows[1:]
        same = sum(len(row) == width for row in inner) / len(inner) if inner else 1.0
        if width > 1 and same > 0.5 and (same, width) > best_score:
            best, best_score = separator, (same, width)
        widths = [len(row) for row in inner]
        if (
            width == 1
            and len(widths) >= 3
            and len(set(widths[-3:])) == 1
            and widths.count(widths[-1]) > len(widths) / 2
        ):
            below = max(below, widths[-1])
    if best_score == (0.0, 1) and below > 1:
        raise InputError(_no_header(name, below))
    return best


def _no_header(name: str, below: int) -> str:
    return (
        f"{name}: the first line is no header of the rows below: it has 1 cell, and they have {below}; remove what "
        f"stands above the header, or put quotes around cells; cells are parted by {PARTED}"
    )


def _parsed(data: bytes, separator: str, name: str) -> pa.Table:
    parse = arrow_csv.ParseOptions(delimiter=separator, newlines_in_values=b'"' in data)
    header = _header(data, separator, name)
    convert = arrow_csv.ConvertOptions(
        column_types={column: pa.string() for column in header},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=True,
    )
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(block_size=max(1 << 20, min(len(data), MAX_CELL_BYTES))),
            parse_options=parse,
            convert_options=convert,
        )
    except pa.ArrowInvalid as error:
        quotes.check(data, separator, name)
        raise InputError(_ragged(data, parse, name) or f"{name} cannot be read as CSV: {error}") from None


def _header(data: bytes, separator: str, name: str) -> list[str]:
    text = data[:MAX_CELL_BYTES].decode("utf-8", "ignore")
    try:
        return next((row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row), [])
    except csv.Error as error:
        quotes.check(data, separator, name)
        raise InputError(f"the header of {name} cannot be read: {error}") from None


def _ragged(data: bytes, parse: arrow_csv.ParseOptions, name: str) -> str | None:
    """What is wrong with the first row that has too few or too many cells."""
    bad: list[arrow_csv.InvalidRow] = []

    def collect(row: arrow_csv.InvalidRow) -> str:
        bad.append(row)
        return "skip"

    again = arrow_csv.ParseOptions(
        delimiter=parse.delimiter, newlines_in_values=parse.newlines_in_values, invalid_row_handler=collect
    )
    try:
        arrow_csv.read_csv(
            pa.BufferReader(data), read_options=arrow_csv.ReadOptions(use_threads=False), parse_options=again
        )
    except pa.ArrowInvalid:
        return None
    if not bad:
        return None
    first = bad[0]
    if first.expected_columns == 1:
        return _no_header(name, first.actual_columns)
    missing = count(len(bad), "row does", "rows do")
    return (
        f"{name}: {missing} not have the {first.expected_columns} cells of the header (first: row {first.number - 1} "
        f"below the header has {first.actual_columns}); put quotes around cells that hold {parse.delimiter!r}, close "
        "every quote, and remove lines that are no rows, such as titles or totals"
    )


def _filled(names: list[str]) -> list[str]:
    """Names for columns without one, such as the row numbers that pandas writes first."""
    taken = set(names)
    filled = []
    for position, name in enumerate(names, start=1):
        fresh = name if name.strip() else f"column_{position}"
        while not name.strip() and fresh in taken:
            fresh += "_"
        taken.add(fresh)
        filled.append(fresh)
    return filled
