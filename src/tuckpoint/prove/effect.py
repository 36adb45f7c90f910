"""Paired effects with intervals that count both the choice of training rows and of test rows, and what they decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tuckpoint.table.engine import Array

State = Literal["helps", "no evidence", "equivalent", "hurts"]
Method = Literal["two-way", "corrected resampled t"]
LEVEL = 0.05
POWER = 2.8  # standard errors that are seen in 80 % of trials at 5 % two-sided: 1.96 + 0.84


@dataclass(frozen=True)
class Effect:
    """A mean paired gain (above 0: better) with its standard error, `df` degrees of freedom and how it was found.

    `training` and `testing` are the two variances that make up `se`: of the choice of training rows, and of test rows.
    """

    gain: float
    se: float
    df: int
    method: Method
    training: float = 0.0
    testing: float = 0.0

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Two-sided interval at 1 - level."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.df, 1 - level / 2)) * self.se
        return self.gain - half, self.gain + half

    @property
    def p(self) -> float:
        """Two-sided p value of no effect."""
        from scipy.special import stdtr

        if self.se == 0:
            return 1.0 if self.gain == 0 else 0.0
        return float(2 * stdtr(self.df, -abs(self.gain) / self.se))


def corrected(gains: Array, *, left_out: float, trained: float) -> Effect:
    """The corrected resampled t: gains (r,) of outer resamples, each tested on the rows it left out.

    Resamples share rows, so the variance of their mean is not s2 / r but s2 (1 / r + left_out / trained) (Nadeau and
    Bengio 2003).
    """
    r = len(gains)
    variance = float(np.var(gains, ddof=1)) * (1 / r + left_out / trained)
    return Effect(float(np.mean(gains)), variance**0.5, r - 1, "corrected resampled t", training=variance)


def two_way(gains: Array, influence: Array, clusters: Array, *, left_out: float, trained: float) -> Effect:
    """Gains (r,) of the resamples on the same locked rows, and each row's influence on their mean gain (n,).

    Variance = that over resamples, corrected since they overlap, plus that over test clusters (people).
    """
    r, n = len(gains), len(influence)
    training = float(np.var(gains, ddof=1)) * (1 / r + overlap(left_out=left_out, trained=trained))
    sums = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=influence)
    g = len(sums)
    testing = float((sums**2).sum()) / n**2 * g / max(g - 1, 1)
    return Effect(float(np.mean(gains)), (training + testing) ** 0.5, r - 1, "two-way", training, testing)


def overlap(*, left_out: float, trained: float) -> float:
    """What resamples that share training rows add to 1 / r of their variance, tested on the same rows.

    As in the corrected t, but no more than the share of all rows that each trains on: no mean over choices of m of N
    rows varies by more than m / N times one choice (Hoeffding 1948). It decides where few of many are chosen.
    """
    return min(left_out / trained, trained / (trained + left_out))


def hedged(effect: Effect, always: Effect, gains: Array, chosen: int, *, left_out: float, trained: float) -> Effect:
    """The effect of choosing made rows or none, with the doubt of the choice itself: other rows may choose otherwise.

    Where no resample chose made rows every gain is 0, and so is its spread, though the next table may choose them.
    `always` is the effect, and `gains` (r,) are those of the resamples, had made rows always been taken. Of as many
    independent resamples as the overlapping ones are worth, and two more, one of which chose, the share `q` that chose
    gives the variance q (s2 + m2) - (q m)2 of a gain. Neither variance falls below that.
    """
    r = len(gains)
    spread = 1 / r + (left_out / trained if effect.method != "two-way" else overlap(left_out=left_out, trained=trained))
    q = (chosen / r / spread + 1) / (1 / spread + 2)
    mean = float(gains.mean())
    variance = q * (float(np.var(gains, ddof=1)) + mean**2) - (q * mean) ** 2
    training, testing = max(effect.training, variance * spread), max(effect.testing, q**2 * always.testing)
    return replace(effect, se=(training + testing) ** 0.5, training=training, testing=testing)


def wider(effects: Sequence[Effect]) -> Effect:
    """The first effect, that on locked rows, with the largest standard error of all: what is shown and what decides.

    The others are measured on other rows, so that their own means would answer another question.
    """
    first, widest = effects[0], max(effects, key=lambda effect: effect.se)
    rest = max(widest.se**2 - first.testing, 0.0)
    return replace(first, se=widest.se, df=widest.df, method=widest.method, training=rest)


def holm(p: Sequence[float], level: float = LEVEL) -> list[float]:
    """The level at which each claim's interval is drawn, so that all hold together (Holm 1979).

    Sorted p values stand against level / m, level / (m - 1) ...; from the first that fails on, all are held to the
    strictest level not yet passed.
    """
    order = np.argsort(p, kind="stable")
    levels, m, failed = [0.0] * len(p), len(p), 0.0
    for place, at in enumerate(order):
        mine = level / (m - place)
        if not failed and p[at] > mine:
            failed = mine
        levels[at] = failed or mine
    return levels


def state(effect: Effect, margin: float, level: float = LEVEL) -> State:
    """What an effect says: equivalent if its 1 - 2 level interval lies within the margin (TOST, Schuirmann 1987),
    else helps or hurts if the 1 - level interval leaves out 0, else no evidence.
    """
    low, high = effect.interval(2 * level)
    if -margin < low and high < margin:
        return "equivalent"
    low, high = effect.interval(level)
    return "helps" if low > 0 else "hurts" if high < 0 else "no evidence"


def unharmed(effect: Effect, margin: float, level: float = LEVEL) -> bool:
    """Whether a loss as large as the margin is ruled out (the lower half of TOST)."""
    return effect.interval(2 * level)[0] > -margin


def detectable(effect: Effect) -> float:
    """The smallest gain that such a proof would see in 80 % of trials."""
    return POWER * effect.se


def rows_needed(effect: Effect, margin: float, rows: int) -> int | None:
    """Locked test rows with which a gain of `margin` would be seen in 80 % of trials; None if rows alone cannot do it.

    The part of the variance that test rows bring shrinks with their number; that of training rows stays.
    """
    room = (margin / POWER) ** 2 - effect.training
    return None if room <= 0 or not effect.testing else max(rows, round(effect.testing * rows / room))
