import numpy as np
from simulate.law import decay, simulator
from simulate.test_calibrate import real_rows

from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import Calibration
from tuckpoint.simulate.predictive import check

HOW = Calibration(draws=10, starts=3)


def test_held_out_rows_fall_into_the_predictive_interval_as_often_as_they_should():
    within = rows = 0
    for seed in range(3):
        found = check(simulator(decay), real_rows(decay, 200, seed), Seed(seed), HOW)
        within, rows = within + found.within["y"], rows + found.rows
        assert abs(found.z["y"]) < 3.5
    assert rows == 120
    assert 0.80 < within / rows < 0.98


def test_a_simulator_that_is_off_everywhere_is_seen():
    def low(parameters, inputs, random):
        return {"y": np.zeros(len(inputs["t"])) * parameters["a"]}

    found = check(simulator(low, parameters={"a": (0, 1, "")}), real_rows(decay, 200, 1), Seed(1), HOW)
    assert found.off["y"] > 0.7
    assert found.z["y"] > 5


def test_too_few_rows_check_nothing():
    assert check(simulator(decay), real_rows(decay, 60, 1), Seed(1), HOW) is None
