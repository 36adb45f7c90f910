"""One constant per slice, added to a model's scores, until the mean outcome of the slice's rows is a published one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.table.engine import Array

# Standard deviations beforehand (logits, or residual spreads of a number), measured on slices of three tables that were
# cut to ten rows: of the mean score of drawn rows, where no real ones are known; of how far a slice's outcome is from
# that of like rows elsewhere. And of drawn rows' mean beside the standard error of the real rows that the engine knew:
# times that, what it is off besides, and how the two errors go together.
DRAWN, APART = 1.0, 1.0
LEARNT, OFF, TOGETHER = 0.7, 0.2, 0.6
TILTS = 61  # that are looked at
FURTHEST = 30.0  # of a shift, in the same units
LEAN = 3.0  # of a tilt, per standard deviation of the scores
ROUNDS, CLOSE = 50, 1e-5
FLAT = 1e-9


@dataclass(frozen=True)
class Rows:
    """Rows that stand for one slice: their scores (m,), how much each counts (m,), in which slices it lies
    (m, slices), and the mean outcome that they are to have.

    Scores are logits, or numbers over their residual spread.
    """

    scores: Array
    weights: Array
    member: Array
    rate: float

    def mean(self, constants: Array, outcome: Callable[[Array], Array]) -> float:
        """The mean outcome with these constants (slices,) added."""
        weights = self.weights / self.weights.sum()
        return float(weights @ outcome(self.scores + self.member @ constants))


def constants(slices: Sequence[Rows], outcome: Callable[[Array], Array]) -> Array:
    """The constant (slices,) of each slice with which the mean outcome of its rows is the published one.

    `outcome` gives the expected outcome of scores, rising with them. Slices that overlap are taken in turn until none
    moves (as margins are raked). A rate that no constant reaches takes the furthest.
    """
    found = np.zeros(len(slices))
    for _ in range(ROUNDS):
        before = found.copy()
        for place, one in enumerate(slices):
            others = one.scores + one.member @ np.where(np.arange(len(slices)) == place, 0.0, found)
            found[place] = _constant(others, one.weights / one.weights.sum(), one.rate, outcome)
        if np.abs(found - before).max() < CLOSE:
            break
    return found


def likeliest_tilt(
    scores: Array, outcome: Callable[[Array], Array], *, rate: float, real: Array, misfit: Callable[[float], float]
) -> float:
    """How the rows (m,) that an engine drew of a slice are to be tilted along their scores: a row counts as
    exp(tilt * score).

    That drawn rows do not have the published mean can lie at two things: the outcome depends on the slice itself (a
    constant), or the engine drew other rows than the slice holds (the tilt). Three things tell them apart: the scores
    `real` (n,) of the slice's real rows, whose mean is combined with that of the drawn ones by what either is off; the
    outcomes of the real rows, `misfit` minus twice their log likelihood with a constant; and that constants are seldom
    beyond 1 or 2. The tilt is the one whose constant is the mean over all of them as they are likely.
    """
    spread = float(scores.std())
    if spread < FLAT:
        return 0.0
    tilts = np.linspace(-LEAN / spread, LEAN / spread, TILTS)
    weights = [tilted(scores, tilt) for tilt in tilts]
    means = np.array([its @ scores for its in weights])
    found = np.array([_constant(scores, its, rate, outcome) for its in weights])  # (tilts,), falling
    middle, doubt = located(scores, real)
    unlikely = ((means - middle) / doubt) ** 2 + (found / APART) ** 2 + np.array([misfit(one) for one in found])
    likely = np.exp(-(unlikely - unlikely.min()) / 2) * np.gradient(means)
    return float(np.interp(likely @ found / likely.sum(), found[::-1], tilts[::-1]))


def located(drawn: Array, real: Array) -> tuple[float, float]:
    """The mean score of a slice and its standard deviation, from drawn rows (m,) and real ones (n,) that they were
    learnt from: the best linear combination of two means whose errors go together.
    """
    if not len(real):
        return float(drawn.mean()), DRAWN
    # A few real rows may be alike by chance: they are taken to spread half as much as drawn ones at least.
    spread = max(float(real.std(ddof=1)) if len(real) > 1 else 0.0, float(drawn.std()) / 2, 1e-6)
    error = spread / len(real) ** 0.5
    its = (LEARNT**2 * error**2 + OFF**2) ** 0.5
    both = TOGETHER * error * its
    share = float(np.clip((its**2 - both) / (error**2 + its**2 - 2 * both), 0, 1))
    variance = share**2 * error**2 + (1 - share) ** 2 * its**2 + 2 * share * (1 - share) * both
    return share * float(real.mean()) + (1 - share) * float(drawn.mean()), min(variance**0.5, DRAWN)


def tilted(scores: Array, tilt: float) -> Array:
    """How much each row counts (m,), summing to 1, under exponential tilting along the scores."""
    lean = tilt * (scores - scores.max(initial=0.0) if tilt > 0 else scores - scores.min(initial=0.0))
    weights = np.exp(lean)
    return np.asarray(weights / weights.sum())


def _constant(scores: Array, weights: Array, rate: float, outcome: Callable[[Array], Array]) -> float:
    """The constant with which the weighted mean outcome is the rate; the furthest one if none is."""
    from scipy.optimize import brentq

    def over(constant: float) -> float:
        return float(weights @ outcome(scores + constant)) - rate

    if over(-FURTHEST) > 0:
        return -FURTHEST
    return FURTHEST if over(FURTHEST) < 0 else float(brentq(over, -FURTHEST, FURTHEST))


def systematic(shares: Array, rows: int, random: np.random.Generator) -> Array:
    """Places (rows,) drawn with these shares (n,), each as often as its share says but for one (Madow 1949)."""
    edges = np.cumsum(shares) / np.sum(shares)
    points = (np.arange(rows) + random.random()) / max(rows, 1)
    return np.minimum(np.searchsorted(edges, points, side="right"), len(shares) - 1)


def labels(chances: Array, strata: Array, random: np.random.Generator) -> Array:
    """True or not (n,) with these chances; among the rows of a stratum their number is the sum of the chances.

    A systematic draw in order of the chances, so that chance adds no noise to the mean or along the chances.
    """
    order = np.lexsort((random.random(len(chances)), chances, strata))
    edges = np.floor(np.cumsum(chances[order]) + random.random())
    drawn = np.empty(len(chances), bool)
    drawn[order] = np.diff(edges, prepend=0.0) > 0
    return drawn
