"""How often a corner is confirmed where there is none: `python -m bench.proof.corners --runs 1000`.

Each run draws losses that hang on no knob, 300 rows in 40 clusters that share a shift, over three knobs, and explores
them. Told are the share of confirmed corners (2.5 % is the level of a two-sided 95 % interval) and the share of runs in
which any of the intervals of main effects and pairs leaves out the truth (5 % is their joint level).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench.proof.null import study
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.prove.cuts import Knob
from tuckpoint.prove.surface import Losses, surface
from tuckpoint.seed import Seed

KNOBS = (
    Knob("x", ("x < 1", "1 <= x < 2", "2 <= x < 3", "x >= 3"), (1.0, 2.0, 3.0)),
    Knob("place", ('place == "a"', 'place == "b"', 'place == "c"'), values=(0.0, 1.0, 2.0)),
    Knob("z", ("z == 0", "z == 1"), values=(0.0, 1.0)),
)
ROWS, CLUSTERS = 300, 40


def trial(number: int) -> dict[str, Any]:
    """One surface of nothing; losses are skewed, as losses are."""
    random = Seed(number, ("corners",)).numpy()
    codes = {knob.name: random.integers(0, len(knob.where), ROWS) for knob in KNOBS}
    own = random.integers(0, CLUSTERS, ROWS)
    loss = random.exponential(1, ROWS) + random.normal(0, 1, CLUSTERS)[own]
    found = surface(KNOBS, Losses(loss, own, codes), None, Seed(number))
    cells = [cell for part in (*found.mains, *found.pairs) for cell in part.cells]
    return {
        "run": number, "corner": found.corner is not None and found.corner.confirmed,
        "missed": any(not cell.low <= 0 <= cell.high for cell in cells),
    }  # fmt: skip


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The two shares with their intervals."""
    lines = []
    for name, what in (("corner", "a corner is confirmed"), ("missed", "an interval leaves out the truth")):
        count = sum(run[name] for run in runs)
        low, high = clopper_pearson(count, len(runs))
        lines.append(
            f"{what}: {count} of {len(runs)} = {np.mean([run[name] for run in runs]):.1%} [{low:.1%}, {high:.1%}]"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    return study(__doc__, "corners", 1000, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
