"""A number that nearly follows a formula in others, a weighted sum or product: found robustly, with what it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table.cells import FEW, Cells, finer, offsets, within, worth
from tuckpoint.table.codes import BESIDE, Coded, mid_ranks, usual_beside

Array = NDArray[Any]
ROWS, LEAST_ROWS = 4000, 500  # that a formula is sought on
MANY = 50  # distinct values of a column that can follow a formula or stand in one
EXPLAINED = 0.9  # share of a column's variance that others must explain before a formula is sought
PARENTS = 12  # in a formula, at most
MOST_BESIDE_CELLS = 100  # columns of numbers; of more no offsets by cell are sought
TIGHT = 8.0  # times that chance, among rows of like prediction, must lie farther from the formula than the rows do
SLICES = 20  # of like prediction
NEGLIGIBLE = 5.0  # rests by which a parent must move the prediction to stay in the formula
WILD = 50.0  # rests beyond which a row does not follow the formula
HEAP_PEOPLE, HEAP_TIMES = 5, 5.0
STEPS = 15


@dataclass(frozen=True)
class Formula:
    """`column` is near offset + weights . parents, of the numbers or, if `logarithm`, of their logarithms.

    With `cells` the offset is that of a row's cell, from `offsets`, where it has one. `middles` stand in for a parent
    that is missing or has no logarithm; predictions are kept within `low` and `high`, between which those of real rows
    lie.
    """

    column: str
    parents: tuple[str, ...]
    weights: tuple[float, ...]
    middles: tuple[float, ...]
    offset: float
    logarithm: bool
    low: float = -np.inf
    high: float = np.inf
    cells: Cells | None = None
    offsets: tuple[float, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """All columns that a prediction is made from."""
        return self.parents if self.cells is None else (*self.parents, *self.cells.groups)

    def predict(self, values: Mapping[str, Array], rows: int) -> NDArray[np.float64]:
        """The formula (rows,) of these columns, as a logarithm if it is one."""
        total = np.full(rows, self.offset)
        if self.cells is not None:
            total = np.append(self.offsets, self.offset)[self.cells.of(values)]
        for name, weight, middle in zip(self.parents, self.weights, self.middles, strict=True):
            seen = self.scaled(values[name])
            total += weight * np.where(np.isnan(seen), middle, seen)
        return np.asarray(np.clip(total, self.low, self.high))

    def scaled(self, values: Array) -> NDArray[np.float64]:
        """The numbers (n,) or their logarithms, NaN where there is none."""
        return _scaled(values, self.logarithm)


def _scaled(values: Array, logarithm: bool) -> NDArray[np.float64]:
    if not logarithm:
        return values
    return np.log(np.where(values > 0, values, np.nan))


@dataclass(frozen=True)
class Rests:
    """What a formula leaves of each real row: `rest` (n,), NaN where there is none, and its mid-rank `ranks` (n,).

    `place`, `ties` (n,) tell where it stands in the sorted `pool`; place -1 for a row that keeps its own value: it is
    missing, far from the formula, or a heap, a value far commoner than its neighbours.
    """

    formula: Formula
    rest: NDArray[np.float64]
    ranks: NDArray[np.float64]
    place: NDArray[np.int32]
    ties: NDArray[np.int32]
    pool: NDArray[np.float64]


def rests(formula: Formula, columns: Mapping[str, Coded]) -> Rests:
    """What the formula leaves of the real rows."""
    column = columns[formula.column]
    predicted = formula.predict({name: columns[name].values for name in formula.needs}, len(column.values))
    rest = formula.scaled(column.values) - predicted
    usual = np.nanmedian(np.abs(rest)) + 1e-12
    follows = ~heaps(column.values) & (np.abs(np.where(np.isnan(rest), np.inf, rest)) <= WILD * usual)
    pool = np.sort(rest[follows])
    place, ties = np.full(len(rest), -1, np.int32), np.zeros(len(rest), np.int32)
    place[follows] = np.searchsorted(pool, rest[follows], "left")
    ties[follows] = np.searchsorted(pool, rest[follows], "right") - place[follows]
    return Rests(formula, rest, mid_ranks(rest), place, ties, pool)


def heaps(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows (n,) whose value is missing, or far commoner than the distinct values next to it."""
    out = np.isnan(values)
    distinct, which, counts = np.unique(values[~out], return_inverse=True, return_counts=True)
    if len(distinct) <= BESIDE:
        return np.ones(len(values), bool)
    heap = (counts >= HEAP_PEOPLE) & (counts > HEAP_TIMES * usual_beside(counts))
    out[~out] = heap[which]
    return out


