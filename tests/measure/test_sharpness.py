import numpy as np
import pytest

from tuckpoint.measure.sharpness import sharpest, softmax


def test_the_factor_that_made_the_classes_is_found():
    random = np.random.default_rng(1)
    scores = random.normal(size=(20_000, 4))
    told = softmax(2.5 * scores)
    labels = (told.cumsum(axis=1) > random.random((20_000, 1))).argmax(axis=1)
    factor, loss = sharpest(scores, labels)
    assert factor == pytest.approx(2.5, rel=0.05)
    assert loss == pytest.approx(-np.log(told[np.arange(20_000), labels]).mean(), abs=0.001)


def test_large_scores_stay_finite():
    assert softmax(np.array([[1e4, 0.0], [-1e4, 0.0]])).tolist() == [[1.0, 0.0], [0.0, 1.0]]
