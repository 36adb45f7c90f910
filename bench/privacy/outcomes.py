"""Outcomes as JSON lines: what stands there is not run again, so an interrupted study goes on where it stopped."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
RAW = RESULTS / "raw"

Outcome = dict[str, Any]
Key = tuple[Any, ...]
NAMES = ("set", "split", "maker", "settings")


def key(item: Outcome) -> Key:
    """What tells one outcome of a file from another."""
    return tuple(item.get(name) for name in NAMES)


def read(path: Path) -> dict[Key, Outcome]:
    """The outcomes in a file, or none."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {key(item): item for item in map(json.loads, lines)}


def note(path: Path, item: Outcome) -> None:
    """Keep one outcome in place of an earlier one of the same key; other programs may be writing too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = [line for line in file.read().splitlines() if key(json.loads(line)) != key(item)]
        file.seek(0)
        file.truncate()
        file.write("\n".join([*kept, json.dumps(item)]) + "\n")
