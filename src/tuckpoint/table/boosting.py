"""Boosted models of one column: an out-of-fold mean that members are moved by, or a head of class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed
from tuckpoint.table import kernel
from tuckpoint.table.codes import Coded

Array = NDArray[Any]
FOLDS = 2
MANY_ROWS, FASTER = 20_000, 1.5  # from so many rows on a head learns so much faster: as good in half the rounds


@dataclass(frozen=True)
class Boost:
    """Boosted models and, per model, the bin (size,) of each code of each feature.

    Two models, each of which learns nothing of the fold it predicts but when to stop, or one head model of class
    probabilities.
    """

    models: tuple[kernel.Boosted, ...]
    maps: tuple[tuple[NDArray[np.uint8], ...], ...]

    def predict(self, codes: Sequence[kernel.Codes], rows: int, which: int) -> NDArray[np.float32]:
        """Scores (outputs, rows) of one of the models."""
        bins = [kernel.bins(code, mapping) for code, mapping in zip(codes, self.maps[which], strict=True)]
        return kernel.predict(self.models[which], bins, rows)


def _maps(given: Sequence[Coded], wanted: Array, train: Array) -> tuple[tuple[NDArray[np.uint8], ...], list[int]]:
    """Boosting bins of each feature's codes: quantiles, or levels ordered by their smoothed mean on the train rows."""
    maps, counts = [], []
    for column in given:
        if column.field.numeric:
            maps.append(column.bin_of)
            counts.append(column.bins)
            continue
        code = column.code[train]
        people = np.bincount(code, minlength=column.size)
        total = np.bincount(code, weights=wanted[train], minlength=column.size)
        mean = (total + 10 * wanted[train].mean()) / (people + 10)
        rank = np.empty(column.size, np.uint8)
        rank[np.argsort(mean, kind="stable")] = np.arange(column.size)
        maps.append(rank)
        counts.append(column.size)
    return tuple(maps), counts


def _boost(
    given: Sequence[Coded],
    wanted: Array,
    ordering: Array,
    *,
    train: Array,
    watch: Array,
    loss: int,
    start: Array,
    settings: kernel.BoostSettings,
    seed: Seed,
) -> tuple[kernel.Boosted, tuple[NDArray[np.uint8], ...], Array]:
    maps, counts = _maps(given, ordering, train)
    bins = [kernel.bins(column.code, mapping) for column, mapping in zip(given, maps, strict=True)]
    model, score = kernel.boost(
        bins, counts, wanted, train=train, watch=watch, loss=loss, start=start, settings=settings, key=seed.integer()
    )
    return model, maps, score


def fit_mean(
    given: Sequence[Coded],
    ranks: NDArray[np.float64],
    settings: kernel.BoostSettings,
    fold: NDArray[np.uint8],
    seed: Seed,
) -> tuple[Boost, NDArray[np.float32]] | None:
    """Two models of the normal score, each for the fold it did not see; None if nothing is learnt."""
    from scipy.special import ndtri

    wanted = ndtri(ranks).astype(np.float32)
    out_of_fold = np.empty(len(wanted), np.float32)
    models, maps = [], []
    for k in range(FOLDS):
        train, watch = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        model, mapping, score = _boost(
            given,
            wanted,
            wanted,
            train=train,
            watch=watch,
            loss=kernel.SQUARED,
            start=wanted[train].mean(keepdims=True),
            settings=settings,
            seed=seed.child("mean", k),
        )
        if model.rounds == 0:
            return None
        out_of_fold[watch] = score[0, watch]
        models.append(model)
        maps.append(mapping)
    return Boost(tuple(models), tuple(maps)), out_of_fold


def fit_head(
    label: Array,
    classes: int,
    given: Sequence[Coded],
    settings: kernel.BoostSettings,
    fold: NDArray[np.uint8],
    seed: Seed,
) -> Boost:
    """Class probabilities: rounds found on two folds, then one model of all rows (a fifth more rounds)."""
    binary = classes == 3 and not (label == 2).any()  # two levels and no missing
    held = np.bincount(label, minlength=classes)
    # What no row holds, such as missing in a column without it, has a chance of 1e-12 and not of 1/2n.
    share = np.where(held, (held + 0.5) / (len(label) + 0.5 * classes), 1e-12)
    loss = kernel.LOGISTIC if binary else kernel.SOFTMAX
    start = np.log(share[1:2] / share[:1]) if binary else np.log(share)
    ordering = (label == 1).astype(np.float64) if binary else (label == int(share.argmax())).astype(np.float64)
    # A hessian of 3 is some 17 rows at a share of a quarter; 20, as for means, would be over a hundred.
    longer = replace(settings, rounds=settings.rounds * 4, patience=20, min_child=3, penalty=3, bag=0.9)
    if len(label) >= MANY_ROWS:
        longer = replace(longer, rate=min(1.0, FASTER * settings.rate), patience=15)
    rounds = []
    for k in range(FOLDS):
        train, watch = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        model, _, _ = _boost(
            given, label, ordering, train=train, watch=watch, loss=loss, start=start, settings=longer,
            seed=seed.child("head", k),
        )  # fmt: skip
        rounds.append(model.rounds)
    final = replace(longer, rounds=max(1, round(1.2 * float(np.mean(rounds)))))
    every = np.arange(len(label))
    model, mapping, _ = _boost(
        given, label, ordering, train=every, watch=every[:0], loss=loss, start=start, settings=final,
        seed=seed.child("head"),
    )  # fmt: skip
    return Boost((model,), (mapping,))
