"""`tuckpoint look`: a set of labelled pictures on one page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError
from tuckpoint.files import write_text

ABOUT = "Make one page that shows pictures beside their labels, what was seen, and what every number means."
MORE = ""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint look`."""
    place.add_argument("folder", type=Path, metavar="SET", help="folder of `tuckpoint render`")
    place.add_argument("-o", "--output", type=Path, metavar="HTML", help="the sheet (default: SET/look.html)")
    place.add_argument("--limit", type=int, default=24, metavar="N", help="pictures to show (default: 24)")
    place.add_argument("--overwrite", action="store_true", help="replace what stands there")


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Write the contact sheet; where it stands, and the exit status."""
    from tuckpoint import pictures
    from tuckpoint.report.contact import contact
    from tuckpoint.write import sets

    if options.limit < 1:
        raise InputError(f"--limit {options.limit}: show 1 picture or more")
    made = sets.open_set(options.folder)
    place = options.output or options.folder / "look.html"
    sheet = contact(made, pictures.covered(made), limit=options.limit)
    write_text(place, sheet, overwrite=options.overwrite or options.output is None)
    return str(place), 0
