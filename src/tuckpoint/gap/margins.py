"""What training rows lack beside published shares: single columns, pairs, or any condition, as tables or one by one.

tuckpoint_margins: 1
source: census of 2021, table 7           # told in the report
shares: [{where: 'age >= 65', share: 0.18, error: 0.002}]
tables: [{columns: [sex, place], rows: [[f, north, 0.21], [m, north, 0.19], [f, south, 0.3], [m, south, 0.3]]}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint import declared
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.gap.cells import passed
from tuckpoint.gap.columns import quoted, spelt
from tuckpoint.gap.finding import Missing
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.expression import parse

MOST_CELLS = 200_000  # of all columns of the tables crossed; beyond, tables are not combined
SETTLED = 1e-9  # largest change of a cell at which raking ends
ROUNDS = 500
RAKED = "assumes no interaction beyond the published tables"


@dataclass(frozen=True)
class Share:
    """A published share of the rows of a condition, with its standard error (0: exact) and the training rows (n,)."""

    where: str
    columns: tuple[str, ...]
    share: float
    error: float
    rows: Array
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Published shares of the combinations of some columns' levels."""

    columns: tuple[str, ...]
    cells: Mapping[tuple[str, ...], float]


def load(path: str | Path) -> dict[str, Any]:
    """The file as plain values; raises InputError if it is no file of margins."""
    return declared.load(path, "margins", ("source", "shares", "tables"), guide="docs/find.md")


def published(data: Mapping[str, Any], train: Encoded, schema: Schema) -> list[Share]:
    """All shares that the file publishes, and those of pairs that raking its tables together gives."""
    found = []
    for entry in data.get("shares") or []:
        if not isinstance(entry, Mapping) or not isinstance(entry.get("where"), str):
            raise InputError(f"a share of the margins needs where and share; found {entry!r}")
        told = parse(entry["where"], train.fields, schema)
        share, error = _number(entry, "share"), _number(entry, "error", 0.0)
        found.append(Share(entry["where"], told.names, share, error, told.mask(train.columns)))
    tables = [_table(entry, train) for entry in data.get("tables") or []]
    for table in tables:
        found += [_cell(table.columns, levels, share, train, schema) for levels, share in table.cells.items()]
    return found + _combined(tables, train, schema)


def short(shares: Sequence[Share], *, level: float = 0.05, most: int = 20) -> tuple[list[Missing], int]:
    """The shares that training rows surely fall short of, the clearest first, and how many were tested.

    Exact binomial p where the share is exact; else a normal one whose variance has the published error too. Holm over
    all shares.
    """
    if not shares:
        raise InputError("the margins publish no share; add shares or tables, see docs/find.md")
    n = len(shares[0].rows)
    p = np.array([_p(int(one.rows.sum()), n, one) for one in shares])
    stand = np.flatnonzero(passed(p, level))
    found = [_missing(shares[int(at)], n, float(p[at])) for at in stand]
    return sorted(found, key=lambda gap: -gap.z)[:most], len(shares)


def _p(rows: int, n: int, one: Share) -> float:
    from scipy.special import betainc, ndtr

    if one.error == 0:
        return float(betainc(n - rows, rows + 1, 1 - one.share)) if rows < n else 1.0
    return float(ndtr(-_z(rows, n, one)))


def _z(rows: int, n: int, one: Share) -> float:
    return float((n * one.share - rows) / (n * one.share * (1 - one.share) + (n * one.error) ** 2) ** 0.5)


def _missing(one: Share, n: int, p: float) -> Missing:
    rows = int(one.rows.sum())
    low, high = beside(rows, n, one.share, one.error)
    return Missing(
        where=one.where, columns=one.columns, basis="margins", rows=rows, expected=n * one.share, share=one.share,
        ratio=rows / n / one.share, low=low, high=high, z=_z(rows, n, one), p=p,
        lacking=max(0, round((n - rows) * one.share / (1 - one.share) - rows)), note=one.note,
    )  # fmt: skip


def beside(rows: int, n: int, share: float, error: float = 0.0) -> tuple[float, float]:
    """Interval at 95 % or more of the density ratio (rows / n) / share; with an error both ends stand at 97.5 %."""
    low, high = clopper_pearson(rows, n, 0.95 if error == 0 else 0.975)
    return low / (share + 2.2414 * error), high / max(share - 2.2414 * error, 1e-9)


def _number(entry: Mapping[str, Any], name: str, default: float | None = None) -> float:
    value = entry.get(name, default)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not (0 <= value < 1)
        or (name == "share" and not value)
    ):
        raise InputError(f"margins, {entry.get('where', entry)}: {name} {value!r} is no share between 0 and 1")
    return float(value)


