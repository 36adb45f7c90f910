"""The proof at other shares of made rows, and with fewer real ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tuckpoint.measure.intervals import Estimate
from tuckpoint.prove.arms import MIXED, MORE, REAL, WEIGHED, Replicate
from tuckpoint.prove.compare import effects
from tuckpoint.prove.curve import placed
from tuckpoint.prove.effect import holm, state, wider
from tuckpoint.prove.metric import estimate, measurable
from tuckpoint.prove.study import Study
from tuckpoint.prove.verdict import Point, Weighed


def weights(work: Study, found: Sequence[Replicate]) -> tuple[Weighed, ...]:
    """What each weight of the plan would have brought, had every resample taken it."""
    plan, inside = work.plan, work.sought[work.lock.test]
    truth, told = work.truth[work.lock.test[inside]], []
    for weight in plan.weights:
        name = f"{WEIGHED}{weight:g}"
        parts = [one.test[name][inside] for one in found if name in one.test]
        both = effects(work, found, name, work.sought)[0] if len(parts) == len(found) else []
        if both:
            value = np.mean([estimate(plan.metric, part, truth, rate=plan.false_positive_rate).value for part in parts])
            told.append(Weighed(weight, float(value), wider(both).gain, *wider(both).interval()))
    return tuple(told)


def points(work: Study, full: Sequence[Replicate], found: Mapping[int, Sequence[Replicate]]) -> tuple[Point, ...]:
    """The proof at each number of real groups of a class, beside the whole one."""
    plan, mask = work.plan, work.sought
    inside = mask[work.lock.test]
    truth = work.truth[work.lock.test[inside]]
    if not found or measurable(plan.metric, truth, rate=plan.false_positive_rate):
        return ()
    effect_at = {items: effects(work, some, MIXED, mask, few=True)[0][0] for items, some in found.items()}
    levels = dict(zip(effect_at, holm([effect.p for effect in effect_at.values()]), strict=True))

    def told(some: Sequence[Replicate], arm: str) -> list[Estimate]:
        return [estimate(plan.metric, one.test[arm][inside], truth, rate=plan.false_positive_rate) for one in some]

    rows = {items: float(np.mean([one.trained for one in some])) for items, some in found.items()}
    curve = [told(some, REAL) for _, some in sorted(found.items())] + [told(full, REAL), told(full, MORE)]
    along = [*(rows[items] for items in sorted(found)), float(full[0].trained), float(len(work.lock.pool))]
    done = []
    for items, effect in sorted(effect_at.items()):
        real, mixed, level = told(found[items], REAL), told(found[items], MIXED), levels[items]
        place = placed(work, [*curve, mixed], along, mixed_rows=rows[items], mask=inside)
        done.append(
            Point(
                items, rows[items], float(np.mean([one.value for one in real])),
                float(np.mean([one.value for one in mixed])), state(effect, plan.smallest_effect, level), effect.gain,
                *effect.interval(level), level, chosen(found[items]), place,
            )
        )  # fmt: skip
    return tuple(done)


def chosen(found: Sequence[Replicate]) -> dict[str, int]:
    """How often the inner folds chose what."""
    counts = Counter(
        f"{one.choice.source}, {one.choice.amount:g} rows per real row, weight {one.choice.weight:g}"
        if one.choice.weight
        else "no made rows"
        for one in found
    )
    return dict(counts.most_common())
