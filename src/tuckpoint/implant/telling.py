"""Can a learner tell two sets of windows apart? The area under its curve on patients it never saw, 0.5 for no.

Features are those that implants betray themselves by: profile and spread over radii, gradients, noise and its
correlation, quantiles; they are the same for volumes and photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant.values import Array
from tuckpoint.seed import Seed

RINGS, FOLDS, REPLICATES = 6, 2, 300
LEAST = 10  # windows on each side


@dataclass(frozen=True)
class Told:
    """AUC with a 95 % interval by resampling groups, and the scores behind it in the order first set, second set."""

    auc: float
    low: float
    high: float
    n: tuple[int, int]
    scores: Array
    truth: Array
    groups: Array


def features(window: Array) -> Array:
    """(k,) float32 features of a grey window with two or three axes."""
    values = window.astype(np.float32)
    grid = np.meshgrid(*[np.linspace(-1, 1, n) for n in values.shape], indexing="ij")
    far = np.sqrt(sum(g * g for g in grid))
    ring = np.minimum((far * RINGS).astype(int), RINGS - 1)
    size = np.maximum(np.bincount(ring.ravel(), minlength=RINGS), 1)

    def rings(of: Array) -> Array:
        return np.asarray(np.bincount(ring.ravel(), of.ravel(), RINGS) / size)

    high = values - ndimage.gaussian_filter(values, 1.0, mode="nearest")
    steep = np.sqrt(sum(np.square(g) for g in np.gradient(values)))
    mean = rings(values)
    found = [mean, np.sqrt(np.maximum(rings(values.astype(float) ** 2) - mean**2, 0))]
    found += [rings(steep), np.sqrt(rings(high * high))]
    found.append(np.quantile(values, [0.02, 0.25, 0.5, 0.75, 0.98, 0.998]))
    energy = max(float((high * high).mean()), 1e-9)
    near = [
        float((high.take(range(1, n), axis) * high.take(range(n - 1), axis)).mean()) / energy
        for axis, n in enumerate(values.shape)
    ]
    found.append(np.array([*near, float(np.mean(values != np.round(values)))]))
    return np.concatenate([np.asarray(part, np.float32) for part in found])


def told_apart(
    first: Sequence[Array], second: Sequence[Array], groups: tuple[Sequence[str], Sequence[str]], seed: Seed
) -> Told:
    """Train on some groups and score the others, by turns; a group is never on both sides.

    Raises InputError for fewer than LEAST windows in a set or fewer than two groups.
    """
    if min(len(first), len(second)) < LEAST:
        raise InputError(
            f"{len(first)} and {len(second)} windows cannot be told apart with any certainty: give {LEAST}"
        )
    table = np.stack([features(window) for window in (*first, *second)])
    truth = np.r_[np.ones(len(first)), np.zeros(len(second))]
    names, owner = np.unique(np.array([*groups[0], *groups[1]]), return_inverse=True)
    fold = _folds(truth, owner, len(names), seed)
    scores = np.zeros(len(truth))
    for held in range(FOLDS):
        train = fold[owner] != held
        if len(np.unique(truth[train])) < 2:
            raise InputError("all windows of one set are of one patient; give windows of more patients")
        scores[~train] = _ranks(_scores(table, truth, train, seed.child("learner", held)))
    auc = area(scores, truth)
    low, high = _interval(scores, truth, owner, seed.child("interval"))
    return Told(auc, low, high, (len(first), len(second)), scores, truth, owner)


def _folds(truth: Array, owner: Array, count: int, seed: Seed) -> Array:
    """A fold for each group: dealt out in turn, separately for groups of either set and of both."""
    if count < 2:
        raise InputError("all windows are of one patient; give windows of two or more")
    rng = seed.child("folds").numpy()
    fold = np.zeros(count, int)
    share = np.bincount(owner, truth, count) / np.bincount(owner, minlength=count)
    kind = np.where(share == 0, 0, np.where(share == 1, 2, 1))
    for one in range(3):
        members = rng.permutation(np.flatnonzero(kind == one))
        fold[members] = np.arange(len(members)) % FOLDS
    return fold


def _ranks(scores: Array) -> Array:
    """Scores of two models are comparable by rank only."""
    from scipy import stats  # takes a worker that implants as long to load as all the rest

    return np.asarray((stats.rankdata(scores) - 0.5) / max(len(scores), 1))


def _scores(table: Array, truth: Array, train: Array, seed: Seed) -> Array:
    import lightgbm

    parameters = {
        "objective": "binary", "num_leaves": 7, "learning_rate": 0.08, "min_data_in_leaf": 5, "verbosity": -1,
        "num_threads": 1, "deterministic": True, "seed": seed.integer() % 2**31, "feature_fraction": 0.6,
    }  # fmt: skip
    model = lightgbm.train(parameters, lightgbm.Dataset(table[train], truth[train]), num_boost_round=60)
    return np.asarray(model.predict(table[~train]))


def area(scores: Array, truth: Array, weight: Array | None = None) -> float:
    """The area under the curve, ties counting a half; `weight` counts rows several times."""
    weight = np.ones(len(truth)) if weight is None else weight
    _, place = np.unique(scores, return_inverse=True)
    yes = np.bincount(place, weight * truth)
    no = np.bincount(place, weight * (1 - truth))
    below = np.cumsum(no) - no
    whole = yes.sum() * no.sum()
    return float((yes * (below + no / 2)).sum() / whole) if whole else 0.5


def _interval(scores: Array, truth: Array, owner: Array, seed: Seed) -> tuple[float, float]:
    """Percentiles of the area over groups drawn anew."""
    rng = seed.numpy()
    count = int(owner.max()) + 1
    drawn = [area(scores, truth, np.bincount(rng.integers(count, size=count), minlength=count)[owner])
             for _ in range(REPLICATES)]  # fmt: skip
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(low), float(high)
