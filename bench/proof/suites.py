"""Sizes of scenario suites beside published ones: `python -m bench.proof.suites`.

Six configurations on which makers of pairwise tools compare theirs (pairwise.org/efficiency.html, which names the
source of each figure), of which the smallest and the largest published size are told; and one of three ways whose
smallest size is proved (csplib.org, problem 45). Sizes are for seed 0, and the least of five seeds; every suite is
counted anew to cover all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

from bench.proof.null import study
from tuckpoint.seed import Seed
from tuckpoint.simulate.operating import Domain, domain
from tuckpoint.simulate.scenarios import suite

# name: levels and how many factors have them, ways, the smallest and the largest of 14 tools
KNOWN: dict[str, tuple[tuple[tuple[int, int], ...], int, str]] = {
    "3^4": (((3, 4),), 2, "9 to 11"),
    "3^13": (((3, 13),), 2, "15 to 23"),
    "4^15 3^17 2^29": (((4, 15), (3, 17), (2, 29)), 2, "29 to 49"),
    "4^1 3^39 2^35": (((4, 1), (3, 39), (2, 35)), 2, "21 to 33"),
    "2^100": (((2, 100),), 2, "10 to 18"),
    "10^20": (((10, 20),), 2, "180 to 245"),
    "2^5, three ways": (((2, 5),), 3, "10, proved"),
}
SEEDS = 5


def made_of(levels: tuple[tuple[int, int], ...]) -> Domain:
    """A domain without constraints."""
    sizes = [size for size, count in levels for _ in range(count)]
    return domain({"factors": {f"f{k}": [f"l{j}" for j in range(size)] for k, size in enumerate(sizes)}})


def trial(number: int) -> dict[str, Any]:
    """One suite."""
    name = list(KNOWN)[number // SEEDS]
    levels, ways, _ = KNOWN[name]
    start = time.process_time()
    made = suite(made_of(levels), ways, Seed(number % SEEDS))
    assert made.covered == made.valid
    return {
        "run": number, "name": name, "rows": len(made.rows), "bound": made.bound,
        "seconds": round(time.process_time() - start, 2),
    }  # fmt: skip


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The sizes, as a table."""
    lines = ["| factors | ways | rows, seed 0 | least of 5 seeds | published | bound | seconds |"]
    lines.append("|---|---|---|---|---|---|---|")
    for name, (_, ways, published) in KNOWN.items():
        part = [run for run in runs if run["name"] == name]
        if part:
            lines.append(
                f"| {name} | {ways} | {part[0]['rows']} | {min(run['rows'] for run in part)} | {published} | "
                f"{part[0]['bound']} | {part[0]['seconds']:.1f} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    return study(__doc__, "suites", len(KNOWN) * SEEDS, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
