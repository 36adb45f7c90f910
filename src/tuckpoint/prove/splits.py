"""Parts real rows by person or time: the locked test, outer resamples of the rest, and folds inside each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError, count
from tuckpoint.prove.plan import Folds
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

FEWEST_GROUPS = 10


@dataclass(frozen=True)
class Lock:
    """Positions of the locked test rows and of the rest, the pool; no group stands on both sides."""

    pool: Array  # (m,)
    test: Array  # (k,)


def lock(groups: Array, folds: Folds, seed: Seed, *, time: Array | None = None) -> Lock:
    """Set the real test rows aside before anything is learnt.

    `groups` (n,) number the people; with `time` (n,) the latest groups are the test, and rows of theirs that lie before
    the cut are left out. Raises InputError for too few groups.
    """
    kinds = np.unique(groups)
    if len(kinds) < FEWEST_GROUPS:
        raise InputError(
            f"{len(kinds)} groups (or rows); a proof needs {FEWEST_GROUPS} or more to part them, so collect more"
        )
    if time is None:
        order = seed.child("lock").numpy().permutation(kinds)
        held = np.isin(groups, order[: max(2, round(len(kinds) * folds.test))])
        return Lock(np.flatnonzero(~held), np.flatnonzero(held))
    cut = np.quantile(time, 1 - folds.test, method="lower")
    late = np.isin(groups, groups[time > cut])
    if not late.any() or late.all():
        raise InputError("time parts no rows: too few moments, or every group lies on both sides; leave --time out")
    if (left := len(np.unique(groups[~late]))) < FEWEST_GROUPS // 2:
        raise InputError(
            f"time and groups together leave {left} of {len(kinds)} groups to learn from: all others have rows in the "
            "locked time too; leave --time or --group out, or give more groups that ended before it"
        )
    return Lock(np.flatnonzero(~late), np.flatnonzero(late & (time > cut)))


def own_lock(groups: Array, test: Array, told: str) -> Lock:
    """The lock of a test that was chosen before: where a mask (n,) is true.

    Raises InputError if it parts nothing, or a group lies on both sides.
    """
    if not test.any() or test.all():
        raise InputError(f"locked `{told}`: {'all' if test.all() else 'no'} rows satisfy it; name a part of them")
    if both := np.intersect1d(groups[test], groups[~test]).size:
        have = count(both, "group has", "groups have")
        raise InputError(f"locked `{told}`: {have} rows on both sides; a test of the same ones is a leak")
    return Lock(np.flatnonzero(~test), np.flatnonzero(test))


def resample(groups: Array, folds: Folds, seed: Seed) -> tuple[Array, Array]:
    """Positions among `groups` (m,) to train on and those left out, by groups, without replacement."""
    kinds = np.unique(groups)
    chosen = seed.numpy().permutation(kinds)[: min(len(kinds) - 1, max(1, round(len(kinds) * folds.train)))]
    inside = np.isin(groups, chosen)
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def few(groups: Array, truth: Array, items: int, seed: Seed) -> Array:
    """Positions of `items` groups of each class; all of a class that has fewer. Of one seed, more hold all of fewer.

    A group is of the class of its first row; of a number, which has no classes, `items` groups in all.
    """
    chosen = [kinds[:items] for kinds in _by_class(groups, truth, seed)]
    return np.flatnonzero(np.isin(groups, np.concatenate(chosen)))


def _by_class(groups: Array, truth: Array, seed: Seed) -> list[Array]:
    """The groups of each class in an order by chance."""
    kinds, first = np.unique(groups, return_index=True)
    random = seed.numpy()
    return [random.permutation(kinds[truth[first] == value]) for value in np.unique(truth[first])]


def stratified(groups: Array, truth: Array, count: int, seed: Seed) -> Iterator[tuple[Array, Array]]:
    """As `inner`, the groups of each class dealt to the folds in turn; as many folds as the smallest class can fill.

    With one group of a class there are none: what is held out could not be learnt.
    """
    dealt = _by_class(groups, truth, seed)
    folds = min(count, *(len(kinds) for kinds in dealt))
    for fold in range(folds if folds > 1 else 0):
        held = np.isin(groups, np.concatenate([kinds[fold::folds] for kinds in dealt]))
        yield np.flatnonzero(~held), np.flatnonzero(held)


def inner(groups: Array, count: int, seed: Seed) -> Iterator[tuple[Array, Array]]:
    """Positions to train on and to test on for each of `count` folds, by groups."""
    kinds = seed.numpy().permutation(np.unique(groups))
    for part in np.array_split(kinds, min(count, len(kinds))):
        held = np.isin(groups, part)
        yield np.flatnonzero(~held), np.flatnonzero(held)


def some(groups: Array, share: float, seed: Seed) -> Array:
    """Positions of a share of the groups; of one seed, a larger share holds all of a smaller one."""
    kinds = seed.numpy().permutation(np.unique(groups))
    return np.flatnonzero(np.isin(groups, kinds[: max(1, round(len(kinds) * share))]))
