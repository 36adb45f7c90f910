"""What training rows lack of a declared operating domain: combinations of factors that must be there.

tuckpoint_domain: 1
source: operating design domain, revision 4
factors: {weather: [clear, rain, fog], light: [day, night], speed: [0, 30, 60, 130]}   # of a number: the edges
invalid: ['weather == "fog" and speed >= 60']          # combinations that cannot be
ways: 2                                                # all valid pairs of factors ...
rows: 20                                               # ... must hold so many rows (or share: 0.01 of all rows)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint import declared
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.gap.columns import quoted, spelt, value
from tuckpoint.gap.finding import Missing
from tuckpoint.gap.margins import beside
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.expression import parse

MOST = 1_000_000  # full combinations of all factors
KNOWN = ("source", "factors", "invalid", "ways", "rows", "share")


@dataclass(frozen=True)
class Factor:
    """One factor in parts: the condition of each, which training rows (n,) it holds, and a value that stands for it."""

    name: str
    where: tuple[str, ...]
    rows: tuple[Array, ...]
    stands: tuple[float, ...]
    levels: tuple[str, ...] | None


@dataclass(frozen=True)
class Coverage:
    """Which share of the valid combinations holds a row at all, and enough rows; `combinations` of `ways` factors."""

    ways: int
    combinations: int
    infeasible: int
    any_row: float
    enough: float


def load(path: str | Path) -> dict[str, Any]:
    """The file as plain values; raises InputError if it is no operating domain."""
    data = declared.load(path, "domain", KNOWN, guide="docs/find.md")
    if not isinstance(data.get("factors"), Mapping) or not data["factors"]:
        raise InputError(f"{path} declares no factors; say, for example, factors: {{weather: [clear, rain]}}")
    ways = data.get("ways", 2)
    if ways not in (1, 2, 3):
        raise InputError(f"{path}: ways {ways!r}; say 1, 2 or 3 factors that are combined")
    if ("rows" in data) == ("share" in data):
        raise InputError(f"{path}: say how much each combination must hold, as rows: 20 or share: 0.01 (one of them)")
    return data


def uncovered(
    data: Mapping[str, Any], train: Encoded, schema: Schema, *, level: float = 0.05, most: int = 20
) -> tuple[list[Missing], list[Coverage], int]:
    """Combinations that hold fewer rows than declared, the emptiest first; coverage by ways; how many were looked at.

    A declared number of rows is counted. A declared share is told where the posterior chance that the true share lies
    below it is over 1 - level (prior Beta(1/2, 1/2)). Combinations within an empty one are not told again.
    """
    factors = [_factor(name, listed, train, schema) for name, listed in data["factors"].items()]
    valid = _valid(factors, data.get("invalid") or [], schema)
    needed = float(data["rows"]) if "rows" in data else float(data["share"]) * train.rows
    if not 0 < needed < train.rows:
        raise InputError(
            f"domain: {needed:g} rows are asked of each combination, of {train.rows:,} in all; ask for fewer"
        )
    found: list[Missing] = []
    coverage, looked, empty = [], 0, set[frozenset[tuple[int, int]]]()
    for way in range(1, min(data.get("ways", 2), len(factors)) + 1):
        held, infeasible = [], 0
        for chosen in combinations(range(len(factors)), way):
            for places in product(*(range(len(factors[c].where)) for c in chosen)):
                if not _feasible(valid, chosen, places):
                    infeasible += 1
                    continue
                rows = int(
                    np.logical_and.reduce([factors[c].rows[p] for c, p in zip(chosen, places, strict=True)]).sum()
                )
                held.append(rows)
                parts = frozenset(zip(chosen, places, strict=True))
                lacks = rows < needed if "rows" in data else _below(rows, train.rows, float(data["share"])) > 1 - level
                if lacks and not any(one < parts for one in empty):
                    if rows == 0:
                        empty.add(parts)
                    where = [factors[c].where[p] for c, p in sorted(parts)]
                    names = tuple(factors[c].name for c, _ in sorted(parts))
                    found.append(_missing(" and ".join(where), names, rows, needed, train.rows, counted="rows" in data))
        counts = np.array(held)
        looked += len(held)
        coverage.append(
            Coverage(way, len(held), infeasible, float((counts > 0).mean()), float((counts >= needed).mean()))
        )
    return sorted(found, key=lambda gap: (gap.ratio, len(gap.columns)))[:most], coverage, looked


def _below(rows: int, n: int, share: float) -> float:
    """Posterior chance that the true share lies below the declared one."""
    from scipy.special import betainc

    return float(betainc(rows + 0.5, n - rows + 0.5, share))


def _missing(where: str, columns: tuple[str, ...], rows: int, needed: float, n: int, *, counted: bool) -> Missing:
    share = needed / n
    low, high = beside(rows, n, share)
    note = f"declared: {needed:,.0f} rows" if counted else f"declared: a share of {share:.3%}"
    if not rows:
        note += f"; with none seen the true share is at most {3 / n:.2%} (95 %)"
    return Missing(
        where=where, columns=columns, basis="domain", rows=rows, expected=needed, share=share, ratio=rows / needed,
        low=low, high=high, z=float((needed - rows) / (needed * (1 - share)) ** 0.5),
        p=0.0 if counted else 1 - _below(rows, n, share), lacking=max(0, int(np.ceil(needed)) - rows), note=note,
    )  # fmt: skip


def _factor(name: str, listed: Any, train: Encoded, schema: Schema) -> Factor:
    names = [field.name for field in train.fields]
    if name not in names:
        raise InputError(f'domain: no column "{name}"{did_you_mean(str(name), names)}; there are: {", ".join(names)}')
    field, column, held = train.field(name), schema[name], train.columns[name]
    if not isinstance(listed, list) or len(listed) < 2:
        raise InputError(f"domain, factor {name}: list two levels or more, or the edges of a number; found {listed!r}")
    if field.levels is None:
        if any(isinstance(v, bool) or not isinstance(v, int | float) for v in listed) or sorted(set(listed)) != listed:
            raise InputError(f"domain, factor {name}: list its edges as rising numbers; found {listed!r}")
        said = [value(column, edge) for edge in listed]
        where = [f"{low} <= {spelt(name)} < {high}" for low, high in pairwise(said)]
        rows = [(held >= low) & (held < high) for low, high in pairwise(listed)]
        return Factor(name, tuple(where), tuple(rows), tuple((a + b) / 2 for a, b in pairwise(listed)), None)
    levels = tuple(_level(one) for one in listed)
    where = [f"{spelt(name)} == {quoted(column, one)}" for one in levels]
    rows = [held == (field.levels.index(one) if one in field.levels else -2) for one in levels]
    return Factor(name, tuple(where), tuple(rows), tuple(range(len(levels))), levels)


def _level(one: Any) -> str:
    return str(one).lower() if isinstance(one, bool) else str(one)


def _valid(factors: list[Factor], invalid: list[str], schema: Schema) -> Array:
    """All full combinations that can be: (k, factors) int64."""
    size = float(np.prod([float(len(factor.where)) for factor in factors]))
    if not invalid:
        return np.zeros((0, 0), dtype=np.int64)
    if size > MOST:
        raise InputError(f"domain: {size:,.0f} combinations of all factors with exclusions; declare fewer factors")
    grid = np.stack(np.meshgrid(*(np.arange(len(f.where)) for f in factors), indexing="ij"), axis=-1)
    grid = grid.reshape(-1, len(factors))
    fields = tuple(Field(factor.name, levels=factor.levels) for factor in factors)
    columns = {}
    for place, factor in enumerate(factors):
        stands = np.asarray(factor.stands, dtype=np.int32 if factor.levels else np.float64)
        columns[factor.name] = stands[grid[:, place]]
    bad = np.zeros(len(grid), bool)
    for text in invalid:
        bad |= parse(text, fields, schema).mask(columns)
    if bad.all():
        raise InputError("domain: the exclusions leave no combination at all; check `invalid`")
    return np.asarray(grid[~bad])


def _feasible(valid: Array, chosen: tuple[int, ...], places: tuple[int, ...]) -> bool:
    """Whether some valid full combination holds these parts; all do where nothing is excluded."""
    return not valid.size or bool((valid[:, list(chosen)] == np.array(places)).all(axis=1).any())
