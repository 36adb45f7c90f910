import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.prove import ridge
from tuckpoint.prove.ridge import Ridge


def rows(n=90, d=7, classes=3, key=1):
    random = np.random.default_rng(key)
    truth = random.integers(0, classes, n).astype(float)
    seen = random.normal(size=(n, d)) + 1.5 * np.eye(d)[truth.astype(int)]
    return np.concatenate([seen, np.ones((n, 1))], 1).astype(np.float32), truth


def test_coefficients_solve_the_weighted_problem():
    seen, truth = rows()
    weights = np.random.default_rng(2).uniform(0.5, 2, len(truth))
    model = ridge.train(ridge.sums(seen, truth, weights, 3), seen, truth, weights, Ridge(penalty=0.3))
    own = np.array([weights[truth == c].sum() for c in range(3)])
    w = weights / own[truth.astype(int)]
    wide = np.concatenate([seen * np.sqrt(w)[:, None], np.sqrt(0.3) * np.eye(seen.shape[1])])
    wanted = np.concatenate([np.eye(3)[truth.astype(int)] * np.sqrt(w)[:, None], np.zeros((seen.shape[1], 3))])
    assert model.coefficients == pytest.approx(np.linalg.lstsq(wide, wanted, rcond=None)[0], abs=1e-4)


def test_every_class_of_a_block_weighs_the_same_however_many_rows_it_has():
    seen, truth = rows()
    again = np.concatenate([np.arange(len(truth)), np.flatnonzero(truth == 0)])
    one = ridge.sums(seen, truth, np.ones(len(truth)), 3)
    other = ridge.sums(seen[again], truth[again], np.ones(len(again)), 3)
    assert one.square == pytest.approx(other.square, abs=1e-5)
    assert (one + one.times(0.5)).wanted == pytest.approx(1.5 * one.wanted)


def test_probabilities_are_as_sure_as_they_may_be():
    seen, truth = rows(400)
    fresh, labels = rows(4000, key=9)
    weights = np.ones(len(truth))
    own = np.bincount(truth.astype(int))
    model = ridge.train(ridge.sums(seen, truth, weights, 3), seen, truth, 1 / own[truth.astype(int)], Ridge())
    told = model.predict(fresh)
    assert told.sum(axis=1) == pytest.approx(1)
    sure, right = told.max(axis=1).mean(), (told.argmax(axis=1) == labels).mean()
    assert sure == pytest.approx(right, abs=0.03)


def test_a_row_alone_is_not_thought_to_be_known():
    # Nothing can be learnt here; a model tuned on the rows that it learnt would be sure of them.
    random = np.random.default_rng(4)
    seen, truth = random.normal(size=(40, 60)).astype(np.float32), random.integers(0, 2, 40).astype(float)
    weights = 1 / np.bincount(truth.astype(int))[truth.astype(int)]
    held = ridge.sums(seen, truth, np.ones(40), 2)
    model = ridge.train(held, seen, truth, weights, Ridge(penalty=0.01))
    assert model.predict(random.normal(size=(500, 60)).astype(np.float32)).max(axis=1).mean() < 0.65


def test_a_penalty_is_above_zero():
    with pytest.raises(InputError, match="penalty is 0"):
        Ridge(penalty=0.0)
