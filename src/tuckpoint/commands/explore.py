"""`tuckpoint explore`: where does a model of real rows fail, over the knobs of a simulator or another source?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared

ABOUT = """Explore where a model fails. The plan's learner is trained on real rows alone and judged on rows that one of
the plan's sources makes, whose truth the source knows: of a simulator, the simulator's. Told is the loss over every
column and pair of columns, and the worst corner: sought on half of the made rows, confirmed on the other, and held
against real rows that the model did not learn."""
MORE = """examples:
  tuckpoint explore plan.yaml --real train.csv --source plant -o surface.html
  tuckpoint explore plan.yaml --real train.csv --source plant --knob flow --knob load -o surface.html -o surface.json
  tuckpoint explore signs.yaml --real photos/ --source scene -o surface.html
  tuckpoint simulate plant.py --real train.csv --where 'flow < 6' -n 500 -o corner.csv

The locked rows of the plan are not read. The corner is a condition that --where and a slice of a plan take; of a scene
it names knobs, for --pin.
ends with 0 if a weak corner was confirmed, 3 if there is no evidence of one."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint explore`."""
    place.add_argument("plan", type=Path, metavar="PLAN", help="plan.yaml: target, learner, and sources")
    place.add_argument("--real", type=Path, required=True, metavar="FILE", help="all real rows, or a folder of images")
    place.add_argument("--source", required=True, metavar="NAME", help="the source of the plan that makes the rows")
    place.add_argument(
        "-n", "--rows", type=shared.at_least_one, default=5000, metavar="N", help="rows to make (default: 5000)"
    )
    place.add_argument("--knob", action="append", default=[], metavar="COLUMN", help="look at this column; repeatable")
    place.add_argument(
        "--judge", choices=("loss", "error"), default="loss",
        help="of classes: the log loss (default), or the error, 0 or 1",
    )  # fmt: skip
    shared.sides(place)
    shared.reports(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.prove.explore import explore
    from tuckpoint.prove.images import images_of
    from tuckpoint.prove.plan import Plan
    from tuckpoint.report.surface import lines, surface_page
    from tuckpoint.schema import Schema
    from tuckpoint.table.frame import read

    shared.check_reports(options)
    plan = Plan.load(options.plan)
    if options.real.is_dir():
        frame, group, _ = images_of(
            options.real, plan.target, listing=options.listing, group=options.group, pattern=options.group_pattern,
            workers=1, progress=progress,
        )  # fmt: skip
    else:
        frame, group = read(options.real), options.group
    progress("training, and making rows", 0.0)
    found = explore(
        plan,
        frame,
        options.source,
        rows=options.rows,
        judge=options.judge,
        knobs=options.knob,
        group=group,
        time=options.time,
        schema=None if options.schema is None else Schema.load(options.schema),
    )
    written = shared.write_reports(options, lambda: surface_page(found), found.to_dict())
    return "\n".join([*lines(found), *written]), found.exit
