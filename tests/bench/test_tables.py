"""The bench's own parts: what it refuses, what it keeps, and that its scorer can tell good rows from bad."""

import json

import numpy as np
import pandas as pd
import pytest
from bench.tables import run
from bench.tables.growth import grown, points
from bench.tables.report import cell, lines
from bench.tables.score import average, score
from bench.tables.sets import SETS, split

from tuckpoint.examples import census


def planted(rows: int, seed: int) -> pd.DataFrame:
    """A class that hangs on a number, a heap at zero and a category."""
    rng = np.random.default_rng(seed)
    number = rng.normal(size=rows)
    heap = np.where(rng.random(rows) < 0.5, 0.0, number + rng.normal(0, 0.1, rows))
    group = np.where(number > 0.3, "high", "low")
    label = np.where(number + rng.normal(0, 0.5, rows) > 0, "yes", "no")
    return pd.DataFrame({"number": number, "heap": heap, "group": group, "label": label})


def test_the_scorer_tells_fresh_rows_from_shuffled_ones_and_from_copies(tmp_path):
    train, holdout, fresh = planted(1200, 0), planted(400, 1), planted(1200, 2)
    rng = np.random.default_rng(3)
    shuffled = pd.DataFrame({name: rng.permutation(fresh[name].to_numpy()) for name in fresh.columns})
    found = {}
    for name, made in {"fresh": fresh, "shuffled": shuffled, "copied": train}.items():
        made.to_parquet(tmp_path / "made.parquet", index=False)
        found[name] = score(train, tmp_path / "made.parquet", holdout, target="label")
    assert abs(found["fresh"]["c2st"] - 0.5) < 0.08 < found["shuffled"]["c2st"] - 0.5
    assert found["fresh"]["tstr"] > found["fresh"]["trtr"] - 0.03 > found["shuffled"]["tstr"]
    assert found["copied"]["copies"] == 1 > found["fresh"]["copies"] == found["fresh"]["copies_floor"] == 0
    assert found["copied"]["mia"] > 0.9 > 0.58 > found["fresh"]["mia"]
    assert (
        found["copied"]["dcr"] > 0.6 > found["fresh"]["dcr"]
    )  # train is cut to a third: a third sure, two thirds even
    assert found["shuffled"]["tvd2_eq"] > 2 * found["fresh"]["tvd2_eq"]


def test_a_judge_without_an_answer_has_no_mean():
    assert average([0.5, 0.7]) == pytest.approx(0.6)
    assert average([0.5, None]) is None


def test_a_missing_folder_is_named_with_what_to_do(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["run", str(tmp_path / "nowhere"), "--sets", "adult", "--peers", "tuckpoint"])
    assert run.main() == 2
    message = capsys.readouterr().err
    assert "nowhere/adult/adult.csv" in message
    assert "bench/tables/README.md" in message


def test_an_outcome_replaces_only_its_own_run(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "RESULTS", tmp_path)
    for seed, value in ((0, 1), (1, 2), (0, 3)):
        run.note({"set": "adult", "peer": "cart", "seed": seed, "value": value})
    run.note({"set": "adult", "peer": "tuckpoint", "seed": 0, "value": 4})
    kept = {key: item["value"] for key, item in run.outcomes().items()}
    assert kept == {("adult", "cart", 0): 3, ("adult", "cart", 1): 2, ("adult", "tuckpoint", 0): 4}
    assert len((tmp_path / "peers.jsonl").read_text("utf-8").splitlines()) == 2
    assert json.loads((tmp_path / "tuckpoint.jsonl").read_text("utf-8"))["value"] == 4


def test_the_split_is_the_same_each_time_and_loses_no_row(tmp_path):
    folder = tmp_path / "insurance"
    folder.mkdir()
    planted(50, 0).assign(charges=np.arange(50)).to_csv(folder / "insurance.csv", index=False)
    train, holdout = split(tmp_path, SETS["insurance"])
    again, _ = split(tmp_path, SETS["insurance"])
    assert (len(train), len(holdout)) == (40, 10)
    assert sorted([*train["charges"], *holdout["charges"]]) == list(range(50))
    pd.testing.assert_frame_equal(train, again)


def test_a_cell_shows_the_mean_and_the_range_over_seeds():
    assert cell([0.5, 0.6], ".2f") == "0.55 (0.50..0.60)"
    assert cell([0.5], ".2f") == "0.50"
    assert cell([], ".2f") == "-"
    assert lines([["a", "b"], ["1", "2"]]) == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_a_grown_table_has_the_size_asked_and_hardly_a_row_of_the_base():
    base = census()
    made = grown(base, 2_000, 40)
    assert (made.num_rows, made.num_columns) == (2_000, 40)
    assert made.column_names[-1] == "income"
    first = made.select(base.column_names).to_pandas()
    known = set(map(str, base.to_pandas().to_dict("records")))
    assert np.mean([str(row) in known for row in first.to_dict("records")]) < 0.02
    assert [point[1] for point in points(100_000, 15) if point[0] == "rows fitted"] == [10_000, 100_000]
