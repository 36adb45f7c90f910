import inspect
import time
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy import noise

# A right sampler fails one of these with a chance of 1e-6; a law that is off by a few percent fails for certain.
SURE = 1e-6
DRAWS = 40_000


def agrees(drawn: np.ndarray, weight) -> float:
    """p-value of the chi-square test of integers against the exact law with these weights."""
    reach = int(np.abs(drawn).max()) + 50
    support = np.arange(-reach, reach + 1)
    chance = np.array([weight(int(y)) for y in support], dtype=float)
    expected = chance / chance.sum() * len(drawn)
    seen = np.bincount(drawn + reach, minlength=len(support))
    often = expected >= 5
    pooled_seen = np.append(seen[often], seen[~often].sum())
    pooled_expected = np.append(expected[often], expected[~often].sum())
    return float(stats.chisquare(pooled_seen, pooled_expected).pvalue)


@pytest.mark.parametrize(
    "variance", [Fraction(1, 10), Fraction(1, 3), Fraction(1), Fraction(7, 2), Fraction(113, 8), Fraction(1400)]
)
def test_gaussian_follows_its_exact_law(variance):
    drawn = noise.discrete_gaussian(variance, DRAWS)
    assert drawn.dtype == np.int64
    assert drawn.shape == (DRAWS,)
    assert agrees(drawn, lambda y: np.exp(-(y**2) / (2 * float(variance)))) > SURE


def test_a_gaussian_of_wrong_variance_is_noticed():
    drawn = noise.discrete_gaussian(Fraction(4), DRAWS)
    assert agrees(drawn, lambda y: np.exp(-(y**2) / (2 * 4.5))) < SURE


def test_large_rationals_take_the_path_of_python_integers():
    # Numerator and denominator near 2**55: their products pass int64.
    variance = Fraction(0.3)
    drawn = noise.discrete_gaussian(variance, 4000)
    assert agrees(drawn, lambda y: np.exp(-(y**2) / (2 * float(variance)))) > SURE


def test_each_draw_is_independent_of_the_last():
    drawn = noise.discrete_gaussian(Fraction(9), DRAWS)
    pairs, _, _ = np.histogram2d(drawn[:-1:2] > 0, drawn[1::2] > 0, bins=2)
    assert stats.chi2_contingency(pairs).pvalue > SURE
    assert np.abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 5.5 / np.sqrt(DRAWS)


def test_draws_come_by_the_hundred_thousand():
    start = time.process_time()
    assert noise.discrete_gaussian(Fraction(1000), 300_000).std() == pytest.approx(1000**0.5, rel=0.02)
    assert time.process_time() - start < 8  # about 1 CPU-s; one at a time in Python would take a quarter of a minute


def test_huge_variance_keeps_its_scale():
    drawn = noise.discrete_gaussian(Fraction(10**16), 4000)
    assert 0.93 < drawn.std() / 1e8 < 1.07
    assert abs(drawn.mean()) < 8e6


def test_choice_follows_the_exponential_mechanism():
    scores, epsilon = [10, 12, 7, 12, -400], Fraction(1, 2)
    chosen = [noise.exponential_choice(scores, epsilon, 2) for _ in range(3000)]
    weight = np.exp(float(epsilon) * (np.array(scores) - 12) / 4)
    seen = np.bincount(chosen, minlength=5)
    assert seen[4] == 0
    assert stats.chisquare(seen[:4], 3000 * weight[:4] / weight.sum()).pvalue > SURE


@pytest.mark.parametrize(
    ("scores", "epsilon"),
    [
        ([0, -1, -2, -3, -4, -5, -6, -7, -12], Fraction(5, 3)),
        ([0, 0, 0, -30, -30, -31], Fraction(1, 10)),
        ([-(10**25), -(10**25) - 2 * 10**5, -(10**25) - 10**12], Fraction(1, 10**5)),  # past int64
    ],
)
def test_choice_keeps_its_law_near_and_far_from_the_best(scores, epsilon):
    chosen = [noise.exponential_choice(scores, epsilon, 1) for _ in range(3000)]
    weight = np.exp(float(epsilon) * np.array([float(s - max(scores)) for s in scores]) / 2)
    seen, expected = np.bincount(chosen, minlength=len(scores)), 3000 * weight / weight.sum()
    often = expected >= 5
    assert seen[~often].sum() <= 30
    assert stats.chisquare(seen[often], expected[often] * seen[often].sum() / expected[often].sum()).pvalue > SURE


def test_choice_among_thousands_keeps_their_common_weight():
    # One good score against thousands of poor ones of two kinds, with an integer array for the scores.
    scores = np.concatenate([[0], np.full(200, -7), np.full(1000, -8)])
    chosen = np.array([noise.exponential_choice(scores, Fraction(2), 1) for _ in range(4000)])
    weight = np.array([1.0, 200 * np.exp(-7), 1000 * np.exp(-8)])
    seen = [(chosen == 0).sum(), ((chosen > 0) & (chosen <= 200)).sum(), (chosen > 200).sum()]
    assert stats.chisquare(seen, 4000 * weight / weight.sum()).pvalue > SURE
    assert len(np.unique(chosen[chosen > 200])) > 300  # 614 draws among 1000


def test_uniform_has_no_favourites():
    # 3 * 2**60 leaves a third of the words over: without rejection the low third would come twice as often.
    drawn = noise.uniform(3 * 2**60, 30_000)
    assert stats.chisquare(np.bincount(drawn >> 60, minlength=3)).pvalue > SURE


def test_shuffled_is_an_order_and_each_is_as_likely():
    seen = np.zeros((3, 3))
    for _ in range(2000):
        seen[np.arange(3), noise.shuffled(3)] += 1
    assert stats.chisquare(seen.ravel(), np.full(9, 2000 / 3)).pvalue > SURE
    assert sorted(noise.shuffled(50)) == list(range(50))
    assert noise.shuffled(0).tolist() == []


def test_noise_cannot_be_seeded():
    np.random.seed(7)  # noqa: NPY002
    first = noise.discrete_gaussian(Fraction(10**6), 20)
    np.random.seed(7)  # noqa: NPY002
    assert (first != noise.discrete_gaussian(Fraction(10**6), 20)).any()
    for name, draw in inspect.getmembers(noise, inspect.isfunction):
        words = (name, *inspect.signature(draw).parameters)
        assert not any(word in part.lower() for part in words for word in ("seed", "rng", "generator", "state")), name


def test_no_draws():
    assert noise.discrete_gaussian(Fraction(1), 0).shape == (0,)


@pytest.mark.parametrize("bad", [0, -1, Fraction(-1, 2), 0.5, float("nan"), True, None])
def test_what_is_no_positive_rational_is_refused(bad):
    with pytest.raises(PrivacyError, match="positive rational"):
        noise.discrete_gaussian(bad, 3)
    with pytest.raises(PrivacyError, match="positive rational"):
        noise.exponential_choice([1, 2], bad, 1)


def test_choice_refuses_what_would_break_its_promise():
    with pytest.raises(PrivacyError, match="whole"):
        noise.exponential_choice([0.5, 1.0], Fraction(1), 1)
    with pytest.raises(PrivacyError, match="at least one"):
        noise.exponential_choice([], Fraction(1), 1)
    with pytest.raises(PrivacyError, match="sensitivity"):
        noise.exponential_choice([1], Fraction(1), 0)


def test_scales_beyond_the_exact_range_are_refused():
    with pytest.raises(PrivacyError, match=r"2\*\*80"):
        noise.discrete_gaussian(Fraction(2**81), 1)
    with pytest.raises(PrivacyError, match="below"):
        noise.uniform(0, 1)
