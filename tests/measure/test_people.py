from __future__ import annotations

from dataclasses import replace

import numpy as np
from measure.crowds import around, strangers

from tuckpoint.measure.people import alone, found_again, hits_among, holders


def test_rows_are_people_unless_told_otherwise() -> None:
    sides = around(strangers(3, 0), strangers(2, 1), strangers(2, 2))
    person, member = holders(sides)
    assert person.tolist() == [0, 1, 2, 3, 4]
    assert member.tolist() == [True, True, True, False, False]
    train = replace(sides.train, person=np.array([7, 7, 3]))
    holdout = replace(sides.holdout, person=np.array([9, 9]))
    person, member = holders(replace(sides, train=train, holdout=holdout))
    assert person.tolist() == [1, 1, 0, 2, 2]
    assert member.tolist() == [True, True, False]


def test_alone_is_who_holds_what_nobody_else_does() -> None:
    codes = np.array([0, 0, 1, 2, 2, -1, 3])
    assert alone(codes, np.arange(7)).tolist() == [False, False, True, False, False, False, True]
    # The second person holds code 2 twice: nobody else does.
    assert alone(codes, np.array([0, 1, 2, 3, 3, 4, 5])).tolist() == [False, False, True, True, True, False, True]
    assert alone(np.array([-1, -1]), np.arange(2)).tolist() == [False, False]


def test_found_again_is_told_per_person() -> None:
    codes, person = np.array([5, 6, 7, 7, 8]), np.array([0, 0, 1, 2, 3])
    own, hit = found_again(codes, np.array([6, 7, 9]), person, 4)
    assert own.tolist() == [True, False, False, True]
    assert hit.tolist() == [True, False, False, False]
    hits = hits_among(own, hit, np.array([True, True, False, False]))
    assert (hits.members, hits.of_members, hits.outsiders, hits.of_outsiders) == (1, 1, 0, 1)
