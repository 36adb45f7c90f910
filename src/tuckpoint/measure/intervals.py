"""Intervals tested against known truths: DeLong, Wilson, Clopper-Pearson, Newcombe, and a difference's bootstrap.

Distances between samples are biased upwards, and resampling adds the bias again, so no interval here is a percentile
bootstrap of a distance: it is compared with the same distance of real data, and the interval is the difference's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

Z95 = 1.959963984540054
DRAWS = 60


@dataclass(frozen=True)
class Estimate:
    """A statistic of independent rows, or people, and the influence (n,) of each on it, with mean zero."""

    value: float
    influence: Array

    @property
    def se(self) -> float:
        """Standard error: the root mean square influence over root n."""
        return float(np.sqrt(np.mean(self.influence**2) / len(self.influence)))

    def minus(self, other: Estimate) -> Estimate:
        """The paired difference; both must come from the same rows."""
        return Estimate(self.value - other.value, self.influence - other.influence)

    def of_people(self, person: Array | None) -> Estimate:
        """The same with the influence of each person, whose rows (n,) hang together; None: each row is another's."""
        if person is None:
            return self
        who, whose = np.unique(person, return_inverse=True)
        return Estimate(self.value, np.bincount(whose, self.influence) * len(who) / len(self.influence))

    def interval(self) -> tuple[float, float]:
        """Normal 95 % interval."""
        return self.value - Z95 * self.se, self.value + Z95 * self.se


def mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several statistics of the same rows."""
    influence = np.mean([estimate.influence for estimate in estimates], axis=0)
    return Estimate(float(np.mean([estimate.value for estimate in estimates])), influence)


def average_ranks(values: Array) -> Array:
    """Ranks 1..n (n,), ties sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse.reshape(-1)]


def auc(score: Array, positive: Array) -> Estimate:
    """Area under the ROC curve with the influence of each row: score (n,), positive (n,) bool, two rows or more a side.

    The standard error is DeLong's (DeLong, DeLong, Clarke-Pearson 1988; ranks as in Sun and Xu 2014).
    """
    positive = np.asarray(positive, dtype=bool)
    n, m = len(positive), int(positive.sum())
    ranks = average_ranks(score)
    value = (ranks[positive].sum() - m * (m + 1) / 2) / (m * (n - m))
    influence = np.empty(n)
    beaten = (ranks[positive] - average_ranks(score[positive])) / (n - m)
    yielding = 1 - (ranks[~positive] - average_ranks(score[~positive])) / m
    influence[positive] = (beaten - value) * n / m * np.sqrt(m / (m - 1))
    influence[~positive] = (yielding - value) * n / (n - m) * np.sqrt((n - m) / (n - m - 1))
    return Estimate(float(value), influence)


def r2(predicted: Array, truth: Array) -> Estimate:
    """Explained share of variance with the influence of each row: predicted and truth (n,), truth not constant."""
    error, spread = (truth - predicted) ** 2, (truth - truth.mean()) ** 2
    ratio = error.mean() / spread.mean()
    return Estimate(float(1 - ratio), (ratio * spread - error) / spread.mean())


def wilson(count: float, n: float) -> tuple[float, float]:
    """Wilson 95 % interval of a share (Wilson 1927)."""
    share, z2 = count / n, Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (0.0 if count == 0 else float(centre - half)), (1.0 if count == n else float(centre + half))


def rate_at(positives: Array, negatives: Array, share: float) -> tuple[float, float, float]:
    """Share of positives over the score that so large a share of negatives exceeds, and its 95 % interval.

    The threshold is itself estimated: its variance, carried over by the slope of the ROC curve there (Hsieh and
    Turnbull 1996; from a third to one and a half times the share), is added, and Wilson's interval is that of as many
    rows as would vary as much.
    """
    m, n = len(positives), len(negatives)
    order = np.sort(negatives)[::-1]

    def over(rank: int) -> int:
        return int((positives > order[min(rank, n - 1)]).sum())

    at = max(round(share * (n + 1)) - 1, 0)  # a new negative exceeds the j-th highest with probability j / (n + 1)
    value = over(at) / m
    lower, upper = at // 3, 3 * at // 2 + 1
    slope = (over(upper) - over(lower) + 1) / m / ((upper - lower) / (n + 1))
    guess = (value * m + 2) / (m + 4)
    spread = guess * (1 - guess)
    alike = spread / (spread / m + slope**2 * share * (1 - share) / n)
    return value, *wilson(value * alike, alike)


def clopper_pearson(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share: never under its level (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, n - count + 1, tail))
    high = 1.0 if count == n else float(betaincinv(count + 1, n - count, 1 - tail))
    return low, high


def share_difference(count: float, n: float, base_count: float, base_n: float) -> tuple[float, float]:
    """95 % interval of the difference of two independent shares (Newcombe 1998, method 10)."""
    share, base = count / n, base_count / base_n
    (low, high), (base_low, base_high) = wilson(count, n), wilson(base_count, base_n)
    below = np.hypot(share - low, base_high - base)
    above = np.hypot(high - share, base - base_low)
    return float(share - base - below), float(share - base + above)


def paired_difference(gained: float, lost: float, n: int) -> tuple[float, float]:
    """95 % interval of (gained - lost) / n for n matched yes-no pairs (Agresti and Min 2005: half a pair a cell)."""
    gained, lost, n_all = gained + 0.5, lost + 0.5, n + 2
    centre = (gained - lost) / n_all
    half = Z95 * np.sqrt(max(gained + lost - (gained - lost) ** 2 / n_all, 0.0)) / n_all
    return float(centre - half), float(centre + half)


def resample(rows: int, seed: Seed, draws: int = DRAWS, *, person: Array | None = None) -> Array:
    """How often each row stands in each bootstrap draw: (rows, draws) float64, each column summing to rows.

    With `person` (rows,), whose each is, people are drawn with all their rows.
    """
    random = seed.numpy()
    if person is None:
        counts = [np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(draws)]
        return np.stack(counts, axis=1).astype(np.float64)
    who, whose = np.unique(person, return_inverse=True)
    people = [np.bincount(random.integers(0, len(who), len(who)), minlength=len(who))[whose] for _ in range(draws)]
    drawn = np.stack(people, axis=1).astype(np.float64)
    drawn *= rows / np.maximum(drawn.sum(axis=0), 1.0)
    return drawn


def counted(held: Array, person: Array | None) -> tuple[float, float]:
    """How many of how many rows (n,) bool hold something, as that many independent rows would tell as much.

    Where rows of one person hang together, of their share that is known as well as they know it.
    """
    share, rows = float(held.mean()), len(held)
    if person is None or not 0 < share < 1:
        people = rows if person is None else len(np.unique(person))
        return share * people, people
    told = Estimate(share, held - share).of_people(person)
    alike = min(share * (1 - share) / told.se**2, rows) if told.se > 0 else float(rows)
    return share * alike, alike


def around(difference: float, draws: Array) -> tuple[float, float]:
    """95 % interval of a difference from bootstrap draws (b,): plus and minus t standard errors, not percentiles."""
    from scipy.special import stdtrit

    half = float(stdtrit(len(draws) - 1, 0.975)) * float(np.std(draws, ddof=1))
    return difference - half, difference + half
