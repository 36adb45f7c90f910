"""Tables to the plain numbers and codes that engines learn, and back to their own types and spellings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError, count
from tuckpoint.schema import CATEGORICAL, Column, Domain, Provenance, Schema
from tuckpoint.table import moments, numerals
from tuckpoint.table.decode import EXACT, PER_SECOND, RARE, decode, spelled, truth_words
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.numerals import Picture
from tuckpoint.write.csv import SEPARATOR

__all__ = ["OTHER", "declared", "decode", "encode", "encode_column", "fields", "numbers", "spell", "unreadable"]

FULL = 1e13  # steps of its decimals from which on a number holds nearly all the digits of float64
OTHER = "other"  # the level that stands for all that a domain does not name


def encode(table: pa.Table, schema: Schema, *, strict: bool = True) -> Encoded:
    """The modelled columns as numbers and codes, in the order of the schema; columns it does not name are left out.

    Text and typed columns give the same: `"12"` and 12 are one number. Levels that the domain lacks come after its own.
    Raises SchemaError for values that their kind cannot hold, with the first such row (counted from 1); unless
    `strict`, such values are missing.
    """
    kept = [column for column in schema.columns if column.modelled]
    made = [encode_column(_column(table, column), column, strict=strict) for column in kept]
    columns = {field.name: values for field, values in made}
    return Encoded(tuple(field for field, _ in made), columns, _people(table, schema))


def declared(read: Encoded, schema: Schema) -> Encoded:
    """The same rows with fields that follow from the schema alone; values are fitted to them, whatever the rows hold.

    A level that the domain lacks becomes its level `other` (or `(rare)`), else missing where that is allowed, else the
    first level; numbers are clipped into the domain; a missing value that may not be becomes the first level or the
    lowest number. Nothing is raised, and no field differs, for the sake of any row.
    """
    made = [_fitted(read.field(c.name), read.columns[c.name], c) for c in schema.columns if c.modelled]
    return Encoded(tuple(field for field, _ in made), {field.name: values for field, values in made}, read.person)


def _fitted(seen: Field, values: Array, column: Column) -> tuple[Field, Array]:
    domain = column.domain or Domain()
    if column.kind in CATEGORICAL:
        levels = _levels_of(column)
        known = column.kind == "boolean" and len(levels) == 2  # by its kind, whatever the rows hold
        origin: Provenance = "public" if known else domain.provenance
        ordered = column.kind == "ordered"
        place = {level: code for code, level in enumerate(levels)}
        absent = -1 if column.missing else 0
        unknown = place.get(OTHER, place.get(RARE, absent))
        table = np.array([*(place.get(level, unknown) for level in seen.levels or ()), absent], np.int32)
        field = Field(column.name, levels, ordered=ordered, nullable=column.missing, provenance=origin)
        return field, table[values]
    low, high, decimals = domain.low, domain.high, column.decimals or 0
    field = Field(column.name, None, decimals, False, column.missing, low, high, domain.provenance, column.steps)
    scale = 10.0**decimals
    least = -np.inf if low is None else np.ceil(low * scale - 1e-9) / scale
    most = np.inf if high is None else np.floor(high * scale + 1e-9) / scale
    inside = np.clip(values, least, most)
    return field, inside if column.missing else np.where(np.isnan(inside), 0.0 if low is None else least, inside)


def _levels_of(column: Column) -> tuple[str, ...]:
    """The levels that a schema names; truth values need no naming."""
    named = None if column.domain is None else column.domain.levels
    return named or (("false", "true") if column.kind == "boolean" else ())


def fields(schema: Schema, table: pa.Table) -> tuple[Field, ...]:
    """What engines see of each modelled column: from its domain, from the table where it has none."""
    return tuple(encode_column(_column(table, column), column)[0] for column in schema.columns if column.modelled)


def spell(table: pa.Table, schema: Schema) -> pa.Table:
    """The table as a text file should hold it: each column that has a `format`, or a word for missing values, as the
    text it was written in, and the separator told to the writer.
    """
    for at, name in enumerate(table.column_names):
        column = schema[name] if name in schema.names else None
        written = column is not None and (column.format is not None or len(column.absent) == 1)
        if column is not None and written and not pa.types.is_string(table.schema.field(at).type):
            field, values = encode_column(table.column(at), column)
            table = table.set_column(at, name, spelled(values, field, column))
    return table if schema.separator is None else table.replace_schema_metadata({SEPARATOR: schema.separator.encode()})


def encode_column(array: pa.ChunkedArray, column: Column, *, strict: bool = True) -> tuple[Field, Array]:
    """One column as its field and float64 numbers or int32 codes (n,)."""
    if column.kind in CATEGORICAL:
        return _codes(array, column, strict=strict)
    values, bad = numbers(array, column)
    if bad.any():
        if strict:
            raise unreadable(array, column, bad)
        values = np.where(bad, np.nan, values)
    decimals = column.decimals or 0
    if column.kind != "decimal" or not (np.abs(values) * 10.0**decimals >= FULL).any():
        values = _rounded(values, decimals)  # else nobody asked for fewer digits
    finite = values[~np.isnan(values)]
    domain = column.domain
    low = domain.low if domain is not None and domain.low is not None else None
    high = domain.high if domain is not None and domain.high is not None else None
    field = Field(
        name=column.name,
        decimals=decimals,
        nullable=column.missing or len(finite) < len(values),
        low=float(finite.min()) if low is None and len(finite) else low,
        high=float(finite.max()) if high is None and len(finite) else high,
        provenance="data" if domain is None or low is None or high is None else domain.provenance,
        steps=column.steps,
    )
    return field, values


def numbers(array: pa.ChunkedArray, column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers of a numeric kind in its unit, NaN for missing, and which rows cannot be read as that kind."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.cast(kind.value_type)
        kind = array.type
    if pa.types.is_string(kind):
        return _from_text(array, column)
    if pa.types.is_null(kind):
        return np.full(len(array), np.nan), np.zeros(len(array), bool)
    values = _typed(array, column)
    if column.absent and column.kind in ("integer", "decimal"):
        named = numerals.parse(pa.array(column.absent), Picture.parse(column.format or "#.#"))[0]
        values = np.where(np.isin(values, named[~np.isnan(named)]), np.nan, values)
    bad = np.isinf(values)
    if column.kind == "integer":
        bad |= values != np.rint(values)
        bad &= ~np.isnan(values)
    return values, bad


def unreadable(array: pa.ChunkedArray, column: Column, bad: NDArray[np.bool_]) -> SchemaError:
    """The error that says how many values a kind cannot hold, and the first."""
    first = int(np.argmax(bad))
    wanted = f"{column.kind}{f' written as {column.format!r}' if column.format else ''}"
    return SchemaError(
        f'column "{column.name}": {count(int(bad.sum()), "value")} cannot be read as {wanted} (first: row '
        f"{first + 1} = {array[first].as_py()!r}); clean the data, or correct the kind or format in the schema"
    )


def _column(table: pa.Table, column: Column) -> pa.ChunkedArray:
    if column.name not in table.column_names:
        raise SchemaError(
            f'column "{column.name}" of the schema is not in the table (it has: {", ".join(table.column_names[:20])}); '
            "add it, or remove it from the schema"
        )
    return table.column(column.name)


def _from_text(array: pa.ChunkedArray, column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Each distinct text is read once."""
    encoded = _dictionary(array)
    texts = encoded.dictionary
    if column.kind in ("integer", "decimal"):
        values, bad = numerals.parse(texts, Picture.parse(column.format or "#.#"))
        if column.format and bad.any():
            plain, bad = numerals.parse(texts, Picture.parse("#.#"))
            values = np.where(np.isnan(values), plain, values)
            bad &= np.isnan(values)
    else:
        values, bad = _moments(texts, column)
    if column.kind == "integer":
        bad |= np.isfinite(values) & (values != np.rint(values))
    if column.absent:
        gone = np.asarray(pc.is_in(pc.utf8_trim_whitespace(texts), value_set=pa.array(column.absent)))
        values, bad = np.where(gone, np.nan, values), bad & ~gone
    values, bad = np.append(values, np.nan), np.append(bad | np.isinf(values), False)
    at = _indices(encoded)
    return values[at], bad[at]


