"""A table of groups, sizes, cities with their land, sums and missing notes; a model of it, fitted once."""

from functools import lru_cache

import numpy as np
import pyarrow as pa

from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer

N = 4000
GROUPS = ("low", "mid", "high")


def table(rows=N, *, seed=0):
    rng = np.random.default_rng(seed)
    group = rng.choice(3, rows, p=[0.6, 0.3, 0.1])
    size = np.round(10 + 8 * group + rng.normal(0, 2, rows), 2)
    city = rng.integers(0, 4, rows)
    base, extra = rng.integers(1000, 5000, rows), rng.integers(0, 900, rows)
    return pa.table(
        {
            "id": [f"P-{i:06d}" for i in range(rows)],
            "group": [GROUPS[g] for g in group],
            "size": size,
            "city": [f"city{c}" for c in city],
            "land": [f"land{c // 2}" for c in city],
            "base": base,
            "extra": extra,
            "total": base + extra,
            "note": pa.array(
                rng.normal(50, 5, rows).round(1), mask=rng.random(rows) < np.array([0.1, 0.5, 0.8])[group]
            ),
            "day": pa.array((18_000 + 300 * group + rng.integers(0, 400, rows)).astype("datetime64[D]")),
        }
    )


REAL = table()


@lru_cache(maxsize=1)
def fitted():
    return fitting.fit(REAL, infer(REAL), engine=Trees(rounds=30), seed=Seed(1), context=Context())


def numbers(some, name):
    return some[name].drop_null().to_numpy(zero_copy_only=False)
