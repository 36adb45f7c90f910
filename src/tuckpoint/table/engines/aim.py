"""Adaptive differentially private tables: count, with noise, the pairs that the model so far gets most wrong.

AIM (McKenna, Mullins, Sheldon, Miklau 2022, arXiv 2201.12677) with these changes: single columns are counted in fine
cells and grouped into bins by those noisy counts; tables with the target are counted at the start; several tables are
chosen between two fits of the model; a choice is charged only for the noise that the model cannot see through.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account, gaussian_cost, gaussian_variance, selection_cost, selection_epsilon
from tuckpoint.seed import Seed
from tuckpoint.table import private
from tuckpoint.table.counting import FINE, WEIGHT, cleared, count_singles, group, grouped, noisy, pair_blocks, table_of
from tuckpoint.table.decomposable import DecomposableModel, Node
from tuckpoint.table.engine import Context, Encoded, Field, State
from tuckpoint.table.entropy import Fitted, Measurement, fit
from tuckpoint.table.junction import JunctionTree, Scope, grown, growth, junction_tree
from tuckpoint.table.propagation import chain, pairs

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_CHOICE = Fraction(1, 10)  # of the budget of a table, what choosing it may cost
_PRIOR = 0.02  # pull towards independence, of what one row speaks for
_STEPS, _LAST = 60, 300  # passes of a fit between choices, and of the last
_ROUNDS = 6  # fits between choices
_LEAST = 1e-3  # rows that no cell falls below: any condition on possible values can be met
_MECHANISM = "discrete Gaussian counts of tables chosen by adaptive exponential mechanisms (zCDP)"


@dataclass(frozen=True)
class Aim:
    """Settings of the private engine of best utility.

    `epsilon`, `delta`: the guarantee of the whole fit. `delta` should be at most 1 / (10 x the number of people).
    `unit`: whose presence is hidden: `person` (all rows of one person, `rows_per_person` of them kept) or `row`.
    `bins`: most groups a column is cut into for tables of several columns, 2 to 64.
    `cells`: most cells a number is cut into for its own count, 2 to 4096.
    `tables`: how many tables of two or three columns are chosen, a column, 0 to 10.
    `model_cells`: most cells of the model's own tables together, 1000 to 10 million; time and memory grow with it.
    `target_weight`: how much tables with the target count against others, 0 (as any column's) to 100.
    """

    name: ClassVar[str] = "aim"
    repeatable: ClassVar[bool] = False  # each fit draws fresh noise, whatever the seed
    private: ClassVar[bool] = True

    epsilon: float = 1.0
    delta: float = 1e-9
    unit: Literal["person", "row"] = "person"
    rows_per_person: int = 1
    bins: int = 16
    cells: int = 256
    tables: float = 2.0
    model_cells: int = 200_000
    target_weight: float = 1.0

    def __post_init__(self) -> None:
        private.check_settings(self, model_cells=(1000, 10**7))
        for name, top in (("tables", 10.0), ("target_weight", 100.0)):
            if not 0 <= getattr(self, name) <= top:
                raise InputError(f"{name} is {getattr(self, name)!r}; use a number in 0..{top:g}")

    def fit(self, real: Encoded, seed: Seed, context: Context) -> DecomposableModel:
        """Count with noise. The seed is not used: noise comes from the operating system.

        Raises PrivacyError if a domain was read off the data.
        """

        def begin(kept: Encoded, most: int, account: Account) -> _Fit:
            return _Fit(self, kept, most, account, context)

        return private.fit(self, real, context, begin, cells=self.cells, mechanism=_MECHANISM)

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> DecomposableModel:
        """The model of this engine that told this state."""
        return DecomposableModel.from_state(state, fields)


def budget(sizes: list[int], *, target: int | None, weight: float, tables: int) -> tuple[Fraction, ...]:
    """Shares of rho for the number of rows, single columns, tables with the target, and chosen tables.

    They sum to at most 1. The error of a step of m tables of c cells under a share s is m c sqrt(m / s), so the sum of
    errors is least at s ~ m c^(2/3).
    """
    count, others = Fraction(2, 100), len(sizes) - 1
    if others < 1:
        return count, 1 - count, Fraction(0), Fraction(0)
    typical = math.exp(sum(math.log(size) for size in sizes) / len(sizes))
    parts = [math.floor(1000 * len(sizes) * typical ** (2 / 3)) + 1, 0, 0]
    if target is not None and weight:
        parts[1] = math.floor(1000 * others * (weight * typical * sizes[target]) ** (2 / 3)) + 1
    if tables:
        parts[2] = math.floor(1000 * tables * typical ** (4 / 3)) + 1
    return count, *((1 - count) * Fraction(part, sum(parts)) for part in parts)


class _Fit:
    """One fit in progress: the kept rows as bins, the account, and what has been measured."""

    def __init__(self, settings: Aim, real: Encoded, most: int, account: Account, context: Context) -> None:
        self.settings, self.real, self.most, self.account = settings, real, most, account
        self.progress = context.progress
        names = [item.name for item in real.fields]
        self.target = names.index(context.target) if context.target in names else None
        widest = [len(f.levels) + f.nullable if f.levels is not None else settings.bins for f in real.fields]
        self.wanted = math.ceil(settings.tables * len(names)) if len(names) > 1 else 0
        self.shares = [
            share * account.left
            for share in budget(
                [max(2, min(w, settings.bins)) for w in widest],
                target=self.target,
                weight=settings.target_weight,
                tables=self.wanted,
            )
        ]
        self.measured: dict[Scope, Measurement] = {}
        self.weights: dict[Scope, Floats] = {}

    def nodes(self) -> tuple[Node, ...]:
        self._count_columns()
        self._count_target()
        exact = self._exact_pairs() if self.wanted else {}
        tree, left, turn = junction_tree(self.sizes, self.measured), self.wanted, 0
        while left:
            turn += 1
            self.progress("counting with noise", 0.1 + 0.7 * (1 - left / self.wanted))
            each = self.account.left / left
            variance = gaussian_variance((1 - _CHOICE) * each, self.most)
            scopes, scores = self._scores(self._fitted(tree, _STEPS), exact, math.sqrt(variance))
            draws = min(left, math.ceil(self.wanted / _ROUNDS))
            epsilon = selection_epsilon(_CHOICE * each)
            self.account.spend(f"choice of tables, round {turn}", selection_cost(epsilon, draws))
            chosen, tree = self._choose(scopes, scores, tree, epsilon=epsilon, draws=draws, stop=left > 1)
            if chosen:
                self.account.spend(f"tables, round {turn}", gaussian_cost(variance, self.most, len(chosen)))
            for scope in chosen:
                self._keep(scope, noisy(table_of(self.codes, self.sizes, scope), variance), float(variance))
            left = left - len(chosen) if chosen else left // 2
        self.progress("fitting the model", 0.8)
        return self._nodes(self._fitted(tree, _LAST))

    def _count_columns(self) -> None:
        """Count rows and single columns, and group cells so that tables of pairs can be told from their noise."""
        rows_rho, columns_rho, _, tables_rho = self.shares
        self.singles = count_singles(
            self.real,
            self.account,
            rows_rho=rows_rho,
            columns_rho=columns_rho,
            most=self.most,
            cells=self.settings.cells,
        )
        total, grids = self.singles.total, self.singles.grids
        self.clear = cleared(self.singles)
        deviation = math.sqrt(gaussian_variance(tables_rho, self.most, self.wanted)) if tables_rho else 1.0
        most = int(min(max(math.sqrt(total / deviation), 2), self.settings.bins))
        rare = most * deviation / 2 if tables_rho else 0.0
        self.bins = [group(grid, clear, most=most, rare=rare) for grid, clear in zip(grids, self.clear, strict=True)]
        columns = (self.real.columns[item.name] for item in self.real.fields)
        self.codes = [b[g.code(values)] for b, g, values in zip(self.bins, grids, columns, strict=True)]
        self.sizes = tuple(int(b.max()) + 1 for b in self.bins)
        margins = [np.maximum(grouped(clear, bins), 0.5) for clear, bins in zip(self.clear, self.bins, strict=True)]
        self.reference = [margin / margin.sum() for margin in margins]
        for j, (counts, bins) in enumerate(zip(self.singles.counts, self.bins, strict=True)):
            width = np.bincount(bins).astype(np.float64)
            self._keep((j,), grouped(counts, bins), width * float(self.singles.variance))

    def _count_target(self) -> None:
        """Count every column with the target."""
        if not (rho := self.shares[2]) or self.target is None:
            return
        scopes = [(min(j, self.target), max(j, self.target)) for j in range(len(self.sizes)) if j != self.target]
        variance = gaussian_variance(rho, self.most, len(scopes))
        self.account.spend("tables with the target", gaussian_cost(variance, self.most, len(scopes)))
        for scope in scopes:
            self._keep(scope, noisy(table_of(self.codes, self.sizes, scope), variance), float(variance))

    def _keep(self, scope: Scope, counts: Floats, variance: Floats | float) -> None:
        """Enter a noisy table, or its best mean with an earlier one of the same scope."""
        if before := self.measured.get(scope):
            one, other = 1 / np.asarray(before.variance), 1 / np.asarray(variance)
            counts, variance = (before.counts * one + counts * other) / (one + other), 1 / (one + other)
        self.measured[scope] = Measurement(scope, counts, variance)

    def _fitted(self, tree: JunctionTree, steps: int) -> Fitted:
        start = [self.weights.get(scope, np.zeros(item.counts.shape)) for scope, item in self.measured.items()]
        answer = fit(
            list(self.measured.values()),
            tree,
            reference=self.reference,
            total=self.singles.total,
            prior=_PRIOR,
            steps=steps,
            start=start,
        )
        self.weights = dict(zip(self.measured, answer.weights, strict=True))
        return answer

    def _exact_pairs(self) -> dict[Scope, Codes]:
        """The exact tables of all pairs, to score by: none of them leaves this module but through a choice."""
        begin = np.cumsum([0, *self.sizes])
        exact: dict[Scope, Codes] = {}
        for one, other, tables in pair_blocks(self.codes, self.sizes):
            rows, across = begin - begin[one.start], begin - begin[other.start]
            for a in one:
                for b in (b for b in other if b > a):
                    exact[a, b] = tables[rows[a] : rows[a + 1], across[b] : across[b + 1]]
        return exact

    def _scores(self, answer: Fitted, exact: dict[Scope, Codes], deviation: float) -> tuple[list[Scope], Codes]:
        """How far the model is from the rows in each table that may be counted, less a price for the noise.

        One unit moves a score by at most `most` times `_steepest`.
        """
        scopes: list[Scope] = []
        scores: list[int] = []
        for a, b, chances in pairs(answer.found):
            scopes.append((a, b))
            scores.append(WEIGHT * self._apart(exact[a, b], chances, deviation))
        for scope in self._triples(answer.found.tree):
            table = table_of(self.codes, self.sizes, scope)
            scopes.append(scope)
            scores.append(self._triple_weight * self._apart(table, answer.found.margin(scope), deviation))
        return scopes, np.array(scores, np.int64)

    def _apart(self, table: Codes, chances: Floats, deviation: float) -> int:
        """The distance of a table from what the model expects, less the error that noise of this deviation brings.

        In cells where next to nothing is expected noise does no harm: the fit keeps it out.
        """
        expected = self.singles.total * chances
        price = float(np.minimum(math.sqrt(2 / math.pi) * deviation, expected).sum())
        return int(np.abs(FINE * table - np.rint(FINE * expected).astype(np.int64)).sum()) - round(FINE * price)

    @property
    def _triple_weight(self) -> int:
        """Half of what the target is worth: the pairs of a triple stand for themselves."""
        return round(WEIGHT * self.settings.target_weight / 2)

    @property
    def _steepest(self) -> int:
        """What one row more or less can change in a score."""
        return FINE * max(WEIGHT, self._triple_weight)

    def _triples(self, tree: JunctionTree) -> list[Scope]:
        """Two columns and the target, wherever the model has a table of them and need not grow."""
        if self.target is None or not self._triple_weight:
            return []
        holding = [[v for v in clique if v != self.target] for clique in tree.cliques if self.target in clique]
        beside = {pair for clique in holding for pair in combinations(clique, 2)}
        return sorted(tuple(sorted((*pair, self.target))) for pair in beside)

    def _choose(
        self, scopes: list[Scope], scores: Codes, tree: JunctionTree, *, epsilon: Fraction, draws: int, stop: bool
    ) -> tuple[list[Scope], JunctionTree]:
        """Tables by exponential mechanisms over those that the model has room for, and a tree that holds them.

        With `stop` a draw may also end it, for a score of nothing.
        """
        chosen: list[Scope] = []
        while len(chosen) < draws:
            room = self._room(scopes, tree)
            free = [k for k, scope in enumerate(scopes) if room[k] and scope not in chosen]
            if not free:
                break
            offered = np.append(scores[free], 0) if stop else scores[free]
            at = noise.exponential_choice(offered, epsilon, self._steepest * self.most)
            if at == len(free):
                break
            chosen.append(scopes[free[at]])
            tree = grown(tree, [*self.measured, *chosen[:-1]], chosen[-1])
        return chosen, tree

    def _room(self, scopes: list[Scope], tree: JunctionTree) -> list[bool]:
        """Whether the model may hold a table too; that depends on tables chosen before and on nothing else."""
        gained = growth(tree)
        left = self.settings.model_cells - tree.cells
        return [gained[s] <= max(left, 0) if len(s) == 2 else tree.home(s) is not None for s in scopes]

    def _nodes(self, answer: Fitted) -> tuple[Node, ...]:
        """Every column given those before it; a cell that no row is expected in keeps a thousandth of one."""
        place: dict[int, int] = {}
        nodes: list[Node] = []
        for j, above, joint in chain(answer.found):
            cells = np.maximum(self.clear[j], _LEAST)
            share = cells / grouped(cells, self.bins[j])[self.bins[j]]
            law = joint * self.singles.total + _LEAST * self.reference[j]
            place[j] = len(nodes)
            parents = tuple(place[u] for u in above)
            nodes.append(
                Node(self.singles.grids[j], self.bins[j], share, parents, law / law.sum(axis=1, keepdims=True))
            )
        return tuple(nodes)
