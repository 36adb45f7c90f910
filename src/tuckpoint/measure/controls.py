"""Trials of the audit itself: a leaky copy that must be caught, other real people who must pass, and its power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tuckpoint.measure.decide import adjust, strongest
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Control, Finding, Sides
from tuckpoint.measure.intervals import Z95
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.nearness import Nearness, approach, joined
from tuckpoint.measure.sides import Stand
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import cut

Suite = Callable[[Sides, Seed], Sequence[Finding]]  # all attacks, their p-values adjusted
LEAKY_SHARE = 0.05  # of the members, whose rows are copied into the leaky twin
LEAKY_LEAST = 20


def leaky_twin(stood: Stand, seed: Seed, *, most_made: int) -> Sides:
    """The same sides, with the rows of every twentieth member (20 at least) copied into the made table.

    Distances to the rows that were there are kept: only those to the copies are measured.
    """
    sides = stood.sides
    wanted = min(max(LEAKY_LEAST, round(LEAKY_SHARE * sides.people)), sides.people)
    chosen = np.sort(seed.numpy().permutation(sides.people)[:wanted])
    copies = sides.members.take(chosen)
    people, _ = crowd(sides)
    among = cut(sides.made, most_made, seed.child("made").numpy())
    texts = {
        name: (train, holdout, np.concatenate([made, train[stood.rows[chosen]]]))
        for name, (train, holdout, made) in sides.texts.items()
    }
    near = stood.near.with_rows(*approach(people, copies, stood.space, among=(people, among)))
    return replace(sides, made=joined(sides.made, copies), texts=texts, near=near)


def other_people(stood: Stand, seed: Seed) -> Sides:
    """Sides on which nothing can leak: half of the outsiders as the made table, the others against as many members.

    Where people may have several rows each has one, for who has more of them is found again more often. The distances
    between people are those of the audit: half of the outsiders, who lie there as made rows, are among the other people
    of members and outsiders alike.
    """
    sides = stood.sides
    count = sides.people // 2
    order = seed.child("outsiders").numpy().permutation(sides.people)
    outside, inside = np.sort(order[:count]), np.sort(seed.child("members").numpy().permutation(sides.people)[:count])
    members, outsiders = sides.members.take(inside), sides.outsiders.take(outside)
    made = sides.outsiders.take(np.sort(order[count:]))
    people = joined(members, outsiders)
    both = np.concatenate([inside, sides.people + outside])
    found, aligned = approach(people, made, stood.space, among=(people, made))
    near = Nearness(found, stood.near.others[both], aligned)
    train = sides.train if sides.train.person is None else members
    return replace(
        sides, train=train, holdout=outsiders, members=members, outsiders=outsiders, made=made, texts={}, near=near
    )


def positive(stood: Stand, suite: Suite, seed: Seed, *, most_made: int) -> Control:
    """Whether the same attacks find a leak in the leaky twin."""
    twin = leaky_twin(stood, seed.child("copies"), most_made=most_made)
    by = strongest(suite(twin, seed))
    count = twin.made.rows - stood.sides.made.rows
    what = f"the same made rows and those of {count} people who were in the data"
    if by is None or by.adjusted is None:
        return Control("leaky copy", False, 1.0, "", what)
    return Control("leaky copy", by.adjusted < AUDIT.level, by.adjusted, by.key, what)


def negative(stood: Stand, suite: Suite, seed: Seed, *, level: float) -> Control:
    """Whether the same attacks find nothing where people who were never in the data stand for made rows.

    It fails at a far stricter level than a leak is found at (0.001, Holm): a control that failed one innocent file in
    twenty would block as many, and what it is for, an attack that is wrong or a holdout from elsewhere, shows clearly.
    Members must also not rank lower: outsiders who lie nearer to other outsiders than members do were not held out by
    chance (two-sided, without a margin for what is negligible).
    """
    found = suite(other_people(stood, seed.child("halves")), seed)
    uneven = adjust(replace(one, p=_uneven(one.score)) for one in found if one.score.name == "membership_auc")
    tested = [one for one in (strongest(found), strongest(uneven)) if one is not None and one.adjusted is not None]
    what = "half of the people who were held out, in place of made rows, against the other half"
    if not tested:
        return Control("other real people", False, 1.0, "", what)
    by = min(tested, key=lambda one: one.adjusted or 0.0)
    p = by.adjusted if by.adjusted is not None else 1.0
    return Control("other real people", p >= level, p, by.key, what)


def _uneven(score: Score) -> float:
    """Two-sided p-value of an AUC of one half, from the interval of a score."""
    from scipy.special import ndtr

    if score.value is None or score.low is None or score.high is None or score.high <= score.low:
        return 1.0
    return float(2 * ndtr(-abs(score.value - 0.5) * 2 * Z95 / (score.high - score.low)))
