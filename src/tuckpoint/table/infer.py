"""What the columns of a table mean, read off its values and headers; and whether a table fits a schema."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import SchemaError, count, did_you_mean, listed
from tuckpoint.schema import NUMERIC, Column, Domain, Kind, Schema
from tuckpoint.table import delimited, moments, numerals, patterns, steps
from tuckpoint.table.decode import PER_SECOND, RARE, spelled, storage_type
from tuckpoint.table.encode import encode_column, floats
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.quantities import counted, far_off, fraction, key_start, nothing, range_of
from tuckpoint.table.words import NANOSECONDS, PAIRS, text
from tuckpoint.write.csv import SEPARATOR


def infer(
    table: pa.Table, *, target: str | None = None, person: str | None = None, primary_key: str | None = None
) -> Schema:
    """The schema of a table: a proposal for a person to correct, with a note wherever it may be wrong.

    Every domain is read off the values (provenance `data`). A key is proposed only where its header or an unbroken
    sequence says so; a column of different numbers alone is no key.
    Raises SchemaError for an empty table, an unknown role, a key that repeats, or a target that cannot be modelled.
    """
    for role, name in (("target", target), ("person", person), ("primary_key", primary_key)):
        if name is not None and name not in table.column_names:
            raise SchemaError(f'{role} "{name}" is not a column{_instead(name, table)}')
    if table.num_rows == 0:
        raise SchemaError(f"the table has {count(table.num_columns, 'column')} and no rows; pass at least one row")
    columns = {}
    for field, array in zip(table.schema, table.columns, strict=True):
        born = (field.metadata or {}).get(delimited.MARK)
        column = _column(field.name, array, born.decode() if born else None)
        columns[field.name] = replace(
            column,
            personal=column.personal or patterns.is_personal(field.name),
            sensitive=patterns.is_sensitive(field.name),
        )
    person = _find_person(table, columns, person)
    first = columns[table.column_names[0]]
    if sum(_is_number(name) for name in columns) > len(columns) / 2:
        doubt = "column names are numbers: does the file lack a header line?"
        columns[first.name] = replace(first, note="; ".join(filter(None, (doubt, first.note))))
    for role, name in (("person", person), ("primary_key", primary_key)):
        if name is not None:
            columns[name] = _as_key(columns[name], table.column(name), personal=role == "person")
    if primary_key is not None:
        _check_key(table.column(primary_key), primary_key)
    elif person is None or columns[person].kind == "identifier":
        primary_key = _find_key(table, columns)
    for name, column in columns.items():
        if not column.modelled and column.missing and column.pattern != "missing":
            columns[name] = replace(column, pattern=f"{column.pattern};missing={_share(table.column(name)):.2g}")
        elif column.kind in NUMERIC and not (column.kind in ("integer", "decimal") and _of_powers(column)):
            field, values = encode_column(table.column(name), column, strict=False)
            found = steps.find(values, field.decimals, column.kind)
            note = _far_off(values, field, column, table.schema.field(name).type)
            columns[name] = replace(column, steps=found, note="; ".join(filter(None, (column.note, note))))
    if target is not None and not columns[target].modelled:
        raise SchemaError(
            f'target "{target}" was understood as {columns[target].kind} ({columns[target].note or "all different"}), '
            "which is not modelled; choose another target, or correct its kind in the schema"
        )
    separator = (table.schema.metadata or {}).get(SEPARATOR)
    return Schema(
        tuple(columns.values()), primary_key, person, target, separator=separator.decode() if separator else None
    )


def check(table: pa.Table, schema: Schema, *, values: bool = True) -> None:
    """Hold a table against a schema; columns that the schema does not name are ignored.

    Without `values` only names and types are held: a private fit clips what lies outside its domain, since to complain
    of it would tell that such a row exists.
    Raises SchemaError with the column, how many values are wrong, the first such row (from 1), and what to do.
    """
    for column in schema.columns:
        storage_type(column.storage)
        if column.name not in table.column_names:
            raise SchemaError(
                f'column "{column.name}" of the schema is not in the table'
                f"{did_you_mean(column.name, table.column_names)}; add it, or remove it from the schema"
            )
        if column.modelled and values:
            _check_domain(table.column(column.name), column)
    if schema.primary_key is not None and values:
        _check_key(table.column(schema.primary_key), schema.primary_key)


def _check_domain(array: pa.ChunkedArray, column: Column) -> None:
    field, values = encode_column(array, column)
    domain = column.domain
    if domain is None or domain.provenance == "data":
        return
    if field.levels is not None:
        levels = (*(domain.levels or field.levels), RARE)
        outside = np.array([level not in levels for level in field.levels] + [False])[values]
        range_, widen = f"the {count(len(levels) - 1, 'level')} of its domain", "add them to the domain"
    else:
        low = -np.inf if domain.low is None else domain.low
        high = np.inf if domain.high is None else domain.high
        outside = (values < low) | (values > high)
        range_, widen = f"{low:g}..{high:g}", "widen the domain"
    if outside.any():
        first = int(np.argmax(outside))
        raise SchemaError(
            f'column "{column.name}": {count(int(outside.sum()), "value")} outside {range_} (first: row {first + 1} = '
            f"{array[first].as_py()!r}); {widen} or clean the data"
        )


def _instead(name: str, table: pa.Table) -> str:
    return f"{did_you_mean(name, table.column_names)}; there are: {listed(table.column_names)}"


def _check_key(array: pa.ChunkedArray, name: str) -> None:
    missing = np.asarray(array.is_null())
    if missing.any():
        raise SchemaError(
            f'primary key "{name}": {count(int(missing.sum()), "value is", "values are")} missing (first: row '
            f"{int(np.argmax(missing)) + 1}); choose another key, or none"
        )
    codes = array.combine_chunks().dictionary_encode().indices.to_numpy() if array.num_chunks else np.empty(0)
    first_seen = np.unique(codes, return_index=True)[1]
    if len(first_seen) < len(codes):
        again = np.ones(len(codes), bool)
        again[first_seen] = False
        row = int(np.argmax(again))
        raise SchemaError(
            f'primary key "{name}": {count(int(again.sum()), "value stands", "values stand")} there again '
            f"(first: row {row + 1} = {array[row].as_py()!r}); choose another key, or pass it as the person"
        )


# Columns by type ------------------------------------------------------------------------------------------------------


def _column(name: str, array: pa.ChunkedArray, born: str | None) -> Column:
    kind = array.type
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    missing = array.null_count > 0
    if array.null_count == len(array):
        return nothing(name, kind)
    if pa.types.is_dictionary(kind):
        return _coded(name, array, missing)
    if pa.types.is_string(kind):
        return text(name, array, missing, born)
    if pa.types.is_boolean(kind):
        return Column(name, "boolean", "bool", missing, domain=Domain(levels=("false", "true")))
    if pa.types.is_temporal(kind):
        return _moment(name, array, missing)
    return _number(name, array, Column(name, "decimal", str(kind), missing))


def _coded(name: str, array: pa.ChunkedArray, missing: bool) -> Column:
    """Categories that the caller declared; contact data and codes are still made anew."""
    kind = array.type
    if pa.types.is_string(kind.value_type) and not kind.ordered:
        column = text(name, array.cast(pa.string()), missing, None)
        if not column.modelled:
            return replace(column, storage=str(kind))
    levels = array.unify_dictionaries().chunk(0).dictionary.cast(pa.string()).to_pylist()
    used = set(array.cast(kind.value_type).cast(pa.string()).unique().to_pylist())
    known = tuple(level for level in dict.fromkeys(levels) if level in used)
    return Column(name, "ordered" if kind.ordered else "category", str(kind), missing, domain=Domain(levels=known))


def _number(name: str, array: pa.ChunkedArray, column: Column) -> Column:
    """Integers, decimals and whole-numbered keys, from typed values."""
    kept = array.drop_null()
    if pa.types.is_decimal(kept.type) or pa.types.is_floating(kept.type):
        values = floats(kept)
        if np.isinf(values).any():
            row = int(np.argmax(np.isinf(np.asarray(pc.fill_null(array.cast(pa.float64(), safe=False), 0.0)))))
            raise SchemaError(
                f'column "{name}": {count(int(np.isinf(values).sum()), "value is", "values are")} infinite '
                f"(first: row {row + 1}); make them missing or finite"
            )
        if pa.types.is_float32(kept.type) or pa.types.is_float16(kept.type):
            decimals = next((d for d in range(7) if np.array_equal(np.round(values, d).astype(np.float32), values)), 6)
        else:
            decimals = numerals.decimals_of(values)
    else:
        values, decimals = kept.to_numpy(), 0
    return counted(values, decimals, column, rows=len(array), cells=len(kept))


def _moment(name: str, array: pa.ChunkedArray, missing: bool) -> Column:
    kind = array.type
    column = Column(name, "date", str(kind), missing)
    if pa.types.is_date(kind):
        values = encode_column(array, column)[1]
    else:
        ticks = array.drop_null().cast(pa.int32() if pa.types.is_time32(kind) else pa.int64()).to_numpy()
        per_second = PER_SECOND[kind.unit]
        zone = getattr(kind, "tz", None)
        if pa.types.is_timestamp(kind) and zone is None and not (ticks % (moments.DAY * per_second)).any():
            values = encode_column(array, column)[1]
        else:
            clock: Kind = "datetime" if pa.types.is_timestamp(kind) else "duration"
            column = Column(name, clock, str(kind), missing, timezone=zone, decimals=fraction(ticks, per_second))
            values = encode_column(array, column)[1]
            finer = kind.unit == "ns" and bool((ticks % 1000).any())
            column = replace(column, note=NANOSECONDS if finer else "")
    return replace(column, domain=range_of(values))


def _far_off(values: Array, field: Field, column: Column, kind: pa.DataType) -> str:
    """What is said of a value that lies far from all others; nothing without one."""
    found = far_off(values)
    if found is None or not (pa.types.is_string(kind) or column.kind in ("integer", "decimal")):
        return ""
    value = spelled(np.array([found[0]]), field, column)[0].as_py()
    rows = count(found[1], "row")
    return f"{value!r} stands in {rows}, far from the others; if it means a missing one, name it in `absent`"


def _is_number(name: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]+\.[0-9]+", name) is not None


def _of_powers(column: Column) -> bool:
    """Whether numbers are written with powers of ten: their digits are significant ones, and no steps."""
    return column.format is not None and bool(numerals.Picture.parse(column.format).power)


def _share(array: pa.ChunkedArray) -> float:
    """The share of missing values."""
    return float(array.null_count / len(array))


# Roles ----------------------------------------------------------------------------------------------------------------


def _as_key(column: Column, array: pa.ChunkedArray, *, personal: bool) -> Column:
    """The column as an identifier, because the caller says that it is one."""
    if column.kind != "identifier":
        kept = array.drop_null()
        kept = kept.cast(kept.type.value_type) if pa.types.is_dictionary(kept.type) else kept
        if pa.types.is_integer(kept.type) and len(kept):
            bounds = pc.min_max(kept)
            start, note = key_start(bounds["min"].as_py(), bounds["max"].as_py(), column.storage)
            column = replace(column, pattern=f"key:{start}", note=note)
        else:
            texts = kept.cast(pa.string()).unique()
            longest = pc.max(pc.utf8_length(texts)).as_py() or 1
            numbered = column.storage in ("int64", "double") or len(texts) < 2 or not patterns.is_code_like(texts)
            pattern = f"key:{10 ** min(longest, 14) + 1}" if numbered else patterns.mask_of(texts)
            column = replace(column, pattern=pattern)
        column = replace(column, kind="identifier", domain=None, decimals=None, format=None, unit=None)
    return replace(column, personal=column.personal or personal)


def _find_key(table: pa.Table, columns: Mapping[str, Column]) -> str | None:
    """The first identifier that is complete and never repeats, one called `id`, or like one, before others."""
    found = [name for name, column in columns.items() if _can_be_key(table.column(name), column)]
    called = [name for name in found if patterns.words_of(name) in (("id",), ("key",), ("uuid",), ("rowid",))]
    return next(iter([*called, *filter(patterns.names_an_id, found), *found]), None)


def _find_person(table: pa.Table, columns: dict[str, Column], said: str | None) -> str | None:
    """The person that the caller says, else the first identifier that repeats and whose header names people.

    Whatever repeats gets a note: made rows have one of their own each.
    """
    person = said
    for name, column in columns.items():
        if name == said or column.kind != "identifier" or len(table.column(name).unique()) == table.num_rows:
            continue
        if table.column(name).null_count > table.num_rows / 2:
            continue
        if (column.pattern or "").startswith("place:") or PAIRS in column.note:
            continue
        told = f"stands in several rows, each made row has its own; if it names people, say --person {name}"
        if person is None and patterns.names_people(name) and not table.column(name).null_count:
            person = name
            told = "taken for the person of each row: told apart and held out with all rows; each made row has its own"
            columns[name] = column = replace(column, personal=True)
        columns[name] = replace(column, note="; ".join(filter(None, (column.note, told))))
    return person


def _can_be_key(array: pa.ChunkedArray, column: Column) -> bool:
    if column.kind != "identifier" or array.null_count or (column.personal and not patterns.names_an_id(column.name)):
        return False
    kind = (column.pattern or "").partition(":")[0].partition(";")[0]
    return kind not in (
        "name",
        "first_name",
        "last_name",
        "email",
        "phone",
        "ip",
        "url",
        "iban",
        "plate",
        "place",
    ) and len(array.unique()) == len(array)
