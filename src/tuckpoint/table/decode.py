"""Numbers and codes of engines back to typed columns and to the text they were written in."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import SchemaError
from tuckpoint.schema import Column, Schema
from tuckpoint.table import moments, numerals
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.numerals import Picture

RARE = "(rare)"
TRUTHS = {"false": "false", "true": "true", "0": "false", "1": "true"}
EXACT = 2.0**53
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def decode(encoded: Encoded, schema: Schema) -> pa.Table:
    """The encoded columns in their storage types, in the order of the schema; columns stored as text in their spelling.

    `(rare)` stays as text and is missing where the storage is not text.
    """
    held = [column for column in schema.columns if column.name in encoded.columns]
    arrays = [_decoded(encoded.columns[c.name], encoded.field(c.name), c) for c in held]
    return pa.table(arrays, [column.name for column in held])


def storage_type(text: str) -> pa.DataType:
    """The Arrow type that a schema's `storage` names; raises SchemaError if there is none."""
    zoned = re.fullmatch(r"timestamp\[(s|ms|us|ns), tz=(.+)\]", text)
    exact = re.fullmatch(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)", text)
    coded = re.fullmatch(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>", text)
    try:
        if zoned:
            return pa.timestamp(zoned[1], zoned[2])
        if exact:
            return (
                pa.decimal256(int(exact[2]), int(exact[3]))
                if exact[1] == "256"
                else pa.decimal128(int(exact[2]), int(exact[3]))
            )
        if coded:
            return pa.dictionary(pa.type_for_alias(coded[2]), storage_type(coded[1]), ordered=coded[3] == "1")
        return pa.type_for_alias(text)
    except ValueError:
        raise SchemaError(
            f"storage {text!r} is no Arrow type; use int64, double, string, bool, date32[day] ..."
        ) from None


def truth_words(column: Column) -> dict[str, str]:
    """The texts that mean false and true in a boolean column, both ways: text to level."""
    words = (column.format or "false/true").split("/")
    if len(words) != 2 or words[0] == words[1]:
        raise SchemaError(f'column "{column.name}": format {column.format!r} of a boolean is like "False/True"')
    return {**TRUTHS, words[0].lower(): "false", words[1].lower(): "true"}


def _decoded(values: Array, field: Field, column: Column) -> pa.Array:
    storage = storage_type(column.storage)
    if field.levels is not None:
        return _levels(values, field.levels, column, storage)
    if pa.types.is_string(storage) or pa.types.is_large_string(storage):
        return spelled(values, field, column).cast(storage)
    if pa.types.is_dictionary(storage):
        flat = (
            spelled(values, field, column)
            if pa.types.is_string(storage.value_type)
            else _stored(values, column, storage.value_type)
        )
        return flat.dictionary_encode().cast(storage)
    return _stored(values, column, storage)


def spelled(values: Array, field: Field, column: Column) -> pa.Array:
    """The values as the text that the column was written in, with its word for what is missing."""
    texts = _spelled(values, field, column)
    return pc.fill_null(texts, column.absent[0]) if len(column.absent) == 1 else texts


def _spelled(values: Array, field: Field, column: Column) -> pa.Array:
    if field.levels is not None:
        words = {level: word for word, level in reversed(truth_words(column).items())}
        words |= dict(zip(("false", "true"), (column.format or "false/true").split("/"), strict=True))
        return _taken(pa.array([words.get(level, level) for level in field.levels], pa.string()), values)
    if column.kind in ("integer", "decimal"):
        picture = Picture.parse(column.format) if column.format else None
        if column.kind == "integer" or picture is not None:
            return numerals.spell(values, field.decimals, picture)
        return numerals.spell(values, max(field.decimals, 1), None)
    if column.kind == "date":
        return moments.spell(values * moments.DAY, column.format or "%Y-%m-%d")
    usual = "%H:%M:%S" if column.kind == "duration" else "%Y-%m-%d %H:%M:%S"
    return moments.spell(values, column.format or usual, column.timezone)


def _levels(codes: Array, levels: tuple[str, ...], column: Column, storage: pa.DataType) -> pa.Array:
    inner = storage.value_type if pa.types.is_dictionary(storage) else storage
    texts: list[str | None] = list(levels)
    if column.kind == "boolean":
        if pa.types.is_boolean(inner):
            return _taken(pa.array([level == "true" for level in levels], pa.bool_()), codes)
        words = (column.format or "false/true").split("/") if pa.types.is_string(inner) else ["0", "1"]
        texts = [words[level == "true"] for level in levels]
    if not pa.types.is_string(inner) and not pa.types.is_large_string(inner):
        texts = [None if text == RARE else text for text in texts]
    try:
        values = pa.array(texts, pa.string()).cast(inner)
    except pa.ArrowInvalid as error:
        raise SchemaError(f'column "{column.name}": its levels do not fit storage {column.storage}: {error}') from None
    if not pa.types.is_dictionary(storage):
        return _taken(values, codes)
    if len(set(texts)) < len(texts) or None in texts:
        return _taken(values, codes).dictionary_encode().cast(storage)
    indices = pa.array(codes, mask=codes < 0).cast(storage.index_type)
    return pa.DictionaryArray.from_arrays(indices, values, ordered=storage.ordered)


def _taken(values: pa.Array, codes: Array) -> pa.Array:
    missing = codes < 0
    return values.take(pa.array(codes, mask=missing) if missing.any() else pa.array(codes))


def _stored(values: Array, column: Column, storage: pa.DataType) -> pa.Array:
    """Numbers in a typed column; those beyond the type's range become its bounds."""
    missing = np.isnan(values)
    mask = missing if missing.any() else None
    filled = np.where(missing, 0.0, values)
    if pa.types.is_floating(storage):
        return pa.array(filled, mask=mask).cast(storage, safe=False)
    if pa.types.is_decimal(storage):
        if np.abs(filled).max(initial=0.0) * 10.0**storage.scale >= EXACT:
            return pa.array(filled, mask=mask).cast(storage)
        whole = pa.array(np.rint(filled * 10.0**storage.scale).astype(np.int64), mask=mask)
        halves = np.stack([np.asarray(pc.fill_null(whole, 0)), np.asarray(pc.fill_null(whole, 0)) >> 63], axis=1)
        buffers = [whole.buffers()[0], pa.py_buffer(halves.tobytes())]
        return pa.Array.from_buffers(pa.decimal128(19, storage.scale), len(values), buffers).cast(storage)
    if pa.types.is_integer(storage):
        bounds = np.iinfo(storage.to_pandas_dtype())
        return pa.array(_clipped(filled, bounds.min, bounds.max), mask=mask).cast(storage)
    if pa.types.is_boolean(storage):
        return pa.array(filled != 0, mask=mask)
    return _moment(filled, mask, column, storage)


def _moment(values: Array, mask: Any, column: Column, storage: pa.DataType) -> pa.Array:
    if pa.types.is_date(storage):
        days = values if column.kind == "date" else np.floor(values / moments.DAY)
        if pa.types.is_date32(storage):
            return pa.array(np.rint(days).astype(np.int32), mask=mask).cast(storage)
        return pa.array(np.rint(days).astype(np.int64) * 86_400_000, mask=mask).cast(storage)
    if not pa.types.is_temporal(storage):
        raise SchemaError(f'column "{column.name}": a {column.kind} cannot be stored as {storage}')
    seconds = values * moments.DAY if column.kind == "date" else values
    if pa.types.is_time(storage):
        seconds = np.clip(seconds, 0, moments.DAY - 1e-6)
    decimals = min(column.decimals or 0, 6)
    per_second = PER_SECOND[storage.unit]
    whole = np.floor(seconds)
    part = np.rint((seconds - whole) * 10.0**decimals) / 10.0**decimals
    ticks = whole.astype(np.int64) * per_second + np.rint(part * per_second).astype(np.int64)
    if pa.types.is_time32(storage):
        return pa.array(ticks.astype(np.int32), mask=mask).cast(storage)
    return pa.array(ticks, mask=mask).cast(storage)


def _clipped(values: Array, low: int, high: int) -> Array:
    """int64, or uint64 where only it can hold the range."""
    whole = np.rint(values)
    if high > 2**63 - 1:
        return np.clip(whole, 0, np.nextafter(2.0**64, 0)).astype(np.uint64)
    clipped = np.clip(whole, float(low), float(high))
    bounded: Array = np.minimum(clipped, np.nextafter(2.0**63, 0)).astype(np.int64)
    return bounded
