"""What rows do to the fairness of a model: measured on real holdout people, with intervals, never promised.

The largest difference between groups (and the worst group) is an extreme of noisy figures: its plain bootstrap interval
is too high where groups are alike. So the interval comes from all pairs of groups at once: with 95 % confidence every
pair's true difference lies within c bootstrap standard errors of its estimate (the max-t bootstrap: Romano and Wolf
2005), hence the largest lies between the largest lower and the largest upper end. It covers at least as often as told.
The difference of two such figures is normal but for that excess, so that its interval is made longer by what the excess
may be (see `_excess`).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tuckpoint.measure.intervals import Z95
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

DRAWS = 400
LEVEL = 0.95
LEAST = 5  # people of a group (for error rates: of either label in it) below which it is not compared
MEASURES: Mapping[str, str] = {
    "accuracy": "higher",
    "DP difference": "lower",
    "EO difference": "lower",
    "TPR difference": "lower",
    "worst-group accuracy": "higher",
}


@dataclass(frozen=True)
class Judged:
    """Predictions on real people: truth, predicted (n,) bool, group (n,) int into `names`, person (n,) int or None."""

    truth: Array
    predicted: Array
    group: Array
    names: tuple[str, ...]
    person: Array | None = None

    def counts(self) -> Array:
        """The cell (n,) of each row: group * 4 + truth * 2 + predicted."""
        return np.asarray(self.group * 4 + self.truth.astype(np.int64) * 2 + self.predicted.astype(np.int64))


@dataclass(frozen=True)
class Measure:
    """One figure with its 95 % interval over people; None and `why` where groups are too small."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Group:
    """One group of real people under one model: rows, accuracy, share predicted positive, error rates."""

    name: str
    rows: int
    accuracy: float
    selected: float
    tpr: float | None
    fpr: float | None


@dataclass(frozen=True)
class Rates:
    """Per group, any leading shape: accuracy, selected, tpr, fpr (..., g), and overall accuracy (...)."""

    accuracy: Array
    selected: Array
    tpr: Array
    fpr: Array
    overall: Array

    @classmethod
    def of(cls, counts: Array) -> Rates:
        """From counts (..., g, 2, 2) by truth and prediction; NaN where a group has none."""
        rows, right = counts.sum(axis=(-1, -2)), counts[..., 0, 0] + counts[..., 1, 1]
        return cls(
            _over(right, rows), _over(counts[..., 1].sum(axis=-1), rows),
            _over(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1)),
            _over(counts[..., 0, 1], counts[..., 0, :].sum(axis=-1)),
            _over(right.sum(axis=-1), rows.sum(axis=-1)),
        )  # fmt: skip


def groups(judged: Judged) -> tuple[Group, ...]:
    """Every group that has people; no error rate where fewer than 5 of them have the label."""
    counts = _totals(judged)
    rates, rows, labels = Rates.of(counts), counts.sum(axis=(1, 2)), counts.sum(axis=2)  # labels (g, 2): no, yes
    return tuple(
        Group(
            judged.names[g], int(rows[g]), float(rates.accuracy[g]), float(rates.selected[g]),
            float(rates.tpr[g]) if labels[g, 1] >= LEAST else None,
            float(rates.fpr[g]) if labels[g, 0] >= LEAST else None,
        )
        for g in np.flatnonzero(rows)
    )  # fmt: skip


def measures(judged: Judged, seed: Seed, *, draws: int = DRAWS) -> dict[str, Measure]:
    """Accuracy, DP difference (largest difference of the share predicted positive), EO difference (equalized odds: the
    larger of the largest differences of true and false positive rates), TPR difference, worst-group accuracy.

    Groups of fewer than 5 people are not compared. Definitions: Hardt, Price, Srebro 2016; Agarwal et al. 2018.
    """
    totals, (redrawn,) = _totals(judged), _redrawn([judged], seed, draws)
    return {name: _measure(name, totals, redrawn) for name in MEASURES}


