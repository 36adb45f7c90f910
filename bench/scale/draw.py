"""Draw many rows from a saved model through the command line into Parquet shards: rows a second, and memory that stays.

`python -m bench.scale.draw MODEL -n 1000000 10000000 100000000` writes results/draw.jsonl and draw.md. Each number of
rows is a run of its own in a temporary folder, which is deleted. Memory is the largest of any one process: the one that
hands out the shards, or a worker.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.tables.report import lines

RESULTS = Path(__file__).resolve().parent / "results"
Outcome = dict[str, Any]


def spent() -> tuple[float, float]:
    """CPU seconds of all processes waited for, and the largest memory of one of them in MB."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def drawn(model: Path, rows: int, workers: int, room: Path | None) -> Outcome:
    """One run of the command line, from its start to its end."""
    with tempfile.TemporaryDirectory(dir=room) as folder:
        output = Path(folder) / "rows"
        command = [sys.executable, "-m", "tuckpoint.cli", "sample", str(model), "-n", str(rows), "--seed", "7"]
        command += ["--workers", str(workers), "-o", str(output)]
        load, before, start = os.getloadavg()[0], spent()[0], time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds, (after, peak) = time.perf_counter() - start, spent()
        size = sum(file.stat().st_size for file in output.glob("*.parquet"))
        shards = len(list(output.glob("*.parquet")))
    figures = {"rows": rows, "workers": workers, "shards": shards, "mb": round(size / 1e6), "wall_s": round(seconds, 1)}
    return {**figures, "cpu_s": round(after - before, 1), "peak_mb": round(peak), "load": round(load, 1)}


def table(found: list[Outcome]) -> list[str]:
    """The outcomes as markdown."""
    head = [
        "rows",
        "workers",
        "shards",
        "MB written",
        "wall s",
        "rows/s",
        "CPU-s",
        "rows per CPU-s",
        "MB, largest process",
    ]
    rows = [[*head, "load at start"]]
    for item in found:
        speeds = [f"{item['rows'] / item[key]:,.0f}" for key in ("wall_s", "cpu_s")]
        size = [f"{item['rows']:,}", str(item["workers"]), str(item["shards"]), f"{item['mb']:,}"]
        cost = [f"{item['wall_s']:,.1f}", speeds[0], f"{item['cpu_s']:,.1f}", speeds[1]]
        rows.append([*size, *cost, str(item["peak_mb"]), str(item["load"])])
    return [
        "# Rows drawn to disk",
        "",
        "`python -m bench.scale.draw MODEL -n ...` on a model of `adult`: the whole command, start-up included.",
        "Where the machine was shared (a load above the number of cores) the wall tells little; CPU seconds, and those",
        "grow too, compare within one run only.",
        "",
        *lines(rows),
        "",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a saved model")
    parser.add_argument("-n", type=int, nargs="+", default=[1_000_000, 10_000_000, 100_000_000], help="rows")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--room", type=Path, help="where the temporary folder is made")
    given = parser.parse_args()
    found = []
    RESULTS.mkdir(exist_ok=True)
    for rows in given.n:
        found.append(drawn(given.model, rows, given.workers, given.room))
        print(json.dumps(found[-1]), flush=True)
        (RESULTS / "draw.jsonl").write_text("".join(json.dumps(item) + "\n" for item in found), encoding="utf-8")
        (RESULTS / "draw.md").write_text("\n".join(table(found)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
