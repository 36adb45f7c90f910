"""Can a learner tell implanted from real nodules? `python -m bench.implant.visible --data FOLDER`.

The product's own test (boosted trees on features of windows of 20 mm, series never on both sides) and the three
medians, for each way to implant; nothing here is a target: expert-fooling and usefulness are different figures.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.implant.nodules import SPACING, Patch, Sphere, halves, patches
from tuckpoint.errors import InputError
from tuckpoint.files import write_text
from tuckpoint.implant.bank import NoduleBank, carve
from tuckpoint.implant.calibrate import calibrate, real_medians
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.describe import describe, window_at
from tuckpoint.implant.telling import told_apart
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed

HALF = (10, 10, 10)
COUNT = 150
RESULTS = Path(__file__).parent / "results"


def windows(adapter: Any, hosts: list[Patch], seed: Seed) -> tuple[list[Array], list[str]]:
    """Windows around implants anywhere in these hosts' lungs, and their series."""
    found, series = [], []
    for number in range(2 * COUNT):
        one = hosts[number % len(hosts)]
        try:
            drawn = adapter.plan(one.host, seed.child(number))
        except InputError:
            continue
        found.append(window_at(adapter.implant(one.host, drawn).image, drawn[0].position, HALF))
        series.append(one.host.name)
        if len(found) == COUNT:
            break
    return found, series


def spread(cut: list[Array]) -> dict[str, list[float]]:
    """The 10th, 50th and 90th percentile of each descriptor."""
    found = [vars(one) for one in (describe(window, SPACING) for window in cut) if one is not None]
    return {
        name: [round(float(v), 3) for v in np.quantile([one[name] for one in found], [0.1, 0.5, 0.9])]
        for name in found[0]
    } | {"measured": [len(found)]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    host_side, real_side = halves(patches(options.data), 0)
    room = [one for one in host_side if len(one.allowed)]
    real = [window_at(one.host.image, one.middle, HALF) for one in real_side]
    owners = [one.host.name for one in real_side]
    seed = Seed(0, ("visible",))
    wanted = real_medians([p.host.image for p in host_side], [p.mask for p in host_side], SPACING)
    adapters = {
        "sphere": Sphere(LungNodule()),
        "parametric": LungNodule(),
        "calibrated": calibrate(LungNodule(), [p.host for p in room], wanted, seed.child("calibrate")).adapter,
        "bank 20": NoduleBank([carve(p.host.name, p.host.image, p.mask, SPACING) for p in real_side[:20]]),
    }
    told: dict[str, Any] = {"real": {"medians": spread(real)}}
    for name, adapter in adapters.items():
        cut, series = windows(adapter, room, seed.child(name))
        kept = real if name != "bank 20" else real[20:]  # what was carved is not asked for again
        found = told_apart(cut, kept, (series, owners[-len(kept) :]), seed.child("told", name))
        told[name] = {"auc": found.auc, "low": found.low, "high": found.high, "medians": spread(cut)}
        print(name, json.dumps(told[name]), flush=True)
    write_text(RESULTS / "visible.json", json.dumps(told, indent=1) + "\n", overwrite=True)


if __name__ == "__main__":
    main()
