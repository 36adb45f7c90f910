"""Adversarial random forests (arfpy) with their own defaults: 30 trees, at most 10 rounds, truncated normals in leaves.

arfpy knows numbers and categories only: dates go in as days, booleans as categories, and whole numbers that come back
with decimals are rounded. It takes no missing values, so a set that has some is refused here rather than imputed.
"""

from __future__ import annotations

from typing import Any

from bench.tables.adapters.clock import Task, main


def fit(real: Any, task: Task) -> Any:
    import numpy as np
    import pandas as pd
    from arfpy import arf

    if real.isna().any().any():
        raise SystemExit("arfpy takes no missing values")
    np.random.seed(task.seed)  # noqa: NPY002
    plain = real.copy()
    for name in real.columns:
        if pd.api.types.is_datetime64_any_dtype(real[name]):
            plain[name] = (real[name] - pd.Timestamp(0)) / pd.Timedelta(days=1)
        elif pd.api.types.is_bool_dtype(real[name]) or not pd.api.types.is_numeric_dtype(real[name]):
            plain[name] = real[name].astype(object).astype("category")
    model = arf.arf(x=plain, random_state=task.seed, verbose=False, **task.settings)
    model.forde()
    return model, real.dtypes


def sample(fitted: Any, task: Task) -> Any:
    import pandas as pd

    model, dtypes = fitted
    made = model.forge(n=task.rows)
    for name, dtype in dtypes.items():
        if pd.api.types.is_datetime64_any_dtype(dtype):
            made[name] = pd.Timestamp(0) + pd.to_timedelta(made[name].round(), unit="D")
        elif pd.api.types.is_integer_dtype(dtype):
            made[name] = made[name].astype(float).round().astype(dtype)
        else:
            made[name] = made[name].astype(dtype)
    return made


def note(fitted: Any) -> str:
    return f"rounds {len(fitted[0].acc) - 1}, discriminator accuracy {fitted[0].acc[-1]:.3f}"


if __name__ == "__main__":
    main("arfpy", fit, sample, modules=("arfpy.arf",), note=note)
