"""Exact integer noise for privacy, from the operating system's randomness only.

Nothing here takes a `Seed`: its root stands in every record, so noise made from it could be subtracted. Every law is
sampled in whole numbers (Canonne, Kamath, Steinke 2020, arXiv 2004.00010): no float takes part, so nothing is rounded.
The time a draw takes depends on the noise, never on the data it will be added to.
"""

from __future__ import annotations

import math
import secrets
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import PrivacyError

Integers = NDArray[Any]  # int64, or Python integers (dtype object) where int64 could overflow
Mask = NDArray[np.bool_]

_WORD = 2**62  # products stay below this in int64
_LEVELS = 48  # scores that are worse than exp(-48) are proposed together
_LIMIT = 2**40  # largest scale for which all steps of the Laplace law stay in int64


def discrete_gaussian(variance: Fraction | int, size: int) -> NDArray[np.int64]:
    """Draw `size` integers y with probability proportional to exp(-y^2 / (2 variance)), int64 (size,).

    Raises PrivacyError unless variance is a positive rational whose root is below 2**40.
    """
    variance = _rational("variance", variance)
    if variance >= _LIMIT**2:
        raise PrivacyError(
            f"noise variance {float(variance):.3g} is beyond 2**80; the budget is too small to mean anything"
        )
    return _filled(size, lambda count: _gaussian(variance, count))


