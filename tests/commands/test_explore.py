import json

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pytest

from tuckpoint.cli import main

PLAN = """tuckpoint_plan: 1
target: y
metric: rmse
sources: [{name: twin, engine: trees, mine_rules: false}]
learner: {rounds: 10, rate: 0.2, leaves: 7, leaf_rows: 20}
"""


@pytest.fixture(autouse=True)
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    x, z = random.normal(0, 1, (2, 600)).round(2)
    pc.write_csv(pa.table({"x": x, "z": z, "y": np.where(x > 1, 8.0, 0.0) * z}), "real.csv")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_a_surface_is_written_and_its_state_is_the_exit_status(room, capsys):
    words = ["explore", "plan.yaml", "--real", "real.csv", "--source", "twin", "-n", "1000"]
    status = main([*words, "-o", "surface.html", "-o", "surface.json"])
    told = json.loads((room / "surface.json").read_text("utf-8"))
    assert status == told["exit"] == 0
    assert "x >= " in told["surface"]["corner"]["where"]
    assert "A weak corner" in capsys.readouterr().out
    assert "</html>" in (room / "surface.html").read_text("utf-8")
    assert main([*words, "-o", "surface.html"]) == 2  # nothing is overwritten unasked
    assert main([*words[:-4], "--source", "other"]) == 2
