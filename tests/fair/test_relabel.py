import numpy as np
import pytest

from tuckpoint.fair.relabel import chosen, order
from tuckpoint.seed import Seed


def test_no_label_changes_against_the_others_and_as_few_as_can():
    p = np.full(1000, 0.3)
    positive = np.random.default_rng(0).random(1000) < p
    rank = order(p, positive, Seed(1))
    assert ((rank < 0) == positive).all()
    for quota in (0, 100, int(positive.sum()), 600, 1000):
        taken, missing = chosen(rank, positive, np.ones(1000, bool), quota)
        assert missing == 0
        assert len(taken) == abs(quota - positive.sum())
        after = positive.copy()
        after[taken] ^= True
        assert after.sum() == quota


def test_labels_that_may_not_change_are_left_and_counted():
    positive = np.array([True, False, False, False])
    may = np.array([True, False, True, False])
    taken, missing = chosen(np.array([-1.0, 0.1, 0.5, 0.2]), positive, may, 3)
    assert (taken.tolist(), missing) == ([2], 1)


@pytest.mark.parametrize("shift", [-1.5, 1.0])
def test_labels_after_the_change_follow_the_shifted_logits(shift):
    """The closed form: labels drawn with p, moved by one constant on the logits, are labels drawn with that p'."""
    rng = np.random.default_rng(5)
    rows = 200_000
    logit = rng.normal(-0.5, 1.2, rows)
    p, due = 1 / (1 + np.exp(-logit)), 1 / (1 + np.exp(-logit - shift))
    positive = rng.random(rows) < p
    taken, _ = chosen(order(p, positive, Seed(2)), positive, np.ones(rows, bool), round(due.sum()))
    after = positive.copy()
    after[taken] ^= True
    for part in np.array_split(np.argsort(logit), 10):
        error = (due[part] * (1 - due[part])).sum() ** 0.5 / len(part)
        assert abs(after[part].mean() - due[part].mean()) < 4.5 * error
