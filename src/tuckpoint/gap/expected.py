"""What the model expects of the target in each gap, so that a published rate tells whether rows would change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tuckpoint.gap.finding import Expected
from tuckpoint.gap.model import cost, known, predicted
from tuckpoint.table.engine import Array

if TYPE_CHECKING:
    from tuckpoint.gap.assess import Case

LEAST = 10  # rows of a gap over which a mean is told
RESAMPLES, SHARE = 4, 0.8  # models of so large a share of the training rows, for the error of the model itself


def expected(masks: Sequence[Array], case: Case) -> list[Expected | None]:
    """For each gap, a mask (n,) of the reference's rows (the test's without a reference): the mean prediction there.

    None without such rows. The error counts both the rows and the model, that by models of four fifths of the training
    rows (delete-d jackknife; Efron and Tibshirani 1993, chapter 11).
    """
    side, train, work = case.beside, case.train, case.work
    if case.pictures or work is None or side is None or side.model is None or train.model is None:
        return [None] * len(masks)
    assert train.truth is not None
    any_gap = np.flatnonzero(np.logical_or.reduce(masks))
    if len(any_gap) < LEAST:
        return [None] * len(masks)
    held, rows, seed = known(train.truth), side.model.take(any_gap), case.seed.child("expected")
    models = [held]
    for number in range(RESAMPLES):
        drawn = seed.child(number).numpy().permutation(held)
        models.append(np.sort(drawn[: max(1, round(SHARE * len(held)))]))
    told = [predicted(train.model.take(mine), train.truth[mine], rows, work, seed.child("fit")) for mine in models]
    by_level = [_levels(one, work.classes) for one in told]
    names = [_name(label) for label in work.labels] if work.classes else [""]
    return [_mean(names, [one[mask[any_gap]] for one in by_level], case) for mask in masks]


def _levels(prediction: Array, classes: int) -> Array:
    """Predictions as (m, levels), of a number as (m, 1)."""
    if classes == 2:
        return np.stack([1 - prediction, prediction], axis=1)
    return prediction.reshape(len(prediction), -1)


def _name(label: str) -> str:
    """A level as people write it: whole numbers without a point."""
    try:
        return f"{float(label):g}"
    except ValueError:
        return label


def _mean(names: Sequence[str], told: Sequence[Array], case: Case) -> Expected | None:
    whole, parts = told[0], told[1:]
    if len(whole) < LEAST:
        return None
    mean = whole.mean(axis=0)
    ratio = SHARE / (1 - SHARE)
    fits = ratio * np.var([part.mean(axis=0) for part in parts], axis=0)
    error = (np.var(whole, axis=0, ddof=1) / len(whole) + fits) ** 0.5
    if case.work is not None and case.work.classes:
        costs = cost(whole * (1 - whole))
    else:
        mean, error, costs = mean * case.unit, error * case.unit, np.full(1, case.unit**-2)
    plain = (dict(zip(names, map(float, values), strict=True)) for values in (mean, error, costs))
    return Expected(len(whole), *plain)
