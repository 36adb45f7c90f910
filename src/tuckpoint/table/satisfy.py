"""Columns under a condition, taken from the real rows that satisfy it and moved as long as it still holds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import ShortSample, count
from tuckpoint.seed import Seed
from tuckpoint.table import conditional
from tuckpoint.table.codes import Coded
from tuckpoint.table.engine import Array, Condition, Encoded
from tuckpoint.table.protect import LEAST_PEOPLE

ATTEMPTS = 200


def holding(condition: Condition, real: Encoded) -> NDArray[np.int32]:
    """The real rows that satisfy the condition; raises ShortSample if too few people do."""
    holds = np.flatnonzero(condition.mask(real.columns)).astype(np.int32)
    people = len(holds) if real.person is None else len(np.unique(real.person[holds]))
    if people < LEAST_PEOPLE:
        raise ShortSample(
            f"condition `{condition.text}` holds for {count(people, 'person', 'people')} in {real.rows:,} real rows, "
            f"fewer than the {LEAST_PEOPLE} needed to sample without showing them; widen the condition"
        )
    return holds


def satisfying(
    condition: Condition,
    holds: NDArray[np.int32],
    rows: int,
    coded: Mapping[str, Coded],
    settings: conditional.Settings,
    seed: Seed,
) -> dict[str, Array]:
    """The condition's columns (rows,), from those real rows, moved by the jitter as long as it still holds."""
    out = {name: np.empty(rows, coded[name].values.dtype) for name in condition.names}
    missing = np.arange(rows)
    for attempt in range(ATTEMPTS):
        if not len(missing):
            return out
        stream = seed.child(attempt)
        member = holds[stream.numpy().integers(0, len(holds), len(missing))]
        for name in condition.names:
            key = stream.child(name).integer()
            out[name][missing] = conditional.emit(coded[name], member, settings, 0, key)[0]
        missing = missing[~condition.mask({name: out[name][missing] for name in condition.names})]
    raise ShortSample(
        f"condition `{condition.text}`: after {ATTEMPTS} attempts {len(missing):,} of {count(rows, 'row')} still break "
        "it; it holds for single values only that fewer people share than may be shown; widen it"
    )
