"""tuckpoint through its public functions, on one core: read, understand, mine rules, protect, fit; then draw.

Settings: `engine` (`trees`); `k`, `mine_rules` and `rules` as in a recipe; `settings` are the engine's own.
"""

from __future__ import annotations

import json
from typing import Any

from bench.tables.adapters.clock import Task, main


def fit(real: Any, task: Task) -> Any:
    import tuckpoint

    return tuckpoint.fit(real, workers=1, target=task.target, seed=task.seed, **task.settings)


def sample(fitted: Any, task: Task) -> Any:
    import tuckpoint

    return tuckpoint.sample(fitted, task.rows, seed=task.seed)


def note(fitted: Any) -> str:
    from tuckpoint.run import rules_of

    told = {"engine": fitted.recipe.engine, "rules": len(rules_of(fitted.model))}
    settings = getattr(fitted.model.engine, "settings", None)
    # The dial of the trees as it came to stand, since finer ones are tried.
    dial = {name: getattr(settings, name) for name in ("leaf", "bag", "fine_bag") if hasattr(settings, name)}
    return json.dumps(told | dial)


if __name__ == "__main__":
    main("tuckpoint", fit, sample, modules=("tuckpoint.run", "lightgbm"), note=note)
