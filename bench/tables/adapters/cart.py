"""Plain sequential CART in the manner of synthpop: each column by one tree on the columns before it.

Settings: `leaf` (5), `split` (three times the leaf, as rpart has it). A numeric column is a regression tree on its raw
values, a category a classification tree; the drawn value is that of a random training row in the reached leaf.
No bagging, no smoothing, no protection: it is the control that is faithful and memorises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.tables.adapters.clock import Task, main


def feature(values: Any) -> tuple[Any, Any]:
    """One column as numbers (n,) for trees and, for a category, its levels by falling frequency (else None)."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(values):
        values = (values - pd.Timestamp(0)) / pd.Timedelta(days=1)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
        known = numbers[~np.isnan(numbers)]
        below = known.min() - 0.1 * np.ptp(known) - 1 if len(known) else 0.0
        return np.where(np.isnan(numbers), below, numbers), None
    text = values.astype(object).where(values.notna(), None).map(repr)
    levels = text.value_counts().index
    return levels.get_indexer(text).astype(np.float64), levels


def members(tree: Any, features: Any) -> dict[int, Any]:
    """Training rows of each leaf."""
    leaf = tree.apply(features)
    order = np.argsort(leaf, kind="stable")
    names, starts = np.unique(leaf[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))


def fit(real: Any, task: Task) -> dict[str, Any]:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    leaf = task.settings.get("leaf", 5)
    shape = {"min_samples_leaf": leaf, "min_samples_split": task.settings.get("split", 3 * leaf)}
    encoded = [feature(real[name]) for name in real.columns]
    matrix = np.column_stack([numbers for numbers, _ in encoded]).astype(np.float32)  # (n, d)
    trees = []
    for j, (numbers, levels) in enumerate(encoded[1:], start=1):
        kind = DecisionTreeRegressor if levels is None else DecisionTreeClassifier
        tree = kind(**shape, random_state=task.seed).fit(matrix[:, :j], numbers)
        trees.append((tree, members(tree, matrix[:, :j])))
    return {"real": real, "matrix": matrix, "trees": trees}


def sample(model: dict[str, Any], task: Task) -> Any:
    import pandas as pd

    rng = np.random.default_rng(task.seed)
    matrix, real = model["matrix"], model["real"]
    made = np.empty((task.rows, matrix.shape[1]), dtype=np.float32)
    source = np.empty(made.shape, dtype=np.int64)  # the training row that each made value comes from
    source[:, 0] = rng.integers(0, len(matrix), task.rows)
    made[:, 0] = matrix[source[:, 0], 0]
    for j, (tree, leaves) in enumerate(model["trees"], start=1):
        reached = tree.apply(made[:, :j])
        order = np.argsort(reached, kind="stable")
        names, starts = np.unique(reached[order], return_index=True)
        for leaf, here in zip(names.tolist(), np.split(order, starts[1:]), strict=True):
            source[here, j] = rng.choice(leaves[leaf], len(here))
        made[:, j] = matrix[source[:, j], j]
    return pd.DataFrame({name: real[name].to_numpy()[source[:, j]] for j, name in enumerate(real.columns)})


if __name__ == "__main__":
    main("scikit-learn", fit, sample, modules=("sklearn.tree",))
