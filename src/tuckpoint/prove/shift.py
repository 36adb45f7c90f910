"""One constant per slice, added to a model's scores, until the mean outcome of the slice's rows is a published one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.table.engine import Array

# Standard deviations that either doubt has beforehand (logits, or residual spreads of a number): how far the drawn rows
# of a slice lie from its real ones, and how far its outcome is from that of like rows elsewhere. The second is the
# greater one, since slices in which a model is right are not filled.
DRAWN, APART = 1.0, 2.0
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
    scores: Array, outcome: Callable[[Array], Array], *, rate: float, real: float, doubt: float
) -> float:
    """How the rows (m,) that an engine drew of a slice are to be tilted along their scores: a row counts as
    exp(tilt * score).

    That drawn rows do not have the published mean can lie at two things: the outcome depends on the slice itself (a
    constant), or the engine drew other rows than the slice holds (the tilt). With few real rows nobody can tell. So the
    constant is taken to be within about 2 of none, and the mean score of the slice's rows within about 1 of the drawn
    ones' and within `doubt`, its standard error (infinite without any), of the mean `real` of real ones: of all tilts
    the likeliest is taken (normal errors).
    """
    from scipy.optimize import minimize_scalar

    spread, drawn = float(scores.std()), float(scores.mean())
    if spread < FLAT:
        return 0.0

    def unlikely(tilt: float) -> float:
        weights = tilted(scores, tilt)
        mean = float(weights @ scores)
        constant = _constant(scores, weights, rate, outcome)
        doubts = ((mean - real) / doubt, (mean - drawn) / DRAWN, constant / APART)
        return float(np.square(doubts).sum())

    most = LEAN / spread
    return float(minimize_scalar(unlikely, bounds=(-most, most), method="bounded").x)


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
