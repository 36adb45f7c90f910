"""How far rows lie from the real ones in the inputs of a simulator, and how unsure its error is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.measure.neighbours import nearest
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

MOST = 2000  # real rows that stand for all, as points
MOST_FITTED = 300  # real rows that the discrepancy is learnt from
LENGTHS = (0.5, 1.0, 2.0, 4.0)  # of the kernel, in standard deviations times the root of the number of inputs
SHARES = (0.05, 0.2, 0.5, 0.8)  # of the variance of the residuals that may be discrepancy


@dataclass(frozen=True)
class Support:
    """Where real rows lie: inputs scaled to mean 0 and sd 1, as points (n, d), their ranges, and the 99 % quantile
    `far` of how far each is from its nearest other.
    """

    names: tuple[str, ...]
    centre: Array
    scale: Array
    points: Array
    low: Array
    high: Array
    far: float

    def place(self, inputs: Mapping[str, Array]) -> Array:
        """Rows as points (n, d)."""
        return (np.column_stack([inputs[name] for name in self.names]) - self.centre) / self.scale

    def distance(self, inputs: Mapping[str, Array]) -> Array:
        """Distance (n,) to the nearest real row, in units of the 99 % quantile among real rows: above 1 is outside."""
        points = self.place(inputs)
        if not len(points):
            return np.empty(0)
        return nearest(points.astype(np.float32), self.points.astype(np.float32)) / self.far

    def beyond(self, inputs: Mapping[str, Array]) -> Array:
        """Rows (n,) outside: farther than 99 % of real rows from one another, or out of the range of an input."""
        points = self.place(inputs)
        out = ((points < self.low - 1e-9) | (points > self.high + 1e-9)).any(axis=1)
        return np.asarray(out | (self.distance(inputs) > 1))


def support(inputs: Mapping[str, Array], seed: Seed) -> Support:
    """The support of real rows (n,) by input; two rows at least."""
    values = np.column_stack(list(inputs.values()))
    scale = values.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    centre = values.mean(axis=0)
    points = (values - centre) / scale
    low, high = points.min(axis=0), points.max(axis=0)
    points = points[np.sort(seed.numpy().permutation(len(points))[:MOST])]
    small = points.astype(np.float32)
    apart = nearest(small, small, own=np.arange(len(small))) if len(small) > 1 else np.ones(1)
    far = float(np.quantile(apart, 0.99))
    return Support(tuple(inputs), centre, scale, points, low, high, far if far > 0 else 1.0)


@dataclass(frozen=True)
class Discrepancy:
    """What a calibrated simulator leaves unexplained as a smooth function of the inputs, a Gaussian process.

    `variants` are kernels (length, share of the variance) with their posterior weights: neither is known, and one
    that is small by chance must not pass for certainty.
    """

    base: Support
    points: Array
    variants: Sequence[tuple[float, float, float]]
    solved: Sequence[tuple[Array, Array]]
    variance: float

    def at(self, inputs: Mapping[str, Array]) -> tuple[Array, Array]:
        """Mean and standard deviation (n,) of the discrepancy; the latter grows outside the real rows without end."""
        points = self.base.place(inputs)
        mean, square = np.zeros(len(points)), np.zeros(len(points))
        for (length, share, weight), (root, solved) in zip(self.variants, self.solved, strict=True):
            cross = _kernel(points, self.points, length)
            its = share * self.variance * cross @ solved
            half = np.linalg.solve(root, share * self.variance * cross.T)  # root of the kernel of real rows
            own = share * self.variance * _own(points)
            spread = np.maximum(own - (half**2).sum(axis=0), 0)
            mean += weight * its
            square += weight * (spread + its**2)
        return mean, np.sqrt(np.maximum(square - mean**2, 0))


def discrepancy(base: Support, inputs: Mapping[str, Array], residuals: Array, seed: Seed) -> Discrepancy:
    """Learn the discrepancy from residuals (n,) of real rows (after Kennedy and O'Hagan 2001).

    The kernel is a squared exponential and a linear one of the same size, the weights of lengths and sizes follow from
    the marginal likelihood with a flat prior over the grid.
    """
    chosen = np.sort(seed.numpy().permutation(len(residuals))[:MOST_FITTED])
    points, off = base.place(inputs)[chosen], residuals[chosen]
    variance = float((off**2).mean()) or 1e-12
    variants, solved, evidence = [], [], []
    for length in LENGTHS:
        kernel = _kernel(points, points, length)
        for share in SHARES:
            root = np.linalg.cholesky(variance * (share * kernel + (1 - share) * np.eye(len(off))))
            half = np.linalg.solve(root, off)
            evidence.append(-0.5 * float(half @ half) - float(np.log(np.diag(root)).sum()))
            variants.append((length, share))
            solved.append((root, np.linalg.solve(root.T, half)))
    weights = np.exp(np.array(evidence) - max(evidence))
    weights /= weights.sum()
    kept = [at for at, weight in enumerate(weights) if weight > 1e-3]
    total = float(weights[kept].sum())
    told = [(*variants[at], float(weights[at]) / total) for at in kept]
    return Discrepancy(base, points, told, [solved[at] for at in kept], variance)


def _kernel(one: Array, other: Array, length: float) -> Array:
    d = one.shape[1]
    square = ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2) / d
    return np.asarray(0.5 * np.exp(-0.5 * square / length**2) + 0.5 * one @ other.T / d)


def _own(points: Array) -> Array:
    return np.asarray(0.5 + 0.5 * (points**2).sum(axis=1) / points.shape[1])
