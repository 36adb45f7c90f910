"""`tuckpoint suite`: few scenarios in which every valid combination of t factors of an operating domain occurs."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import count
from tuckpoint.files import check_new, sha256

if TYPE_CHECKING:
    from tuckpoint.record import Record
    from tuckpoint.simulate.operating import Domain
    from tuckpoint.simulate.scenarios import Suite
    from tuckpoint.table.frame import Frame

ABOUT = """Write few rows in which every valid combination of t factors of an operating domain occurs (a covering array
with constraints), or only those that a table lacks. Told are the combinations that cannot be, with the constraint that
forbids them, and the fewest rows that any suite could have."""
MORE = """examples:
  tuckpoint suite odd.yaml -t 3 -o suite.csv
  tuckpoint suite odd.yaml -t 2 --rows drives.csv -o missing.csv
  tuckpoint render world.yaml --suite suite.csv -o pictures/

odd.yaml is an operating domain as tuckpoint find --domain reads it; of a number's range the middle is written. Factors
that are named as knobs of a scene (sun.elevation_deg) make a suite that render takes. See docs/rare.md.
ends with 0."""

SHOWN = 12  # combinations that cannot be


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint suite`."""
    place.add_argument("domain", type=Path, metavar="DOMAIN", help="operating domain (YAML)")
    place.add_argument(
        "-t", "--ways", type=shared.at_least_one, metavar="T", help="factors that are combined (default: the file's)"
    )
    place.add_argument("--rows", type=Path, metavar="FILE", help="rows at hand: only what they lack is written")
    shared.output(place, "the scenarios: .csv or .parquet")
    shared.seed(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.gap.domain import load
    from tuckpoint.seed import Seed
    from tuckpoint.simulate.operating import domain
    from tuckpoint.simulate.scenarios import broken, suite
    from tuckpoint.table.frame import read
    from tuckpoint.write import table as writing

    writing.suffix(options.output)
    check_new(options.output, overwrite=options.overwrite)
    data = load(options.domain)
    asked, ways = domain(data), options.ways or data.get("ways", 2)
    frame = None if options.rows is None else read(options.rows)
    have = None if frame is None else asked.places(frame.table)
    made = suite(asked, ways, Seed(options.seed).child("suite"), have=have)
    lines = _lines(asked, made, options.domain)
    if have is not None and frame is not None:
        lines.append(
            f"{frame.name}: {made.before:,} of them are in its {len(have):,} rows ({made.before / made.valid:.1%})"
        )
        if bad := int(broken(asked, have).sum()):
            lines.append(f"  {bad:,} of its rows break a constraint and cover nothing; check them or the constraints")
    if not len(made.rows):
        return "\n".join([*lines, "nothing is missing; no file was written"]), 0
    record = _record(made, frame, options=options, ways=ways)
    writing.write(asked.table(made.rows), options.output, record, overwrite=options.overwrite)
    lines.append(
        f"{options.output}: {count(len(made.rows), 'row')}; with them {made.covered:,} of {made.valid:,} are covered; "
        f"no suite can do with fewer than {made.bound:,}"
    )
    return "\n".join(lines), 0


def _lines(asked: Domain, made: Suite, file: Path) -> list[str]:
    """What there is to cover, and what cannot be."""
    lines = [
        f"{file}: {count(len(asked.factors), 'factor')}, {made.valid:,} valid combinations of {made.ways}; "
        f"{len(made.infeasible):,} cannot be"
    ]
    for one in made.infeasible[:SHOWN]:
        why = " with ".join(f"`{text}`" for text in one.constraints)
        lines.append(f"  {asked.told(one.factors, one.levels)}: forbidden by {why}")
    if len(made.infeasible) > SHOWN:
        counts = Counter(" with ".join(one.constraints) for one in made.infeasible[SHOWN:])
        rest = "; ".join(f"{count:,} by `{text}`" for text, count in counts.most_common(5))
        lines.append(f"  and {len(made.infeasible) - SHOWN:,} more: {rest}")
    return lines


def _record(made: Suite, frame: Frame | None, *, options: argparse.Namespace, ways: int) -> Record:
    """How the scenarios came to be."""
    from tuckpoint.record import Input, Maker, Record, digest_of
    from tuckpoint.run import stamp_of

    inputs: tuple[Input, ...] = ()
    if frame is not None:
        stamp = stamp_of(options.rows)
        inputs = (Input.of(frame.name, sha256=frame.digest, rows=frame.table.num_rows, stamp=stamp),)
    digest = sha256(options.domain)
    asked = {
        "verb": "suite", "domain": digest, "ways": ways, "seed": options.seed, "inputs": [one.sha256 for one in inputs],
    }  # fmt: skip
    return Record(
        dataset=options.output.name,
        maker=Maker("suite", digest),
        recipe=digest_of(asked),
        seed=options.seed,
        rows=len(made.rows),
        inputs=inputs,
        evidence={"coverage": {"ways": ways, "valid": made.valid, "covered": made.covered, "bound": made.bound}},
    )