def _table(entry: Any, train: Encoded) -> Table:
    if (
        not isinstance(entry, Mapping)
        or not isinstance(entry.get("columns"), list)
        or not isinstance(entry.get("rows"), list)
    ):
        raise InputError(f"a table of the margins needs columns and rows; found {entry!r}")
    columns, names = tuple(str(name) for name in entry["columns"]), [field.name for field in train.fields]
    for name in columns:
        if name not in names:
            raise InputError(f'margins: no column "{name}"{did_you_mean(name, names)}; there are: {", ".join(names)}')
        if train.field(name).levels is None:
            raise InputError(f'margins: column "{name}" holds numbers; publish its shares as conditions under shares')
    cells: dict[tuple[str, ...], float] = {}
    for row in entry["rows"]:
        if not isinstance(row, list) or len(row) != len(columns) + 1:
            raise InputError(
                f"margins, table of {', '.join(columns)}: row {row!r} must hold a level each and the share"
            )
        cells[tuple(map(str, row[:-1]))] = _number({"where": row, "share": row[-1] or 1e-12}, "share")
    total = sum(cells.values())
    if abs(total - 1) > 0.02:
        raise InputError(
            f"margins, table of {', '.join(columns)}: its shares sum to {total:.3f}, not 1; add the levels that lack"
        )
    return Table(columns, {levels: share / total for levels, share in cells.items()})


def _cell(
    columns: Sequence[str], levels: Sequence[str], share: float, train: Encoded, schema: Schema, note: str = ""
) -> Share:
    rows, said = np.ones(train.rows, bool), []
    for name, level in zip(columns, levels, strict=True):
        known = train.field(name).levels or ()
        rows &= train.columns[name] == (known.index(level) if level in known else -2)  # a level that no row holds
        said.append(f"{spelt(name)} == {quoted(schema[name], level)}")
    return Share(" and ".join(said), tuple(columns), share, 0.0, rows, note)


def _combined(tables: Sequence[Table], train: Encoded, schema: Schema) -> list[Share]:
    """Shares of the pairs of columns that no table crosses, by raking a uniform table to all of them."""
    names = list(dict.fromkeys(name for table in tables for name in table.columns))
    levels: dict[str, list[str]] = {name: [] for name in names}
    for table in tables:
        for key in table.cells:
            for name, one in zip(table.columns, key, strict=True):
                if one not in levels[name]:
                    levels[name].append(one)
    covered = {frozenset(pair) for table in tables for pair in combinations(table.columns, 2)}
    pairs = [pair for pair in combinations(names, 2) if frozenset(pair) not in covered]
    if not pairs or np.prod([float(len(levels[name])) for name in names]) > MOST_CELLS:
        return []
    joint = raked(tables, levels)
    found = []
    for first, second in pairs:
        keep = (names.index(first), names.index(second))
        shares = joint.sum(axis=tuple(i for i in range(len(names)) if i not in keep))
        found += [
            _cell((first, second), (one, two), float(shares[i, j]), train, schema, RAKED)
            for i, one in enumerate(levels[first])
            for j, two in enumerate(levels[second])
            if 0 < shares[i, j] < 1
        ]
    return found


def raked(tables: Sequence[Table], levels: Mapping[str, Sequence[str]]) -> Array:
    """The joint table of greatest entropy that has the published ones (Deming and Stephan 1940): an axis a column.

    Raises InputError where they contradict one another.
    """
    names = list(levels)
    joint = np.full([len(levels[name]) for name in names], 1.0)
    joint /= joint.size
    wanted = []
    for table in tables:
        axes = tuple(names.index(name) for name in table.columns)
        target = np.zeros([len(levels[name]) for name in table.columns])
        for key, share in table.cells.items():
            target[tuple(levels[name].index(level) for name, level in zip(table.columns, key, strict=True))] = share
        order = np.argsort(axes)
        wanted.append((tuple(sorted(axes)), np.transpose(target, order)))
    for _ in range(ROUNDS):
        before = joint
        for axes, target in wanted:
            others = tuple(i for i in range(joint.ndim) if i not in axes)
            have = joint.sum(axis=others, keepdims=True)
            aim = np.expand_dims(target, others) if others else target
            joint = joint * np.divide(aim, have, out=np.zeros_like(have), where=have > 0)
        if np.abs(joint - before).max() < SETTLED:
            break
    for axes, target in wanted:
        others = tuple(i for i in range(joint.ndim) if i not in axes)
        if np.abs(joint.sum(axis=others) - target).max() > 0.005:
            raise InputError(
                "the published tables contradict one another: no joint table has them all; check their years"
            )
    return joint
