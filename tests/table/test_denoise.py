import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from tuckpoint.table.denoise import average, fit_margins, project, project_margins, standing


@given(st.lists(st.floats(-1e5, 1e5), min_size=1, max_size=30), st.floats(1, 1e6))
@settings(max_examples=60, deadline=None)
def test_projection_is_a_table_of_that_total(noisy, total):
    near = project(np.array(noisy), total)
    assert (near >= 0).all()
    assert near.sum() == pytest.approx(total, rel=1e-9)


def test_projection_is_the_nearest():
    noisy = np.array([5.0, -3.0, 1.0, 9.0])
    found = minimize(
        lambda x: ((x - noisy) ** 2).sum(),
        np.full(4, 2.5),
        bounds=[(0, None)] * 4,
        constraints={"type": "eq", "fun": lambda x: x.sum() - 10},
    )
    assert project(noisy, 10) == pytest.approx(found.x, abs=1e-4)


def test_projection_keeps_what_is_already_true():
    counts = np.array([4.0, 0.0, 6.0])
    assert project(counts, 10) == pytest.approx(counts)
    table = np.array([[3.0, 1.0], [0.0, 6.0]])
    assert project_margins(table, table.sum(1), table.sum(0)) == pytest.approx(table)


def test_projection_onto_margins_takes_noise_away():
    stream = np.random.default_rng(4)
    truth = np.diag([500.0, 300.0, 150.0, 50.0])
    noisy = truth + stream.normal(0, 20, truth.shape)
    near = project_margins(noisy, truth.sum(1), truth.sum(0))
    assert (near >= 0).all()
    assert near.sum(axis=0) == pytest.approx(truth.sum(axis=0), abs=1)
    assert np.abs(near - truth).sum() < 0.5 * np.abs(np.maximum(noisy, 0) - truth).sum()


def test_fitted_margins_agree_and_keep_odds_ratios():
    table = np.array([[4.0, 1.0], [2.0, 8.0]])
    fitted = fit_margins(table, np.array([30.0, 70.0]), np.array([60.0, 40.0]), rounds=200)
    assert fitted.sum(axis=1) == pytest.approx([30, 70])
    assert fitted.sum(axis=0) == pytest.approx([60, 40])
    assert fitted[0, 0] * fitted[1, 1] / (fitted[0, 1] * fitted[1, 0]) == pytest.approx(16)


def test_average_weighs_by_precision():
    assert average([np.array([1.0]), np.array([4.0])], [1.0, 2.0]) == pytest.approx([2.0])


@pytest.mark.parametrize("size", [1, 2, 7, 256, 300])
def test_nothing_stands_where_all_is_noise_so_all_of_it_is_kept(size):
    """A run is believed to be empty only beside one that is not."""
    assert standing(np.zeros(size), 5.0).all()
    assert standing(np.full(size, 1000.0), 5.0).all()


def test_runs_of_noise_beside_what_stands_out_are_empty():
    stream = np.random.default_rng(6)
    truth = np.zeros(256)
    truth[16:48] = 200.0
    truth[200] = 80.0  # alone among noise, and far above it
    kept = [standing(truth + stream.normal(0, 10, 256), 10.0) for _ in range(200)]
    share = np.mean(kept, axis=0)
    assert share[16:48].min() > 0.99
    assert share[200] > 0.98
    # Pure noise stands out in hardly any of 512 runs, by chance and by its neighbours.
    assert np.mean(np.array(kept)[:, 64:192].any(axis=1)) < 0.1
    assert np.mean(np.array(kept)[:, 208:].any(axis=1)) < 0.1


def test_thin_cells_that_stand_out_only_together_are_kept_together():
    counts = np.zeros(64)
    counts[:8] = 500.0
    counts[32:48] = 20.0  # below the limit alone, above it as a run of sixteen
    kept = standing(counts, 10.0)
    assert kept[:8].all()
    assert kept[32:48].all()
    assert not kept[8:32].any()
    assert not kept[48:].any()
