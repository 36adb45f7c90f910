from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import FIELDS, around, leaking, strangers

from tuckpoint.measure.exchange import crowd
from tuckpoint.measure.finding import Power, Sides
from tuckpoint.measure.nearness import embedding, nearness
from tuckpoint.measure.power import power
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded

COUNTS = (2, 5, 20, 50)


def tried(sides: Sides, *, counts: tuple[int, ...] = COUNTS, trials: int = 20) -> tuple[Power, ...]:
    people, _ = crowd(sides)
    near = nearness(people, sides.made, embedding(people, Seed(0)))
    return power(sides, near, Seed(0), counts=counts, trials=trials, copies_level=0.008, level=0.001)


def test_unique_rows_are_seen_from_a_handful_on_and_counts_end_there() -> None:
    found = tried(leaking(0.0, people=400))
    assert [one.copied for one in found] == [2, 5, 20]
    assert found[0].caught == 0  # two heads in a row prove nothing
    assert found[-1] == Power(20, 20, 20)


def test_power_is_that_of_binomial_counting_where_nothing_is_hit_by_accident() -> None:
    # Seven copies have p = 1 / 128 (a little less, without replacement), six 1 / 64.
    found = tried(leaking(0.0, people=2000), counts=(6, 7))
    assert found[0].caught <= 3  # a rare accident
    assert found[1].caught == 20


def test_a_leak_of_the_file_itself_is_no_power() -> None:
    # A tenth of the members is copied already: five more rows would not be seen beside them.
    clean, leaky = tried(leaking(0.0, people=400)), tried(leaking(0.1, people=400))
    assert leaky[0].caught <= 2
    assert sum(one.caught for one in leaky[:2]) <= sum(one.caught for one in clean[:2]) + 2


def test_common_rows_give_no_power() -> None:
    columns = {name: np.random.default_rng(i).integers(0, 2, 300).astype(np.int32) for i, name in enumerate("pqrs")}
    coarse = Encoded(FIELDS[4:], columns)
    found = tried(around(coarse, coarse, coarse))
    assert sum(one.caught for one in found) <= 6  # of 80: no more than accidents


def test_few_people_with_a_row_of_their_own_are_copied_once_at_most() -> None:
    shares = (0.5, 0.3, 0.15, 0.04, 0.008, 0.002)

    def coarse(seed: int) -> Encoded:
        random = np.random.default_rng(seed)
        return Encoded(FIELDS[4:6], {name: random.choice(6, 600, p=shares).astype(np.int32) for name in "pq"})

    for seed in range(4):
        found = tried(around(coarse(seed), coarse(seed + 10), coarse(seed + 20)), counts=(500,))
        assert found[0].caught <= 5


def test_copies_of_people_beyond_those_compared_count_in_the_whole_table() -> None:
    train = strangers(2000, 0)
    sides = around(train.take(np.arange(100)), strangers(100, 1), strangers(500, 2))
    few = tried(replace(sides, train=train), counts=(20,))
    # Twenty-one to one are the odds of a hit: a hundred outsiders show too little of what is accident.
    assert few[0].caught <= 5


@pytest.mark.parametrize("counts", [(1000,), ()])
def test_more_rows_than_people_are_not_tried(counts: tuple[int, ...]) -> None:
    assert tried(leaking(0.0, people=60), counts=counts) == ()


def test_trials_follow_the_seed() -> None:
    sides = leaking(0.02, people=300)
    assert tried(sides, counts=(5,), trials=10) == tried(sides, counts=(5,), trials=10)
