"""What training rows lack beside a reference sample: every cell is tested, the gaps are told one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.gap.cells import Cells, count, counts, fewer, flat, passed, places, told
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Missing
from tuckpoint.gap.spans import Span, hull, joined, missing, rows_of, surprise
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
    Neighbouring ranges of a number that both stand are told as one gap.
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
    spans: list[Span] = [
        tuple((c, at, at) for c, at in zip(cells.sets[chosen], places(columns, cells.sets[chosen], code), strict=True))
        for chosen, code, _ in picked
    ]
    found, masks = [], []
    for members in joined(columns, spans):
        span = hull([spans[at] for at in members])
        found.append(missing(columns, span, picked[members[0]][2]))
        masks.append(rows_of(columns, span, "reference"))
    return Search(tuple(found), len(p), tuple(masks))


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
