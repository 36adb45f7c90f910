from __future__ import annotations

import numpy as np
from measure.crowds import around, leaking, stacked, strangers

from tuckpoint.measure.attacks.density import density, ratio
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded


def by_key(sides: Sides) -> dict[str, Finding]:
    return {finding.key: finding for finding in density(sides, Seed(0))}


def test_a_single_copy_stands_out_more_the_rarer_its_row() -> None:
    assert ratio(np.array([2.0]), np.array([0.0])) > ratio(np.array([1.0]), np.array([0.0])) > 5
    assert ratio(np.array([1.0]), np.array([1.0])) == 0.0
    assert np.isfinite(ratio(np.zeros(1), np.zeros(1)))


def test_a_few_copies_are_the_surest_guesses() -> None:
    found = by_key(leaking(0.02))
    best = found["density / best_guesses / nearest neighbour"]
    assert (best.score.detail["right"], best.score.n) == (20, 20)
    assert best.p is not None
    assert best.p < 1e-4
    assert (best.epsilon or 0) > 0.4
    assert (found["density / membership_auc / nearest neighbour"].p or 0) > 0.5  # nobody sees it in the average


def test_rows_that_crowd_around_members_are_seen_by_the_fifth_neighbour() -> None:
    random = np.random.default_rng(0)
    members, outsiders = strangers(300, 0), strangers(300, 1)
    crowd = members.take(np.repeat(np.arange(60), 6))
    moved = {name: np.clip(crowd.columns[name] + random.normal(0, 0.03, 360), 0, 1) for name in "abcd"}
    made = stacked(Encoded(crowd.fields, {**crowd.columns, **moved}), strangers(200, 2))
    found = by_key(around(members, outsiders, made))
    best = found["density / best_guesses / fifth neighbour"]
    assert best.p is not None
    assert best.p < 1e-6


def test_strangers_are_not_told_apart() -> None:
    found = by_key(leaking(0.0))
    assert min(one.p for one in found.values() if one.p is not None) > 0.01
    assert all(one.epsilon in (None, 0.0) for one in found.values())
