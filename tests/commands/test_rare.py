import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from tuckpoint.cli import main
from tuckpoint.write.table import read_stamp

PLANT = """
INPUTS = {"flow": (0, 30, "l/min"), "load": (-9, 9, "1")}
OUTPUTS = {"temperature": "degC"}
PARAMETERS = {"heat": (90, 110, "W")}


def simulate(parameters, inputs, random):
    return {"temperature": parameters["heat"] * inputs["load"]}
"""
INPUTS = "tuckpoint_inputs: 1\ninputs: {flow: {uniform: [1, 2]}, load: {normal: [0, 1]}}\n"
FEW = ["-n", "50", "--climbers", "200", "--repetitions", "5"]


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plant.py").write_text(PLANT)
    (tmp_path / "inputs.yaml").write_text(INPUTS)
    return tmp_path


def run(*words):
    return main(["rare", "plant.py", *words, *FEW])


def test_rows_are_written_with_weights_and_a_stamp(room, capsys):
    words = ["--event", "temperature > 300", "--inputs", "inputs.yaml", "--parameter", "heat=100"]
    assert run(*words, "-o", "rows.parquet") == 0
    told = capsys.readouterr().out
    assert "P(temperature > 300) = 0.001" in told
    table, stamp = pq.read_table("rows.parquet"), read_stamp("rows.parquet")
    assert table.num_rows == stamp["rows"] == 50
    assert table["_weight"].to_numpy().sum() == pytest.approx(stamp["evidence"]["probability"]["value"])
    assert stamp["generation"] == 1
    assert run(*words, "-o", "rows.parquet") == 2  # nothing is overwritten unasked
    assert run(*words, "-o", "again.parquet") == 0
    assert pq.read_table("again.parquet").equals(table)
    assert run(*words, "--seed", "1", "-o", "other.parquet") == 0
    assert not pq.read_table("other.parquet").equals(table)


def test_real_rows_give_inputs_and_parameters(room, capsys):
    random = np.random.default_rng(0)
    load = random.normal(0, 1, 200)
    pc.write_csv(pa.table({"flow": random.uniform(1, 2, 200), "load": load, "temperature": 100 * load}), "real.csv")
    assert run("--event", "temperature > 200 and flow < 1.2", "--real", "real.csv", "-o", "rows.csv") == 0
    told = capsys.readouterr().out
    assert "200 real rows" in told
    assert "calibrated to the real rows" in told
    assert read_stamp("rows.csv")["inputs"][0]["rows"] == 200
    assert run("--event", "temperature > 2000", "--real", "real.csv", "-o", "never.csv") == 2
    assert "was not reached" in capsys.readouterr().err
    assert not (room / "never.csv").exists()


def test_the_mean_over_the_prior_is_told_as_such(room, capsys):
    assert run("--event", "temperature > 300", "--inputs", "inputs.yaml", "-o", "rows.csv") == 0
    assert "the mean over the priors" in capsys.readouterr().out
