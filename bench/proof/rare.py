"""Probabilities of rare events beside their closed forms: `python -m bench.proof.rare --runs 900`.

Each run splits for one law (by turns) with 500 climbers in 10 repetitions. Told are the mean of all estimates over the
truth with its standard error (bias), in how many runs the 95 % interval held the truth, and how many runs of the
simulator plain Monte Carlo would need for the same standard error: (1 - p) / (p e^2).

A first bench of 391 runs with an interval symmetric in the logarithm of the mean held the truth in 93.1 %, and missed
it from below twice as often as from above; the interval was then changed to that of a lognormal mean, and all runs are
of new seeds.

Laws: `sum`, ten standard normal inputs of which the sum is large; `either`, one input far out on either side; `radius`,
five inputs far from their mean in any direction; `noisy`, a simulator that itself adds as much noise as its input has.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from bench.proof.null import study
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.seed import Seed
from tuckpoint.simulate.event import event
from tuckpoint.simulate.splitting import Splitting, split
from tuckpoint.table.engine import Array


@dataclass(frozen=True)
class Law:
    """A simulator of standard normal inputs, and the limit that it passes with a known probability."""

    size: int
    call: Callable[[Array, Seed], Array]
    limit: float
    truth: float


def _sum(at: Array, seed: Seed) -> Array:
    return np.asarray(at.sum(axis=1) / at.shape[1] ** 0.5)


def _either(at: Array, seed: Seed) -> Array:
    return np.abs(at[:, 0])


def _radius(at: Array, seed: Seed) -> Array:
    return np.asarray((at**2).sum(axis=1))


def _noisy(at: Array, seed: Seed) -> Array:
    return np.asarray((at[:, 0] + seed.numpy().standard_normal(len(at))) / 2**0.5)


def _tail(call: Callable[[Array, Seed], Array], size: int, truth: float, sides: int = 1) -> Law:
    return Law(size, call, float(stats.norm.isf(truth / sides)), truth)


LAWS = {
    "sum, 1e-3": _tail(_sum, 10, 1e-3),
    "sum, 1e-4": _tail(_sum, 10, 1e-4),
    "sum, 1e-6": _tail(_sum, 10, 1e-6),
    "either, 1e-6": _tail(_either, 3, 1e-6, sides=2),
    "radius, 1e-6": Law(5, _radius, float(stats.chi2(5).isf(1e-6)), 1e-6),
    "noisy, 1e-4": _tail(_noisy, 1, 1e-4),
}
HOW = Splitting(rows=500)


def trial(number: int) -> dict[str, Any]:
    """One probability."""
    name = list(LAWS)[number % len(LAWS)]
    law = LAWS[name]
    found = split(
        lambda at, seed: {"g": law.call(at, seed)}, law.size, event(f"g > {law.limit!r}", ["g"]), rows=100, how=HOW,
        seed=Seed(number, ("rare", "second")),
    )  # fmt: skip
    return {
        "run": number, "law": name, "probability": found.probability, "low": found.low, "high": found.high,
        "estimates": found.estimates.tolist(), "error": found.error, "calls": found.calls, "fresh": found.fresh,
    }  # fmt: skip


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs, as a table."""
    lines = [
        "| law | truth | runs | mean / truth | interval holds it | runs of the simulator | plain Monte Carlo |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, law in LAWS.items():
        part = [run for run in runs if run["law"] == name]
        if len(part) < 2:
            continue
        ratio = np.array([run["probability"] for run in part]) / law.truth
        held = sum(run["low"] <= law.truth <= run["high"] for run in part)
        low, high = clopper_pearson(held, len(part))
        calls, error = np.mean([run["calls"] for run in part]), float(ratio.std(ddof=1))
        lines.append(
            f"| {name} | {law.truth:.0e} | {len(part)} | {ratio.mean():.3f} (se {error / len(part) ** 0.5:.3f}) | "
            f"{held / len(part):.1%} [{low:.1%}, {high:.1%}] | {calls:,.0f} | "
            f"{(1 - law.truth) / law.truth / error**2:,.0f} |"
        )
    held = sum(run["low"] <= LAWS[run["law"]].truth <= run["high"] for run in runs)
    low, high = clopper_pearson(held, len(runs))
    return "\n".join(
        [*lines, "", f"All laws: the interval holds the truth in {held} of {len(runs)} [{low:.1%}, {high:.1%}]."]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    return study(__doc__, "rare", 900, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