def find(columns: Mapping[str, Coded], names: Sequence[str], rng: np.random.Generator) -> tuple[Formula, ...]:
    """Formulas that the named columns nearly follow, none of which has a column of an earlier one as parent.

    Of columns that determine one another the one whose rest is smallest beside its spread follows from the others. What
    a round finds is taken from the tightest on, as long as its parents are left; the rest is sought again.
    """
    rows = len(next(iter(columns.values())).values) if columns else 0
    left = [name for name in names if columns[name].field.numeric and len(columns[name].cuts) > MANY]
    if rows < LEAST_ROWS or len(left) < 2:
        return ()
    sample = rng.permutation(rows)[:ROWS]
    seen = {name: columns[name].values[sample] for name in left}
    common = {name: heaps(columns[name].values)[sample] for name in left}
    groups = {n: columns[n].values[sample] for n in names if n not in left and len(np.unique(columns[n].code)) <= FEW}
    ways = _ways(seen, left, groups)
    found: list[Formula] = []
    while len(left) > 1:
        tried = [
            made
            for logarithm, cells, wanted in ways
            for name, parents in _explained(seen, left, logarithm, None if cells is None else cells.of(groups))
            if name in wanted
            and (made := _fitted(name, parents, seen, common[name], logarithm, rng, cells, groups)) is not None
        ]
        if not tried:
            break
        taken: set[str] = set()
        for _, formula in sorted(tried, key=lambda entry: -entry[0]):
            if taken.isdisjoint((formula.column, *formula.needs)):
                taken.add(formula.column)
                found.append(formula)
        left = [name for name in left if name not in taken]
    return tuple(found)


def _ways(
    seen: Mapping[str, Array], left: Sequence[str], groups: Mapping[str, Array]
) -> list[tuple[bool, Cells | None, set[str]]]:
    """Whether logarithms are taken, which cells have offsets of their own, and the columns sought like that."""
    ways: list[tuple[bool, Cells | None, set[str]]] = [(logarithm, None, set(left)) for logarithm in (False, True)]
    for logarithm in (False, True) if groups and len(left) <= MOST_BESIDE_CELLS else ():
        parted = worth(groups, partial(_unexplained, seen, left, logarithm))
        ways += [(logarithm, cells, wanted) for cells, wanted in parted.items()]
    return ways


def _explained(
    seen: Mapping[str, Array], names: Sequence[str], logarithm: bool, cell: Array | None
) -> list[tuple[str, list[str]]]:
    """Columns whose variance (within cells) the others explain linearly, each with those that do most."""
    kept, precision, _ = _precision(seen, names, logarithm, cell)
    out = []
    for i, name in enumerate(kept):
        if 1 - 1 / precision[i, i] < EXPLAINED:
            continue
        weight = np.abs(precision[i])
        weight[i] = -1
        out.append((name, [kept[j] for j in np.argsort(-weight, kind="stable")[: min(PARENTS, len(kept) - 1)]]))
    return out


def _unexplained(
    seen: Mapping[str, Array], names: Sequence[str], logarithm: bool, cell: Array | None
) -> dict[str, float]:
    """The share of each column's variance that the others leave, within cells (n,) if there are any."""
    kept, precision, share = _precision(seen, names, logarithm, cell)
    return {name: float(share[i] / precision[i, i]) for i, name in enumerate(kept)}


