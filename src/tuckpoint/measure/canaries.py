"""Canaries: made-up people planted among the real ones by a coin each, to see whether what is made gives them away."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError
from tuckpoint.measure.finding import Finding
from tuckpoint.measure.intervals import Z95, auc
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.neighbours import nearest
from tuckpoint.measure.onerun import GRID, LEVEL, best_guesses, likely, sizes, surest
from tuckpoint.measure.prepare import coded
from tuckpoint.schema import Column, Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.decode import RARE, decode
from tuckpoint.table.encode import encode, spell
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.identify import fabricate
from tuckpoint.table.protect import protect
from tuckpoint.table.restrict import from_steps, to_steps
from tuckpoint.table.rules import RuleBook

FEWEST, MOST = 32, 1_000
ROOM = 1_000  # times as many rows as canaries that the domain must tell apart
WINDOW = 0.01  # of a number's range, within which two values agree
TRIES = 50
NEAR = 0.001  # distance below which rows are as good as equal
BLOCK_CELLS = 4_000_000
ADVICE = "Made rows show who was planted: the engine keeps what stands out; use larger leaves or `--private`."


@dataclass(frozen=True)
class Planted:
    """What to fit, and what nobody else may know: `table` holds the real rows and the canaries that were planted.

    `canaries` are all of them, planted or not, `coins` (m,) bool tells which were; `fields` are the domain that they
    were drawn from.
    """

    table: pa.Table
    canaries: pa.Table
    coins: Array
    fields: tuple[Field, ...]
    schema: Schema


def plenty(rows: int) -> int:
    """How many canaries a table of so many rows bears: one for twenty rows, 32 to 1,000."""
    return min(max(rows // 20, FEWEST), MOST)


def plant(
    table: pa.Table, schema: Schema, count: int, seed: Seed, *, book: RuleBook | None = None, k: int = 5
) -> Planted:
    """Draw people who do not exist, and put each into the table if a coin says so.

    Every column is drawn by itself and evenly over its domain, so that a canary is a combination that hardly any real
    person shows. A domain that is public, expert or private is taken as the schema states it; one that came from the
    data is cut to what k people share, so that no canary lends company to a rare value. With a `book` its columns and
    domains are taken, and canaries obey its rules: others would keep the rules from being found, and the model with
    them would be another. Identifiers are new, names and text made up.

    Where all domains are public, canaries depend on the seed alone: for a private engine they are people like any
    others, and the real ones keep their guarantee. Raises InputError for a count outside 32..1,000, and where a table
    has too few columns, or rules too strict, for rows that stand out.
    """
    if not FEWEST <= count <= MOST:
        raise InputError(f"{count} canaries: plant {FEWEST} to {MOST}; fewer prove nothing, more change the table")
    book = RuleBook((), _domains(table, schema, k)) if book is None else book
    _check_room(book.free, count)
    columns = _drawn(book, count, seed.child("values"))
    canaries = _as_table(Encoded(book.fields, columns), table, schema, seed.child("fresh"))
    coins = seed.child("coins").numpy().random(count) < 0.5
    whole = pa.concat_tables([table.select(schema.names), canaries.filter(pa.array(coins))])
    return Planted(whole, canaries, coins, book.fields, schema)


def bound(
    made: pa.Table,
    planted: Planted,
    *,
    seed: Seed,
    without: pa.Table | None = None,
    allowed: float = 0.0,
    delta: float = 0.0,
) -> tuple[Finding, ...]:
    """Which canaries were planted? Guessed from made rows in two ways.

    `nearest`: by the distance to the nearest made row. `values`: by how many made rows agree with a canary in one
    column and in two (a sum of logarithms). Where there are rows of the same maker fitted `without` canaries, what a
    canary scores on them is taken off: so an attacker who knows everybody else sees what a canary adds. The score is
    the AUC with DeLong's interval, and passes unless it is surely above the limit. The p-value is that of a loss of at
    most (`allowed`, `delta`). Coins are independent by construction, so the one-run bound on epsilon (Steinke, Nasr and
    Jagielski 2023, arXiv 2305.08846) needs no assumption about who was held out.
    """
    ways = _ways(made, planted)
    if without is not None:
        ways = {
            way: scores - expected
            for (way, scores), expected in zip(ways.items(), _ways(without, planted).values(), strict=True)
        }
    return tuple(_finding(way, scores, planted.coins, seed.child(way), allowed, delta) for way, scores in ways.items())


def _ways(made: pa.Table, planted: Planted) -> dict[str, Array]:
    mine, theirs = (_codes(side, planted) for side in (planted.canaries, made))
    return {
        "nearest": -np.log(_distance(mine, theirs, planted.fields) + NEAR),
        "values": _familiar(mine, theirs, planted.fields),
    }


def _finding(way: str, scores: Array, coins: Array, seed: Seed, allowed: float, delta: float) -> Finding:
    planted = int(coins.sum())
    if not 2 <= planted <= len(coins) - 2:
        why = f"{planted} of {len(coins)} canaries were planted: nothing can be told apart; take another seed"
        return Finding(f"canaries_{way}", "worst case", Score("canaries", None, why=why))
    told = auc(scores, coins)
    best = best_guesses(scores, coins, delta=delta, seed=seed, level=LEVEL)
    p = surprise(scores, coins, seed=seed, allowed=allowed, delta=delta)
    low, high = max(told.value - Z95 * told.se, 0.0), min(told.value + Z95 * told.se, 1.0)
    passed = low <= AUDIT.membership
    score = Score(
        "canaries", told.value, low, high, len(coins), "lower", 0.5, "guessing", passed=passed,
        advice="" if passed else ADVICE,
        detail={
            "planted": planted, "guesses": best.guesses, "right": best.right, "variant": best.variant,
            "allowed": allowed, "limit": AUDIT.membership, "interval_of": "value",
        },
    )  # fmt: skip
    return Finding(f"canaries_{way}", "worst case", score, p=p, epsilon=best.epsilon)


def surprise(scores: Array, coins: Array, *, seed: Seed, allowed: float, delta: float) -> float:
    """How likely, at most, the surest guesses are so often right under (allowed, delta): paid for all that was tried.

    The guesses are those of `onerun.best_guesses`; ties are broken by chance.
    """
    m, order = len(scores), surest(scores, seed)
    tries = []
    for k in sizes(m, GRID):
        top, bottom = int(coins[order[:k]].sum()), int(coins[order[m - k :]].sum())
        tries += [likely(allowed, top, k, m, delta), likely(allowed, top + k - bottom, 2 * k, m, delta)]
    return min(1.0, len(tries) * min(tries))


def _domains(table: pa.Table, schema: Schema, k: int) -> tuple[Field, ...]:
    """Public domains as they are stated; those that came from the data as far as k people share them."""
    if all(column.domain is not None and column.domain.provenance != "data" for column in _modelled(schema)):
        return encode(table.slice(0, 0), schema).fields
    read = encode(table, schema)
    shared = {field.name: field for field in protect(read, k)[0].fields}
    return tuple(shared[field.name] if field.provenance == "data" else field for field in read.fields)


def _modelled(schema: Schema) -> tuple[Column, ...]:
    return tuple(column for column in schema.columns if column.modelled)


def _check_room(free: Sequence[Field], count: int) -> None:
    told = sum(math.log(max(_size(field), 1)) for field in free)
    if told < math.log(ROOM * count):
        raise InputError(
            f"the domain tells only {math.exp(told):,.0f} rows apart, and {count} canaries need {ROOM * count:,} to "
            "stand out among people; plant none in this table"
        )


def _size(field: Field) -> int:
    """How many values can be told apart: levels, or hundredths of a range."""
    if field.levels is not None:
        return len([level for level in field.levels if level != RARE])
    low, high = _steps(field)
    return int(min(high - low + 1, 1 / WINDOW))


def _steps(field: Field) -> tuple[int, int]:
    low, high = (0.0 if end is None else end for end in (field.low, field.high))
    first, last = (int(to_steps(np.array([end]), field.decimals)[0]) for end in (low, high))
    return first, max(first, last)


def _drawn(book: RuleBook, count: int, seed: Seed) -> dict[str, Array]:
    """Columns (count,) drawn evenly, those that rules compute computed; rows that break a rule are drawn anew."""
    kept: list[Mapping[str, Array]] = []
    have = 0
    for number in range(TRIES):
        free = {field.name: _even(field, count, seed.child(field.name, number)) for field in book.free}
        columns = book.construct(free, count)
        good = ~np.any([np.zeros(count, bool), *book.violations(columns).values()], axis=0)
        kept.append({name: values[good] for name, values in columns.items()})
        have += int(good.sum())
        if have >= count:
            return {name: np.concatenate([piece[name] for piece in kept])[:count] for name in columns}
    raise InputError(
        f"only {have} of {count} canaries could be drawn that obey the rules of the table; plant none, or drop a rule"
    )


def _even(field: Field, count: int, seed: Seed) -> Array:
    random = seed.numpy()
    if field.levels is not None:
        usable = [code for code, level in enumerate(field.levels) if level != RARE] or [len(field.levels) - 1]
        return random.choice(np.array(usable, np.int32), count)
    if field.low is None and field.high is None:
        return np.full(count, np.nan)
    first, last = _steps(field)
    return from_steps(random.integers(first, last + 1, count), field.decimals)


def _as_table(encoded: Encoded, table: pa.Table, schema: Schema, seed: Seed) -> pa.Table:
    """The canaries in the types of the table, with identifiers that it does not hold."""
    decoded = decode(encoded, schema)
    arrays = []
    for column in schema.columns:
        wanted = table.schema.field(column.name).type
        if column.modelled:
            values = decoded.select([column.name])
            values = spell(values, schema) if pa.types.is_string(wanted) else values
            arrays.append(values.column(0).cast(wanted))
        else:
            fresh = _fresh(column, table, encoded.rows, seed.child(column.name), unique=column.name in _keys(schema))
            arrays.append(fresh.cast(wanted))
    return pa.table(arrays, schema=pa.schema([table.schema.field(name) for name in schema.names]))


def _keys(schema: Schema) -> tuple[str | None, ...]:
    return schema.primary_key, schema.person


def _fresh(column: Column, table: pa.Table, rows: int, seed: Seed, *, unique: bool) -> pa.Array:
    """New identifiers or text; for keys and people values that the table does not hold."""
    if not unique:
        return fabricate(column, rows, first_row=table.num_rows, seed=seed)
    column = replace(column, pattern=(column.pattern or "key").partition(";missing=")[0])
    held = table.column(column.name)
    for number in range(TRIES):
        made = fabricate(column, rows, first_row=table.num_rows + number * rows, seed=seed)
        known = pc.is_in(made.cast(pa.string()), pc.unique(held.cast(pa.string())))
        if not pc.any(known).as_py():
            return made
    raise InputError(f'column "{column.name}": no {rows} new identifiers of its pattern are left; plant no canaries')


def _codes(table: pa.Table, planted: Planted) -> dict[str, Array]:
    """Columns in the codes of the domain; a level that it lacks is as good as missing."""
    return coded(table, planted.schema, planted.fields, "made")


def _range(field: Field) -> float:
    low, high = (0.0 if end is None else end for end in (field.low, field.high))
    return max(high - low, 10.0**-field.decimals)


def _agreement(
    mine: Mapping[str, Array], theirs: Mapping[str, Array], fields: Sequence[Field]
) -> Iterator[list[Array]]:
    """Of blocks of made rows, for each column whether (rows, canaries) int8 they agree with the canaries."""
    count, rows = len(mine[fields[0].name]), len(theirs[fields[0].name])
    step = max(1, BLOCK_CELLS // max(count * len(fields), 1))
    for start in range(0, rows, step):
        block = slice(start, start + step)
        agree = []
        for field in fields:
            own, other = mine[field.name][None, :], theirs[field.name][block, None]
            same = np.abs(own - other) <= WINDOW * _range(field) if field.numeric else own == other
            agree.append(same.astype(np.int8))
        yield agree


def _familiar(mine: Mapping[str, Array], theirs: Mapping[str, Array], fields: Sequence[Field]) -> Array:
    """(canaries,): summed logarithms of how many made rows agree in each column, and in each pair of columns."""
    count = len(mine[fields[0].name])
    pairs = np.zeros((count, len(fields), len(fields)))
    for agree in _agreement(mine, theirs, fields):
        whole = np.stack(agree, axis=2).transpose(1, 0, 2).astype(np.float32)  # (canaries, rows, columns)
        pairs += whole.transpose(0, 2, 1) @ whole
    return np.asarray(np.log1p(pairs).sum(axis=(1, 2)))


def _distance(mine: Mapping[str, Array], theirs: Mapping[str, Array], fields: Sequence[Field]) -> Array:
    """(canaries,): distance to the nearest made row, numbers in shares of their domain, levels one-hot."""
    held = {field.name: np.unique(mine[field.name]) for field in fields if not field.numeric}
    points = _points(mine, fields, held)
    out = np.full(len(points), np.inf)
    step = max(1, BLOCK_CELLS // points.shape[1])
    for start in range(0, len(theirs[fields[0].name]), step):
        block = {name: values[start : start + step] for name, values in theirs.items()}
        out = np.minimum(out, nearest(points, _points(block, fields, held)))
    return out


def _points(columns: Mapping[str, Array], fields: Sequence[Field], held: Mapping[str, Array]) -> Array:
    """(rows, d) float32; levels that no canary holds are as far from theirs as these from one another: one place."""
    parts = []
    for field in fields:
        values = columns[field.name]
        if field.numeric:
            missing = np.isnan(values)
            parts.append(
                np.stack([np.where(missing, 0.0, values - (field.low or 0.0)) / _range(field), missing], axis=1)
            )
            continue
        place = np.minimum(np.searchsorted(held[field.name], values), len(held[field.name]) - 1)
        place = np.where(held[field.name][place] == values, place, len(held[field.name]))
        parts.append(np.eye(len(held[field.name]) + 1, dtype=np.float32)[place] * np.float32(math.sqrt(0.5)))
    return np.concatenate(parts, axis=1).astype(np.float32)