def _moments(texts: pa.Array, column: Column) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    usual = {"date": "%Y-%m-%d", "datetime": "%Y-%m-%d %H:%M:%S", "duration": "%H:%M:%S"}[column.kind]
    values, bad = moments.parse(texts, column.format or usual)
    if bad.any():  # made rows may come back in ISO 8601 whatever the real ones were written in
        for format_ in (usual, usual + ".%f", "%Y-%m-%dT%H:%M:%S", usual + "%z", usual + ".%f%z"):
            other, _ = moments.parse(texts, format_)
            values = np.where(np.isnan(values), other, values)
        bad &= np.isnan(values)
    if column.kind == "duration" and bad.any():
        seconds, _ = numerals.parse(texts, Picture.parse("#.#"))
        values = np.where(np.isnan(values), seconds, values)
    bad &= np.isnan(values) & ~numerals.is_missing(texts)
    return (np.floor(values / moments.DAY) if column.kind == "date" else values), bad


def _typed(array: pa.ChunkedArray, column: Column) -> NDArray[np.float64]:
    kind = array.type
    temporal = pa.types.is_temporal(kind)
    if temporal != (column.kind in ("date", "datetime", "duration")) and not (
        temporal is False and column.kind == "duration"
    ):
        raise SchemaError(
            f'column "{column.name}" is {kind} in the table and {column.kind} in the schema; correct one of them'
        )
    if not temporal:
        return floats(array)
    days = pa.types.is_date32(kind)
    whole = array.cast(pa.int32() if days or pa.types.is_time32(kind) else pa.int64())
    values = floats(whole)
    if days or pa.types.is_date64(kind):
        values = values if days else values / 86_400_000
        return values if column.kind == "date" else values * moments.DAY
    seconds = values / PER_SECOND[kind.unit]
    return np.floor(seconds / moments.DAY) if column.kind == "date" else seconds


