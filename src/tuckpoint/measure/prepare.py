"""Brings tables from any source into one space: numbers as float64, categories as codes of real levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError, count, did_you_mean, listed
from tuckpoint.schema import NUMERIC, Column, Kind, Schema
from tuckpoint.table.decode import truth_words
from tuckpoint.table.encode import numbers
from tuckpoint.table.engine import Array, Encoded, Field

UNSEEN = "(unseen)"
DAY_S = 86_400
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
TRUTH = {"1": "true", "1.0": "true", "t": "true", "yes": "true", "y": "true"} | {
    "0": "false", "0.0": "false", "f": "false", "no": "false", "n": "false",
}  # fmt: skip
BLANK = {"", "na", "nan", "null", "none"}


@dataclass(frozen=True)
class Space:
    """Three tables with the same fields. Level columns end with one level for all values that real rows never hold.

    Where the schema names the person, `person` of the sides that have the column numbers people across all of them.
    """

    real: Encoded
    made: Encoded
    holdout: Encoded | None
    kinds: Mapping[str, Kind]
    notes: tuple[str, ...] = ()


def plain(table: pa.Table, target: str | None = None) -> Schema:
    """A schema read off the storage types alone, as the published definitions of the scores have it."""
    columns = []
    for item in table.schema:
        kind: Kind = "category"
        if pa.types.is_integer(item.type) or pa.types.is_floating(item.type) or pa.types.is_decimal(item.type):
            kind = "integer" if pa.types.is_integer(item.type) else "decimal"
        elif pa.types.is_boolean(item.type):
            kind = "boolean"
        elif pa.types.is_date(item.type):
            kind = "date"
        elif pa.types.is_timestamp(item.type):
            kind = "datetime"
        elif pa.types.is_duration(item.type):
            kind = "duration"
        columns.append(Column(item.name, kind, str(item.type)))
    return Schema(tuple(columns), target=target)


def prepare(
    real: pa.Table, made: pa.Table, holdout: pa.Table | None, schema: Schema, *, names: Mapping[str, str] | None = None
) -> Space:
    """Put the modelled columns of three tables into one space.

    A column is numeric if its kind is and real rows hold more than two values. The made table may come from anyone:
    other types and unseen levels are taken as they are. `names` are what errors call the sides `real`, `made` and
    `holdout`. Raises InputError for a missing column or an unreadable value.
    """
    called = {"real": "real", "made": "made", "holdout": "holdout", **(names or {})}
    columns = [column for column in schema.columns if column.modelled]
    tables = {"real": real, "made": made} | ({} if holdout is None else {"holdout": holdout})
    for side, table in tables.items():
        _complete(called[side], table, columns)
    fields: list[Field] = []
    sides: dict[str, dict[str, Array]] = {side: {} for side in tables}
    for column in columns:
        arrays = {side: _flat(table[column.name]) for side, table in tables.items()}
        field, values = _numbers(column, arrays, called) if column.kind in NUMERIC else _levels(column, arrays)
        fields.append(field)
        for side, content in values.items():
            sides[side][column.name] = content
    people = _people(tables, schema.person)
    encoded = {side: Encoded(tuple(fields), content, people.get(side)) for side, content in sides.items()}
    kinds = {column.name: column.kind for column in columns}
    return Space(encoded["real"], encoded["made"], encoded.get("holdout"), kinds, _notes(schema, made))


def coded(table: pa.Table, schema: Schema, fields: Sequence[Field], side: str) -> dict[str, Array]:
    """The columns of a table in the codes of these fields; a level that a field does not know is -1, as if missing."""
    columns: dict[str, Array] = {}
    for field in fields:
        column = schema[field.name]
        _complete(side, table, [column])
        array = _flat(table[field.name])
        if field.levels is None:
            columns[field.name] = number_values(array, column, side)
            continue
        place: dict[str | None, int] = {level: i for i, level in enumerate(field.levels)}
        if column.kind in NUMERIC:
            distinct, at = np.unique(number_values(array, column, side), return_inverse=True)
            columns[field.name] = np.array([place.get(_numeral(one), -1) for one in distinct], dtype=np.int32)[at]
            continue
        codes, names = _texts(array, words=_words(column), numeral=_is_number(array.type))
        columns[field.name] = np.array([place.get(name, -1) for name in names] + [-1], dtype=np.int32)[codes]
    return columns


def _people(tables: Mapping[str, pa.Table], person: str | None) -> dict[str, Array]:
    """Whose each row is, by one numbering for all sides; a row that names nobody is a person of its own."""
    held = {
        side: _flat(table[person]).cast(pa.string()) for side, table in tables.items() if person in table.column_names
    }
    if not held:
        return {}
    codes = pa.chunked_array(list(held.values())).combine_chunks().dictionary_encode()
    known = pc.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = np.where(known < 0, len(codes.dictionary) + np.arange(len(known)), known)
    return dict(zip(held, np.split(known, np.cumsum([len(one) for one in held.values()])[:-1]), strict=True))


def _complete(side: str, table: pa.Table, columns: list[Column]) -> None:
    held = Counter(table.column_names)
    for column in columns:
        found = held[column.name]
        if found == 0:
            raise InputError(
                f'the {side} table has no column "{column.name}"{did_you_mean(column.name, table.column_names)}; '
                f"it has: {listed(table.column_names)}"
            )
        if found > 1:
            raise InputError(f'the {side} table has {found} columns called "{column.name}"; rename or drop all but one')
    if not columns:
        raise InputError(
            "no column to measure: the schema holds only identifiers and free text, which are made anew and compared "
            "with nothing; if a column is something else, write the schema (tuckpoint schema FILE -o schema.yaml), "
            "correct its kind there (category, integer, decimal, date ...), and pass it: --schema schema.yaml"
        )
    if table.num_rows == 0:
        raise InputError(f"the {side} table has no rows; there is nothing to measure")


def left_out(schema: Schema, made: pa.Table) -> tuple[str, ...]:
    """A sentence about the columns of a made table that nothing real can be compared with; none if there are none."""
    extra = [name for name in made.column_names if name not in schema.names]
    those = "a column" if len(extra) == 1 else "columns"
    return (f"The made table has {those} that the real one lacks, not measured: {listed(extra)}.",) if extra else ()


def _notes(schema: Schema, made: pa.Table) -> tuple[str, ...]:
    notes = list(left_out(schema, made))
    skipped = [column.name for column in schema.columns if not column.modelled]
    if skipped:
        notes.append(f"Identifiers and free text are made anew and not compared: {listed(skipped)}.")
    if schema.person is not None:
        notes.append(
            f'Several rows may belong to one person ("{schema.person}"): intervals count people, whose rows hang '
            "together."
        )
    return tuple(notes)


def _flat(array: pa.ChunkedArray) -> pa.Array:
    flat = array.combine_chunks()
    if isinstance(flat, pa.ChunkedArray):
        flat = flat.chunk(0) if flat.num_chunks else pa.array([], array.type)
    return flat.cast(flat.type.value_type) if pa.types.is_dictionary(flat.type) else flat


def _numbers(
    column: Column, arrays: Mapping[str, pa.Array], called: Mapping[str, str]
) -> tuple[Field, dict[str, Array]]:
    values = {side: number_values(array, column, called[side]) for side, array in arrays.items()}
    real = values["real"]
    distinct = np.unique(real[~np.isnan(real)])
    if len(distinct) > 2:
        return Field(column.name, decimals=column.decimals or 0), values
    codes = {}
    for side, content in values.items():
        code = np.searchsorted(distinct, content).astype(np.int32)
        known = np.isin(content, distinct)
        codes[side] = np.where(np.isnan(content), -1, np.where(known, code, len(distinct))).astype(np.int32)
    return Field(column.name, levels=(*map(_numeral, distinct), UNSEEN)), codes


def number_values(array: pa.Array, column: Column, side: str) -> Array:
    """Numbers (n,) float64 in the column's unit (days, seconds or its own), NaN for missing, from any type."""
    kind, dtype = column.kind, array.type
    if pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        return _read(array.cast(pa.string()), column, side)
    if pa.types.is_null(dtype):
        return np.full(len(array), np.nan)
    dated = pa.types.is_date(dtype) or pa.types.is_timestamp(dtype)
    if dated != (kind in ("date", "datetime")) and not (dated is False and pa.types.is_integer(dtype)):
        raise InputError(
            f'column "{column.name}": the {side} table holds {dtype} where the schema says {kind}; '
            "convert the column, or correct its kind in the schema"
        )
    values = _seconds(array) if dated or pa.types.is_duration(dtype) or pa.types.is_time(dtype) else _floats(array)
    if dated and kind == "date":
        values = np.floor(values / DAY_S)
    endless = np.isinf(values)
    if endless.any():
        row = int(np.argmax(endless))
        raise InputError(
            f'column "{column.name}": {count(int(endless.sum()), "infinite value")} in the {side} table (first: '
            f"row {row + 1}); replace them by numbers or missing values"
        )
    return values


