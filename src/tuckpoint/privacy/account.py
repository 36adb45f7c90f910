"""What privacy costs: zero-concentrated differential privacy (zCDP) inside, (epsilon, delta) at the edge.

Floats err only upwards: what was spent is never shown too small, what may be spent never too large.
Source: Canonne, Kamath, Steinke 2020 (arXiv 2004.00010), Bun and Steinke 2016 (arXiv 1605.02065).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from tuckpoint.errors import PrivacyError

_UP = 1 + 1e-12  # more than all rounding errors of one conversion together


def positive(name: str, value: float | Fraction) -> float:
    """The value as a float, if it is a budget that can be counted: finite, normal and above zero.

    Raises PrivacyError for zero, negative, NaN, infinite and subnormal values: the last would vanish in sums.
    """
    number = float(value)
    if not math.isfinite(number) or number < sys.float_info.min:
        raise PrivacyError(f"{name} is {value!r}; a budget is a finite number above {sys.float_info.min:.3g}")
    return number


@lru_cache(maxsize=256)
def epsilon_of(rho: float | Fraction, delta: float) -> float:
    """The smallest epsilon at which rho-zCDP gives (epsilon, delta); never too small."""
    rho, delta = positive("rho", rho), _share(delta)

    def at(log_order: float) -> float:
        a = math.exp(log_order)  # order - 1
        gain = (-math.log(delta) - log_order - (1 + a) * math.log1p(1 / a)) / a
        return (1 + a) * rho + gain

    least = at(_lowest(at))
    return max(least, 0.0) * _UP + sys.float_info.min


@lru_cache(maxsize=256)
def rho_of(epsilon: float, delta: float) -> float:
    """The largest rho whose zCDP is within (epsilon, delta); never too large.

    Raises PrivacyError for budgets that are not positive, or too small to be counted.
    """
    epsilon, delta = positive("epsilon", epsilon), _share(delta)
    low, high = sys.float_info.min, epsilon + 1.0
    if epsilon_of(low, delta) > epsilon:
        raise PrivacyError(
            f"epsilon {epsilon!r} with delta {delta!r} leaves no budget that can be counted; raise epsilon"
        )
    for _ in range(200):
        middle = math.sqrt(low) * math.sqrt(high)
        if not low < middle < high:
            break
        low, high = (middle, high) if epsilon_of(middle, delta) <= epsilon else (low, middle)
    return low


def gaussian_cost(variance: Fraction, sensitivity: int = 1, tables: int = 1) -> Fraction:
    """The rho of `tables` tables with (discrete) Gaussian noise, when a unit moves each by `sensitivity` in L2."""
    return Fraction(tables * sensitivity**2) / (2 * variance)


def gaussian_variance(rho: Fraction, sensitivity: int = 1, tables: int = 1) -> Fraction:
    """The least variance, rounded up to a short rational, with which `gaussian_cost` is at most rho."""
    exact = Fraction(tables * sensitivity**2) / (2 * rho)
    # About 16 significant bits: a loss below 0.01 %, and the sampler's products stay small.
    grain = Fraction(2) ** (math.floor(math.log2(exact)) - 15)
    return math.ceil(exact / grain) * grain


def selection_cost(epsilon: Fraction, rounds: int = 1) -> Fraction:
    """The rho of `rounds` exponential mechanisms of this epsilon."""
    return rounds * epsilon**2 / 8


def selection_epsilon(rho: Fraction, rounds: int = 1) -> Fraction:
    """The largest epsilon, rounded down to a short rational, with which `selection_cost` is at most rho."""
    square = 8 * rho / rounds
    scale = 2 ** max(0, 16 - math.floor(math.log2(square) / 2))
    return Fraction(math.isqrt(math.floor(square * scale**2)), scale)


@dataclass
class Account:
    """A budget in rho and delta, and what was spent of it in exact rationals; it refuses what would pass the budget.

    `delta` is that of the whole release. Of it, `failure` may be spent on mechanisms that fail outright with some
    probability (a threshold on noisy counts); the rest turns rho into epsilon at the end. Together they are
    failure-approximate rho-zCDP (Bun and Steinke 2016, section 8). `epsilon` is what the budget was opened for.
    """

    rho: Fraction
    delta: float
    failure: float = 0.0
    epsilon: float = math.inf
    spent: dict[str, Fraction] = field(default_factory=dict)
    failed: dict[str, Fraction] = field(default_factory=dict)

    def __post_init__(self) -> None:
        positive("rho", self.rho)
        _share(self.delta)
        if not 0 <= self.failure < self.delta:
            raise PrivacyError(
                f"failure {self.failure!r} is no part of delta {self.delta!r}; give 0 or less than delta"
            )

    @classmethod
    def open(cls, epsilon: float, delta: float, *, failure: float = 0.0) -> Account:
        """The account of a release that promises (epsilon, delta), of which `failure` is set aside for thresholds.

        Raises PrivacyError for budgets that are not positive, too small to be counted, or a delta of 1 or more.
        """
        positive("epsilon", epsilon)
        _share(delta)
        conversion = _round_down(Fraction(delta) - Fraction(failure))
        return cls(Fraction(rho_of(epsilon, conversion)), delta, failure, epsilon)

    def spend(self, what: str, rho: Fraction = Fraction(0), delta: Fraction = Fraction(0)) -> None:
        """Enter a spend before the data are touched; raises PrivacyError if the budget does not hold it."""
        fits = self.total + rho <= self.rho and self.total_failure + delta <= Fraction(self.failure)
        if min(rho, delta) < 0 or rho + delta <= 0 or what in self.entries or not fits:
            raise PrivacyError(
                f"spend {what!r} of rho {float(rho):.6g} and delta {float(delta):.3g} is refused: "
                f"{float(self.left):.6g} and {float(self.left_failure):.3g} are left, one entry a name"
            )
        if rho:
            self.spent[what] = rho
        if delta:
            self.failed[what] = delta

    @property
    def entries(self) -> tuple[str, ...]:
        """The names of all spends."""
        return tuple(dict.fromkeys((*self.spent, *self.failed)))

    @property
    def total(self) -> Fraction:
        """The rho of all that was spent."""
        return sum(self.spent.values(), Fraction(0))

    @property
    def left(self) -> Fraction:
        """The rho that may still be spent."""
        return self.rho - self.total

    @property
    def total_failure(self) -> Fraction:
        """The delta of all that was spent outright."""
        return sum(self.failed.values(), Fraction(0))

    @property
    def left_failure(self) -> Fraction:
        """The delta that may still be spent outright."""
        return Fraction(self.failure) - self.total_failure

    def spent_epsilon(self) -> float:
        """The epsilon of all that was spent, at `delta`: one conversion, with the delta that no threshold took.

        Never above the epsilon that the account was opened for.
        """
        if not self.entries:
            return 0.0
        if not self.total:
            return sys.float_info.min
        conversion = _round_down(Fraction(self.delta) - self.total_failure)
        return min(epsilon_of(round_up(self.total), conversion), self.epsilon)


def round_up(value: Fraction) -> float:
    """The smallest float that is not below the value."""
    number = float(value)
    return number if Fraction(number) >= value else math.nextafter(number, math.inf)


def _round_down(value: Fraction) -> float:
    number = float(value)
    return number if Fraction(number) <= value else math.nextafter(number, -math.inf)


def _share(delta: float) -> float:
    if not positive("delta", delta) < 1:
        raise PrivacyError(f"delta is {delta!r}; it is a probability of failure, well below 1 / (number of people)")
    return float(delta)


def _lowest(at: Callable[[float], float]) -> float:
    """Where a function of log(order - 1) with one valley is lowest; any answer is valid, the best is tight."""
    low, high = -80.0, 400.0
    grid = [low + (high - low) * step / 240 for step in range(241)]
    centre = min(range(241), key=lambda step: at(grid[step]) if math.isfinite(at(grid[step])) else math.inf)
    low, high = grid[max(centre - 1, 0)], grid[min(centre + 1, 240)]
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if at(left) <= at(right) else (left, high)
    return (low + high) / 2
