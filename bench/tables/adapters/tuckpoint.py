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

    return json.dumps({"engine": fitted.recipe.engine, "rules": len(rules_of(fitted.model))})


if __name__ == "__main__":
    main("tuckpoint", fit, sample, modules=("tuckpoint.run", "lightgbm"), note=note)
