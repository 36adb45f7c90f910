"""The private engine on adult: distance of two-way tables and CPU-seconds at several budgets, from public domains.

    python -m bench.tables.private DATA

Columns are coarsened to at most 16 bins that owe nothing to the rows: equal widths over the codebook's range, levels as
the codebook lists them (the commonest 15 and a pool, where there are more: that ranking is the only thing read off the
data, and stands for a public one). `fnlwgt`, a sampling weight that is nearly unique, is left out.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, Field
from tuckpoint.table.engines.marginals import Marginals

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


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("data", type=Path, help="folder with adult/adult.csv")
    words.add_argument("--fits", type=int, default=3)
    asked = words.parse_args()
    path = asked.data / "adult" / "adult.csv"
    if not path.is_file():
        words.error(f"no {path}; give the folder that holds adult/adult.csv")
    table = pyarrow.csv.read_csv(path)
    order = np.random.default_rng(0).permutation(table.num_rows)
    cut = int(TRAIN * table.num_rows)
    both = coarse(table)
    real, other = both.take(order[:cut]), both.take(order[cut:])
    print(f"adult, {real.rows} rows x {len(real.fields)} columns, delta {DELTA}")
    print(f"holdout against train (a floor at its smaller size): {two_way(real, other):.4f}")
    for epsilon in (1.0, 3.0, 10.0):
        distances, seconds = [], []
        for fit in range(asked.fits):
            start = time.process_time()
            model = Marginals(epsilon=epsilon, delta=DELTA).fit(real, Seed(fit), Context())
            seconds.append(time.process_time() - start)
            distances.append(two_way(real, model.draw(real.rows, Seed(fit))))
        spread = np.std(distances, ddof=1) if len(distances) > 1 else 0.0
        told = f"two-way {np.mean(distances):.4f} +- {spread:.4f}, fit {np.mean(seconds):.2f} CPU-s"
        print(f"epsilon {epsilon:g}: {told}, {asked.fits} fits")


if __name__ == "__main__":
    main()
