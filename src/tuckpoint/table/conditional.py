"""One column given others: bagged trees whose leaves keep real members, moved by an out-of-fold boosted prediction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed
from tuckpoint.table import kernel
from tuckpoint.table.codes import Coded, mid_ranks

Array = NDArray[Any]
FOLDS = 2
MAX_CLASSES = 32  # beyond, the one-hot of a category is projected on so many random signs
HEAD_CLASSES = 20
LEAST_ROWS = 100  # below, nothing is boosted and no leaf size chosen
HELD_ROWS = 20_000  # that a leaf size is chosen on, at most
WAVES = (0.5, 2, 8, 32, 100)  # turns over the range of ranks at which a leaf size is judged
FINER_GAIN = 0.002  # least share of the loss that a finer leaf must save

Tree = tuple[Array, Array, Array, Array]


@dataclass(frozen=True)
class Settings:
    """How one column is learnt; the fields are those of the engine."""

    trees: int
    leaf: int
    finest: int
    bag: float
    stacked: float
    reach: float
    moments: int
    jitter: float
    boost: kernel.BoostSettings
    bag_rows: int


@dataclass(frozen=True)
class Boost:
    """Boosted models and, per model, the bin (size,) of each code of each feature.

    Two models, each blind to the fold it predicts, or one head model of class probabilities.
    """

    models: tuple[kernel.Boosted, ...]
    maps: tuple[tuple[NDArray[np.uint8], ...], ...]

    def predict(self, codes: Sequence[kernel.Codes], rows: int, which: int) -> NDArray[np.float32]:
        """Scores (outputs, rows) of one of the models."""
        bins = [kernel.bins(code, mapping) for code, mapping in zip(codes, self.maps[which], strict=True)]
        return kernel.predict(self.models[which], bins, rows)


@dataclass(frozen=True)
class Conditional:
    """A fitted column: its features, and a head of class probabilities or a forest with, perhaps, a boosted mean.

    `out_of_fold` (n,) is each real row's prediction by the model that did not see it; `low`, `high` its range.
    """

    features: tuple[str, ...]
    head: Boost | None = None
    forest: kernel.Forest | None = None
    mean: Boost | None = None
    out_of_fold: NDArray[np.float32] | None = None
    low: float = 0.0
    high: float = 1.0


def fit(
    name: str,
    features: tuple[str, ...],
    columns: Mapping[str, Coded],
    settings: Settings,
    *,
    fold: NDArray[np.uint8],
    weight: Array | None,
    person: Array | None,
    target: bool,
    seed: Seed,
) -> Conditional:
    """Learn column `name` from `features`; `target` says that a model will be trained to predict it."""
    column = columns[name]
    given = [columns[feature] for feature in features]
    rows = len(column.code)
    if column.field.numeric:
        ranks = mid_ranks(column.values)
        moments = np.arange(1, settings.moments + 1)
        wanted: Array | None = np.ascontiguousarray(np.cos(np.pi * ranks[:, None] * moments) / np.sqrt(moments))
        label, outputs = None, settings.moments
        mean = _mean(column, given, ranks, settings, fold, target, seed) if features and rows >= LEAST_ROWS else None
    else:
        classes = len(column.field.levels or ()) + 1  # missing is the last
        label = np.where(column.values < 0, classes - 1, column.values).astype(np.int32)
        if target and features and 2 <= _present(label) <= HEAD_CLASSES and rows >= LEAST_ROWS:
            return Conditional(features, head=_head(label, classes, given, settings, fold, seed))
        wanted, label, outputs = _class_target(label, classes, seed)
        mean = None
    offered, boosted = [c.code for c in given], None
    categorical = [not c.field.numeric for c in given]
    out_of_fold, low, high = None, 0.0, 1.0
    if mean is not None:
        boosted, out_of_fold = mean
        low, high = float(out_of_fold.min()), float(out_of_fold.max())
        offered, categorical = [*offered, kernel.steps(out_of_fold, low, high)], [*categorical, False]
    bags = [_bag(rows, person, settings, seed.child("bag", k)) for k in range(settings.trees)]

    def grow(k: int, leaf: int, shown: int) -> Tree:
        return kernel.grow(
            offered[:shown],
            categorical[:shown],
            target=wanted,
            label=label,
            outputs=outputs,
            weight=weight,
            min_leaf=leaf,
            rows=bags[k],
        )

    leaf = settings.leaf
    if features and rows >= LEAST_ROWS:
        held = np.setdiff1d(np.arange(rows, dtype=np.int32), bags[0])[:HELD_ROWS]
        if column.field.numeric:
            told: Array = _waves(ranks)
        else:
            told = np.eye(outputs)[label] if wanted is None else wanted
        leaf = _leaf_size(lambda size: grow(0, size, len(given)), offered, told, held, settings)
    stacked = round(settings.trees * settings.stacked)
    grown = [grow(k, leaf, len(offered) if k < stacked else len(given)) for k in range(settings.trees)]
    return Conditional(features, None, kernel.join(grown), boosted, out_of_fold, low, high)


def _waves(ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sines and cosines (n, 2 * scales) of the rank, from the whole range down to a hundredth of it."""
    turns = 2 * np.pi * ranks[:, None] * np.array(WAVES)
    return np.concatenate([np.cos(turns), np.sin(turns)], axis=1)