def floats(array: pa.ChunkedArray) -> NDArray[np.float64]:
    """float64 with NaN for null; of exact decimals the nearest, which Arrow misses by a digit."""
    values = array.cast(pa.float64(), safe=False)
    plain = np.asarray((pc.fill_null(values, np.nan) if array.null_count else values).to_numpy())
    return _rounded(plain, array.type.scale) if pa.types.is_decimal(array.type) and array.type.scale > 0 else plain


def _rounded(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    scaled = values * 10.0**decimals
    with np.errstate(invalid="ignore"):
        # Beyond, the product itself may be rounded to a neighbour: microseconds before 1900 are.
        return np.where(np.abs(scaled) < EXACT / 4, np.rint(scaled) / 10.0**decimals, values)


def _codes(array: pa.ChunkedArray, column: Column, *, strict: bool) -> tuple[Field, Array]:
    encoded = _dictionary(array if pa.types.is_string(array.type) else _as_text(array))
    texts: list[str] = encoded.dictionary.to_pylist()
    if column.kind == "boolean":
        texts = _truths(array, encoded, column, strict=strict)
    domain, known = column.domain, _levels_of(column)
    place = {level: code for code, level in enumerate(known)}
    for text in sorted(set(texts) - set(place) - {""} if column.kind == "boolean" else set(texts) - set(place)):
        place[text] = len(place)
    table = np.array([*(place.get(text, -1) for text in texts), -1], np.int32)
    codes = table[_indices(encoded)]
    added = len(place) > len(known)
    field = Field(
        name=column.name,
        levels=tuple(place),
        ordered=column.kind == "ordered",
        nullable=column.missing or bool((codes < 0).any()),
        provenance=domain.provenance if domain is not None and known and not added else "data",
    )
    return field, codes


def _truths(array: pa.ChunkedArray, encoded: pa.DictionaryArray, column: Column, *, strict: bool) -> list[str]:
    """The level of each distinct text of a boolean column, empty for missing."""
    words = truth_words(column)
    texts = pc.utf8_lower(pc.utf8_trim_whitespace(encoded.dictionary))
    levels = [words.get(text, "") for text in texts.to_pylist()]
    bad = np.array([level == "" for level in levels], bool) & ~numerals.is_missing(texts)
    if strict and bad.any():
        raise unreadable(array, column, np.append(bad, False)[_indices(encoded)])
    return levels


def _as_text(array: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(array.type) and pa.types.is_string(array.type.value_type):
        return array
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array.cast(pa.string())


def _dictionary(array: pa.ChunkedArray) -> pa.DictionaryArray:
    """One dictionary of distinct texts for all chunks."""
    if not pa.types.is_dictionary(array.type):
        array = array.dictionary_encode()
    whole = array.unify_dictionaries().combine_chunks()
    return whole if isinstance(whole, pa.DictionaryArray) else pa.concat_arrays(whole.chunks)


def _indices(encoded: pa.DictionaryArray) -> NDArray[np.int64]:
    """Positions in the dictionary, -1 (the place after the last) for null."""
    return np.asarray(pc.fill_null(encoded.indices.cast(pa.int64()), -1))


def _people(table: pa.Table, schema: Schema) -> Array | None:
    """A number per person; rows without one are people of their own."""
    if schema.person is None or schema.person not in table.column_names:
        return None
    encoded = _dictionary(
        _as_text(table.column(schema.person))
        if not pa.types.is_string(table.column(schema.person).type)
        else table.column(schema.person)
    )
    person = _indices(encoded).copy()
    alone = person < 0
    person[alone] = len(encoded.dictionary) + np.arange(int(alone.sum()))
    return person
