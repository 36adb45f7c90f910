"""Differentially private tables: noisy counts of single columns and of the pairs on one tree, and rows drawn from them.

Select, measure, generate (McKenna, Miklau, Sheldon 2021, arXiv 2108.04978) with three changes: single columns are
counted in fine cells and grouped into bins by those noisy counts, which is free; the budget is split by a formula in
the public sizes; pair tables are projected onto counts that can be true, with margins that agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import (
    Account,
    gaussian_cost,
    gaussian_variance,
    rho_of,
    selection_cost,
    selection_epsilon,
)
from tuckpoint.seed import Seed
from tuckpoint.table.contribution import bounded, rows_of_unit, unit_in_words
from tuckpoint.table.denoise import average, fit_margins, project, project_margins
from tuckpoint.table.engine import Context, Encoded, Field, Guarantee, State
from tuckpoint.table.grid import Grid, grid
from tuckpoint.table.tree import Node, TreeModel

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Edge = tuple[int, int]

_FINE = 16  # scores are counted in 16ths of a row, so that rounding what was expected costs nothing,
_WEIGHT = 64  # and weighed in 64ths
_PRICE = 0.1  # of the noise that a pair table brings, what is held against it when pairs are chosen
_MECHANISM = "discrete Gaussian counts on a spanning tree chosen by exponential mechanisms (zCDP)"
_LEAST = 1e-3  # rows that no cell falls below: any condition on possible values can be met


@dataclass(frozen=True)
class Marginals:
    """Settings of the private engine.

    `epsilon`, `delta`: the guarantee of the whole fit. `delta` should be at most 1 / (10 x the number of people).
    `unit`: whose presence is hidden: `person` (all rows of one person, `rows_per_person` of them kept) or `row`.
    `bins`: most groups a column is cut into for pair counts, 2 to 64.
    `cells`: most cells a number is cut into for its own count, 2 to 4096.
    """

    name: ClassVar[str] = "marginals"
    repeatable: ClassVar[bool] = False  # each fit draws fresh noise, whatever the seed
    private: ClassVar[bool] = True

    epsilon: float = 1.0
    delta: float = 1e-9
    unit: Literal["person", "row"] = "person"
    rows_per_person: int = 1
    bins: int = 16
    cells: int = 256

    def __post_init__(self) -> None:
        rho_of(self.epsilon, self.delta)
        if self.unit not in ("person", "row"):
            raise PrivacyError(f"unit {self.unit!r}: use person or row")
        for name, low, high in (("rows_per_person", 1, 10**6), ("bins", 2, 64), ("cells", 2, 4096)):
            value = getattr(self, name)
            if not isinstance(value, int) or not low <= value <= high:
                raise InputError(f"{name} is {value!r}; use a whole number in {low}..{high}")

    def fit(self, real: Encoded, seed: Seed, context: Context) -> TreeModel:
        """Count with noise. The seed is not used: noise comes from the operating system.

        Raises PrivacyError if a domain was read off the data.
        """
        check_public(real.fields)
        account = Account.open(self.epsilon, self.delta) if context.account is None else context.account
        kept = real if self.unit == "row" else bounded(real, self.rows_per_person)
        most = rows_of_unit(real, self.unit, self.rows_per_person)
        context.progress("counting with noise", 0.1)
        fit = _Fit(self, kept, most, account)
        nodes = fit.nodes() if real.fields else ()
        context.progress("counting with noise", 1.0)
        guarantee = Guarantee.of(
            account,
            unit=unit_in_words(self.unit, most),
            mechanism=_MECHANISM,
            rows=round(fit.total) if real.fields else None,
        )
        return TreeModel(real.fields, nodes, fit.cells, guarantee)

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> TreeModel:
        """The model of this engine that told this state."""
        return TreeModel.from_state(state, fields)


def check_public(fields: tuple[Field, ...]) -> None:
    """Raise PrivacyError naming the columns whose domain would void a claim of privacy."""
    leaks = [f.name for f in fields if f.provenance == "data"]
    if leaks:
        raise PrivacyError(
            f"engine marginals cannot promise privacy: the domain of {', '.join(map(repr, leaks))} was read off the "
            "real rows; in schema.yaml give each its low and high, or its levels, from law or knowledge (not from this "
            "table), with provenance public or expert"
        )
    for item in fields:
        if item.numeric and (item.low is None or item.high is None):
            raise PrivacyError(
                f'engine marginals: column "{item.name}" has no low and high in its domain; write both in schema.yaml'
            )


def budget(sizes: list[int]) -> tuple[Fraction, Fraction, Fraction, Fraction]:
    """Shares of rho for the number of rows, single columns, choice of pairs, and pair tables; they sum to at most 1.

    With error of a step proportional to weight / sqrt(share), the sum of errors is least at share ~ weight^(2/3). A
    pair table of k x k cells has weight k^2, a single column k, the choice the logarithm of the number of pairs.
    """
    count = Fraction(2, 100)
    if len(sizes) < 2:
        return count, 1 - count, Fraction(0), Fraction(0)
    typical = math.exp(sum(math.log(size) for size in sizes) / len(sizes))
    weights = [typical, math.log(len(sizes) * (len(sizes) - 1) / 2 + 1), typical**2]
    parts = [math.floor(1000 * weight ** (2 / 3)) + 1 for weight in weights]
    one, choice, pair = ((1 - count) * Fraction(part, sum(parts)) for part in parts)
    return count, one, choice, pair


class _Fit:
    """One fit in progress: the kept rows as cell codes, the account, and what has been measured."""

    def __init__(self, settings: Marginals, real: Encoded, bound: int, account: Account) -> None:
        self.settings, self.real, self.bound, self.account = settings, real, bound, account
        self.names = [item.name for item in real.fields]
        widest = [len(f.levels) + f.nullable if f.levels is not None else settings.bins for f in real.fields]
        self.shares = [share * account.left for share in budget([max(2, min(w, settings.bins)) for w in widest])]
        self.grids: list[Grid] = []
        self.singles: list[Floats] = []
        self.single_variance = Fraction(1)
        self.total = 1.0
        self.cells = settings.cells

    def nodes(self) -> tuple[Node, ...]:
        self._count_rows()
        self._count_columns()
        bins = [self._group(j) for j in range(len(self.names))]
        codes = [b[g.code(self.real.columns[name])] for b, g, name in zip(bins, self.grids, self.names, strict=True)]
        sizes = [int(b.max()) + 1 for b in bins]
        edges = self._choose(codes, sizes, bins) if len(sizes) > 1 else []
        tables, variance = self._count_pairs(codes, sizes, edges)
        margins = self._margins(bins, sizes, edges, tables, variance)
        joint = {}
        for edge in edges:
            rows, columns = margins[edge[0]], margins[edge[1]]
            near = project_margins(tables[edge], rows, columns)
            joint[edge] = fit_margins(np.maximum(near, _LEAST), rows, columns)
        return self._tree(bins, margins, joint)

    def _noisy(self, counts: Codes, variance: Fraction) -> Floats:
        flat = counts.ravel()
        return (flat + noise.discrete_gaussian(variance, len(flat))).reshape(counts.shape).astype(np.float64)

    def _count_rows(self) -> None:
        variance = gaussian_variance(self.shares[0], self.bound)
        self.account.spend("number of rows", gaussian_cost(variance, self.bound))
        self.total = max(float(self._noisy(np.array([self.real.rows]), variance)[0]), 1.0)
        self.total_variance = float(variance)

    def _count_columns(self) -> None:
        """Fine counts of each column; as many cells as leave four standard deviations of noise in a typical one."""
        tables = len(self.names)
        self.single_variance = gaussian_variance(self.shares[1], self.bound, tables)
        self.account.spend("single columns", gaussian_cost(self.single_variance, self.bound, tables))
        afford = int(self.total / (4 * math.sqrt(self.single_variance)))
        self.cells = min(max(afford, 2), self.settings.cells)
        for item in self.real.fields:
            cells = grid(item, self.cells)
            counts = np.bincount(cells.code(self.real.columns[item.name]), minlength=cells.size)
            self.grids.append(cells)
            self.singles.append(self._noisy(counts, self.single_variance))
        totals = [np.array(single.sum()) for single in self.singles]
        variances = [len(single) * float(self.single_variance) for single in self.singles]
        self.total = max(float(average([np.array(self.total), *totals], [self.total_variance, *variances])), 1.0)

    def _group(self, j: int) -> Codes:
        """Each cell's bin: numbers in runs of about equal count, levels alone or, if rare, pooled."""
        cells, counts = self.grids[j], project(self.singles[j], self.total)
        pair_noise = (
            math.sqrt(float(gaussian_variance(self.shares[3], self.bound, len(self.names)))) if self.shares[3] else 0
        )
        afford = math.sqrt(self.total / pair_noise) if pair_noise else self.settings.bins
        most = int(min(max(afford, 2), self.settings.bins))
        if cells.size <= 2:
            return np.arange(cells.size)
        if cells.field.numeric:
            runs = runs_of_equal_count(counts[: len(cells.first)], most)
            return np.append(runs, runs[-1] + 1) if cells.missing else runs
        order = np.argsort(-counts, kind="stable")
        alone = int(min(most - 1, max((counts > most * pair_noise / 2).sum(), 1)))
        if alone + 1 >= cells.size:
            return np.arange(cells.size)
        bins = np.full(cells.size, alone)
        bins[order[:alone]] = np.arange(alone)
        return bins

    def _choose(self, codes: list[Codes], sizes: list[int], bins: list[Codes]) -> list[Edge]:
        """A forest of the pairs that depend most, by exponential mechanisms that may also choose to stop."""
        rounds = len(sizes) - 1
        epsilon = selection_epsilon(self.shares[2], rounds)
        self.account.spend("choice of pairs", selection_cost(epsilon, rounds))
        margin = [project(_grouped(s, b), self.total) for s, b in zip(self.singles, bins, strict=True)]
        deviation = math.sqrt(gaussian_variance(self.shares[3], self.bound, rounds))
        scores: dict[Edge, int] = {}
        for a, b in combinations(range(len(sizes)), 2):
            table = _counted(codes, sizes, (a, b))
            expected = np.rint(_FINE * np.outer(margin[a], margin[b]) / self.total).astype(np.int64)
            # A column of few levels passes little on, so it does better as a leaf than as a bridge.
            weight = round(_WEIGHT * math.sqrt(1 - 1 / max(min(sizes[a], sizes[b]), 2)))
            price = round(_FINE * _WEIGHT * _PRICE * deviation * table.size)
            scores[a, b] = weight * int(np.abs(_FINE * table - expected).sum()) - price
        part = list(range(len(sizes)))
        edges: list[Edge] = []
        for _ in range(rounds):
            free = [edge for edge in scores if part[edge[0]] != part[edge[1]]]
            at = noise.exponential_choice([*(scores[edge] for edge in free), 0], epsilon, _FINE * _WEIGHT * self.bound)
            if at == len(free):
                break
            edges.append(free[at])
            old, new = part[free[at][1]], part[free[at][0]]
            part = [new if p == old else p for p in part]
        return edges

    def _count_pairs(self, codes: list[Codes], sizes: list[int], edges: list[Edge]) -> tuple[dict[Edge, Floats], float]:
        if not edges:
            return {}, 1.0
        variance = gaussian_variance(self.shares[3], self.bound, len(edges))
        self.account.spend("pair tables", gaussian_cost(variance, self.bound, len(edges)))
        return {edge: self._noisy(_counted(codes, sizes, edge), variance) for edge in edges}, float(variance)

    def _margins(
        self, bins: list[Codes], sizes: list[int], edges: list[Edge], tables: dict[Edge, Floats], variance: float
    ) -> list[Floats]:
        """Counts per bin (bins,) from a column's own table and the pair tables it stands in; positive, of one total."""
        out = []
        for j, (single, own) in enumerate(zip(self.singles, bins, strict=True)):
            width = np.bincount(own)
            estimates = [_grouped(single, own)]
            weights = [1 / (width * float(self.single_variance))]
            for edge in edges:
                if j in edge:
                    axis = edge.index(j)
                    estimates.append(tables[edge].sum(axis=1 - axis))
                    weights.append(np.full(sizes[j], 1 / (variance * sizes[edge[1 - axis]])))
            mean = sum(e * w for e, w in zip(estimates, weights, strict=True)) / sum(weights)
            margin = np.maximum(project(np.asarray(mean), self.total), _LEAST)
            out.append(margin * self.total / margin.sum())
        return out

    def _tree(self, bins: list[Codes], margins: list[Floats], joint: dict[Edge, Floats]) -> tuple[Node, ...]:
        """Nodes in an order in which parents stand before children."""
        nodes: list[Node] = []
        place: dict[int, int] = {}
        waiting = [(j, -1) for j in reversed(range(len(bins)))]
        while waiting:
            j, parent = waiting.pop()
            if j in place:
                continue
            if parent < 0:
                law = margins[j][None, :]
            else:
                law = joint[parent, j] if (parent, j) in joint else joint[j, parent].T
            cells = np.maximum(project(self.singles[j], self.total), _LEAST)
            share = cells / _grouped(cells, bins[j])[bins[j]]
            law = law / law.sum(axis=1, keepdims=True)
            place[j] = len(nodes)
            nodes.append(Node(self.grids[j], bins[j], share, place.get(parent, -1), law))
            waiting += [(b if a == j else a, j) for a, b in joint if j in (a, b)]
        return tuple(nodes)


def runs_of_equal_count(counts: Floats, most: int) -> Codes:
    """Cut neighbouring cells into at most `most` runs of about equal count; a cell too heavy for a run stands alone."""
    bins = np.zeros(len(counts), np.int64)
    left, inside, now = float(counts.sum()), 0.0, 0
    for i, count in enumerate(counts):
        wanted = left / max(most - now, 1)
        if inside > 0 and inside + count / 2 > wanted and now < most - 1:
            now, left, inside = now + 1, left - inside, 0.0
        bins[i] = now
        inside += float(count)
    return bins


def _grouped(cells: Floats, bins: Codes) -> Floats:
    return np.asarray(np.bincount(bins, weights=cells), dtype=np.float64)


def _counted(codes: list[Codes], sizes: list[int], edge: Edge) -> Codes:
    a, b = edge
    return np.bincount(codes[a] * sizes[b] + codes[b], minlength=sizes[a] * sizes[b]).reshape(sizes[a], sizes[b])
