"""The learner for images: ridge regression on descriptors, a column a class, each class of a block weighing the same.

What it needs of a block are sums that add up, so that a block of many renders is summed once, whatever it weighs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.measure.sharpness import sharpest, softmax
from tuckpoint.table.engine import Array

Floats = NDArray[np.float32]
TUNED_ON = 400  # rows at most on which the temperature is found


@dataclass(frozen=True)
class Ridge:
    """Settings: `penalty` of the coefficients, beside classes that each weigh 1."""

    kind: Literal["ridge"] = "ridge"
    penalty: float = 0.1

    def __post_init__(self) -> None:
        if self.penalty <= 0:
            raise InputError(f"ridge: penalty is {self.penalty}; give a number above 0")


@dataclass(frozen=True)
class Sums:
    """Products of weighted rows: with one another (d, d), and with the columns of their classes (d, c)."""

    square: Floats
    wanted: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.square + other.square, self.wanted + other.wanted)

    def times(self, weight: float) -> Sums:
        """The same rows at another weight."""
        return Sums(self.square * np.float32(weight), self.wanted * np.float32(weight))


@dataclass(frozen=True)
class RidgeModel:
    """Coefficients (d, c), and what scores are multiplied with before they become probabilities."""

    coefficients: Floats
    sharpness: float

    def predict(self, seen: Floats) -> Array:
        """Probabilities (n, c) of descriptors (n, d)."""
        return softmax(self.sharpness * (seen @ self.coefficients).astype(np.float64))


def sums(seen: Floats, truth: Array, weights: Array, classes: int) -> Sums:
    """The sums of rows (n, d) with classes (n,), weighted within their class, every class weighing 1 in all."""
    labels = truth.astype(np.int64)
    of_class = np.bincount(labels, weights=weights, minlength=classes)
    own = (seen * (weights / of_class[labels]).astype(np.float32)[:, None]).T
    columns = np.eye(classes, dtype=np.float32)[labels]
    return Sums(np.asarray(own @ seen, np.float32), np.asarray(own @ columns, np.float32))


def solved(held: Sums, penalty: float) -> Floats:
    """The coefficients (d, c) alone."""
    return _solved(held, penalty)[0]


def _solved(held: Sums, penalty: float) -> tuple[Floats, tuple[Floats, bool]]:
    """The coefficients, and the factor of the penalised products."""
    from scipy.linalg import cho_factor, cho_solve

    penalised = held.square + np.float32(penalty) * np.eye(len(held.square), dtype=np.float32)
    factor = cho_factor(penalised, check_finite=False)
    return np.asarray(cho_solve(factor, held.wanted, check_finite=False), np.float32), factor


def train(held: Sums, seen: Floats, truth: Array, weights: Array, settings: Ridge) -> RidgeModel:
    """The model of these sums; its probabilities are tuned on rows (n, d), classes (n,) that are among them.

    Each is scored as if it had been left out (the leverage `h` of a row of weight w is w x' A^-1 x, Allen 1974), for a
    model is surer of the rows it learnt. `weights` (n,) are those the rows have in the sums.
    """
    from scipy.linalg import cho_solve

    coefficients, factor = _solved(held, settings.penalty)
    kept = np.arange(len(truth)) if len(truth) <= TUNED_ON else np.linspace(0, len(truth) - 1, TUNED_ON).astype(int)
    rows, labels = seen[kept], truth[kept].astype(np.int64)
    leverage = weights[kept] * np.einsum("nd,dn->n", rows, cho_solve(factor, rows.T, check_finite=False))
    leverage = np.minimum(leverage, 0.999)[:, None]
    own = np.eye(held.wanted.shape[1])[labels]
    scores = ((rows @ coefficients).astype(np.float64) - leverage * own) / (1 - leverage)
    return RidgeModel(coefficients, sharpest(scores, labels)[0])
