import sys
import textwrap

import numpy as np
import pytest
import yaml

from tuckpoint.errors import InputError, ToolError
from tuckpoint.seed import Seed
from tuckpoint.simulate.contract import load

ENTRIES = {
    "inputs": {"t": [0, 10, "s"]},
    "outputs": {"y": "m"},
    "parameters": {"a": [0, 10, "m"]},
}
FROM_CSV = """
    import csv, os, sys
    rows = list(csv.DictReader(sys.stdin))
    print("y,seed")
    for row in rows:
        print(float(row["a"]) * float(row["t"]), os.environ["TUCKPOINT_SEED"], sep=",")
"""
FROM_JSON = """
    import json, sys
    said = json.load(sys.stdin)
    print("y")
    for t in said["inputs"]["t"]:
        print(said["parameters"]["a"] * t + said["seed"] * 0)
"""
AT, ROWS = {"a": 2.0}, {"t": np.array([1.0, 2.5])}


def described(folder, body, **more):
    (folder / "plant.py").write_text(textwrap.dedent(body), encoding="utf-8")
    file = folder / "plant.yaml"
    file.write_text(yaml.safe_dump({"command": [sys.executable, "plant.py"], **ENTRIES, **more}), encoding="utf-8")
    return file


@pytest.mark.parametrize(("body", "form"), [(FROM_CSV, "csv"), (FROM_JSON, "json")])
def test_a_command_reads_rows_and_writes_columns(tmp_path, body, form):
    model = load(described(tmp_path, body, input=form))
    assert model.kind == "command"
    assert model.run(AT, ROWS, Seed(1))["y"] == pytest.approx([2, 5])


def test_the_digest_holds_the_program(tmp_path):
    first = load(described(tmp_path, FROM_CSV)).digest
    assert load(described(tmp_path, FROM_CSV + "# changed\n")).digest != first
    with pytest.raises(InputError, match="no file"):
        load(described(tmp_path, FROM_CSV, files=["none.csv"]))


@pytest.mark.parametrize(
    ("body", "more", "error"),
    [
        ("import sys; print('no license', file=sys.stderr); sys.exit(3)", {}, "ended with 3: no license"),
        ("import time; time.sleep(9)", {"timeout": 0.3}, r"took over 0\.3 s"),
        ("pass", {}, "wrote nothing"),
        ("print('z'); print(1); print(2)", {}, 'output "y" .* is missing'),
        ("print('y'); print(1)", {}, r"shape \(1,\)"),
        ("print('y'); print(1); print('x')", {}, "row 2 = no finite number"),
        ("print('y'); print('1,2')", {}, "row 1 of its output has 2 fields"),
    ],
)
def test_what_a_command_does_wrong_is_told(tmp_path, body, more, error):
    with pytest.raises(ToolError, match=error):
        load(described(tmp_path, body, **more)).run(AT, ROWS, Seed(1))


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"comand": 1}, 'unknown entry "comand" .did you mean "command"'),
        ({"command": "python plant.py"}, "write a list such as"),
        ({"input": "xml"}, "csv or json"),
        ({"timeout": 0}, "seconds above 0"),
        ({"files": "plant.py"}, "write a list of files"),
        ({"fmu": "plant.fmu"}, "say `command: .program, ....` or `fmu: FILE`"),
    ],
)
def test_a_description_that_is_wrong_is_refused(tmp_path, more, error):
    with pytest.raises(InputError, match=error):
        load(described(tmp_path, FROM_CSV, **more))


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(ToolError, match="no program no-such-program"):
        load(described(tmp_path, FROM_CSV, command=["no-such-program"])).run(AT, ROWS, Seed(1))
