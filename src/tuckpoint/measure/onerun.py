"""The certified lower bound on epsilon from one release: each person was in the data or out of it by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

import numpy as np

from tuckpoint.measure.limits import AUDIT
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

GRID = (10, 20, 50, 100, 200, 500, 1000)
SINGLE = 100  # as many guesses are about single people: they know no margin
MEMBERS, BOTH = "members", "members and outsiders"
BOUNDS = 8  # for how many bounds an audit has room: the level is shared among so many, however many are asked for
LEVEL = AUDIT.level / BOUNDS
PRECISE = 1e-5


@dataclass(frozen=True)
class Guesses:
    """The surest guesses of an attacker: `guesses` in all, `right` of them right.

    `p` is how likely so many are right if nothing leaks, `epsilon` the privacy loss that guesses prove at least; both
    are paid for all sizes and variants that were tried.
    """

    guesses: int
    right: int
    variant: str
    p: float
    epsilon: float


def best_guesses(
    scores: Array,
    member: Array,
    *,
    delta: float = 0.0,
    seed: Seed,
    level: float = LEVEL,
    free: float = 0.0,
    grid: Sequence[int] = GRID,
) -> Guesses:
    """The best of all sizes k of the grid: the k highest `scores` (m,) are guessed to be members, and in a second
    variant also the k lowest to be none; `member` (m,) bool tells who was. Ties are broken by chance.

    The bound is Theorem 5.2 of Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846), paid for by Bonferroni over grid
    and variants. It holds if each person was put into the data by a coin of their own and the scores do not know the
    sides. The p-value is that of the first variant, under no loss for up to 100 guesses, which are about single people,
    and of more under a loss of at most `free`. Sizes beyond m / 2 are left out, unless all are: then it is m / 2.
    """
    m, order = len(scores), surest(scores, seed)
    tried = sizes(m, grid)
    found = []
    for k in tried:
        top, bottom = int(member[order[:k]].sum()), int(member[order[m - k :]].sum())
        p = min(1.0, len(tried) * likely(free if k > SINGLE else 0.0, top, k, m, 0.0))
        for variant, right, count in ((MEMBERS, top, k), (BOTH, top + k - bottom, 2 * k)):
            epsilon = bound(right, count, m=m, delta=delta, alpha=level / 2 / len(tried))
            found.append(Guesses(count, right, variant, p, epsilon))
    told = max(found, key=lambda one: (one.epsilon, -one.p, one.variant == MEMBERS))
    return replace(told, p=min(one.p for one in found))


def chance(scores: Array, member: Array, *, seed: Seed, free: float = 0.0, grid: Sequence[int] = GRID) -> float:
    """The p-value of `best_guesses` alone."""
    m, order = len(scores), surest(scores, seed)
    tried = sizes(m, grid)
    tops = [(free if k > SINGLE else 0.0, int(member[order[:k]].sum()), k) for k in tried]
    return min(1.0, *(len(tried) * likely(*top, m, 0.0) for top in tops))


def surest(scores: Array, seed: Seed) -> Array:
    """Places (m,) by falling score, ties in an order of chance."""
    return np.lexsort((seed.numpy().random(len(scores)), -np.asarray(scores)))


def sizes(m: int, grid: Sequence[int]) -> list[int]:
    """How many guesses are tried on m people."""
    return [k for k in grid if k <= m // 2] or [m // 2]


def bound(right: int, guesses: int, *, m: int, delta: float, alpha: float) -> float:
    """The largest epsilon under which so many right guesses on m people have a chance under alpha; 0 if there is none.

    Steinke, Nasr and Jagielski 2023, Theorem 5.2: under (epsilon, delta) that chance is at most P[B >= v] + 2 m delta
    max over i = 1..v of P[v - i <= B <= v - 1] / i, with B binomial of the guesses and e^epsilon / (1 + e^epsilon).
    """
    from scipy.special import betaincinv

    if right == 0 or likely(0.0, right, guesses, m, delta) >= alpha:
        return 0.0
    share = float(betaincinv(right, guesses - right + 1, alpha))  # of right guesses, the least that delta = 0 allows
    low, high = 0.0, log(share / (1 - share))
    if delta == 0:
        return high
    while high - low > PRECISE:
        middle = (low + high) / 2
        low, high = (middle, high) if likely(middle, right, guesses, m, delta) < alpha else (low, middle)
    return low


def likely(epsilon: float, right: int, guesses: int, m: int, delta: float) -> float:
    """How likely, at most, so many of the guesses on m people are right under (epsilon, delta); see `bound`."""
    from scipy.special import betainc

    q = 1 / (1 + exp(-epsilon))
    surely = float(betainc(right, guesses - right + 1, q)) if right else 1.0  # P[B >= right]
    if delta == 0 or right == 0:
        return surely
    from scipy.stats import binom

    below = np.cumsum(binom.pmf(np.arange(right - 1, -1, -1), guesses, q))  # P[v - i <= B <= v - 1] for i = 1..v
    return surely + 2 * m * delta * float((below / np.arange(1, right + 1)).max())
