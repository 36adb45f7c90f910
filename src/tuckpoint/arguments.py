"""What can be said on the command line, with help that teaches."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tuckpoint.commands import VERBS, audit, ledger, options

Run = Callable[[argparse.Namespace], int | None]
GUARDING = ("private", "delta", "unit", "rows_per_unit", "population", "part", "purpose")

ABOUT = """Synthetic training data: find what real data lack, make what fills it (a table twin that trains the same
model, rendered scenes, implants, a simulator's rows), prove what it bought on real data, and mark it as synthetic."""
EXAMPLES = """examples:
  tuckpoint example census -o census.csv          a real table to try things on
  tuckpoint make census.csv --target income -o out/
  tuckpoint schema census.csv -o schema.yaml      what was understood, for you to correct
  tuckpoint fit census.csv --schema schema.yaml -o model/
  tuckpoint sample model/ -n 1_000_000 --where 'age > 80' -o rows.parquet
  tuckpoint measure real.csv made.parquet --holdout held.csv --target income -o report.html
  tuckpoint run out/recipe.yaml                   the same bytes again
  tuckpoint find train.csv --target y --reference population.csv -o gaps.html -o gaps.json
  tuckpoint plan gaps.json --source trees -o plan.yaml
  tuckpoint prove plan.yaml --real train.csv -o verdict.html
  tuckpoint render examples/shelf.yaml -n 20 -o pictures/
  tuckpoint implant surface-defect good/ -o implanted/

`tuckpoint VERB --help` explains one of them.
Files are CSV or TSV (also packed: .gz .bz2 .xz .zst) or Parquet, by their suffix."""

MAKE = """Understand a real table, keep a part of it aside, fit the rest, make new rows, measure them against
the part that was kept aside, and write all of it into a folder."""
MAKE_MORE = """the folder holds:
  data.parquet   the made rows, marked as synthetic (--format csv for data.csv)
  report.html    what was measured, the verdict first; report.json is the same for programs
  recipe.yaml    all settings: `tuckpoint run out/recipe.yaml` makes the same bytes again
  record.json    how the rows came to be; every written file carries it
  model/         the fitted model: `tuckpoint sample out/model -n 1000 -o more.parquet`

examples:
  tuckpoint make people.csv --target income -o out/
  tuckpoint make people.parquet -n 1_000_000 --seed 7 --rule 'start <= end' -o out/
  tuckpoint make patients.csv --private 3 --unit patient_id -o private/

with --private the fit is differentially private: it spends a budget that the ledger counts per population, is audited,
and passes a gate; the folder then also holds audit.html for the data-protection officer, audit.json and gate.json, and
the command ends with 2 if the gate blocks at every tier."""

SCHEMA = """Say what each column is understood to be: kind, missing values, domain, who is personal.
Correct the file by hand and pass it to `make` or `fit` with --schema."""
RULES = "List the rules that hold in every row, as `make` and `fit` would find and obey them."
FIT = "Fit a model on all rows of a real table. Keep real rows aside yourself if you want to measure later."
SAMPLE = "Draw new rows from a fitted model. The same seed gives the same bytes, with any number of workers."
SAMPLE_MORE = """examples:
  tuckpoint sample model/ -n 1000 -o rows.csv
  tuckpoint sample model/ -n 1_000_000 --where 'age > 80 and income == ">50K"' -o rows.parquet
  tuckpoint sample model/ -n 10_000 --rebalance sex=Female:0.5/Male:0.5 -o balanced.parquet

conditions compare columns with numbers, "text" and "2024-01-31" dates: == != < <= > >=, in [..], and, or, not,
missing(column). Put a column name with spaces between backticks."""
COMPLETE = (
    "Fill the empty cells of partly filled rows with values that fit what is there. Filled cells stay as they are."
)
MEASURE = """Measure made rows, from tuckpoint or from anywhere, against the real rows they were made from and against
a holdout: real rows that the maker never saw. Only those show copying."""
RUN = """Repeat a recipe and compare: every file comes out the same, byte for byte, or you are told which does not.
The input must be unchanged."""


def parser(verbs: Mapping[str, Run]) -> argparse.ArgumentParser:
    """The parser of the whole command line; `options.run` is then the function of the chosen verb."""
    top = argparse.ArgumentParser(
        prog="tuckpoint", description=ABOUT, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action=_Version, help="show the version and stop")
    places = top.add_subparsers(title="verbs", metavar="VERB", required=True)

    def verb(name: str, text: str, line: str, more: str = "", **named: Any) -> argparse.ArgumentParser:
        look = argparse.RawDescriptionHelpFormatter
        place = places.add_parser(name, help=line, description=text, epilog=more, formatter_class=look, **named)
        place.set_defaults(run=verbs[name])
        place.add_argument("--traceback", action="store_true", help="show where an error came from")
        return place

    _make(verb("make", MAKE, "real table in; twin, model and report out", MAKE_MORE))
    _schema(verb("schema", SCHEMA, "say what a table is understood to mean"))
    _rules(verb("rules", RULES, "list the rules that hold in every row"))
    _fit(verb("fit", FIT, "fit a model to a table"))
    _sample(verb("sample", SAMPLE, "draw rows from a model", SAMPLE_MORE))
    _complete(verb("complete", COMPLETE, "fill the empty cells of rows", aliases=["impute"]))
    _measure(verb("measure", MEASURE, "measure made rows against real ones"))
    _audit(verb("audit", audit.AUDIT, "attack made rows or a model; 0 pass, 2 blocked", audit.AUDIT_MORE))
    _gate(verb("gate", audit.GATE, "may it be released? 0 pass, 2 blocked, 3 review", audit.GATE_MORE))
    ledger.arguments(
        verb("ledger", ledger.LEDGER, "what was spent on whose privacy, and what may be", ledger.LEDGER_MORE)
    )
    for name, line in VERBS.items():
        module = import_module(f"tuckpoint.commands.{name}")
        module.arguments(verb(name, module.ABOUT, line, module.MORE))
    _run(verb("run", RUN, "repeat a recipe: the same bytes again"))
    _engines(verb("engines", "List the engines and their settings.", "list the engines and their settings"))
    _example(verb("example", "Write a real table that comes with the package.", "write a real table to try things on"))
    return top


def _make(place: argparse.ArgumentParser) -> None:
    _file(place, "real table")
    options.output(place, "new folder to write into")
    _understanding(place)
    _fitting(place)
    place.add_argument(
        "-n", "--rows", type=options.whole, metavar="N", help="rows to make (default: as many as FILE has)"
    )
    place.add_argument(
        "--holdout", type=float, default=0.2, metavar="SHARE", help="share of rows never fitted (default: 0.2)"
    )
    place.add_argument("--format", choices=("parquet", "csv"), default="parquet", help="of the data (default: parquet)")
    place.add_argument(
        "--audit", action="store_true", help="attack the made rows and write audit.html (always done with --private)"
    )
    _context(place)
    place.add_argument("--fair", type=Path, metavar="YAML", help="what the rows keep between groups; see docs/fair.md")
    options.running(place)


def _schema(place: argparse.ArgumentParser) -> None:
    _file(place, "real table")
    options.output(place, "YAML file to write (default: print it)", required=False)
    _roles(place)


def _rules(place: argparse.ArgumentParser) -> None:
    _file(place, "real table")
    options.schema(place)


def _fit(place: argparse.ArgumentParser) -> None:
    _file(place, "real table")
    options.output(place, "new folder for the model")
    _understanding(place)
    _fitting(place)
    options.running(place)


def _sample(place: argparse.ArgumentParser) -> None:
    _model(place)
    place.add_argument(
        "-n", "--rows", type=options.whole, required=True, metavar="N", help="rows to draw, like 1_000_000"
    )
    options.output(place, "file to write: .parquet, .csv, .csv.gz ...")
    place.add_argument("--where", metavar="CONDITION", help="draw only rows for which this holds")
    _rule(place, "one more rule that drawn rows must obey: 'start <= end'; repeatable")
    place.add_argument(
        "--rebalance",
        action="append",
        default=[],
        type=_shares,
        metavar="COLUMN=SHARES",
        help="wanted shares of a column's values: sex=Male:0.5/Female:0.5, or sex=0.5/0.5 in the order of the schema; "
        "sick=1:0.3 leaves the rest to all others",
    )
    place.add_argument("--fair", type=Path, metavar="YAML", help="what the rows keep between groups; see docs/fair.md")
    _ledger_place(place)
    options.running(place)


def _complete(place: argparse.ArgumentParser) -> None:
    _model(place)
    _file(place, "partly filled table with the columns of the model; whole columns may be absent")
    options.output(place, "file to write")
    options.seed(place)
    options.progress(place)


def _measure(place: argparse.ArgumentParser) -> None:
    place.add_argument("real", type=Path, metavar="REAL", help="real rows that the maker saw")
    place.add_argument("made", type=Path, metavar="MADE", help="made rows")
    place.add_argument("--holdout", type=Path, required=True, metavar="FILE", help="real rows that the maker never saw")
    options.reports(place)
    options.schema(place)
    place.add_argument("--target", metavar="COLUMN", help="the column that a model will predict")
    options.seed(place)
    options.progress(place)


def _audit(place: argparse.ArgumentParser) -> None:
    audit.audit_arguments(place)
    options.reports(place)
    _context(place)
    _ledger_place(place)
    _understanding(place)
    options.running(place)


def _gate(place: argparse.ArgumentParser) -> None:
    audit.gate_arguments(place)
    _ledger_place(place)


def _run(place: argparse.ArgumentParser) -> None:
    place.add_argument("recipe", type=Path, metavar="RECIPE", help="recipe.yaml of an earlier run")
    place.add_argument("--input", type=Path, metavar="FILE", help="where the input is now, if it was moved")
    options.workers(place)
    options.progress(place)
    options.output(place, "new folder (default: compare with the folder of RECIPE)", required=False)


def _engines(place: argparse.ArgumentParser) -> None:
    place.add_argument("name", nargs="?", metavar="NAME", help="one of them, with what its settings mean")


def _example(place: argparse.ArgumentParser) -> None:
    place.add_argument("name", nargs="?", default="census", help="which (default: census)")
    options.output(place, "file to write")


def _file(place: argparse.ArgumentParser, what: str) -> None:
    place.add_argument("file", type=Path, metavar="FILE", help=f"{what}: CSV (also packed) or Parquet")


def _model(place: argparse.ArgumentParser) -> None:
    place.add_argument("model", type=Path, metavar="MODEL", help="folder of a fitted model")


def _roles(place: argparse.ArgumentParser) -> None:
    place.add_argument("--target", metavar="COLUMN", help="the column that a model will predict")
    place.add_argument("--person", metavar="COLUMN", help="says whose row it is, if people have several rows")
    place.add_argument("--primary-key", metavar="COLUMN", help="the column that is unique in each row")


def _understanding(place: argparse.ArgumentParser) -> None:
    _roles(place)
    options.schema(place)


def _fitting(place: argparse.ArgumentParser) -> None:
    _guarding(place)
    place.add_argument(
        "--engine", metavar="NAME", help="default: trees, with --private marginals; `tuckpoint engines` lists all"
    )
    place.add_argument(
        "--set",
        action="append",
        default=[],
        type=options.setting,
        metavar="NAME=VALUE",
        help="a setting of the engine; repeatable",
    )
    _rule(place, "what made rows must obey: 'start <= end'; repeatable")
    place.add_argument("--no-mined-rules", action="store_true", help="obey only the rules given with --rule")
    place.add_argument(
        "-k",
        type=options.whole,
        default=5,
        metavar="K",
        help="rare values held by fewer people do not leave (default: 5)",
    )


def _guarding(place: argparse.ArgumentParser) -> None:
    group = place.add_argument_group(
        "privacy", "a differentially private fit; it spends a budget that the ledger counts"
    )
    group.add_argument("--private", type=float, metavar="EPSILON", help="the guarantee: 1 is strong, 3 usual, 10 weak")
    group.add_argument("--delta", type=float, metavar="D", help="its chance of failure (default: 1e-9)")
    group.add_argument(
        "--unit", metavar="COLUMN", help="whose privacy: the column that names people, or `row` if each row is another"
    )
    group.add_argument(
        "--rows-per-unit", type=options.whole, metavar="K", help="rows counted of each person (default: 1)"
    )
    group.add_argument("--population", metavar="NAME", help="whose budget pays (default: the name of FILE)")
    group.add_argument("--part", metavar="NAME", help="the part of the population, if disjoint parts were declared")
    group.add_argument("--purpose", metavar="TEXT", help="what the rows are for, for the ledger")
    group.add_argument("--who", metavar="NAME", help="who asks, for the ledger (default: your login)")
    _ledger_place(group)


def _context(place: argparse.ArgumentParser) -> None:
    place.add_argument(
        "--context",
        type=Path,
        metavar="YAML",
        help="what only people know, for audit.html: purpose, recipient, signers",
    )


def _ledger_place(place: Any) -> None:
    place.add_argument(
        "--ledger", type=Path, metavar="FILE", help="the ledger (default: $TUCKPOINT_LEDGER, else one of your login)"
    )


def _rule(place: argparse.ArgumentParser, what: str) -> None:
    place.add_argument("--rule", action="append", default=[], metavar="RULE", help=what)


def _shares(text: str) -> tuple[str, list[float] | dict[str, float]]:
    """`sex=0.5/0.5` is a list in the order of the schema's levels, `sex=Male:0.5/Female:0.5` names them.

    A level may begin with <= or >=: `income=<=50K:0.5/>50K:0.5`, and hold slashes and colons: `seen=n/a:0.1/12:30:0.9`.
    """
    found = re.fullmatch(r"(.+)(?<![<>])=(.+)", text)
    column, shares = found.groups() if found else ("", "")
    named = re.findall(r"(.+?):([^:/]+)(?:/|$)", shares)
    whole = "/".join(map(":".join, named)) == shares
    try:
        if named and whole:
            return column, {level: float(number) for level, number in named}
        return column, [float(number) for number in shares.split("/")]
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: write it as sex=0.5/0.5, or with the levels as sex=Male:0.5/Female:0.5"
        ) from None


class _Version(argparse.Action):
    """Reads the version only when asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, **more: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, **more)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from tuckpoint.record import tuckpoint_version

        parser.exit(message=f"tuckpoint {tuckpoint_version()}\n")