def _floats(array: pa.Array) -> Array:
    return np.asarray(array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), dtype=np.float64)


def _seconds(array: pa.Array) -> Array:
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("ms"))
    elif pa.types.is_time(array.type):
        array = array.cast(pa.time64("us")).cast(pa.int64()).cast(pa.duration("us"))
    ticks = _floats(array.cast(pa.int64()))
    return ticks / PER_SECOND[array.type.unit]


def _read(array: pa.Array, column: Column, side: str) -> Array:
    """Text as the schema says it is written; where it is not, as a plain number or an ISO moment."""
    encoded = array.dictionary_encode()
    values, bad = numbers(pa.chunked_array([encoded.dictionary]), column)
    for i in np.flatnonzero(bad):
        text = encoded.dictionary[i].as_py().strip()
        plainly = _moment(text, column.kind) if column.kind in ("date", "datetime") else _number(text)
        values[i] = np.nan if plainly is None else plainly
        bad[i] = plainly is None and text.lower() not in BLANK
    at = pc.fill_null(encoded.indices, len(bad)).to_numpy(zero_copy_only=False)
    wrong = np.append(bad | np.isinf(values), False)[at]
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f'column "{column.name}": {count(int(wrong.sum()), "value is", "values are")} no {column.kind} in the '
            f"{side} table (first: row {row + 1} = {array[row].as_py()!r}); clean them, or correct the kind or "
            "format in the schema"
        )
    return np.asarray(np.append(values, np.nan)[at])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _moment(text: str, kind: Kind) -> float | None:
    """Days or seconds of an ISO moment since 1970, in UTC."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    seconds = (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    return seconds // DAY_S if kind == "date" else seconds


def _numeral(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _levels(column: Column, arrays: Mapping[str, pa.Array]) -> tuple[Field, dict[str, Array]]:
    numeral = column.kind == "boolean" or _is_number(arrays["real"].type)
    texts = {side: _texts(array, words=_words(column), numeral=numeral) for side, array in arrays.items()}
    codes, names = texts["real"]
    counts: dict[str, int] = {}
    for name, held in zip(names, np.bincount(codes[codes >= 0], minlength=len(names)), strict=True):
        if name is not None and held:
            counts[name] = counts.get(name, 0) + int(held)
    levels = sorted(counts, key=lambda name: (-counts[name], name))
    if column.kind == "ordered":
        order = {name: i for i, name in enumerate((column.domain.levels if column.domain else None) or ())}
        levels.sort(key=lambda name: order.get(name, len(order)))
    place: dict[str | None, int] = {name: i for i, name in enumerate(levels)}
    place[None] = -1
    values = {}
    for side, (codes, names) in texts.items():
        table = np.array([place.get(name, len(levels)) for name in names] + [-1], dtype=np.int32)
        values[side] = table[codes]
    return Field(column.name, levels=(*levels, UNSEEN), ordered=column.kind == "ordered"), values


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype))


def _words(column: Column) -> dict[str, str] | None:
    """How the two levels of a boolean column may be written; None for other kinds."""
    return {**TRUTH, **truth_words(column)} if column.kind == "boolean" else None


def _texts(array: pa.Array, *, words: Mapping[str, str] | None, numeral: bool) -> tuple[Array, list[str | None]]:
    """Codes (n,), -1 for missing, into canonical texts: 1.0 and 1 are one level, and so are True and true."""
    encoded = array.dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = encoded.dictionary.to_pylist()
    return codes, [_text(value, words=words, numeral=numeral) for value in values]


def _text(value: Any, *, words: Mapping[str, str] | None, numeral: bool) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or value != value:  # NaN
        return None
    text = _numeral(float(value)) if isinstance(value, float) else str(value)
    if words is not None:
        lower = text.strip().lower()
        return words.get(lower, None if lower in BLANK else lower)
    if numeral and isinstance(value, str):
        number = _number(text)
        return text if number is None else _numeral(number)
    return text
