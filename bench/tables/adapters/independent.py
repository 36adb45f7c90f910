"""Each column shuffled alone: the control that every measure must be able to reject."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.tables.adapters.clock import Task, main


def fit(real: Any, task: Task) -> Any:
    return real


def sample(real: Any, task: Task) -> Any:
    import pandas as pd

    rng = np.random.default_rng(task.seed)
    return pd.DataFrame({name: real[name].to_numpy()[rng.integers(0, len(real), task.rows)] for name in real.columns})


if __name__ == "__main__":
    main("numpy", fit, sample, modules=())
