"""Made rows from a table model: under conditions, with wanted shares; rules are obeyed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, SchemaError, ShortSample, count, did_you_mean
from tuckpoint.schema import Column
from tuckpoint.seed import Seed
from tuckpoint.table.decode import decode
from tuckpoint.table.engine import Array, Condition, Encoded
from tuckpoint.table.expression import parse, quote
from tuckpoint.table.fit import TableModel
from tuckpoint.table.identify import fabricate
from tuckpoint.table.literals import duration, moment
from tuckpoint.table.rules import RuleBook
from tuckpoint.table.steps import settled

Mask = np.ndarray[tuple[int], np.dtype[np.bool_]]
ROUNDS = 40  # of drawing again what broke a rule
MOST = 50  # times as many rows as asked that may be drawn in all
TRIED = 2_000  # rows on which rules that drawing anew obeys are tried
THROWN = 0.05  # of drawn rows, that breaking a rule is told from


def sample(
    model: TableModel,
    rows: int,
    seed: Seed,
    *,
    where: str | None = None,
    rebalance: Mapping[str, Mapping[str, float]] | None = None,
    first_row: int = 0,
) -> pa.Table:
    """Made rows, as a table of the schema.

    `where` is a condition on any columns; `rebalance` gives wanted shares of levels by column. `first_row` is the place
    of these rows among all that will be made: keys count from it. Raises InputError if the engine cannot honour the
    condition, ShortSample (with the rows that were made) if rules or conditions leave too few.
    """
    if rows < 0:
        raise InputError(f"{rows} rows were asked for; ask for 0 or more")
    condition = None if where is None else _condition(model, where)
    parts = _mixture(model, condition, rebalance or {}, rows, seed.child("shares"))
    for part in parts:
        reason = None if part.condition is None else model.engine.refuse(part.condition.engine, ())
        if reason:
            raise InputError(reason)
    made, short = [], None
    for at, part in enumerate(parts):
        try:
            made.append(_drawn(model, part.rows, seed.child("part", at), part.condition))
        except ShortSample as error:
            short = error
            made.append(error.rows if isinstance(error.rows, dict) else _none(model))
    columns = _joined(made)
    have = len(next(iter(columns.values()))) if columns else rows
    if short is None and len(parts) > 1:
        mixed = seed.child("mix").numpy().permutation(rows)
        columns = {name: values[mixed] for name, values in columns.items()}
    table = finish(model, columns, have, first_row=first_row, seed=seed.child("fresh"))
    if short is not None:
        raise ShortSample(str(short), table)
    return table


def thrown(model: TableModel, seed: Seed, *, where: str | None = None) -> dict[str, float]:
    """For each rule that is obeyed by drawing anew, the share of drawn rows that break it, from one in twenty.

    What such a rule leaves has other shares in all columns that hang together with it.
    """
    if not model.book.fields:
        return {}
    condition = None if where is None else _condition(model, where)
    raw = model.engine.draw(TRIED, seed, condition=None if condition is None else condition.engine)
    judge = partial(obeying, model, rows=raw.rows, condition=condition)
    columns, _ = settled(model.book, raw, seed.child("steps"), judge)
    asked = np.ones(raw.rows, bool) if condition is None else condition.mask(columns)
    if not asked.any():
        return {}
    shares = {text: float(mask[asked].mean()) for text, mask in model.book.violations(columns).items()}
    return {text: share for text, share in shares.items() if share >= THROWN}


def drawn(model: TableModel, rows: int, seed: Seed, *, where: str | None = None) -> dict[str, Array]:
    """The encoded columns (rows,) of made rows, before `finish` makes a table of them; raises as `sample` does."""
    condition = None if where is None else _condition(model, where)
    if reason := None if condition is None else model.engine.refuse(condition.engine, ()):
        raise InputError(reason)
    return _drawn(model, rows, seed, condition)


def finish(model: TableModel, columns: Mapping[str, Array], rows: int, *, first_row: int, seed: Seed) -> pa.Table:
    """The table of the schema from encoded columns (rows,); identifiers, names and text are made anew."""
    fields = model.book.fields
    decoded = decode(Encoded(fields, columns), model.schema)
    arrays = {name: decoded.column(name) for name in decoded.column_names}
    for column in model.schema.columns:
        if not column.modelled:
            made = fabricate(column, rows, first_row=first_row, seed=seed.child(column.name))
            arrays[column.name] = made
    return pa.table({name: arrays[name] for name in model.schema.names})


@dataclass(frozen=True)
class _Where:
    """A condition on the columns of the table, and the same as the engine sees it, on free columns."""

    text: str
    mask: Callable[[Mapping[str, Array]], Mask]
    engine: Condition


@dataclass(frozen=True)
class _Part:
    rows: int
    condition: _Where | None


def _condition(model: TableModel, text: str) -> _Where:
    for column in model.schema.columns:
        if not column.modelled and column.name in text:
            _refuse_unmodelled(model, text)
            break
    parsed = parse(text, model.book.fields, model.schema)
    given = parsed.condition()
    return _Where(text, given.mask, _on_free(model.book, given))


def _refuse_unmodelled(model: TableModel, text: str) -> None:
    """A condition on an identifier or on free text cannot be met: these are made anew and mean nothing."""
    try:
        parse(text, model.book.fields, model.schema)
    except SchemaError as error:
        names = ", ".join(f'"{c.name}" ({c.kind})' for c in model.schema.columns if not c.modelled)
        raise InputError(f"{error}; these columns are made anew and cannot be conditioned on: {names}") from None


def _on_free(book: RuleBook, given: Condition) -> Condition:
    """The same condition on the free columns that its columns are computed from."""
    if all(book.sources(name) == (name,) for name in given.names):
        return given
    names = tuple(dict.fromkeys(free for name in given.names for free in book.sources(name)))

    def mask(columns: Mapping[str, Array]) -> Mask:
        return given.mask({name: book.column(name, columns) for name in given.names})

    parts: dict[str, Callable[[Array], Mask]] | None = None
    if given.parts is not None and all(len(book.sources(name)) == 1 for name in given.names):
        tests: dict[str, list[tuple[str, Callable[[Array], Mask]]]] = {}
        for name, test in given.parts.items():
            tests.setdefault(book.sources(name)[0], []).append((name, test))
        parts = {free: _all_of(book, free, some) for free, some in tests.items()}
    return Condition(given.text, names, mask, parts)


def _all_of(book: RuleBook, free: str, tests: Sequence[tuple[str, Callable[[Array], Mask]]]) -> Callable[[Array], Mask]:
    def test(values: Array) -> Mask:
        held = [test(book.column(name, {free: values})) for name, test in tests]
        return np.asarray(np.logical_and.reduce(held))

    return test


def _mixture(
    model: TableModel,
    condition: _Where | None,
    rebalance: Mapping[str, Mapping[str, float]],
    rows: int,
    seed: Seed,
) -> list[_Part]:
    """One part for each combination of rebalanced levels, with its rows; one part for all if none is rebalanced."""
    if not rebalance:
        return [_Part(rows, condition)]
    choices = [_choices(model, name, shares) for name, shares in rebalance.items()]
    cells = list(itertools.product(*choices))
    wanted = np.array([math.prod(share for _, share in cell) for cell in cells])
    outer = [] if condition is None else [condition.text]
    return [
        _Part(int(count), _condition(model, _joint([*outer, *(text for text, _ in cell)])))
        for cell, count in zip(cells, _apportion(wanted, rows, seed), strict=True)
        if count
    ] or [_Part(0, condition)]


def _choices(model: TableModel, name: str, shares: Mapping[str, float]) -> list[tuple[str, float]]:
    """A condition for each level with a share, and its share; what is left goes to all other rows together."""
    field = next((item for item in model.book.fields if item.name == name), None)
    if field is None:
        known = [item.name for item in model.book.fields]
        raise InputError(f'rebalance: no modelled column "{name}"{did_you_mean(name, known)}')
    for level in shares:
        if field.levels is not None and level not in field.levels:
            raise InputError(f'rebalance: column "{name}" has no level "{level}"{did_you_mean(level, field.levels)}')
    total = math.fsum(shares.values())
    if not total > 0 or any(share < 0 for share in shares.values()):
        raise InputError(f'rebalance: shares of "{name}" are {dict(shares)}; they must be 0 or more, not all 0')
    told = {level: repr(level) if field.levels is not None else _value(model.schema[name], level) for level in shares}
    chosen = [(f"{quote(name)} == {told[level]}", share / max(total, 1.0)) for level, share in shares.items()]
    if total > 1 - 1e-9 or (field.levels is not None and len(shares) == len(field.levels) and not field.nullable):
        return [(text, share / total * max(total, 1.0)) for text, share in chosen]
    others = f"{quote(name)} not in [{', '.join(told.values())}]"
    return [*chosen, (f"{others} or missing({quote(name)})" if field.nullable else others, 1 - total)]


def _value(column: Column, text: str) -> str:
    """A value of a column without levels as a condition says it; raises InputError that shows the right form."""
    name, kind = column.name, column.kind
    if kind in ("integer", "decimal"):
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise InputError(
                f'rebalance: "{name}" holds numbers and {text!r} is none; write {name}=0:0.5/1:0.5, or --where for '
                "ranges"
            )
        return repr(number)
    try:
        duration(column, text) if kind == "duration" else moment(column, text)
    except InputError:
        one = {"date": "2024-01-31", "datetime": "2024-01-31 12:30:00"}.get(kind, "1:30:00")
        several = "ranges" if kind == "duration" else f"ranges, as --where 'year({quote(name)}) == 2024'"
        raise InputError(
            f'rebalance: "{name}" holds values of kind {kind} and {text!r} is none; write {name}={one}:0.5, or '
            f"--where for {several}"
        ) from None
    return repr(text)


def _joint(conditions: Sequence[str]) -> str:
    return " and ".join(f"({text})" if " or " in text else text for text in conditions)


def _apportion(shares: Array, rows: int, seed: Seed) -> Array:
    """Whole counts that add up to rows: floors, then one more where a systematic draw on the remainders falls."""
    exact = shares / shares.sum() * rows
    edges = np.floor(np.cumsum(exact) + seed.numpy().random()).astype(np.int64)
    edges[-1] = rows
    return np.diff(np.minimum(edges, rows), prepend=0)


def _none(model: TableModel) -> dict[str, Array]:
    return {item.name: np.empty(0, float if item.numeric else np.int32) for item in model.book.fields}


def _drawn(model: TableModel, rows: int, seed: Seed, condition: _Where | None) -> dict[str, Array]:
    """All encoded columns (rows,) that obey the rules and the condition; what breaks one is drawn anew."""
    if not model.book.fields:
        return {}  # identifiers and text alone: nothing is drawn
    kept: list[dict[str, Array]] = []
    have = tried = 0
    while True:
        ask = min(math.ceil((rows - have) * (tried + 1) / (have + 1) * 1.05) + (8 if tried else 0), 4 * rows + 1000)
        drawn = model.engine.draw(
            ask if tried else rows - have,
            seed.child("try", len(kept)),
            condition=None if condition is None else condition.engine,
        )
        judge = partial(obeying, model, rows=drawn.rows, condition=condition)
        columns, good = settled(model.book, drawn, seed.child("steps", len(kept)), judge)
        tried += drawn.rows
        have += int(good.sum())
        kept.append(columns if good.all() else {name: values[good] for name, values in columns.items()})
        if have >= rows:
            break
        if len(kept) >= ROUNDS or tried > MOST * rows + 10_000:
            raise ShortSample(_why_short(model, columns, condition, have, rows, tried), _joined(kept))
    return {name: values[:rows] for name, values in _joined(kept).items()}


def _joined(pieces: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """The columns of all pieces, one after another; a single piece is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def obeying(model: TableModel, columns: Mapping[str, Array], rows: int, condition: _Where | None) -> Mask:
    """The rows (rows,) that break no rule of the model, and satisfy the condition."""
    good = np.ones(rows, bool)
    for broken in model.book.violations(columns).values():
        good &= ~broken
    if condition is not None:
        good &= condition.mask(columns)
    return good


def _why_short(
    model: TableModel, columns: Mapping[str, Array], condition: _Where | None, have: int, rows: int, tried: int
) -> str:
    worst = sorted(model.book.violations(columns).items(), key=lambda entry: -entry[1].mean())
    blame = f"the rule `{worst[0][0]}` was broken most ({worst[0][1].mean():.1%})" if worst else "no rule was broken"
    under = "" if condition is None else f" under `{condition.text}`"
    return (
        f"only {have:,} of {count(rows, 'row')} could be made{under} in {count(tried, 'draw')}: {blame}; "
        "relax the rule or the condition, or take the rows that were made"
    )
