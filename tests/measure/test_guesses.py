from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import around, leaking, strangers

from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near, told
from tuckpoint.measure.intervals import auc
from tuckpoint.seed import Seed

SIDES = around(strangers(1000, 0), strangers(1000, 1), strangers(10, 2))
MEMBER = np.arange(2000) < 1000


def by_name(scores: np.ndarray, sides: Sides = SIDES) -> dict[str, Finding]:  # type: ignore[type-arg]
    return {one.score.name: one for one in told("density", scores, sides, Seed(0), subject=("nearest",))}


def test_three_findings_each_with_its_reference_and_subject() -> None:
    found = by_name(np.random.default_rng(0).normal(size=2000))
    assert set(found) == {"membership_auc", "true_positives", "best_guesses"}
    assert [one.score.reference for one in found.values()] == [0.5, 0.01, 0.5]
    assert {one.key for one in found.values()} == {f"density / {name} / nearest" for name in found}
    assert {one.criterion for one in found.values()} == {"membership"}
    assert found["membership_auc"].score.passed is True
    assert found["membership_auc"].epsilon is None
    assert found["best_guesses"].epsilon == 0.0
    assert found["true_positives"].p is None


def test_scores_that_tell_members_are_found_out() -> None:
    found = by_name(np.random.default_rng(0).normal(size=2000) + MEMBER)
    truth = 0.7602
    auc_score = found["membership_auc"].score
    assert auc_score.low is not None
    assert auc_score.high is not None
    assert auc_score.low < truth < auc_score.high
    assert auc_score.passed is False
    assert auc_score.advice
    assert found["membership_auc"].p is not None
    assert found["membership_auc"].p < 1e-9
    assert found["best_guesses"].p is not None
    assert found["best_guesses"].p < 1e-6
    assert (found["best_guesses"].epsilon or 0) > 0.5
    assert found["true_positives"].score.passed is False


def test_a_trace_is_measured_but_does_not_decide() -> None:
    # An AUC of 0.53 among 20,000 people is no accident, and less than epsilon 0.2 allows.
    random = np.random.default_rng(0)
    sides = around(strangers(10_000, 0), strangers(10_000, 1), strangers(10, 2))
    member = np.arange(20_000) < 10_000
    scores = random.normal(size=20_000) + 0.1 * member
    found = by_name(scores, sides)
    assert auc(scores, member).interval()[0] > 0.5
    assert (found["membership_auc"].p or 0) > 0.5
    assert (found["best_guesses"].p or 0) > 0.01


def test_a_few_who_are_surely_known_are_found_where_the_average_is_not() -> None:
    scores = np.random.default_rng(0).normal(size=2000)
    scores[:20] = 10.0
    found = by_name(scores)
    assert (found["membership_auc"].p or 0) > 0.5
    assert found["best_guesses"].p == pytest.approx(7 * 0.5**20)
    assert found["best_guesses"].score.detail["right"] == 20


def test_everybody_known_and_nobody_known_are_finite() -> None:
    found = by_name(MEMBER.astype(float))
    assert found["membership_auc"].p == 0.0
    assert found["membership_auc"].score.value == 1.0
    found = by_name(np.zeros(2000))
    assert found["membership_auc"].score.value == 0.5
    assert (found["membership_auc"].p or 0) > 0.5
    assert found["true_positives"].score.value == 0.0


def test_delta_of_the_claim_weakens_the_bound() -> None:
    scores = MEMBER * 5.0 + np.random.default_rng(0).normal(size=2000)
    strict, lax = by_name(scores), by_name(scores, replace(SIDES, delta=1e-4))
    assert (lax["best_guesses"].epsilon or 0) < (strict["best_guesses"].epsilon or 0)
    assert lax["best_guesses"].p == strict["best_guesses"].p


def test_p_values_are_valid_if_people_can_be_exchanged() -> None:
    random = np.random.default_rng(0)
    sides = around(strangers(150, 0), strangers(150, 1), strangers(10, 2))
    scores, trials = random.integers(0, 60, 300).astype(float), 500
    dealt = [by_name(random.permutation(scores), sides) for _ in range(trials)]
    for name in ("membership_auc", "best_guesses"):
        p = np.array([one[name].p for one in dealt])
        for level in (0.01, 0.05, 0.2):
            assert np.mean(p <= level) <= level + 6 * np.sqrt(level * (1 - level) / trials), name
    assert np.mean([(one["best_guesses"].epsilon or 0) > 0 for one in dealt]) < 0.02


def test_distances_are_measured_once_if_the_sides_carry_them() -> None:
    sides = leaking(0.1, people=60)
    measured = near(sides, Seed(0))
    assert near(replace(sides, near=measured), Seed(1)) is measured
    assert (measured.made[:6, 0] == 0).all()
