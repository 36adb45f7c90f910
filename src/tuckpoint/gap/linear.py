"""A cheap learner for pictures: ridge regression on the classes, with probabilities tuned on rows left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.measure.sharpness import sharpest, softmax
from tuckpoint.table.engine import Array, Encoded

PENALTIES = (0.003, 0.03, 0.3, 3.0)  # of the coefficients, beside inputs of variance 1 in the mean


@dataclass(frozen=True)
class Linear:
    """`mean` (d,) and `scale` of the inputs, coefficients (d + 1, classes), and what makes scores probabilities."""

    mean: Array
    scale: float
    coefficients: Array
    sharpness: float

    def predict(self, rows: Array) -> Array:
        """Probabilities (n, classes) of rows (n, d)."""
        return softmax(self.sharpness * (_with_one((rows - self.mean) / self.scale) @ self.coefficients))


def trained(rows: Array, truth: Array, classes: int) -> Linear:
    """The model of rows (n, d) of known classes (n,), every class that occurs weighing the same.

    Penalty and sharpness are those of the least log loss on rows as if each had been left out (Allen 1974).
    """
    labels = truth.astype(np.int64)
    mean = rows.mean(axis=0)
    scale = float(np.sqrt(((rows - mean) ** 2).mean())) or 1.0
    x = _with_one((rows - mean) / scale)
    held = np.bincount(labels, minlength=classes)
    weight = (len(labels) / (held > 0).sum() / np.maximum(held, 1))[labels]
    wanted = np.eye(classes)[labels]
    square, own = (x * weight[:, None]).T @ x, (x * weight[:, None]).T @ wanted
    free = np.append(np.ones(x.shape[1] - 1), 1e-6)
    best: tuple[float, Linear] | None = None
    for penalty in PENALTIES:
        inverse = np.linalg.inv(square + np.diag(penalty * len(x) * free))
        coefficients = inverse @ own
        leverage = np.minimum(weight * np.einsum("nd,de,ne->n", x, inverse, x, optimize=True), 0.999)[:, None]
        left_out = (x @ coefficients - leverage * wanted) / (1 - leverage)
        sharpness, loss = sharpest(left_out, labels)
        if best is None or loss < best[0]:
            best = loss, Linear(mean, scale, coefficients, sharpness)
    assert best is not None
    return best[1]


def predicted(train: Encoded, truth: Array, rows: Encoded, classes: int) -> Array:
    """Probabilities of rows (m, classes), or of the second class (m,) where there are two."""
    model = trained(matrix(train), truth, classes)
    told = model.predict(matrix(rows))
    return told[:, 1] if classes == 2 else told


def matrix(data: Encoded) -> Array:
    """Numbers of encoded rows as (n, d)."""
    return np.stack([data.columns[field.name] for field in data.fields], axis=1)


def _with_one(rows: Array) -> Array:
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