def differences(one: Judged, other: Judged, seed: Seed, *, draws: int = DRAWS) -> dict[str, Measure]:
    """Each measure of `one` minus that of `other`, both on the same people, who are drawn again together.

    Normal 95 % intervals with the bootstrap's standard error, longer on the side of the excess that either may hold.
    """
    totals, redrawn = [_totals(judged) for judged in (one, other)], _redrawn([one, other], seed, draws)
    out = {}
    for name in MEASURES:
        values = [float(_value(name, Rates.of(total), total)) for total in totals]
        if np.isnan(values).any():
            out[name] = Measure(name, None, why=_why(name))
            continue
        pairs = list(zip(totals, redrawn, strict=True))
        drawn = [_value(name, Rates.of(counts), total) for total, counts in pairs]
        gap, half = values[0] - values[1], Z95 * float(np.nanstd(drawn[0] - drawn[1], ddof=1))
        low, high = (0.0, 0.0) if name == "accuracy" else (_excess(name, total, counts) for total, counts in pairs)
        if MEASURES[name] == "higher":  # the worst is an excess downwards
            low, high = high, low
        same = not half  # the same predictions hold the same excess
        out[name] = Measure(name, gap, gap - half - (0 if same else low), gap + half + (0 if same else high))
    return out


def redrawn(judged: Judged, seed: Seed, *, draws: int = DRAWS) -> Array:
    """Each measure (draws, measures) on people drawn again; the same seed draws the same people for every model."""
    person = np.arange(len(judged.truth)) if judged.person is None else judged.person
    totals, (counts,) = _totals(judged), _redrawn([replace(judged, person=person)], seed, draws)
    return np.stack([_value(name, Rates.of(counts), totals) for name in MEASURES], axis=1)


def _excess(name: str, totals: Array, redrawn: Array) -> float:
    """How far noise may have driven the extreme: its mean excess where the true rates are drawn together as far as
    their spread is noise (positive-part James and Stein 1961), which is none where they differ clearly.
    """
    centres, samples = [], []
    seen, drawn = (_parts(name, Rates.of(counts), totals) for counts in (totals, redrawn))
    for rate, rates in zip(seen, drawn, strict=True):
        kept = ~np.isnan(rate)
        rate, moved = rate[kept], np.nan_to_num(rates[:, kept] - rate[kept])
        weight = 1 / np.maximum(moved.var(axis=0), 1e-12)
        middle = float(weight @ rate / weight.sum())
        spread = float(weight @ (rate - middle) ** 2)
        share = max(0.0, 1 - (len(rate) - 1) / spread) if spread > 0 else 0.0
        centres.append(middle + share * (rate - middle))
        samples.append(centres[-1] + moved)
    if name == "worst-group accuracy":
        return max(0.0, float(centres[0].min() - samples[0].min(axis=1).mean()))
    ranges = np.max([np.ptp(sample, axis=1) for sample in samples], axis=0)
    return max(0.0, float(ranges.mean() - max(np.ptp(centre) for centre in centres)))


def _over(part: Array, whole: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, part / whole, np.nan))


def _totals(judged: Judged) -> Array:
    return np.bincount(judged.counts(), minlength=4 * len(judged.names)).reshape(-1, 2, 2).astype(np.float64)


def _redrawn(judged: list[Judged], seed: Seed, draws: int) -> list[Array]:
    """The counts (draws, g, 2, 2) under each model of people drawn with replacement, the same ones for all models.

    People of one row each are exchangeable within a cell, so that their counts are multinomial; others are drawn one by
    one, with all of their rows.
    """
    random, person = seed.numpy(), judged[0].person
    shape = [4 * len(one.names) for one in judged]
    found, row = np.unique(np.ravel_multi_index([one.counts() for one in judged], shape), return_inverse=True)
    joint = np.stack(np.unravel_index(found, shape))  # (models, joint cells)
    if person is None:
        share = np.bincount(row, minlength=joint.shape[1]) / len(row)
        times = random.multinomial(len(row), share, size=draws).astype(np.float64)  # (draws, joint cells)
    else:
        names, who = np.unique(person, return_inverse=True)
        times = np.empty((draws, joint.shape[1]))
        for draw in range(draws):
            drawn = np.bincount(random.integers(0, len(names), len(names)), minlength=len(names))
            times[draw] = np.bincount(row, weights=drawn[who.reshape(-1)], minlength=joint.shape[1])
    out = []
    for one, cells in zip(judged, joint, strict=True):
        into = np.zeros((joint.shape[1], 4 * len(one.names)))
        into[np.arange(joint.shape[1]), cells] = 1
        out.append((times @ into).reshape(draws, -1, 2, 2))
    return out


