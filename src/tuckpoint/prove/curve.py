"""Real rows saved: where the model of real and made rows stands on the learning curve of real rows alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuckpoint.measure.intervals import Estimate
from tuckpoint.prove.arms import MIXED, MORE, REAL, Replicate, curve_name
from tuckpoint.prove.metric import SIGN, estimate, measurable
from tuckpoint.prove.study import Study
from tuckpoint.prove.verdict import Saved
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

DRAWS = 400


def saved(work: Study, found: Sequence[Replicate], mask: Array) -> Saved | None:
    """The curve on the locked rows under a mask (n,), and the share of real rows saved with its bootstrap interval.

    The bootstrap draws resamples and test clusters anew, the latter through their influence on each arm's mean.
    """
    if not work.plan.curve:
        return None
    inside = mask[work.lock.test]
    truth, rate = work.truth[work.lock.test[inside]], work.plan.false_positive_rate
    if measurable(work.plan.metric, truth, rate=rate):
        return None
    names = [*map(curve_name, sorted(work.plan.curve)), REAL, MORE, MIXED]
    told = [[estimate(work.plan.metric, one.test[name][inside], truth, rate=rate) for one in found] for name in names]
    rows = [*(share * found[0].trained for share in sorted(work.plan.curve)), found[0].trained, len(work.lock.pool)]
    return placed(work, told, rows, mixed_rows=found[0].trained, mask=inside)


def placed(
    work: Study, told: Sequence[Sequence[Estimate]], rows: Sequence[float], *, mixed_rows: float, mask: Array
) -> Saved:
    """Where the last of the arms stands on the curve of those before it, which learnt from so many real rows.

    `told` holds the estimate of each resample by arm, on the locked rows under a mask.
    """
    values = np.array([[one.value for one in arm] for arm in told])  # (arms, r)
    influence = np.array([np.mean([one.influence for one in arm], axis=0) for arm in told])  # (arms, n)
    at, sign = np.array(rows, float), SIGN[work.plan.metric]
    share, beyond = on_curve(at, sign * values[:-1].mean(axis=1), sign * float(values[-1].mean()), mixed_rows)
    clusters = np.unique(work.groups[work.lock.test[mask]], return_inverse=True)[1]
    draws = _drawn(values, influence, clusters, Seed(work.plan.seed).child("prove", "curve"))
    shares = [on_curve(at, sign * draw[:-1], sign * float(draw[-1]), mixed_rows)[0] for draw in draws]
    low, high = np.quantile(shares, [0.025, 0.975])
    points = tuple((float(n), float(v)) for n, v in zip(at, values[:-1].mean(axis=1), strict=True))
    return Saved(points, mixed_rows, float(values[-1].mean()), share, float(low), float(high), beyond)


def on_curve(rows: Array, values: Array, reached: float, mixed_rows: float) -> tuple[float, bool]:
    """Share saved, 1 - mixed_rows / n, n being where the rising curve (k,) reaches a value; True if it never does.

    The curve is made to rise (`isotonic`) and is straight in log rows; below its first point n is that point.
    """
    rising = isotonic(values)
    if reached > rising[-1]:
        return float(1 - mixed_rows / rows[-1]), True
    at = int(np.searchsorted(rising, reached))
    if at == 0:
        return float(1 - mixed_rows / rows[0]), False
    step = rising[at] - rising[at - 1]
    part = (reached - rising[at - 1]) / step if step > 0 else 0.0
    n = np.exp(np.log(rows[at - 1]) + part * (np.log(rows[at]) - np.log(rows[at - 1])))
    return float(1 - mixed_rows / n), False


def isotonic(values: Array) -> Array:
    """The nearest values (k,) that never fall: neighbours that do are pooled into their mean (Ayer et al. 1955)."""
    pools: list[list[float]] = []  # mean, size
    for value in values:
        pools.append([float(value), 1.0])
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            last, size = pools.pop()
            mean, before = pools[-1]
            pools[-1] = [(mean * before + last * size) / (before + size), before + size]
    return np.repeat([mean for mean, _ in pools], [int(size) for _, size in pools])


def _drawn(values: Array, influence: Array, clusters: Array, seed: Seed) -> Array:
    """Arm means (draws, arms) with resamples and test clusters drawn with replacement."""
    random, (arms, r), n = seed.numpy(), values.shape, influence.shape[1]
    sums = np.stack([np.bincount(clusters, weights=influence[a]) for a in range(arms)])  # (arms, g)
    g, out = sums.shape[1], np.empty((DRAWS, arms))
    for draw in range(DRAWS):
        counts = np.bincount(random.integers(0, g, g), minlength=g)
        out[draw] = values[:, random.integers(0, r, r)].mean(axis=1) + sums @ counts / n
    return out
