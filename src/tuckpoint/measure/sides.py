"""Puts real rows that a maker saw, real rows that it did not see, and made rows into the places of an audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, count, did_you_mean
from tuckpoint.measure.attacks.copies import keys
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Sides
from tuckpoint.measure.nearness import Embedding, Nearness, embedding, nearness
from tuckpoint.measure.prepare import left_out, prepare
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, cut

SURE = 1e-6  # chance at which rows that train and holdout share are no accident


@dataclass(frozen=True)
class Stand:
    """The sides of an audit, the rows of the training file that members stand in (n,), space, distances, remarks."""

    sides: Sides
    rows: Array
    space: Embedding
    near: Nearness
    notes: tuple[str, ...]


def stand(
    train: pa.Table,
    made: pa.Table,
    holdout: pa.Table,
    schema: Schema,
    *,
    person: str | None,
    seed: Seed,
    most_people: int,
    most_made: int,
) -> Stand:
    """One row a person, equally many members and outsiders, all in one space that was learnt from both alike.

    Raises InputError for tables that cannot be compared, people without an id, and a holdout that overlaps the training
    rows: then its people are no outsiders and no attack could be believed.
    """
    named = schema.person if person is None else person
    schema = _without(schema, named)
    tables = {"training": train, "holdout": holdout}
    for side, table in tables.items():
        _check_rows(side, table)
    ids = None if named is None else _ids(tables, named)
    space = prepare(_stacked(train, holdout, schema), made, None, schema)
    first, second = np.arange(train.num_rows), np.arange(train.num_rows, space.real.rows)
    real = replace(space.real, person=None if ids is None else ids)
    inside, outside = real.take(first), real.take(second)
    check_overlap(inside, outside)
    rows = [_one_a_person(side, seed.child("row", i)) for i, side in enumerate((inside, outside))]
    count = min(most_people, *map(len, rows))
    at, beside = (np.sort(seed.child("people", i).numpy().permutation(one)[:count]) for i, one in enumerate(rows))
    members, outsiders = replace(inside.take(at), person=None), replace(outside.take(beside), person=None)
    texts = _texts((train, holdout, made), schema, named)
    found = Sides(inside, outside, members, outsiders, space.made, space.kinds, schema, texts)
    people, _ = crowd(found)
    points = embedding(people, seed.child("space"))
    near = nearness(people, cut(space.made, most_made, seed.child("made").numpy()), points)
    return Stand(replace(found, near=near), at, points, near, left_out(schema, made))


def _check_rows(side: str, table: pa.Table) -> None:
    if table.num_rows == 0:
        raise InputError(f"the {side} table has no rows; an audit compares people in the data with people outside it")


def _without(schema: Schema, person: str | None) -> Schema:
    """The schema without its people: who they are is no attribute of theirs."""
    if person is None:
        return schema
    if person not in schema.names:
        raise InputError(f'no column "{person}" to tell people by{did_you_mean(person, schema.names)}')
    return replace(schema.with_column(replace(schema[person], kind="identifier")), person=None)


def _ids(tables: Mapping[str, pa.Table], person: str) -> Array:
    """Whose each row of both tables is (n,); raises InputError if somebody stands in both, or has no id."""
    texts = []
    for side, table in tables.items():
        if person not in table.column_names:
            raise InputError(
                f'the {side} table has no column "{person}" to tell people by'
                f"{did_you_mean(person, table.column_names)}; add it, or audit row by row"
            )
        missing = np.asarray(table[person].is_null(nan_is_null=True))
        if missing.any():
            raise InputError(
                f'column "{person}": {count(int(missing.sum()), "row")} of the {side} table without an id '
                f"(first: row {int(np.argmax(missing)) + 1}); give each person one, or leave these rows out"
            )
        texts.append([str(value) for value in table[person].to_pylist()])
    shared = set(texts[0]) & set(texts[1])
    if shared:
        raise InputError(
            f"{count(len(shared), 'person stands', 'people stand')} in both the training and the "
            f'holdout table (column "{person}"); nobody who was in the data may be held out: '
            "split person by person, or drop these people from the holdout"
        )
    return np.unique(np.array(texts[0] + texts[1]), return_inverse=True)[1].reshape(-1)


def _stacked(train: pa.Table, holdout: pa.Table, schema: Schema) -> pa.Table:
    """Training rows, then holdout rows, in the columns to compare."""
    names = [column.name for column in schema.columns if column.modelled]
    sides = []
    for side, table in (("training", train), ("holdout", holdout)):
        for name in names:
            if table.column_names.count(name) != 1:
                raise InputError(
                    f'the {side} table has {count(table.column_names.count(name), "column")} "{name}"'
                    f"{did_you_mean(name, table.column_names)}; it needs one"
                )
        sides.append(table.select(names))
    return pa.table({name: pa.chunked_array(_alike(name, *(side[name] for side in sides))) for name in names})


def _alike(name: str, first: pa.ChunkedArray, second: pa.ChunkedArray) -> list[pa.Array]:
    """The chunks of both in one type."""
    sides = [_plain(first), _plain(second)]
    try:
        both = pa.unify_schemas([pa.schema({name: side.type}) for side in sides], promote_options="permissive")
        return [chunk for side in sides for chunk in side.cast(both.field(name).type).chunks]
    except pa.ArrowException:
        raise InputError(
            f'column "{name}" is {first.type} in the training table and {second.type} in the holdout; read both the '
            "same way"
        ) from None


def _plain(array: pa.ChunkedArray) -> pa.ChunkedArray:
    return array.cast(array.type.value_type) if pa.types.is_dictionary(array.type) else array


def check_overlap(train: Encoded, holdout: Encoded) -> None:
    """Raise InputError where the sides share more rows than chance would deal to both.

    Rows that two people share are shared within a side as often as across, if sides were dealt by chance.
    """
    from scipy.special import betainc

    codes = np.concatenate(keys([train, holdout]))
    person = np.arange(len(codes)) if train.person is None else np.concatenate([train.person, holdout.person])
    inside = np.repeat([True, False], [train.rows, holdout.rows])
    once = np.unique(np.stack([codes, person]), axis=1, return_index=True)[1]  # a person's own repetitions aside
    codes, inside = codes[once], inside[once]
    rows, members = np.bincount(codes), np.bincount(codes, weights=inside)
    pairs = rows == 2
    count, across = int(pairs.sum()), int((members[pairs] == 1).sum())
    people = len(codes)
    expected = 2 * inside.sum() * (people - inside.sum()) / (people * (people - 1))
    if across and betainc(across, count - across + 1, expected) < SURE:
        raise InputError(
            f"{across} of the {count} rows that stand twice stand in both the training and the holdout table, where "
            f"chance would put {expected * count:.0f}: the holdout overlaps the training rows; split again, so that no "
            "row that the maker saw is held out"
        )


def _one_a_person(side: Encoded, seed: Seed) -> Array:
    """One row of each person by chance, as positions."""
    order = seed.numpy().permutation(side.rows)
    if side.person is None:
        return order
    return np.asarray(order[np.unique(side.person[order], return_index=True)[1]])


def _texts(
    tables: tuple[pa.Table, pa.Table, pa.Table], schema: Schema, person: str | None
) -> dict[str, tuple[Array, Array, Array]]:
    """Codes of identifiers and free text that all tables hold. Running numbers tell nothing: files count anew."""
    found = {}
    for column in schema.columns:
        everywhere = all(table.column_names.count(column.name) == 1 for table in tables)
        if column.modelled or column.name == person or (column.pattern or "").startswith("key") or not everywhere:
            continue
        if pa.types.is_integer(tables[0][column.name].type):
            continue
        texts = [_plain(table[column.name]).cast(pa.string()).combine_chunks() for table in tables]
        coded = pa.chunked_array(texts).dictionary_encode().combine_chunks()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        first, second, third = np.split(codes, np.cumsum([len(text) for text in texts])[:-1])
        found[column.name] = (first, second, third)
    return found
