"""mostlyai-engine's TabularARGN with its own defaults: medium model, at most 100 epochs, its own early stopping.

Settings: `max_epochs`, `max_training_time` (minutes), `model`; whatever is not given stays the library's default.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bench.tables.adapters.clock import Task, main


def fit(real: Any, task: Task) -> Path:
    from mostlyai import engine

    folder = Path(tempfile.mkdtemp(prefix="argn-"))
    engine.set_random_state(task.seed)
    engine.split(tgt_data=real, workspace_dir=folder)
    engine.analyze(workspace_dir=folder)
    engine.encode(workspace_dir=folder)
    engine.train(workspace_dir=folder, device="cpu", **task.settings)
    return folder


def sample(folder: Path, task: Task) -> Any:
    import pandas as pd
    from mostlyai import engine

    engine.generate(sample_size=task.rows, workspace_dir=folder, device="cpu")
    return pd.read_parquet(folder / "SyntheticData")


def note(folder: Path) -> str:
    import pandas as pd

    progress = pd.read_csv(folder / "ModelStore" / "model-data" / "progress-messages.csv")
    last = progress.iloc[-1]
    return json.dumps({"epochs": float(last["epoch"]), "best_val_loss": float(progress["val_loss"].min())})


if __name__ == "__main__":
    main("mostlyai-engine", fit, sample, modules=("mostlyai.engine",), note=note)
