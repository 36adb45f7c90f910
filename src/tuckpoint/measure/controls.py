"""Trials of the audit itself: a leaky copy that must be caught, other real people who must pass, and its power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tuckpoint.measure.attacks.copies import keys, surprise
from tuckpoint.measure.attacks.density import ratio
from tuckpoint.measure.decide import adjust, strongest
from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Control, Finding, Power, Sides
from tuckpoint.measure.nearness import Nearness, approach, joined
from tuckpoint.measure.onerun import guesses
from tuckpoint.measure.people import alone, found_again, hits_among, holders
from tuckpoint.measure.prepare import cut
from tuckpoint.measure.sides import Stand
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

Suite = Callable[[Sides, Seed], Sequence[Finding]]
LEAKY_SHARE = 0.05  # of the members, whose rows are copied into the leaky twin
LEAKY_LEAST = 20
POWER_DRAWS = 4_000


def leaky_twin(stood: Stand, seed: Seed, *, most_made: int) -> Sides:
    """The same sides, with the rows of every twentieth member (20 at least) copied into the made table.

    Distances to the rows that were there are kept: only those to the copies are measured.
    """
    sides = stood.sides
    assert sides.near is not None
    wanted = min(max(LEAKY_LEAST, round(LEAKY_SHARE * sides.people)), sides.people)
    chosen = np.sort(seed.numpy().permutation(sides.people)[:wanted])
    copies = sides.members.take(chosen)
    people, _ = crowd(sides)
    among = cut(sides.made, most_made, seed.child("made").numpy())
    texts = {
        name: (train, holdout, np.concatenate([made, train[stood.rows[chosen]]]))
        for name, (train, holdout, made) in sides.texts.items()
    }
    near = sides.near.with_rows(*approach(people, copies, stood.space, among=(people, among)))
    return replace(sides, made=joined(sides.made, copies), texts=texts, near=near)


def other_people(stood: Stand, seed: Seed) -> Sides:
    """Sides on which nothing can leak: half of the outsiders as the made table, the others against as many members.

    The distances between people are those of the audit: half of the outsiders, who lie there as made rows, are among
    the other people of members and outsiders alike.
    """
    sides = stood.sides
    assert sides.near is not None
    count = sides.people // 2
    order = seed.child("outsiders").numpy().permutation(sides.people)
    outside, inside = np.sort(order[:count]), np.sort(seed.child("members").numpy().permutation(sides.people)[:count])
    members, outsiders = sides.members.take(inside), sides.outsiders.take(outside)
    made = sides.outsiders.take(np.sort(order[count:]))
    people = joined(members, outsiders)
    both = np.concatenate([inside, sides.people + outside])
    near = Nearness(*_swapped(approach(people, made, stood.space, among=(people, made)), sides.near.others[both]))
    return replace(sides, holdout=outsiders, members=members, outsiders=outsiders, made=made, texts={}, near=near)


def _swapped(found: tuple[Array, Array], others: Array) -> tuple[Array, Array, Array]:
    return found[0], others, found[1]


def positive(stood: Stand, suite: Suite, seed: Seed, *, level: float, most_made: int) -> Control:
    """Whether the same attacks find a leak in the leaky twin."""
    twin = leaky_twin(stood, seed.child("copies"), most_made=most_made)
    by = strongest(adjust(suite(twin, seed)))
    count = twin.made.rows - stood.sides.made.rows
    what = f"the same made rows and those of {count} people who were in the data"
    if by is None or by.adjusted is None:
        return Control("leaky copy", False, 1.0, "", what)
    return Control("leaky copy", by.adjusted < level, by.adjusted, by.key, what)


def negative(stood: Stand, suite: Suite, seed: Seed, *, level: float) -> Control:
    """Whether the same attacks find nothing where people who were never in the data stand for made rows.

    It fails at a far stricter level than a leak is found at (0.001, Holm): a control that failed one innocent file in
    twenty would block as many, and what it is for, an attack that is wrong or a holdout from elsewhere, shows clearly.
    Therefore it looks both ways: outsiders who lie nearer to other outsiders than members do were not held out by
    chance.
    """
    found = adjust(suite(other_people(stood, seed.child("halves")), seed))
    ranks = [one for one in found if one.score.name == "membership_auc" and one.p is not None]
    reverse = adjust(replace(one, p=1 - (one.p or 0.0)) for one in ranks)
    tested = [one for one in (strongest(found), strongest(reverse)) if one is not None and one.adjusted is not None]
    what = "half of the people who were held out, in place of made rows, against the other half"
    if not tested:
        return Control("other real people", False, 1.0, "", what)
    by = min(tested, key=lambda one: one.adjusted or 0.0)
    p = by.adjusted if by.adjusted is not None else 1.0
    return Control("other real people", p >= level, p, by.key, what)


def power(stood: Stand, seed: Seed, *, counts: Sequence[int], trials: int, level: float) -> tuple[Power, ...]:
    """How often so many copied rows would have been seen, by the attacks on single rows alone.

    For each count, rows of as many people drawn from the data are added to the made table, and the copies counted, the
    surest guesses by density taken and the hits weighed again: found if one p-value is under `level`, the audit's own
    divided by the number of its p-values (so it errs downwards). That a copy may also lie nearest to somebody else is
    neglected. Counts end where all trials found them.
    """
    sides = stood.sides
    assert sides.near is not None
    near, (people, inside) = sides.near, crowd(sides)
    person, member = holders(sides)
    real, held, made = keys([sides.train, sides.holdout, sides.made])
    own, hit = found_again(np.concatenate([real, held]), made, person, len(member))
    row, fake = keys([people, sides.made])
    single, there = alone(row, np.arange(len(row))), np.isin(row, fake)
    score, copied = ratio(near.others[:, 0], near.made[:, 0]), ratio(near.others[:, 0], np.zeros(len(row)))
    rarity = near.others.mean(axis=1) ** 2
    place = np.full(len(member), -1)  # of a person among the members
    place[person[stood.rows]] = np.arange(sides.people)

    def caught(count: int, seed: Seed) -> bool:
        chosen = seed.numpy().permutation(np.flatnonzero(member))[:count]
        again = hit.copy()
        again[chosen] = own[chosen]
        if hits_among(own, again, member).p < level:
            return True
        at = place[chosen][place[chosen] >= 0]
        scores = score.copy()
        scores[at] = copied[at]
        if min(one.p for one in guesses(scores, inside, seed=seed.child("ties"))) < level:
            return True
        exact = single & there
        exact[at] = single[at]
        return surprise(rarity[exact], inside[exact], seed.child("coins"), draws=POWER_DRAWS) < level

    found = []
    for count in counts:
        if count > member.sum():
            break
        seen = sum(caught(count, seed.child(count, trial)) for trial in range(trials))
        found.append(Power(count, seen, trials))
        if seen == trials:
            break
    return tuple(found)
