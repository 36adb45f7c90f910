"""Partly filled rows completed by a table model: filled cells stay, empty ones are drawn given them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError, SchemaError, ShortSample, count, did_you_mean
from tuckpoint.schema import Column
from tuckpoint.seed import Seed
from tuckpoint.table.decode import RARE
from tuckpoint.table.encode import OTHER, encode_column
from tuckpoint.table.engine import Array, Field, Progress, quiet
from tuckpoint.table.fit import TableModel
from tuckpoint.table.rule import absent
from tuckpoint.table.sample import finish, obeying
from tuckpoint.table.steps import placed

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
CELL_ROUNDS = 100  # of drawing again the cells of partly filled rows
CELL_TRIES = 10_000  # of filling a row before a cell may stay empty
CELL_DRAWS = 20_000  # rows tried in one such round, if that is more than are left


def complete(model: TableModel, partial: pa.Table, seed: Seed, *, progress: Progress = quiet) -> pa.Table:
    """Fill the empty cells, and the columns that are not there, of partly filled rows; filled cells stay as they are.

    Rows with the same empty cells are drawn together, given their filled cells; for each such set of columns the engine
    `trees` learns anew, so thousands of sets take long. A drawn cell is never left empty where the model can fill it,
    but where a rule wants it empty. Raises SchemaError for unknown columns, levels or values, ShortSample if rules
    leave a row without any filling.
    """
    unknown = [name for name in partial.column_names if name not in model.schema.names]
    if unknown:
        raise SchemaError(
            f'column "{unknown[0]}" is not in the model{did_you_mean(unknown[0], model.schema.names)}; remove it'
        )
    rows = partial.num_rows
    held = _held(model, partial)
    filled = {name: (values >= 0 if values.dtype.kind == "i" else ~np.isnan(values)) for name, values in held.items()}
    patterns = np.stack([filled[item.name] for item in model.book.fields], axis=1) if filled else np.ones((rows, 0))
    out = {name: values.copy() for name, values in held.items()}
    kinds, which = np.unique(patterns, axis=0, return_inverse=True) if rows else (patterns, np.zeros(0, int))
    for number, kind in enumerate(kinds):
        progress(f"filling cells, {number + 1:,} of {len(kinds):,} sets of empty columns", number / len(kinds))
        if kind.all():
            continue
        at = np.flatnonzero(which.reshape(-1) == number)
        given = {item.name: held[item.name][at] for item, has in zip(model.book.fields, kind, strict=True) if has}
        for name, values in _fill(model, given, at, seed.child("pattern", number)).items():
            out[name][at] = values
    table = finish(model, out, rows, first_row=0, seed=seed.child("fresh"))
    return _keep(table, partial, filled)


def _held(model: TableModel, partial: pa.Table) -> dict[str, Array]:
    """The encoded cells that are filled, with the model's codes."""
    held: dict[str, Array] = {}
    for item in model.book.fields:
        if item.name not in partial.column_names:
            held[item.name] = (
                np.full(partial.num_rows, np.nan) if item.numeric else np.full(partial.num_rows, -1, np.int32)
            )
            continue
        field, values = encode_column(partial.column(item.name), model.schema[item.name])
        if item.levels is not None:
            if "" not in item.levels:  # a text of blanks is an empty cell
                blank = [not level.strip() for level in field.levels or ()]
                values = np.where(np.array([*blank, False])[values], np.int32(-1), values)
            pool = _pool(item, model.schema[item.name])
            seen = [(field.levels or ())[code] for code in np.unique(values[values >= 0])]
            lost = [level for level in seen if level not in item.levels]
            if lost and pool < 0:
                raise SchemaError(
                    f'column "{item.name}": level "{lost[0]}" is not known to the model'
                    f"{did_you_mean(lost[0], item.levels)}; correct it or leave the cell empty"
                )
            place = {level: code for code, level in enumerate(item.levels)}
            recode = np.array([*(place.get(level, pool) for level in field.levels or ()), -1], np.int32)
            values = recode[values]
        held[item.name] = values
    return held


