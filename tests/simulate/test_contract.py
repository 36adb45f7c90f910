import sys
import textwrap

import numpy as np
import pytest

from tuckpoint.errors import InputError, ToolError
from tuckpoint.seed import Seed
from tuckpoint.simulate.contract import Prior, Range, load

HEAD = """
INPUTS = {"weight": (1600, 5200, "lb")}
OUTPUTS = {"mpg": (0, 80, "mi/gal")}
PARAMETERS = {"drag": (0.2, 0.9, "1"), "k": (1e-4, 1e-1, "1/s", "log")}
"""
LAW = """
def simulate(parameters, inputs, random):
    return {"mpg": 1e5 * parameters["drag"] / inputs["weight"] + random.normal(0, 0.1, len(inputs["weight"]))}
"""
AT = {"drag": 0.5, "k": 0.01}
ROWS = {"weight": np.array([2000.0, 4000.0]), "colour": np.array(["red", "blue"])}


def plant(folder, body=LAW, head=HEAD, name="plant.py"):
    file = folder / name
    file.write_text(head + textwrap.dedent(body), encoding="utf-8")
    return file


def test_a_python_file_says_names_units_ranges_and_priors(tmp_path):
    model = load(plant(tmp_path))
    assert model.inputs == {"weight": Range(1600, 5200, "lb")}
    assert model.outputs == {"mpg": Range(0, 80, "mi/gal")}
    assert model.parameters == {"drag": Prior(0.2, 0.9, "1"), "k": Prior(1e-4, 1e-1, "1/s", log=True)}
    told = model.run(AT, ROWS, Seed(1))
    assert told["mpg"] == pytest.approx([25, 12.5], abs=0.5)
    np.testing.assert_array_equal(told["mpg"], model.run(AT, ROWS, Seed(1))["mpg"])
    assert (told["mpg"] != model.run(AT, ROWS, Seed(2))["mpg"]).all()


def test_priors_are_uniform_or_uniform_in_the_log():
    assert Prior(2, 4).at(0.25) == 2.5
    log = Prior(1e-4, 1e-2, log=True)
    assert log.at(0.5) == pytest.approx(1e-3)
    assert log.share(log.at(np.array([0.1, 0.7]))) == pytest.approx([0.1, 0.7])


def test_the_digest_follows_every_file(tmp_path):
    (tmp_path / "map.csv").write_text("1\n")
    file = plant(tmp_path, LAW + 'FILES = ["map.csv"]\n')
    first = load(file).digest
    assert load(file, sha256=first).digest == first
    (tmp_path / "map.csv").write_text("2\n")
    assert load(file).digest != first
    with pytest.raises(InputError, match="not the simulator that was named"):
        load(file, sha256=first)


def test_a_file_edited_within_the_same_second_is_run_anew(tmp_path):
    assert load(plant(tmp_path)).run(AT, ROWS, Seed(1))["mpg"][0] == pytest.approx(25, abs=1)
    load(plant(tmp_path, LAW.replace("1e5", "2e5")))
    assert load(tmp_path / "plant.py").run(AT, ROWS, Seed(1))["mpg"][0] == pytest.approx(50, abs=1)
    assert [file.name for file in tmp_path.iterdir()] == ["plant.py"]


