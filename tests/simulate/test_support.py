import numpy as np
import pytest

from tuckpoint.seed import Seed
from tuckpoint.simulate.support import discrepancy, support


def points(rows, seed=1):
    random = np.random.Generator(np.random.Philox(seed))
    return {"x": random.uniform(0, 1, rows), "z": random.uniform(0, 100, rows)}, random


def test_distance_is_in_units_of_how_far_real_rows_are_apart():
    real, _ = points(400)
    base = support(real, Seed(1))
    assert base.distance(real) == pytest.approx(0, abs=1e-3)
    far = {"x": np.array([0.5, 1.5, 2.5]), "z": np.full(3, 50.0)}
    away = base.distance(far)
    assert away[0] < 1 < away[1] < away[2]
    assert base.beyond(far).tolist() == [False, True, True]
    assert base.beyond(real).mean() < 0.02
    assert base.distance({"x": np.empty(0), "z": np.empty(0)}).shape == (0,)


def test_a_smooth_error_is_found_and_its_doubt_grows_outside():
    real, random = points(300)
    residuals = 2 * np.sin(3 * real["x"]) + random.normal(0, 0.2, 300)
    gap = discrepancy(support(real, Seed(1)), real, residuals, Seed(2))
    inside = {"x": np.array([0.3, 0.6]), "z": np.array([30.0, 60.0])}
    mean, doubt = gap.at(inside)
    assert mean == pytest.approx(2 * np.sin(3 * inside["x"]), abs=0.25)
    away = gap.at({"x": np.array([0.5, 1.5, 3.0, 6.0]), "z": np.full(4, 50.0)})[1]
    assert (np.diff(away) > 0).all()
    assert away[-1] > 5 * doubt.max()


def test_residuals_of_noise_alone_show_next_to_no_discrepancy_and_still_leave_doubt_outside():
    real, random = points(300)
    gap = discrepancy(support(real, Seed(1)), real, random.normal(0, 1, 300), Seed(2))
    mean, doubt = gap.at({"x": np.array([0.5, 3.0]), "z": np.array([50.0, 50.0])})
    assert abs(mean[0]) < 0.25
    assert doubt[0] < 0.3
    assert doubt[1] > 2 * doubt[0]
