"""The edge guard: on the real rows nearest to what is wanted, a simulator must do as well as the data alone.

Nobody can tell from the data whether a simulator is right where there are none. But where the data end it can be held
against them: calibrated without the edge, a simulator of the right structure foretells it; a wrong one does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tuckpoint.measure import boost
from tuckpoint.measure.boost import Boosting
from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import FEW_VALUES, Calibration, calibrate, mean
from tuckpoint.simulate.columns import Observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.expression import Expression

EDGE = 0.2  # share of the real rows that is held out
ALLOWED = 1.10  # times the error of the data-only model
DOUBT = 1.0  # standard errors of the paired difference that are let pass besides, since an edge holds few rows
AT_MOST = 3.0  # times what is allowed above 1, whatever the doubt
FEWEST = 25  # real rows without which nothing is judged
TIE = 1e-3  # weight of the inputs beside what the condition names, so that ties are broken by them


@dataclass(frozen=True)
class Guard:
    """What the edge said: rows held out and calibrated on, and by output the error of the simulator, that of a model of
    the data alone, and the standard error of the first less what is allowed of the second. `why` tells what stands
    against the simulator; empty if it is admitted.
    """

    edge: int
    rest: int
    simulator: Mapping[str, float]
    data: Mapping[str, float]
    why: str
    doubt: Mapping[str, float] = field(default_factory=dict)

    @property
    def admitted(self) -> bool:
        """Whether rows may be made."""
        return not self.why

    @property
    def ratio(self) -> float:
        """The worst error over that of the data-only model."""
        return max((self.simulator[name] / max(self.data[name], 1e-12) for name in self.simulator), default=np.inf)


def guard(
    simulator: Simulator, real: Observed, data: Encoded, slice_: Expression | None, wanted: Encoded, *,
    seed: Seed, how: Calibration, learner: Boosting, allowed: float = ALLOWED,
) -> Guard:  # fmt: skip
    """Hold out the fifth of the real rows nearest to the wanted ones, and compare on it.

    `data` are all columns of the rows that `real` counts in. Both are fitted to the rest alone: the simulator is
    calibrated, and the learner predicts each output from all columns that are none. The error is the mean absolute
    one; of an output of two values, the root of the mean squared error of its probability. Both are compared row by
    row (people by people): refused is a simulator whose error is above `allowed` times the other by more than one
    standard error of that difference, or by three times as much as is allowed.
    """
    if real.size < FEWEST:
        return Guard(0, real.size, {}, {}, f"{real.size} real rows; {FEWEST} are needed to hold {simulator.name} to")
    held = edge(real, data, slice_, wanted, seed.child("edge"))
    rest = ~held & ~np.isin(real.groups, real.groups[held])
    if rest.sum() < FEWEST // 2:
        why = "the people of the nearest rows own nearly all rows; nothing is left to calibrate on"
        return Guard(int(held.sum()), int(rest.sum()), {}, {}, why)
    near, far = real.take(held), real.take(rest)
    fitted = calibrate(simulator, far, seed.child("calibrate"), how, spread=False)
    told = mean(simulator, fitted, near.inputs, seed.child("simulate"))
    ours, theirs, doubt, worse = dict[str, float](), dict[str, float](), dict[str, float](), list[str]()
    for name, column in near.outputs.items():
        learnt = _learnt(data, far, near, name, simulator, seed.child("learner", name), learner)
        (ours[name], mine), (theirs[name], other) = _error(told[name], column), _error(learnt, column)
        doubt[name] = _spread(mine - allowed * other, near.groups)
        over = ours[name] - allowed * theirs[name]
        if over > DOUBT * doubt[name] or ours[name] > max(allowed, 1 + AT_MOST * (allowed - 1)) * theirs[name]:
            worse.append(name)
    why = "" if not worse else (
        f"at the {near.size} real rows nearest to it {simulator.name} is off by {ours[worse[0]]:.3g} in {worse[0]}, "
        f"calibrated without them; a model of the data alone by {theirs[worse[0]]:.3g} (allowed: {allowed:.2f} times "
        f"and a standard error, {doubt[worse[0]]:.2g}; {1 + AT_MOST * (allowed - 1):.2f} times at most)"
    )  # fmt: skip
    return Guard(near.size, far.size, ours, theirs, why, doubt)


def edge(real: Observed, data: Encoded, slice_: Expression | None, wanted: Encoded, seed: Seed) -> Array:
    """The fifth of the real rows (n,) nearest to the wanted ones, by what the condition names, then by the inputs.

    Without a condition there is no side where the data end: a fifth by chance.
    """
    count = max(1, round(EDGE * real.size))
    out = np.zeros(real.size, bool)
    if slice_ is None or not wanted.rows:
        out[seed.numpy().permutation(real.size)[:count]] = True
        return out
    few = wanted.take(np.sort(seed.numpy().permutation(wanted.rows)[:500]))
    away = np.full(real.size, np.inf)
    mine = data.take(real.rows)
    columns = {name: (mine.columns[name], few.columns[name], data.field(name).numeric) for name in slice_.names}
    inputs = {name: (mine.columns[name], few.columns[name], data.field(name).numeric) for name in real.inputs}
    for start in range(0, few.rows, 100):
        part = slice(start, start + 100)
        square = _apart(columns, part) + TIE * _apart(inputs, part)
        away = np.minimum(away, square.min(axis=1))
    out[np.argsort(away, kind="stable")[:count]] = True
    return out


def _apart(columns: Mapping[str, tuple[Array, Array, bool]], part: slice) -> Array:
    """Squared distances (n, k): numbers in standard deviations, another level counts 2."""
    total: Array = np.zeros((1, 1))
    for mine, theirs, numeric in columns.values():
        if numeric:
            spread = float(np.nanstd(mine)) or 1.0
            total = total + np.nan_to_num((mine[:, None] - theirs[None, part]) / spread, nan=2.0) ** 2
        else:
            total = total + 4.0 * (mine[:, None] != theirs[None, part])
    return total


def _learnt(
    data: Encoded, far: Observed, near: Observed, output: str, simulator: Simulator, seed: Seed, learner: Boosting
) -> Array:
    """What a model of the data alone predicts at the edge (n,)."""
    kept = tuple(field.name for field in data.fields if field.name not in simulator.outputs)
    inputs = boost.features(data.select(kept))
    truth = far.outputs[output]
    if len(np.unique(truth)) < 2:
        return np.full(near.size, truth[0])
    two = set(np.unique(truth)) <= {0.0, 1.0}
    model = boost.train(inputs.take(far.rows), truth, classes=2 if two else 0, seed=seed, settings=learner)
    return boost.predict(model, inputs.take(near.rows))


def _error(told: Array, truth: Array) -> tuple[float, Array]:
    """The error, and what each row (n,) adds to it, to first order."""
    if len(np.unique(truth)) <= min(FEW_VALUES, 2):
        squares = (told - truth) ** 2
        root = float(np.sqrt(squares.mean()))
        return root, squares / (2 * root or 1.0)
    away = np.abs(told - truth)
    return float(away.mean()), away


def _spread(each: Array, groups: Array) -> float:
    """The standard error of the mean of rows (n,) of which those of a group (n,) go together."""
    place = np.unique(groups, return_inverse=True)[1]
    sums = np.bincount(place, weights=each - each.mean())
    count = len(sums)
    return float(np.sqrt((sums**2).sum() * count / max(count - 1, 1)) / len(each))
