"""How often the check of medians fails when it should and should not: `python -m bench.implant.medians --data FOLDER`.

Real nodules of the folder are the population. A trial draws few of them as the real ones and MADE others as those made,
all of which `factor` times as wide, and asks the product's own comparison. No implant is made.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from bench.implant.nodules import SPACING, patches
from tuckpoint.files import write_text
from tuckpoint.implant.calibrate import WITHIN
from tuckpoint.implant.describe import compared, measured, window_at
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed

REAL, MADE, TRIALS = (10, 20, 40), 80, 100
FACTORS = (1.0, 1.1, 1.2, 1.3, 1.5)
RESULTS = Path(__file__).parent / "results"


def state(population: Array, real: int, factor: float, seed: Seed) -> str:
    """What the check says of one trial: holds, open or fails."""
    rng = seed.child("drawn").numpy()
    made, few = (population[rng.integers(len(population), size=n)] for n in (MADE, real))
    names = [[str(k) for k in range(n)] for n in (MADE, real)]
    held = compared((made * [factor, 1, 1], names[0]), (few, names[1]), seed.child("interval"))
    beyond = [one for one in held if abs(one.off) > WITHIN]
    if not beyond:
        return "holds"
    return "open" if all(one.low <= 0 <= one.high for one in beyond) else "fails"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder volumes/ of the nodule patches")
    options = parser.parse_args()
    cut = [(window_at(one.host.image, one.middle, (10, 10, 10)), SPACING) for one in patches(options.data)]
    population, _ = measured(cut, None)
    told: dict[str, Any] = {"nodules": len(population), "made": MADE, "trials": TRIALS, "share": {}}
    for real in REAL:
        for factor in FACTORS:
            seed = Seed(0, ("medians", real, round(10 * factor)))
            states = [state(population, real, factor, seed.child(trial)) for trial in range(TRIALS)]
            told["share"][f"{real} real, {factor:g} times as wide"] = {
                name: states.count(name) / TRIALS for name in ("holds", "open", "fails")
            }
    write_text(RESULTS / "medians.json", json.dumps(told, indent=1) + "\n", overwrite=True)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