def _pool(item: Field, column: Column) -> int:
    """The code of the level that stands for the rare ones, which a filled cell may name; -1 if there is none."""
    levels = item.levels or ()
    pooled = [name for name in (RARE, OTHER) if name in levels and column.storage in ("string", "large_string")]
    return levels.index(pooled[0]) if pooled else -1


def _fill(model: TableModel, given: Mapping[str, Array], places: Array, seed: Seed) -> dict[str, Array]:
    """All columns (rows,) in which the given ones stay; rows whose filling breaks a rule or is empty are drawn anew.

    `places` (rows,) are those of the rows in their table, for what is told of them.
    """
    if broken := model.book.contradicted(given):
        raise _short(places[broken[1]], f"their cells break the rule `{broken[0]}`")
    given = model.book.following(given)
    fixed = model.book.given(given)
    reason = model.engine.refuse(None, tuple(fixed))
    if reason:
        raise InputError(reason)
    out: dict[str, Array] = {}
    todo, tried = np.arange(len(places)), 0
    for attempt in range(CELL_ROUNDS):
        # Ever more fillings of each row that is left, since whole rows without an empty cell may be rare.
        many = min(2**attempt, max(1, CELL_DRAWS // len(todo)))
        at = np.repeat(todo, many)
        part = {name: values[at] for name, values in fixed.items()}
        drawn = model.engine.draw(len(at), seed.child(attempt), given=part).columns
        drawn = placed(model.book.free, drawn, seed.child(attempt, "steps"), keep=fixed)
        drawn = model.book.anchored(drawn, {name: values[at] for name, values in given.items()})
        columns = model.book.construct(drawn, len(at))
        good = obeying(model, columns, len(at), None)
        for name, values in given.items():
            good &= np.isclose(columns[name], values[at], rtol=1e-9, atol=1e-9)
        empty = _empty(model, columns, given)
        # A column that is nearly always missing must not keep a row from being filled for ever.
        good &= (empty == 0) | (tried >= CELL_TRIES) | (attempt > CELL_ROUNDS // 2)
        tried += many
        best = np.lexsort((empty, at))
        best = best[good[best]]
        done, first = np.unique(at[best], return_index=True)
        for name, values in columns.items():
            out.setdefault(name, np.empty(len(places), values.dtype))[done] = values[best[first]]
        todo = np.setdiff1d(todo, done)
        if not len(todo):
            return out
    raise _short(places[todo], f"with their cells {', '.join(given)} every draw of {CELL_ROUNDS} rounds broke a rule")


def _short(places: Array, why: str) -> ShortSample:
    return ShortSample(
        f"{count(len(places), 'partly filled row')} cannot be completed (first: row {places[0] + 1}): {why}; correct "
        "the cells, or empty one of them"
    )


def _empty(model: TableModel, columns: Mapping[str, Array], given: Mapping[str, Array]) -> Array:
    """How many cells of each row (rows,) were drawn empty, where no rule wants them so."""
    empty = np.zeros(len(next(iter(columns.values()))), int)
    for item in model.book.fields:
        if item.name not in given:
            empty += absent(columns[item.name]) & ~np.asarray(model.book.emptied(item.name, columns))
    return empty


def _keep(table: pa.Table, partial: pa.Table, filled: Mapping[str, Mask]) -> pa.Table:
    """Filled cells stay to the last bit: identifiers and text, which are only copied, and numbers of any precision."""
    for name in partial.column_names:
        old = partial.column(name)
        new = table.column(name)
        if old.null_count == len(old) or pa.types.is_dictionary(new.type):
            continue
        if old.type != new.type:
            if name in filled and not pa.types.is_large_string(new.type):
                continue
            old = old.cast(new.type)
        has = pa.array(filled[name]) if name in filled else old.is_valid()
        table = table.set_column(table.column_names.index(name), name, pc.if_else(has, old, new))
    return table
