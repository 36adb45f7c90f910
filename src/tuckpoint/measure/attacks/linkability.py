"""Linkability: do the made rows tell which record of one list belongs to the same person as a record of another?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuckpoint.measure.exchange import Hits, crowd, excess_score
from tuckpoint.measure.finding import CLOSER, Finding, Sides
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.nearness import embedding
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field, cut

MOST_PEOPLE = 3_000
MOST_MADE = 20_000
BLOCK_CELLS = 2_000_000
BINS = 50
SAME = 1e-5  # distances that differ by less are one
ADVICE = f"Made rows tie together what belongs to one person of the data; {CLOSER}."


def linkability(
    sides: Sides, seed: Seed, *, halves: tuple[Sequence[str], Sequence[str]] | None = None
) -> tuple[Finding, ...]:
    """For which people is one made row the nearest both by some attributes and by others?

    The attacker holds two lists of the same people with no attribute in common, and takes two records for one person's
    if one made row is nearest to both (all rows at the least distance count). `halves` are the attributes of the two
    lists; by default all attributes are dealt out in turn by how much they tell (entropy in the made rows), the case
    in which both lists know most. Up to 3,000 people a side against 20,000 made rows.

    The p-value is exact: who is linked does not depend on who was a member (Fisher). Source: Giomi, Boenisch, Wehmeyer
    and Tasnadi 2023 (arXiv 2211.10459), with one neighbour and ties kept.
    """
    first, second = dealt(sides.made) if halves is None else (tuple(halves[0]), tuple(halves[1]))
    if not first or not second:
        why = "a single attribute cannot be parted into two lists"
        return (Finding("linkability", "linkability", Score("linkability", None, why=why)),)
    people, member = crowd(sides)
    random = seed.child("people").numpy()
    chosen = np.sort(
        np.concatenate([random.permutation(np.flatnonzero(member == side))[:MOST_PEOPLE] for side in (True, False)])
    )
    people, member = people.take(chosen), member[chosen]
    made = cut(sides.made, MOST_MADE, seed.child("made").numpy())
    points = []
    for half in (first, second):
        space = embedding(people.select(half), seed.child("space"))
        points.append((space.place(people.select(half)), space.place(made.select(half))))
    hits = Hits.of(linked(*points[0], *points[1]), member)
    score = excess_score(
        "linkability", hits, limit=AUDIT.linkability, advice=ADVICE,
        detail={"first": list(first), "second": list(second), "made_rows": made.rows},
    )  # fmt: skip
    return (Finding("linkability", "linkability", score, p=hits.p),)


def dealt(made: Encoded) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The attributes in two hands, dealt in turn, 1 2 2 1 1 2 ..., by falling entropy in the made rows."""
    told = sorted(made.fields, key=lambda field: (-entropy(field, made.columns[field.name]), field.name))
    hands = [[field.name for at, field in enumerate(told) if (at + 1) // 2 % 2 == hand] for hand in (0, 1)]
    return tuple(hands[0]), tuple(hands[1])


def entropy(field: Field, values: Array) -> float:
    """Bits in the shares of a column's levels, or of the fiftieths of its range of ranks for numbers; ties stay one."""
    if field.numeric:
        known = values[~np.isnan(values)]
        cuts = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else known
        values = np.where(np.isnan(values), -1, np.searchsorted(cuts, values, side="right"))
    counts = np.unique(values, return_counts=True)[1]
    share = counts / max(counts.sum(), 1)
    return float(-(share * np.log2(share)).sum())


def linked(first: Array, made_first: Array, second: Array, made_second: Array) -> Array:
    """Whether (n,) some made row is nearest to a person by both kinds of coordinates.

    Squared distances add up, so such a row is nearest by all coordinates together: three nearest rows decide.
    """
    out = np.empty(len(first), bool)
    squares = [(made.astype(np.float64) ** 2).sum(axis=1).astype(np.float32) for made in (made_first, made_second)]
    step = max(1, BLOCK_CELLS // max(len(made_first), 1))
    for start in range(0, len(first), step):
        block = slice(start, start + step)
        scores = []
        for points, made, square in zip((first, second), (made_first, made_second), squares, strict=True):
            score = points[block] @ made.T
            score *= -2
            score += square
            scores.append(score)
        nearest = [score.argmin(axis=1) for score in scores]
        both = (scores[0] + scores[1]).argmin(axis=1)
        out[block] = np.all(
            [
                _distance(points[block], made[both]) <= _distance(points[block], made[alone]) + SAME
                for points, made, alone in zip((first, second), (made_first, made_second), nearest, strict=True)
            ],
            axis=0,
        )
    return out


def _distance(points: Array, others: Array) -> Array:
    return np.asarray(np.sqrt(((points - others).astype(np.float64) ** 2).sum(axis=1)))
