from __future__ import annotations

from measure.crowds import leaking

from tuckpoint.measure.attacks.distance import distance
from tuckpoint.seed import Seed


def test_many_copies_are_ranked_first_and_strangers_are_not() -> None:
    ranked, _, guessed = distance(leaking(0.4, people=400), Seed(0))
    assert ranked.p is not None
    assert ranked.p < 1e-6
    assert ranked.score.value is not None
    assert abs(ranked.score.value - 0.7) < 0.06  # four in ten are at no distance, the others guessed
    assert guessed.score.value == 1.0
    ranked, _, guessed = distance(leaking(0.0, people=400), Seed(0))
    assert (ranked.p or 0) > 0.05
    assert (guessed.p or 0) > 0.01
