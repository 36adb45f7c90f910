"""Parts real rows by person or time: the locked test, outer resamples of the rest, and folds inside each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError
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
    return Lock(np.flatnonzero(~late), np.flatnonzero(late & (time > cut)))


def resample(groups: Array, folds: Folds, seed: Seed) -> tuple[Array, Array]:
    """Positions among `groups` (m,) to train on and those left out, by groups, without replacement."""
    kinds = np.unique(groups)
    chosen = seed.numpy().permutation(kinds)[: min(len(kinds) - 1, max(1, round(len(kinds) * folds.train)))]
    inside = np.isin(groups, chosen)
    return np.flatnonzero(inside), np.flatnonzero(~inside)


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
