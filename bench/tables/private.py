"""The private engines on adult: two-way tables, a model trained on made rows, and cost, at several budgets.

    python -m bench.tables.private DATA        # both engines, epsilon 1, 3 and 10, three fits each; takes up where it
                                               # stopped, and writes results/private.jsonl and private.md

Columns are coarsened to at most 16 bins that owe nothing to the rows: equal widths over the codebook's range, levels as
the codebook lists them (the commonest 15 and a pool, where there are more: that ranking is the only thing read off the
data, and stands for a public one). `fnlwgt`, a sampling weight that is nearly unique, is left out. The unit is a row.
Each fit is a process of its own on one core; noise is never seeded, so no run repeats another.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from bench.tables.adapters.clock import SINGLE
from bench.tables.report import lines
from bench.tables.run import RESULTS, commit
from tuckpoint import parts
from tuckpoint.measure.utility import utility
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, Field

RANGES = {
    "age": (17, 90),
    "education_num": (1, 16),
    "capital_gain": (0, 99_999),
    "capital_loss": (0, 4_500),
    "hours_per_week": (1, 99),
}
BINS = 16
TRAIN = 0.8
DELTA = 1e-9
TARGET = "income"
AIMS = {1.0: (0.030, 0.87), 3.0: (0.025, 0.88), 10.0: (0.022, 0.89)}  # largest two-way distance, least AUC, of `aim`
Outcome = dict[str, Any]


def coarse(table: pa.Table) -> Encoded:
    """The columns as levels of at most 16 public bins."""
    fields, columns = [], {}
    for name in table.column_names:
        if name == "fnlwgt":
            continue
        if name in RANGES:
            low, high = RANGES[name]
            bins = min(BINS, high - low + 1)
            values = np.asarray(table[name].to_numpy(), float)
            code = np.clip(np.floor((values - low) * bins / (high - low + 1)), 0, bins - 1)
        else:
            code, bins = ranked(table[name])
        fields.append(Field(name, tuple(map(str, range(bins))), nullable=False, provenance="public"))
        columns[name] = code.astype(np.int32)
    return Encoded(tuple(fields), columns)


def ranked(column: pa.ChunkedArray) -> tuple[NDArray[Any], int]:
    """Levels by rank, the sixteenth and later in one."""
    _, which, counts = np.unique(np.asarray(column.to_numpy(), str), return_inverse=True, return_counts=True)
    rank = np.argsort(np.argsort(-counts, kind="stable"))
    return np.minimum(rank, BINS - 1)[which], min(len(counts), BINS)


def two_way(real: Encoded, made: Encoded) -> float:
    """Mean total variation of all pairs of columns."""
    sizes = {field.name: len(field.levels or ()) for field in real.fields}
    told = []
    for first, second in combinations(sizes, 2):
        cells = sizes[first] * sizes[second]
        shares = [
            np.bincount(side.columns[first] * sizes[second] + side.columns[second], minlength=cells) / side.rows
            for side in (real, made)
        ]
        told.append(np.abs(shares[0] - shares[1]).sum() / 2)
    return float(np.mean(told))


def halves(path: Path) -> tuple[Encoded, Encoded]:
    """Training and holdout rows: the same split for all fits."""
    table = pyarrow.csv.read_csv(path)
    order = np.random.default_rng(0).permutation(table.num_rows)
    cut = int(TRAIN * table.num_rows)
    both = coarse(table)
    return both.take(order[:cut]), both.take(order[cut:])


def one(path: Path, engine: str, epsilon: float, fit: int) -> Outcome:
    """Fit once in this process, draw as many rows as were fitted, and measure."""
    real, holdout = halves(path)
    settings = parts.find("engine", engine)(epsilon=epsilon, delta=DELTA, unit="row")
    start = time.process_time()
    model = settings.fit(real, Seed(fit), Context(target=TARGET))
    fitted = time.process_time()
    made = model.draw(real.rows, Seed(fit))
    drawn = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    trained = utility(real, made, holdout, TARGET, seed=Seed(0, ("bench",)))
    return {
        "engine": engine,
        "epsilon": epsilon,
        "fit": fit,
        "tvd2": two_way(real, made),
        "auc": trained.value,
        "auc_real": trained.reference,
        "fit_cpu_s": round(fitted - start, 2),
        "draw_cpu_s": round(drawn - fitted, 2),
        "peak_mb": round(memory),
        "rho": model.guarantee.rho,
        "commit": commit(),
    }


def references(path: Path) -> Outcome:
    """What no model can beat: holdout rows, and as many rows drawn with replacement from the training rows."""
    real, holdout = halves(path)
    drawn = real.take(np.random.default_rng(1).integers(0, real.rows, real.rows))
    return {
        "engine": "real rows",
        "rows": real.rows,
        "columns": len(real.fields),
        "holdout": two_way(real, holdout),
        "redrawn": two_way(real, drawn),
    }


def key(item: Outcome) -> tuple[str, float, int]:
    """What tells one fit from another."""
    return item["engine"], item.get("epsilon", 0.0), item.get("fit", 0)


def launch(path: Path, engine: str, epsilon: float, fit: int) -> Outcome:
    """One fit as a process of its own, with one thread."""
    words = [str(path.parents[1]), "--one", engine, str(epsilon), str(fit)]
    command = [sys.executable, "-m", "bench.tables.private", *words]
    done = subprocess.run(
        command, env={**os.environ, **dict.fromkeys(SINGLE, "1")}, capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def spread(values: list[float], form: str) -> str:
    """Mean and standard deviation."""
    deviation = f" ± {np.std(values, ddof=1):{form}}" if len(values) > 1 else ""
    return f"{np.mean(values):{form}}{deviation}"


def sheet(found: list[Outcome]) -> list[str]:
    """The outcomes as markdown."""
    known = next(item for item in found if item["engine"] == "real rows")
    fits = [item for item in found if "tvd2" in item]
    head = ["engine", "ε", "fits", "TVD2", "wanted", "AUC", "wanted", "fit CPU-s", "draw CPU-s", "MB"]
    rows = [head]
    for engine, epsilon in sorted({(item["engine"], item["epsilon"]) for item in fits}):
        mine = [item for item in fits if (item["engine"], item["epsilon"]) == (engine, epsilon)]
        most, least = AIMS[epsilon] if engine == "aim" and epsilon in AIMS else (None, None)
        told = {name: [item[name] for item in mine] for name in mine[0]}
        rows.append(
            [
                engine,
                f"{epsilon:g}",
                str(len(mine)),
                spread(told["tvd2"], ".4f"),
                "" if most is None else f"≤ {most:.3f}",
                spread(told["auc"], ".4f"),
                "" if least is None else f"≥ {least:.2f}",
                f"{np.mean(told['fit_cpu_s']):.2f}",
                f"{np.mean(told['draw_cpu_s']):.2f}",
                f"{np.max(told['peak_mb']):.0f}",
            ]
        )
    return [
        "# Private engines on adult",
        "",
        f"{known['rows']:,} training rows, {known['columns']} columns of at most {BINS} public bins, δ = {DELTA:g}. "
        "The unit is a row. TVD2: mean total variation of all pairs of columns to the training rows, as many rows. "
        "AUC: the product's own judge of utility (LightGBM), trained on made rows and tested on real holdout rows.",
        "",
        *lines(rows),
        "",
        f"Real rows: AUC {np.mean([item['auc_real'] for item in fits]):.4f} (trained on the training rows); TVD2 "
        f"{known['redrawn']:.4f} of as many rows drawn with replacement from the training rows, {known['holdout']:.4f} "
        "of the holdout, which is smaller.",
    ]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("data", type=Path, help="folder with adult/adult.csv")
    words.add_argument("--engines", nargs="+", default=["marginals", "aim"], metavar="NAME")
    words.add_argument("--epsilons", nargs="+", type=float, default=list(AIMS), metavar="EPSILON")
    words.add_argument("--fits", type=int, default=3)
    words.add_argument("--again", action="store_true", help="fit once more what was fitted before")
    words.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    asked = words.parse_args()
    path = asked.data / "adult" / "adult.csv"
    if not path.is_file():
        words.error(f"no {path}; give the folder that holds adult/adult.csv")
    if asked.one:
        print(json.dumps(one(path, asked.one[0], float(asked.one[1]), int(asked.one[2]))))
        return 0
    kept = RESULTS / "private.jsonl"
    found = [json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines()] if kept.exists() else []
    outcomes = {key(item): item for item in found}
    outcomes.setdefault(("real rows", 0.0, 0), references(path))
    for engine in asked.engines:
        for epsilon in asked.epsilons:
            for fit in range(asked.fits):
                if asked.again or (engine, epsilon, fit) not in outcomes:
                    item = launch(path, engine, epsilon, fit)
                    outcomes[key(item)] = item
                    told = "\n".join(json.dumps(outcomes[name]) for name in sorted(outcomes))
                    kept.write_text(told + "\n", encoding="utf-8")
                    cost = f"fit {item['fit_cpu_s']:.2f} CPU-s, {item['peak_mb']} MB"
                    print(
                        f"{engine:10} {epsilon:4g}  TVD2 {item['tvd2']:.4f}  AUC {item['auc']:.4f}  {cost}", flush=True
                    )
    (RESULTS / "private.md").write_text("\n".join(sheet(list(outcomes.values()))) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
