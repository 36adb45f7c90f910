"""SDV's synthesizers with their own defaults and their own metadata detection.

Settings: `synthesizer` (`GaussianCopula`, `CTGAN`, `TVAE`); all others, such as `epochs`, go to its constructor.
SDV has no seed argument, so the global generators that it draws from are seeded here.
"""

from __future__ import annotations

from typing import Any

from bench.tables.adapters.clock import Task, main


def fit(real: Any, task: Task) -> Any:
    import numpy as np
    import torch
    from sdv import single_table
    from sdv.metadata import Metadata

    np.random.seed(task.seed)  # noqa: NPY002
    torch.manual_seed(task.seed)
    settings = dict(task.settings)
    kind = getattr(single_table, settings.pop("synthesizer") + "Synthesizer")
    model = kind(Metadata.detect_from_dataframes({"table": real}), **settings)
    model.fit({"table": real})
    return model


def sample(model: Any, task: Task) -> Any:
    made = model.sample(num_rows=task.rows)
    return made["table"] if isinstance(made, dict) else made


if __name__ == "__main__":
    main("sdv", fit, sample, modules=("sdv.single_table",))
