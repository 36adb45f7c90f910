"""The one boosted model behind detection and utility: LightGBM, deterministic, on the codes as native categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded


@dataclass(frozen=True)
class Boosting:
    """Settings of a boosted model; the defaults are those of the published definitions."""

    rounds: int = 150  # trees, per class if there are more than two
    rate: float = 0.06  # shrinkage, 0..1
    leaves: int = 31  # a tree
    leaf_rows: int = 20  # fewest rows a leaf


PUBLISHED = Boosting()


@dataclass(frozen=True)
class Features:
    """Inputs of a model: `values` (n, d) float64, NaN for missing; `categories` are the positions of code columns."""

    names: tuple[str, ...]
    values: Array
    categories: tuple[int, ...]

    def take(self, rows: Array) -> Features:
        """The rows at these positions."""
        return Features(self.names, self.values[rows], self.categories)


def features(data: Encoded, *, without: str | None = None) -> Features:
    """All columns but one as inputs."""
    fields = [field for field in data.fields if field.name != without]
    values = np.empty((data.rows, len(fields)))
    for j, field in enumerate(fields):
        column = data.columns[field.name]
        values[:, j] = column if field.numeric else np.where(column < 0, np.nan, column)
    categories = tuple(j for j, field in enumerate(fields) if not field.numeric)
    return Features(tuple(field.name for field in fields), values, categories)


def train(
    inputs: Features,
    truth: Array,
    *,
    classes: int,
    seed: Seed,
    threads: int = 1,
    settings: Boosting = PUBLISHED,
    weights: Array | None = None,
) -> Any:
    """A fitted booster; `classes` is 0 for a number, 2 for yes or no, more for codes 0..classes-1.

    `weights` (n,) say how much each row counts (default: 1).
    """
    import lightgbm as lgb

    objective = {0: "regression", 2: "binary"}.get(classes, "multiclass")
    parameters = {
        "objective": objective, "learning_rate": settings.rate, "num_leaves": settings.leaves,
        "min_data_in_leaf": settings.leaf_rows, "seed": seed.integer() % 2**31, "deterministic": True,
        "force_row_wise": True, "num_threads": threads, "verbosity": -1,
    }  # fmt: skip
    if objective == "multiclass":
        parameters["num_class"] = classes
    data = lgb.Dataset(
        inputs.values, label=truth, weight=weights, categorical_feature=list(inputs.categories),
        params={"verbosity": -1},
    )  # fmt: skip
    return lgb.train(parameters, data, num_boost_round=settings.rounds)


def predict(model: Any, inputs: Features, *, threads: int = 1) -> Array:
    """Probabilities (n,) or (n, classes), or numbers (n,)."""
    return np.asarray(model.predict(inputs.values, num_threads=threads))


def gains(models: Sequence[Any], names: Sequence[str]) -> dict[str, float]:
    """Share of the models' gain that each column brought, largest first; empty if no split was found."""
    total = np.sum([model.feature_importance("gain") for model in models], axis=0)
    if total.sum() <= 0:
        return {}
    return {names[j]: float(total[j] / total.sum()) for j in np.argsort(-total, kind="stable")}
