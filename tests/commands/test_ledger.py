import json
import re
import shlex

import pytest

from tuckpoint import cli
from tuckpoint.arguments import parser
from tuckpoint.commands import ledger as module
from tuckpoint.privacy.ledger import STAMPED, Ledger
from tuckpoint.record import Input, Maker, Record

WHY = ["--why", "the board", "--who", "Bo"]


@pytest.fixture
def say(capsys):
    """Run a command of the ledger; its exit status, and what it printed."""

    def run(*words):
        status = cli.main(["ledger", *words])
        out, err = capsys.readouterr()
        return status, out + err

    return run


def test_a_day_with_the_ledger(say, ledger_of_this_test, tmp_path):
    assert say("show") == (0, f"{ledger_of_this_test}: nothing was reserved there yet\n")
    assert not ledger_of_this_test.exists()
    reserve = ["reserve", "patients", "--unit", "patient_id"]
    status, told = say(*reserve, "--epsilon", "0.5", "--purpose", "annual report", "--columns", "age, sex")
    assert status == 0
    assert 'opened an account for "patients" per patient_id' in told
    assert "rho 0.125 is reserved" in told
    assert say(*reserve, "--rho", "0.02", "--purpose", "dashboard", "--mechanism", "opendp", "--who", "Ada")[0] == 0
    status, told = say("policy", "patients", "--unit", "patient_id", "--epsilon", "4", "--delta", "1e-7", *WHY)
    assert (status, "Of epsilon 4 at delta 1e-07" in told) == (0, True)
    assert say("policy", "staff", "--unit", "patient_id", *WHY)[0] == 0
    status, told = say("share", "patients", "staff", "--unit", "patient_id", *WHY)
    assert (status, '"patients" and "staff" per patient_id. Of epsilon 4' in told) == (0, True)
    status, told = say("partition", "staff", "--unit", "patient_id", "--by", "place", "--parts", "north,south", *WHY)
    assert (status, "declared by place: north, south" in told) == (0, True)
    assert say("reserve", "staff", "--unit", "patient_id", "--rho", "0.02", "--purpose", "x", "--part", "north")[0] == 0
    status, told = say("show", "staff")
    assert status == 0
    for part in ("annual report", "by hand", "opendp", "Ada", "Bo", "the board", "part north"):
        assert part in told
    assert say("verify")[0] == 0


def test_what_is_refused_ends_with_2_and_writes_nothing(say, ledger_of_this_test):
    reserve = ["reserve", "p", "--unit", "row", "--purpose", "x"]
    assert say(*reserve, "--epsilon", "1")[0] == 0
    before = ledger_of_this_test.read_bytes()
    for words, said in [
        ([*reserve, "--epsilon", "9"], "is refused, and nothing was spent"),
        ([*reserve, "--epsilon", "-1"], "epsilon is -1"),
        ([*reserve, "--epsilon", "nan"], "epsilon is nan"),
        ([*reserve, "--epsilon", "0"], "costs nothing"),
        ([*reserve, "--rho", "inf"], "rho is inf"),
        ([*reserve, "--rho", "0.01", "--delta", "1"], "delta"),
        ([*reserve, "--rho", "0.01", "--part", "north"], "none was declared"),
        ([*reserve, "--rho", "0.01", "--input", "gone.csv"], "gone.csv"),
        (["reserve", "P", "--unit", "row", "--rho", "1", "--purpose", "x"], 'there is an account of "p"'),
        (["show", "q"], "there are: p"),
        (["policy", "p", "--unit", "row", "--epsilon", "0.1", *WHY], "below what is spent"),
        (["share", "p", "p", "--unit", "row", *WHY], "one account already"),
        (["partition", "p", "--unit", "row", "--by", "x", "--parts", "a", *WHY], "at least two"),
        (["verify", "--head", "0" * 64], "no entry 000000000000... in the ledger"),
        (["export", "-o", "x.txt"], ".json or .csv"),
    ]:
        status, told = say(*words)
        assert (status, said in told) == (2, True), told
    assert ledger_of_this_test.read_bytes() == before


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["cancel"],
        ["reserve", "p", "--unit", "row", "--epsilon", "1"],
        ["reserve", "p", "--epsilon", "1", "--purpose", "x"],
        ["reserve", "p", "--unit", "row", "--purpose", "x"],
        ["reserve", "p", "--unit", "row", "--epsilon", "1", "--rho", "1", "--purpose", "x"],
        ["policy", "p", "--unit", "row"],
    ],
)
def test_what_must_be_said_is_asked_for(words):
    with pytest.raises(SystemExit) as caught:
        cli.main(["ledger", *words])
    assert caught.value.code == 2


