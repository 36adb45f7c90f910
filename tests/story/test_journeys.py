"""Whole journeys of a user through the command line and from Python, on a few people of the census sample."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from alarms import no_false_alarms
from pyarrow import csv

import tuckpoint
from tuckpoint import examples
from tuckpoint.cli import main
from tuckpoint.errors import RecipeError, TraceError
from tuckpoint.recipe import Recipe
from tuckpoint.write.table import read_stamp

ROWS = 700
COLUMNS = ["age", "workclass", "education", "sex", "occupation", "hours_per_week", "income"]


def people(start=0, rows=ROWS):
    """A few people with few columns, and one column that follows from another: the minutes they work."""
    table = examples.census().select(COLUMNS).slice(start, rows)
    return table.append_column("minutes_per_week", pc.multiply(table["hours_per_week"], 60))


def tell(capsys, *words):
    """Run a command; returns its exit status, what it printed and what it complained of."""
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a small table and the twin of it."""
    folder = tmp_path_factory.mktemp("home")
    csv.write_csv(people(), folder / "people.csv")
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert main(["make", "people.csv", "--target", "income", "-o", "out", "--seed", "3"]) == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    return home


def test_make_leaves_a_folder_that_says_what_it_is(at_home):
    names = {path.name for path in Path("out").iterdir()}
    assert names == {"data.parquet", "report.html", "report.json", "recipe.yaml", "record.json", "model"}
    made = pq.read_table("out/data.parquet")
    real = people()
    assert made.column_names == real.column_names
    assert made.num_rows == ROWS
    assert [made.schema.field(name).type for name in ("age", "income")] == [pa.int64(), pa.string()]
    stamp = read_stamp(Path("out/data.parquet"))
    assert stamp["synthetic"] is True
    assert stamp["inputs"][0]["name"] == "people.csv"
    assert stamp == json.loads(Path("out/record.json").read_text("utf-8"))["record"]
    assert json.loads(Path("out/report.json").read_text("utf-8"))["record"] == stamp
    assert "<html" in Path("out/report.html").read_text("utf-8")
    assert str(at_home) not in Path("out/report.html").read_text("utf-8") + Path("out/recipe.yaml").read_text("utf-8")


def test_made_rows_obey_the_rule_that_real_rows_obey(at_home):
    made = pq.read_table("out/data.parquet")
    assert made["minutes_per_week"].to_pylist() == [60 * hours for hours in made["hours_per_week"].to_pylist()]
    assert len(set(made["hours_per_week"].to_pylist())) > 10


def test_the_holdout_was_never_fitted(at_home):
    evaluation = json.loads(Path("out/report.json").read_text("utf-8"))["evaluation"]
    assert evaluation["rows"]["real"] + evaluation["rows"]["holdout"] == ROWS
    assert evaluation["rows"]["holdout"] == ROWS // 5
    assert evaluation["rows"]["made"] == evaluation["rows"]["real"]


def test_run_makes_the_same_bytes_again(at_home, capsys):
    status, out, err = tell(capsys, "run", "out/recipe.yaml")
    assert (status, err) == (0, "")
    assert "the same bytes again" in out
    assert "data.parquet" in out
    assert "report.html" in out


def test_run_tells_which_file_was_changed(at_home, capsys):
    kept = Path("out/record.json").read_bytes()
    Path("out/record.json").write_bytes(kept + b" ")
    status, _, err = tell(capsys, "run", "out/recipe.yaml")
    Path("out/record.json").write_bytes(kept)
    assert status == 2
    assert "different: record.json" in err


def test_run_refuses_a_changed_input(at_home, tmp_path, capsys):
    (tmp_path / "people.csv").write_text(Path("people.csv").read_text("utf-8").replace("39,", "40,", 1))
    status, _, err = tell(capsys, "run", "out/recipe.yaml", "--input", tmp_path / "people.csv")
    assert status == 2
    assert "the input has changed" in err


