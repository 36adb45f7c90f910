"""Whether what is missing lies among the training rows (interpolation) or beyond them (extrapolation)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.gap.finding import Support
from tuckpoint.measure.neighbours import Metric, metric, nearest
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

MOST = 4000  # training rows that stand for all
LOOKED = 400  # rows of a gap that are looked at
FEWEST = 50  # training rows without which nothing is said
MOSTLY = 0.5  # share of a gap's rows from which on it is said to lie there


@dataclass(frozen=True)
class Ground:
    """Where training rows lie: a sample of them as points, how far each is from its nearest other (95 and 99 %), and
    each number's inner 99 % and whole range.
    """

    space: Metric
    points: Array
    near: float
    far: float
    ranges: dict[str, tuple[float, float, float, float]]
    unseen: dict[str, Array]


def ground(train: Encoded, seed: Seed) -> Ground | None:
    """The support of training rows; None if they are too few."""
    if train.rows < FEWEST:
        return None
    chosen = np.sort(seed.numpy().permutation(train.rows)[:MOST])
    sample = train.take(chosen)
    space = metric(sample)
    points = space.place(sample)
    apart = nearest(points, points, own=np.arange(len(points)))
    ranges, unseen = {}, {}
    for field in train.fields:
        values = train.columns[field.name]
        if not field.numeric:
            unseen[field.name] = np.bincount(values + 1, minlength=len(field.levels or ()) + 1) == 0  # missing first
        elif (held := values[~np.isnan(values)]).size:
            low, high = np.quantile(held, [0.005, 0.995])
            ranges[field.name] = (float(low), float(high), float(held.min()), float(held.max()))
    near, far = np.quantile(apart, [0.95, 0.99])
    return Ground(space, points, float(near), float(far), ranges, unseen)


def support(rows: Encoded, base: Ground, seed: Seed) -> tuple[Support, float]:
    """Where rows of a gap lie, and the share of them that lies outside.

    Outside: farther from every training row than 99 % of those are from one another, beyond the range of a number, or
    of a level that training rows never hold. Edge: so for 95 %, or beyond a number's inner 99 %.
    """
    if not rows.rows:
        return "unknown", 0.0
    rows = rows.take(np.sort(seed.numpy().permutation(rows.rows)[:LOOKED]))
    apart = nearest(base.space.place(rows), base.points)
    outside, edge = apart > base.far + 1e-9, apart > base.near + 1e-9
    for name, (low, high, least, most) in base.ranges.items():
        values = rows.columns[name]
        outside |= (values < least) | (values > most)
        edge |= (values < low) | (values > high)
    for name, never in base.unseen.items():
        outside |= never[rows.columns[name] + 1]
    share = float(outside.mean())
    if share > MOSTLY:
        return "outside", share
    return ("edge" if float((edge | outside).mean()) > MOSTLY else "inside"), share
