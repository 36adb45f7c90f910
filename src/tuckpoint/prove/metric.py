"""The metric of a proof, with the influence of every row: higher AUC and recall, lower log loss and RMSE are better."""

from __future__ import annotations

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure.intervals import Estimate, auc
from tuckpoint.table.engine import Array

SIGN = {"auc": 1, "recall": 1, "log_loss": -1, "rmse": -1, "accuracy": 1, "macro_recall": 1}
TITLE = {
    "auc": "AUC", "recall": "recall", "log_loss": "log loss", "rmse": "RMSE", "accuracy": "accuracy",
    "macro_recall": "macro recall",
}  # fmt: skip
LEAST = 10  # rows of each class, or of a slice, on which a metric can be judged
FLOOR = 1e-6  # of a probability, so that one row cannot be endless


def estimate(metric: str, predicted: Array, truth: Array, *, rate: float | None = None) -> Estimate:
    """The metric on these rows: predicted (n,) or (n, classes) probabilities, or numbers; truth (n,) codes or numbers.

    Check with `measurable` first.
    """
    if metric == "rmse":
        square = (predicted - truth) ** 2
        value = float(np.sqrt(square.mean()))
        return Estimate(value, (square - value**2) / (2 * value) if value else np.zeros(len(square)))
    if metric == "log_loss":
        loss = losses(predicted, truth)
        return Estimate(float(loss.mean()), loss - loss.mean())
    if metric in ("accuracy", "macro_recall"):
        return right_answers(predicted, truth, by_class=metric == "macro_recall")
    if metric == "auc":
        return auc(predicted, truth == 1)
    assert rate is not None
    return recall_at(predicted, truth == 1, rate)


def measurable(metric: str, truth: Array, *, least: int = LEAST, rate: float | None = None) -> str:
    """Why the metric cannot be measured on rows with this truth; empty if it can."""
    if len(truth) < least:
        return f"{count(len(truth), 'row')}; {least} are needed"
    if metric in ("auc", "recall"):
        positives = int((truth == 1).sum())
        if min(positives, len(truth) - positives) < least:
            return f"{positives} positive and {len(truth) - positives} other rows; {least} of each are needed"
        if rate is not None and rate * (len(truth) - positives) < 1:
            return f"{len(truth) - positives} other rows show no rate of false alarms as small as {rate:g}"
    return ""


def losses(predicted: Array, truth: Array) -> Array:
    """Log loss of each row (n,), probabilities held within 1e-6 of 0 and 1."""
    if predicted.ndim == 2:
        given = predicted[np.arange(len(truth)), truth.astype(np.int64)]
    else:
        given = np.where(truth == 1, predicted, 1 - predicted)
    return np.asarray(-np.log(np.clip(given, FLOOR, 1 - FLOOR)))


def right_answers(predicted: Array, truth: Array, *, by_class: bool) -> Estimate:
    """Share of rows whose likeliest class is theirs: of all rows, or the mean over the classes that are there."""
    answers = predicted.argmax(axis=1) if predicted.ndim == 2 else predicted > 0.5
    right = (answers == truth).astype(np.float64)
    if not by_class:
        return Estimate(float(right.mean()), right - right.mean())
    classes, own = np.unique(truth, return_inverse=True)
    counts = np.bincount(own)
    recalls = np.bincount(own, weights=right) / counts
    influence = (right - recalls[own]) * len(truth) / (len(classes) * counts[own])
    return Estimate(float(recalls.mean()), influence)


def recall_at(score: Array, positive: Array, rate: float) -> Estimate:
    """Share of positives above the score that a share `rate` of the others exceeds; the threshold's own noise counts.

    The influence of the others is that of the quantile, carried over by the slope of the ROC curve between half and one
    and a half times the rate (Hsieh and Turnbull 1996).
    """
    order = np.sort(score[~positive])[::-1]
    n, m = len(score), int(positive.sum())

    def over(share: float) -> float:
        at = min(max(round(share * (len(order) + 1)) - 1, 0), len(order) - 1)
        return float(order[at])

    threshold = over(rate)
    above = score > threshold
    value = float(above[positive].mean())
    step = (score[positive] > over(1.5 * rate)).mean() - (score[positive] > over(0.5 * rate)).mean()
    influence = np.zeros(n)
    influence[positive] = (above[positive] - value) * n / m
    influence[~positive] = -(step / rate) * (above[~positive] - above[~positive].mean()) * n / (n - m)
    return Estimate(value, influence)


def calibration(predicted: Array, truth: Array) -> float:
    """Predicted over true rate of the positives, or for a number the mean error (predicted - true)."""
    if set(np.unique(truth)) <= {0.0, 1.0} and predicted.ndim == 1 and predicted.min() >= 0 and predicted.max() <= 1:
        return float(predicted.mean() / truth.mean()) if truth.any() else float("inf")
    return float((predicted - truth).mean())
