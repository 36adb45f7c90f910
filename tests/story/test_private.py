"""The journey of someone who must not give anybody away: a private twin, its ledger, an audit, the gate."""

import json
import shutil
from contextlib import chdir
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from alarms import no_false_alarms
from pyarrow import csv

import tuckpoint
from tuckpoint import examples
from tuckpoint.cli import main
from tuckpoint.errors import PrivacyError, TraceError
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.write.table import read_stamp

ROWS = 2400
COLUMNS = ["age", "education", "fnlwgt", "sex", "hours_per_week", "income"]


def patients(rows=ROWS, visits=2):
    """People of the census, each with as many rows."""
    table = examples.census().select(COLUMNS).slice(0, rows)
    people = pa.array([f"P{i // visits:05d}" for i in range(rows)])
    return table.add_column(0, "patient_id", people)


def tell(capsys, *words):
    status = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a table of patients, its private twin, and the ledger that paid for it."""
    folder = tmp_path_factory.mktemp("home")
    csv.write_csv(patients(), folder / "patients.csv")
    words = ["--private", "3", "--unit", "patient_id", "--target", "income", "--purpose", "a test", "--who", "me"]
    words += ["--holdout", "0.5", "--ledger", "ledger.jsonl", "--seed", "3"]
    with no_false_alarms(), chdir(folder):
        status = main(["make", "patients.csv", *words, "-o", "out"])
    assert status == 0
    return folder


@pytest.fixture
def at_home(home, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("TUCKPOINT_LEDGER", str(home / "ledger.jsonl"))
    return home


def test_the_folder_says_what_is_promised_and_what_was_tried(at_home):
    names = {path.name for path in Path("out").iterdir()}
    assert {"data.parquet", "model", "audit.html", "audit.json", "officer.json", "gate.json", "report.html"} <= names
    stamp = read_stamp(Path("out/data.parquet"))
    assert stamp["privacy"]["epsilon"] == pytest.approx(3, rel=0.01)
    assert "patient_id" not in stamp["privacy"]["unit"] or "person" in stamp["privacy"]["unit"]
    assert stamp["evidence"]["decision"] == "pass"
    audit = json.loads(Path("out/audit.json").read_text("utf-8"))["audit"]
    assert {"leaky copy", "other real people"} == {control["name"] for control in audit["controls"]}
    assert all(control["worked"] for control in audit["controls"])
    assert [verdict["tier"] for verdict in json.loads(Path("out/gate.json").read_text("utf-8"))["verdicts"]] == [
        "public",
        "partner",
        "internal",
    ]


def test_no_file_that_leaves_tells_how_many_there_were_or_lets_a_guess_be_checked(at_home):
    real = tuckpoint.profile("patients.csv")
    assert real["patient_id"].kind == "identifier"
    digest = __import__("tuckpoint.table.frame", fromlist=["read"]).read("patients.csv").digest
    for name in ("record.json", "recipe.yaml", "model/recipe.yaml", "model/model.json"):
        text = (Path("out") / name).read_text("utf-8")
        assert digest not in text, name
    stamp = read_stamp(Path("out/data.parquet"))
    assert stamp["inputs"][0] == {
        "name": "patients.csv",
        "sha256": "withheld",
        "rows": None,
        "generation": 0,
        "record": None,
    }


def test_each_made_row_is_of_another_person_and_none_of_them_is_real(at_home):
    made = pq.read_table("out/data.parquet")
    real = set(patients()["patient_id"].to_pylist())
    assert not set(made["patient_id"].to_pylist()) & real
    # One of the two rows of each person was counted: the twin stands for about half of the rows.
    assert made.num_rows == pytest.approx(ROWS / 2, rel=0.25)


def test_the_ledger_tells_who_spent_what_for_what(at_home, capsys):
    status, out, _ = tell(capsys, "ledger", "show")
    assert status == 0
    for word in ("patients", "patient_id", "a test", "me"):
        assert word in out
    view = Ledger.at().account("patients", "patient_id")
    assert view.epsilon is not None
    assert 0 < view.epsilon <= 3


def test_drawing_more_is_free_and_entered(at_home, tmp_path, capsys):
    before = Ledger.at().account("patients", "patient_id")
    status, out, err = tell(capsys, "sample", "out/model", "-n", 300, "-o", tmp_path / "more.parquet")
    assert status == 0, err
    assert "costs no privacy" in out
    after = Ledger.at().account("patients", "patient_id")
    assert after.rho == before.rho
    assert len(after.draws) == len(before.draws) + 1
    stamp = read_stamp(tmp_path / "more.parquet")
    assert stamp["privacy"]["ledger"] == read_stamp(Path("out/data.parquet"))["privacy"]["ledger"]


@pytest.mark.parametrize("tier", ["public", "partner", "internal"])
def test_the_gate_lets_it_pass(at_home, capsys, tier):
    status, out, err = tell(capsys, "gate", "out", "--tier", tier)
    assert status == 0, out + err
    assert "pass" in out.lower()


def test_the_gate_blocks_without_evidence(at_home, tmp_path, capsys):
    shutil.copytree("out", tmp_path / "out")
    (tmp_path / "out/audit.json").unlink()
    status, out, _ = tell(capsys, "gate", tmp_path / "out", "--tier", "internal")
    assert status == 2
    assert "audit" in out


def test_the_gate_refuses_rows_that_were_exchanged(at_home, tmp_path, capsys):
    shutil.copytree("out", tmp_path / "out")
    shutil.copy(tmp_path / "out/data.parquet", tmp_path / "kept.parquet")
    table = pq.read_table(tmp_path / "out/data.parquet")
    pq.write_table(table.slice(1), tmp_path / "out/data.parquet")
    status, _, err = tell(capsys, "gate", tmp_path / "out", "--tier", "internal")
    assert status == 2
    assert "other rows" in err


def test_a_lost_ledger_is_noticed(at_home, tmp_path, capsys):
    status, _, err = tell(capsys, "gate", "out", "--tier", "public", "--ledger", tmp_path / "none.jsonl")
    assert status == 2
    assert "deleted" in err


def test_the_same_people_under_another_name_are_refused(at_home, tmp_path, capsys):
    shutil.copy("patients.csv", tmp_path / "others.csv")
    words = ["make", tmp_path / "others.csv", "--private", 1, "--unit", "patient_id", "-o", tmp_path / "out"]
    before = Ledger.at().head()
    status, _, err = tell(capsys, *words)
    assert status == 2
    assert "patients" in err
    assert Ledger.at().head() == before
    assert not (tmp_path / "out").exists()


def test_what_would_pass_the_budget_is_refused(at_home, tmp_path, capsys):
    before = Ledger.at().head()
    words = ["make", "patients.csv", "--private", 14, "--unit", "patient_id", "-o", tmp_path / "out"]
    status, _, err = tell(capsys, *words)
    assert status == 2
    assert "policy" in err or "left" in err
    assert Ledger.at().head() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--private", "3"], "whose privacy?"),
        (["--private", "0", "--unit", "patient_id"], "epsilon"),
        (["--private", "-1", "--unit", "patient_id"], "epsilon"),
        (["--private", "nan", "--unit", "patient_id"], "epsilon"),
        (["--private", "1", "--unit", "patient"], 'did you mean "patient_id"'),
        (["--private", "1", "--unit", "patient_id", "--delta", "2"], "delta"),
        (["--private", "1", "--unit", "patient_id", "--engine", "trees"], "gives no guarantee"),
        (["--unit", "patient_id"], "gives no guarantee"),
        (["--private", "1", "--unit", "patient_id", "--rule", "agee > 3"], 'did you mean "age"'),
        (["--private", "1", "--unit", "patient_id", "--set", "epsilon=2"], "said twice"),
        (["--private", "1", "--unit", "patient_id", "--schema", "data.yaml"], "read off the real rows"),
    ],
)
def test_a_mistake_costs_nothing(at_home, capsys, words, said):
    tuckpoint.profile("patients.csv").dump("data.yaml")
    before = Ledger.at().head()
    status, _, err = tell(capsys, "make", "patients.csv", *words, "-o", "new")
    assert status == 2, err
    assert said in err
    assert Ledger.at().head() == before
    assert not Path("new").exists()


def test_a_unit_with_gaps_is_refused_before_anything_is_spent(tmp_path, ledger_of_this_test):
    table = patients()
    gaps = pa.array([None, *table["patient_id"].to_pylist()[1:]])
    with pytest.raises(PrivacyError, match="1 row names no person"):
        tuckpoint.make(table.set_column(0, "patient_id", gaps), private=1, unit="patient_id", population="p")
    assert not ledger_of_this_test.exists()


def test_a_table_in_memory_needs_a_name_for_its_people(ledger_of_this_test):
    with pytest.raises(PrivacyError, match="whose budget pays"):
        tuckpoint.fit(patients(), private=1, unit="patient_id")
    assert not ledger_of_this_test.exists()


def test_a_fit_that_fails_has_spent(monkeypatch, ledger_of_this_test):
    from tuckpoint.table.engines.marginals import Marginals

    def fail(*_):
        raise TraceError("the machine stopped")

    monkeypatch.setattr(Marginals, "fit", fail)
    with pytest.raises(TraceError) as caught:
        tuckpoint.fit(patients(), private=2, unit="patient_id", population="p")
    assert any("counts as spent" in note for note in caught.value.__notes__)
    view = Ledger.at().account("p", "patient_id")
    assert view.spends[0].closed is None
    assert view.rho > 0


def test_anybodys_file_is_audited(tmp_path, capsys):
    people = examples.census().select([*COLUMNS, "occupation"])
    sides = {"train": people.slice(0, 1500), "held": people.slice(1500, 1500), "good": people.slice(3000, 1500)}
    sides["bad"] = pa.concat_tables([sides["good"].slice(0, 1350), sides["train"].slice(0, 150)])
    for name, table in sides.items():
        csv.write_csv(table, tmp_path / f"{name}.csv")
    for name, status in (("good", 0), ("bad", 2)):
        page, told = tmp_path / f"{name}.html", tmp_path / f"{name}.json"
        words = ["audit", tmp_path / "train.csv", tmp_path / f"{name}.csv", "--holdout", tmp_path / "held.csv"]
        found, out, err = tell(capsys, *words, "-o", page, "-o", told)
        assert found == status, out + err
        assert "<html" in page.read_text("utf-8")
        assert json.loads(told.read_text("utf-8"))["audit"]["decision"] == ("block" if status else "pass")


def test_a_holdout_that_was_trained_on_is_refused(tmp_path, capsys):
    people = examples.census()
    csv.write_csv(people.slice(0, 1500), tmp_path / "train.csv")
    csv.write_csv(people.slice(1000, 1000), tmp_path / "held.csv")
    csv.write_csv(people.slice(3000, 1500), tmp_path / "made.csv")
    status, _, err = tell(
        capsys, "audit", tmp_path / "train.csv", tmp_path / "made.csv", "--holdout", tmp_path / "held.csv"
    )
    assert status == 2
    assert "overlaps" in err


@pytest.mark.parametrize(
    "words",
    [["train.csv"], ["train.csv", "made.csv", "--model", "m"], ["--model", "m"], ["a", "--train", "b", "--model", "m"]],
)
def test_it_is_said_what_an_audit_needs(words, capsys):
    status, _, err = tell(capsys, "audit", *words, "--holdout", "held.csv")
    assert status == 2
    assert "--holdout" in err
