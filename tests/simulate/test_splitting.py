import numpy as np
import pytest
from scipy import stats

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.event import event
from tuckpoint.simulate.splitting import Splitting, interval, split


def climb(call, size, limit, *, key=0, rows=200, how=None):
    how = how or Splitting(rows=500)
    found = event(f"g > {limit!r}", ["g"])
    return split(lambda at, seed: {"g": call(at, seed)}, size, found, rows=rows, how=how, seed=Seed(key, ("test",)))


@pytest.mark.parametrize(
    ("call", "size", "limit", "truth"),
    [
        (lambda at, _: at.sum(axis=1) / 10**0.5, 10, stats.norm.isf(1e-6), 1e-6),
        (lambda at, _: np.abs(at[:, 0]), 2, stats.norm.isf(5e-6), 1e-5),
        (lambda at, _: (at**2).sum(axis=1), 5, stats.chi2(5).isf(1e-4), 1e-4),
        (lambda at, seed: (at[:, 0] + seed.numpy().standard_normal(len(at))) / 2**0.5, 1, stats.norm.isf(1e-3), 1e-3),
        (lambda at, _: at[:, 0], 1, stats.norm.isf(0.3), 0.3),
    ],
    ids=["sum", "either side", "radius", "a simulator that draws", "not rare"],
)
def test_closed_forms_are_met(call, size, limit, truth):
    found = climb(call, size, float(limit))
    assert found.probability == pytest.approx(truth, rel=max(4 * found.error, 0.05))
    assert found.low < found.probability < found.high
    assert found.error < 0.35
    assert (found.rows["g"] > limit).all()
    assert len(found.weights) == 200
    assert found.weights.sum() == pytest.approx(found.probability)


def test_estimates_are_unbiased_even_with_few_climbers():
    how = Splitting(rows=50, repetitions=150, moves=3)
    estimates = climb(lambda at, _: at[:, 0], 1, float(stats.norm.isf(1e-3)), how=how, rows=150).estimates
    assert estimates.std() > 3e-4  # so few that a bias of order 1 / rows would show
    assert abs(estimates.mean() - 1e-3) < 3.3 * estimates.std() / 150**0.5


def test_weighted_rows_are_distributed_as_the_event_is():
    limit = float(stats.norm.isf(1e-4))
    found = climb(lambda at, _: at[:, 0], 3, limit, rows=3000)
    mean = float(np.average(found.rows["g"], weights=found.weights))
    spread = float(stats.norm.expect(lambda x: (x - mean) ** 2, lb=limit, conditional=True)) ** 0.5
    assert mean == pytest.approx(stats.norm.expect(lambda x: x, lb=limit, conditional=True), abs=4 * spread / 30)


def test_an_output_of_few_values_is_climbed():
    truth = stats.binom(30, 0.1).sf(14)
    quantile = stats.binom(30, 0.1)
    how = Splitting(rows=150)
    found = climb(lambda at, _: np.asarray(quantile.isf(stats.norm.sf(at[:, 0]))), 1, 14.0, how=how)
    assert found.probability == pytest.approx(truth, rel=4 * found.error)


def test_the_same_seed_gives_the_same_and_models_of_repetitions_may_differ():
    first, again, other = (climb(lambda at, _: at[:, 0], 1, 3.0, key=key) for key in (0, 0, 1))
    assert (first.estimates == again.estimates).all()
    assert (first.estimates != other.estimates).any()
    shifts = [0.0, 0.0, 1.0, 1.0]
    each = [lambda at, _, by=by: {"g": at[:, 0] + by} for by in shifts]
    asked, how = event("g > 3", ["g"]), Splitting(rows=2000, repetitions=4)
    found = split(each[0], 1, asked, rows=40, how=how, seed=Seed(0), each=each)
    truth = (stats.norm.sf(3) + stats.norm.sf(2)) / 2
    assert found.low < truth < found.high
    assert found.estimates == pytest.approx([stats.norm.sf(3 - by) for by in shifts], rel=0.4)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda at, _: np.minimum(at[:, 0], 2.0), "no row comes nearer"),
        (lambda at, _: np.zeros(len(at)), "no row comes nearer"),
        (lambda at, _: np.tanh(at[:, 0]), "30 levels or 5,000,000 runs are spent"),
    ],
    ids=["a ceiling", "a constant", "an end that is never reached"],
)
def test_an_event_that_is_never_reached_is_an_error_with_how_near_it_came(call, told):
    with pytest.raises(InputError, match=told) as error:
        climb(call, 1, 9.0)
    assert "nearest: g = " in str(error.value)


def test_repetitions_that_never_arrive_count_as_zero():
    # The pilot finds a door of one in fifty that opens beside the climb: many repetitions of 50 climbers miss it.
    how = Splitting(rows=50, repetitions=40, pass_share=0.02)

    def door(at, _):
        return np.where(at[:, 1] > 2.05, at[:, 0], -1.0)

    estimates = climb(door, 2, 0.0, how=how, rows=40).estimates
    assert (estimates == 0).any()
    assert estimates.mean() == pytest.approx(stats.norm.sf(2.05) / 2, abs=4 * estimates.std() / 40**0.5)
    with pytest.raises(InputError, match=r"repetitions reached the event, too few for 2,000 rows"):
        climb(door, 2, 0.0, how=how, rows=2000)  # never fewer rows than were asked for


def test_the_interval_holds_the_mean_of_skewed_estimates():
    random, held = np.random.default_rng(0), 0
    for _ in range(2000):
        low, high = interval(1e-6 * np.exp(0.5 * random.standard_normal(10) - 0.125))
        held += low < 1e-6 < high
    assert 0.935 < held / 2000 < 0.965
    low, high = interval(np.array([0.0, 2e-6, 3e-6, 3e-6]))
    assert low * high == pytest.approx(4e-12)
    assert interval(np.zeros(4)) == (0.0, 1.0)


def test_settings_out_of_range_are_refused():
    for wrong in ({"rows": 10}, {"repetitions": 2}, {"pass_share": 0.9}, {"calls": 10}):
        with pytest.raises(InputError, match="splitting: "):
            Splitting(**wrong)
    with pytest.raises(InputError, match="ask for fewer rows"):
        climb(lambda at, _: at[:, 0], 1, 3.0, rows=50_000)
