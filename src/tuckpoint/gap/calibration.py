"""Where predictions are off: slices in which what came is surely not what was predicted, more so than everywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tuckpoint.gap.cells import counts, flat, passed, sayable, told
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Off
from tuckpoint.gap.model import Judged, bias, cost, logistic
from tuckpoint.gap.weak import FEWEST, told_before
from tuckpoint.measure.intervals import Z95
from tuckpoint.measure.utility import Task
from tuckpoint.table.engine import Array

FLOOR = 1e-9  # of a probability
FAR, HALVINGS = 30.0, 60  # of a constant in logits


def named(work: Task | None) -> str:
    """What is predicted, whose predicted and true values are compared."""
    if work is None or work.classes == 1:
        return ""
    if work.classes == 0:
        return work.target
    return f'{work.target} == "{work.labels[1]}"' if work.classes == 2 else "the likeliest class"


def overall(rows: Judged) -> str:
    """Predicted less true over all judged rows, in words."""
    off, z = bias(rows.error, rows.spread)
    half = Z95 * abs(off / z) if z else 0.0
    return f"predicted less true {off:+.3g} [{off - half:+.3g}, {off + half:+.3g}] over all judged rows"


def off(
    columns: Sequence[Parts], rows: Judged, *, level: float = 0.05, smallest: float = 0.0, most: int = 10
) -> tuple[list[Off], int]:
    """Slices of one or two columns whose predictions are surely off, the clearest first; how many were tested.

    Of a class, the hits are held against those expected once all logits are moved by one constant, so that they agree
    over all rows, by the exact binomial tail, which errs upwards where probabilities differ; of a number, the mean
    error against that of the other rows, by a normal test corrected for skewness (Johnson 1978). Two-sided, Holm over
    all slices. Told is what costs `smallest` of the mean loss or more even at the near end of its 95 % interval.
    """
    sets = [(c,) for c in range(len(columns))] + [(a, b) for a in range(len(columns)) for b in range(a)]
    chance = None if np.isnan(rows.spread).any() else _agreeing(rows)
    tested = [found for chosen in sets for found in _tested(columns, chosen, rows, chance)]
    if not tested:
        return [], 0
    p = np.array([one[2] for one in tested])
    sure = np.flatnonzero(passed(p, level))
    slices: list[Off] = []
    masks: list[Array] = []
    for place in sure[np.argsort(p[sure], kind="stable")]:
        chosen, code, _ = tested[place]
        mask = flat(columns, chosen, "train") == code
        mean, z = bias(rows.error[mask], rows.spread[mask])
        half = Z95 * abs(mean / z) if z else 0.0
        least, each = max(abs(mean) - half, 0.0), 1.0 if chance is None else float(cost(rows.spread[mask]))
        if each * least**2 < smallest or any(told_before(mask, other) for other in masks):
            continue
        masks.append(mask)
        slices.append(
            Off(
                told(columns, chosen, code), tuple(columns[c].name for c in chosen), int(mask.sum()),
                mean, mean - half, mean + half, each * mean**2, float(p[place]),
            )
        )  # fmt: skip
        if len(slices) == most:
            break
    return slices, len(tested)


def _tested(
    columns: Sequence[Parts], chosen: tuple[int, ...], rows: Judged, chance: Array | None
) -> Iterator[tuple[tuple[int, ...], int, float]]:
    """The slices of these columns, with their codes and two-sided p; `chance` (n,) as expected of a class."""
    held, codes = counts(columns, chosen, "train"), flat(columns, chosen, "train")
    fit = np.flatnonzero((held >= FEWEST) & (len(codes) - held >= FEWEST) & sayable(columns, chosen))
    if not len(fit):
        return
    if chance is None:
        p = _of_number(rows.error, codes, held, fit)
    else:
        p = _of_class(rows.error < 0, chance, codes, held, fit)
    yield from ((chosen, int(code), float(one)) for code, one in zip(fit, p, strict=True))


def _agreeing(rows: Judged) -> Array:
    """The probabilities (n,) with one constant added to their logits, so that they sum up to the hits."""
    hit = rows.error < 0  # predicted less true is below 0 where the class came
    chance = np.clip(rows.error + hit, FLOOR, 1 - FLOOR)
    logits, low, high = np.log(chance / (1 - chance)), -FAR, FAR
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if logistic(logits + middle).sum() < hit.sum() else (low, middle)
    return logistic(logits + low)


def _of_class(hit: Array, chance: Array, codes: Array, held: Array, fit: Array) -> Array:
    from scipy.stats import binom

    hits, expected = (np.bincount(codes, weights=of, minlength=len(held))[fit] for of in (hit.astype(float), chance))
    share = np.clip(expected / held[fit], FLOOR, 1 - FLOOR)
    below, above = binom.cdf(hits, held[fit], share), binom.sf(hits - 1, held[fit], share)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


def _of_number(error: Array, codes: Array, held: Array, fit: Array) -> Array:
    from scipy.special import ndtr

    n, total = len(error), float(error.sum())
    spread = float(np.var(error))
    skew = float(((error - error.mean()) ** 3).mean()) / max(spread, 1e-300) ** 1.5
    first, second = (np.bincount(codes, weights=error**power, minlength=len(held))[fit] for power in (1, 2))
    many = held[fit]
    mean, rest = first / many, (total - first) / (n - many)
    own = np.maximum(second / many - mean**2, spread)  # a small slice's own variance may be small by chance
    z = (mean - rest) / np.sqrt(np.maximum(own / many + spread / (n - many), 1e-300))
    z -= skew / (6 * np.sqrt(many)) * (z**2 - 1)
    return np.asarray(2 * ndtr(-np.abs(z)))
