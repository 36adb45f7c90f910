"""Differentially private tables: noisy counts of single columns and of the pairs on one tree, and rows drawn from them.

Select, measure, generate (McKenna, Miklau, Sheldon 2021, arXiv 2108.04978) with three changes: single columns are
counted in fine cells and grouped into bins by those noisy counts, which is free; the budget is split by a formula in
the public sizes; pair tables are projected onto counts that can be true, with margins that agree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account, gaussian_cost, gaussian_variance, selection_cost, selection_epsilon
from tuckpoint.seed import Seed
from tuckpoint.table import private
from tuckpoint.table.counting import FINE, WEIGHT, cleared, count_singles, group, grouped, noisy, pair_blocks, table_of
from tuckpoint.table.decomposable import DecomposableModel, Node
from tuckpoint.table.denoise import fit_margins, project, project_margins
from tuckpoint.table.engine import Context, Encoded, Field, State
from tuckpoint.table.grid import Grid

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Edge = tuple[int, int]

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
        private.check_settings(self)

    def fit(self, real: Encoded, seed: Seed, context: Context) -> DecomposableModel:
        """Count with noise. The seed is not used: noise comes from the operating system.

        Raises PrivacyError if a domain was read off the data.
        """

        def begin(kept: Encoded, most: int, account: Account) -> _Fit:
            return _Fit(self, kept, most, account)

        return private.fit(self, real, context, begin, cells=self.cells, mechanism=_MECHANISM)

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> DecomposableModel:
        """The model of this engine that told this state."""
        return DecomposableModel.from_state(state, fields)


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

    def __init__(self, settings: Marginals, real: Encoded, most: int, account: Account) -> None:
        self.settings, self.real, self.most, self.account = settings, real, most, account
        widest = [len(f.levels) + f.nullable if f.levels is not None else settings.bins for f in real.fields]
        self.shares = [share * account.left for share in budget([max(2, min(w, settings.bins)) for w in widest])]

    def nodes(self) -> tuple[Node, ...]:
        rows_rho, columns_rho, choice_rho, pairs_rho = self.shares
        self.singles = count_singles(
            self.real,
            self.account,
            rows_rho=rows_rho,
            columns_rho=columns_rho,
            most=self.most,
            cells=self.settings.cells,
        )
        self.clear = cleared(self.singles)
        bins = [self._group(grid, clear, pairs_rho) for grid, clear in zip(self.singles.grids, self.clear, strict=True)]
        columns = (self.real.columns[item.name] for item in self.real.fields)
        codes = [b[g.code(values)] for b, g, values in zip(bins, self.singles.grids, columns, strict=True)]
        sizes = [int(b.max()) + 1 for b in bins]
        edges = self._choose(codes, sizes, bins, choice_rho, pairs_rho) if len(sizes) > 1 else []
        tables, variance = self._count_pairs(codes, sizes, edges, pairs_rho)
        margins = self._margins(bins, sizes, tables, variance)
        joint = {}
        for edge in edges:
            rows, across = margins[edge[0]], margins[edge[1]]
            near = project_margins(tables[edge], rows, across)
            joint[edge] = fit_margins(np.maximum(near, _LEAST), rows, across)
        return self._tree(bins, margins, joint)

    def _group(self, grid: Grid, clear: Floats, pairs_rho: Fraction) -> Codes:
        """As many bins as pair tables of that size can be told from their noise."""
        if not pairs_rho:
            return group(grid, clear, most=self.settings.bins, rare=0.0)
        deviation = math.sqrt(gaussian_variance(pairs_rho, self.most, len(self.clear)))
        most = int(min(max(math.sqrt(self.singles.total / deviation), 2), self.settings.bins))
        return group(grid, clear, most=most, rare=most * deviation / 2)

    def _choose(
        self, codes: list[Codes], sizes: list[int], bins: list[Codes], choice_rho: Fraction, pairs_rho: Fraction
    ) -> list[Edge]:
        """A forest of the pairs that depend most, by exponential mechanisms that may also choose to stop."""
        rounds = len(sizes) - 1
        epsilon = selection_epsilon(choice_rho, rounds)
        self.account.spend("choice of pairs", selection_cost(epsilon, rounds))
        scores = self._scores(codes, sizes, bins, math.sqrt(gaussian_variance(pairs_rho, self.most, rounds)))
        first, second = np.triu_indices(len(sizes), 1)
        part = np.arange(len(sizes))
        edges: list[Edge] = []
        for _ in range(rounds):
            free = np.flatnonzero(part[first] != part[second])
            offered = np.append(scores[first[free], second[free]], 0)
            at = noise.exponential_choice(offered, epsilon, FINE * WEIGHT * self.most)
            if at == len(free):
                break
            a, b = int(first[free[at]]), int(second[free[at]])
            edges.append((a, b))
            part[part == part[b]] = part[a]
        return edges

    def _scores(self, codes: list[Codes], sizes: list[int], bins: list[Codes], deviation: float) -> Codes:
        """How far each pair's table is from independence, less a price for the noise that it brings (columns, columns).

        One unit moves a score by at most FINE * WEIGHT * most.
        """
        margin = [grouped(clear, own) for clear, own in zip(self.clear, bins, strict=True)]
        scores = np.zeros((len(sizes), len(sizes)), np.int64)
        for one, other, tables in pair_blocks(codes, sizes):
            rows, across = (np.concatenate([margin[j] for j in block]) for block in (one, other))
            apart = np.abs(FINE * tables - np.rint(FINE * np.outer(rows, across) / self.singles.total).astype(np.int64))
            for axis, block in ((0, one), (1, other)):
                apart = np.add.reduceat(apart, np.cumsum([0, *(sizes[j] for j in block[:-1])]), axis=axis)
            a, b = (np.array([sizes[j] for j in block]) for block in (one, other))
            # A column of few levels passes little on, so it does better as a leaf than as a bridge.
            narrow = np.maximum(np.minimum(a[:, None], b), 2)
            weight = np.rint(WEIGHT * np.sqrt(1 - 1 / narrow)).astype(np.int64)
            price = np.rint(FINE * WEIGHT * _PRICE * deviation * a[:, None] * b).astype(np.int64)
            scores[one.start : one.stop, other.start : other.stop] = weight * apart - price
        return scores

    def _count_pairs(
        self, codes: list[Codes], sizes: list[int], edges: list[Edge], pairs_rho: Fraction
    ) -> tuple[dict[Edge, Floats], float]:
        if not edges:
            return {}, 1.0
        variance = gaussian_variance(pairs_rho, self.most, len(edges))
        self.account.spend("pair tables", gaussian_cost(variance, self.most, len(edges)))
        return {edge: noisy(table_of(codes, sizes, edge), variance) for edge in edges}, float(variance)

    def _margins(
        self, bins: list[Codes], sizes: list[int], tables: dict[Edge, Floats], variance: float
    ) -> list[Floats]:
        """Counts per bin (bins,) from a column's own table and the pair tables it stands in; positive, of one total."""
        out = []
        for j, (single, own) in enumerate(zip(self.singles.counts, bins, strict=True)):
            width = np.bincount(own)
            estimates = [grouped(single, own)]
            weights = [1 / (width * float(self.singles.variance))]
            for edge, table in tables.items():
                if j in edge:
                    axis = edge.index(j)
                    estimates.append(table.sum(axis=1 - axis))
                    weights.append(np.full(sizes[j], 1 / (variance * sizes[edge[1 - axis]])))
            mean = sum(e * w for e, w in zip(estimates, weights, strict=True)) / sum(weights)
            margin = np.maximum(project(np.asarray(mean), self.singles.total), _LEAST)
            out.append(margin * self.singles.total / margin.sum())
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
            cells = np.maximum(self.clear[j], _LEAST)
            share = cells / grouped(cells, bins[j])[bins[j]]
            law = law / law.sum(axis=1, keepdims=True)
            place[j] = len(nodes)
            above = (place[parent],) if parent >= 0 else ()
            nodes.append(Node(self.singles.grids[j], bins[j], share, above, law))
            waiting += [(b if a == j else a, j) for a, b in joint if j in (a, b)]
        return tuple(nodes)
