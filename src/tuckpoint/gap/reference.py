"""What training rows lack beside a reference sample: every cell is tested, the gaps are told one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.gap.cells import Cells, count, counts, fewer, flat, passed, places, told
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Missing
from tuckpoint.table.engine import Array

LIKELY = 1.3  # z below which a cell is no discovery at any level up to 5 %, so that its exact p need not be known
SAME = 0.5  # Jaccard overlap from which on two cells are taken for one
NEARLY = 0.95  # of the z of the clearest cell: a shorter description of the same rows may have less


@dataclass(frozen=True)
class Search:
    """What was searched: `found`, and the reference rows (m,) of each of them; `tested` cells stood against chance."""

    found: tuple[Missing, ...]
    tested: int
    masks: tuple[Array, ...]


def against(columns: Sequence[Parts], *, level: float = 0.05, ways: int | None = None, most: int = 30) -> Search:
    """Cells that hold fewer training rows than the reference's share of them, the clearest first.

    Exact one-sided p values, held by Holm's step-down at `level` over the number of orders (single columns, pairs,
    triples) within each order: a false gap is told in at most a share `level` of tables. The false discovery rate would
    not do, for one true gap passes in hundreds of overlapping cells, and each twenty of those would let a false one by.
    After each gap the count goes on as if it were filled, since its parents and neighbours lack the same rows.
    """
    n, m = len(columns[0].train), len(columns[0].reference)
    cells = count(columns, ways=ways)
    if not len(cells.which):
        return Search((), 0, ())
    first = surprise(cells.train, cells.reference, n, m)
    p = np.ones(len(first))
    likely = np.flatnonzero(first > LIKELY)
    p[likely] = fewer(cells.train[likely], cells.reference[likely], n, m)
    orders, stand = np.unique(cells.ways), np.zeros(len(p), bool)
    for way in orders:
        mine = cells.ways == way
        stand[mine] = passed(p[mine], level / len(orders))
    picked = _greedy(columns, cells.take(stand), n, m, most)
    found, masks = [], []
    for chosen, code, also in picked:
        at = int(np.flatnonzero((cells.which == chosen) & (cells.code == code))[0])
        found.append(_missing(columns, cells, at, float(first[at]), float(p[at]), also))
        masks.append(flat(columns, cells.sets[chosen], "reference") == code)
    return Search(tuple(found), len(p), tuple(masks))


def surprise(train: Array, reference: Array, n: float, m: int) -> Array:
    """How many standard errors each cell (k,) falls short: (e - n) / sqrt of both counts' variances; above 0: too few.

    e = N q is the expected count at the reference's share q = r / M; its own noise counts as well as that of n.
    """
    q = reference / m
    expected = n * q
    return np.asarray((expected - train) / np.sqrt(np.maximum(expected * (1 - q) * (1 + n / m), 1e-12)))


def _greedy(
    columns: Sequence[Parts], cells: Cells, n: int, m: int, most: int
) -> list[tuple[int, int, tuple[str, ...]]]:
    """Combination and code of the gaps in turn, and the other words for each; each is filled before the next is sought.

    Filling adds reference rows of the gap until its odds are those of the reference.
    """
    filled, rows = cells.train.astype(np.float64), float(n)
    z, bar = surprise(cells.train, cells.reference, n, m), np.zeros(len(filled))
    for way in np.unique(cells.ways):
        bar[cells.ways == way] = z[cells.ways == way].min()
    open_ = np.ones(len(filled), bool)
    picked: list[tuple[int, int, tuple[str, ...]]] = []
    sets = np.unique(cells.which)
    while open_.any() and len(picked) < most:
        z = surprise(filled, cells.reference, rows, m)
        z = np.where(open_ & (z >= bar), z, -np.inf)
        if not np.isfinite(z).any():
            break
        at, same, within = _shortest(columns, cells, z)
        words = [told(columns, cells.sets[cells.which[i]], int(cells.code[i])) for i in same if i != at]
        picked.append((int(cells.which[at]), int(cells.code[at]), tuple(words[:3])))
        held = float(cells.reference[at])
        lacking = max(0.0, (rows - filled[at]) * held / max(m - held, 1.0) - filled[at])
        for chosen in sets:
            added = counts(columns, cells.sets[chosen], "reference", within)
            mine = cells.which == chosen
            filled[mine] += lacking / held * added[cells.code[mine]]
        rows += lacking
        open_[at] = False
        open_[same] = False
    return picked


def _shortest(columns: Sequence[Parts], cells: Cells, z: Array) -> tuple[int, Array, Array]:
    """The clearest cell, or one of fewer columns that is nearly as clear and holds nearly the same rows.

    Also which cells hold nearly the same rows, and which reference rows stand in the gap.
    """
    top = int(np.argmax(z))
    for _ in range(2):
        inside = np.flatnonzero(
            flat(columns, cells.sets[cells.which[top]], "reference") == cells.code[top]
        )  # fmt: skip
        shared = np.zeros(len(z))
        for chosen in np.unique(cells.which[np.isfinite(z)]):
            mine = cells.which == chosen
            shared[mine] = counts(columns, cells.sets[chosen], "reference", inside)[cells.code[mine]]
        overlap = shared / (cells.reference + len(inside) - shared)
        same = np.flatnonzero((overlap >= SAME) & np.isfinite(z))
        clear = same[z[same] >= NEARLY * z[top]]
        best = int(clear[np.lexsort((-z[clear], cells.ways[clear]))[0]])
        if best == top:
            break
        top = best
    return top, same, inside


def _missing(
    columns: Sequence[Parts], cells: Cells, at: int, z: float, p: float, also: tuple[str, ...]
) -> Missing:  # fmt: skip
    chosen, code = cells.sets[cells.which[at]], int(cells.code[at])
    n, m = len(columns[0].train), len(columns[0].reference)
    rows, held = int(cells.train[at]), int(cells.reference[at])
    low, high = density(rows, held, n, m)
    return Missing(
        where=told(columns, chosen, code), columns=tuple(columns[c].name for c in chosen), basis="sample",
        rows=rows, expected=n * held / m, share=held / m, ratio=rows / n / (held / m), low=low, high=high, z=z, p=p,
        lacking=max(0, round((n - rows) * held / max(m - held, 1) - rows)), reference_rows=held,
        beyond=_beyond(columns, chosen, code), also=also,
    )  # fmt: skip


def density(rows: int, held: int, n: int, m: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of the density ratio (rows / n) / (held / m).

    Given their sum, one of two Poisson counts is binomial; Clopper and Pearson's interval of that share, turned back.
    """
    from scipy.special import betaincinv

    tail, both = (1 - level) / 2, rows + held
    low = 0.0 if rows == 0 else float(betaincinv(rows, both - rows + 1, tail))
    high = 1.0 if rows == both else float(betaincinv(rows + 1, both - rows, 1 - tail))
    scale = m / n
    return low / (1 - low) * scale, high / max(1 - high, 1e-12) * scale


def _beyond(columns: Sequence[Parts], chosen: Sequence[int], code: int) -> float | None:
    """Density ratio of the cell over the product of those of its single columns: below 1 the combination itself lacks
    rows, near 1 its columns' own shares explain it.
    """
    if len(chosen) == 1:
        return None
    joint = _ratio(columns, chosen, code)
    product = float(
        np.prod([_ratio(columns, (c,), p) for c, p in zip(chosen, places(columns, chosen, code), strict=True)])
    )
    return joint / product if product > 0 else None


def _ratio(columns: Sequence[Parts], chosen: Sequence[int], code: int) -> float:
    rows = float((flat(columns, chosen, "train") == code).mean())
    held = float((flat(columns, chosen, "reference") == code).mean())
    return rows / held if held else 0.0
