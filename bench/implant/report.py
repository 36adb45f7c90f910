"""Figures of the bench of nodules: `python -m bench.implant.report --work FOLDER`, from the scores that it kept.

AUC is the mean over halves and seeds; its interval, and that of a difference, resamples series, the same ones in all
halves, seeds and arms.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.implant.nodules import ARMS, HALF, halves, negatives, patches, slices
from tuckpoint.files import write_text
from tuckpoint.implant.telling import area
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed

REPLICATES = 1000
FALSE_ALARMS = 0.1
BRIGHT = "brightness"
DIFFERENCES = (("bank 20", "real 20"), ("bank 20", "real all"), ("calibrated", "real all"), ("parametric", "real all"))
RESULTS = Path(__file__).parent / "results"


def weighted(
    held: list[dict[str, Any]], arm: str, weights: dict[str, float] | None = None, kind: str = "scores"
) -> float:
    """Mean AUC over halves; `weights` tell how often each series was drawn, `kind` whose scores are meant."""
    found = []
    for one in held:
        own = None if weights is None else np.array([weights[name] for name in one["series"]])
        found.append(area(np.array(one[kind][arm]), np.array(one["truth"]), own))
    return float(np.mean(found))


def sensitivity(held: list[dict[str, Any]], arm: str) -> float:
    """Mean share of real nodules found at a tenth of false alarms."""
    found = []
    for one in held:
        scores, truth = np.array(one["scores"][arm]), np.array(one["truth"])
        found.append((scores[truth == 1] > np.quantile(scores[truth == 0], 1 - FALSE_ALARMS)).mean())
    return float(np.mean(found))


def figures(held: list[dict[str, Any]]) -> dict[str, Any]:
    """All arms and differences with their intervals."""
    arms = [arm for arm in (BRIGHT, *ARMS) if all(arm in one["scores"] for one in held)]
    names = sorted({name for one in held for name in one["series"]})
    rng = Seed(0, ("report",)).numpy()
    drawn: dict[str, list[float]] = {arm: [] for arm in arms}
    for _ in range(REPLICATES):
        counts = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names)).astype(float)
        weights = dict(zip(names, counts, strict=True))
        for arm in arms:
            drawn[arm].append(weighted(held, arm, weights))
    told: dict[str, Any] = {"halves": len(held), "series": len(names), "arms": {}, "differences": {}}
    for arm in arms:
        each = [round(weighted([one], arm), 4) for one in held]
        low, high = _ends(np.array(drawn[arm]))
        told["arms"][arm] = {
            "trees": weighted(held, arm, kind="trees") if arm in held[0].get("trees", {}) else None,
            "auc": weighted(held, arm), "low": low, "high": high, "each": each,
            "sensitivity_at_10_percent": sensitivity(held, arm),
        }  # fmt: skip
    for one, other in DIFFERENCES:
        if one in arms and other in arms:
            low, high = _ends(np.array(drawn[one]) - np.array(drawn[other]))
            gain = told["arms"][one]["auc"] - told["arms"][other]["auc"]
            told["differences"][f"{one} - {other}"] = {"difference": gain, "low": low, "high": high}
    told["calibrated"] = [one["calibrated"] for one in held if "calibrated" in one]
    told["tested"] = {"nodules": int(sum(np.sum(one["truth"]) for one in held)), "free": _free(held)}
    return told


def _free(held: list[dict[str, Any]]) -> int:
    return int(sum(len(one["truth"]) - np.sum(one["truth"]) for one in held))


def _ends(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def brightness(held: list[dict[str, Any]], names: list[str], folder: Path) -> None:
    """Add what needs no learning: the mean of the middle 3 mm of the same windows."""
    found = patches(folder)
    for one, name in zip(held, names, strict=True):
        seed, tested = (int(part) for part in name.removeprefix("seed").split("_half"))
        side = halves(found, seed)[tested]
        free, _ = negatives(side, None, Seed(seed, ("nodules", tested, "test")))
        windows = np.concatenate([np.stack([slices(p.host.image, p.middle) for p in side]), free])
        middle = slice(HALF - 1, HALF + 2)
        one["scores"][BRIGHT] = windows[:, [1, 4, 7], middle, middle].mean(axis=(1, 2, 3)).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the folder volumes/ of the nodule patches")
    options = parser.parse_args()
    files = sorted(options.work.glob("seed*_half*.json"))
    held = [json.loads(path.read_text()) for path in files]
    brightness(held, [path.stem for path in files], options.data)
    told = figures(held)
    write_text(RESULTS / "nodules.json", json.dumps(told, indent=1) + "\n", overwrite=True)
    for arm, one in told["arms"].items():
        print(f"{arm:<12} {one['auc']:.3f} [{one['low']:.3f}, {one['high']:.3f}] {one['each']} "
              f"sens {one['sensitivity_at_10_percent']:.2f}")  # fmt: skip
    for name, one in told["differences"].items():
        print(f"{name:<24} {one['difference']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]")


if __name__ == "__main__":
    main()