def test_a_table_is_known_again_under_another_name(say, tmp_path, ledger_of_this_test):
    (tmp_path / "a.csv").write_text("id,age\n1,30\n1,31\n2,40\n")
    (tmp_path / "b.csv").write_text("age,id\n41,2\n32,1\n")
    (tmp_path / "c.csv").write_text("age,id\n41,2\n32,\n")
    charge = ["--rho", "0.01", "--purpose", "x", "--input"]
    assert say("reserve", "p", "--unit", "id", *charge, str(tmp_path / "a.csv"))[0] == 0
    assert (known := Ledger.at().accounts()[0].spends[0]).source
    assert known.people
    status, told = say("reserve", "q", "--unit", "id", *charge, str(tmp_path / "a.csv"))
    assert (status, "this very table was charged" in told) == (2, True)
    status, told = say("reserve", "q", "--unit", "id", *charge, str(tmp_path / "b.csv"))
    assert (status, "the set of these very people" in told) == (2, True)
    status, told = say("reserve", "q", "--unit", "id", *charge, str(tmp_path / "c.csv"))
    assert (status, "1 row of" in told, "with no person" in told) == (2, True, True)
    status, told = say("reserve", "q", "--unit", "ag", *charge, str(tmp_path / "b.csv"))
    assert (status, 'did you mean "age"?' in told) == (2, True)
    assert say("reserve", "q", "--unit", "row", *charge, str(tmp_path / "b.csv"))[0] == 0


def test_the_ledger_is_exported_whole(say, tmp_path):
    say("reserve", "p", "--unit", "row", "--rho", "0.01", "--purpose", "x")
    status, told = say("export")
    assert status == 0
    assert json.loads(told)["accounts"][0]["populations"] == ["p"]
    for name in ("l.json", "l.csv"):
        place = tmp_path / name
        assert say("export", "-o", str(place))[0] == 0
        assert place.stat().st_mode & 0o777 == 0o600
        status, told = say("export", "-o", str(place))
        assert (status, "exists already" in told) == (2, True)
        assert say("export", "-o", str(place), "--overwrite")[0] == 0
    assert json.loads((tmp_path / "l.json").read_text("utf-8")) == json.loads(Ledger.at().to_json())
    assert (tmp_path / "l.csv").read_text("utf-8") == Ledger.at().to_csv()


def stamped(folder, head):
    privacy = None if head is None else {"epsilon": 1, "delta": 1e-6, "unit": "row", STAMPED: head}
    record = Record("p", Maker("marginals"), "r" * 64, 0, 3, inputs=(Input("p", "withheld", None),), privacy=privacy)
    folder.mkdir()
    record.dump(folder / "record.json")
    return folder


def test_files_tell_whether_the_ledger_was_rolled_back(say, tmp_path, ledger_of_this_test):
    ledger = Ledger.at()
    reservation = ledger.reserve(population="p", unit="row", rho=0.01, mechanism="m")
    before = ledger_of_this_test.read_bytes()
    folder = stamped(tmp_path / "out", ledger.spend(reservation, rho=0.01, model="c" * 64))
    for place in (folder, folder / "record.json"):
        status, told = say("verify", str(place))
        assert (status, f"the entries of {place} stand in it" in told) == (0, True)
    status, told = say("verify", str(stamped(tmp_path / "open", None)))
    assert (status, "bears no entry of a ledger" in told) == (2, True)
    ledger_of_this_test.write_bytes(before)
    status, told = say("verify")
    assert (status, "only a digest from elsewhere can tell" in told) == (0, True)
    status, told = say("verify", str(folder))
    assert (status, f"{folder}: no entry" in told, "rolled back" in told) == (2, True, True)
    ledger_of_this_test.write_bytes(before[:-30])
    assert "a crash cut the last line" in say("verify")[1]
    ledger_of_this_test.write_bytes(before.replace(b'"rho"', b'"roh"'))
    status, told = say("verify")
    assert (status, "was altered" in told) == (2, True)


def test_another_ledger_can_be_named(say, tmp_path, ledger_of_this_test):
    other = tmp_path / "team.jsonl"
    assert say("policy", "p", "--unit", "row", *WHY, "--ledger", str(other))[0] == 0
    assert other.exists()
    assert not ledger_of_this_test.exists()


def test_a_traceback_may_be_asked_for_at_the_end(say):
    assert "Traceback" not in say("verify")[1]
    assert "Traceback" in say("verify", "--traceback")[1]


def test_every_example_of_the_help_is_understood_and_every_help_fits(capsys):
    top = parser(cli._VERBS)
    told = [text for name, text in vars(module).items() if name.isupper() and isinstance(text, str)]
    lines = [line for text in told for line in text.splitlines() if line.startswith("  tuckpoint ")]
    assert len(lines) >= 8
    for line in lines:
        top.parse_args(shlex.split(re.split(r" {3,}", line.strip())[0])[1:])
    for what in module._DO:
        with pytest.raises(SystemExit) as caught:
            top.parse_args(["ledger", what, "--help"])
        assert caught.value.code == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 120
        assert f"tuckpoint ledger {what}" in shown
