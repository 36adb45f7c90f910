"""`tuckpoint find`: what does a real table, or folder of pictures, lack, what does it cost, and can it be mended?"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError
from tuckpoint.files import check_new, write_text

if TYPE_CHECKING:
    from tuckpoint.gap.finding import Gaps

ABOUT = """Find what a real table lacks beside a reference: rows of the population, published margins, or a declared
operating domain. With a target it also tells what the lack costs, where the model is weak, whether more rows would
mend it, and what could be proved with the test rows at hand. A folder of pictures (a folder for each class, or with
a listing) is searched for classes, attributes and looks; leaks between its sides and damaged files are told."""
MORE = """examples:
  tuckpoint find train.csv --reference population.csv -o gaps.html
  tuckpoint find train.csv --target y --reference population.csv --test test.csv -o gaps.html -o gaps.json
  tuckpoint find train.csv --margins census.yaml -o gaps.html
  tuckpoint find drives.csv --domain odd.yaml -o gaps.html
  tuckpoint find photos/ --reference pool/ -o gaps.html
  tuckpoint find photos/ --listing photos.csv --target class --side split --group person --reference pool/ -o gaps.html

gaps.html is for people, gaps.json for programs. See docs/find.md. ends with 0, whatever is found."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint find`."""
    place.add_argument(
        "file", type=Path, metavar="FILE", help="real training rows: CSV (also packed) or Parquet; or a folder"
    )
    place.add_argument("--target", metavar="COLUMN", help="the column that a model will predict")
    place.add_argument("--reference", type=Path, metavar="FILE", help="rows of the population; a folder for one")
    place.add_argument("--margins", type=Path, metavar="YAML", help="published shares instead of a reference")
    place.add_argument("--domain", type=Path, metavar="YAML", help="an operating domain that must be covered instead")
    place.add_argument("--test", type=Path, metavar="FILE", help="real rows that the model will be tested on")
    place.add_argument(
        "--smallest-effect", type=float, default=0.01, metavar="D", help="fall of the loss that matters (default: 0.01)"
    )
    shared.group(place, "says whose row it is, if people have several rows")
    pictures = place.add_argument_group("of pictures")
    pictures.add_argument(
        "--listing", type=Path, metavar="FILE", help="CSV or JSONL with path, label and other columns"
    )
    pictures.add_argument("--side", metavar="COLUMN", help="column of the listing that says train or test")
    pictures.add_argument("--table", type=Path, metavar="CSV", help="write all pictures with what was measured of them")
    shared.workers(place)
    shared.seed(place)
    shared.reports(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.gap.find import Settings, find

    shared.check_reports(options)
    if options.file.is_dir():
        return _pictures(options, progress)
    said = [name for name in ("listing", "side", "table") if getattr(options, name) is not None]
    if said:
        raise InputError(f"--{said[0]} is of folders of pictures, and {options.file} is no folder; leave it out")
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
    return _written(options, found, {}), 0


def _pictures(options: argparse.Namespace, progress: Any) -> tuple[str, int]:
    from tuckpoint.gap.find import Settings
    from tuckpoint.gap.photo_sides import LABEL, Folder
    from tuckpoint.gap.photos import find_photos

    if options.schema is not None:
        raise InputError("--schema is of tables; what a column of a listing means is found out, leave --schema out")
    if options.table is not None:
        check_new(options.table, overwrite=options.overwrite)
    found = find_photos(
        Folder(options.file, options.listing, options.target or LABEL, options.side, options.group),
        reference=options.reference,
        margins=options.margins,
        domain=options.domain,
        test=options.test,
        settings=Settings(smallest_effect=options.smallest_effect, seed=options.seed),
        workers=options.workers,
        progress=progress,
    )
    told = _written(options, found.gaps, found.shown)
    if options.table is not None:
        import io

        from pyarrow import csv

        held = io.BytesIO()
        csv.write_csv(found.table, held)
        write_text(options.table, held.getvalue().decode(), overwrite=options.overwrite)
        told += f"\ntable: {options.table}"
    return told, 0


def _written(options: argparse.Namespace, found: Gaps, shown: Mapping[str, Sequence[Path]]) -> str:
    """Write the reports that were asked for; what to tell."""
    from tuckpoint.report.gaps import gaps_page, lines

    written = shared.write_reports(options, lambda: gaps_page(found, shown), found.to_dict())
    return "\n".join([*lines(found), *written])