def _leaf_size(
    grow: Callable[[int], Tree],
    offered: Sequence[kernel.Codes],
    told: Array,
    held: NDArray[np.int32],
    settings: Settings,
) -> int:
    """The largest leaf that foretells held-out rows as well as any finer one does.

    The score is the squared distance of what is told of a row to its mean over the leaf: the Brier score of a category,
    a kernel score of a number at several scales (Gneiting, Raftery 2007, section 5), both proper. Larger leaves are
    kept unless a finer one is better beyond doubt, since they show less of each person.
    """
    sizes = dict.fromkeys((settings.leaf, round((settings.leaf * settings.finest) ** 0.5), settings.finest))
    best, best_loss = settings.leaf, None
    for size in sorted((size for size in sizes if size <= settings.leaf), reverse=True):
        loss = _held_loss(grow(size), offered, told, held)
        if best_loss is None:
            best_loss = loss
            continue
        gain = best_loss - loss
        if gain.mean() > max(2 * gain.std() / max(len(gain), 1) ** 0.5, FINER_GAIN * best_loss.mean()):
            best, best_loss = size, loss
    return best


def _held_loss(
    tree: Tree, offered: Sequence[kernel.Codes], told: Array, held: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Squared distance (len(held),) of what is told (n, k) of each held-out row to its mean over the row's leaf."""
    nodes, counts, _, members = tree
    leaves = np.flatnonzero(counts)
    order = np.argsort(nodes["left"][leaves], kind="stable")  # members lie in the order of their leaves
    leaf_of_member = np.repeat(leaves[order], counts[leaves[order]])
    size = np.maximum(counts, 1)
    sums = [np.bincount(leaf_of_member, column[members], len(nodes)) for column in told.T]
    mean = np.stack(sums, axis=1) / size[:, None]
    square = np.bincount(leaf_of_member, (told[members] ** 2).sum(axis=1), len(nodes)) / size
    # The mean of a leaf errs by its own sampling, which a draw of one member does not feel: that part is taken off.
    sampling = np.maximum(square - (mean**2).sum(axis=1), 0) / np.maximum(counts - 1, 1)
    at = kernel.leaves(offered, tree, held)
    loss: NDArray[np.float64] = ((told[held] - mean[at]) ** 2).sum(axis=1) - sampling[at]
    return loss


def _present(label: Array) -> int:
    return len(np.unique(label))


def _class_target(label: Array, classes: int, seed: Seed) -> tuple[Array | None, Array | None, int]:
    """The label itself, or random signs of each level: squared distances survive (Achlioptas 2003), at bounded cost."""
    if classes <= MAX_CLASSES:
        return None, label, classes
    signs = seed.child("signs").numpy().integers(0, 2, (classes, MAX_CLASSES)) * 2.0 - 1.0
    return np.ascontiguousarray(signs[label]), None, MAX_CLASSES


def _bag(rows: int, person: Array | None, settings: Settings, seed: Seed) -> NDArray[np.int32]:
    """Rows of one tree, without replacement; a person is in or out with all rows."""
    rng = seed.numpy()
    if person is not None:
        people = int(person.max()) + 1
        share = min(settings.bag, settings.bag_rows / rows)
        inside = np.flatnonzero(rng.random(people)[person] < share).astype(np.int32)
        return inside if len(inside) else np.arange(rows, dtype=np.int32)
    size = max(1, min(int(rows * settings.bag), settings.bag_rows))
    return np.sort(rng.permutation(rows)[:size]).astype(np.int32)


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


def _mean(
    column: Coded,
    given: Sequence[Coded],
    ranks: NDArray[np.float64],
    settings: Settings,
    fold: NDArray[np.uint8],
    target: bool,
    seed: Seed,
) -> tuple[Boost, NDArray[np.float32]] | None:
    """Two models of the normal score, each for the fold it did not see; None where few values could be moved by it."""
    from scipy.special import ndtri

    if not target and (column.place >= 0).mean() < 0.2:
        return None
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
            settings=settings.boost,
            seed=seed.child("mean", k),
        )
        if model.rounds == 0:
            return None
        out_of_fold[watch] = score[0, watch]
        models.append(model)
        maps.append(mapping)
    return Boost(tuple(models), tuple(maps)), out_of_fold


