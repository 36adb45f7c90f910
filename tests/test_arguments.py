from pathlib import Path

import pytest

from tuckpoint.arguments import parser
from tuckpoint.cli import _VERBS
from tuckpoint.commands.options import once
from tuckpoint.errors import InputError

VERBS = tuple(_VERBS)


def chosen(options):
    return options


PARSER = parser(dict.fromkeys(VERBS, chosen))


@pytest.mark.parametrize(("text", "rows"), [("1000", 1000), ("1_000_000", 1_000_000), ("1,000", 1000), ("0", 0)])
def test_row_counts_are_read_as_people_write_them(text, rows):
    assert PARSER.parse_args(["sample", "m", "-n", text, "-o", "x.csv"]).rows == rows


def test_settings_become_values():
    given = ["leaf=20", "rate=0.5", "fast=true", "limit=none", "kind=slow", "order=a,b", "epsilon=1e-3"]
    options = PARSER.parse_args(["make", "x.csv", "-o", "out", *(part for pair in given for part in ("--set", pair))])
    assert dict(options.set) == {
        "leaf": 20, "rate": 0.5, "fast": True, "limit": None, "kind": "slow", "order": ["a", "b"], "epsilon": 0.001,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("sex=0.5/0.5", ("sex", [0.5, 0.5])),
        ("sex=Male:0.3/Female:0.7", ("sex", {"Male": 0.3, "Female": 0.7})),
        ("a=b=x:1", ("a=b", {"x": 1.0})),
        ("income=<=50K:0.5/>50K:0.5", ("income", {"<=50K": 0.5, ">50K": 0.5})),
        ("time=12:30:0.5/13:00:0.5", ("time", {"12:30": 0.5, "13:00": 0.5})),
        ("seen=n/a:0.1/12:30:0.9", ("seen", {"n/a": 0.1, "12:30": 0.9})),
        ("signed=31/12/2020:0.5", ("signed", {"31/12/2020": 0.5})),
    ],
)
def test_shares(text, wanted):
    assert PARSER.parse_args(["sample", "m", "-n", "1", "-o", "x.csv", "--rebalance", text]).rebalance == [wanted]


@pytest.mark.parametrize(
    "verb",
    [
        ["find", "x.csv"],
        ["prove", "plan.yaml", "--real", "x.csv"],
        ["simulate", "m.py", "--real", "x", "-n", "1", "-o", "y"],
        ["explore", "plan.yaml", "--real", "x.csv", "--source", "s"],
    ],
)
def test_whose_row_it_is_has_one_name_in_every_verb(verb):
    for name in ("--person", "--group"):
        assert PARSER.parse_args([*verb, name, "who"]).group == "who"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sample", "m", "-n", "many", "-o", "x.csv"], "'many' is not a whole number"),
        (["sample", "m", "-n", "-5", "-o", "x.csv"], "expected one argument|below zero"),
        (["sample", "m", "-n", "1", "-o", "x.csv", "--rebalance", "sex"], "sex=0.5/0.5"),
        (["sample", "m", "-n", "1", "-o", "x.csv", "--rebalance", "sex=a:1/2"], "sex=0.5/0.5"),
        (["make", "x.csv", "-o", "out", "--set", "leaf"], "NAME=VALUE"),
        (["make", "x.csv", "-o", "out", "--workers", "0"], "'0' is too few; give a whole number from 1"),
        (["mak"], "invalid choice"),
        ([], "required: VERB"),
    ],
)
def test_what_cannot_be_read_is_named_and_ends_with_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as caught:
        PARSER.parse_args(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert any(part in error for part in said.split("|"))


def test_every_verb_has_help_that_fits_a_terminal(capsys):
    for verb in VERBS:
        with pytest.raises(SystemExit) as caught:
            PARSER.parse_args([verb, "--help"])
        assert caught.value.code == 0
        shown = capsys.readouterr().out
        assert max(map(len, shown.splitlines())) <= 120
        assert f"tuckpoint {verb}" in shown


def test_impute_is_complete():
    assert PARSER.parse_args(["impute", "m", "x.csv", "-o", "y.csv"]).output == Path("y.csv")


def test_what_is_said_twice_is_refused():
    assert once("--set", [("leaf", 3), ("bag", 1)]) == {"leaf": 3, "bag": 1}
    with pytest.raises(InputError, match="--rebalance is given twice for sex"):
        once("--rebalance", [("sex", [0.5, 0.5]), ("age", [1]), ("sex", [0.1, 0.9])])
