"""`tuckpoint fair`: rows that keep a fairness target exactly, and what a model trained on them does to real people."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError, count
from tuckpoint.files import check_new, write_text

ABOUT = """Make rows that keep a fairness target exactly: equal shares of groups, one rate of positive labels in every
group, or one in every group that shares legitimate columns. What cannot be kept is refused with the cells and the
reason. Then one model each is trained on real rows, made rows as they come, and fair ones, and their accuracy and
unfairness are measured on real people who nothing learnt from: measured, never promised."""
MORE = """examples:
  tuckpoint fair model/ fair.yaml --real train.csv --holdout held.csv -n 10_000 -o rows.parquet -o fair.html
  tuckpoint fair model/ fair.yaml --real train.csv --holdout held.csv -n 10_000 -o rows.csv -o fair.json

FAIR says what to keep: target (representation, label parity or conditional parity), groups, outcome, given, tolerance.
Rows alone: tuckpoint sample model/ -n 10_000 --fair fair.yaml -o rows.parquet. See docs/fair.md.
ends with 0 if the target is kept, 2 if it cannot be: no rows are written then."""
REPORTS = (".html", ".json")


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint fair`."""
    place.add_argument("model", type=Path, metavar="MODEL", help="folder of a fitted model")
    place.add_argument("fair", type=Path, metavar="FAIR", help="fair.yaml: what the rows must keep")
    place.add_argument("--real", type=Path, required=True, metavar="FILE", help="the real rows the model was fitted to")
    place.add_argument("--holdout", type=Path, required=True, metavar="FILE", help="real rows that it never saw")
    place.add_argument("-n", "--rows", type=shared.at_least_one, required=True, metavar="N", help="rows to make")
    place.add_argument(
        "-o", "--output", type=Path, action="append", default=[], metavar="FILE",
        help="the rows (.parquet or .csv) and reports (.html, .json); repeatable",
    )  # fmt: skip
    place.add_argument("--overwrite", action="store_true", help="replace what an earlier run wrote there")
    place.add_argument("--ledger", type=Path, metavar="FILE", help="ledger of a private model (default: the user's)")
    shared.running(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint import deliver, outcome, release, run
    from tuckpoint.fair.spec import Spec
    from tuckpoint.privacy.ledger import Ledger
    from tuckpoint.recipe import Recipe
    from tuckpoint.report.fair import fair_page, lines
    from tuckpoint.table.frame import read

    rows_file, reports = _outputs(options)
    spec, fitted = Spec.load(options.fair), outcome.load(options.model)
    real, holdout = read(options.real), read(options.holdout)
    if real.digest == holdout.digest:
        raise InputError("--real and --holdout are the same rows; test on rows that nothing learnt from")
    recipe = Recipe("sample", fitted.recipe.source, options.seed, rows=options.rows, fair=spec.to_dict())
    made = outcome.fair_sample(fitted.model, recipe, real=real.table, progress=progress)
    assert made is not None
    as_is = run.sample(fitted, options.rows, seed=options.seed)
    effects = _effects(options, made, as_is, real.table, holdout.table, progress)
    deliver.write_fair(made, recipe, fitted, rows_file, overwrite=options.overwrite)
    free = release.drawn(Ledger.at(options.ledger), fitted.model, fitted.recipe.source.sha256, options.rows)
    about = {"model": fitted.recipe.source.name, "real": real.name, "holdout": holdout.name, "rows": rows_file.name}
    plain = {**about, "kept": made.told.to_dict(), "effects": None if effects is None else effects.to_dict()}
    for path in reports:
        page = fair_page(made.told, effects, about) if path.suffix == ".html" else json.dumps(plain, indent=1) + "\n"
        write_text(path, page, overwrite=options.overwrite)
    shown = [*lines(made.told, effects), f"{options.rows:,} synthetic rows in {rows_file}{f'; {free}' if free else ''}"]
    return "\n".join([*shown, *(f"report: {path}" for path in reports)]), 0


def _outputs(options: argparse.Namespace) -> tuple[Path, list[Path]]:
    """The file of the rows, and the reports; raises InputError, before any work, for what cannot be written."""
    from tuckpoint.write import table as writing

    reports = [path for path in options.output if path.suffix in REPORTS]
    rows = [path for path in options.output if path.suffix not in REPORTS]
    if len(rows) != 1:
        raise InputError(
            f"{count(len(rows), 'file')} of rows were named; give one, .parquet or .csv, beside the reports: "
            "-o rows.parquet -o fair.html"
        )
    writing.suffix(rows[0])
    for path in options.output:
        check_new(path, overwrite=options.overwrite)
    return rows[0], reports


def _effects(options: argparse.Namespace, made: Any, as_is: Any, real: Any, holdout: Any, progress: Any) -> Any:
    """What models do, or None if no outcome was named."""
    from tuckpoint.asked import cores
    from tuckpoint.measure.fairness_arms import effects
    from tuckpoint.seed import Seed

    work = made.work
    if work.label is None:
        return None
    return effects(
        real, as_is, made.table, holdout, schema=work.model.schema, label=work.label, cells=work.groups,
        seed=Seed(options.seed).child("fair"), threads=cores(options.workers), progress=progress,
    )  # fmt: skip
