from __future__ import annotations

import numpy as np
import pytest

from tuckpoint.measure.onerun import GRID, best_guesses, bound, chance, likely
from tuckpoint.seed import Seed


@pytest.mark.parametrize(
    ("right", "guesses", "epsilon"),
    [(20, 20, 1.82), (100, 100, 3.49), (180, 200, 1.80), (70, 100, 0.47), (60, 100, 0.05)],
)
def test_bounds_of_known_counts(right: int, guesses: int, epsilon: float) -> None:
    assert bound(right, guesses, m=4000, delta=0.0, alpha=0.05) == pytest.approx(epsilon, abs=0.005)


@pytest.mark.parametrize(("right", "epsilon"), [(20, 0.83), (100, 2.59), (1000, 4.92)])
def test_bounds_after_correction_by_seventy(right: int, epsilon: float) -> None:
    assert bound(right, right, m=4000, delta=0.0, alpha=0.05 / 70) == pytest.approx(epsilon, abs=0.005)


@pytest.mark.parametrize("right", [5, 20, 300])
def test_all_right_is_a_closed_form(right: int) -> None:
    q = 0.05 ** (1 / right)
    assert bound(right, right, m=1000, delta=0.0, alpha=0.05) == pytest.approx(np.log(q / (1 - q)), abs=1e-4)


def test_delta_weakens_the_bound() -> None:
    assert bound(20, 20, m=4000, delta=1e-5, alpha=0.05) == pytest.approx(1.70, abs=0.01)
    assert bound(20, 20, m=4000, delta=1e-5, alpha=0.05 / 70) == 0.0
    assert likely(1.0, 15, 20, 1000, 1e-5) > likely(1.0, 15, 20, 1000, 0.0)


def test_delta_adds_what_the_theorem_says() -> None:
    from scipy.stats import binom

    right, guesses, m, delta, q = 7, 9, 50, 1e-3, 1 / (1 + np.exp(-0.5))
    more = max(sum(binom.pmf(j, guesses, q) for j in range(right - i, right)) / i for i in range(1, right + 1))
    wanted = binom.sf(right - 1, guesses, q) + 2 * m * delta * more
    assert likely(0.5, right, guesses, m, delta) == pytest.approx(wanted)


def test_nothing_right_or_nothing_guessed_proves_nothing() -> None:
    assert likely(0.0, 0, 10, 100, 0.0) == 1.0
    assert bound(0, 10, m=100, delta=0.0, alpha=0.05) == 0.0
    assert bound(0, 0, m=1, delta=0.0, alpha=0.05) == 0.0


def test_the_surest_guesses_are_those_with_the_highest_scores() -> None:
    member = np.arange(400) < 200
    scores = np.zeros(400)
    scores[:20] = 1.0  # twenty members are known, nobody else
    found = best_guesses(scores, member, seed=Seed(0))
    assert (found.guesses, found.right, found.variant) == (20, 20, "members")
    assert found.p == pytest.approx(5 * 0.5**20)  # five sizes of the grid are tried on 400 people
    assert found.p == chance(scores, member, seed=Seed(0))
    assert 0.5 < found.epsilon < bound(20, 20, m=400, delta=0.0, alpha=0.05)


def test_who_is_surely_out_counts_for_the_bound() -> None:
    member = np.arange(400) < 200
    scores = np.where(member, 0.0, -1.0)
    found = best_guesses(scores, member, seed=Seed(0))
    assert found.variant == "members and outsiders"
    assert found.right == found.guesses == 400


def test_many_guesses_are_forgiven_what_is_negligible_and_few_are_not() -> None:
    random = np.random.default_rng(0)
    member = np.arange(20_000) % 2 == 0
    slight = random.normal(size=20_000) + 0.13 * member
    assert chance(slight, member, seed=Seed(0)) < 1e-3
    assert chance(slight, member, seed=Seed(0), free=0.2) > 0.05
    few = np.where(np.arange(20_000) < 40, member * 1.0, -1.0)
    assert chance(few, member, seed=Seed(0), free=0.2) < 1e-3


def test_few_people_take_a_smaller_size() -> None:
    member = np.array([True, False, True, False])
    assert best_guesses(np.arange(4.0), member, seed=Seed(0)).guesses <= 4
    assert best_guesses(np.zeros(1), np.array([True]), seed=Seed(0)).guesses == 0


def test_ties_are_broken_by_chance_and_by_the_seed() -> None:
    member = np.arange(2000) < 1000
    rights = {best_guesses(np.zeros(2000), member, seed=Seed(i), grid=(50,)).right for i in range(8)}
    assert len(rights) > 2


def test_the_p_value_and_the_bound_are_valid_if_nothing_leaks() -> None:
    random = np.random.default_rng(0)
    scores = random.integers(0, 300, 1000).astype(float)  # with ties
    trials = 1500
    found = [
        best_guesses(scores, random.permutation(1000) < 500, seed=Seed(1, (i,)), level=0.05) for i in range(trials)
    ]
    p = np.array([one.p for one in found])
    for level in (0.01, 0.05, 0.2):
        assert np.mean(p <= level) <= level + 6 * np.sqrt(level * (1 - level) / trials)
    assert np.mean([one.epsilon > 0 for one in found]) <= 0.05 + 6 * np.sqrt(0.05 * 0.95 / trials)
    assert np.mean(p < 0.5) > 0.05  # and it can tell something


@pytest.mark.parametrize("epsilon", [1.0, 3.0])
def test_the_bound_holds_and_comes_near_for_a_mechanism_of_known_loss(epsilon: float) -> None:
    # Randomised response of each person's coin: the worst that this epsilon allows.
    found = []
    for i in range(200):
        random = np.random.default_rng(i)
        member = random.random(2000) < 0.5
        truthful = random.random(2000) < 1 / (1 + np.exp(-epsilon))
        scores = np.where(truthful, member, ~member).astype(float)
        found.append(best_guesses(scores, member, seed=Seed(i), level=0.05).epsilon)
    # 24 of 200 or more have a chance under 1e-6 if one in twenty fails.
    assert np.sum(np.array(found) > epsilon) < 28
    assert np.mean(found) > 0.75 * epsilon


def test_the_grid_is_fixed() -> None:
    assert GRID == (10, 20, 50, 100, 200, 500, 1000)
