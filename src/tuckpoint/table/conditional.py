"""One column given others: bagged trees whose leaves keep real members, moved by an out-of-fold boosted prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed
from tuckpoint.table import kernel, leaf, never
from tuckpoint.table.boosting import FOLDS, Boost, fit_head, fit_mean
from tuckpoint.table.codes import Coded, mid_ranks
from tuckpoint.table.formula import Rests
from tuckpoint.table.never import Never

Array = NDArray[Any]
MAX_CLASSES = 32  # beyond, the one-hot of a category is projected on so many random signs
HEAD_CLASSES = 20
LEAST_ROWS = 100  # below, nothing is boosted and no leaf size chosen
LEVELS = 32  # values of a feature at most, for those to set numbers apart; levels are set apart by any feature
LOOSE = 0.5  # share of values that few people hold, from which on leaves may be coarser
FINE = 2.0**40  # steps in one, to which rests are rounded
HELD_ROWS = 20_000  # that a leaf size is chosen on, at most


@dataclass(frozen=True)
class Settings:
    """How one column is learnt; the fields are those of the engine."""

    trees: int
    leaf: int
    finest: int
    bag: float
    fine_bag: float
    loose: int
    apart: int
    stacked: float
    reach: float
    moments: int
    jitter: float
    boost: kernel.BoostSettings
    bag_rows: int


@dataclass(frozen=True)
class Conditional:
    """A fitted column: its features, and a head of class probabilities or a forest with, perhaps, a boosted mean.

    `out_of_fold` (n,) is each real row's prediction by the model that did not see it; `low`, `high` its range. With
    `rests` a member gives what a formula leaves of its value, and the mean is one of those rests. `fine` says, of a
    column just learnt, that its leaves are finer than usual, `never` which classes the head does not draw.
    """

    features: tuple[str, ...]
    head: Boost | None = None
    forest: kernel.Forest | None = None
    mean: Boost | None = None
    out_of_fold: NDArray[np.float32] | None = None
    low: float = 0.0
    high: float = 1.0
    rests: Rests | None = None
    fine: bool = False
    never: Never | None = None

    @property
    def boosted(self) -> tuple[Boost, NDArray[np.float32]] | None:
        """The boosted mean and its out-of-fold predictions, as `fit_mean` gives them."""
        return None if self.mean is None or self.out_of_fold is None else (self.mean, self.out_of_fold)


@dataclass(frozen=True)
class _Wanted:
    """What trees must tell apart: target (n, outputs), or the class of each row; leaves are judged by `told` (n, k)."""

    target: Array | None
    label: Array | None
    outputs: int
    told: Array


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
    rests: Rests | None = None,
    free: Array | None = None,
    known: Conditional | None = None,
) -> Conditional:
    """Learn column `name` from `features`; `target` says that a model will be trained to predict it, `rests` what its
    formula leaves, if it has one, `free` (n,) which rows may stand in leaves, where rules fix the column in others.
    `known` is the same column of the same rows, learnt with other leaves and bags: its boosted mean is taken over."""
    column = columns[name]
    given = [columns[feature] for feature in features]
    rows = len(column.code)
    enough = bool(features) and rows >= LEAST_ROWS
    mean = None
    # What tells people apart are values that few share; levels and atoms give nobody away by themselves.
    loose = column.field.numeric and (column.place >= 0).mean() >= LOOSE
    if target and enough and (labelled := labels(column)) is not None:
        label, classes = labelled
        head = fit_head(label, classes, given, settings.boost, fold, seed)
        return Conditional(features, head=head, never=never.find(label, classes, given, head, person))
    if column.field.numeric:
        ranks = mid_ranks(column.values)
        wanted = _moments(ranks, settings.moments)
        if rests is not None:
            ranks = rests.ranks
            wanted = _both(wanted, _moments(ranks, settings.moments))
        if enough:
            mean = fit_mean(given, ranks, settings.boost, fold, seed) if known is None else known.boosted
    else:
        classes = len(column.field.levels or ()) + 1  # missing is the last
        wanted = _classes(np.where(column.values < 0, classes - 1, column.values).astype(np.int32), classes, seed)
    offered, categorical = [c.code for c in given], [not c.field.numeric for c in given]
    boosted, out_of_fold, low, high = None, None, 0.0, 1.0
    if mean is not None:
        boosted, out_of_fold = mean
        low, high = float(out_of_fold.min()), float(out_of_fold.max())
        offered, categorical = [*offered, kernel.steps(out_of_fold, low, high)], [*categorical, False]
    forest, size = _forest(
        offered, categorical, wanted, settings, loose=loose,
        apart=[not column.field.numeric or c.size <= LEVELS + 1 for c in given],
        weight=weight, person=person, free=free, seed=seed,
    )  # fmt: skip
    return Conditional(features, None, forest, boosted, out_of_fold, low, high, rests, size < settings.leaf)


def labels(column: Coded) -> tuple[NDArray[np.int32], int] | None:
    """The class of each row (n,), missing the last, and how many classes there are, of a level or of one of few
    numbers; None if those are more than a head is for, or only one.
    """
    numeric = column.field.numeric
    classes = 1 + (len(column.cuts) if numeric else len(column.field.levels or ()))
    label = column.code.astype(np.int32) - 1 if numeric else column.values
    found = np.where(label < 0, classes - 1, label).astype(np.int32)
    return (found, classes) if 2 <= len(np.unique(found)) <= HEAD_CLASSES else None


def _forest(
    offered: Sequence[kernel.Codes],
    categorical: Sequence[bool],
    wanted: _Wanted,
    settings: Settings,
    *,
    loose: bool,
    apart: Sequence[bool],
    weight: Array | None,
    person: Array | None,
    free: Array | None,
    seed: Seed,
) -> tuple[kernel.Forest, int]:
    """The trees, of leaves as large as rows outside one bag allow, and that size.

    The size is asked of a tree without the mean: with it coarser leaves seem as good, and blur chains of nearly
    determined numbers. `loose`: few people share the column's values; `apart`: whether the values of a feature may set
    people apart in leaves of `settings.apart`; what is offered beyond these features, `stacked` of the trees see.
    """
    rows, last, stacked = len(wanted.told), settings.trees - 1, round(settings.trees * settings.stacked)
    usual, finest = (max(size, settings.loose if loose else 1) for size in (settings.leaf, settings.finest))
    bags = _bags(rows, person, settings, settings.bag, free, seed)
    tried: dict[int, leaf.Tree] = {}

    def grow(k: int, size: int, shown: int) -> leaf.Tree:
        return kernel.grow(
            offered[:shown], categorical[:shown], target=wanted.target, label=wanted.label, outputs=wanted.outputs,
            weight=weight, min_leaf=size, rows=bags[k], apart=apart, least=settings.apart,
        )  # fmt: skip

    def attempt(size: int) -> leaf.Tree:
        tried[size] = grow(last, size, len(apart))
        return tried[size]

    size = usual
    every = np.arange(rows, dtype=np.int32) if free is None else np.flatnonzero(free).astype(np.int32)
    held = np.setdiff1d(every, bags[last])
    if len(held) > HELD_ROWS:  # drawn, since tables are often sorted
        held = np.sort(seed.child("held").numpy().permutation(held)[:HELD_ROWS])
    if offered and rows >= LEAST_ROWS and len(held):
        size = leaf.largest(attempt, offered, wanted.told, held, usual, finest, leaf.COARSER if loose else ())
    if size < usual and settings.fine_bag != settings.bag:
        bags, tried = _bags(rows, person, settings, settings.fine_bag, free, seed), {}
    shown = [len(offered) if k < stacked else len(apart) for k in range(settings.trees)]
    known = tried.get(size) if shown[last] == len(apart) else None
    grown = [grow(k, size, shown[k]) for k in range(last)]
    return kernel.join([*grown, grow(last, size, shown[last]) if known is None else known]), size


def _moments(ranks: NDArray[np.float64], count: int) -> _Wanted:
    """Cosines of the rank: differences in the whole distribution, not the mean alone, make a split."""
    order = np.arange(1, count + 1)
    target = np.ascontiguousarray(np.cos(np.pi * ranks[:, None] * order) / np.sqrt(order))
    return _Wanted(target, None, count, leaf.waves(ranks))


def _both(one: _Wanted, other: _Wanted) -> _Wanted:
    """Both targets side by side."""
    assert one.target is not None
    assert other.target is not None
    target = np.ascontiguousarray(np.concatenate([one.target, other.target], axis=1))
    return _Wanted(target, None, one.outputs + other.outputs, np.concatenate([one.told, other.told], axis=1))


def _classes(label: Array, classes: int, seed: Seed) -> _Wanted:
    """The label itself, or random signs of each level: squared distances survive (Achlioptas 2003), at bounded cost."""
    if classes <= MAX_CLASSES:
        return _Wanted(None, label, classes, np.eye(classes)[label])
    signs = seed.child("signs").numpy().integers(0, 2, (classes, MAX_CLASSES)) * 2.0 - 1.0
    target = np.ascontiguousarray(signs[label])
    return _Wanted(target, None, MAX_CLASSES, target)


def _bags(
    rows: int, person: Array | None, settings: Settings, share: float, free: Array | None, seed: Seed
) -> list[NDArray[np.int32]]:
    """Free rows of each tree, without replacement; a person is in or out with all of them. Wider bags hold narrower
    ones."""
    share = min(share, settings.bag_rows / rows)
    bags = [_bag(rows, person, share, seed.child("bag", k)) for k in range(settings.trees)]
    if free is None:
        return bags
    every = np.flatnonzero(free).astype(np.int32)
    return [some if len(some := bag[free[bag]]) else every for bag in bags]


def _bag(rows: int, person: Array | None, share: float, seed: Seed) -> NDArray[np.int32]:
    rng = seed.numpy()
    if person is not None:
        people = int(person.max()) + 1
        inside = np.flatnonzero(rng.random(people)[person] < share).astype(np.int32)
        return inside if len(inside) else np.arange(rows, dtype=np.int32)
    return np.sort(rng.permutation(rows)[: max(1, int(rows * share))]).astype(np.int32)


def draw(
    fitted: Conditional,
    column: Coded,
    values: Mapping[str, Array],
    codes: Mapping[str, kernel.Codes],
    settings: Settings,
    *,
    rows: int,
    first_row: int,
    fold: NDArray[np.uint8],
    seed: Seed,
    used: list[NDArray[np.int32]],
) -> tuple[Array, kernel.Codes]:
    """Values and codes (rows,) of the column, given the values and codes of its features.

    `used` are the real rows that gave earlier columns their values; this column's are appended.
    """
    offered = [codes[feature] for feature in fitted.features]
    key = seed.integer()
    if fitted.head is not None:
        score = fitted.head.predict(offered, rows, 0)
        level = kernel.levels(score if fitted.never is None else fitted.never.applied(score, offered), first_row, key)
        if column.field.numeric:
            made = np.append(column.cuts, np.nan)[level]
            return made, column.recode(made)
        if fitted.head.models[0].outputs > 1:
            level[level == len(column.field.levels or ())] = -1
        return level, column.code_of[level]
    here = None
    if fitted.mean is not None:
        if column.moves or fitted.rests is not None:
            here = np.concatenate([fitted.mean.predict(offered, rows, k) for k in range(FOLDS)])
        told = np.empty(rows, np.float32)
        for k in range(FOLDS):  # by turns, as rows are numbered
            turn = slice((k - first_row) % FOLDS, None, FOLDS)
            own = [np.ascontiguousarray(code[turn]) for code in offered] if here is None else []
            told[turn] = fitted.mean.predict(own, len(told[turn]), k)[0] if here is None else here[k, turn]
        offered = [*offered, kernel.steps(told, fitted.low, fitted.high)]
    assert fitted.forest is not None
    member = kernel.members(fitted.forest, offered, rows, first_row, key, used)
    used.append(member)
    if fitted.rests is not None:
        made = _follow(fitted, column, values, member, settings, first_row, key, here=here, fold=fold)
        return made, column.recode(made)
    moved = None if here is None else fitted.out_of_fold
    return emit(column, member, settings, first_row, key, here=here, out_of_fold=moved, fold=fold)


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
        column.scale,
        settings.reach,
        low,
        high,
    )
    made, code = kernel.numbers(view, member, first_row, key, here=here, out_of_fold=out_of_fold, fold=fold)
    return _as_round(column, member, made, code, first_row, key)


def _as_round(
    column: Coded, member: NDArray[np.int32], made: Array, code: kernel.Codes, first_row: int, key: int
) -> tuple[Array, kernel.Codes]:
    """Moved numbers, and their codes, as round as those of their members."""
    if column.round is None:
        return made, code
    moved = np.flatnonzero(column.place[member] >= 0)
    low, high = _bounds(column)
    kept = np.clip(column.round.kept(made[moved], member[moved], _stream(key, first_row)), low, high)
    made[moved], code[moved] = kept, column.recode(kept)
    return made, code


def _stream(key: int, first_row: int) -> Seed:
    """What is drawn beside the kernel, from the same key."""
    return Seed(key >> 1).child(first_row)


def _follow(
    fitted: Conditional,
    column: Coded,
    values: Mapping[str, Array],
    member: NDArray[np.int32],
    settings: Settings,
    first_row: int,
    key: int,
    *,
    here: NDArray[np.float32] | None,
    fold: NDArray[np.uint8],
) -> Array:
    """Values of a column that follows a formula: its prediction for each made row, and the rest of a member."""
    rests = fitted.rests
    assert rests is not None
    view = kernel.Numbers(
        *(array.ctypes.data for array in (rests.rest, column.code, rests.place, rests.ties, rests.pool)),
        column.code.ctypes.data,  # codes of rests are not asked for: any array that the pool does not outgrow
        len(rests.pool),
        0,
        max(1.5, settings.jitter * len(rests.pool)),
        FINE,
        settings.reach,
        -np.inf,
        np.inf,
    )
    rest, _ = kernel.numbers(view, member, first_row, key, here=here, out_of_fold=fitted.out_of_fold, fold=fold)
    near = rests.formula.predict(values, len(member)) + rest
    low, high = _bounds(column)
    with np.errstate(over="ignore"):
        made = np.exp(near) if rests.formula.logarithm else near
    if column.round is not None:
        made = column.round.kept(made, member, _stream(key, first_row))
    elif column.scale:
        made = np.rint(made * column.scale) / column.scale
    return np.where(rests.place[member] < 0, column.values[member], np.clip(made, low, high))


def _bounds(column: Coded) -> tuple[float, float]:
    if not len(column.cuts):
        return -np.inf, np.inf
    return float(np.nanmin(column.values)), float(np.nanmax(column.values))
