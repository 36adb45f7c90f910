import json

import numpy as np
import pyarrow as pa
import pytest
from simulate.law import decay, decaying, simulator
from simulate.test_guard import SMALL, rising

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import Calibration
from tuckpoint.simulate.rows import DISCREPANCY, DISTANCE, EXTRAPOLATED, PARAMETERS, Request, make
from tuckpoint.table.infer import infer

REQUEST = Request(Calibration(draws=10, starts=3), learner=SMALL)
MODEL = simulator(decay)


@pytest.fixture(scope="module")
def train():
    return decaying(160, np.random.Generator(np.random.Philox(1)), low=2)


def made(model, train, *, seed=1, rows=400, where="t < 1.5", request=REQUEST, **more):
    return make(model, train, infer(train), rows=rows, where=where, seed=Seed(seed), request=request, **more)


def test_rows_follow_the_law_where_no_real_row_is(train):
    table = made(MODEL, train).table
    t, y = np.asarray(table["t"]), np.asarray(table["y"])
    assert table.num_rows == 400
    assert t.max() < 1.5
    law = 4 * np.exp(-0.5 * t) + 0.7
    assert np.abs(y - law).mean() < 0.7  # the noise alone is 0.16
    assert abs((y - law).mean()) < 0.6  # a is known to 0.5 from t of 2 and more
    assert (y - law).std() > 0.15


def test_every_row_tells_its_parameters_its_distance_and_its_doubt(train):
    batch = made(MODEL, train)
    told = [json.loads(text) for text in batch.table[PARAMETERS].to_pylist()]
    assert {one["draw"] for one in told} == set(range(10))
    assert all(one["a"] == batch.posterior.draws[one["draw"], 0] for one in told)
    assert np.asarray(batch.table[EXTRAPOLATED]).all()
    away, doubt = np.asarray(batch.table[DISTANCE]), np.asarray(batch.table[DISCREPANCY])
    assert np.corrcoef(away, np.asarray(batch.table["t"]))[0, 1] < -0.95
    assert np.corrcoef(doubt, batch.weights)[0, 1] < -0.9  # the more doubt, the less weight
    assert (batch.weights > 0).all()
    assert batch.weights.max() <= 1


def test_rows_among_the_real_ones_are_not_called_extrapolated(train):
    batch = made(MODEL, train, where=None)
    assert batch.extrapolated == 0
    assert np.asarray(batch.table[DISTANCE]).max() == pytest.approx(0, abs=1e-3)


def test_a_wrong_simulator_makes_no_rows(train):
    batch = made(simulator(rising), train)
    assert batch.table is None
    assert "the edge guard refuses law" in batch.why
    assert batch.guard.ratio > 1.1


def test_a_smooth_error_near_the_edge_is_corrected(train):
    """The simulator lacks an offset that real rows have: what the residuals say is added, the noise is drawn anew."""
    y = np.asarray(train["y"]) + 1.5
    moved = train.set_column(train.column_names.index("y"), "y", pa.array(y.round(3)))
    model = simulator(decay, parameters={"a": (0, 10, "m"), "b": (0.01, 3, "1/s", "log"), "c": (0.7, 0.7001, "m")})
    batch = made(model, moved, where="t > 3 and t < 9", request=Request(REQUEST.calibration, allowed=10, learner=SMALL))
    t, y = np.asarray(batch.table["t"]), np.asarray(batch.table["y"])
    assert abs((y - (4 * np.exp(-0.5 * t) + 2.2)).mean()) < 0.15


def test_two_outputs_each_tell_their_doubt(train):
    def two(parameters, inputs, random):
        y = decay(parameters, inputs, random)["y"]
        return {"y": y, "u": 2 * inputs["t"]}

    table = made(simulator(two, outputs={"y": "m", "u": (0, 25, "m")}), train).table
    assert {f"{DISCREPANCY}_y", f"{DISCREPANCY}_u"} <= set(table.column_names)
    assert np.asarray(table["u"]).min() >= 0


def test_the_same_seed_makes_the_same_rows(train):
    one, two, other = (made(MODEL, train, seed=seed, rows=20).table for seed in (1, 1, 2))
    assert one.equals(two)
    assert not one.equals(other)


def test_an_engine_that_cannot_reach_the_slice_makes_none(train):
    request = Request(REQUEST.calibration, "engine", "independent", learner=SMALL)
    assert "engine independent draws no inputs there" in made(MODEL, train, request=request).why


def test_what_is_asked_wrongly_is_refused(train):
    with pytest.raises(InputError, match="inputs: reference needs a table"):
        made(MODEL, train, request=Request(inputs="reference"))
    with pytest.raises(InputError, match="allowed is 0"):
        Request(allowed=0)
