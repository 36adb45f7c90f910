import json

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats
from simulate.law import simulator

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.inputs import declared
from tuckpoint.simulate.rare import WEIGHT, calibrated_draws, prior_draws, rare
from tuckpoint.simulate.splitting import Splitting
from tuckpoint.table.encode import encode

LINE = {"inputs": {"x": (-10, 10, "m")}, "parameters": {"slope": (1, 3, "1")}}
MODEL = simulator(lambda p, x, r: {"y": p["slope"] * x["x"]}, **LINE)
HOW = Splitting(rows=500, repetitions=6)


@pytest.fixture
def normal(tmp_path):
    (tmp_path / "inputs.yaml").write_text("tuckpoint_inputs: 1\ninputs: {x: {normal: [0, 1]}}\n")
    return declared(MODEL, tmp_path / "inputs.yaml")


def test_rows_of_the_event_carry_inputs_outputs_weights_and_parameters(normal):
    draws = prior_draws(MODEL, {"slope": 2.0}, 6, Seed(0))
    found, table = rare(MODEL, "y > 8", normal, draws, rows=120, seed=Seed(1), how=HOW)
    assert found.probability == pytest.approx(stats.norm.sf(4), rel=4 * found.error)
    assert table.column_names == ["x", "y", WEIGHT, "_parameters"]
    assert (table["y"].to_numpy() > 8).all()
    assert table["y"].to_numpy() == pytest.approx(2 * table["x"].to_numpy())
    assert table[WEIGHT].to_numpy().sum() == pytest.approx(found.probability)
    assert {json.loads(told)["slope"] for told in table["_parameters"].to_pylist()} == {2.0}


def test_what_is_not_known_of_a_parameter_widens_the_interval(normal):
    held = rare(MODEL, "y > 8", normal, prior_draws(MODEL, {"slope": 2.0}, 6, Seed(0)), rows=60, seed=Seed(1), how=HOW)
    drawn = prior_draws(MODEL, {}, 6, Seed(0))
    free = rare(MODEL, "y > 8", normal, drawn, rows=60, seed=Seed(1), how=HOW)
    assert sorted(int((one["slope"] - 1) * 3) for one in drawn) == list(range(6))  # one in each sixth of the prior
    assert free[0].error > 3 * held[0].error
    told = {json.loads(one)["slope"] for one in free[1]["_parameters"].to_pylist()}
    assert told <= {one["slope"] for one in drawn}
    assert len(told) > 1


def test_real_rows_calibrate_the_parameters():
    x = np.random.default_rng(0).normal(0, 1, 100)
    real = pa.table({"x": x, "y": 2.5 * x + np.random.default_rng(1).normal(0, 0.1, 100)})
    draws = calibrated_draws(MODEL, encode(real, schema_of(real, None)), 6, Seed(0))
    assert [one["slope"] for one in draws] == pytest.approx([2.5] * 6, abs=0.1)


def test_what_does_not_fit_is_refused(normal):
    with pytest.raises(InputError, match='no parameter "slop"'):
        prior_draws(MODEL, {"slop": 2.0}, 6, Seed(0))
    with pytest.raises(InputError, match="give one for each"):
        rare(MODEL, "y > 8", normal, [{"slope": 2.0}], rows=60, seed=Seed(1), how=HOW)
    with pytest.raises(InputError, match='no column "z"'):
        rare(MODEL, "z > 8", normal, [{"slope": 2.0}] * 6, rows=60, seed=Seed(1), how=HOW)
