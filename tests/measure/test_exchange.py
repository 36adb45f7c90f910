from __future__ import annotations

from math import comb

import numpy as np
import pytest
from scipy.stats import fisher_exact, hypergeom

from tuckpoint.measure.exchange import Hits, excess_score, tail


@pytest.mark.parametrize(
    ("count", "people", "members", "drawn"),
    [(20, 4000, 2000, 20), (11, 200, 100, 20), (0, 10, 5, 3), (3, 10, 5, 3), (1, 10, 9, 3), (120, 400, 180, 200)],
)
def test_the_tail_is_that_of_drawing_people_by_chance(count: int, people: int, members: int, drawn: int) -> None:
    assert tail(count, people, members, drawn) == pytest.approx(hypergeom.sf(count - 1, people, members, drawn))


def test_the_tail_is_a_closed_form_where_all_are_members() -> None:
    assert tail(20, 4000, 2000, 20) == pytest.approx(comb(2000, 20) / comb(4000, 20))
    assert tail(20_000, 40_000, 20_000, 20_000) >= 0.0


def test_the_p_value_is_fishers() -> None:
    hits = Hits(30, 100, 12, 120)
    assert hits.p == pytest.approx(fisher_exact([[30, 70], [12, 108]], alternative="greater")[1])


def test_p_values_are_valid_when_people_can_be_exchanged() -> None:
    # 300 of 2,000 people are hit, whoever they are: under exchange, P[p <= a] <= a.
    random = np.random.default_rng(1)
    hit = np.arange(2000) < 300
    found = []
    for _ in range(2000):
        member = random.permutation(2000) < 1000
        found.append(Hits.of(hit, member).p)
    for level in (0.01, 0.05, 0.2, 0.5):
        # 2,000 trials: six standard errors above the level are under 1e-8.
        assert np.mean(np.array(found) <= level) <= level + 6 * np.sqrt(level * (1 - level) / 2000)
    assert np.mean(np.array(found) <= 0.2) > 0.1  # and not valid by never being small


def test_the_interval_of_the_excess_covers_the_truth() -> None:
    random = np.random.default_rng(2)
    trials, covered = 2000, 0
    for _ in range(trials):
        hits = Hits(int(random.binomial(400, 0.06)), 400, int(random.binomial(400, 0.02)), 400)
        _, low, high = hits.excess
        covered += low <= 0.04 <= high
    assert 0.93 <= covered / trials <= 0.985


def test_a_total_leak_is_a_number_like_any_other() -> None:
    score = excess_score("linkability", Hits(50, 50, 0, 50), limit=0.05, advice="do something")
    assert score.value == 1.0
    assert score.high == 1.0
    assert score.reference == 0.0
    assert score.passed is False
    assert score.advice == "do something"
    assert Hits(50, 50, 0, 50).p == pytest.approx(1 / comb(100, 50))


def test_an_excess_passes_only_if_it_is_surely_small() -> None:
    def passed(hits: Hits) -> bool | None:
        return excess_score("linkability", hits, limit=0.05, advice="x").passed

    assert passed(Hits(40, 2000, 40, 2000)) is True
    assert passed(Hits(160, 2000, 40, 2000)) is False
    assert passed(Hits(1, 20, 1, 20)) is False  # twenty people cannot show it
