"""Boosted models of one column: predicted out of fold, and probabilities that are those of the law."""

import numpy as np
import pytest
from scipy.special import expit, ndtri

from tuckpoint.seed import Seed
from tuckpoint.table import kernel
from tuckpoint.table.boosting import FOLDS, fit_head, fit_mean
from tuckpoint.table.codes import code_column, mid_ranks
from tuckpoint.table.engine import Field

N = 6000
FOLD = (np.arange(N) % FOLDS).astype(np.uint8)
SETTINGS = kernel.BoostSettings()


def number(name, values):
    return code_column(Field(name, decimals=3), np.round(values, 3), atom_rows=15)


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.uniform(-2, 2, N)


def test_each_row_is_predicted_by_the_model_that_did_not_learn_it():
    rng, x = drawn()
    y = 2 * x + rng.normal(0, 1, N)
    given = [number("x", x)]
    boost, out = fit_mean(given, mid_ranks(y), SETTINGS, FOLD, Seed(1))
    both = [boost.predict([given[0].code], N, k)[0] for k in range(FOLDS)]
    assert out == pytest.approx(np.where(FOLD == 0, both[0], both[1]), abs=1e-6)
    assert not np.allclose(both[0], both[1], atol=1e-3)
    share = np.corrcoef(ndtri(mid_ranks(y)), out)[0, 1] ** 2
    assert share == pytest.approx(4 * x.var() / (4 * x.var() + 1), abs=0.05)


def test_of_noise_nothing_is_told_that_a_row_alone_could_tell():
    rng, x = drawn()
    wanted = ndtri(mid_ranks(rng.normal(0, 1, N)))
    eager = kernel.BoostSettings(rounds=80, patience=80, min_child=2, penalty=0)
    found = fit_mean([number("x", x)], mid_ranks(wanted), eager, FOLD, Seed(1))
    # Predictions of rows by a model that learnt them would follow them: a correlation of 0.05 has chance 1e-4.
    assert found is None or np.corrcoef(wanted, found[1])[0, 1] < 0.05


def test_levels_are_ordered_by_their_mean_so_that_any_of_them_can_be_parted():
    rng = np.random.default_rng(2)
    code = rng.integers(0, 40, N)
    high = rng.permutation(40) % 2  # which levels are high follows no order of codes
    y = high[code] + rng.normal(0, 0.1, N)
    levels = code_column(Field("c", tuple(f"L{i}" for i in range(40))), code.astype(np.int32), atom_rows=15)
    _, out = fit_mean([levels], mid_ranks(y), SETTINGS, FOLD, Seed(1))
    assert np.corrcoef(out, high[code])[0, 1] > 0.98


@pytest.mark.parametrize("rounds_of", [FOLD, np.repeat([0, 1], N // 2).astype(np.uint8)])
def test_a_head_tells_the_probabilities_of_the_law(rounds_of):
    rng, x = drawn(3)
    truth = expit(2 * x)
    label = (rng.random(N) < truth).astype(np.int32)
    given = [number("x", x)]
    head = fit_head(label, 3, given, SETTINGS, rounds_of, Seed(1))
    told = expit(head.predict([given[0].code], N, 0)[0])
    assert head.models[0].outputs == 1  # two levels, none missing
    assert np.abs(told - truth).mean() < 0.03
    assert told.mean() == pytest.approx(label.mean(), abs=0.01)


def test_what_no_row_holds_has_next_to_no_chance():
    rng, x = drawn(4)
    label = np.where(rng.random(N) < 0.5, 0, np.where(x > 0, 1, 2)).astype(np.int32)
    given = [number("x", x)]
    head = fit_head(label, 4, given, SETTINGS, FOLD, Seed(1))  # three levels, and missing, which nobody is
    score = head.predict([given[0].code], N, 0)
    share = np.exp(score - score.max(axis=0))
    share /= share.sum(axis=0)
    assert share[3].max() < 1e-6
    assert share[1][x > 0.2].mean() == pytest.approx(0.5, abs=0.03)
    assert share[1][x < -0.2].max() < 0.05
