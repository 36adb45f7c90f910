"""The constant and the tilt of a slice, against what they must come to."""

import numpy as np
import pytest

from tuckpoint.prove.shift import FURTHEST, Rows, constants, labels, likeliest_tilt, systematic, tilted
from tuckpoint.seed import Seed


def logistic(scores):
    return 1 / (1 + np.exp(-scores))


def drawn(rows=2000, mean=-1.0, key=1):
    return Seed(key, ("scores",)).numpy().normal(mean, 1.2, rows)


def alone(scores, weights, rate):
    return Rows(scores, weights, np.ones((len(scores), 1)), rate)


@pytest.mark.parametrize("rate", [0.02, 0.3, 0.9])
def test_the_mean_outcome_becomes_the_published_one(rate):
    scores = drawn()
    weights = tilted(scores, 0.4)
    (constant,) = constants([alone(scores, weights, rate)], logistic)
    assert weights @ logistic(scores + constant) == pytest.approx(rate, abs=1e-6)


def test_sure_real_rows_say_where_the_rows_lie():
    scores = drawn()
    assert abs(likeliest_tilt(scores, logistic, rate=0.7, real=scores.mean(), doubt=0.01)) < 0.01
    higher = tilted(scores, 1.0)
    real, rate = float(higher @ scores), float(higher @ logistic(scores))
    tilt = likeliest_tilt(scores, logistic, rate=rate, real=real, doubt=0.01)
    assert tilt == pytest.approx(1.0, abs=0.05)
    # such rows have the rate without any constant
    assert constants([alone(scores, tilted(scores, tilt), rate)], logistic)[0] == pytest.approx(0.0, abs=0.1)


def test_without_real_rows_both_doubts_bear_a_part():
    scores = drawn()
    tilt = likeliest_tilt(scores, logistic, rate=0.6, real=0.0, doubt=np.inf)
    weights = tilted(scores, tilt)
    assert weights @ scores - scores.mean() > 0.3
    assert constants([alone(scores, weights, 0.6)], logistic)[0] > 0.3


def test_few_real_rows_count_less_than_many():
    scores = drawn()
    means = [
        float(tilted(scores, likeliest_tilt(scores, logistic, rate=0.3, real=0.5, doubt=doubt)) @ scores)
        for doubt in (0.05, 0.5, np.inf)
    ]
    assert means[0] == pytest.approx(0.5, abs=0.05)
    assert means[0] > means[1] > means[2]


def test_rows_that_are_all_alike_cannot_be_tilted():
    assert likeliest_tilt(np.full(9, 0.3), logistic, rate=0.5, real=2.0, doubt=0.1) == 0.0


def test_slices_that_overlap_agree_with_both_rates():
    scores = drawn(3000)
    member = np.stack([np.arange(3000) < 2000, np.arange(3000) >= 1000], axis=1)
    given = [
        Rows(scores[member[:, k]], np.ones(2000), member[member[:, k]].astype(float), rate)
        for k, rate in ((0, 0.5), (1, 0.2))
    ]
    found = constants(given, logistic)
    for one in given:
        assert logistic(one.scores + one.member @ found).mean() == pytest.approx(one.rate, abs=1e-4)
    assert found[0] > found[1]


def test_what_cannot_be_reached_takes_the_furthest_constant():
    given = [alone(np.full(50, 3.0), np.ones(50), -5.0)]
    assert constants(given, lambda scores: np.maximum(scores, 0.0))[0] == -FURTHEST


def test_a_systematic_draw_takes_each_row_as_often_as_its_share_says():
    shares = np.array([0.5, 0.25, 0.125, 0.125])
    counts = np.bincount(systematic(shares, 80, Seed(1).numpy()), minlength=4)
    assert np.abs(counts - 80 * shares).max() <= 1


def test_as_many_labels_as_the_chances_say_in_each_stratum():
    random = Seed(2).numpy()
    chances, strata = random.random(900), random.integers(0, 3, 900)
    hit = labels(chances, strata, random)
    for stratum in range(3):
        at = strata == stratum
        assert abs(hit[at].sum() - chances[at].sum()) <= 1
    assert hit[chances > 0.7].mean() > 0.7 > 0.3 > hit[chances < 0.3].mean()
