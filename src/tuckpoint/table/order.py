"""Which column to draw after which: along the strongest dependences or as held-out rows would have it, target last."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table import kernel
from tuckpoint.table.codes import Coded, mid_ranks
from tuckpoint.table.kernel import MAX_LEVELS

Array = NDArray[Any]
BINS = 12
ROWS = 8000
CELLS = 60_000_000  # pairs x rows that a table may cost
FEW = (32, 100)  # distinct values of columns that may come before all others
JUDGED, LEAST_JUDGED = 10_000, 1_000  # rows that orders are learnt on, and as many that they are judged by
WORK = 16_000_000  # columns x features x rows that judging an order may cost
LEAF = 20  # rows of a leaf by which an order is judged
LIGHT, HEAVY = 32, 0.02  # bins of equal mass, and the share from which a value has a bin of its own
LEAST_GAIN = 0.01  # share of the loss that another order than the chain must save: less was not seen in made rows
PRIOR = 2.0  # rows that the margin counts for in each leaf


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


def after_parents(sequence: Sequence[str], column: str, parents: Collection[str]) -> tuple[str, ...]:
    """The order with all parents before the column: those behind it are brought forward to where it stood."""
    at = sequence.index(column)
    behind = [name for name in sequence[at + 1 :] if name in parents]
    rest = [name for name in sequence[at + 1 :] if name not in parents]
    return (*sequence[:at], *behind, column, *rest)


def candidates(
    names: Sequence[str], chain: tuple[str, ...], columns: Mapping[str, Coded], last: Collection[str]
) -> list[tuple[str, ...]]:
    """Orders worth judging: the chain, columns of few values first, and as given; what is `last` stays so."""
    found = [chain]
    for most in FEW:
        few = [name for name in chain if name not in last and len(np.unique(columns[name].code)) <= most]
        found.append((*few, *(name for name in chain if name not in few)))
    ends = [name for name in chain if name in last]
    found.append((*(name for name in names if name not in last), *ends))
    return list(dict.fromkeys(found))


def _spread(found: Array, rows: int) -> NDArray[np.int32]:
    """At most `rows` of these from first to last: a table may be sorted."""
    return found[np.linspace(0, len(found) - 1, min(rows, len(found))).astype(np.int64)].astype(np.int32)


def best(
    orders: Sequence[tuple[str, ...]], columns: Mapping[str, Coded], fold: NDArray[np.uint8], features: int
) -> tuple[str, ...]:
    """The order under which held-out rows are likeliest; the first unless another is clearly better.

    The log-likelihood of a row is that of all its columns, each by the share of its bin in a leaf of one tree on at
    most `features` columns before it. Whatever the order, it is the likelihood of the same row, so orders compare.
    """
    width = len(columns)
    rows = min(JUDGED, WORK // max(1, width * min(width, features)))
    train, held = (_spread(np.flatnonzero(fold == k), rows) for k in (0, 1))
    if len(orders) == 1 or min(len(train), len(held)) < LEAST_JUDGED:
        return orders[0]
    bins = {name: _bins(column.code) for name, column in columns.items()}
    told: dict[tuple[str, frozenset[str]], NDArray[np.float64]] = {}
    losses = []
    for sequence in orders:
        total = np.zeros(len(held))
        for i, name in enumerate(sequence):
            before = sequence[max(0, i - features) : i]
            key = name, frozenset(before)
            if key not in told:
                told[key] = _surprise(columns[name], [columns[other] for other in before], bins[name], train, held)
            total += told[key]
        losses.append(total)
    chosen = min(range(len(orders)), key=lambda i: (losses[i].mean(), i))
    gain = losses[0] - losses[chosen]
    least = max(2 * gain.std() / len(gain) ** 0.5, LEAST_GAIN * losses[0].mean())
    return orders[chosen] if gain.mean() > least else orders[0]


def _surprise(
    column: Coded, given: Sequence[Coded], bins: NDArray[np.int64], train: Array, held: Array
) -> NDArray[np.float64]:
    """Minus the log-likelihood (len(held),) of each held-out row's bin, given the columns before it."""
    size = int(bins.max()) + 1
    margin = (np.bincount(bins[train], minlength=size) + 0.5) / (len(train) + 0.5 * size)
    if not given:
        return np.asarray(-np.log(margin[bins[held]]))
    if column.field.numeric:
        waves = np.arange(1, 6)
        target, label = np.cos(np.pi * mid_ranks(column.values)[:, None] * waves) / np.sqrt(waves), None
    else:
        target, label = None, bins.astype(np.int32)
    codes, categorical = [other.code for other in given], [not other.field.numeric for other in given]
    outputs = size if target is None else target.shape[1]
    tree = kernel.grow(
        codes, categorical, target=target, label=label, outputs=outputs, weight=None, min_leaf=LEAF, rows=train
    )
    of_train, of_held = kernel.leaves(codes, tree, train).astype(np.int64), kernel.leaves(codes, tree, held)
    counts = np.bincount(of_train * size + bins[train], minlength=len(tree[0]) * size).reshape(-1, size)
    share = counts[of_held, bins[held]] + PRIOR * margin[bins[held]]
    return np.asarray(-np.log(share / (counts.sum(axis=1)[of_held] + PRIOR)))


def _bins(code: Array) -> NDArray[np.int64]:
    """Bins (n,) of about equal mass between heavy values, which have their own; few values are all their own."""
    values, which, counts = np.unique(code, return_inverse=True, return_counts=True)
    if len(values) <= LIGHT:
        return which.astype(np.int64)
    heavy = counts > HEAVY * len(code)
    light = np.where(heavy, 0, counts)
    place = (np.cumsum(light) - light / 2) / max(light.sum(), 1) * LIGHT
    bins = np.where(heavy, LIGHT + np.arange(len(values)), np.minimum(place.astype(np.int64), LIGHT - 1))
    return np.unique(bins, return_inverse=True)[1].reshape(-1)[which]


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
