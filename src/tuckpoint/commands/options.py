"""Options that verbs share, each added to a parser by one call, and the values that they read."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError
from tuckpoint.files import check_new, write_text


def reports(place: argparse.ArgumentParser) -> None:
    """-o for reports, as often as liked, and --overwrite."""
    place.add_argument(
        "-o", "--output", type=Path, action="append", default=[], metavar="FILE", help=".html or .json; repeatable"
    )
    place.add_argument("--overwrite", action="store_true", help="replace an older report")


def check_reports(options: argparse.Namespace) -> None:
    """Raise InputError, before any work, for a report of another kind, or where one stands."""
    for path in options.output:
        if path.suffix not in (".html", ".json"):
            raise InputError(f"{path}: a report is written as .html or .json")
        check_new(path, overwrite=options.overwrite)


def write_reports(options: argparse.Namespace, page: Callable[[], str], plain: Mapping[str, Any]) -> list[str]:
    """Write each report, `page` as .html and `plain` as .json; a line about each."""
    for path in options.output:
        text = page() if path.suffix == ".html" else json.dumps(plain, indent=1) + "\n"
        write_text(path, text, overwrite=options.overwrite)
    return [f"report: {path}" for path in options.output]


def sides(place: argparse.ArgumentParser) -> None:
    """--group, --listing, --group-pattern and --time: which rows, or images of a folder, are locked away together."""
    group(place, "says whose row it is: people stay on one side")
    place.add_argument(
        "--listing", type=Path, metavar="FILE", help="of a folder: CSV or JSONL with path, label and more"
    )
    place.add_argument(
        "--group-pattern", metavar="REGEX", help="of a folder: what of a path names the thing or person on the image"
    )
    place.add_argument("--time", metavar="COLUMN", help="the locked rows are the latest by this column")


def group(place: argparse.ArgumentParser, what: str) -> None:
    """--group, which may be called --person as where it can be nothing else."""
    place.add_argument("--group", "--person", metavar="COLUMN", help=what)


def output(place: argparse.ArgumentParser, what: str, *, required: bool = True) -> None:
    """-o for one file or folder, and --overwrite."""
    place.add_argument("-o", "--output", type=Path, required=required, metavar="OUT", help=what)
    place.add_argument("--overwrite", action="store_true", help="replace what an earlier run wrote there")


def check_overwrite(options: argparse.Namespace) -> None:
    """Raise InputError for --overwrite where nothing is written, since there is no -o."""
    if options.overwrite and options.output is None:
        raise InputError("--overwrite replaces what stands at -o, and there is no -o: give -o OUT, or leave it out")


def running(place: argparse.ArgumentParser) -> None:
    """--seed, --workers and --progress."""
    seed(place)
    workers(place)
    progress(place)


def schema(place: argparse.ArgumentParser) -> None:
    """--schema."""
    place.add_argument("--schema", type=Path, metavar="YAML", help="what the columns mean (default: found out)")


def workers(place: argparse.ArgumentParser) -> None:
    """--workers."""
    place.add_argument("--workers", type=at_least_one, metavar="N", help="processor cores to use (default: all)")


def progress(place: argparse.ArgumentParser) -> None:
    """--progress."""
    place.add_argument("--progress", action="store_true", help="tell each step even if this is no terminal")


def seed(place: argparse.ArgumentParser) -> None:
    """--seed."""
    place.add_argument("--seed", type=whole, default=0, metavar="N", help="root of all draws (default: 0)")


def whole(text: str) -> int:
    """A whole number from 0; `1_000_000` and `1,000,000` are read too."""
    try:
        number = int(text.replace(",", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number; write it like 1000 or 1_000_000") from None
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is below zero")
    return number


def at_least_one(text: str) -> int:
    """A whole number from 1."""
    number = whole(text)
    if not number:
        raise argparse.ArgumentTypeError(f"{text!r} is too few; give a whole number from 1")
    return number


def setting(text: str) -> tuple[str, Any]:
    """`leaf=20` as name and value."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r}: write it as NAME=VALUE, for example leaf=20")
    return name.strip(), _literal(value.strip())


def once(option: str, given: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """What a repeatable option says of each name; raises InputError where it says it twice."""
    names = [name for name, _ in given]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{option} is given twice for {name}; leave one out")
    return dict(given)


def _literal(text: str) -> Any:
    """A number, true, false, none or text; several, parted by commas, are a list."""
    if "," in text:
        return [_literal(part.strip()) for part in text.split(",") if part.strip()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None, "null": None}.get(text.lower(), text)