def test_an_earlier_run_is_replaced_only_on_purpose(at_home, capsys):
    status, _, err = tell(capsys, "make", "people.csv", "-o", "out")
    assert status == 2
    assert "exists already" in err
    assert "--overwrite" in err


def test_a_condition_holds_in_every_row(at_home, tmp_path, capsys):
    where = 'age > 40 and income == ">50K" and sex in ["Male", "Female"]'
    status, _, _ = tell(capsys, "sample", "out/model", "-n", "1_000", "--where", where, "-o", tmp_path / "rows.parquet")
    rows = pq.read_table(tmp_path / "rows.parquet")
    assert status == 0
    assert rows.num_rows == 1000
    assert min(rows["age"].to_pylist()) > 40
    assert set(rows["income"].to_pylist()) == {">50K"}


def test_a_rule_can_be_added_after_the_fit(at_home, tmp_path, capsys):
    status, _, _ = tell(
        capsys, "sample", "out/model", "-n", "300", "--rule", "hours_per_week <= age", "-o", tmp_path / "r.parquet"
    )
    rows = pq.read_table(tmp_path / "r.parquet")
    assert status == 0
    assert all(
        hours <= age for hours, age in zip(*(rows[n].to_pylist() for n in ("hours_per_week", "age")), strict=True)
    )


@pytest.mark.parametrize("shares", ["sex=0.1/0.9", "sex=Female:0.9/Male:0.1"])
def test_shares_can_be_shifted(at_home, tmp_path, capsys, shares):
    status, _, err = tell(
        capsys, "sample", "out/model", "-n", 2000, "--rebalance", shares, "-o", tmp_path / "r.parquet"
    )
    assert status == 0, err
    sexes = pq.read_table(tmp_path / "r.parquet")["sex"].to_pylist()
    assert sexes.count("Female") / len(sexes) == pytest.approx(0.9, abs=0.03)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(at_home, tmp_path, capsys):
    for name, seed in (("a", 7), ("b", 7), ("c", 8)):
        assert tell(capsys, "sample", "out/model", "-n", 200, "--seed", seed, "-o", tmp_path / f"{name}.csv")[0] == 0
    texts = [(tmp_path / f"{name}.csv").read_bytes() for name in "abc"]
    assert texts[0] == texts[1] != texts[2]


def test_any_number_of_workers_gives_the_same_bytes(at_home, tmp_path, capsys, monkeypatch):
    from tuckpoint import run

    monkeypatch.setattr(run, "ROWS_PER_SHARD", 400)
    for workers in (1, 2):
        place = tmp_path / f"{workers}.parquet"
        assert tell(capsys, "sample", "out/model", "-n", 1500, "--workers", workers, "-o", place)[0] == 0
    assert (tmp_path / "1.parquet").read_bytes() == (tmp_path / "2.parquet").read_bytes()
    assert not list(tmp_path.glob(".*"))
    folder = tmp_path / "rows"
    assert tell(capsys, "sample", "out/model", "-n", 1500, "-o", folder)[0] == 0
    assert pq.read_table(sorted(folder.glob("part-*.parquet"))).equals(pq.read_table(tmp_path / "1.parquet"))
    assert tell(capsys, "run", tmp_path / "1.parquet.recipe.yaml")[0] == 0


def test_partly_filled_rows_are_completed(at_home, tmp_path, capsys):
    table = pq.read_table("out/data.parquet").slice(0, 60)
    gaps = pa.array([None] * 60, pa.string())
    partial = table.set_column(table.column_names.index("occupation"), "occupation", gaps)
    pq.write_table(partial, tmp_path / "partial.parquet")
    status, _, err = tell(
        capsys, "complete", "out/model", tmp_path / "partial.parquet", "-o", tmp_path / "full.parquet"
    )
    assert status == 0, err
    full = pq.read_table(tmp_path / "full.parquet")
    assert full["age"].to_pylist() == table["age"].to_pylist()
    assert len(set(full["occupation"].to_pylist())) > 3