def _precision(
    seen: Mapping[str, Array], names: Sequence[str], logarithm: bool, cell: Array | None
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """Columns that vary, the inverse (k, k) of their correlations, and the share of variance that is within cells."""
    matrix, kept = [], []
    for name in names:
        scaled = _scaled(seen[name], logarithm)
        if np.isnan(scaled).mean() > 0.01 + np.isnan(seen[name]).mean():
            continue
        low, middle, high = np.nanquantile(scaled, [0.001, 0.5, 0.999])
        clipped = np.clip(np.where(np.isnan(scaled), middle, scaled), low, high)
        if clipped.std() > 0:
            matrix.append((clipped - clipped.mean()) / clipped.std())
            kept.append(name)
    share = np.ones(len(kept))
    if cell is not None and kept:
        inside = within(cell[cell >= 0], np.stack(matrix)[:, cell >= 0])
        share = inside.var(axis=1)
        matrix = list(inside[share > 0] / np.sqrt(share[share > 0])[:, None])
        kept, share = [name for name, part in zip(kept, share, strict=True) if part > 0], share[share > 0]
    if len(kept) < 2:
        return [], np.zeros((0, 0)), np.zeros(0)
    return kept, np.linalg.inv(np.corrcoef(matrix) + 1e-9 * np.eye(len(kept))), share


def _fitted(
    name: str,
    parents: Sequence[str],
    seen: Mapping[str, Array],
    heap: NDArray[np.bool_],
    logarithm: bool,
    rng: np.random.Generator,
    cells: Cells | None,
    groups: Mapping[str, Array],
) -> tuple[float, Formula] | None:
    """The formula of a column in those parents that matter, with its spread over its rest; None if it is not tight.

    Where it is not, or where cells have offsets already, finer cells may make it so.
    """
    own = _scaled(seen[name], logarithm)
    scaled = {parent: _scaled(seen[parent], logarithm) for parent in parents}
    middles = {parent: float(np.nanmedian(values)) for parent, values in scaled.items()}
    filled = {parent: np.where(np.isnan(values), middles[parent], values) for parent, values in scaled.items()}
    while True:
        cell = None if cells is None else cells.of(groups)
        usable = ~heap & ~np.isnan(own) & (True if cell is None else cell >= 0)
        if usable.sum() < LEAST_ROWS:
            return None
        told = _weighed({parent: filled[parent][usable] for parent in parents}, own[usable], cells, cell, usable)
        if told is None:
            return None
        chosen, weights, offset, shift, predicted = told
        tight = _tightness(own[usable], predicted, rng) >= TIGHT
        rest = own[usable] - predicted
        more = None if tight and cells is None else finer(cells, groups, usable, rest)
        if more is None:
            break
        cells = more
    if not tight:
        return None
    spread = float(np.subtract(*np.quantile(own[usable], [0.75, 0.25])))
    formula = Formula(
        name, chosen, tuple(map(float, weights)), tuple(middles[parent] for parent in chosen), offset, logarithm,
        float(predicted.min()), float(predicted.max()), cells, tuple(map(float, shift)),
    )  # fmt: skip
    return spread / (float(np.median(np.abs(rest))) + 1e-12), formula


def _weighed(
    parents: Mapping[str, Array], wanted: Array, cells: Cells | None, cell: Array | None, usable: NDArray[np.bool_]
) -> tuple[tuple[str, ...], Array, float, Array, Array] | None:
    """Of the usable rows: the parents that matter, their weights, the offset, that of each cell, and the prediction."""
    chosen, shift = list(parents), np.zeros(0)
    for _ in range(2):  # once with all, once with those that matter
        matrix = np.stack([parents[parent] for parent in chosen], axis=1)  # (n, k)
        if cells is None or cell is None:
            weights, offset, usual = _robust(matrix, wanted)
        else:
            weights, shift, usual = _robust_within(cell[usable], cells.count, matrix, wanted)
            offset = float(np.median(shift))
        matters = np.abs(weights) * matrix.std(axis=0) > NEGLIGIBLE * usual
        if matters.all():
            break
        chosen = [parent for parent, keep in zip(chosen, matters, strict=True) if keep]
        if not chosen:
            return None
    if len(weights) != len(chosen):
        return None
    predicted = (offset if cell is None else shift[cell[usable]]) + matrix @ weights
    return tuple(chosen), weights, float(offset), shift, predicted


def _robust_within(
    cell: Array, count: int, matrix: NDArray[np.float64], wanted: Array
) -> tuple[Array, NDArray[np.float64], float]:
    """Weights (k,) within cells, the offset (count,) of each cell, and the median absolute rest."""
    inside = within(cell, np.concatenate([matrix.T, wanted[None]]))
    weights, _, _ = _robust(inside[:-1].T, inside[-1])
    shift = offsets(cell, wanted - matrix @ weights, count)
    weights, _, _ = _robust(matrix, wanted - shift[cell])  # means of cells bend to what is far away, medians do not
    shift = offsets(cell, wanted - matrix @ weights, count)
    return weights, shift, float(np.median(np.abs(wanted - shift[cell] - matrix @ weights))) + 1e-12


def _robust(matrix: NDArray[np.float64], wanted: Array) -> tuple[Array, float, float]:
    """Weights (k,) and offset by reweighted least squares with Cauchy weights, and the median absolute rest."""
    centre, scale = np.median(matrix, axis=0), matrix.std(axis=0) + 1e-12
    design = np.concatenate([(matrix - centre) / scale, np.ones((len(matrix), 1))], axis=1)
    ridge = np.append(np.full(matrix.shape[1], 1e-9), 0.0)
    weight = np.ones(len(matrix))
    for _ in range(STEPS):
        gram = design.T @ (weight[:, None] * design)
        solved = np.linalg.solve(gram + np.diag(ridge * weight.sum()), design.T @ (weight * wanted))
        rest = wanted - design @ solved
        usual = float(np.median(np.abs(rest))) + 1e-12
        weight = 1 / (1 + (rest / (3 * usual)) ** 2)
    weights = solved[:-1] / scale
    return weights, float(solved[-1] - (centre * weights).sum()), usual


def _tightness(own: Array, predicted: Array, rng: np.random.Generator) -> float:
    """Median distance from the prediction of values exchanged among rows of like prediction, over that of their own."""
    exchanged = own.copy()
    for part in np.array_split(np.argsort(predicted, kind="stable"), SLICES):
        exchanged[part] = own[rng.permutation(part)]
    usual = np.median(np.abs(own - predicted)) + 1e-12
    return float(np.median(np.abs(exchanged - predicted)) / usual)
