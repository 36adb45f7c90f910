"""Baseline `SMOTE`: rows of rarer classes between neighbours of their own (Chawla et al. 2002), by imbalanced-learn."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from tuckpoint.prove.sources import Block
from tuckpoint.prove.study import Study
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

NEIGHBOURS = 5  # imbalanced-learn's own default


def smoted(study: Study, block: Block, seed: Seed) -> Block | None:
    """The real rows, and rows between them until all classes are as many; None without imbalanced-learn.

    Missing numbers stand at their median, missing levels are a level. Classes with too few rows for a neighbour keep
    their rows.
    """
    try:
        from imblearn import over_sampling
    except ImportError:
        return None
    counts = np.bincount(block.truth.astype(np.int64), minlength=study.outcome.classes)
    wanted = {c: int(counts.max()) for c, n in enumerate(counts) if 1 < n < counts.max()}
    if not wanted:
        return block
    values, codes = block.inputs.values.copy(), list(block.inputs.categories)
    numbers = [j for j in range(values.shape[1]) if j not in set(codes)]
    for j in numbers:
        held = values[~np.isnan(values[:, j]), j]
        values[np.isnan(values[:, j]), j] = np.median(held) if len(held) else 0.0
    values[:, codes] = np.nan_to_num(values[:, codes], nan=-1.0)
    named: dict[str, Any] = {
        "sampling_strategy": wanted, "random_state": seed.integer() % 2**31,
        "k_neighbors": int(min(NEIGHBOURS, min(counts[c] for c in wanted) - 1)),
    }  # fmt: skip
    if not codes:
        sampler = over_sampling.SMOTE(**named)
    else:
        sampler = over_sampling.SMOTENC(codes, **named) if numbers else over_sampling.SMOTEN(**named)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grown, truth = sampler.fit_resample(values, block.truth)
    made = _as_codes(np.asarray(grown, float)[block.size :], codes)
    inputs = np.concatenate([block.inputs.values, made])
    features = type(block.inputs)(block.inputs.names, inputs, block.inputs.categories)
    return Block(features, np.asarray(truth, float), np.ones(len(inputs)))


def _as_codes(values: Array, codes: list[int]) -> Array:
    """Missing levels are missing again."""
    values[:, codes] = np.where(values[:, codes] < 0, np.nan, values[:, codes])
    return values
