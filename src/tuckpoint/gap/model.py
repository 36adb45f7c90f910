"""How the model does: losses and calibration on rows that it did not learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.gap import linear
from tuckpoint.measure import boost
from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.utility import Task
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

MODEL = Boosting(rounds=60, rate=0.1, leaves=15, leaf_rows=20)
FOLDS = 5
FLOOR = 1e-6  # of a probability, so that one row cannot be endless


@dataclass(frozen=True)
class Judged:
    """Rows whose outcome is known and that the model did not learn from.

    `loss` (n,) is log loss, or the squared error of a number; `error` (n,) predicted less true (of the second class, of
    the number, or of the likeliest of several classes), with the variance `spread` (n,) that it has if the
    predictions are right (NaN for numbers: then it is estimated). `rows` (n,) are positions in the table they are from.
    """

    loss: Array
    error: Array
    spread: Array
    rows: Array
    source: str

    def some(self, kept: Array) -> Judged:
        """The judged rows at these places."""
        return Judged(self.loss[kept], self.error[kept], self.spread[kept], self.rows[kept], self.source)


def known(truth: Array) -> Array:
    """Positions of the rows whose outcome is known."""
    return np.flatnonzero(~np.isnan(truth))


def predicted(train: Encoded, truth: Array, rows: Encoded, work: Task, seed: Seed) -> Array:
    """Predictions for rows (m,), or (m, classes), of a model fitted to training rows with a known outcome (n,)."""
    if len(np.unique(truth)) < 2:
        level = float(truth[0]) if len(truth) else 0.0
        if work.classes > 2:
            return np.tile(np.eye(work.classes)[int(level)], (rows.rows, 1))
        return np.full(rows.rows, level)
    if work.linear:
        return linear.predicted(train, truth, rows, work.classes)
    inputs = boost.features(train, without=work.target)
    model = boost.train(inputs, truth, classes=work.classes, seed=seed, settings=MODEL)
    return boost.predict(model, boost.features(rows, without=work.target))


def losses(prediction: Array, truth: Array, classes: int) -> Array:
    """Loss of each row (n,)."""
    if classes == 0:
        return np.asarray((prediction - truth) ** 2)
    if prediction.ndim == 2:
        given = prediction[np.arange(len(truth)), truth.astype(np.int64)]
    else:
        given = np.where(truth == 1, prediction, 1 - prediction)
    return np.asarray(-np.log(np.clip(given, FLOOR, 1 - FLOOR)))


def judged(prediction: Array, truth: Array, rows: Array, classes: int, source: str) -> Judged:
    """Losses and errors of predictions for rows of known truth."""
    loss = losses(prediction, truth, classes)
    if classes == 0:
        return Judged(loss, prediction - truth, np.full(len(loss), np.nan), rows, source)
    if classes == 2:
        return Judged(loss, prediction - truth, prediction * (1 - prediction), rows, source)
    likeliest = prediction.argmax(axis=1)
    top = prediction[np.arange(len(truth)), likeliest]
    return Judged(loss, top - (likeliest == truth), top * (1 - top), rows, source)


def folds(groups: Array, seed: Seed, count: int = FOLDS) -> Array:
    """The fold (n,) of each row; a group stands in one."""
    kinds, place = np.unique(groups, return_inverse=True)
    return np.asarray(seed.numpy().permutation(len(kinds))[place] % count)


def cross_fitted(train: Encoded, truth: Array, groups: Array, work: Task, seed: Seed) -> Judged:
    """Training rows, each predicted by a model of the other folds; `truth` (n,) may lack some."""
    rows = known(truth)
    fold = folds(groups[rows], seed.child("folds"))
    out = np.full((len(rows), work.classes) if work.classes > 2 else len(rows), np.nan)
    for part in range(FOLDS):
        mine, others = rows[fold == part], rows[fold != part]
        if len(mine) and len(others):
            out[fold == part] = predicted(train.take(others), truth[others], train.take(mine), work, seed.child(part))
    done = ~np.isnan(out if out.ndim == 1 else out[:, 0])
    return judged(out[done], truth[rows[done]], rows[done], work.classes, "training rows, cross-fitted")


def held_out(
    train: Encoded, truth: Array, other: Encoded, other_truth: Array, work: Task, seed: Seed, source: str
) -> Judged:
    """Rows of another table, predicted by a model of all training rows."""
    rows, mine = known(truth), known(other_truth)
    out = predicted(train.take(rows), truth[rows], other.take(mine), work, seed)
    return judged(out, other_truth[mine], mine, work.classes, source)


def bias(error: Array, spread: Array) -> tuple[float, float]:
    """Mean of predicted less true, and how many standard errors it is from 0 (n,)."""
    mean = float(error.mean())
    variance = float(spread.sum()) if not np.isnan(spread).any() else float(np.var(error, ddof=1)) * len(error)
    return mean, float(error.sum() / max(variance, 1e-12) ** 0.5)


def cost(spread: Array) -> Array:
    """What an error of the mean probability adds to the log loss, per its square; `spread` (n, ...) is p(1 - p)."""
    return np.asarray(1 / (2 * np.maximum(spread.mean(axis=0), 1e-4)))


def logistic(logits: Array) -> Array:
    """Probabilities of logits, without overflow."""
    return np.asarray((1 + np.tanh(logits / 2)) / 2)