def test_a_file_may_import_what_lies_beside_it(tmp_path):
    (tmp_path / "law_of_test.py").write_text("def mpg(w): return 1e5 / w\n")
    body = "from law_of_test import mpg\ndef simulate(p, x, random): return {'mpg': mpg(x['weight'])}\n"
    assert load(plant(tmp_path, body)).run(AT, ROWS, Seed(1))["mpg"] == pytest.approx([50, 25])
    assert str(tmp_path.resolve()) not in sys.path


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (
            "def simulate(p, x, r): return {'mpg': x['weight'] * float('nan')}",
            r"2 values are not in 0\.\.80 mi/gal .*where the simulator gives numbers$",
        ),
        ("def simulate(p, x, r): return {'mpg': x['weight']}", r"2 values are not in 0\.\.80 .*row 1 = 2000"),
        ("def simulate(p, x, r): return {'mpg': [20]}", r"shape \(1,\); give one value per row: \(2,\)"),
        ("def simulate(p, x, r): return {'mgp': x['weight']}", 'output "mpg" .* is missing .*did you mean "mgp"'),
        ("def simulate(p, x, r): return {'mpg': ['a', 'b']}", "no column of numbers"),
        ("def simulate(p, x, r): return 3", "gave int"),
        ("def simulate(p, x, r):\n    return 1 / 0", "failed at drag = 0.5, k = 0.01, line 6: ZeroDivisionError"),
    ],
)
def test_what_it_gives_is_checked(tmp_path, body, error):
    with pytest.raises(ToolError, match=error):
        load(plant(tmp_path, body)).run(AT, ROWS, Seed(1))


@pytest.mark.parametrize(
    ("parameters", "inputs", "error"),
    [
        ({"drag": 0.5}, ROWS, 'parameter "k" is missing'),
        ({**AT, "drag": 5}, ROWS, r'"drag" is 5 1, outside its prior 0\.2\.\.0\.9'),
        ({**AT, "drga": 5}, ROWS, 'no parameter "drga" .did you mean "drag"'),
        (AT, {"wieght": ROWS["weight"]}, 'input "weight" is missing .did you mean "wieght"'),
        (AT, {"weight": np.array([2000.0, 9000.0])}, r"1 value is not in 1600\.\.5200 lb .first: row 2 = 9000"),
        (AT, {"weight": np.array([2000.0, np.nan])}, "1 value is not in .*row 2 = no finite number"),
        (AT, {"weight": np.array(["a"])}, "no column of numbers"),
    ],
)
def test_what_it_is_given_is_checked(tmp_path, parameters, inputs, error):
    with pytest.raises(InputError, match=error):
        load(plant(tmp_path)).run(parameters, inputs, Seed(1))


def test_no_rows_are_no_rows(tmp_path):
    assert (
        load(plant(tmp_path, "def simulate(p, x, r): 1 / 0")).run(AT, {"weight": np.empty(0)}, Seed(1))["mpg"].size == 0
    )


def test_rows_outside_what_it_declares_are_told(tmp_path):
    model = load(plant(tmp_path))
    assert model.outside({"weight": np.array([1000.0, 2000.0, np.nan])}).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("head", "error"),
    [
        (HEAD.replace("INPUTS", "INPUT"), "inputs is None"),
        (HEAD.replace("1600, 5200", "5200, 1600"), 'input "weight" is .5200, 1600, .lb.'),
        (HEAD.replace("1e-4, 1e-1", "0, 1e-1"), "starts above 0"),
        (HEAD.replace('"log"', '"lgo"'), 'parameter "k" is'),
        (HEAD.replace('"drag"', '"mpg"'), '"mpg" is declared twice'),
        (HEAD + "FILES = 'a.csv'", "FILES is a list"),
        (HEAD + "FILES = ['a.csv']", "no file .*a.csv"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused(tmp_path, head, error):
    with pytest.raises(InputError, match=error):
        load(plant(tmp_path, head=head))


def test_a_file_that_fails_or_is_no_simulator(tmp_path):
    with pytest.raises(ToolError, match=r"failed when it was loaded.*SyntaxError"):
        load(plant(tmp_path, "def simulate(:"))
    with pytest.raises(InputError, match="no function simulate"):
        load(plant(tmp_path, ""))
    with pytest.raises(InputError, match="no simulator"):
        load(tmp_path / "none.py")
    (tmp_path / "plant.txt").write_text("")
    with pytest.raises(InputError, match=r"a \.py file, or a \.yaml"):
        load(tmp_path / "plant.txt")
