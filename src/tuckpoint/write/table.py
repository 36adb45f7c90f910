"""Write a table, or a stream of batches, to a stamped file whose suffix says the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.files import check_new
from tuckpoint.record import Record
from tuckpoint.write import csv, parquet

SUFFIXES = (".parquet", *csv.SUFFIXES)


def write(
    data: pa.Table | pa.RecordBatchReader | Iterable[pa.RecordBatch],
    path: str | Path,
    record: Record,
    *,
    schema: pa.Schema | None = None,
    overwrite: bool = False,
) -> int:
    """Write rows to `path` (.parquet, .csv, .tsv; the text formats also .gz .bz2 .xz .zst), stamped; returns the rows.

    The file appears whole or not at all. `schema` (Arrow) is needed only for a stream that may be empty.
    Raises InputError for an unknown suffix, a missing folder, or a file that exists unless `overwrite`.
    """
    path = Path(path)
    writer = _format(path)
    check_new(path, overwrite=overwrite)
    found, batches = _stream(data, schema)
    return int(writer.write(batches, path, record, schema=found, overwrite=overwrite))


def concatenate(shards: Sequence[Path], path: str | Path, record: Record, *, overwrite: bool = False) -> None:
    """Join shards into one stamped file in bounded memory; Parquet shards may become any format, CSV shards a CSV.

    Raises InputError for no shards or an unknown suffix, TraceError if the shards do not belong together.
    """
    path = Path(path)
    writer = _format(path)
    if not shards:
        raise InputError("no shards to join; the folder of a finished run holds at least one")
    if _format(shards[0]) is parquet:
        schema, batches = parquet.batches_of(shards)
        writer.write(batches, path, record, schema=schema, overwrite=overwrite)
    elif writer is csv:
        csv.concatenate(shards, path, record, overwrite=overwrite)
    else:
        raise InputError(f"shards in CSV cannot be joined to {path.name}; make the shards in Parquet")


def read_stamp(path: str | Path) -> dict[str, Any] | None:
    """The plain record that a file bears, None if it bears none; raises TraceError if the record was altered.

    A Parquet file of which only column marks are left gives `synthetic`, `digest` and `generation`.
    """
    found: dict[str, Any] | None = _format(Path(path)).read_stamp(Path(path))
    return found


def suffix(path: Path) -> str:
    """The suffix that decides the format; raises InputError that lists the known ones."""
    name = path.name.lower()
    for known in sorted(SUFFIXES, key=len, reverse=True):
        if name.endswith(known):
            return known
    ending = "".join(path.suffixes[-2:])
    raise InputError(f"{path}: no format for {ending!r}{did_you_mean(ending, SUFFIXES)}; use {', '.join(SUFFIXES)}")


def _format(path: Path) -> ModuleType:
    return parquet if suffix(path) == ".parquet" else csv


def _stream(data: Any, schema: pa.Schema | None) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    if isinstance(data, pa.Table):
        return data.schema, iter(data.to_batches())
    if isinstance(data, pa.RecordBatchReader):
        return data.schema, iter(data)
    batches = iter(data)
    if schema is None:
        first = next(batches, None)
        if first is None:
            raise InputError("a stream without batches has no columns; pass `schema`")
        return first.schema, chain([first], batches)
    return schema, batches
