"""What a model of the training rows says of rows it did not learn from: logits of one level, or numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.measure import boost
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

FOLDS = 3
FLOOR = 1e-6  # of a probability
LEAST = 20  # rows with a known target, below which the model is their mean
NEAR = 50  # rows of nearest prediction whose residuals stand for one another


@dataclass(frozen=True)
class Target:
    """The outcome whose mean is published: whether the target holds `value` (a code of a level, or a number), or
    (None) the number itself, of which `least` is the least that there can be.
    """

    name: str
    value: float | None = None
    least: float = -np.inf

    def truth(self, rows: Encoded) -> Array:
        """1 or 0, or the number (n,), NaN where not known."""
        column = rows.columns[self.name].astype(float)
        if not rows.field(self.name).numeric:
            column = np.where(column < 0, np.nan, column)
        return column if self.value is None else np.where(np.isnan(column), np.nan, column == self.value)


@dataclass(frozen=True)
class Scores:
    """Scores of the training rows (n,), each by models that did not learn it, and of the rows of each other table.

    Logits that were made honest: models boosted on few rows are too sure, so the logits are shrunk by the slope of a
    logistic regression of the outcome on those of rows not learnt (Platt 1999). Of a number: predictions in residual
    spreads, `unit`, above `least`; those of other tables with a residual drawn from rows of like prediction.
    """

    real: Array
    others: tuple[Array, ...]
    unit: float = 1.0
    least: float | None = None

    def outcome(self, scores: Array) -> Array:
        """The mean outcome of rows of these scores (m,): a probability, or a number in residual spreads."""
        return np.asarray((1 + np.tanh(scores / 2)) / 2 if self.least is None else np.maximum(scores, self.least))

    def misfit(self, scores: Array, truth: Array, constant: float) -> float:
        """Minus twice the log likelihood of known outcomes of rows of these scores (n,), were the constant added."""
        if self.least is None:
            return float(2 * np.logaddexp(0.0, np.where(truth == 1, -1.0, 1.0) * (scores + constant)).sum())
        return float(((truth / self.unit - scores - constant) ** 2).sum())


def scored(real: Encoded, target: Target, others: Sequence[Encoded], seed: Seed) -> Scores:
    """Cross-fitted scores of training rows, and those of other tables by the mean of the same models."""
    truth = target.truth(real)
    known = np.flatnonzero(~np.isnan(truth))
    classes = 0 if target.value is None else 2
    if len(known) < LEAST or len(np.unique(truth[known])) < 2:
        level = float(truth[known].mean()) if len(known) else 0.5
        raw = [np.full(rows.rows, level if classes == 0 else _logit(np.array(level))) for rows in (real, *others)]
    else:
        raw = _cross_fitted(real, truth, known, classes, target.name, others, seed)
    if classes:
        slope = _slope(raw[0][known], truth[known])
        return Scores(slope * raw[0], tuple(slope * one for one in raw[1:]))
    residual = truth[known] - raw[0][known]
    unit = float(residual.std()) or 1.0
    noisy = [_noised(one, raw[0][known], residual, seed.child("residual", k)) for k, one in enumerate(raw[1:])]
    return Scores(raw[0] / unit, tuple(one / unit for one in noisy), unit, target.least / unit)


def _cross_fitted(
    real: Encoded, truth: Array, known: Array, classes: int, name: str, others: Sequence[Encoded], seed: Seed
) -> list[Array]:
    """Scores (n,) of the real rows, then of each other table."""
    people = np.arange(real.rows) if real.person is None else np.unique(real.person, return_inverse=True)[1]
    fold = seed.child("folds").numpy().permutation(int(people.max()) + 1)[people] % FOLDS
    inputs = [boost.features(rows, without=name) for rows in (real, *others)]
    told = [np.zeros(len(one.values)) for one in inputs]
    for part in range(FOLDS):
        train = known[fold[known] != part]
        held = np.flatnonzero(fold == part)
        model = boost.train(inputs[0].take(train), truth[train], classes=classes, seed=seed.child("fit", part))
        told[0][held] = _raw(boost.predict(model, inputs[0].take(held)), classes) if len(held) else 0.0
        for place, rows in enumerate(inputs[1:], 1):
            told[place] += _raw(boost.predict(model, rows), classes) / FOLDS
    return told


def _raw(predicted: Array, classes: int) -> Array:
    return _logit(predicted) if classes else predicted


def _logit(share: Array) -> Array:
    held = np.clip(share, FLOOR, 1 - FLOOR)
    return np.asarray(np.log(held / (1 - held)))


def _slope(logits: Array, truth: Array) -> float:
    """By how much logits are to be multiplied so that they foretell the outcome, 0.1 to 1."""
    from scipy.optimize import minimize

    def loss(at: Array) -> float:
        return float(np.logaddexp(0.0, np.where(truth == 1, -1.0, 1.0) * (at[0] * logits + at[1])).mean())

    return float(np.clip(minimize(loss, np.array([1.0, 0.0])).x[0], 0.1, 1.0))


def _noised(predicted: Array, known: Array, residual: Array, seed: Seed) -> Array:
    """Predictions (m,) with residuals of rows whose predictions (n,) are near."""
    order = np.argsort(known, kind="stable")
    width = min(NEAR, len(order))
    start = np.clip(np.searchsorted(known[order], predicted) - width // 2, 0, len(order) - width)
    return np.asarray(predicted + residual[order][start + seed.numpy().integers(0, width, len(predicted))])
