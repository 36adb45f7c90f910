"""Where simulated rows are wanted: all columns but the outputs, in a slice that real rows may never have reached.

From a reference table (the columns as they come there), from a table engine's conditional, or from real rows stretched
into the slice: what the condition names is drawn anew over its declared range, and the other numbers of the nearest
real rows move along as they do among real rows, linearly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pyarrow as pa

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.measure.evaluate import judge
from tuckpoint.measure.memory import memorised
from tuckpoint.measure.prepare import coded
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.simulate.columns import column_of, numbers
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.decode import decode
from tuckpoint.table.engine import Array, Context, Encoded, Field
from tuckpoint.table.expression import Expression, parse
from tuckpoint.table.identify import fabricate
from tuckpoint.table.protect import protect, settle

Origin = Literal["stretched", "reference", "engine"]
TRIED = 400_000  # candidates for what a condition names
DONORS = 10  # nearest real rows of which one lends its other columns
RIDGE = 1e-3  # of the variance, in the regression that moves the other numbers


def condition(where: str | None, data: Encoded, schema: Schema, simulator: Simulator) -> Expression | None:
    """The condition of a slice; raises InputError if it names an output, which no one knows before it is simulated."""
    if where is None:
        return None
    parsed = parse(where, data.fields, schema)
    if named := [name for name in parsed.names if name in simulator.outputs]:
        raise InputError(
            f"`{where}` names {named[0]}, which {simulator.name} gives; say the slice by its inputs or other columns"
        )
    return parsed


def stretched(
    data: Encoded, slice_: Expression | None, simulator: Simulator, *, rows: int, seed: Seed
) -> Encoded:  # fmt: skip
    """Real rows moved into the slice; without a slice, real rows drawn again."""
    random = seed.numpy()
    inputs = {name: numbers(data, name) for name in simulator.inputs}
    usable = np.flatnonzero(~simulator.outside(inputs))
    if slice_ is None:
        return data.take(random.choice(usable, rows))
    named = _drawn(data, slice_, simulator, rows=rows, seed=seed.child("named"))
    donors = usable[_donors(data.take(usable), named, seed.child("donors"))]
    columns = {name: column[donors].copy() for name, column in data.columns.items()}
    columns |= _moved(data.take(usable), data.take(donors), named, simulator)
    return Encoded(data.fields, columns)


def referred(
    data: Encoded, slice_: Expression | None, simulator: Simulator, table: pa.Table, schema: Schema, *,
    rows: int, seed: Seed,
) -> Encoded:  # fmt: skip
    """Rows of a reference table in the slice; columns that it lacks come from the nearest real row by inputs."""
    there = [field for field in data.fields if field.name in table.column_names and field.name not in simulator.outputs]
    names = {field.name for field in there}
    needed = [*simulator.inputs, *(slice_.names if slice_ is not None else ())]
    if lacking := [name for name in needed if name not in names]:
        raise InputError(
            f'the reference has no column "{lacking[0]}"; it must hold all inputs of {simulator.name} and what the '
            "condition names"
        )
    found = Encoded(tuple(there), coded(table, schema, there, "reference"))
    kept = np.ones(found.rows, bool) if slice_ is None else slice_.mask(found.columns)
    kept &= ~simulator.outside({name: numbers(found, name) for name in simulator.inputs})
    places = np.flatnonzero(kept)
    if not len(places):
        raise InputError(
            f"no row of the reference lies in the slice and where {simulator.name} is declared for; give a reference "
            "that reaches it, or none"
        )
    random = seed.numpy()
    taken = random.permutation(places)[:rows] if len(places) >= rows else random.choice(places, rows)
    lent = found.take(taken)
    inputs = {name: numbers(data, name) for name in simulator.inputs}
    usable = np.flatnonzero(~simulator.outside(inputs))
    named = {name: lent.columns[name] for name in simulator.inputs}
    donors = usable[_donors(data.take(usable), named, seed.child("donors"))]
    return Encoded(data.fields, {f.name: lent.columns.get(f.name, data.columns[f.name][donors]) for f in data.fields})


def conditional(
    train: pa.Table, schema: Schema, data: Encoded, where: str | None, *, engine: str, rows: int, seed: Seed
) -> Encoded:
    """Rows that a table engine, fitted to the training rows, draws in the slice.

    Raises ShortSample where it cannot reach it: an engine knows only where real rows are.
    """
    part = parts.find("engine", engine)
    if part.private:
        raise InputError(f"engine {engine} spends privacy in every fit; draw the inputs by another, such as trees")
    meaning = settle(schema, protect(data)[0])
    context = Context(target=schema.target, judge=judge, memorised=memorised)
    model = fitting.fit(train, meaning, engine=part(), seed=seed.child("fit"), mine_rules=False, context=context)
    table = sampling.sample(model, rows, seed.child("draw"), where=where)
    return Encoded(data.fields, coded(table, schema, data.fields, "drawn"))


def as_table(made: Encoded, schema: Schema, *, seed: Seed) -> pa.Table:
    """The rows in the types of the real table; identifiers, names and text are made anew."""
    decoded = decode(made, schema)
    return pa.table(
        {
            column.name: decoded.column(column.name)
            if column.modelled
            else fabricate(column, made.rows, first_row=0, seed=seed.child(column.name))
            for column in schema.columns
        }
    )


def _drawn(
    data: Encoded, slice_: Expression, simulator: Simulator, *, rows: int, seed: Seed
) -> dict[str, Array]:  # fmt: skip
    """Columns (rows,) that the condition names: numbers over their declared range, levels alike, held to the slice."""
    random = seed.numpy()
    kept: dict[str, list[Array]] = {name: [] for name in slice_.names}
    have = tried = 0
    while have < rows and tried < TRIED:
        count = min(100_000, max(1000, 20 * rows))
        candidates = {name: _over(data.field(name), simulator, data, count, random) for name in slice_.names}
        good = np.flatnonzero(slice_.mask(candidates))
        for name, column in candidates.items():
            kept[name].append(column[good])
        have, tried = have + len(good), tried + count
    if not have:
        told = ", ".join(f"{name} {low:g}..{high:g}" for name, (low, high) in _ranges(data, slice_, simulator).items())
        raise InputError(
            f"`{slice_.text}`: none of {tried} rows drawn over the declared ranges ({told}) satisfies it; widen "
            f"INPUTS of {simulator.name}, or mend the condition"
        )
    taken = np.arange(rows) if have >= rows else random.integers(0, have, rows)
    return {name: np.concatenate(columns)[taken] for name, columns in kept.items()}


def _over(field: Field, simulator: Simulator, data: Encoded, rows: int, random: np.random.Generator) -> Array:
    """Candidates (rows,) for one column, as the table holds it."""
    if not field.numeric:
        return np.asarray(random.integers(0, len(field.levels or ()), rows), np.int32)
    low, high = _range(field, simulator, data)
    scale = 10.0**field.decimals
    drawn = np.round(random.uniform(low, high, rows), field.decimals)
    return np.asarray(np.clip(drawn, np.ceil(low * scale) / scale, np.floor(high * scale) / scale))


def _range(field: Field, simulator: Simulator, data: Encoded) -> tuple[float, float]:
    """The declared range of an input; of another column the range of the real rows."""
    if field.name in simulator.inputs:
        return simulator.inputs[field.name].low, simulator.inputs[field.name].high
    held = data.columns[field.name]
    return float(np.nanmin(held)), float(np.nanmax(held))


def _ranges(data: Encoded, slice_: Expression, simulator: Simulator) -> dict[str, tuple[float, float]]:
    return {n: _range(data.field(n), simulator, data) for n in slice_.names if data.field(n).numeric}


def _donors(data: Encoded, named: Mapping[str, Array], seed: Seed) -> Array:
    """For each row one of the ten nearest real rows, by the named columns: numbers in sd, another level counts 2."""
    random = seed.numpy()
    rows = len(next(iter(named.values())))
    out = np.empty(rows, np.int64)
    step = max(1, 2_000_000 // max(data.rows, 1))
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        away = np.zeros((part.stop - part.start, data.rows))
        for name, column in named.items():
            theirs, field = data.columns[name], data.field(name)
            if field.numeric:
                spread = float(np.nanstd(theirs)) or 1.0
                away += np.nan_to_num((column[part, None] - theirs[None, :]) / spread, nan=2.0) ** 2
            else:
                away += 4.0 * (column[part, None] != theirs[None, :])
        count = min(DONORS, data.rows)
        away += 1e-9 * random.random(away.shape)  # ties by chance
        near = np.argpartition(away, count - 1, axis=1)[:, :count]
        out[part] = near[np.arange(len(near)), random.integers(0, count, len(near))]
    return out


def _moved(data: Encoded, lent: Encoded, named: Mapping[str, Array], simulator: Simulator) -> dict[str, Array]:
    """The named columns, and the other numbers moved along by the regression of each on the named ones.

    Inputs stay within their declared ranges, other columns within those of the real rows.
    """
    by = [name for name in named if data.field(name).numeric]
    out = dict(named)
    others = [f for f in data.fields if f.numeric and f.name not in named and f.name not in simulator.outputs]
    if not by or not others:
        return out
    spread = np.array([float(np.nanstd(data.columns[name])) or 1.0 for name in by])
    design = np.column_stack([data.columns[name] for name in by]) / spread
    step = np.column_stack([named[name] - lent.columns[name] for name in by]) / spread
    for field in others:
        column = data.columns[field.name]
        held = ~np.isnan(column) & ~np.isnan(design).any(axis=1)
        if held.sum() <= len(by) + 1:
            continue
        x, y = design[held] - design[held].mean(axis=0), column[held] - column[held].mean()
        slope = np.linalg.solve(x.T @ x + RIDGE * held.sum() * np.eye(len(by)), x.T @ y)
        low, high = _range(field, simulator, data)
        out[field.name] = column_of(np.clip(lent.columns[field.name] + np.nan_to_num(step) @ slope, low, high), field)
    return out
