"""Fairness of predictions against closed forms and a slow twin, and the coverage of every interval."""

from dataclasses import replace

import numpy as np
import pytest

from tuckpoint.measure.fairness import MEASURES, Judged, differences, groups, measures
from tuckpoint.seed import Seed

NAMES = ("a", "b", "c", "d")
SHARE, BASE = np.array([0.55, 0.25, 0.12, 0.08]), np.array([0.3, 0.2, 0.4, 0.3])


def people(rows, tpr, fpr, *, key=0, each=1):
    """Predictions of known error rates by group; with `each` people have so many equal rows."""
    rng = np.random.default_rng(key)
    group = rng.choice(4, rows, p=SHARE)
    truth = rng.random(rows) < BASE[group]
    predicted = rng.random(rows) < np.where(truth, tpr[group], fpr[group])
    person = np.repeat(np.arange(rows), each) if each > 1 else None
    return Judged(*(np.repeat(part, each) for part in (truth, predicted, group)), NAMES, person)


def truths(tpr, fpr):
    selected = BASE * tpr + (1 - BASE) * fpr
    right = BASE * tpr + (1 - BASE) * (1 - fpr)
    return {
        "accuracy": SHARE @ right, "DP difference": np.ptp(selected),
        "EO difference": max(np.ptp(tpr), np.ptp(fpr)), "TPR difference": np.ptp(tpr),
        "worst-group accuracy": right.min(),
    }  # fmt: skip


UNEQUAL = (np.array([0.7, 0.6, 0.5, 0.65]), np.array([0.1, 0.05, 0.2, 0.1]))
EQUAL = (np.full(4, 0.6), np.full(4, 0.1))


def test_small_counts_by_hand():
    #   group a: 4 people, b: 6 people (two of them positive)
    truth = np.array([1, 1, 0, 0] * 3 + [1, 1, 0, 0, 0, 0] * 3, bool)
    predicted = np.array([1, 0, 0, 1] * 3 + [1, 1, 0, 0, 0, 1] * 3, bool)
    judged = Judged(truth, predicted, np.repeat([0, 1], [12, 18]), ("a", "b"))
    told = {name: measure.value for name, measure in measures(judged, Seed(0), draws=50).items()}
    assert told == pytest.approx({
        "accuracy": 21 / 30, "DP difference": 0.0, "EO difference": 0.5, "TPR difference": 0.5,
        "worst-group accuracy": 0.5,
    })  # fmt: skip
    first, second = groups(judged)
    assert (first.name, first.rows, first.tpr, first.fpr, first.selected) == ("a", 12, 0.5, 0.5, 0.5)
    assert (second.accuracy, second.tpr, second.fpr) == pytest.approx((15 / 18, 1.0, 0.25))


def test_many_people_show_the_truth():
    told = measures(people(200_000, *UNEQUAL), Seed(0), draws=40)
    assert {name: measure.value for name, measure in told.items()} == pytest.approx(truths(*UNEQUAL), abs=0.012)


@pytest.mark.parametrize("rates", [UNEQUAL, EQUAL], ids=["unequal", "equal"])
def test_every_interval_holds_the_truth(rates):
    """In 120 trials of 1,500 people, at 95 %: more than 13 misses of one measure have a chance below 1 in 200."""
    due, missed = truths(*rates), dict.fromkeys(MEASURES, 0)
    for trial in range(120):
        for name, measure in measures(people(1500, *rates, key=trial), Seed(trial), draws=120).items():
            missed[name] += not measure.low - 1e-9 <= due[name] <= measure.high + 1e-9
    assert max(missed.values()) <= 13, missed


@pytest.mark.parametrize("other", [UNEQUAL, EQUAL], ids=["unequal", "equal"])
def test_every_interval_of_a_difference_holds_the_truth(other):
    """A model whose groups differ, beside one that is as unfair, or beside a fair one; misses as above."""
    first, second = truths(*UNEQUAL), truths(*other)
    missed = dict.fromkeys(MEASURES, 0)
    for trial in range(120):
        one = people(4000, *UNEQUAL, key=trial)
        rng = np.random.default_rng(10_000 + trial)
        draw = rng.random(4000) < np.where(one.truth, other[0][one.group], other[1][one.group])
        for name, measure in differences(one, replace(one, predicted=draw), Seed(trial), draws=120).items():
            missed[name] += not measure.low <= first[name] - second[name] <= measure.high
    assert max(missed.values()) <= 13, missed


def test_people_with_many_rows_count_once():
    once, often = people(400, *UNEQUAL), people(400, *UNEQUAL, each=4)
    wide, narrow = (measures(judged, Seed(1)) for judged in (often, replace(often, person=None)))
    single = measures(once, Seed(1))
    for name in ("accuracy", "DP difference"):
        assert wide[name].value == pytest.approx(single[name].value)
        assert wide[name].high - wide[name].low == pytest.approx(single[name].high - single[name].low, rel=0.12)
        assert narrow[name].high - narrow[name].low < 0.65 * (wide[name].high - wide[name].low)


def test_a_group_of_too_few_is_not_compared_and_one_group_is_none():
    judged = people(300, *UNEQUAL)
    tiny = replace(judged, group=np.where(np.arange(300) < 3, 3, np.minimum(judged.group, 2)))
    merged = replace(judged, group=np.zeros(300, int))
    without = replace(tiny, truth=tiny.truth[3:], predicted=tiny.predicted[3:], group=tiny.group[3:])
    value = measures(tiny, Seed(0), draws=20)["DP difference"].value
    assert value == measures(without, Seed(0), draws=20)["DP difference"].value
    alone = measures(merged, Seed(0), draws=20)["EO difference"]
    assert (alone.value, alone.low) == (None, None)
    assert "pool levels" in alone.why
    assert groups(tiny)[-1].tpr is None
    assert groups(tiny)[0].tpr is not None


def test_the_same_against_the_same_is_nothing():
    judged = people(500, *UNEQUAL)
    assert all((m.value, m.low, m.high) == (0, 0, 0) for m in differences(judged, judged, Seed(0), draws=20).values())
