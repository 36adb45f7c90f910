"""Scenario suites: few rows in which every valid combination of t factors occurs, or what a table lacks of them.

A covering array with constraints and mixed levels, greedily one row at a time as AETG does (Cohen, Dalal, Fredman and
Patton 1997), but with an exact search that knows of every combination whether any row can hold it, and why none can.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.operating import Domain
from tuckpoint.table.engine import Array

CANDIDATES = 30  # rows of which the best is taken
MOST = 5_000_000  # combinations that are kept account of


@dataclass(frozen=True)
class Infeasible:
    """A combination that no row can hold: its factors, their levels, and a least set of constraints that forbid it."""

    factors: tuple[int, ...]
    levels: tuple[int, ...]
    constraints: tuple[str, ...]


@dataclass(frozen=True)
class Suite:
    """Rows (n, factors) of level places, and what they were made for.

    Of the combinations of `ways` factors so many are `valid`; `before` were in the rows at hand, `covered` are in both
    together, counted anew. No suite can have fewer rows than `bound`.
    """

    rows: Array
    ways: int
    valid: int
    before: int
    covered: int
    infeasible: tuple[Infeasible, ...]
    bound: int


def suite(domain: Domain, ways: int, seed: Seed, *, have: Array | None = None, candidates: int = CANDIDATES) -> Suite:
    """Rows that cover all valid combinations of `ways` factors, besides those of rows (m, factors) at hand.

    A place below 0 in `have` is a value outside the domain. Rows at hand that break a constraint cover nothing. Raises
    InputError for ways that cannot be, too many combinations, or constraints that no row satisfies.
    """
    if not 1 <= ways <= len(domain.factors):
        raise InputError(f"{ways}-way coverage of {len(domain.factors)} factors; give 1 to {len(domain.factors)}")
    table = _table(domain, ways)
    search = _Search(domain)
    if search.extended({}) is None:
        raise InputError("the constraints leave no row at all; check `invalid`")
    infeasible = _barred(domain, table, search)
    missing = np.ones(table.size, bool)
    missing[table.places(infeasible)] = False
    valid = missing.copy()
    if have is not None:
        _tick(table, missing, have[~broken(domain, have)])
    before, bound = int((valid & ~missing).sum()), table.most(missing)
    random = seed.child("suite").numpy()
    rows: list[Array] = []
    while missing.any():
        tried = [_row(table, missing, search, random) for _ in range(candidates)]
        best = max(tried, key=lambda row: int(missing[table.of(row)].sum()))
        missing[table.of(best)] = False
        rows.append(best)
    made = np.array(rows, dtype=np.int64).reshape(-1, len(domain.factors))
    everything = made if have is None else np.concatenate([have, made])
    return Suite(
        made, ways, int(valid.sum()), before, coverage(domain, ways, everything, valid), tuple(infeasible), bound
    )  # fmt: skip


def broken(domain: Domain, rows: Array) -> Array:
    """Which rows (n, factors) certainly break a constraint (n,) bool."""
    found = np.zeros(len(rows), bool)
    for constraint in domain.constraints:
        part = rows[:, list(constraint.factors)]
        known = (part >= 0).all(axis=1)
        found[known] |= constraint.forbidden[tuple(part[known].T)]
    return found


def coverage(domain: Domain, ways: int, rows: Array, valid: Array) -> int:
    """How many of the valid combinations (mask as `_table` counts them) are in rows that break no constraint."""
    seen, at = np.zeros(len(valid), bool), 0
    rows = rows[~broken(domain, rows)]
    for chosen in combinations(range(len(domain.factors)), ways):
        shape = [domain.factors[f].size for f in chosen]
        part = rows[:, list(chosen)]
        part = part[(part >= 0).all(axis=1)]
        seen[at + np.unique(np.ravel_multi_index(tuple(part.T), shape))] = True
        at += int(np.prod(shape))
    return int((seen & valid).sum())


@dataclass(frozen=True)
class _Table:
    """The account of combinations: `subsets` (s, t) of factors; combination `offset + sum(stride * level)` of each."""

    subsets: Array
    strides: Array
    offsets: Array
    size: int
    sizes: Array  # (k,)
    of_factor: tuple[tuple[Array, Array], ...]  # the subsets that hold a factor, and where in them it stands

    def of(self, row: Array) -> Array:
        """The combinations (s,) that a whole row holds."""
        return np.asarray(self.offsets + (self.strides * row[self.subsets]).sum(axis=1))

    def gains(self, missing: Array, row: Array, factor: int) -> Array:
        """How many missing combinations each level of a factor would add to those that a row already has (levels,)."""
        subsets, place = self.of_factor[factor]
        levels = row[self.subsets[subsets]]
        levels[np.arange(len(subsets)), place] = 0
        known = (levels >= 0).all(axis=1)
        subsets, place, levels = subsets[known], place[known], levels[known]
        base = self.offsets[subsets] + (self.strides[subsets] * levels).sum(axis=1)
        step = self.strides[subsets, place]
        return np.asarray(missing[base[:, None] + step[:, None] * np.arange(self.sizes[factor])].sum(axis=0))

    def at(self, place: int) -> tuple[Array, Array]:
        """Factors and levels of a combination."""
        number = int(np.searchsorted(self.offsets, place, side="right")) - 1
        chosen = self.subsets[number]
        rest = (place - self.offsets[number]) // self.strides[number]
        return chosen, rest % self.sizes[chosen]

    def places(self, found: Sequence[Infeasible]) -> Array:
        """The combinations of these."""
        index = {tuple(chosen): number for number, chosen in enumerate(self.subsets.tolist())}
        told = [
            int(self.offsets[index[one.factors]] + (self.strides[index[one.factors]] * np.array(one.levels)).sum())
            for one in found
        ]
        return np.array(told, dtype=np.int64)

    def most(self, missing: Array) -> int:
        """The largest number of missing combinations of one subset: a row holds one of each."""
        return int(np.add.reduceat(missing, self.offsets).max()) if len(missing) else 0


def _table(domain: Domain, ways: int) -> _Table:
    sizes = np.array([factor.size for factor in domain.factors])
    subsets = np.array(list(combinations(range(len(sizes)), ways)))
    shapes = sizes[subsets]
    counts = shapes.prod(axis=1)
    if counts.sum() > MOST:
        raise InputError(f"{counts.sum():,} combinations of {ways} factors, over {MOST:,}; take fewer ways or factors")
    strides = np.concatenate([np.cumprod(shapes[:, :0:-1], axis=1)[:, ::-1], np.ones((len(shapes), 1))], axis=1)
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of_factor = tuple((where[0], where[1]) for where in (np.nonzero(subsets == f) for f in range(len(sizes))))
    return _Table(subsets, strides.astype(np.int64), offsets, int(counts.sum()), sizes, of_factor)


class _Search:
    """Whether levels of some factors can be part of a valid row: a complete search over the constrained factors."""

    def __init__(self, domain: Domain, without: frozenset[int] = frozenset()) -> None:
        self.domain = domain
        self.constraints = [one for number, one in enumerate(domain.constraints) if number not in without]
        held = {factor for one in self.constraints for factor in one.factors}
        uses = {f: sum(f in one.factors for one in self.constraints) for f in held}
        self.order = sorted(held, key=lambda f: (-uses[f], domain.factors[f].size, f))
        self.known: dict[tuple[tuple[int, int], ...], Mapping[int, int] | None] = {}

    def extended(self, given: Mapping[int, int]) -> Mapping[int, int] | None:
        """Levels of all constrained factors in a valid row that holds these; None if there is no such row."""
        key = tuple(sorted((f, level) for f, level in given.items() if f in self.order))
        if key not in self.known:
            self.known[key] = self._down(dict(key))
        return self.known[key]

    def _down(self, held: dict[int, int]) -> Mapping[int, int] | None:
        for one in self.constraints:
            # What is left of the forbidden combinations: all of them means that none is let.
            if one.forbidden[tuple(held.get(f, slice(None)) for f in one.factors)].all():
                return None
        free = next((f for f in self.order if f not in held), None)
        if free is None:
            return held
        for level in range(self.domain.factors[free].size):
            found = self._down({**held, free: level})
            if found is not None:
                return found
        return None


def _barred(domain: Domain, table: _Table, search: _Search) -> list[Infeasible]:
    """All combinations that no valid row holds."""
    found: list[Infeasible] = []
    why: dict[tuple[tuple[int, int], ...], tuple[str, ...]] = {}
    constrained = set(search.order)
    for chosen in table.subsets.tolist():
        if not constrained & set(chosen):
            continue
        for levels in np.ndindex(*table.sizes[chosen]):
            given = dict(zip(chosen, levels, strict=True))
            if search.extended(given) is None:
                key = tuple((f, level) for f, level in given.items() if f in constrained)
                if key not in why:
                    why[key] = _reasons(domain, given)
                found.append(Infeasible(tuple(chosen), tuple(levels), why[key]))
    return found


def _reasons(domain: Domain, given: Mapping[int, int]) -> tuple[str, ...]:
    """A least set of constraints that together forbid these levels: each is left out in turn, for good if it can."""
    out: set[int] = set()
    for number in range(len(domain.constraints)):
        if _Search(domain, frozenset(out | {number})).extended(given) is None:
            out.add(number)
    return tuple(one.text for number, one in enumerate(domain.constraints) if number not in out)


def _tick(table: _Table, missing: Array, rows: Array) -> None:
    """Strike out the combinations that rows hold, of which some places may be unknown."""
    for row in np.unique(rows, axis=0):
        known = (row[table.subsets] >= 0).all(axis=1)
        missing[(table.offsets + (table.strides * row[table.subsets]).sum(axis=1))[known]] = False


def _row(table: _Table, missing: Array, search: _Search, random: np.random.Generator) -> Array:
    """A valid row with a missing combination drawn by chance and, factor by factor, the level that adds most to it."""
    row = np.full(len(table.sizes), -1)
    left = np.flatnonzero(missing)
    chosen, levels = table.at(int(left[random.integers(len(left))]))
    row[chosen] = levels
    for factor in random.permutation(len(row)):
        if row[factor] >= 0:
            continue
        gains = table.gains(missing, row, int(factor)) + random.random(table.sizes[factor])  # ties by chance
        for level in np.argsort(-gains):
            held = {int(f): int(row[f]) for f in np.flatnonzero(row >= 0) if f in search.order}
            if factor not in search.order or search.extended({**held, int(factor): int(level)}) is not None:
                row[factor] = level
                break
    return row
