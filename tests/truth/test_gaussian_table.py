"""The default engine against tables whose law is known in closed form."""

import numpy as np
import pytest
from scipy import stats

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, Field
from tuckpoint.table.engines.trees import Trees

N = 5000
# Sampling error of a correlation r of n rows is (1 - r^2) / sqrt(n): at most 0.014 for the real rows and again for the
# made ones. Leaves flatten a linear law by a little more, so six of these errors are let pass.
CORRELATION = 6 * 0.014
COVARIANCE = np.array(
    [
        [1.0, 0.8, 0.5, 0.0, -0.6],
        [0.8, 1.0, 0.4, 0.0, -0.5],
        [0.5, 0.4, 1.0, 0.3, -0.3],
        [0.0, 0.0, 0.3, 1.0, 0.0],
        [-0.6, -0.5, -0.3, 0.0, 1.0],
    ]
)


def made_of(columns, *, rows=20_000, target=None, levels=None):
    fields = tuple(
        Field(name, levels=levels[name]) if levels and name in levels else Field(name, decimals=4) for name in columns
    )
    real = Encoded(fields, {n: v if v.dtype == np.int32 else np.round(v, 4) for n, v in columns.items()})
    return Trees().fit(real, Seed(1), Context(target=target)).draw(rows, Seed(2)).columns


def ks_bound(real, made):
    """What two samples of one law differ by at most, 999 times in 1,000."""
    return 1.95 * np.sqrt(1 / real + 1 / made)


@pytest.fixture(scope="module")
def gaussian():
    rng = np.random.default_rng(0)
    values = rng.multivariate_normal(np.zeros(5), COVARIANCE, N)
    real = {name: values[:, i] for i, name in enumerate("abcde")}
    return real, made_of(real)


def test_correlations_are_those_of_the_law(gaussian):
    _, made = gaussian
    found = np.corrcoef(np.stack(list(made.values())))
    assert np.abs(found - COVARIANCE).max() < CORRELATION


def test_conditional_means_and_spreads_are_those_of_the_law(gaussian):
    _, made = gaussian
    slope, noise = 0.8, np.sqrt(1 - 0.8**2)
    for at in (-1.5, -0.5, 0.5, 1.5):
        near = np.abs(made["a"] - at) < 0.15
        assert made["b"][near].mean() == pytest.approx(slope * made["a"][near].mean(), abs=0.15)
        assert made["b"][near].std() == pytest.approx(noise, rel=0.15)


def test_margins_and_tails_are_right(gaussian):
    real, made = gaussian
    for name in "abcde":
        # Made margins follow those of the rows learnt, of which 4 in each tail were not clipped here.
        assert stats.ks_2samp(made[name], real[name]).statistic < ks_bound(N, 20_000)
        for share in (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999):
            truth = stats.norm.ppf(share)
            error = np.sqrt(share * (1 - share) * (1 / N + 1 / 20_000)) / stats.norm.pdf(truth)
            assert np.quantile(made[name], share) == pytest.approx(truth, abs=4 * error), (name, share)


def test_no_made_row_is_a_real_row(gaussian):
    real, made = gaussian
    rows = {tuple(row) for row in np.round(np.stack(list(real.values()), axis=1), 4)}
    assert not rows & {tuple(row) for row in np.stack(list(made.values()), axis=1)}


def test_a_spread_that_depends_on_another_column_is_reproduced():
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, N)
    made = made_of({"x": x, "y": (0.2 + 3 * x) * rng.normal(size=N)})
    for low in (0.0, 0.25, 0.5, 0.75):
        near = (made["x"] >= low) & (made["x"] < low + 0.25)
        inside = made["x"][near]
        assert made["y"][near].std() == pytest.approx(np.sqrt(np.mean((0.2 + 3 * inside) ** 2)), rel=0.12)


def test_two_modes_stay_two():
    rng = np.random.default_rng(2)
    x = rng.uniform(0, 3, N)
    made = made_of({"x": x, "y": rng.choice([-1, 1], N) * x + 0.1 * rng.normal(size=N)})
    far = made["x"] > 2
    assert np.mean(made["y"][far] > 0) == pytest.approx(0.5, abs=0.05)
    assert np.mean(np.abs(made["y"][far]) < 1.2) < 0.02
    assert np.mean(np.abs(np.abs(made["y"][far]) - made["x"][far]) < 0.6) > 0.95


@pytest.mark.parametrize("target", [None, "group"])
def test_zeros_are_exact_and_depend_on_what_they_depend_on(target):
    rng = np.random.default_rng(3)
    group = rng.integers(0, 3, N).astype(np.int32)
    empty = np.array([0.9, 0.5, 0.1])[group]
    amount = np.where(rng.random(N) < empty, 0.0, rng.lognormal(3, 1, N))
    made = made_of({"group": group, "amount": amount}, levels={"group": ("a", "b", "c")}, target=target)
    assert np.mean(made["amount"] == 0) == pytest.approx(np.mean(amount == 0), abs=0.015)
    for level, share in enumerate((0.9, 0.5, 0.1)):
        inside = made["amount"][made["group"] == level]
        assert np.mean(inside == 0) == pytest.approx(share, abs=0.05)
        assert not ((inside > 0) & (inside < amount[amount > 0].min() - 1e-3)).any()


def test_a_target_can_be_learnt_as_well_from_made_rows():
    # The law is P(1 | x) = 1 / (1 + exp(-2 (x1 - x2 + x1 x2))); its own score is the best there is.
    rng = np.random.default_rng(4)
    x = rng.normal(size=(N, 2))
    odds = 2 * (x[:, 0] - x[:, 1] + x[:, 0] * x[:, 1])
    level = (rng.random(N) < 1 / (1 + np.exp(-odds))).astype(np.int32)
    made = made_of({"one": x[:, 0], "two": x[:, 1], "y": level}, levels={"y": ("no", "yes")}, target="y")
    truth = 1 / (1 + np.exp(-2 * (made["one"] - made["two"] + made["one"] * made["two"])))
    for low in np.arange(0, 1, 0.2):
        inside = (truth >= low) & (truth < low + 0.2)
        assert made["y"][inside].mean() == pytest.approx(truth[inside].mean(), abs=0.07)
