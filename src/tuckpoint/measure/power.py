"""How few copied rows an audit would have seen: what its silence is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.measure.attacks.copies import keys, surprise
from tuckpoint.measure.attacks.density import ratio
from tuckpoint.measure.exchange import Hits, crowd
from tuckpoint.measure.finding import Power, Sides
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.nearness import Nearness
from tuckpoint.measure.onerun import chance
from tuckpoint.measure.people import alone, found_again, hits_among, holders
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

DRAWS = 4_000


@dataclass(frozen=True)
class Known:
    """What all trials share: how many rows were in the data, whom made rows repeat among all people, and of those
    compared row by row (2n) whose row is their own, whose stands in the made table, how rare it is, and distances.
    """

    members: int
    hits: Hits
    own: Array
    there: Array
    rarity: Array
    near: Nearness


def power(
    sides: Sides,
    near: Nearness,
    seed: Seed,
    *,
    counts: Sequence[int],
    trials: int,
    copies_level: float,
    level: float,
) -> tuple[Power, ...]:
    """In how many trials rows of so many people, added to the made table, are found by attacks on single rows.

    In each trial sides are dealt anew, so that a leak of the file itself finds nothing, and the rows of as many people
    of one side are copied. They are found if exact or rare copies have a p-value under `copies_level`, or the surest
    guesses by density (nearest and fifth neighbour) one under `level`: what Holm's correction allots each at first, so
    the power is rather higher than told, and 0 for an attack that was not made. That a copy may also lie nearest to
    somebody else is neglected. Counts end where all trials found them.
    """
    known = _known(sides, near)
    found = []
    for count in counts:
        if count > known.members:
            break
        seen = sum(_caught(known, count, seed.child(count, i), copies_level, level) for i in range(trials))
        found.append(Power(count, seen, trials))
        if seen == trials:
            break
    return tuple(found)


def _known(sides: Sides, near: Nearness) -> Known:
    person, member = holders(sides)
    real, held, made = keys([sides.train, sides.holdout, sides.made])
    hits = hits_among(*found_again(np.concatenate([real, held]), made, person, len(member)), member)
    people, _ = crowd(sides)
    row, fake = keys([people, sides.made])
    own = alone(row, np.arange(len(row)))
    return Known(int(member.sum()), hits, own, own & np.isin(row, fake), near.others.mean(axis=1) ** 2, near)


def _caught(known: Known, count: int, seed: Seed, copies_level: float, level: float) -> bool:
    random = seed.numpy()
    if _again(known, count, random) < copies_level:
        return True
    both = len(known.own)
    inside = np.zeros(both, dtype=bool)
    inside[random.permutation(both)[: both // 2]] = True
    compared = random.hypergeometric(both // 2, known.members - both // 2, count)
    copied = random.permutation(np.flatnonzero(inside))[:compared]
    hit = known.there.copy()
    hit[copied] = known.own[copied]
    if surprise(known.rarity[hit], inside[hit], seed.child("coins"), draws=DRAWS) < copies_level:
        return True
    return any(
        chance(_ratios(known, copied, k), inside, seed=seed.child("ties", k), free=AUDIT.negligible) < level
        for k in (0, known.near.others.shape[1] - 1)
    )


def _again(known: Known, count: int, random: np.random.Generator) -> float:
    """The p-value of exact copies among all people, of whom innocent rows would hit members as often as others."""
    hits = known.hits
    if not hits.of_outsiders or not hits.of_members:
        return 1.0
    own = int(random.hypergeometric(hits.of_members, known.members - hits.of_members, count))
    by_chance = int(random.binomial(hits.of_members - own, hits.outsiders / hits.of_outsiders))
    return Hits(own + by_chance, hits.of_members, hits.outsiders, hits.of_outsiders).p


def _ratios(known: Known, copied: Array, k: int) -> Array:
    """Scores (2n,) of `density` by neighbour k where the copied people have a made row at their own place."""
    made = known.near.made[:, k].copy()
    made[copied] = 0.0 if k == 0 else known.near.made[copied, k - 1]
    return ratio(known.near.others[:, k], made)
