"""Calibration by simulation: sequential Monte Carlo with approximate Bayesian computation, and its summaries.

After Toni et al. 2009 and Beaumont et al. 2009, with each tolerance the median distance of the last population.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuckpoint.seed import Seed
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table.engine import Array

if TYPE_CHECKING:
    from tuckpoint.simulate.calibrate import Calibration

PARTICLES = 200
BINS = 4  # of each input, between quantiles
LEAST_ACCEPTED = 0.02  # of the draws of one population; with fewer the tolerance stays
MOST_OUTSIDE = 1000  # moves out of the prior, a particle, after which a population in a corner stays as it is
RESAMPLES = 100  # of the real rows, for the noise of their summaries


def abc(simulator: Simulator, real: Observed, seed: Seed, *, how: Calibration, random: bool) -> Array:
    """Shares (1 + draws, p) of the priors, drawn where simulated summaries come nearest to the real ones.

    The first row is the draw nearest to the median of all. `random` says that the simulator draws itself.
    """
    told, aim = summaries(simulator, real, seed, random=random), real_summary(real, random=random)
    first = min(2 * PARTICLES, how.simulations)
    at = seed.child("prior").numpy().random((first, len(simulator.parameters)))
    seen = np.array([told(theta, run) for run, theta in enumerate(at)])  # (first, summaries)
    spread = np.median(np.abs(seen - np.median(seen, axis=0)), axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    kept = np.argsort(_distance(seen, aim, scale), kind="stable")[: first // 2]
    now = _Population(at[kept], seen[kept], np.full(len(kept), 1 / len(kept)))
    move, run = seed.child("move").numpy(), first
    while run < how.simulations:
        moved, run = _moved(now, told, aim, scale, run=run, most=how.simulations, random=move)
        if moved is None:
            break
        now = moved
    settled = adjusted(now.at, (now.seen - aim) / scale, now.weights)
    drawn = settled[seed.child("draws").numpy().choice(len(settled), how.draws, p=now.weights)]
    middle = np.abs(drawn - np.median(drawn, axis=0)).sum(axis=1).argmin()
    return np.concatenate([drawn[middle : middle + 1], drawn])


@dataclass(frozen=True)
class _Population:
    """Particles: shares (m, p) of the priors, their simulated summaries (m, summaries), weights (m,) that sum to 1."""

    at: Array
    seen: Array
    weights: Array


def _moved(
    now: _Population, told: Callable[[Array, int], Array], aim: Array, scale: Array, *,
    run: int, most: int, random: np.random.Generator,
) -> tuple[_Population | None, int]:  # fmt: skip
    """As many particles nearer than the median of the last, None if the runs do not suffice; and the runs so far."""
    count, p = now.at.shape
    limit = float(np.median(_distance(now.seen, aim, scale)))
    covariance = 2 * np.cov(now.at.T, aweights=now.weights, bias=True).reshape(p, p) + 1e-10 * np.eye(p)
    root, mass = np.linalg.cholesky(covariance), np.cumsum(now.weights)
    at: list[Array] = []
    seen: list[Array] = []
    tried = outside = 0
    while len(at) < count:
        theta = now.at[min(np.searchsorted(mass, random.random()), count - 1)] + root @ random.standard_normal(p)
        if ((theta < 0) | (theta > 1)).any():
            outside += 1  # of the prior: costs no simulation
            if outside > MOST_OUTSIDE * count:
                return None, most
            continue
        if run >= most or (tried > 50 and len(at) < LEAST_ACCEPTED * tried):
            return None, most
        out = told(theta, run)
        run, tried = run + 1, tried + 1
        if _distance(out[None], aim, scale)[0] <= limit:
            at.append(theta)
            seen.append(out)
    weights = 1 / _density(np.array(at), now.at, now.weights, root)
    return _Population(np.array(at), np.array(seen), weights / weights.sum()), run


def adjusted(at: Array, off: Array, weights: Array) -> Array:
    """Shares (m, p) moved to where their summaries, now `off` (m, summaries) from the real ones, would be those.

    By weighted linear regression, the nearer the more it counts (Beaumont et al. 2002).
    """
    far = np.sqrt((off**2).mean(axis=1))
    kernel = np.sqrt(weights * np.maximum(1 - (far / far.max()) ** 2, 0)) if far.max() > 0 else np.sqrt(weights)
    design = np.column_stack([np.ones(len(off)), off])
    slope = np.linalg.lstsq(kernel[:, None] * design, kernel[:, None] * at, rcond=1e-6)[0][1:]
    return np.asarray(np.clip(at - off @ slope, 0, 1))


def _distance(seen: Array, aim: Array, scale: Array) -> Array:
    return np.asarray(np.sqrt((((seen - aim) / scale) ** 2).mean(axis=1)))


def summaries(simulator: Simulator, real: Observed, seed: Seed, *, random: bool) -> Callable[[Array, int], Array]:
    """A function from shares (p,) of the priors, and the number of the run, to simulated summaries.

    A simulator that does not draw is as sure as its law; the real summaries are not. Then each summary gets the noise
    of the real ones, found by drawing groups anew (Wilkinson 2013: the noise is part of the model).
    """
    bins = _bins(real)
    names = tuple(simulator.parameters)
    root = None if random else _noise(real, seed.child("noise"))

    def told(at: Array, run: int) -> Array:
        given = {name: float(simulator.parameters[name].at(share)) for name, share in zip(names, at, strict=True)}
        simulated = simulator.run(given, real.inputs, seed.child("run", run), tried=True)
        out = _summary(bins, simulated, tuple(real.outputs), random=random)
        if root is None:
            return out
        return np.asarray(out + root @ seed.child("run", run, "noise").numpy().standard_normal(root.shape[1]))

    return told


def real_summary(real: Observed, *, random: bool) -> Array:
    """The summaries of real rows: of each output its mean, its mean in four bins of each input, and its spread.

    A simulator that does not draw says nothing of the spread: then that is left out.
    """
    return _summary(_bins(real), real.outputs, tuple(real.outputs), random=random)


def _bins(real: Observed) -> Array:
    """Rows (bins, n) that take means over bins of inputs; the first is the mean of all."""
    rows = [np.full(real.size, 1 / real.size)]
    for column in real.inputs.values():
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))
        place = np.searchsorted(edges, column, side="right")
        for bin_ in np.unique(place):
            rows.append((place == bin_) / (place == bin_).sum())
    return np.array(rows)


def _summary(bins: Array, outputs: Mapping[str, Array], names: tuple[str, ...], *, random: bool) -> Array:
    columns = [outputs[name] for name in names]
    return np.concatenate([np.append(bins @ column, [column.std()] * random) for column in columns])


def _noise(real: Observed, seed: Seed) -> Array:
    """A root (summaries, resamples) of the covariance of real summaries over groups drawn anew."""
    bins = _bins(real)
    kinds, place = np.unique(real.groups, return_inverse=True)
    found: list[Array] = []
    for draw in range(RESAMPLES):
        drawn = seed.child(draw).numpy().integers(0, len(kinds), len(kinds))
        count = np.bincount(drawn, minlength=len(kinds))[place].astype(float)
        mass = bins * count
        total = mass.sum(axis=1, keepdims=True)
        means = np.where(total > 0, mass / np.where(total > 0, total, 1), bins)
        found.append(np.concatenate([means @ column for column in real.outputs.values()]))
    off = np.array(found) - np.mean(found, axis=0)
    return np.asarray(off.T / np.sqrt(RESAMPLES - 1))


def _density(points: Array, centres: Array, weights: Array, root: Array) -> Array:
    """The density (n,) of a mixture of normals with this root of their covariance, up to a factor."""
    gaps = points[:, None, :] - centres[None, :, :]  # (n, m, p)
    scaled = np.linalg.solve(root, gaps.reshape(-1, gaps.shape[2]).T).T.reshape(gaps.shape)
    return np.asarray(np.exp(-0.5 * (scaled**2).sum(axis=2)) @ weights + 1e-300)
