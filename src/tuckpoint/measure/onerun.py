"""The certified lower bound on epsilon from one release: each person was in the data or out of it by chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp

import numpy as np

from tuckpoint.measure.exchange import tail
from tuckpoint.measure.limits import AUDIT
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

GRID = (10, 20, 50, 100, 200, 500, 1000)
VARIANTS = ("members", "members and outsiders")
BOUNDS = 8  # for how many bounds an audit has room: the level is shared among so many, however many are asked for
LEVEL = AUDIT.level / BOUNDS
HIGHEST = 50.0  # where a search for epsilon ends; no number of guesses that a table can hold proves as much


@dataclass(frozen=True)
class Guesses:
    """The surest guesses of an attacker: `guesses` in all, `right` of them right; `p` is exact if nothing leaks.

    `epsilon` is the privacy loss that they prove. Both are paid for all sizes and variants that were tried.
    """

    guesses: int
    right: int
    variant: str
    p: float
    epsilon: float


def best_guesses(
    scores: Array, member: Array, *, delta: float = 0.0, seed: Seed, level: float = LEVEL, grid: Sequence[int] = GRID
) -> Guesses:
    """The best of all sizes k of the grid: the k highest `scores` (m,) are guessed to be members, and in a second
    variant the k lowest to be none; `member` (m,) bool tells who was. Ties are broken by chance.

    The bound is Theorem 5.2 of Steinke, Nasr and Jagielski 2023 (arXiv 2305.08846), paid for by Bonferroni over grid
    and variants. It holds if each person was put into the data by a coin of their own and the scores do not
    know the sides. The p-value holds for any split by chance: it counts members among the k drawn from all m.
    Sizes beyond m / 2 are left out, unless all are: then it is m / 2.
    """
    found = guesses(scores, member, seed=seed, grid=grid)
    alpha = level / len(found)
    proved = max(bound(one.right, one.guesses, m=len(scores), delta=delta, alpha=alpha) for one in found)
    return replace(min(found, key=lambda one: one.p), epsilon=proved)


def guesses(scores: Array, member: Array, *, seed: Seed, grid: Sequence[int] = GRID) -> list[Guesses]:
    """Every size and variant of `best_guesses`, the p-values paid for all, without the bounds."""
    m, members = len(scores), int(member.sum())
    order = np.lexsort((seed.numpy().random(m), -np.asarray(scores)))
    sizes = [k for k in grid if k <= m // 2] or [m // 2]
    found = []
    for k in sizes:
        top, bottom = int(member[order[:k]].sum()), int(member[order[m - k :]].sum())
        chances = tail(top, m, members, k), _chance_both(top - bottom, m, members, k)
        for variant, right, all_, p in zip(VARIANTS, (top, top + k - bottom), (k, 2 * k), chances, strict=True):
            found.append(Guesses(all_, right, variant, min(1.0, 2 * len(sizes) * p), 0.0))
    return found


def bound(right: int, guesses: int, *, m: int, delta: float, alpha: float) -> float:
    """The largest epsilon under which so many right guesses on m people have a chance under alpha; 0 if there is none.

    Steinke, Nasr and Jagielski 2023, Theorem 5.2: under (epsilon, delta) that chance is at most P[B >= v] + 2 m delta
    max over i = 1..v of P[v - i <= B <= v - 1] / i, with B binomial of the guesses and e^epsilon / (1 + e^epsilon).
    """
    if guesses == 0 or _fit(0.0, right, guesses, m, delta) >= alpha:
        return 0.0
    low, high = 0.0, HIGHEST
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _fit(middle, right, guesses, m, delta) < alpha else (low, middle)
    return low


def _fit(epsilon: float, right: int, guesses: int, m: int, delta: float) -> float:
    from scipy.stats import binom

    q = 1 / (1 + exp(-epsilon))
    chance = float(binom.sf(right - 1, guesses, q))
    if delta == 0 or right == 0:
        return chance
    below = np.cumsum(binom.pmf(np.arange(right - 1, -1, -1), guesses, q))  # P[v - i <= B <= v - 1] for i = 1..v
    return chance + 2 * m * delta * float((below / np.arange(1, right + 1)).max())


def _chance_both(surplus: int, m: int, members: int, k: int) -> float:
    """How likely k people drawn by chance hold so many more members than k others."""
    from scipy.stats import hypergeom

    if not k:
        return 1.0
    top = np.arange(max(surplus, 0, k - (m - members)), min(k, members) + 1)
    rest = hypergeom.cdf(top - surplus, m - k, members - top, k)
    return float(min(1.0, (hypergeom.pmf(top, m, members, k) * rest).sum()))
