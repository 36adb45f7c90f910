"""`tuckpoint render`: a specification of scenes into labelled pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError, count

ABOUT = """Render labelled pictures of scenes that are drawn from a specification: things, lights and camera, every
knob a value or how to draw one. No GPU is needed; the same seed gives the same labels, with any number of workers."""
MORE = """examples:
  tuckpoint render examples/shelf.yaml -n 200 --seed 3 -o out/
  tuckpoint render examples/shelf.yaml -n 100 --pin 'sun.elevation_deg=3' --pin 'goods.count=2' -o low/
  tuckpoint render examples/shelf.yaml -n 50 --twin 'sun.elevation_deg=10,60' -o pairs/
  tuckpoint render examples/shelf.yaml --suite suite.csv -o corners/

a pin is KNOB=VALUE: goods.count, goods.3.shape.height_m, and without the number for all of a group. With --twin each
scene comes twice and differs in one knob: KNOB alone is false and true, KNOB=A,B these two values. A suite is a table
whose columns are knobs and whose rows are scenes, such as tuckpoint suite writes; an empty cell leaves its knob free.
needs: pip install 'tuckpoint[scenes]'"""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint render`."""
    place.add_argument("spec", type=Path, metavar="SPEC", help="specification of scenes (YAML)")
    place.add_argument(
        "-n", "--scenes", type=shared.at_least_one, metavar="N", help="scenes to render (of --suite: its rows)"
    )
    place.add_argument("--suite", type=Path, metavar="FILE", help="one scene for each row, its columns held as knobs")
    place.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="new folder to write into")
    place.add_argument(
        "--renderer", default="raycast", metavar="NAME", help="what makes the pictures (default: raycast)"
    )
    place.add_argument(
        "--set", action="append", default=[], type=shared.setting, metavar="NAME=VALUE", dest="settings",
        help="a setting of the renderer (antialias=2); repeatable",
    )  # fmt: skip
    place.add_argument("--labels", nargs="+", metavar="NAME", help="labels to write (default: the usual ones)")
    place.add_argument("--no-pictures", action="store_true", help="labels alone, several times faster")
    place.add_argument("--release-clean", action="store_true", help="refuse files that may not be given away")
    place.add_argument(
        "--pin", action="append", default=[], type=shared.setting, metavar="KNOB=VALUE", help="hold a knob; repeatable"
    )
    place.add_argument(
        "--twin",
        type=lambda text: shared.setting(text) if "=" in text else (text, ()),
        default=(None, ()),
        metavar="KNOB[=A,B]",
        help="pairs that differ in this one knob",
    )
    shared.running(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Render; what to tell of what stands where, and the exit status."""
    from tuckpoint import pictures

    twin, values = options.twin
    more = {} if options.labels is None else {"labels": options.labels}
    suite = [] if options.suite is None else _rows(options.suite)
    if options.scenes is None and not suite:
        raise InputError("say how many scenes to render with -n, or which ones with --suite")
    made = pictures.render(
        options.spec,
        options.output,
        len(suite) if options.scenes is None else options.scenes,
        seed=options.seed,
        renderer=options.renderer,
        settings=dict(options.settings),
        shaded=not options.no_pictures,
        pins=dict(options.pin),
        twin=twin,
        values=values if isinstance(values, list | tuple) else (values,),
        suite=suite,
        release_clean=options.release_clean,
        workers=options.workers,
        progress=progress,
        **more,
    )
    coverage = pictures.covered(made)
    lines = [
        f"{count(coverage['pictures'], 'picture')} in {options.output}, with {count(len(made.about.meanings), 'label')}"
    ]
    for name, seen in coverage["classes"].items():
        lines.append(f"  {name:<14} in {count(seen['pictures'], 'picture')}, {count(seen['things'], 'thing')}")
    for number, cells in enumerate(coverage.get("quotas", ())):
        least, most = (pick(cell["pictures"] for cell in cells) for pick in (min, max))
        lines.append(f"  quota {number}: {len(cells):,} cells of {least:,} to {most:,} pictures")
        if least == 0:
            lines.append(f"    some cells have none: render {len(cells):,} scenes or more")
    for why, vain in coverage["scenes_drawn_in_vain"].items():
        lines.append(f"  scenes drawn in vain: {vain:,}, {why}")
    lines.append(f"next: tuckpoint write {options.output} --format coco yolo")
    return "\n".join(lines), 0


def _rows(path: Path) -> list[dict[str, Any]]:
    """The pins of each row of a table; raises InputError if it has none."""
    from tuckpoint.table.frame import read

    rows = [
        {
            name: shared.setting(f"{name}={value}")[1] if isinstance(value, str) else value
            for name, value in row.items()
            if value is not None
        }
        for row in read(path).table.to_pylist()
    ]
    if not rows:
        raise InputError(f"{path} has no rows; a suite holds one for each scene")
    return rows
