"""Write many rows through the shard runner with work that costs nothing, and print rows a second and peak memory."""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.record import Maker, Record
from tuckpoint.scale import local, shards
from tuckpoint.scale.shards import Job
from tuckpoint.seed import Seed
from tuckpoint.write.table import concatenate, write


def trivial(initial: Any, job: Job, path: Path) -> int:
    """Ten columns of uniform draws: numbers, whole numbers and levels."""
    draw = Seed(7).child("bench", job.index).numpy()
    levels = pa.array([f"level {i}" for i in range(20)])
    columns: dict[str, Any] = {f"number_{i}": draw.random(job.rows).round(4) for i in range(4)}
    columns |= {f"whole_{i}": draw.integers(0, 10_000, job.rows) for i in range(3)}
    columns |= {f"level_{i}": levels.take(pa.array(draw.integers(0, 20, job.rows))) for i in range(3)}
    return write(pa.table(columns), path, initial)


def peak_mb() -> float:
    """The largest resident memory of this process and of any one worker that has ended, in MB."""
    own, worker = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return float(np.maximum(own, worker) / 1024)


def main() -> None:
    """Print one line for the shards and one for each single file joined from them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=5_000_000, help="rows")
    parser.add_argument("--rows-per-shard", type=int, default=250_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--join", nargs="*", default=[".parquet", ".csv"], help="suffixes of single files to join")
    asked = parser.parse_args()
    record = Record(dataset="bench", maker=Maker("none"), recipe="0", seed=7, rows=asked.n)
    jobs = shards.plan(asked.n, rows_per_shard=asked.rows_per_shard)
    with tempfile.TemporaryDirectory() as room:
        folder = Path(room) / "out"
        start = time.perf_counter()
        entries = local.run(
            jobs, trivial, folder=folder, plan_digest="bench", workers=asked.workers, initial=record, progress=None
        )
        report(f"{len(jobs)} shards, {asked.workers} workers", asked.n, start, sum(entry.bytes for entry in entries))
        for suffix in asked.join:
            start, path = time.perf_counter(), Path(room) / f"joined{suffix}"
            concatenate([folder / entry.file for entry in entries], path, record)
            report(f"joined to {suffix}", asked.n, start, path.stat().st_size)


def report(what: str, rows: int, start: float, size: int) -> None:
    """One line of figures."""
    seconds = time.perf_counter() - start
    print(f"{what:28} {seconds:7.1f} s {rows / seconds:12,.0f} rows/s {size / 1e6:9.1f} MB {peak_mb():7.0f} MB peak")


if __name__ == "__main__":
    main()
