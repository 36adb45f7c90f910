"""SMOTE: rows between rows of one kind and their nearest of that kind (Chawla et al. 2002), by imbalanced-learn."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tuckpoint.errors import MissingExtra
from tuckpoint.prove.sources import Block
from tuckpoint.prove.study import Study
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

NEIGHBOURS = 5  # imbalanced-learn's own default


def smoted(study: Study, block: Block, seed: Seed) -> Block | None:
    """Baseline `SMOTE`: the real rows, and rows between them until all classes are as many.

    A class of one row stays as it is: there is nothing to stand between. None without imbalanced-learn.
    """
    counts = np.bincount(block.truth.astype(np.int64), minlength=study.outcome.classes)
    wanted = {c: int(counts.max() - n) for c, n in enumerate(counts) if 1 < n < counts.max()}
    if not wanted:
        return block
    try:
        values, truth = between(block.inputs.values, block.inputs.categories, block.truth, wanted, seed)
    except MissingExtra:
        return None
    inputs = type(block.inputs)(
        block.inputs.names, np.concatenate([block.inputs.values, values]), block.inputs.categories
    )
    return Block(inputs, np.concatenate([block.truth, truth]), np.ones(block.size + len(truth)))


def between(
    values: Array, categories: Sequence[int], kinds: Array, wanted: Mapping[int, int], seed: Seed
) -> tuple[Array, Array]:
    """`wanted` rows of each kind between its rows and their neighbours: values (m, d) and kinds (m,).

    `values` (n, d) hold codes of levels at the positions `categories` and numbers elsewhere, NaN where missing. A
    number goes missing as a level does, by the vote of the neighbours. There must be two kinds of rows, and two rows of
    each wanted kind. SMOTENC, or SMOTE and SMOTEN where all columns are numbers and all are levels. Raises MissingExtra
    without imbalanced-learn.
    """
    try:
        from imblearn import over_sampling
    except ImportError:
        raise MissingExtra("SMOTE needs imbalanced-learn", "prove") from None
    full, levels, gaps = _filled(values, categories)
    made, kind = [np.empty((0, full.shape[1]))], [np.empty(0)]
    for number, count in wanted.items():
        own = int((kinds == number).sum())
        told: dict[str, Any] = {
            "sampling_strategy": {float(number): own + count}, "k_neighbors": min(NEIGHBOURS, own - 1),
            "random_state": seed.child(number).integer() % 2**31,
        }  # fmt: skip
        if not levels:
            sampler = over_sampling.SMOTE(**told)
        elif len(levels) < full.shape[1]:
            sampler = over_sampling.SMOTENC(levels, **told)
        else:
            sampler = over_sampling.SMOTEN(**told)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on how it will encode levels in another version
            grown, _ = sampler.fit_resample(full, kinds.astype(float))
        made.append(np.asarray(grown, float)[len(full) :])
        kind.append(np.full(count, float(number)))
    return _emptied(np.concatenate(made), values.shape[1], categories, gaps), np.concatenate(kind)


def _filled(values: Array, categories: Sequence[int]) -> tuple[Array, list[int], list[int]]:
    """Values without gaps, the positions of levels among them, and the numbers (in order) whose gaps are levels at the
    end: 0 or 1. Missing numbers stand at their median, missing levels are the level -1.
    """
    full = values.copy()
    numbers = [j for j in range(values.shape[1]) if j not in set(categories)]
    gaps = [j for j in numbers if np.isnan(values[:, j]).any()]
    for j in numbers:
        held = values[~np.isnan(values[:, j]), j]
        full[np.isnan(values[:, j]), j] = np.median(held) if len(held) else 0.0
    full[:, list(categories)] = np.nan_to_num(values[:, list(categories)], nan=-1.0)
    full = np.column_stack([full, *(np.isnan(values[:, j]).astype(float) for j in gaps)])
    return full, [*categories, *range(values.shape[1], full.shape[1])], gaps


def _emptied(full: Array, width: int, categories: Sequence[int], gaps: Sequence[int]) -> Array:
    """What `_filled` filled is missing again."""
    values = full[:, :width].copy()
    codes = values[:, list(categories)]
    values[:, list(categories)] = np.where(codes < 0, np.nan, codes)
    for place, j in enumerate(gaps):
        values[full[:, width + place] > 0.5, j] = np.nan
    return values
