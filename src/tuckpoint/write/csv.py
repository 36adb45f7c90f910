"""Stamped CSV files, also compressed, quoted where needed, with the record in a sidecar."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import replacing, sha256
from tuckpoint.record import Record, canonical, unseal

PACKED = (".gz", ".bz2", ".xz", ".zst")
SUFFIXES = tuple(kind + packed for kind in (".csv", ".tsv") for packed in ("", *PACKED))
SIDECAR = ".prov.json"
SEPARATOR = b"tuckpoint.separator"  # schema metadata: what stands between cells in a .csv file, if no comma
PIECE_ROWS = 65_536
PIECE_BYTES = 1 << 20


def write(
    batches: Iterable[pa.RecordBatch], path: Path, record: Record, *, schema: pa.Schema, overwrite: bool = False
) -> int:
    """Write record batches as one CSV file and its sidecar `NAME.prov.json`; returns the rows.

    UTF-8, a header, lines end in LF, `""` doubles a quote (RFC 4180). Missing values are empty and empty text is `""`;
    in a table of one column both are `""`. Commas stand between cells, tabs in a .tsv file, or what `SEPARATOR` in the
    schema's metadata says. Floats keep a point (`5.0`), durations are seconds, dates ISO 8601.
    Raises InputError for columns that CSV cannot hold, and as `files.replacing` does.
    """
    _check_types(schema)
    delimiter = _delimiter(path, schema)
    rows = 0
    with _stamped(path, record, overwrite=overwrite) as place, _opened(place, "wb") as file:
        file.write(header(schema.names, delimiter))
        for batch in batches:
            if not batch.schema.equals(schema):
                raise InputError(f"a batch has the columns {batch.schema.names}, the file {schema.names}")
            for start in range(0, batch.num_rows, PIECE_ROWS):
                file.write(_lines(batch.slice(start, PIECE_ROWS), delimiter))
            rows += batch.num_rows
    return rows


def concatenate(shards: Sequence[Path], path: Path, record: Record, *, overwrite: bool = False) -> None:
    """Join CSV shards with equal headers into one file, in bounded memory; the suffix of each says how it is packed.

    Raises TraceError if a shard has another header than the first, InputError if there are none.
    """
    if not shards:
        raise InputError("no shards to join; the folder of a finished run holds at least one")
    with _opened(shards[0], "rb") as file:
        first = _first_line(file)
    with _stamped(path, record, overwrite=overwrite) as place, _opened(place, "wb") as file:
        file.write(first)
        for shard in shards:
            with _opened(shard, "rb") as source:
                if source.read(len(first)) != first:
                    raise TraceError(f"{shard} has another header than {shards[0].name}; it belongs to another run")
                while piece := source.read(PIECE_BYTES):
                    file.write(piece)


def read_stamp(path: Path) -> dict[str, Any] | None:
    """The plain record in the sidecar of a CSV file, None without one; raises TraceError if it was altered.

    The sidecar also holds the SHA-256 of the file, not compared here: edited synthetic rows are still not real.
    """
    if not path.exists():
        raise InputError(f"no file {path}")
    try:
        return unseal(sidecar(path).read_bytes())
    except FileNotFoundError:
        return None
    except TraceError as error:
        raise TraceError(f"{sidecar(path)}: {error}") from None


def sidecar(path: Path) -> Path:
    """Where the record of a CSV file stands."""
    return path.with_name(path.name + SIDECAR)


def header(names: Sequence[str], delimiter: str = ",") -> bytes:
    """The first line of a file with these columns."""
    special = (delimiter, '"', "\n", "\r", "\ufeff")
    cells = []
    for name in names:
        plain = name and name == name.strip() and not any(mark in name for mark in special)
        cells.append(name if plain else '"' + name.replace('"', '""') + '"')
    return (delimiter.join(cells) + "\n").encode()


@contextmanager
def _stamped(path: Path, record: Record, *, overwrite: bool) -> Iterator[Path]:
    """A place for the data; the sidecar is moved first, so that no data ever stand unmarked."""
    with replacing(path, overwrite=overwrite) as place:
        yield place
        content = {"bytes": place.stat().st_size, "sha256": sha256(place)}
        with replacing(sidecar(path), overwrite=True) as beside:
            beside.write_bytes(canonical({**json.loads(record.sealed()), "file": content}) + b"\n")


@contextmanager
def _opened(path: Path, mode: Literal["rb", "wb"]) -> Iterator[IO[bytes]]:
    """The plain bytes behind a suffix; what is written holds neither times nor names."""
    packing = path.suffix.lower()
    with ExitStack() as stack:
        file: Any = stack.enter_context(path.open(mode))
        if packing == ".gz":
            file = stack.enter_context(gzip.GzipFile("", mode, compresslevel=6, fileobj=file, mtime=0))
        elif packing == ".bz2":
            file = stack.enter_context(bz2.open(file, mode))
        elif packing == ".xz":
            file = stack.enter_context(lzma.open(file, mode))
        elif packing == ".zst":
            stream = pa.CompressedOutputStream if mode == "wb" else pa.CompressedInputStream
            file = stack.enter_context(stream(pa.PythonFile(file, mode[0]), "zstd"))
        yield cast(IO[bytes], file)


def _delimiter(path: Path, schema: pa.Schema) -> str:
    name = path.name.lower()
    for packed in PACKED:
        name = name.removesuffix(packed)
    told = (schema.metadata or {}).get(SEPARATOR, b",").decode()
    return "\t" if name.endswith(".tsv") else told


def _first_line(file: IO[bytes]) -> bytes:
    """The header: everything up to the first line end outside quotes."""
    seen = b""
    while piece := file.read(PIECE_BYTES):
        seen += piece
        end = seen.find(b"\n")
        while end >= 0:
            if seen.count(b'"', 0, end) % 2 == 0:
                return seen[: end + 1]
            end = seen.find(b"\n", end + 1)
    raise TraceError("a shard has no header line; it was cut")


def _check_types(schema: pa.Schema) -> None:
    if not schema.names:
        raise InputError("a table without columns cannot be written as CSV")
    for column in schema:
        try:
            as_text = pa.array([], column.type).cast(pa.large_string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            as_text = None
        if as_text is None or "binary" in str(column.type):
            raise InputError(f'column "{column.name}": CSV cannot hold {column.type}; write .parquet instead')


def _lines(batch: pa.RecordBatch, delimiter: str) -> bytes:
    """The rows as CSV lines."""
    cells = [_cells(column, delimiter) for column in batch.columns]
    if len(cells) == 1:
        cells = [pc.if_else(pc.equal(cells[0], ""), '""', cells[0])]  # an empty line would be skipped by readers
    lines = _joined(_joined(*cells, between=delimiter), "\n")
    ends = memoryview(lines.buffers()[1]).cast("q")
    first, last = ends[lines.offset], ends[lines.offset + len(lines)]
    return bytes(memoryview(lines.buffers()[2])[first:last])


def _cells(column: pa.Array, delimiter: str) -> pa.Array:
    """The text of each value, quoted where it must be, empty for missing."""
    if _is_text(column.type):
        column = column.cast(pa.large_string()).dictionary_encode()  # each level is looked at once
    if pa.types.is_dictionary(column.type):
        return pc.fill_null(_texts(column.dictionary, delimiter).take(column.indices), "")
    return pc.fill_null(_texts(column, delimiter), "")


def _texts(values: pa.Array, delimiter: str) -> pa.Array:
    kind = values.type
    if pa.types.is_duration(kind):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[kind.unit]
        values = pc.divide(values.cast(pa.int64()).cast(pa.float64(), safe=False), float(per_second))
    text = values.cast(pa.large_string())
    if pa.types.is_floating(values.type) and pc.any(pc.equal(pc.floor(values), values)).as_py():
        whole = pc.match_substring_regex(text, r"^-?[0-9]+$")
        return pc.if_else(whole, _joined(text, ".0"), text)
    if _is_text(kind):
        needs = pc.match_substring_regex(text, rf'^$|^\s|\s$|["\n\r{delimiter}\x{{feff}}]')
        if pc.any(needs).as_py():
            return pc.if_else(needs, _joined('"', pc.replace_substring(text, '"', '""'), '"'), text)
    return text


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view())


def _joined(*parts: pa.Array | str, between: str = "") -> pa.Array:
    values = [pa.scalar(part, pa.large_string()) if isinstance(part, str) else part for part in parts]
    return pc.binary_join_element_wise(*values, pa.scalar(between, pa.large_string()))
