"""Calibrate a simulator to real rows: draws of its parameters that fit them, and which parameters stay open."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table.engine import Array

Calibrator = Literal["auto", "least_squares", "abc", "sbi"]
MOST_ROWS = 2000  # real rows that a simulator is calibrated to, drawn from all
FEW_VALUES = 5  # of an output: so few are discrete
OPEN = 0.5  # of the prior's standard deviation: draws that spread as far were settled by the prior, not by data
END = 0.01  # share of a prior's mass at its ends
ROUNDS, TRIES = 30, 8  # of descending: steps, and dampings a step
STEP, STILL = 1e-4, 1e-6  # in shares of the prior: a finite difference, and a step that is none


@dataclass(frozen=True)
class Calibration:
    """How to calibrate: `draws` of the posterior, `starts` of least squares, `simulations` of ABC and of sbi.

    `auto` is least squares for a simulator that gives the same for every seed, and numbers; else ABC.
    """

    calibrator: Calibrator = "auto"
    draws: int = 60
    starts: int = 8
    simulations: int = 4000

    def __post_init__(self) -> None:
        for name, least in (("draws", 2), ("starts", 1), ("simulations", 400)):
            if getattr(self, name) < least:
                raise InputError(f"calibration: {name} is {getattr(self, name)}; give {least} or more")


@dataclass(frozen=True)
class Posterior:
    """Draws (k, p) of the parameters `names`, in their units, and the draw `best` (p,) that fits best or lies midmost.

    `residuals` (n,) by output are real less simulated, scaled for the parameters that were fitted to them; `random`
    says that the simulator draws itself, so that its outputs need no residuals to vary.
    """

    names: tuple[str, ...]
    draws: Array
    best: Array
    method: str
    random: bool
    residuals: Mapping[str, Array]

    def at(self, draw: int | None = None) -> dict[str, float]:
        """The parameters of a draw, or the best ones."""
        values = self.best if draw is None else self.draws[draw]
        return dict(zip(self.names, map(float, values), strict=True))

    def interval(self, name: str, level: float = 0.9) -> tuple[float, float, float]:
        """Median and ends of the central interval of a parameter."""
        low, mid, high = np.quantile(self.draws[:, self.names.index(name)], [(1 - level) / 2, 0.5, (1 + level) / 2])
        return float(mid), float(low), float(high)


def calibrate(simulator: Simulator, real: Observed, seed: Seed, how: Calibration, *, spread: bool = True) -> Posterior:
    """The posterior of the parameters given real rows; of more than 2,000 rows as many are drawn.

    Without `spread` least squares gives its best fit alone.
    Raises MissingExtra for sbi without it, and what the simulator itself raises.
    """
    from tuckpoint.simulate import neural, smc

    every = real
    if real.size > MOST_ROWS:
        real = real.take(np.sort(seed.child("rows").numpy().permutation(real.size)[:MOST_ROWS]))
    names = tuple(simulator.parameters)
    random = draws_itself(simulator, real, seed.child("look"))
    method = how.calibrator if how.calibrator != "auto" else _chosen(real, random)
    if not names:
        shares = np.zeros((1, 0))
    elif method == "least_squares":
        shares = least_squares(simulator, real, seed.child("fit"), draws=how.draws if spread else 0, starts=how.starts)
    elif method == "abc":
        shares = smc.abc(simulator, real, seed.child("fit"), how=how, random=random)
    else:
        shares = neural.npe(simulator, real, seed.child("fit"), how=how, random=random)
    # The first row is the best; of weighted draws the one nearest their median.
    values = np.column_stack([simulator.parameters[name].at(shares[:, j]) for j, name in enumerate(names)] or [shares])
    found = Posterior(names, values[1:] if len(values) > 1 else values, values[0], method, random, {})
    told = mean(simulator, found, every.inputs, seed.child("residuals"))
    spent = np.sqrt(real.size / max(real.size - len(names), 1))
    residuals = {name: (column - told[name]) * spent for name, column in every.outputs.items()}
    return Posterior(names, found.draws, found.best, method, random, residuals)


def draws_itself(simulator: Simulator, real: Observed, seed: Seed) -> bool:
    """Whether the simulator gives other outputs for another seed."""
    few = {name: column[:50] for name, column in real.inputs.items()}
    middle = {name: float(prior.at(0.5)) for name, prior in simulator.parameters.items()}
    first, second = (simulator.run(middle, few, seed.child(at), tried=True) for at in range(2))
    return any((first[name] != second[name]).any() for name in first)


def mean(simulator: Simulator, posterior: Posterior, inputs: Mapping[str, Array], seed: Seed) -> dict[str, Array]:
    """The expected outputs (n,) by name at the best parameters, or over up to 30 draws of a simulator that draws."""
    if not posterior.random:
        return simulator.run(posterior.at(), inputs, seed)
    runs = min(30, max(len(posterior.draws), 10))
    told = [simulator.run(posterior.at(k % len(posterior.draws)), inputs, seed.child(k)) for k in range(runs)]
    return {name: np.mean([one[name] for one in told], axis=0) for name in simulator.outputs}


def open_parameters(simulator: Simulator, posterior: Posterior) -> dict[str, str]:
    """The parameters that the real rows do not settle, each with why."""
    found = {}
    for j, name in enumerate(posterior.names):
        prior = simulator.parameters[name]
        shares = prior.share(posterior.draws[:, j])
        if shares.std() > OPEN / np.sqrt(12):
            found[name] = "the real rows do not settle it: what was drawn spreads over its prior"
        elif np.mean((shares < END) | (shares > 1 - END)) > 0.5:
            end = prior.low if np.median(shares) < 0.5 else prior.high
            found[name] = (
                f"it presses against the end of its prior, {end:g} {prior.unit}".rstrip() + "; widen the prior"
            )
    return found


def least_squares(simulator: Simulator, real: Observed, seed: Seed, *, draws: int, starts: int) -> Array:
    """Shares (1 + draws, p) of the priors: the best of several starts, and fits to rows drawn anew, group by group.

    Starts that fit as well as the best, within half a unit of log likelihood, are where the bootstrap starts from in
    turn: a direction that the rows do not settle shows as spread instead of staying where one start left it.
    """
    names = tuple(simulator.parameters)
    scale = {name: float(column.std()) or 1.0 for name, column in real.outputs.items()}
    fixed = seed.child("simulate")

    def residual(at: Array) -> Array:
        given = {name: float(simulator.parameters[name].at(share)) for name, share in zip(names, at, strict=True)}
        told = simulator.run(given, real.inputs, fixed, tried=True)
        return np.concatenate([(told[name] - column) / scale[name] for name, column in real.outputs.items()])

    random = seed.child("starts").numpy()
    begun = [np.full(len(names), 0.5), *random.random((starts - 1, len(names)))]
    ends = sorted((_descended(residual, start) for start in begun), key=lambda end: end[1])
    best, loss = ends[0]
    limit = loss * (1 + 0.5 / real.size) + 1e-12
    equal = [end for end, its in ends if its <= limit]
    kinds, place = np.unique(real.groups, return_inverse=True)
    found = [best]
    for draw in range(draws):
        drawn = seed.child("bootstrap", draw).numpy().integers(0, len(kinds), len(kinds))
        counts = np.bincount(drawn, minlength=len(kinds))[place]
        root = np.tile(np.sqrt(counts), len(real.outputs))
        found.append(_descended(partial(_weighed, residual, root), equal[draw % len(equal)])[0])
    return np.array(found)


def _weighed(residual: Callable[[Array], Array], root: Array, at: Array) -> Array:
    return np.asarray(root * residual(at))


def _descended(residual: Callable[[Array], Array], start: Array) -> tuple[Array, float]:
    """Where damped least squares (Levenberg 1944, Marquardt 1963) ends within 0..1, and the loss there."""
    at, off = start, residual(start)
    loss, damping = float(off @ off), 1e-2
    for _ in range(ROUNDS):
        slope = np.empty((len(off), len(at)))
        for j in range(len(at)):
            moved = at.copy()
            moved[j] += STEP if at[j] < 0.5 else -STEP
            slope[:, j] = (residual(moved) - off) / (moved[j] - at[j])
        downhill, curve = slope.T @ off, slope.T @ slope
        before = loss
        for _ in range(TRIES):
            free = ~(((at <= 0) & (downhill > 0)) | ((at >= 1) & (downhill < 0)))
            if not free.any():
                return at, loss
            part = curve[np.ix_(free, free)]
            held = part + damping * np.diag(np.diag(part)) + 1e-12 * np.eye(len(part))
            new = at.copy()
            new[free] = np.clip(at[free] - np.linalg.solve(held, downhill[free]), 0, 1)
            if np.abs(new - at).max() < STILL:
                return at, loss
            tried = residual(new)
            if (now := float(tried @ tried)) < loss:
                at, off, loss, damping = new, tried, now, damping / 3
                break
            damping *= 4
        if before - loss <= 1e-7 * before:
            break
    return at, loss


def _chosen(real: Observed, random: bool) -> Calibrator:
    few = any(len(np.unique(column)) <= FEW_VALUES for column in real.outputs.values())
    return "abc" if random or few else "least_squares"
