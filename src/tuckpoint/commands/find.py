"""`tuckpoint find`: what does a real table lack, what does it cost, and can more rows mend it?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.files import write_text

ABOUT = """Find what a real table lacks beside a reference: rows of the population, published margins, or a declared
operating domain. With a target it also tells what the lack costs, where the model is weak, whether more rows would
mend it, and what could be proved with the test rows at hand."""
MORE = """examples:
  tuckpoint find train.csv --reference population.csv -o gaps.html
  tuckpoint find train.csv --target y --reference population.csv --test test.csv -o gaps.html -o gaps.json
  tuckpoint find train.csv --margins census.yaml -o gaps.html
  tuckpoint find drives.csv --domain odd.yaml -o gaps.html

gaps.html is for people, gaps.json for programs. See docs/find.md. ends with 0, whatever is found."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint find`."""
    place.add_argument("file", type=Path, metavar="FILE", help="real training rows: CSV (also packed) or Parquet")
    place.add_argument("--target", metavar="COLUMN", help="the column that a model will predict")
    place.add_argument("--reference", type=Path, metavar="FILE", help="rows of the population, with the same columns")
    place.add_argument("--margins", type=Path, metavar="YAML", help="published shares instead of a reference")
    place.add_argument("--domain", type=Path, metavar="YAML", help="an operating domain that must be covered instead")
    place.add_argument("--test", type=Path, metavar="FILE", help="real rows that the model will be tested on")
    place.add_argument(
        "--smallest-effect", type=float, default=0.01, metavar="D", help="fall of the loss that matters (default: 0.01)"
    )
    place.add_argument("--group", metavar="COLUMN", help="says whose row it is, if people have several rows")
    shared.seed(place)
    shared.reports(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.gap.find import Settings, find
    from tuckpoint.report.gaps import gaps_page, lines

    shared.check_reports(options)
    found = find(
        options.file,
        target=options.target,
        reference=options.reference,
        margins=options.margins,
        domain=options.domain,
        test=options.test,
        group=options.group,
        schema=options.schema,
        settings=Settings(smallest_effect=options.smallest_effect, seed=options.seed),
        progress=progress,
    )
    for path in options.output:
        page = gaps_page(found) if path.suffix == ".html" else json.dumps(found.to_dict(), indent=1) + "\n"
        write_text(path, page, overwrite=options.overwrite)
    return "\n".join([*lines(found), *(f"report: {path}" for path in options.output)]), 0