def _compared(rates: Array, enough: Array) -> Array:
    return np.where(enough, rates, np.nan)


def _parts(name: str, rates: Rates, totals: Array) -> list[Array]:
    """What a measure compares between groups: one or two rates (..., g), NaN for groups with too few people."""
    rows, yes, no = totals.sum(axis=(1, 2)), totals[:, 1].sum(axis=1), totals[:, 0].sum(axis=1)
    if name == "DP difference":
        return [_compared(rates.selected, rows >= LEAST)]
    tpr, fpr = _compared(rates.tpr, yes >= LEAST), _compared(rates.fpr, no >= LEAST)
    if name == "TPR difference":
        return [tpr]
    return [tpr, fpr] if name == "EO difference" else [_compared(rates.accuracy, rows >= LEAST)]


def _value(name: str, rates: Rates, totals: Array) -> Array:
    """The measure (...)."""
    if name == "accuracy":
        return rates.overall
    parts = _parts(name, rates, totals)
    kept = [part[..., ~np.isnan(part).reshape(-1, part.shape[-1]).all(axis=0)] for part in parts]
    least = 1 if name == "worst-group accuracy" else 2
    if any(part.shape[-1] < least for part in kept):
        return np.full(rates.overall.shape, np.nan)
    if name == "worst-group accuracy":
        return np.asarray(np.nanmin(kept[0], axis=-1))
    return np.asarray(np.max([np.nanmax(part, axis=-1) - np.nanmin(part, axis=-1) for part in kept], axis=0))


def _measure(name: str, totals: Array, redrawn: Array) -> Measure:
    value = float(_value(name, Rates.of(totals), totals))
    if np.isnan(value):
        return Measure(name, None, why=_why(name))
    if name == "accuracy":
        half = Z95 * float(np.std(Rates.of(redrawn).overall, ddof=1))
        return Measure(name, value, max(0.0, value - half), min(1.0, value + half))
    seen, drawn = (_parts(name, Rates.of(counts), totals) for counts in (totals, redrawn))
    sizes = [_sizes(name, place, totals) for place in range(len(seen))]
    contrasts, again, spreads = [], [], []
    for rate, rates, size in zip(seen, drawn, sizes, strict=True):
        kept = np.flatnonzero(~np.isnan(rate))
        rate, rates, size = rate[kept], rates[:, kept], size[kept]
        smooth = (rate * size + 2) / (size + 4)  # so that a rate of 0 or 1 is not taken for certain
        variance = np.fmax(np.nanvar(rates, axis=0, ddof=1), smooth * (1 - smooth) / (size + 4))
        if name == "worst-group accuracy":
            contrasts.append(rate)
            again.append(rates)
            spreads.append(variance**0.5)
            continue
        first, second = np.array(list(itertools.combinations(range(len(kept)), 2))).T
        contrasts.append(rate[first] - rate[second])
        again.append(rates[:, first] - rates[:, second])
        spreads.append((variance[first] + variance[second]) ** 0.5)
    estimate, sample, spread = np.concatenate(contrasts), np.concatenate(again, axis=1), np.concatenate(spreads)
    most = np.nanmax(np.abs(sample - estimate) / spread, axis=1)
    reach = max(Z95, float(np.quantile(most, LEVEL))) * spread
    if name == "worst-group accuracy":
        return Measure(
            name, value, max(0.0, float((estimate - reach).min())), min(1.0, float((estimate + reach).min()))
        )
    ends = float((np.abs(estimate) - reach).max()), float((np.abs(estimate) + reach).max())
    return Measure(name, value, max(0.0, ends[0]), min(1.0, ends[1]))


def _sizes(name: str, place: int, totals: Array) -> Array:
    """The people (g,) behind each rate that a measure compares."""
    if name in ("DP difference", "worst-group accuracy"):
        return np.asarray(totals.sum(axis=(1, 2)))
    return np.asarray(totals[:, 1 - place].sum(axis=1))  # true positive rates first


def _why(name: str) -> str:
    return f"fewer than two groups have {LEAST} people whom the {name} compares; hold out more rows, or pool levels"
