import numpy as np
import pytest
from gap.laws import in_parts, law

from tuckpoint.gap.model import Judged, bias
from tuckpoint.gap.weak import harm, pooled, weak
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.seed import Seed

FEATURES = ["age", "pay", "place", "sex"]


def losses(rows, key, mask=None, more=1.0):
    """Skewed losses, larger where the mask holds."""
    loss = Seed(key, ("loss",)).numpy().exponential(1.0, rows)
    loss = loss + (0 if mask is None else more * mask)
    return Judged(loss, np.zeros(rows), np.ones(rows), np.arange(rows), "test")


@pytest.fixture(scope="module")
def columns():
    table = law(3000).select(FEATURES)
    return in_parts(table, table)


def test_a_slice_of_greater_loss_is_found_and_told_once(columns):
    mask = (columns[2].train == 1) & (columns[3].train == 0)
    found, masks, _ = weak(columns, losses(3000, 1, mask))
    assert set(found[0].where.split(" and ")) == {columns[2].where[1], columns[3].where[0]}
    assert np.array_equal(masks[0], mask)
    assert found[0].loss == pytest.approx(2.0, rel=0.1)
    assert found[0].low < found[0].pooled < found[0].loss


def test_with_equal_losses_a_weak_slice_is_rare(columns):
    runs = 150
    false = sum(bool(weak(columns, losses(3000, key))[0]) for key in range(runs))
    assert clopper_pearson(false, runs)[0] <= 0.05


def test_pooled_means_are_nearer_the_truth_and_their_intervals_cover_it():
    random, raw, better, covered, total = Seed(2).numpy(), 0.0, 0.0, 0, 0
    for _ in range(200):
        variances = random.uniform(0.05, 2.0, 25)
        truth = random.normal(1.0, 0.5, 25)
        means = truth + random.normal(size=25) * np.sqrt(variances)
        found = pooled(means, variances)
        raw += ((means - truth) ** 2).sum()
        better += ((found.mean - truth) ** 2).sum()
        covered += (abs(found.mean - truth) <= 1.96 * found.se).sum()
        total += 25
    assert better < 0.5 * raw
    assert covered / total >= 0.94


def test_harm_is_told_where_it_is_and_a_false_one_is_rare():
    mask = np.arange(2000) < 150
    assert harm(losses(2000, 1, mask), mask, tests=5).state == "harmful"
    assert harm(losses(2000, 1), np.arange(2000) < 5, tests=5).state == "too few rows"
    runs, false, covered = 400, 0, 0
    for key in range(runs):
        random = Seed(key, ("true",)).numpy()
        p = random.uniform(0.05, 0.95, 2000)
        y = random.random(2000) < p
        rows = Judged(random.normal(size=2000), p - y, p * (1 - p), np.arange(2000), "test")
        found = harm(rows, mask, tests=1)
        false += found.state == "harmful"
        covered += found.low <= 0 <= found.high
    assert clopper_pearson(false, runs)[0] <= 0.05
    assert covered / runs >= 0.92


def test_bias_of_right_probabilities_is_standard_normal():
    random = Seed(5).numpy()
    z = []
    for _ in range(400):
        p = random.uniform(0.02, 0.5, 300)
        z.append(bias(p - (random.random(300) < p), p * (1 - p))[1])
    assert abs(np.mean(z)) < 0.2
    assert 0.85 < np.std(z) < 1.15
