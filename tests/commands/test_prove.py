import json

import pyarrow as pa
import pyarrow.csv as pc
import pytest
from prove.laws import law

from tuckpoint import arguments
from tuckpoint.cli import _VERBS, main
from tuckpoint.commands import prove
from tuckpoint.prove.plan import Plan

PLAN = """tuckpoint_plan: 1
target: y
sources: [{name: twin, engine: independent, mine_rules: false}]
weights: [0.3]
curve: [0.5]
folds: {repeats: 4, inner: 2}
learner: {rounds: 10, rate: 0.2, leaves: 7, leaf_rows: 5}
"""


def test_the_examples_of_the_help_are_understood():
    told = [line.split() for line in prove.MORE.splitlines() if line.startswith("  tuckpoint ")]
    assert len(told) == 4
    for words in told:
        assert arguments.parser(_VERBS).parse_args(words[1:]).real is not None


@pytest.fixture
def room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    pc.write_csv(law(), "real.csv")
    return tmp_path


def run(*words):
    return main(["prove", "plan.yaml", "--real", "real.csv", "--workers", "1", *words])


def test_a_verdict_is_written_and_its_state_is_the_exit_status(room, capsys):
    status = run("-o", "verdict.html", "-o", "verdict.json")
    told = json.loads((room / "verdict.json").read_text("utf-8"))
    assert status == told["exit"] == {"helps": 0, "no evidence": 3, "equivalent": 4, "hurts": 5}[told["state"]]
    assert told["digest"] == Plan.load("plan.yaml").digest()
    assert told["digest"] in capsys.readouterr().out
    assert "</html>" in (room / "verdict.html").read_text("utf-8")


def test_a_finished_table_is_unverifiable_and_a_copy_is_blocked(room, capsys):
    pc.write_csv(law(key=9), "made.csv")
    assert run("--made", "made.csv") == 3
    assert "Unverifiable provenance" in capsys.readouterr().out
    assert run("--made", "copy=real.csv") == 2
    assert "know the locked test rows" in capsys.readouterr().out


def test_people_and_time_part_the_rows(room):
    table = law().append_column("day", pa.array(range(200)))
    table = table.append_column("who", pa.array([f"p{day // 4}" for day in range(200)]))
    pc.write_csv(table, "real.csv")
    status = run("--group", "who", "--time", "day", "-o", "verdict.json")
    real = json.loads((room / "verdict.json").read_text("utf-8"))["real"]
    assert status in (0, 3, 4, 5)
    assert (real["group"], real["time"]) == ("who", "day")


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--target", "x"], "not the target of the plan"), (["--registered", "0123"], "was changed since"),
     (["--group", "whoo"], "is no column"), (["--made", "none.csv"], "no file"), (["-o", "verdict.pdf"], ".html or")],
)  # fmt: skip
def test_what_is_wrong_is_told(room, capsys, words, said):
    assert run(*words) == 2
    assert said in capsys.readouterr().err


def test_a_registered_plan_is_known_by_the_beginning_of_its_digest(room):
    assert run("--registered", Plan.load("plan.yaml").digest()[:12], "--target", "y") in (0, 3, 4, 5)