def test_made_rows_of_anyone_are_measured(at_home, tmp_path, capsys):
    for name, start, rows in (("real", 0, 600), ("copy", 0, 600), ("held", 1000, 300)):
        csv.write_csv(people(start, rows), tmp_path / f"{name}.csv")
    status, out, err = tell(
        capsys, "measure", tmp_path / "real.csv", tmp_path / "copy.csv", "--holdout", tmp_path / "held.csv",
        "--target", "income", "-o", tmp_path / "report.html", "-o", tmp_path / "report.json",
    )  # fmt: skip
    assert status == 0, err
    assert "Does not hold" in out  # a plain copy of real rows must not pass
    scores = {
        score["name"]: score
        for score in json.loads((tmp_path / "report.json").read_text("utf-8"))["evaluation"]["scores"]
    }
    assert scores["exact_copies"]["passed"] is False


def test_a_holdout_that_is_one_of_the_other_files_is_refused(at_home, tmp_path, capsys):
    for name, start in (("real", 0), ("made", 600)):
        csv.write_csv(people(start, 300), tmp_path / f"{name}.csv")
    for name in ("real", "made"):
        held = tmp_path / f"{name}.csv"
        status, _, err = tell(capsys, "measure", tmp_path / "real.csv", tmp_path / "made.csv", "--holdout", held)
        assert status == 2
        assert f"the holdout {name}.csv holds the {name} rows; pass real rows that the maker never saw" in err


def test_a_schema_is_shown_corrected_and_used(at_home, tmp_path, capsys):
    schema = tmp_path / "schema.yaml"
    assert tell(capsys, "schema", "people.csv", "--target", "income", "-o", schema)[0] == 0
    text = schema.read_text("utf-8")
    assert "kind: integer" in text
    shown = tell(capsys, "schema", "people.csv", "--target", "income")[1]
    assert shown == text
    schema.write_text(text.replace("name: sex\n  kind: category", "name: sex\n  kind: categry"))
    status, _, err = tell(capsys, "fit", "people.csv", "--schema", schema, "-o", tmp_path / "model")
    assert status == 2
    assert 'column "sex": unknown kind' in err
    assert 'did you mean "category"' in err
    schema.write_text(text.replace("target: income", "target: sex"))
    status, _, err = tell(
        capsys, "fit", "people.csv", "--schema", schema, "--engine", "independent", "-o", tmp_path / "model"
    )
    assert status == 0, err
    assert tuckpoint.load(tmp_path / "model").model.schema.target == "sex"
    assert tell(capsys, "run", tmp_path / "model/recipe.yaml")[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["make", "none.csv", "-o", "new"], "no file none.csv"),
        (["make", "people.csv", "--target", "incom", "-o", "new"], 'did you mean "income"'),
        (["make", "people.csv", "--engine", "tree", "-o", "new"], 'did you mean "trees"'),
        (["make", "people.csv", "--set", "leef=3", "-o", "new"], 'no setting "leef"'),
        (["make", "people.csv", "--rule", "agee > 3", "-o", "new"], 'did you mean "age"'),
        (["make", "people.csv", "--holdout", "2", "-o", "new"], "a share from 0 to 0.9"),
        (["make", "people.csv", "-o", "not/there"], "no folder not"),
        (["sample", "nowhere", "-n", "3", "-o", "x.csv"], "no saved model nowhere"),
        (["sample", "out/model", "-n", "3", "-o", "x.docx"], "no format"),
        (["sample", "out/model", "-n", "3", "--where", "age >", "-o", "x.csv"], "age >"),
        (["sample", "out/model", "-n", "3", "--rebalance", "sex=1/1/1", "-o", "x.csv"], "3 shares"),
        (["run", "out"], "recipe.yaml"),
        (["example", "censos", "-o", "x.csv"], 'did you mean "census"'),
    ],
)
def test_a_mistake_is_told_in_one_message(at_home, capsys, words, said):
    status, _, err = tell(capsys, *words)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert err.startswith("tuckpoint: ")
    assert not Path("new").exists()


