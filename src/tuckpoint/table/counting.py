"""What private engines count, with exact noise: rows, single columns in fine cells, groups of cells, tables of pairs.

Counts are taken from rows of which one unit moves at most `most` (see `table.contribution`); every noisy number here is
entered in an account before it is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account, gaussian_cost, gaussian_variance
from tuckpoint.table.denoise import average, project, standing
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.grid import Grid, grid

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

FINE = 16  # scores of a choice are counted in 16ths of a row, so that rounding what was expected costs nothing,
WEIGHT = 64  # and weighed in 64ths
_BLOCK = 256  # cells of neighbouring columns that are counted as one: two such blocks are one table


@dataclass(frozen=True)
class Singles:
    """Noisy counts of rows and of each column.

    `counts[j]` (cells,) are those of `grids[j]`, each with noise of `variance`; `total` is the best noisy number of
    rows, at least 1, and `cells` the most cells that a number was cut into.
    """

    grids: tuple[Grid, ...]
    counts: tuple[Floats, ...]
    variance: Fraction
    total: float
    cells: int


def check_public(engine: str, fields: tuple[Field, ...]) -> None:
    """Raise PrivacyError naming the columns whose domain would void a claim of privacy."""
    leaks = [f.name for f in fields if f.provenance == "data"]
    if leaks:
        raise PrivacyError(
            f"engine {engine} cannot promise privacy: the domain of {', '.join(map(repr, leaks))} was read off the "
            "real rows; in schema.yaml give each its low and high, or its levels, from law or knowledge (not from this "
            "table), with provenance public or expert, or write only provenance: dp to have it estimated at a price"
        )
    for item in fields:
        if item.numeric and (item.low is None or item.high is None):
            raise PrivacyError(
                f'engine {engine}: column "{item.name}" has no low and high in its domain; write both in schema.yaml'
            )


def noisy(counts: NDArray[np.int64], variance: Fraction) -> Floats:
    """Counts of any shape with discrete Gaussian noise on each."""
    flat = counts.ravel()
    return (flat + noise.discrete_gaussian(variance, len(flat))).reshape(counts.shape).astype(np.float64)


def count_singles(
    real: Encoded, account: Account, *, rows_rho: Fraction, columns_rho: Fraction, most: int, cells: int
) -> Singles:
    """Count the rows, for `rows_rho`, and each column in fine cells, together for `columns_rho`.

    A number has as many cells, `cells` at most, as leave four standard deviations of noise in a typical one.
    """
    rows_variance = gaussian_variance(rows_rho, most)
    account.spend("number of rows", gaussian_cost(rows_variance, most))
    total = max(float(noisy(np.array([real.rows]), rows_variance)[0]), 1.0)
    variance = gaussian_variance(columns_rho, most, len(real.fields))
    account.spend("single columns", gaussian_cost(variance, most, len(real.fields)))
    afford = int(total / (4 * math.sqrt(variance)))
    cells = min(max(afford, 2), cells)
    grids = tuple(grid(item, cells) for item in real.fields)
    counts = tuple(
        noisy(np.bincount(g.code(real.columns[g.field.name]), minlength=g.size).astype(np.int64), variance)
        for g in grids
    )
    totals = [np.array(total), *(np.array(single.sum()) for single in counts)]
    variances = [float(rows_variance), *(len(single) * float(variance) for single in counts)]
    return Singles(grids, counts, variance, max(float(average(totals, variances)), 1.0), cells)


def cleared(singles: Singles) -> list[Floats]:
    """Counts (cells,) of each column that can be true: of numbers, only where some stand out of the noise."""
    out = []
    for cells, counts in zip(singles.grids, singles.counts, strict=True):
        kept = np.ones(cells.size, bool)
        if cells.field.numeric:
            kept[: len(cells.first)] = standing(counts[: len(cells.first)], math.sqrt(singles.variance))
        clear = np.zeros(cells.size)
        clear[kept] = project(counts[kept], singles.total)
        out.append(clear)
    return out


def group(cells: Grid, counts: Floats, *, most: int, rare: float) -> Codes:
    """Each cell's bin (cells,), at most `most` of them: numbers in runs of about equal count, levels alone or pooled.

    `counts` are denoised; levels of which there are at most `rare` are pooled in the last bin.
    """
    if cells.size <= 2:
        return np.arange(cells.size)
    if cells.field.numeric:
        runs = runs_of_equal_count(counts[: len(cells.first)], most)
        return np.append(runs, runs[-1] + 1) if cells.missing else runs
    order = np.argsort(-counts, kind="stable")
    alone = int(min(most - 1, max((counts > rare).sum(), 1)))
    if alone + 1 >= cells.size:
        return np.arange(cells.size)
    bins = np.full(cells.size, alone)
    bins[order[:alone]] = np.arange(alone)
    return bins


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


def grouped(cells: Floats, bins: Codes) -> Floats:
    """Counts per bin from counts per cell."""
    return np.asarray(np.bincount(bins, weights=cells), dtype=np.float64)


def table_of(codes: Sequence[Codes], sizes: Sequence[int], columns: Sequence[int]) -> Codes:
    """The exact table of some columns, whose codes (n,) are below their sizes: shape (sizes of the columns)."""
    shape = [sizes[j] for j in columns]
    flat = np.zeros(len(codes[0]), np.int64)
    for j in columns:
        flat = flat * sizes[j] + codes[j]
    return np.bincount(flat, minlength=math.prod(shape)).reshape(shape).astype(np.int64)


def pair_blocks(codes: Sequence[Codes], sizes: Sequence[int]) -> Iterator[tuple[range, range, Codes]]:
    """The exact tables of all pairs of columns, a block of neighbours against another or itself at a time.

    Gives the columns of both blocks and one matrix (bins of the first block, bins of the second) in which the table of
    each pair is a rectangle. All rows are passed once a pair of blocks and not once a pair of columns.
    """
    blocks = _blocks(sizes)
    joint, marks = zip(*(_joined(codes, sizes, block) for block in blocks), strict=True)
    for i, one in enumerate(blocks):
        for k in range(i, len(blocks)):
            high, low = len(marks[i]), len(marks[k])
            counts = np.bincount(joint[i] * low + joint[k], minlength=high * low).reshape(high, low)
            yield one, blocks[k], np.rint(marks[i].T @ counts @ marks[k]).astype(np.int64)


def _blocks(sizes: Sequence[int]) -> list[range]:
    """Runs of neighbouring columns that together have few joint values."""
    blocks, start, joint = [], 0, 1
    for j, size in enumerate(sizes):
        if j > start and joint * size > _BLOCK:
            blocks.append(range(start, j))
            start, joint = j, 1
        joint *= size
    return [*blocks, range(start, len(sizes))]


def _joined(codes: Sequence[Codes], sizes: Sequence[int], block: range) -> tuple[Codes, Floats]:
    """The joint code of a block's columns (n,), and which bins it means (joint codes, bins of all columns)."""
    code, shape = np.zeros(len(codes[0]), np.int64), [sizes[j] for j in block]
    for j in block:
        code = code * sizes[j] + codes[j]
    digits = np.unravel_index(np.arange(math.prod(shape)), shape)
    return code, np.concatenate([np.eye(size)[digit] for size, digit in zip(shape, digits, strict=True)], axis=1)
