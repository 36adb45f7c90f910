"""The space in which rows are near one another, and the distance of each row to its nearest in another table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.table.engine import Array, Encoded, Field

BLOCK_CELLS = 2_000_000
MOST_LEVELS = 200


@dataclass(frozen=True)
class Metric:
    """Numbers as ranks in 0..1 among distinct real values (missing 0.5 and a flag), levels one-hot times 1 / sqrt 2."""

    fields: tuple[Field, ...]
    knots: tuple[Array, ...]

    def place(self, data: Encoded) -> Array:
        """Rows as points (n, d) float32; Euclid between them."""
        parts = []
        for field, knot in zip(self.fields, self.knots, strict=True):
            values = data.columns[field.name]
            parts.append(_ranked(values, knot) if field.numeric else _hot(values, knot))
        return np.concatenate(parts, axis=1).astype(np.float32)


def metric(real: Encoded) -> Metric:
    """The space learnt from real rows; levels beyond the 200 commonest share one slot, unseen ones another."""
    knots = []
    for field in real.fields:
        values = real.columns[field.name]
        if field.numeric:
            knots.append(np.unique(values[~np.isnan(values)]))
            continue
        counts = np.bincount(values[values >= 0], minlength=len(field.levels or ()))
        slot = np.full(len(counts) + 1, MOST_LEVELS)
        order = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        slot[order[counts[order] > 0]] = np.arange(np.count_nonzero(counts[order]))
        slot[np.append(counts == 0, False)] = MOST_LEVELS + 1
        slot[-1] = MOST_LEVELS + 2  # missing, code -1
        knots.append(np.unique(slot, return_inverse=True)[1].reshape(-1))
    return Metric(real.fields, tuple(knots))


def _ranked(values: Array, knots: Array) -> Array:
    missing = np.isnan(values)
    if len(knots) < 2:
        return np.stack([np.full(len(values), 0.5), missing], axis=1)
    rank = np.interp(values, knots, np.linspace(0, 1, len(knots)))
    return np.stack([np.where(missing, 0.5, rank), missing], axis=1)


def _hot(codes: Array, slots: Array) -> Array:
    out = np.zeros((len(codes), int(slots.max()) + 1), dtype=np.float32)
    out[np.arange(len(codes)), slots[codes]] = np.sqrt(0.5)
    return out


def nearest(points: Array, others: Array, *, own: Array | None = None) -> Array:
    """Distance (n,) of each point to the nearest of the others; `own` (n,) is each point's own place among them."""
    return closest(points, others, 1, own=own)[:, 0]


def closest(points: Array, others: Array, count: int, *, own: Array | None = None) -> Array:
    """Distances (n, count) of each point to the `count` nearest of the others, nearest first.

    `own` (n,) is each point's own place among the others, which does not count. Where there are fewer others, the
    distance to the farthest of them is repeated; raises ValueError if there are none.
    """
    there = min(count, len(others) - (own is not None))
    if there < 1:
        raise ValueError("no other points to be near to")
    out = np.empty((len(points), there))
    square = (others.astype(np.float64) ** 2).sum(axis=1).astype(np.float32)
    step = max(1, BLOCK_CELLS // max(len(others), 1))
    for start in range(0, len(points), step):
        block = points[start : start + step]
        score = block @ others.T
        score *= -2
        score += square
        rows = np.arange(len(block))
        if own is not None:
            score[rows, own[start : start + step]] = np.inf
        for k in range(there):
            found = np.argmin(score, axis=1)
            # The matrix product only finds the nearest row: its rounding would blur ties and exact twins.
            gap = block - others[found]
            out[start : start + step, k] = np.sqrt((gap.astype(np.float64) ** 2).sum(axis=1))
            score[rows, found] = np.inf
    out.sort(axis=1)
    return np.pad(out, ((0, 0), (0, count - there)), mode="edge")