def test_traceback_shows_where_a_mistake_came_from(at_home, capsys):
    assert "Traceback" in tell(capsys, "make", "none.csv", "-o", "new", "--traceback")[2]


def test_a_tampered_model_is_refused(at_home, tmp_path, capsys):
    import shutil

    shutil.copytree("out/model", tmp_path / "model")
    file = tmp_path / "model/model.json"
    file.write_bytes(file.read_bytes().replace(b"income", b"incame", 1))
    status, _, err = tell(capsys, "sample", tmp_path / "model", "-n", 3, "-o", tmp_path / "x.csv")
    assert status == 2
    assert "altered or damaged" in err
    with pytest.raises(TraceError):
        tuckpoint.load(tmp_path / "model")


def test_a_private_run_states_its_guarantee_and_is_not_spent_twice(at_home, tmp_path, capsys):
    words = ["make", "people.csv", "--engine", "marginals", "--set", "epsilon=2", "--unit", "row"]
    schema = tmp_path / "schema.yaml"
    assert tell(capsys, "schema", "people.csv", "-o", schema)[0] == 0
    status, _, err = tell(capsys, *words, "--schema", schema, "-o", tmp_path / "out")
    assert status == 2
    assert "was read off the real rows" in err
    schema.write_text(schema.read_text("utf-8").replace("provenance: data", "provenance: expert"))
    with no_false_alarms():
        status, _, err = tell(capsys, *words, "--schema", schema, "--holdout", "0.5", "-o", tmp_path / "out")
    assert status == 0, err
    assert read_stamp(tmp_path / "out/data.parquet")["privacy"]["epsilon"] == pytest.approx(2, rel=0.01)
    status, _, err = tell(capsys, "run", tmp_path / "out/recipe.yaml")
    assert status == 2
    assert "each fit spends privacy" in err


def test_a_twin_of_a_twin_says_so(at_home, tmp_path):
    made = tuckpoint.make(Path("out/data.parquet"), engine="independent", rows=10)
    assert made.record.generation == 2
    assert made.record.parents


def test_an_audited_run_is_audited_again():
    table = people(rows=300)
    made = tuckpoint.make(table, target="income", engine="independent", audit=True)
    read = Recipe.from_dict(made.recipe.to_dict())
    assert read == made.recipe
    again = tuckpoint.repeat(read, table)
    assert again.audited is not None
    assert again.record.to_dict() == made.record.to_dict()


@pytest.mark.parametrize("kind", ["pandas", "polars", "arrow"])
def test_the_dataframe_that_went_in_comes_back(kind, monkeypatch):
    table = people(rows=300)
    data = {"pandas": lambda: table.to_pandas(), "polars": lambda: pytest.importorskip("polars").from_arrow(table)}
    frame = data.get(kind, lambda: table)()
    made = tuckpoint.make(frame, target="income", engine="independent")
    assert type(made.data) is type(frame)
    assert list(made.data.columns if kind != "arrow" else made.data.column_names) == table.column_names
    more = tuckpoint.sample(made.fitted, 20)
    assert type(more) is type(frame)
    assert len(more) == 20
    again = tuckpoint.repeat(made.recipe, frame)
    assert again.table.equals(made.table)
    if kind == "pandas":  # completed rows are those that came in, under their labels
        partial = frame.iloc[:9][["age", "sex"]].set_index([[f"p{i}" for i in range(9)]])
        assert tuckpoint.complete(made.fitted, partial).index.equals(partial.index)
    with pytest.raises(RecipeError, match="was a table in memory"):
        tuckpoint.repeat(made.recipe)


def test_an_interrupt_ends_with_130_and_leaves_nothing_half_written(home, tmp_path):
    command = [sys.executable, "-m", "tuckpoint", "sample", str(home / "out/model"), "-n", "40_000_000"]
    running = subprocess.Popen(
        [*command, "-o", "rows.parquet", "--workers", "1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".rows.parquet.shards/part-*")) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert re.search(r"stopped with \d+ of 160 shards", err)
    assert not (tmp_path / "rows.parquet").exists()
