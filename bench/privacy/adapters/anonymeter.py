"""anonymeter's three evaluators on made tables of one split, each beside its own control group.

It runs in the environment `anonymeter`, which holds no tuckpoint. Every made table gives one line of JSON: each risk
with the attacks it rests on, its 95 % interval, and the lower bound at the level that leaves 5 % to all risks together.
Compiling (numba) is done before and timed apart. Its two evaluators without a seed draw from numpy's global generator,
which is seeded here.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.tables.adapters.clock import cpu_seconds, peak_mb, single_thread

LEVEL = 0.05
KNOWN = (  # how its example deals the columns of adult to two files
    ("workclass", "education", "hours_per_week", "capital_loss", "capital_gain"),
    ("race", "sex", "fnlwgt", "age", "native_country"),
)


@dataclass(frozen=True)
class Settings:
    """How many attacks of each kind; `neighbours` may link two halves of a record, `tolerant` takes numbers as guessed
    that are within 5 %.
    """

    univariate: int
    multivariate: int
    columns: int
    linkability: int
    neighbours: tuple[int, ...]
    inference: int
    tolerant: bool


SETTINGS = {
    "example": Settings(500, 100, 4, 2_000, (10,), 1_000, False),  # as its example notebook has it, for all tables
    "thorough": Settings(2_000, 1_000, 4, 2_000, (1, 10), 2_000, True),  # as many as 2,000 rows a side allow
}

Evaluator = Any
Risk = tuple[str, Evaluator, dict[str, int]]  # its name, the evaluator after its attack, what `results` is asked


def evaluators(sides: dict[str, Any], chosen: Settings, seed: int) -> Iterator[Risk]:
    """Each risk that it measures on one made table."""
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator
    from pandas.api.types import is_numeric_dtype

    rows = min(len(side) for side in sides.values())
    names = list(sides["ori"].columns)
    for mode, attacks in (("univariate", chosen.univariate), ("multivariate", chosen.multivariate)):
        found = SinglingOutEvaluator(**sides, n_attacks=attacks, n_cols=min(chosen.columns, len(names)), seed=seed)
        yield f"singling out, {mode}", found.evaluate(mode=mode), {}
    halves = [[name for name in half if name in names] for half in KNOWN]
    if len(halves[0]) + len(halves[1]) < 8:
        halves = [names[::2], names[1::2]]
    linked = {"n_attacks": min(chosen.linkability, rows), "aux_cols": halves, "n_neighbors": max(chosen.neighbours)}
    found = LinkabilityEvaluator(**sides, **linked).evaluate(n_jobs=1)
    for count in chosen.neighbours:
        yield f"linkability, {count} neighbours", found, {"n_neighbors": count}
    for secret in names:
        regression = chosen.tolerant and is_numeric_dtype(sides["ori"][secret])
        told = {"aux_cols": [name for name in names if name != secret], "secret": secret, "regression": regression}
        attacks = min(chosen.inference, rows)
        yield f"inference of {secret}", InferenceEvaluator(**sides, **told, n_attacks=attacks).evaluate(n_jobs=1), {}


def figures(risks: list[Risk]) -> dict[str, dict[str, Any]]:
    """The risks as plain numbers; `low_joint` is the lower bound at 5 % for all of them together, one-sided."""
    joint = 1 - 2 * LEVEL / len(risks)
    told = {}
    for name, found, asked in risks:
        usual = found.results(confidence_level=1 - LEVEL, **asked)
        risk = usual.risk()
        told[name] = {
            "risk": float(risk.value),
            "low": float(risk.ci[0]),
            "high": float(risk.ci[1]),
            "low_joint": float(found.results(confidence_level=joint, **asked).risk().ci[0]),
            "hits": int(usual.n_success),
            "hits_control": float(usual.n_control),
            "attacks": int(usual.n_attacks_ori),
            "trusted": bool(usual.attack_rate.value > usual.baseline_rate.value),  # beats its random guesses
        }
    return told


def measured(sides: dict[str, Any], chosen: Settings, seed: int) -> dict[str, Any]:
    """One made table: the risks and what they cost."""
    import numpy as np

    np.random.seed(seed)  # noqa: NPY002
    cpu, wall = cpu_seconds(), time.perf_counter()
    risks = figures(list(evaluators(sides, chosen, seed)))
    cost = {"cpu_s": round(cpu_seconds() - cpu, 3), "wall_s": round(time.perf_counter() - wall, 3)}
    return {"risks": risks, **cost, "peak_mb": round(peak_mb(), 1)}


def shuffled(made: Any, seed: int) -> Any:
    """The rows in another order: its random guesser pairs rows by their number, and would be right on an altered copy
    whose rows stand as they stood, so that no risk beats it.
    """
    return made.sample(frac=1, random_state=seed).reset_index(drop=True)


def main(read: Callable[[Path], Any] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="holds train.parquet, holdout.parquet and MADE.parquet")
    parser.add_argument("made", nargs="+")
    parser.add_argument("--settings", choices=list(SETTINGS), default="example")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    single_thread()
    warnings.simplefilter("ignore")
    import logging

    import pandas as pd

    logging.getLogger("anonymeter").setLevel(logging.ERROR)
    read = read or pd.read_parquet
    train, holdout = (read(given.folder / f"{side}.parquet") for side in ("train", "holdout"))
    small = {"ori": train.head(50), "syn": holdout.head(50), "control": holdout.tail(50)}
    start = cpu_seconds()
    measured(small, Settings(10, 10, 2, 10, (1,), 10, False), given.seed)
    compiling = round(cpu_seconds() - start, 1)
    for name in given.made:
        made = shuffled(read(given.folder / f"{name}.parquet"), given.seed)
        sides = {"ori": train, "syn": made, "control": holdout}
        found = measured(sides, SETTINGS[given.settings], given.seed)
        line = {"maker": name, **found, "compile_cpu_s": compiling, "version": version("anonymeter")}
        print(json.dumps(line), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
