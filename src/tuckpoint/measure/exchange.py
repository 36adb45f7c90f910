"""Exact comparison of people who were in the data with people who were not: without a leak they could be exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuckpoint.measure.finding import Sides
from tuckpoint.measure.intervals import clopper_pearson, share_difference
from tuckpoint.score import Score
from tuckpoint.table.engine import Array, Encoded

OUTSIDERS = "the same attack on as many people who were not in the data"


@dataclass(frozen=True)
class Hits:
    """On how many of so many members an attack succeeds, and on how many of so many outsiders."""

    members: int
    of_members: int
    outsiders: int
    of_outsiders: int

    @classmethod
    def of(cls, hit: Array, member: Array) -> Hits:
        """From hit (n,) bool and member (n,) bool."""
        inside, outside = hit[member], hit[~member]
        return cls(int(inside.sum()), len(inside), int(outside.sum()), len(outside))

    @property
    def p(self) -> float:
        """One-sided p-value of "members fare no worse": given all hits, who was a member is by chance (Fisher 1935)."""
        return tail(self.members, self.of_members + self.of_outsiders, self.of_members, self.members + self.outsiders)

    @property
    def excess(self) -> tuple[float, float, float]:
        """How much larger the share of members is, with its 95 % interval (Newcombe 1998)."""
        low, high = share_difference(self.members, self.of_members, self.outsiders, self.of_outsiders)
        return self.members / self.of_members - self.outsiders / self.of_outsiders, low, high


def tail(count: int, people: int, members: int, drawn: int) -> float:
    """The chance that `drawn` of so many people hold `count` members or more (hypergeometric)."""
    from scipy.special import gammaln

    most = min(members, drawn)
    if count <= max(0, drawn - (people - members)):
        return 1.0
    k = np.arange(count, most + 1, dtype=np.float64)

    def choose(n: Array | float, r: Array | float) -> Array:
        return np.asarray(gammaln(n + 1.0) - gammaln(r + 1.0) - gammaln(n - r + 1.0))

    log = choose(float(members), k) + choose(float(people - members), drawn - k) - choose(float(people), float(drawn))
    return min(float(np.exp(log).sum()), 1.0)


def crowd(sides: Sides) -> tuple[Encoded, Array]:
    """Members, then outsiders, as one table, and which of its rows are members (n,) bool.

    What is fitted for an attack is fitted on this: it must not know who is who.
    """
    first, second = sides.members, sides.outsiders
    columns = {name: np.concatenate([first.columns[name], second.columns[name]]) for name in first.columns}
    return Encoded(first.fields, columns), np.repeat([True, False], [first.rows, second.rows])


def excess_score(
    name: str,
    hits: Hits,
    *,
    limit: float,
    advice: str,
    subject: tuple[str, ...] = (),
    detail: Mapping[str, Any] | None = None,
) -> Score:
    """As `beside`; it passes if the excess over outsiders is surely below `limit`."""
    passed = hits.excess[2] <= limit
    told = {"limit": limit, **(detail or {})}
    return beside(name, hits, subject=subject, passed=passed, advice="" if passed else advice, detail=told)


def beside(
    name: str,
    hits: Hits,
    *,
    reference_is: str = OUTSIDERS,
    subject: tuple[str, ...] = (),
    passed: bool | None = None,
    advice: str = "",
    detail: Mapping[str, Any] | None = None,
) -> Score:
    """An attack's success on members beside that on outsiders.

    The interval is the success's own (Clopper-Pearson), that of the excess stands in the detail.
    """
    value, base = hits.members / hits.of_members, hits.outsiders / hits.of_outsiders
    difference, low, high = hits.excess
    return Score(
        name, value, *clopper_pearson(hits.members, hits.of_members), hits.of_members, "lower", base, reference_is,
        subject, passed, advice=advice,
        detail={
            "count": hits.members, "count_outsiders": hits.outsiders, "of_outsiders": hits.of_outsiders,
            "difference": difference, "difference_low": low, "difference_high": high, "interval_of": "value",
            **(detail or {}),
        },
    )  # fmt: skip
