"""Made rows on disk, so that every auditor judges the same files: `python -m bench.privacy.files DATA` only makes them.

They lie under results/raw/TABLE/SPLIT (not tracked), beside what the maker saw and did not see.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.privacy import environments, outcomes
from bench.privacy.leaky import GENERATORS
from bench.privacy.splits import SOURCES, Split, missing, public, read, split
from tuckpoint.seed import Seed


def seed_of(name: str, number: int) -> Seed:
    """The stream of one split of one table."""
    return Seed(0, ("privacy", name, number))


def folder_of(name: str, number: int) -> Path:
    """Where the files of a split are."""
    return outcomes.RAW / name / str(number)


def splits(folder: Path, names: list[str], numbers: range) -> Iterator[tuple[str, int, Split]]:
    """Split by split, so that an interrupted run leaves whole tables."""
    tables = {name: read(folder, name) for name in names}
    schemas = {name: public(table) for name, table in tables.items()}
    for number in numbers:
        for name in names:
            yield name, number, split(tables[name], schemas[name], seed_of(name, number).child("people"))


def made(found: Split, maker: str, name: str, number: int) -> pa.Table:
    """The rows of one generator on one split."""
    return GENERATORS[maker].make(found.seen, seed_of(name, number).child("made", maker))


def kept(found: Split, maker: str, name: str, number: int) -> pa.Table:
    """The same from its file, made first if it is not there."""
    folder = folder_of(name, number)
    folder.mkdir(parents=True, exist_ok=True)
    for side, table in (("train", found.seen.train), ("holdout", found.holdout)):
        if not (folder / f"{side}.parquet").exists():
            pq.write_table(table, folder / f"{side}.parquet")
    place = folder / f"{maker}.parquet"
    if not place.exists():
        pq.write_table(made(found, maker, name, number), place)
    return pq.read_table(place)


def arguments(description: str | None, makers: list[str], sets: list[str], count: int) -> argparse.ArgumentParser:
    """What can be said to the studies."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds NAME/NAME.csv")
    parser.add_argument("--sets", nargs="+", default=sets, choices=list(SOURCES))
    parser.add_argument("--makers", nargs="+", default=makers, choices=list(GENERATORS))
    parser.add_argument("--splits", type=int, default=count)
    parser.add_argument("--first", type=int, default=0, help="number of the first split")
    return parser


def obstacle(given: argparse.Namespace) -> str | None:
    """Why rows cannot be made; None if they can."""
    if lost := missing(given.data, given.sets):
        return lost
    return environments.absent("cart") if any(maker.startswith("cart") for maker in given.makers) else None


def main() -> int:
    given = arguments(__doc__, list(GENERATORS), list(SOURCES), 20).parse_args()
    if why := obstacle(given):
        print(why, file=sys.stderr)
        return 2
    for name, number, found in splits(given.data, given.sets, range(given.first, given.first + given.splits)):
        for maker in given.makers:
            kept(found, maker, name, number)
        print(f"{name:13} {number:3} {len(given.makers)} files", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