def exponential_choice(scores: Sequence[int] | Integers, epsilon: Fraction, sensitivity: int) -> int:
    """Choose a position with probability proportional to exp(epsilon score / (2 sensitivity)), exactly.

    Scores are integers that one unit of privacy moves by at most `sensitivity`. Costs epsilon^2 / 8 of zCDP, being of
    bounded range. No weight is ever computed: with x the distance to the best score, positions of one whole part g of x
    are proposed together, with a power of two that bounds their number times 2^-g, and accepted with (2/e)^g and exp of
    what is left of x. Raises PrivacyError for no scores, a sensitivity below 1 or an epsilon that is no positive
    rational.
    """
    epsilon = _rational("epsilon", epsilon)
    whole = np.asarray(scores)
    if not whole.size or not (whole.dtype.kind in "iu" or all(value == int(value) for value in scores)):
        raise PrivacyError(f"selection needs at least one score and only whole ones; found {list(scores)[:5]}")
    if sensitivity < 1:
        raise PrivacyError(f"sensitivity {sensitivity} is not a positive whole number")
    per = 2 * sensitivity * epsilon.denominator
    lost = _lost(whole, epsilon.numerator, per)
    level = np.minimum(lost // per, _LEVELS).astype(np.int64)
    order = np.argsort(level, kind="stable")
    size = np.bincount(level)
    start = np.cumsum(size) - size
    found = np.flatnonzero(size)
    room = [int(size[g] - 1).bit_length() for g in found]
    edges = list(accumulate(1 << (bits + _LEVELS - int(g)) for bits, g in zip(room, found, strict=True)))
    while True:
        at = bisect_right(edges, secrets.randbelow(edges[-1]))
        g, among = int(found[at]), secrets.randbelow(1 << room[at])
        if among < size[g] and all(_two_over_e() for _ in range(g)):
            chosen = int(order[start[g] + among])
            if _bernoulli_exp(lost[chosen : chosen + 1] - g * per, per)[0]:
                return chosen


def shuffled(size: int) -> NDArray[np.int64]:
    """A uniformly random order of 0..size-1, int64 (size,)."""
    order = np.arange(size)
    while size > 1:
        keys = _words(size)
        order = np.argsort(keys, kind="stable")
        if len(np.unique(keys)) == size:  # a tie would favour the earlier row
            break
    return order


def uniform(below: int, size: int) -> NDArray[np.int64]:
    """Draw `size` integers uniformly from 0..below-1, int64 (size,)."""
    if not 0 < below <= _WORD:
        raise PrivacyError(f"cannot draw below {below}; use 1..2**62")
    top = np.uint64(2**64 - 1 - 2**64 % below)  # the largest word of a whole number of rounds
    out = _words(size)
    while (over := np.flatnonzero(out > top)).size:
        out[over] = _words(over.size)
    return (out % np.uint64(below)).astype(np.int64)


def _words(size: int) -> NDArray[np.uint64]:
    return np.frombuffer(secrets.token_bytes(8 * size), dtype=np.uint64).copy()


def _rational(name: str, value: Fraction | int) -> Fraction:
    if isinstance(value, bool) or not isinstance(value, Fraction | int) or value <= 0:
        raise PrivacyError(f"{name} {value!r} is not a positive rational; pass a Fraction")
    return Fraction(value)


def _filled(size: int, draw: Any) -> NDArray[np.int64]:
    """Join batches of independent draws of any length until there are `size`."""
    parts: list[NDArray[np.int64]] = []
    missing = size
    while missing > 0:
        part = draw(int(missing * 1.5) + 16)[:missing]
        parts.append(part)
        missing -= len(part)
    return np.concatenate([*parts, np.zeros(0, np.int64)]).astype(np.int64)


def _laplace(scale: int, count: int) -> NDArray[np.int64]:
    """As many draws as `count` proposals give of integers y with probability proportional to exp(-|y| / scale)."""
    low = uniform(scale, count)
    low = low[_bernoulli_exp_fraction(low, scale)]
    magnitude = low + scale * _successes(len(low))
    negative = uniform(2, len(low)).astype(bool)
    keep = ~(negative & (magnitude == 0))
    return np.asarray(np.where(negative, -magnitude, magnitude)[keep], dtype=np.int64)


def _gaussian(variance: Fraction, count: int) -> NDArray[np.int64]:
    """Discrete Laplace proposals, thinned to the discrete Gaussian law."""
    scale = _floor_sqrt(variance) + 1
    proposed = _laplace(scale, 2 * count)
    p, q = variance.numerator, variance.denominator
    reach = int(np.abs(proposed).max(initial=0)) * q * scale + p
    kind: Any = np.int64 if reach < 2**31 and 2 * p * q * scale**2 < _WORD else object
    off = np.abs(proposed).astype(kind) * (q * scale) - p
    return proposed[_bernoulli_exp(off * off, 2 * p * q * scale**2)]


def _floor_sqrt(value: Fraction) -> int:
    return math.isqrt(value.numerator // value.denominator)


def _bernoulli_exp(top: Integers, bottom: int) -> Mask:
    """True with probability exp(-top / bottom), for whole top >= 0."""
    whole = top // bottom
    rest = top - whole * bottom
    return np.asarray(_successes(len(top)) >= whole, dtype=bool) & _bernoulli_exp_fraction(rest, bottom)


def _successes(size: int) -> NDArray[np.int64]:
    """How many events of probability exp(-1) happen before the first that does not; P(>= g) = exp(-g)."""
    count = np.zeros(size, np.int64)
    alive = np.arange(size)
    while alive.size:
        alive = alive[_bernoulli_exp_fraction(np.ones(alive.size, np.int64), 1)]
        count[alive] += 1
    return count


def _bernoulli_exp_fraction(top: Integers, bottom: int) -> Mask:
    """True with probability exp(-top / bottom), for whole 0 <= top <= bottom."""
    happened = np.zeros(len(top), bool)
    alive = np.arange(len(top))
    step = 1
    while alive.size:
        # The step-th event has probability top / (bottom step): two independent ones in a row.
        goes_on = (uniform(step, alive.size) == 0) & _below(top[alive], bottom)
        happened[alive[~goes_on]] = step % 2 == 1
        alive = alive[goes_on]
        step += 1
    return happened


def _lost(scores: Integers, numerator: int, per: int) -> Integers:
    """How far each score is below the best, times the numerator: int64, or Python integers where these overflow."""
    best, worst = int(scores.max()), int(scores.min())
    room = max((best - worst) * numerator, per * (_LEVELS + 1), abs(best), abs(worst)) < _WORD
    if room:
        return (best - scores.astype(np.int64)) * numerator
    return np.array([(best - int(score)) * numerator for score in scores], dtype=object)


def _two_over_e() -> bool:
    """True with probability 2 / e = 1 - 1/3 + 1/12 - ..., the terms being 2 / k!."""
    step = 3
    while secrets.randbelow(step) == 0:
        step += 1
    return step % 2 == 1


def _below(top: Integers, bottom: int) -> Mask:
    """True with probability top / bottom."""
    if bottom == 1:
        return np.asarray(top >= 1, dtype=bool)
    if bottom <= _WORD:
        return np.asarray(uniform(bottom, len(top)) < top, dtype=bool)
    return np.array([secrets.randbelow(bottom) < int(value) for value in top], dtype=bool)
