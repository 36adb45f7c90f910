"""The posterior predictive check: does a calibrated simulator cover real rows that it was not calibrated to?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import FEW_VALUES, Calibration, Posterior, calibrate, mean
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table.engine import Array

HELD = 0.2  # share of the people (or rows) held out
FEWEST = 20  # rows on either side
LEVEL = 0.9
RUNS = 200  # predictive draws a row


@dataclass(frozen=True)
class Predictive:
    """What held-out real rows say, by output: how many of `rows` lie in the central 90 % of the predictive draws (None
    for an output of few values), and the mean of real less predicted, with its standard errors from 0.
    """

    rows: int
    within: Mapping[str, int | None]
    off: Mapping[str, float]
    z: Mapping[str, float]


def check(simulator: Simulator, real: Observed, seed: Seed, how: Calibration) -> Predictive | None:
    """Calibrate to four fifths of the people, and predict the rows of the others; None if they are too few."""
    kinds, place = np.unique(real.groups, return_inverse=True)
    held = (seed.child("split").numpy().permutation(len(kinds)) < HELD * len(kinds))[place]
    if min(held.sum(), (~held).sum()) < FEWEST:
        return None
    rest, out = real.take(~held), real.take(held)
    posterior = calibrate(simulator, rest, seed.child("calibrate"), how)
    drawn = predicted(simulator, posterior, out.inputs, seed.child("draw"), smooth=_smooth(rest))
    middle = mean(simulator, posterior, out.inputs, seed.child("mean"))
    within: dict[str, int | None] = {}
    off, z = {}, {}
    for name, column in out.outputs.items():
        low, high = np.quantile(drawn[name], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        within[name] = int(((column >= low) & (column <= high)).sum()) if name in _smooth(rest) else None
        left = column - middle[name]
        off[name] = float(left.mean())
        z[name] = float(left.mean() / max(left.std(ddof=1) / np.sqrt(len(left)), 1e-12))
    return Predictive(out.size, within, off, z)


def predicted(
    simulator: Simulator, posterior: Posterior, inputs: Mapping[str, Array], seed: Seed, *, smooth: set[str]
) -> dict[str, Array]:
    """Predictive draws (runs, n) by output: the parameters vary, and what they leave of the `smooth` outputs."""
    rows = len(next(iter(inputs.values())))
    found: dict[str, list[Array]] = {name: [] for name in simulator.outputs}
    for run in range(RUNS):
        told = simulator.run(posterior.at(run % len(posterior.draws)), inputs, seed.child(run))
        random = seed.child(run, "noise").numpy()
        for name, values in told.items():
            left = posterior.residuals[name]
            noisy = name in smooth and not posterior.random
            found[name].append(values + left[random.integers(0, len(left), rows)] if noisy else values)
    return {name: np.array(draws) for name, draws in found.items()}


def _smooth(real: Observed) -> set[str]:
    return {name for name, column in real.outputs.items() if len(np.unique(column)) > FEW_VALUES}
