"""Which column to draw after which: along the strongest dependences, the target last."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table.codes import Coded
from tuckpoint.table.kernel import MAX_LEVELS

Array = NDArray[Any]
BINS = 12
ROWS = 8000
CELLS = 60_000_000  # pairs x rows that a table may cost


def dependence(columns: Mapping[str, Coded], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mutual information (d, d) in nats of all pairs of columns, on at most 8,000 rows and 12 bins.

    The bias of the plug-in estimate, cells / 2n (Miller 1955), is taken off.
    """
    rows = len(next(iter(columns.values())).code)
    pairs = max(len(columns) * (len(columns) - 1) // 2, 1)
    sample = rng.permutation(rows)[: min(ROWS, max(1000, CELLS // pairs))]
    binned = [_coarse(column.code[sample]) for column in columns.values()]
    sizes = [len(np.unique(bins)) for bins in binned]  # a heavy value may leave bins empty
    entropies = [_entropy(np.bincount(bins)) for bins in binned]
    out = np.zeros((len(binned), len(binned)))
    for i in range(len(binned)):
        shifted = binned[i] * BINS
        for j in range(i + 1, len(binned)):
            joint = np.bincount(shifted + binned[j], minlength=BINS * BINS)
            bias = (sizes[i] - 1) * (sizes[j] - 1) / (2 * max(len(sample), 1))
            out[i, j] = out[j, i] = max(0.0, entropies[i] + entropies[j] - _entropy(joint) - bias)
    return out


def crowded(columns: Mapping[str, Coded]) -> frozenset[str]:
    """Categories of more levels than have codes of their own: told well by others, they tell others little."""
    return frozenset(
        name
        for name, column in columns.items()
        if not column.field.numeric and (column.code == MAX_LEVELS).any() and len(np.unique(column.values)) > MAX_LEVELS
    )


def order(
    names: Sequence[str], information: NDArray[np.float64], target: str | None, late: Collection[str] = ()
) -> tuple[str, ...]:
    """Start at the most connected column, then always the one most dependent on any before it; the target last.

    Columns in `late` come after all others but the target.
    """
    open_ = [i for i, name in enumerate(names) if name != target]
    if not open_:
        return tuple(names)
    first = max(open_, key=lambda i: (names[i] not in late, information[i, open_].sum(), -i))
    done = [first]
    open_.remove(first)
    closest = information[first].copy()
    while open_:
        nearest = max(open_, key=lambda i: (names[i] not in late, closest[i], -i))
        done.append(nearest)
        open_.remove(nearest)
        closest = np.maximum(closest, information[nearest])
    found = tuple(names[i] for i in done)
    return found if target is None else (*found, target)


def _coarse(code: Array) -> NDArray[np.int64]:
    """At most BINS bins of about equal mass; rare categories share the last."""
    values, which, counts = np.unique(code, return_inverse=True, return_counts=True)
    if len(values) <= BINS:
        return which.astype(np.int64)
    middle = (np.cumsum(counts) - counts / 2) / len(code)
    return np.minimum((middle * BINS).astype(np.int64), BINS - 1)[which]


def _entropy(counts: Array) -> float:
    share = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(share * np.log(share)).sum())
