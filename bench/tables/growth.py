"""How tuckpoint's fit and sampling grow: `python -m bench.tables.growth` writes results/growth.jsonl and growth.md.

Three sweeps of one engine on one core: rows fitted, rows sampled, columns. The tables are drawn from a real one (the
built-in census sample, or `--base FILE.csv`): rows are drawn again with replacement, then noise is added so that no
row repeats; more columns are noisy copies of the first ones. Each point is a process of its own.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from bench.tables.environments import Peer
from bench.tables.report import lines
from bench.tables.run import RESULTS, launch

ROWS = (10_000, 100_000, 1_000_000, 5_000_000)
COLUMNS = (10, 25, 50, 100, 200)
USUAL_ROWS, USUAL_MADE = 40_000, 100_000


def noisy(values: pa.ChunkedArray, rows: Any, rng: np.random.Generator, *, share: float) -> pa.Array:
    """Values at these rows: numbers of many values move by `share` of their spread, others are redrawn so often."""
    drawn = values.combine_chunks().take(pa.array(rows))
    redrawn = values.combine_chunks().take(pa.array(rng.integers(0, len(values), len(rows))))
    number = pa.types.is_integer(drawn.type) or pa.types.is_floating(drawn.type)
    if not number or len(values.unique()) <= 100 or drawn.null_count:
        keep = pa.array(rng.random(len(rows)) >= share)
        return pa.compute.if_else(keep, drawn, redrawn)
    numbers = drawn.to_numpy(zero_copy_only=False).astype(np.float64)
    moved = numbers + rng.normal(0, share * numbers.std(), len(rows))
    moved = np.clip(np.where(numbers == 0, 0, moved), numbers.min(), numbers.max())  # a heap at zero stays one
    return pa.array(np.round(moved).astype(np.int64) if pa.types.is_integer(drawn.type) else np.round(moved, 3))


def grown(base: pa.Table, rows: int, columns: int, seed: int = 0) -> pa.Table:
    """A table of this size that resembles the base; the base's last column, the target, stays last."""
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, base.num_rows, rows)
    names = base.column_names
    made: dict[str, pa.Array] = {}
    for j in range(columns - 1):
        source, copy = names[j % (len(names) - 1)], j // (len(names) - 1)
        name = source if copy == 0 else f"{source}_{copy}"
        made[name] = noisy(base[source], chosen, rng, share=0.02 if copy == 0 else 0.2)
    made[names[-1]] = noisy(base[names[-1]], chosen, rng, share=0.02)
    return pa.table(made)


def points(most_rows: int, columns: int) -> list[tuple[str, int, int, int]]:
    """(sweep, rows fitted, rows sampled, columns) of each point."""
    rows = [n for n in ROWS if n <= most_rows]
    return [
        *(("rows fitted", n, USUAL_MADE, columns) for n in rows),
        *(("rows sampled", USUAL_ROWS, n, columns) for n in rows),
        *(("columns", 10_000, 10_000, n) for n in COLUMNS),
    ]


def table(found: list[dict[str, Any]]) -> list[str]:
    """The outcomes as markdown."""
    head = ["sweep", "rows fitted", "rows sampled", "columns", "fit CPU-s", "sample CPU-s", "rows a second", "MB"]
    rows = [head]
    for item in found:
        if "stopped" in item:
            cost = [item["stopped"], "-", "-", "-"]
        else:
            fit, sample = item["fit"]["cpu_s"], item["sample"]["cpu_s"]
            speed = f"{item['made'] / max(sample, 1e-3):,.0f}"
            cost = [f"{fit:.1f}", f"{sample:.2f}", speed, f"{item['peak_mb']:.0f}"]
        rows.append([item["sweep"], f"{item['rows']:,}", f"{item['made']:,}", str(item["columns"]), *cost])
    return [
        "# How tuckpoint grows",
        "",
        "One core; rows a second are sampled rows per CPU second.",
        "",
        *lines(rows),
        "",
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, help="a CSV file; the last column is the target")
    parser.add_argument("--engine", default="trees")
    parser.add_argument("--most-rows", type=int, default=max(ROWS))
    parser.add_argument("--cap-s", type=int, default=1800, help="CPU seconds after which a point is stopped")
    given = parser.parse_args()
    if given.base is not None and not given.base.is_file():
        print(f"no file {given.base}; --base is a CSV file whose last column is the target", file=sys.stderr)
        return 2
    from tuckpoint.examples import census

    base = census() if given.base is None else pa.csv.read_csv(given.base)
    target = base.column_names[-1]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        real, made = Path(folder) / "real.parquet", Path(folder) / "made.parquet"
        for sweep, rows, wanted, columns in points(given.most_rows, base.num_columns):
            pq.write_table(grown(base, rows, columns), real)
            peer = Peer(None, "tuckpoint", "", {"engine": given.engine})
            outcome = launch(peer, real, made, rows=wanted, target=target, seed=0, cap_s=given.cap_s)
            found.append({"sweep": sweep, "rows": rows, "made": wanted, "columns": columns, **outcome})
            print(json.dumps(found[-1]), flush=True)
            (RESULTS / "growth.jsonl").write_text("".join(json.dumps(item) + "\n" for item in found), encoding="utf-8")
            (RESULTS / "growth.md").write_text("\n".join(table(found)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
