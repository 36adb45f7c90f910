"""Delimited text files as tables of strings: packing, encoding, separator and ragged rows settled at the edge."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from tuckpoint.errors import InputError
from tuckpoint.table import quotes
from tuckpoint.write.csv import SEPARATOR

PACKED = (".gz", ".bz2", ".xz", ".zst")
SUFFIXES = tuple(kind + packed for kind in (".csv", ".tsv") for packed in ("", *PACKED))
SEPARATORS = (",", ";", "\t", "|")
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
    separator = "\t" if ".tsv" in path.suffixes else _separator(data)
    table = _parsed(data, separator, path.name)
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


def _separator(data: bytes) -> str:
    """The separator that splits most of the first lines into as many cells as the header has."""
    probe = data[:PROBE_BYTES].decode("utf-8", "ignore")
    best, best_score = ",", (0.0, 1)
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
    return best


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
    return (
        f"{name}: {len(bad)} rows do not have the {first.expected_columns} cells of the header (first: row "
        f"{first.number - 1} below the header has {first.actual_columns}); put quotes around cells that hold "
        f"{parse.delimiter!r}, and close every quote"
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
