"""The verb `fair`, and the target in recipe, record and rows of `sample` and `make`."""

import json

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from fair.laws import PARITY, law

from tuckpoint import arguments, deliver, run
from tuckpoint.cli import _VERBS, main
from tuckpoint.commands import fair
from tuckpoint.errors import InputError
from tuckpoint.fair.spec import Spec
from tuckpoint.recipe import Recipe
from tuckpoint.table.frame import read

ASKED = {**PARITY, "groups": ["sex"]}
FEW = {"engine": "trees", "settings": {"rounds": 5, "trees": 3}, "mine_rules": False, "target": "pay"}


def rates(table):
    pairs = list(zip(table["sex"].to_pylist(), table["pay"].to_pylist(), strict=True))
    return {
        who: sum(pay == ">50K" for sex, pay in pairs if sex == who) / sum(sex == who for sex, _ in pairs)
        for who in ("man", "woman")
    }


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fair") / "model"
    pc.write_csv(law(1200), folder.parent / "train.csv")
    deliver.fit(folder.parent / "train.csv", folder, workers=1, **FEW)
    return folder


@pytest.fixture
def room(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fair.yaml").write_text(Spec.from_dict(ASKED).to_yaml())
    (tmp_path / "train.csv").write_bytes((model.parent / "train.csv").read_bytes())
    pc.write_csv(law(600, key=5), "held.csv")
    return tmp_path


def verb(model, *words, real="train.csv"):
    given = ("fair.yaml", "--real", real, "--holdout", "held.csv", "-n", "800", "--workers", "1")
    return main(["fair", str(model), *given, *words])


def test_the_examples_of_the_help_are_understood():
    told = [line.split() for line in fair.MORE.splitlines() if line.startswith("  tuckpoint ")]
    assert len(told) == 2
    for words in told:
        assert arguments.parser(_VERBS).parse_args(words[1:]).rows == 10_000


def test_rows_page_and_record_tell_what_was_asked_and_done(room, model, capsys):
    assert verb(model, "-o", "rows.parquet", "-o", "fair.html", "-o", "fair.json") == 0
    table, told = pq.read_table("rows.parquet"), json.loads((room / "fair.json").read_text("utf-8"))
    assert abs(rates(table)["man"] - rates(table)["woman"]) <= 0.005
    assert told["kept"]["asked"]["target"] == "label parity"
    assert [arm["name"] for arm in told["effects"]["arms"]] == ["real", "made", "fair"]
    assert f"{told['kept']['changed']:,} of 800 labels changed" in capsys.readouterr().out
    assert "</html>" in (room / "fair.html").read_text("utf-8")
    about = run.stamp_of("rows.parquet")["evidence"]["fair"]
    assert about["labels_changed"] == told["kept"]["changed"] > 0
    assert about["asked"] == Spec.load("fair.yaml").to_dict()
    assert "donors" not in json.dumps(about)


def test_the_recipe_beside_the_rows_makes_them_again(room, model, capsys):
    deliver.sample(model, room / "rows.csv", 800, fair=room / "fair.yaml", workers=1)
    assert Recipe.load("rows.csv.recipe.yaml").fair == Spec.load("fair.yaml").to_dict()
    assert main(["run", "rows.csv.recipe.yaml"]) == 0
    assert "the same bytes again" in capsys.readouterr().out


def test_what_cannot_be_kept_ends_with_2_and_no_rows(room, model, capsys):
    (room / "fair.yaml").write_text(Spec.from_dict({**PARITY, "tolerance": 0.0001}).to_yaml())
    assert verb(model, "-o", "rows.csv", "-o", "fair.html") == 2
    assert "no rows were written" in capsys.readouterr().err
    assert not (room / "rows.csv").exists()
    (room / "fair.yaml").write_text("target: no bias\ngroups: [sex]\n")
    assert verb(model, "-o", "rows.csv") == 2
    assert "several meanings" in capsys.readouterr().err


def test_slips_are_found_before_any_work(room, model, capsys):
    assert verb(model, "-o", "fair.html") == 2
    assert "0 files of rows" in capsys.readouterr().err
    assert verb(model, "-o", "rows.csv", real="held.csv") == 2
    assert "the same rows" in capsys.readouterr().err


def test_sample_keeps_a_target_and_refuses_conditions_beside_it(room, model):
    rows, told = deliver.sample(model, room / "some.parquet", 800, fair=room / "fair.yaml", workers=1)
    assert rows == 800
    assert "label parity over sex kept" in told
    plain = deliver.sample(model, room / "plain.parquet", 800, workers=1)
    assert plain == (800, None)
    some, plain = pq.read_table("some.parquet"), pq.read_table("plain.parquet")
    assert [name for name in some.column_names if not some[name].equals(plain[name])] == ["pay"]
    with pytest.raises(InputError, match="use `shares`"):
        deliver.sample(model, room / "more.parquet", 800, fair=ASKED, where="age > 30", workers=1)


def test_make_keeps_a_target_and_a_private_fit_does_not_pay_for_one():
    real = law(800)
    made = run.make(real, rows=900, fair=ASKED, workers=1, **FEW)
    assert isinstance(made.data, pa.Table)
    assert made.fair.changed == made.record.evidence["fair"]["labels_changed"] > 0
    assert abs(rates(made.data)["man"] - rates(made.data)["woman"]) <= 0.005
    assert Recipe.from_dict(made.recipe.to_dict()) == made.recipe
    with pytest.raises(InputError, match="must not cost a private fit"):
        run.make(real, fair=ASKED, private=1.0, unit="row", population="nobody")


def test_a_recipe_without_a_target_has_no_such_entry(room, model):
    deliver.sample(model, room / "plain.csv", 50, workers=1)
    assert "fair" not in Recipe.load("plain.csv.recipe.yaml").to_dict()
    assert read("plain.csv").table.num_rows == 50
