"""Scores of classes as probabilities: how sharply they are taken decides, and is found on rows that were left out."""

from __future__ import annotations

import numpy as np

from tuckpoint.table.engine import Array

SHARPEST = 200.0
LEAST = 0.1


def softmax(scores: Array) -> Array:
    """Probabilities (n, classes) of scores (n, classes)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def sharpest(scores: Array, labels: Array) -> tuple[float, float]:
    """The factor of scores (n, classes) with the least mean log loss for known classes (n,), and that loss."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))

    def loss(log_factor: float) -> float:
        told = softmax(np.exp(log_factor) * scores)[rows, labels]
        return float(-np.log(np.maximum(told, 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(LEAST), np.log(SHARPEST)), method="bounded")
    return float(np.exp(found.x)), float(found.fun)
