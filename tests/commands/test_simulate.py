import numpy as np
import pyarrow.csv
import pytest
import yaml
from simulate.law import PLANT, WRONG, decaying

from tuckpoint.cli import main
from tuckpoint.table.frame import read
from tuckpoint.write.table import read_stamp


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "plant.py").write_text(PLANT, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    pyarrow.csv.write_csv(decaying(160, np.random.Generator(np.random.Philox(1)), low=2), tmp_path / "train.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return main(["simulate", *words, "--real", "train.csv", "--where", "t < 1.5", "-n", "40", "--draws", "5"])


def test_rows_are_made_told_of_and_stamped(place, capsys):
    assert run("plant.py", "-o", "rows.parquet") == 0
    said = capsys.readouterr().out
    assert "a = " in said
    assert " m\n" in said
    assert "in the 90 % interval" in said
    assert "the simulator is off by" in said
    assert "100% lie beyond the real rows" in said
    table = read(place / "rows.parquet").table
    assert table.num_rows == 40
    stamp = read_stamp(place / "rows.parquet")
    assert stamp["synthetic"] is True
    assert stamp["maker"]["engine"] == "simulator plant.py"
    assert stamp["inputs"][0]["name"] == "train.csv"
    assert stamp["evidence"]["edge guard"]["error"]["y"] > 0
    first = (place / "rows.parquet").read_bytes()
    assert run("plant.py", "-o", "rows.parquet", "--overwrite") == 0
    assert (place / "rows.parquet").read_bytes() == first


def test_a_run_is_repeated_from_its_recipe(place, capsys, monkeypatch):
    given = ("--allowed", "1.2", "--learner", "leaf_rows=5", "--seed", "3")
    assert run("plant.py", "-o", "rows.csv", *given) == 0
    recipe = yaml.safe_load((place / "rows.csv.recipe.yaml").read_text("utf-8"))
    assert recipe["verb"] == "simulate"
    assert recipe["request"]["allowed"] == 1.2
    assert recipe["request"]["learner"]["leaf_rows"] == 5
    capsys.readouterr()
    assert main(["run", "rows.csv.recipe.yaml"]) == 0
    assert "the same bytes again: rows.csv" in capsys.readouterr().out
    (place / "train.csv").write_text((place / "train.csv").read_text("utf-8") + "2.5,0.1,0,a\n")
    assert main(["run", "rows.csv.recipe.yaml"]) == 2
    assert "is not what the recipe was written for" in capsys.readouterr().err
    (place / "train.csv").unlink()
    assert main(["run", "rows.csv.recipe.yaml"]) == 2
    assert "bring it back" in capsys.readouterr().err


def test_what_the_guard_lets_pass_is_the_users(place, capsys):
    assert run("wrong.py", "-o", "rows.parquet", "--allowed", "10") == 0
    assert run("plant.py", "-o", "more.parquet", "--learner", "rounds=0.5") == 2
    assert "rounds is 0.5" in capsys.readouterr().err


def test_a_refused_simulator_ends_with_2_and_writes_nothing(place, capsys):
    assert run("wrong.py", "-o", "rows.parquet") == 2
    assert "refused: the edge guard refuses wrong.py" in capsys.readouterr().out
    assert not (place / "rows.parquet").exists()


def test_inputs_may_come_from_a_reference_and_rows_go_into_text(place, capsys):
    (place / "fleet.csv").write_text("t\n0.25\n0.5\n1.25\n", encoding="utf-8")
    assert run("plant.py", "--reference", "fleet.csv", "-o", "rows.csv") == 0
    assert "inputs: rows of the reference" in capsys.readouterr().out
    assert set(read(place / "rows.csv").table["t"].to_pylist()) == {"0.25", "0.5", "1.25"}
    assert [one["name"] for one in read_stamp(place / "rows.csv")["inputs"]] == ["train.csv", "fleet.csv"]
    assert run("plant.py", "--reference", "fleet.csv", "--engine", "trees", "-o", "more.csv") == 2


def test_a_file_that_stands_there_stops_it_before_the_work(place, capsys):
    (place / "rows.csv").write_text("mine")
    assert run("plant.py", "-o", "rows.csv") == 2
    assert (place / "rows.csv").read_text("utf-8") == "mine"
