"""Stamped Parquet files with settings fixed so that the same rows give the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import replacing
from tuckpoint.record import Record, unseal

KEY = b"tuckpoint.record"  # in the key-value metadata: the whole sealed record
FIELD_KEY = b"tuckpoint.synthetic"  # on each column: enough to know it again when the rest is gone
GROUP_ROWS = 65_536
SETTINGS: Mapping[str, Any] = {
    "version": "2.6",
    "data_page_version": "1.0",
    "data_page_size": 1 << 20,
    "compression": "zstd",
    "compression_level": 3,
    "use_dictionary": True,
    "write_statistics": True,
    "store_schema": True,
}


def write(
    batches: Iterable[pa.RecordBatch], path: Path, record: Record, *, schema: pa.Schema, overwrite: bool = False
) -> int:
    """Write record batches of one Arrow schema as one stamped file; returns the rows.

    The bytes do not depend on how the rows are cut into batches; at most one batch and one row group (65,536 rows) are
    held. Raises InputError as `files.replacing` does.
    """
    with replacing(path, overwrite=overwrite) as place:
        return put(batches, place, record, schema=schema)


def put(batches: Iterable[pa.RecordBatch], place: Path, record: Record, *, schema: pa.Schema) -> int:
    """Write the same bytes as `write` for a caller that gives the file its name once it is whole; returns the rows."""
    marked = stamp(schema, record)
    rows = 0
    with pq.ParquetWriter(place, marked, **SETTINGS) as writer:
        for group in _groups(batches, schema):
            writer.write_table(group.cast(marked), row_group_size=GROUP_ROWS)
            rows += group.num_rows
    return rows


def stamp(schema: pa.Schema, record: Record) -> pa.Schema:
    """The same schema bearing the record as a whole and, on each column, its digest and generation."""
    mark = json.dumps({"digest": record.digest(), "generation": record.generation}, sort_keys=True).encode()
    columns = [column.with_metadata({**(column.metadata or {}), FIELD_KEY: mark}) for column in schema]
    metadata = dict(schema.metadata or {})
    if b"pandas" in metadata:
        metadata[b"pandas"] = _without_row_count(metadata[b"pandas"])
    return pa.schema(columns, metadata={**metadata, KEY: record.sealed()})


def stamp_of(schema: pa.Schema) -> dict[str, Any] | None:
    """What the marks of an Arrow schema say: the plain record; if only a column's mark is left, its digest and
    generation; None without a mark. Raises TraceError if a mark was altered.
    """
    sealed = (schema.metadata or {}).get(KEY)
    if sealed is not None:
        return unseal(sealed)
    for column in schema:
        mark = (column.metadata or {}).get(FIELD_KEY)
        if mark is not None:
            return {"synthetic": True, **_field_mark(mark, column.name)}
    return None


def read_stamp(path: Path) -> dict[str, Any] | None:
    """What the marks in a Parquet file say, as `stamp_of` does; reads the footer only."""
    try:
        schema = pq.read_schema(path)
    except FileNotFoundError:
        raise InputError(f"no file {path}") from None
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a Parquet file: {error}") from None
    try:
        return stamp_of(schema)
    except TraceError as error:
        raise TraceError(f"{path}: {error}") from None


def batches_of(shards: Sequence[Path]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The Arrow schema (without stamps) and all batches of Parquet files of one schema, read a row group at a time.

    Raises InputError for no shards, TraceError if a shard has other columns than the first.
    """
    if not shards:
        raise InputError("no shards to read; the folder of a finished run holds at least one")
    schema = _bare(pq.read_schema(shards[0]))
    return schema, _read(shards, schema)


def concatenate(shards: Sequence[Path], path: Path, record: Record, *, overwrite: bool = False) -> int:
    """Join Parquet shards into one stamped file in bounded memory: the bytes that one `write` would have given."""
    schema, batches = batches_of(shards)
    return write(batches, path, record, schema=schema, overwrite=overwrite)


def _read(shards: Sequence[Path], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for shard in shards:
        with pq.ParquetFile(shard, pre_buffer=False) as file:
            if not _bare(file.schema_arrow).equals(schema):
                raise TraceError(f"{shard} has other columns than {shards[0].name}; it belongs to another run")
            yield from file.iter_batches(batch_size=GROUP_ROWS, use_threads=False)


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Tables of exactly GROUP_ROWS rows in one chunk, the last one with what is left."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.schema.equals(schema):
            raise InputError(f"a batch has the columns {batch.schema.names}, the file {schema.names}, or other types")
        held.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            table = pa.Table.from_batches(held, schema)
            whole = rows - rows % GROUP_ROWS
            for start in range(0, whole, GROUP_ROWS):
                yield _one_chunk(table.slice(start, GROUP_ROWS))
            held = _one_chunk(table.slice(whole)).to_batches()
            rows -= whole
    if rows:
        yield _one_chunk(pa.Table.from_batches(held, schema))


def _one_chunk(table: pa.Table) -> pa.Table:
    return table.unify_dictionaries().combine_chunks()


def _bare(schema: pa.Schema) -> pa.Schema:
    """The schema without our marks and without what the Parquet reader adds to it."""
    ours = {KEY, FIELD_KEY, b"PARQUET:field_id"}
    columns = [
        column.with_metadata({key: value for key, value in (column.metadata or {}).items() if key not in ours})
        for column in schema
    ]
    kept = {key: value for key, value in (schema.metadata or {}).items() if key not in ours}
    return pa.schema(columns, metadata=kept)


def _without_row_count(pandas: bytes) -> bytes:
    """Metadata of pandas without range indexes: they would tell how many real rows there were."""
    try:
        plain = json.loads(pandas)
        plain["index_columns"] = [name for name in plain["index_columns"] if isinstance(name, str)]
    except (ValueError, KeyError, TypeError):
        raise InputError("the table's metadata for pandas is not readable; drop its schema metadata") from None
    return json.dumps(plain, sort_keys=True).encode()


def _field_mark(mark: bytes, name: str) -> dict[str, Any]:
    try:
        plain = json.loads(mark)
        return {"digest": str(plain["digest"]), "generation": int(plain["generation"])}
    except (ValueError, KeyError, TypeError):
        raise TraceError(f'column "{name}": its mark as synthetic was altered or cut') from None
