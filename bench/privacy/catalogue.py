"""Does the audit block each leak, and let the innocent pass? `python -m bench.privacy.catalogue DATA --splits 20`.

For each split the people are dealt anew, every generator makes as many rows as it saw, and the audit judges them
against people whom it did not see.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa

from bench.privacy import outcomes
from bench.privacy.files import arguments, kept, made, obstacle, seed_of, splits
from bench.privacy.leaky import GENERATORS
from bench.privacy.splits import SOURCES, Split
from bench.privacy.trial import audited
from bench.tables.run import commit
from tuckpoint.errors import TuckpointError
from tuckpoint.seed import Seed

CATALOGUE = outcomes.RESULTS / "catalogue.jsonl"


def judged(found: Split, rows: pa.Table, maker: str, seed: Seed) -> dict[str, Any]:
    """The audit's outcome; its failure to judge is an outcome too, and not counted as a block."""
    told = {"commit": commit()}
    try:
        return {**audited(found, rows, seed.child("audit", maker), claimed=GENERATORS[maker].claimed), **told}
    except TuckpointError as error:
        return {"failed": f"{type(error).__name__}: {error}"[:300], **told}


def study(given: argparse.Namespace, path: Path, *, files: bool) -> int:
    """Judge every generator on every split and keep the outcomes; returns the exit status."""
    if why := obstacle(given):
        print(why, file=sys.stderr)
        return 2
    done = {} if given.again else outcomes.read(path)
    for name, number, found in splits(given.data, given.sets, range(given.first, given.first + given.splits)):
        for maker in given.makers:
            place = {"set": name, "split": number, "maker": maker}
            if outcomes.key(place) in done:
                continue
            rows = (kept if files else made)(found, maker, name, number)
            outcome = judged(found, rows, maker, seed_of(name, number))
            outcomes.note(path, {**place, **outcome})
            print(f"{name:13} {number:3} {maker:18} {told(outcome)}", flush=True)
    return 0


def told(outcome: dict[str, Any]) -> str:
    """One line about an outcome for the terminal."""
    if "failed" in outcome:
        return str(outcome["failed"])
    first = f"{outcome['first']} p {outcome['p']:.2g}" if outcome["first"] else "nothing judged"
    return f"{outcome['decision']:6} {first}  eps {outcome['epsilon']}  {outcome['cpu_s']:.1f} CPU-s"


def main() -> int:
    parser = arguments(__doc__, list(GENERATORS), list(SOURCES), 20)
    parser.add_argument("--again", action="store_true", help="audit again what was audited before; made rows stay")
    return study(parser.parse_args(), CATALOGUE, files=True)


if __name__ == "__main__":
    sys.exit(main())
