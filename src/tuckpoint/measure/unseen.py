"""Do made rows join levels that no real row joins, such as a pregnancy of a man?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure.attacks.copies import against_base, hits_of
from tuckpoint.measure.limits import DEFAULT, Limits
from tuckpoint.measure.prepare import UNSEEN
from tuckpoint.measure.utility import CLASS_VALUES
from tuckpoint.schema import Kind
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.protect import LEAST_PEOPLE, people_of

NAME = "unseen_pairs"
MOST_LEVELS = 50
MOST_PAIRS = 1_000
EXPECTED = 5.0  # training rows: chance seldom keeps so many away
NAMED = 10
MISSING = "(missing)"
BASE_IS = "share of real holdout rows that join two levels which no training row joins"


@dataclass(frozen=True)
class _Column:
    """A column's levels in each row of each side: codes (n,), missing ones last, those that no real row holds before.

    `counts` (levels,) in training rows; `named` says which levels may be named, since enough people hold them.
    """

    name: str
    levels: tuple[str, ...]
    codes: tuple[Array, ...]
    counts: Array
    named: Array


def unseen_pairs(
    real: Encoded,
    made: Encoded,
    holdout: Encoded | None,
    *,
    kinds: Mapping[str, Kind],
    seed: Seed,
    limits: Limits = DEFAULT,
) -> Score:
    """`unseen_pairs`: share of made rows that join two levels which training rows hold, but never together.

    Columns of at most 50 levels or 15 distinct numbers (by `kinds`: moments are no levels), missing being one more;
    1,000 random pairs of them where there are more. Two levels count if five training rows would join them were their
    columns unrelated: fewer may be kept apart by chance. The reference is the share of holdout rows that do the same.
    `detail["worst"]` names the pairs that no real row joins, with the made rows that do and the training rows expected;
    levels that fewer than five people hold are not named.
    """
    sides = [side for side in (real, made, holdout) if side is not None]
    columns = [column for field in real.fields if (column := _column(field, sides, kinds.get(field.name))) is not None]
    if len(columns) < 2:
        return Score(
            NAME, None, why=f"fewer than two columns of 2 to {MOST_LEVELS} levels or few numbers, so there are no pairs"
        )
    pairs = list(combinations(columns, 2))
    if len(pairs) > MOST_PAIRS:
        pairs = [pairs[i] for i in np.sort(seed.child("pairs").numpy().permutation(len(pairs))[:MOST_PAIRS])]
    hits = [np.zeros(side.rows, bool) for side in sides[1:]]
    worst: list[dict[str, object]] = []
    for first, second in pairs:
        wanted = np.outer(first.counts, second.counts) / real.rows
        never = wanted >= EXPECTED
        never[first.codes[0], second.codes[0]] = False
        if not never.any():
            continue
        for hit, a, b in zip(hits, first.codes[1:], second.codes[1:], strict=True):
            hit |= never[a, b]
        worst += _joined(first, second, never & np.outer(first.named, second.named), wanted)
    worst = sorted(worst, key=lambda pair: (-int(str(pair["made"])), str(pair["pair"])))[:NAMED]
    found = [hits_of(hit, None if i == 0 else sides[2]) for i, hit in enumerate(hits)]
    score = against_base(NAME, found, limits=limits, advice=_advice(worst), base_is=BASE_IS, slack=limits.unseen_slack)
    score = replace(score, detail={**score.detail, "pairs": len(pairs), "worst": worst})
    return _pair_by_pair(score, made.rows, limits)


def _pair_by_pair(score: Score, rows: int, limits: Limits) -> Score:
    """The same score, failed where a single pair stands for more than few of the made rows: what cannot be is no
    scatter of rare pairs.
    """
    if score.passed is None:
        return score
    worst = score.detail["worst"]
    crowded = bool(worst) and int(worst[0]["made"]) > limits.unseen_pair * rows and score.detail["difference_low"] > 0
    allowed = score.allowed.replace(", or more", f", of one pair up to {limits.unseen_pair:.1%}, or more")
    failed = crowded or not score.passed
    return replace(score, passed=not failed, allowed=allowed, advice=_advice(worst) if failed else "")


def _column(field: Field, sides: list[Encoded], kind: Kind | None) -> _Column | None:
    """The levels of a column, or its numbers if they are few; None if it has too many, too few, or moments."""
    values = [data.columns[field.name] for data in sides]
    if field.levels is not None:
        names = field.levels[:-1]
        codes = tuple(np.where(some < 0, len(names) + 1, some) for some in values)
    else:
        known = np.unique(values[0][~np.isnan(values[0])])
        if len(known) > CLASS_VALUES or kind not in ("integer", "decimal"):
            return None
        names = tuple(f"{number:.15g}" for number in known)
        codes = tuple(
            np.where(
                np.isnan(some), len(names) + 1, np.where(np.isin(some, known), np.searchsorted(known, some), len(names))
            )
            for some in values
        )
    if not 2 <= len(names) <= MOST_LEVELS:
        return None
    size = len(names) + 2
    people = people_of(codes[0], size, sides[0].person)
    counts = np.bincount(codes[0], minlength=size)
    return _Column(field.name, (*names, UNSEEN, MISSING), codes, counts, people >= LEAST_PEOPLE)


def _joined(first: _Column, second: _Column, never: Array, wanted: Array) -> list[dict[str, object]]:
    """The pairs of levels of two columns that made rows join and no real row does."""
    never = never.copy()
    for a, b in zip(first.codes[2:], second.codes[2:], strict=True):
        never[a, b] = False
    if not never.any():
        return []
    width = never.shape[1]
    made = np.bincount(first.codes[1] * width + second.codes[1], minlength=never.size).reshape(never.shape)
    return [
        {
            "pair": [first.name, first.levels[a], second.name, second.levels[b]],
            "made": int(made[a, b]),
            "expected": round(float(wanted[a, b]), 1),
        }
        for a, b in np.argwhere(never & (made > 0))
    ]


def told(pair: dict[str, object]) -> str:
    """`sex = male with pregnant = yes`."""
    names = pair["pair"]
    assert isinstance(names, list)
    return f"{names[0]} = {names[1]} with {names[2]} = {names[3]}"


def _advice(worst: list[dict[str, object]]) -> str:
    listed = "; ".join(f"{told(pair)} ({count(int(str(pair['made'])), 'made row')})" for pair in worst[:3])
    return f"Made rows join what no real row joins{f': {listed}' if listed else ''}."
