"""Whose the rows of an audit are, and which of them hold what nobody else holds."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure.exchange import Hits
from tuckpoint.measure.finding import Sides
from tuckpoint.table.engine import Array


def holders(sides: Sides) -> tuple[Array, Array]:
    """Whose each row of train, then of holdout, is: (n,) numbers from 0 without gaps; and of each person (p,) whether
    they are a member. Where nobody is told apart, each row is another person.
    """
    codes, members, start = [], [], 0
    for side in (sides.train, sides.holdout):
        own = np.arange(side.rows) if side.person is None else np.unique(side.person, return_inverse=True)[1]
        count = int(own.max(initial=-1)) + 1
        codes.append(own.reshape(-1) + start)
        members.append(np.full(count, side is sides.train))
        start += count
    return np.concatenate(codes), np.concatenate(members)


def alone(codes: Array, person: Array) -> Array:
    """Which rows (n,) hold a code that no other person holds; codes count from 0, those below are missing."""
    known = codes >= 0
    first = np.full(int(codes.max(initial=-1)) + 2, -1)  # the last is for missing, code -1
    first[codes[known]] = person[known]
    shared = np.zeros(len(first), dtype=bool)
    shared[codes[known & (first[codes] != person)]] = True
    return np.asarray(known & ~shared[codes])


def found_again(real: Array, made: Array, person: Array, count: int) -> tuple[Array, Array]:
    """Per person (count,): who alone holds some code of `real`, and for whom such a code stands in `made`."""
    rows = alone(real, person)
    own, hit = np.zeros((2, count), dtype=bool)
    own[person[rows]] = True
    hit[person[rows & np.isin(real, made)]] = True
    return own, hit


def hits_among(own: Array, hit: Array, member: Array) -> Hits:
    """Members and outsiders hit (p,), of those who hold something of their own (p,)."""
    return Hits.of(hit[own], member[own])