def _head(
    label: Array, classes: int, given: Sequence[Coded], settings: Settings, fold: NDArray[np.uint8], seed: Seed
) -> Boost:
    """Class probabilities: rounds found on two folds, then one model of all rows (a fifth more rounds)."""
    binary = classes == 3 and not (label == 2).any()  # two levels and no missing
    share = (np.bincount(label, minlength=classes) + 0.5) / (len(label) + 0.5 * classes)
    loss = kernel.LOGISTIC if binary else kernel.SOFTMAX
    start = np.log(share[1:2] / share[:1]) if binary else np.log(share)
    ordering = (label == 1).astype(np.float64) if binary else (label == int(share.argmax())).astype(np.float64)
    # A hessian of 3 is some 17 rows at a share of a quarter; 20, as for means, would be over a hundred.
    longer = replace(settings.boost, rounds=settings.boost.rounds * 4, patience=20, min_child=3, penalty=3, bag=0.9)
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


def draw(
    fitted: Conditional,
    column: Coded,
    codes: Mapping[str, kernel.Codes],
    settings: Settings,
    *,
    rows: int,
    first_row: int,
    fold: NDArray[np.uint8],
    seed: Seed,
    used: list[NDArray[np.int32]],
) -> tuple[Array, kernel.Codes]:
    """Values and codes (rows,) of the column, given the codes of its features.

    `used` are the real rows that gave earlier columns their values; this column's are appended.
    """
    offered = [codes[feature] for feature in fitted.features]
    key = seed.integer()
    if fitted.head is not None:
        level = kernel.levels(fitted.head.predict(offered, rows, 0), first_row, key)
        if fitted.head.models[0].outputs > 1:
            level[level == len(column.field.levels or ())] = -1
        return level, column.code_of[level]
    here = None
    if fitted.mean is not None:
        here = np.concatenate([fitted.mean.predict(offered, rows, k) for k in range(FOLDS)])
        even = (np.arange(first_row, first_row + rows) & 1) == 0
        offered = [*offered, kernel.steps(np.where(even, here[0], here[1]), fitted.low, fitted.high)]
    assert fitted.forest is not None
    member = kernel.members(fitted.forest, offered, rows, first_row, key, used)
    used.append(member)
    return emit(column, member, settings, first_row, key, here=here, out_of_fold=fitted.out_of_fold, fold=fold)


def emit(
    column: Coded,
    member: NDArray[np.int32],
    settings: Settings,
    first_row: int,
    key: int,
    *,
    here: NDArray[np.float32] | None = None,
    out_of_fold: NDArray[np.float32] | None = None,
    fold: NDArray[np.uint8] | None = None,
) -> tuple[Array, kernel.Codes]:
    """Values and codes of chosen members: levels as they are, numbers moved a few places in the pool."""
    if not column.field.numeric:
        level = column.values[member]
        return level, column.code_of[level]
    low, high = _bounds(column)
    view = kernel.Numbers(
        *(array.ctypes.data for array in (column.values, column.code, column.place, column.ties)),
        column.pool.ctypes.data,
        column.pool_code.ctypes.data,
        len(column.pool),
        int(column.snap),
        max(1.5, settings.jitter * len(column.pool)),
        10.0**column.field.decimals,
        settings.reach,
        low,
        high,
    )
    return kernel.numbers(view, member, first_row, key, here=here, out_of_fold=out_of_fold, fold=fold)


def _bounds(column: Coded) -> tuple[float, float]:
    if not len(column.cuts):
        return -np.inf, np.inf
    return float(np.nanmin(column.values)), float(np.nanmax(column.values))
