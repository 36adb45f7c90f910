"""Where the model is weak: mean loss by slice, partially pooled so that small slices do not shout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.gap.cells import counts, flat, passed, sayable, told
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Harm, Weak
from tuckpoint.gap.model import Judged, bias
from tuckpoint.table.engine import Array

FEWEST = 50  # judged rows of a slice
JUDGED = 20  # judged rows of a gap
SAME = 0.5  # Jaccard overlap from which on two slices are taken for one
INSIDE = 0.8  # share of a slice that lies in a weaker one from which on it is not told again
PRIOR = 10.0  # rows that the variance of all rows counts for in that of a slice


@dataclass(frozen=True)
class Pooled:
    """Means of slices (k,) drawn towards their common mean, with standard errors, and the spread between slices."""

    mean: Array
    se: Array
    between: float


def pooled(means: Array, variances: Array) -> Pooled:
    """Empirical Bayes for means (k,) of known sampling variances (k,), normal around a common mean (Morris 1983).

    The spread between slices is the moment estimate of DerSimonian and Laird (1986); the standard errors have Morris's
    terms for what is not known of it. Under four slices nothing is pooled.
    """
    k = len(means)
    if k < 4:
        return Pooled(means, np.sqrt(variances), 0.0)
    weight = 1 / variances
    centre = float((weight * means).sum() / weight.sum())
    q = float((weight * (means - centre) ** 2).sum())
    between = max(0.0, (q - (k - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum()))
    centre = float((means / (variances + between)).sum() / (1 / (variances + between)).sum())
    share = (k - 3) / (k - 1) * variances / (variances + between)
    variance = variances * (1 - (k - 1) / k * share) + 2 / (k - 3) * share**2 * (means - centre) ** 2
    return Pooled((1 - share) * means + share * centre, np.sqrt(variance), between**0.5)


@dataclass(frozen=True)
class Slices:
    """Slices of one or two columns (k,): combination and code, rows, mean loss, its variance, Welch's t and p."""

    sets: tuple[tuple[int, ...], ...]
    which: Array
    code: Array
    rows: Array
    mean: Array
    variance: Array
    t: Array
    p: Array


def sliced(columns: Sequence[Parts], loss: Array) -> Slices:
    """All slices of enough rows, each beside the rows outside of it; `columns` hold the rows as their training side.

    The variance of a small slice's mean leans on that of all rows.
    """
    from scipy.special import stdtr

    n, total, squares = len(loss), float(loss.sum()), float((loss**2).sum())
    sets = [(c,) for c in range(len(columns))] + [(a, b) for a in range(len(columns)) for b in range(a)]
    kept: list[tuple[Array, ...]] = []
    for place, chosen in enumerate(sets):
        held, codes = counts(columns, chosen, "train"), flat(columns, chosen, "train")
        fit = np.flatnonzero((held >= FEWEST) & (n - held >= FEWEST) & sayable(columns, chosen))
        sums = [np.bincount(codes, weights=loss**power, minlength=len(held))[fit] for power in (1, 2)]
        kept.append((np.full(len(fit), place), fit, held[fit], *sums))
    which, code, rows, first, second = (np.concatenate(part) for part in zip(*kept, strict=True))
    mean, rest = first / rows, (total - first) / (n - rows)
    spread = np.maximum(second / rows - mean**2, 0) * rows / (rows - 1)
    others = np.maximum((squares - second) / (n - rows) - rest**2, 0)
    t = (mean - rest) / np.sqrt(np.maximum(spread / rows + others / (n - rows), 1e-300))
    smooth = np.maximum((rows * spread + PRIOR * np.var(loss)) / (rows + PRIOR) / rows, 1e-300)
    return Slices(tuple(sets), which, code, rows, mean, smooth, t, stdtr(rows - 1, -t))


def weak(
    columns: Sequence[Parts], rows: Judged, *, level: float = 0.05, smallest: float = 0.0, most: int = 10
) -> tuple[list[Weak], list[Array], int]:
    """Slices of one or two columns whose loss is surely above that of the other rows, by `smallest` or more once they
    are pooled; which judged rows (n,) they hold; how many were tested.

    Welch's one-sided test, Holm over all slices; slices of one order are pooled together.
    """
    found, overall = sliced(columns, rows.loss), float(rows.loss.mean())
    if not len(found.p):
        return [], [], 0
    shrunk, error = np.empty(len(found.p)), np.empty(len(found.p))
    ways = np.array([len(chosen) for chosen in found.sets])[found.which]
    for way in np.unique(ways):
        drawn = pooled(found.mean[ways == way], found.variance[ways == way])
        shrunk[ways == way], error[ways == way] = drawn.mean, drawn.se
    sure = np.flatnonzero(passed(found.p, level) & (shrunk - 1.96 * error > overall + smallest))
    slices: list[Weak] = []
    masks: list[Array] = []
    for i in sure[np.argsort(-found.t[sure], kind="stable")]:
        chosen, code = found.sets[found.which[i]], int(found.code[i])
        mask = flat(columns, chosen, "train") == code
        if len(masks) == most or any(told_before(mask, other) for other in masks):
            continue
        off, z = bias(rows.error[mask], rows.spread[mask])
        masks.append(mask)
        slices.append(
            Weak(
                where=told(columns, chosen, code), columns=tuple(columns[c].name for c in chosen),
                rows=int(found.rows[i]), loss=float(found.mean[i]), pooled=float(shrunk[i]),
                low=float(shrunk[i] - 1.96 * error[i]), high=float(shrunk[i] + 1.96 * error[i]), p=float(found.p[i]),
                bias=off, bias_z=z,
            )
        )  # fmt: skip
    return slices, masks, len(found.p)


def told_before(mask: Array, other: Array) -> bool:
    """Whether a slice (n,) is nearly another one, or lies in it."""
    both = int((mask & other).sum())
    return both >= SAME * int((mask | other).sum()) or both >= INSIDE * int(mask.sum())


def harm(rows: Judged, mask: Array, *, tests: int, level: float = 0.05) -> Harm:
    """How the model does on the judged rows of a gap (n,), beside the others.

    `harmful` where Welch's test of the loss, or the test of the bias, passes level / (2 tests): Bonferroni over both
    and over all gaps that are told.
    """
    from scipy.special import ndtr, stdtr, stdtrit

    count = int(mask.sum())
    if count < JUDGED or len(mask) - count < JUDGED:
        return Harm("too few rows", count)
    there, rest = rows.loss[mask], rows.loss[~mask]
    excess = float(there.mean() - rest.mean())
    a, b = float(np.var(there, ddof=1)) / count, float(np.var(rest, ddof=1)) / len(rest)
    se, df = max(a + b, 1e-300) ** 0.5, count - 1
    half = float(stdtrit(df, 0.975)) * se
    off, z = bias(rows.error[mask], rows.spread[mask])
    bar = level / (2 * max(tests, 1))
    sure = float(stdtr(df, -excess / se)) < bar or float(2 * ndtr(-abs(z))) < bar
    return Harm(
        "harmful" if sure else "not shown", count, float(there.mean()), excess, excess - half, excess + half, off, z
    )  # fmt: skip
