from __future__ import annotations

import numpy as np
from measure.crowds import around, leaking, strangers

from tuckpoint.measure.attacks.classifier import classifier, log_odds
from tuckpoint.measure.exchange import crowd
from tuckpoint.seed import Seed


def test_copies_of_all_members_are_told() -> None:
    members = strangers(600, 0)
    ranked, _, _ = classifier(around(members, strangers(600, 1), members), Seed(0))
    assert (ranked.score.value or 0) > 0.7
    assert ranked.p is not None
    assert ranked.p < 1e-9


def test_strangers_are_not_told_apart() -> None:
    found = classifier(leaking(0.0, people=600), Seed(0))
    assert min(one.p for one in found if one.p is not None) > 0.01


def test_the_judge_never_saw_whom_it_judges() -> None:
    # Made rows equal the people of both sides: whoever was not seen as a real one is only known as made.
    sides = leaking(0.0, people=300)
    people, _ = crowd(sides)
    assert float(np.mean(log_odds(people, people, Seed(0)))) > np.log(2) + 1


def test_scores_follow_the_seed_and_extremes_are_finite() -> None:
    sides = leaking(0.5, people=200)
    people, _ = crowd(sides)
    first = log_odds(people, sides.made, Seed(0))
    assert np.array_equal(first, log_odds(people, sides.made, Seed(0)))
    assert not np.array_equal(first, log_odds(people, sides.made, Seed(1)))
    assert np.isfinite(log_odds(people, sides.made.take(np.arange(1)), Seed(0))).all()
