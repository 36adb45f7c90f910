"""The constant and the tilt of a slice, against what they must come to."""

import numpy as np
import pytest

from tuckpoint.prove.scores import Scores
from tuckpoint.prove.shift import FURTHEST, Rows, constants, labels, likeliest_tilt, located, systematic, tilted
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


def tilt_of(scores, rate, real=(), yes=()):
    """The tilt where real rows have these scores and outcomes."""
    real, yes, told = np.asarray(real, float), np.asarray(yes, float), Scores(np.zeros(0), ())
    return likeliest_tilt(scores, logistic, rate=rate, real=real, misfit=lambda at: told.misfit(real, yes, at))


def moved(scores, rate, real=(), yes=()):
    """The mean score after the tilt, and the constant that then gives the rate."""
    weights = tilted(scores, tilt_of(scores, rate, real, yes))
    return float(weights @ scores), float(constants([alone(scores, weights, rate)], logistic)[0])


def test_many_real_rows_say_where_the_rows_lie():
    scores, random = drawn(), Seed(3).numpy()
    higher = tilted(scores, 0.7)
    real = random.choice(scores, 5000, p=higher)
    rate = float(higher @ logistic(scores))
    mean, constant = moved(scores, rate, real, random.random(5000) < logistic(real))
    assert mean == pytest.approx(float(higher @ scores), abs=0.1)
    assert constant == pytest.approx(0.0, abs=0.1)
    # the same rows, likelier by 1.5: all of it is the outcome's
    rate = float(higher @ logistic(scores + 1.5))
    mean, constant = moved(scores, rate, real, random.random(5000) < logistic(real + 1.5))
    assert mean == pytest.approx(float(higher @ scores), abs=0.1)
    assert constant == pytest.approx(1.5, abs=0.15)


def test_without_real_rows_both_doubts_bear_a_part():
    scores = drawn()
    mean, constant = moved(scores, 0.6)
    assert mean - scores.mean() > 0.3
    assert constant > 0.3


def test_many_real_rows_outweigh_drawn_ones_and_few_do_not():
    scores, lie = drawn(), np.tile([-0.5, 0.5, 1.5], 200)  # their mean score is 0.5, and each has the chance it says
    yes = Seed(4).numpy().random(600) < logistic(lie)
    rate = float(logistic(lie).mean())
    means = [moved(scores, rate, lie[:rows], yes[:rows])[0] for rows in (600, 9)]
    assert means[0] == pytest.approx(0.5, abs=0.15)
    assert scores.mean() < means[1] < means[0] - 0.3


def test_the_outcomes_of_real_rows_tell_the_two_apart():
    scores = drawn()
    real = np.linspace(-2, 0, 10)
    shifts = [moved(scores, 0.6, real, np.arange(10) < hits)[1] for hits in (1, 5, 9)]
    assert shifts[0] + 0.05 < shifts[1] < shifts[2] - 0.05
    assert shifts[2] - shifts[0] > 0.25


def test_where_the_slice_lies_is_told_with_its_true_error():
    """Real rows of a law, and drawn ones that know them: the middle is off as far as it says."""
    random, off = Seed(5).numpy(), []
    for _ in range(400):
        real = random.normal(0, 1.5, 10)
        error = 1.5 / 10**0.5
        learnt = 0.6 * 0.7 * real.mean() + 0.8 * 0.7 * random.normal(0, error) + random.normal(0, 0.2)
        middle, doubt = located(learnt + random.normal(0, 1.5, 300), real)
        off.append(middle / doubt)
    assert float(np.std(off)) == pytest.approx(1.0, abs=0.12)
    assert located(np.zeros(5), np.zeros(0)) == (0.0, 1.0)


def test_rows_that_are_all_alike_cannot_be_tilted():
    assert tilt_of(np.full(9, 0.3), 0.5, [2.0, 2.1], [1, 1]) == 0.0


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
