"""Counts the cells of all combinations of up to three columns, in training rows and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tuckpoint.gap.columns import Parts
from tuckpoint.measure.decide import holm
from tuckpoint.table.engine import Array

WIDE = 15  # more columns than that are combined in pairs only
MOST_CELLS = 1_000_000  # of one combination; a larger one is left out
NEGLIGIBLE = 1e-12
LEAST = 30  # rows of both tables together in a cell that is tested
ATTAINABLE = 1e-4  # a cell is tested if it could have so small a p value, were it empty


@dataclass(frozen=True)
class Cells:
    """All counted cells (k,): their columns, as positions in `sets`, their code there, and their rows on each side."""

    sets: tuple[tuple[int, ...], ...]
    which: Array
    code: Array
    train: Array
    reference: Array

    @property
    def ways(self) -> Array:
        """How many columns each cell (k,) combines."""
        return np.array([len(one) for one in self.sets])[self.which]

    def take(self, rows: Array) -> Cells:
        """The cells at these positions, or where the mask is true."""
        return Cells(self.sets, self.which[rows], self.code[rows], self.train[rows], self.reference[rows])


def count(columns: Sequence[Parts], *, ways: int | None = None) -> Cells:
    """The cells of which both tables together hold enough rows that an empty one would be seen.

    `ways` is how many columns are combined (default: 3, for more than 15 columns 2). Which cells are looked at hangs on
    both tables' rows together alone, so that an exact test stays exact.
    """
    deepest = min(ways or (3 if len(columns) <= WIDE else 2), len(columns))
    sizes = [len(column.where) for column in columns]
    sets = [
        chosen
        for way in range(1, deepest + 1)
        for chosen in combinations(range(len(columns)), way)
        if np.prod([float(sizes[c]) for c in chosen]) <= MOST_CELLS
    ]
    least = enough(len(columns[0].train), len(columns[0].reference))
    kept: list[tuple[Array, ...]] = []
    for place, chosen in enumerate(sets):
        first, second = counts(columns, chosen, "train"), counts(columns, chosen, "reference")
        looked = np.flatnonzero((first + second >= least) & sayable(columns, chosen))
        kept.append((np.full(len(looked), place), looked, first[looked], second[looked]))
    which, code, train, reference = (np.concatenate(part) for part in zip(*kept, strict=True))
    return Cells(tuple(sets), which, code, train, reference)


def enough(n: int, m: int) -> float:
    """How many rows of both tables together (n training rows, m of the reference) make a cell worth testing."""
    return max(LEAST, float(np.log(ATTAINABLE) / np.log(m / (n + m))))


def flat(columns: Sequence[Parts], chosen: Sequence[int], side: str, rows: Array | None = None) -> Array:
    """The code of each row's cell (n,) in the combination of these columns."""
    codes = np.zeros(1, dtype=np.int64)
    for c in chosen:
        part = getattr(columns[c], side)
        codes = codes * len(columns[c].where) + (part if rows is None else part[rows])
    return codes


def counts(columns: Sequence[Parts], chosen: Sequence[int], side: str, rows: Array | None = None) -> Array:
    """Rows in each cell of the combination (cells,)."""
    cells = int(np.prod([len(columns[c].where) for c in chosen]))
    return np.bincount(flat(columns, chosen, side, rows), minlength=cells)


def places(columns: Sequence[Parts], chosen: Sequence[int], code: int) -> list[int]:
    """The part of each column that a cell's code stands for."""
    found = []
    for c in reversed(chosen):
        code, part = divmod(code, len(columns[c].where))
        found.append(part)
    return found[::-1]


def sayable(columns: Sequence[Parts], chosen: Sequence[int]) -> Array:
    """Which cells (cells,) of the combination have a condition for each of their parts."""
    named = np.ones(1, bool)
    for c in chosen:
        named = np.logical_and.outer(named, [one is not None for one in columns[c].where]).ravel()
    return named


def told(columns: Sequence[Parts], chosen: Sequence[int], code: int) -> str:
    """The cell's condition."""
    return " and ".join(
        columns[c].where[part] or ""
        for c, part in zip(chosen, places(columns, chosen, code), strict=True)
    )  # fmt: skip


def fewer(train: Array, reference: Array, n: int, m: int) -> Array:
    """One-sided exact p values (k,) that cells hold so few of `n` training rows, given both sides' rows together.

    If both tables are of one law, each of the n + m rows is as likely to stand in either: the training count is then
    hypergeometric (Fisher 1935). Sums the lower tail from its largest term down.
    """
    from scipy.special import gammaln

    k, c = train.astype(np.float64), (train + reference).astype(np.float64)
    total = n + m

    def choose(a: Array | float, b: Array | float) -> Array:
        return np.asarray(gammaln(a + 1.0) - gammaln(b + 1.0) - gammaln(np.subtract(a, b) + 1.0))

    term = np.ones(len(k))
    whole, at = np.ones(len(k)), k.copy()
    while (live := (at > 0) & (term > NEGLIGIBLE * whole)).any():
        step = at / (c - at + 1) * (total - c - n + at) / (n - at + 1)
        term = np.where(live, term * np.maximum(step, 0), 0.0)
        whole += term
        at -= 1
    log = choose(c, k) + choose(total - c, n - k) - choose(float(total), float(n))
    return np.asarray(np.minimum(np.exp(log + np.log(whole)), 1.0))


def passed(p: Array, level: float) -> Array:
    """Which of the p values (k,) stand when the chance of even one false one is held at `level` (Holm 1979)."""
    return np.asarray(holm(p) <= level)
