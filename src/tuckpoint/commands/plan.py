"""`tuckpoint plan`: from the gaps that were found to the plan of a proof."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError
from tuckpoint.files import write_text

ABOUT = """Decide what to do about each gap that `tuckpoint find` found (make rows, collect real ones, or nothing), and
write the plan by which `tuckpoint prove` judges what the made rows bring. A gap is filled by whoever knows something of
it: published rates, a simulator or a scene that speak of it, else an engine where neighbours surround it, else weights,
copies and SMOTE where rows of it exist; else real rows are to be collected."""
MORE = """examples:
  tuckpoint find train.csv --target y --reference population.csv -o gaps.json
  tuckpoint plan gaps.json --source trees -o plan.yaml
  tuckpoint plan gaps.json --source trees --source 'rates: rates.yaml' --source 'simulator: plant.py' -o plan.yaml
  tuckpoint prove plan.yaml --real train.csv -o verdict.html

Read the plan, and change it, before anything is made; its digest stands on the verdict. ends with 3, and writes no
plan, where nothing is worth making."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint plan`."""
    place.add_argument("gaps", type=Path, metavar="GAPS", help="gaps.json of `tuckpoint find`")
    place.add_argument(
        "--source", action="append", metavar="SOURCE",
        help="an engine, smote, or KIND: FILE of rates, a simulator or a scene (default: trees); repeatable",
    )  # fmt: skip
    place.add_argument("--metric", choices=("auc", "log_loss", "rmse"), help="default: log_loss, or rmse for numbers")
    place.add_argument(
        "--smallest-effect", type=float, metavar="D", help="the smallest gain that matters (default: find's)"
    )
    shared.output(place, "the plan (YAML)")
    shared.seed(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.prove.draft import draft

    sources = tuple(options.source or ("trees",))
    try:
        gaps = json.loads(options.gaps.read_bytes())
    except FileNotFoundError:
        raise InputError(f"no file {options.gaps}; `tuckpoint find ... -o gaps.json` writes one") from None
    except ValueError as error:
        raise InputError(f"{options.gaps} is no JSON: {error}; give the gaps.json of `tuckpoint find`") from None
    if not isinstance(gaps, dict) or "about" not in gaps:
        raise InputError(f"{options.gaps} holds no gaps; give the gaps.json of `tuckpoint find`")
    made = draft(gaps, sources, metric=options.metric, smallest_effect=options.smallest_effect, seed=options.seed)
    lines = [line for one in made.decisions for line in one.lines()] or ["no gaps"]
    if made.plan is None:
        return "\n".join([*lines, "nothing is worth making: no plan was written"]), 3
    write_text(options.output, made.to_yaml(), overwrite=options.overwrite)
    lines += [
        f"plan: {options.output}, digest {made.plan.digest()}",
        f"next: tuckpoint prove {options.output} --real FILE -o verdict.html",
    ]
    return "\n".join(lines), 0
