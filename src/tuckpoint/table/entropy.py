"""From noisy tables of counts to one distribution: the one of most entropy among those that fit the noise.

Nothing here sees real rows, so nothing here costs privacy.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table.junction import JunctionTree, Scope
from tuckpoint.table.propagation import Calibrated, Propagation, Table

Value = Callable[[Table], tuple[float, Table]]

_MEMORY = 20  # past steps that a quasi-Newton step looks back on
_ARMIJO = 1e-4  # share of the promised descent that a step must bring


@dataclass(frozen=True)
class Measurement:
    """Noisy counts of the table over a scope, one axis a column; `variance` is that of each cell, or one for all."""

    scope: Scope
    counts: Table
    variance: Table | float


@dataclass(frozen=True)
class Fitted:
    """The distribution, and a weight for each cell of each measurement: the product of their exponentials makes it.

    `steps` were taken of those allowed.
    """

    found: Calibrated
    weights: tuple[Table, ...]
    steps: int


def fit(
    measured: Sequence[Measurement],
    tree: JunctionTree,
    *,
    reference: Sequence[Table],
    total: float,
    prior: float,
    steps: int,
    gap: float = 1e-7,
    start: Sequence[Table] = (),
) -> Fitted:
    """The table of `total` rows with the least misfit + prior x total x KL(table, reference).

    The misfit is the sum of (noisy - table)^2 / (2 variance) over all measured cells; KL is relative entropy.
    `reference` holds positive chances of each column alone (bins,): the independent table that the answer is drawn to,
    by `prior` in (0, 1], where noise hides more. Without the second term this is Private-PGM (McKenna, Sheldon, Miklau
    2019, arXiv 1901.09136); with it the dual problem, one weight a measured cell, is smooth, strictly convex and free
    of bounds, so a quasi-Newton method solves it in tens of passes, `steps` at most. It ends once the answer is within
    `gap` nats (relative entropy) of the best. `start` are weights of an earlier answer to the first so many
    measurements.
    """
    base = [np.log(chances) for chances in reference]
    passes = Propagation(tree, [*((j,) for j in range(len(base))), *(item.scope for item in measured)])
    shapes = [item.counts.shape for item in measured]
    ends = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    noisy = _flat([item.counts for item in measured]) / total
    # Weights are counted in units in which the quadratic part is a sphere.
    unit = np.sqrt(prior / total * _flat([np.broadcast_to(item.variance, item.counts.shape) for item in measured]))

    def tables(flat: Table) -> list[Table]:
        return [flat[ends[k] : ends[k + 1]].reshape(shape) for k, shape in enumerate(shapes)]

    def dual(scaled: Table) -> tuple[float, Table]:
        weights = scaled / unit
        log_sum, found = passes([*base, *tables(weights)])
        margins = _flat(passes.margins(found)[len(base) :])
        return log_sum - float(weights @ noisy) + float(scaled @ scaled) / 2, (margins - noisy) / unit + scaled

    first = _flat([*start, *(np.zeros(shape) for shape in shapes[len(start) :])]) * unit
    # The dual is convex by at least half a square, so half the squared slope bounds what is left to gain.
    last, taken = _descend(dual, first, steps=steps, slope=math.sqrt(2 * gap))
    weights = tables(last / unit)
    return Fitted(passes([*base, *weights])[1], tuple(weights), taken)


def _descend(value: Value, start: Table, *, steps: int, slope: float) -> tuple[Table, int]:
    """The lowest point of a strictly convex function by L-BFGS (Liu and Nocedal 1989), and the steps that it took.

    `value` gives a function's value and gradient; it ends at a gradient shorter than `slope`.
    """
    point, (height, gradient) = start, value(start)
    moves: deque[tuple[Table, Table, float]] = deque(maxlen=_MEMORY)
    for taken in range(steps):
        steep = float(np.linalg.norm(gradient))
        if steep <= slope:
            return point, taken
        direction = _direction(gradient, moves)
        descent, length = float(direction @ gradient), 1.0 if moves else min(1.0, 1 / steep)
        while True:
            moved = point + length * direction
            lower, tilted = value(moved)
            if lower <= height + _ARMIJO * length * descent:
                break
            # The lowest point of the parabola through what is known, but no tiny step and no nearly whole one.
            best = -descent * length / (2 * ((lower - height) / length - descent)) if math.isfinite(lower) else 0.0
            length = min(max(best, length / 10), length / 2)
            if length < 1e-12:
                return point, taken  # rounding hides any further descent
        step, change = moved - point, tilted - gradient
        curvature = float(step @ change)
        if curvature > 0:
            moves.append((step, change, curvature))
        point, height, gradient = moved, lower, tilted
    return point, steps


def _direction(gradient: Table, moves: Iterable[tuple[Table, Table, float]]) -> Table:
    """The quasi-Newton direction from the last moves: pairs of step and change of gradient, and their product."""
    past, direction, shares = list(moves), -gradient, []
    for step, change, curvature in reversed(past):
        shares.append(float(step @ direction) / curvature)
        direction = direction - shares[-1] * change
    if past:
        _, change, curvature = past[-1]
        direction = direction * (curvature / float(change @ change))
    for (step, change, curvature), share in zip(past, reversed(shares), strict=True):
        direction = direction + (share - float(change @ direction) / curvature) * step
    return direction


def _flat(tables: Sequence[Table] | Sequence[NDArray[np.float64]]) -> Table:
    return np.concatenate([np.zeros(0), *(np.ravel(table) for table in tables)])
