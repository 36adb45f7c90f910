"""What every adapter shares: read the training rows, time fit and sample, write the made rows and one line of JSON.

It runs in environments that hold no tuckpoint, so it leans on the standard library and pandas alone.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Task:
    """What one run is asked for: how many rows to make, the target column, the seed and the adapter's own settings."""

    rows: int
    target: str | None
    seed: int
    settings: dict[str, Any]


def single_thread() -> None:
    """Keep numeric libraries on one core; a parent that pinned us already makes this a no-op."""
    for name in SINGLE:
        os.environ[name] = "1"
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})


def cpu_seconds() -> float:
    """User and system seconds of this process and of its finished children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_mb() -> float:
    """Largest resident memory so far, of this process or of its largest finished child."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def timed(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """The outcome of the work with its CPU and wall seconds."""
    cpu, wall = cpu_seconds(), time.perf_counter()
    outcome = work()
    return outcome, {"cpu_s": round(cpu_seconds() - cpu, 3), "wall_s": round(time.perf_counter() - wall, 3)}


def write(made: Any, names: list[str], path: Path) -> None:
    """A pandas frame or an Arrow table as Parquet, its columns in the real order."""
    if hasattr(made, "to_parquet"):
        made[names].to_parquet(path, index=False)
        return
    import pyarrow.parquet as pq

    pq.write_table(made.select(names), path)


def main(
    package: str,
    fit: Callable[[Any, Task], Any],
    sample: Callable[[Any, Task], Any],
    *,
    modules: tuple[str, ...],
    note: Callable[[Any], str] = lambda model: "",
) -> None:
    """Run one adapter: `fit(real, task)` gives a model, `sample(model, task)` a data frame; `note(model)` is shown.

    `modules` are imported first, so that their loading is timed apart from the fit.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("train", type=Path)
    parser.add_argument("made", type=Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--settings", type=json.loads, default={})
    given = parser.parse_args()
    task = Task(given.rows, given.target, given.seed, given.settings)
    single_thread()
    import pandas as pd

    _, importing = timed(lambda: [import_module(name) for name in modules])
    real = pd.read_parquet(given.train)
    model, fitting = timed(lambda: fit(real, task))
    made, sampling = timed(lambda: sample(model, task))
    peak = peak_mb()
    write(made, list(real.columns), given.made)
    line = {
        "version": version(package),
        "python": sys.version.split()[0],
        "fit": fitting,
        "sample": sampling,
        "import": importing,
        "peak_mb": round(peak, 1),
        "note": note(model),
    }
    print(json.dumps(line))
