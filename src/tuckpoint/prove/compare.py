"""One arm beside another over the outer resamples: paired gains on locked rows, and on rows left out of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tuckpoint.measure.intervals import Estimate
from tuckpoint.prove.arms import FORCED, MIXED, MORE, REAL, Replicate
from tuckpoint.prove.effect import Effect, corrected, hedged, two_way
from tuckpoint.prove.metric import SIGN, estimate, measurable
from tuckpoint.prove.study import Study
from tuckpoint.table.engine import Array


def effects(
    work: Study, found: Sequence[Replicate], arm: str, mask: Array, *, beside: str = REAL, few: bool = False
) -> tuple[list[Effect], str]:
    """The two-way effect on the locked rows under a mask (n,), and the corrected one on rows left out of training.

    None and why if the locked rows do not suffice; the corrected effect is missing where rows left out do not, and with
    `few`: where resamples train on few rows of many, those left out are nearly the same each time.
    """
    sizes = {
        "left_out": float(np.mean([len(one.left_out) for one in found])),
        "trained": float(np.mean([one.trained for one in found])),
    }
    locked = work.lock.test[mask[work.lock.test]]
    if why := measurable(work.plan.metric, work.truth[locked], rate=work.plan.false_positive_rate):
        return [], why
    chosen = sum(one.choice.weight > 0 for one in found)

    def on_locked(name: str) -> tuple[Effect, Array]:
        pairs = [_paired(work, one.test, work.lock.test, mask, name, beside) for one in found]
        gains = np.array([pair.value for pair in pairs])
        influence = np.mean([pair.influence for pair in pairs], axis=0)
        return two_way(gains, influence, work.groups[locked], **sizes), gains

    def on_left_out(name: str) -> tuple[Effect, Array]:
        gains = np.array([_paired(work, one.out, one.left_out, mask, name, beside).value for one in found])
        return corrected(gains, **sizes), gains

    ways = [on_locked, on_left_out]
    for one in found:
        left_out = one.left_out[mask[one.left_out]]
        if few or arm == MORE or measurable(work.plan.metric, work.truth[left_out], rate=work.plan.false_positive_rate):
            ways = [on_locked]
    told = []
    for way in ways:
        effect, _ = way(arm)
        if arm == MIXED:
            always, gains = way(FORCED)
            effect = hedged(effect, always, gains, chosen, **sizes)
        told.append(effect)
    return told, ""


def _paired(work: Study, predictions: Mapping[str, Array], rows: Array, mask: Array, arm: str, beside: str) -> Estimate:
    """The gain of one arm beside another on rows under a mask; an arm that was not trained is as real only."""
    inside, rate = mask[rows], work.plan.false_positive_rate
    truth = work.truth[rows[inside]]
    new, old = (
        estimate(work.plan.metric, predictions[name if name in predictions else REAL][inside], truth, rate=rate)
        for name in (arm, beside)
    )
    gain, sign = new.minus(old), SIGN[work.plan.metric]
    return Estimate(sign * gain.value, sign * gain.influence)
