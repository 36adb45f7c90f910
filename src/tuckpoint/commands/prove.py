"""`tuckpoint prove`: do made rows help a model, judged on real rows that were locked away first?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError

ABOUT = """Prove what made rows bring to a model. A part of the real rows is locked away first; then everything that
learns, the generators too, is fitted anew in each of several resamples of the rest, and real + made is compared with
real only on the locked rows. Controls that must fail, and a planted copy of the locked rows, are tried each time."""
MORE = """examples:
  tuckpoint prove plan.yaml --real train.csv -o verdict.html
  tuckpoint prove plan.yaml --real visits.csv --group patient_id --time date -o verdict.html -o verdict.json
  tuckpoint prove plan.yaml --real train.csv --made twin=made.csv -o verdict.html
  tuckpoint prove signs.yaml --real photos/ --group-pattern '(.*)_[0-9]+' -o verdict.html

PLAN says what is claimed before anything is made: target, metric, smallest effect that matters, slices, sources; its
digest stands on the verdict. See docs/prove.md.
ends with 0 if made rows help, 3 for no evidence or rows of unverifiable provenance (--made), 4 if they are equivalent,
5 if they hurt, 2 if a leak was caught or a control failed."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint prove`."""
    place.add_argument("plan", type=Path, metavar="PLAN", help="plan.yaml: what is claimed, and from which sources")
    place.add_argument(
        "--real", type=Path, required=True, metavar="FILE",
        help="all real rows, or a folder of labelled images; the test is taken of them",
    )  # fmt: skip
    place.add_argument("--target", metavar="COLUMN", help="the target again, to be sure that it is that of the plan")
    shared.sides(place)
    place.add_argument(
        "--made", action="append", default=[], type=_named, metavar="[NAME=]FILE",
        help="finished made rows without their generator: unverifiable provenance at best; repeatable",
    )  # fmt: skip
    place.add_argument(
        "--registered", metavar="DIGEST", help="digest of the plan when it was registered; another plan is refused"
    )
    shared.reports(place)
    shared.schema(place)
    shared.workers(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.asked import cores
    from tuckpoint.prove.plan import Plan
    from tuckpoint.prove.proof import prove
    from tuckpoint.report.verdict_page import lines, verdict_page
    from tuckpoint.schema import Schema

    shared.check_reports(options)
    plan = Plan.load(options.plan)
    if options.target not in (None, plan.target):
        raise InputError(f'--target "{options.target}" is not the target of the plan, "{plan.target}"; leave one out')
    if options.registered is not None and not plan.digest().startswith(options.registered.lower()):
        raise InputError(
            f"{options.plan} was changed since it was registered: its digest is {plan.digest()}, not "
            f"{options.registered}; bring the old plan back, or register the new one before anything is made"
        )
    proof = prove(
        plan,
        options.real,
        group=options.group,
        time=options.time,
        made=dict(options.made),
        schema=None if options.schema is None else Schema.load(options.schema),
        listing=options.listing,
        pattern=options.group_pattern,
        workers=cores(options.workers),
        progress=progress,
    )
    written = shared.write_reports(options, lambda: verdict_page(proof), proof.to_dict())
    return "\n".join([*lines(proof), *written]), proof.exit


def _named(text: str) -> tuple[str, Path]:
    """`twin=made.csv`, or the file alone, which is then called by its name without suffixes."""
    name, equals, file = text.partition("=")
    path = Path(file if equals else text)
    return (name if equals else path.name.split(".")[0]), path
