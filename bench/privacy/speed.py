"""What one audit costs, attack by attack: `python -m bench.privacy.speed DATA` audits 20,000 x 15 rows.

Training and held-out rows are adult's, the made ones drawn by the engine `trees`. The audit runs twice in one process:
first for its CPU seconds and largest memory, then under a profiler, whose shares are shown and whose seconds, being
longer, are not.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tuckpoint
from bench.privacy import outcomes
from bench.privacy.leaky import engine
from bench.privacy.splits import Seen, missing, public, read
from bench.privacy.trial import kept
from bench.tables.adapters.clock import peak_mb, single_thread, timed
from bench.tables.run import commit
from tuckpoint.measure.audit import audit
from tuckpoint.seed import Seed

SPEED = outcomes.RESULTS / "speed.jsonl"
MEASURE, ATTACKS, AUDIT = str(Path("tuckpoint", "measure")), str(Path("measure", "attacks")), "audit.py"
Calls = dict[tuple[str, int, str], tuple[int, int, float, float, dict[tuple[str, int, str], tuple[float, ...]]]]


def calls(profile: cProfile.Profile) -> Calls:
    """What the profiler counted: per function (file, line, name) its calls, own and whole seconds, and its callers."""
    found: Calls = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    return found


def shares(found: Calls, callee: Callable[[str, str], bool], caller: Callable[[str, str], bool]) -> dict[str, float]:
    """Share of the time of the functions (file, name) that are called from certain others, the largest first."""
    whole = sum(own for _, _, own, _, _ in found.values())
    out: dict[str, float] = {}
    for (file, _, name), (*_, callers) in found.items():
        inside = sum(times[-1] for (where, _, who), times in callers.items() if caller(where, who))
        if callee(file, name) and inside:
            label = f"{Path(file).stem}.{name}"
            out[label] = out.get(label, 0.0) + inside / whole
    return {name: round(share, 3) for name, share in sorted(out.items(), key=lambda item: -item[1]) if share > 5e-4}


def measured(folder: Path, people: int) -> dict[str, Any]:
    """The cost of one audit with so many rows a side."""
    table = read(folder, "adult")
    order = Seed(0, ("speed",)).numpy().permutation(table.num_rows)
    train, holdout = table.take(order[:people]), table.take(order[people : 2 * people])
    made = engine("trees")(Seen(train, train, public(table)), Seed(1))
    schema = tuckpoint.profile(train)
    before = peak_mb()
    outcome, cost = timed(lambda: audit(train, made, holdout, schema, seed=Seed(2)))
    peak = peak_mb()
    profile = cProfile.Profile()
    profile.runcall(audit, train, made, holdout, schema, seed=Seed(2))
    return {
        "set": "adult", "split": people, "rows": people, "columns": table.num_columns, **kept(outcome), **cost,
        "peak_mb": round(peak), "before_mb": round(before),
        "stages": shares(
            calls(profile),
            lambda file, name: MEASURE in file and name not in ("_tried", "suite"),
            lambda file, name: file.endswith(AUDIT) and name in ("audit", "_tried"),
        ),
        "attacks": shares(
            calls(profile), lambda file, _: ATTACKS in file, lambda file, _: file.endswith(AUDIT)
        ),
        "commit": commit(),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds adult/adult.csv")
    parser.add_argument("--people", nargs="+", type=int, default=[2_000, 20_000])
    given = parser.parse_args()
    if why := missing(given.data, ["adult"]):
        print(why, file=sys.stderr)
        return 2
    single_thread()
    for people in given.people:
        found = measured(given.data, people)
        outcomes.note(SPEED, found)
        print(json.dumps(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
