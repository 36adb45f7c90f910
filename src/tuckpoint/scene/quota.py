"""Quotas: knobs that are balanced jointly, by construction; scene k gets its cell from k alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from math import lcm
from typing import Any

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.seed import Seed

MOST_CELLS = 10_000
FINEST = 1000  # the denominator to which shares are rounded


@dataclass(frozen=True)
class Quota:
    """Values, or ways to draw them, of some knobs: every combination is a cell, and gets its share of the scenes.

    `knobs` maps knob paths to their values; `shares` maps some of these to a weight for each value (none: all alike).
    """

    knobs: Mapping[str, Sequence[Any]]
    shares: Mapping[str, Sequence[float]]

    @cached_property
    def cells(self) -> tuple[dict[str, Any], ...]:
        """Every combination, as values by knob path."""
        return tuple(dict(zip(self.knobs, values, strict=True)) for values in product(*self.knobs.values()))

    @cached_property
    def weights(self) -> tuple[int, ...]:
        """How many scenes of a block each cell gets."""
        each = []
        for name, values in self.knobs.items():
            given = [Fraction(weight).limit_denominator(FINEST) for weight in self.shares.get(name, [1] * len(values))]
            each.append([weight / sum(given) for weight in given])
        shares = [_product(combination) for combination in product(*each)]
        block = lcm(*(share.denominator for share in shares))
        return tuple(int(share * block) for share in shares)


def quota_of(told: Any, where: str) -> Quota:
    """The quota that a specification tells; raises InputError for one that cannot be met."""
    if not isinstance(told, Mapping) or not isinstance(told.get("knobs"), Mapping) or not told["knobs"]:
        raise InputError(f"{where} is {told!r}; give {{knobs: {{PATH: [values]}}, shares: {{PATH: [weights]}}}}")
    for entry in told:
        if entry not in ("knobs", "shares"):
            raise InputError(f'{where} has no entry "{entry}"{did_you_mean(str(entry), ("knobs", "shares"))}')
    cells = 1
    for name, values in told["knobs"].items():
        if not isinstance(values, list | tuple) or not values:
            raise InputError(f"{where}: {name} has {values!r}; give a list of values, or of ways to draw them")
        cells *= len(values)
    if cells > MOST_CELLS:
        raise InputError(f"{where} has {cells:,} cells, more than {MOST_CELLS:,}; balance fewer knobs or values")
    shares = told.get("shares", {})
    for name, weights in shares.items():
        count = len(told["knobs"].get(name, ()))
        fit = isinstance(weights, list | tuple) and len(weights) == count and count > 0
        if not fit or not all(isinstance(w, int | float) and w >= 0 for w in weights) or not sum(weights) > 0:
            raise InputError(f"{where}: the shares of {name} are {weights!r}; give {count} numbers from 0, not all 0")
    quota = Quota(dict(sorted(told["knobs"].items())), dict(shares))  # no order of a mapping counts
    if sum(quota.weights) > MOST_CELLS:
        raise InputError(f"{where}: the shares need {sum(quota.weights):,} scenes to come out; give rounder ones")
    return quota


def cell(quota: Quota, number: int, seed: Seed, index: int) -> int:
    """The cell of scene `index` in quota `number`: after any number of scenes none is a whole scene off its share."""
    order = _order(quota.weights)
    block, place = divmod(index, len(order))
    turn = seed.child("quota", number, block).numpy().permutation(len(quota.weights))
    if len(set(quota.weights)) == 1:  # equal shares: another order in each block, so that no pattern is left
        return int(turn[place])
    return order[place]


@lru_cache(maxsize=64)
def _order(weights: tuple[int, ...]) -> tuple[int, ...]:
    """A block in which each cell comes as often as its weight, evenly spread: earliest deadline first among those that
    lag (the quota method; Tijdeman 1980)."""
    total, given, order = sum(weights), [0] * len(weights), []
    for step in range(total):
        ready = [k for k, weight in enumerate(weights) if given[k] * total < weight * (step + 1)]
        first = min(ready, key=lambda k: (-(-(given[k] + 1) * total // weights[k]), k))  # by when it must have come
        given[first] += 1
        order.append(first)
    return tuple(order)


def _product(shares: Sequence[Fraction]) -> Fraction:
    whole = Fraction(1)
    for share in shares:
        whole *= share
    return whole
