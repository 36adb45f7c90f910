from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import FIELDS, SCHEMA, around, exchanged, leaking, stacked, strangers

from tuckpoint.measure.attacks.minorities import guessed, minorities, small_groups
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded


def by_name(sides: Sides) -> dict[str, Finding]:
    return {finding.score.name: finding for finding in minorities(sides, Seed(0))}


def with_levels(data: Encoded, seed: int, share: float = 0.1) -> Encoded:
    """Column p with a small group, level u, beside one large group."""
    small = np.random.default_rng(seed).random(data.rows) < share
    return replace(data, columns=data.columns | {"p": np.where(small, 0, 1).astype(np.int32)})


def odd(data: Encoded, count: int) -> Encoded:
    """The first rows far away from all others, each on its own."""
    far = 5.0 + np.arange(count) * 3
    columns = {name: values.copy() for name, values in data.columns.items()}
    for name in "abcd":
        columns[name][:count] = far
    return Encoded(FIELDS, columns)


def test_copies_of_odd_people_alone_are_found() -> None:
    members, outsiders, others = odd(strangers(1000, 1), 40), odd(strangers(1000, 2), 40), strangers(1000, 3)
    outsiders.columns["a"][:40] += 1.5  # as odd, but others
    made = stacked(members.take(np.arange(20)), others.take(np.arange(20, 1000)))
    found = by_name(around(members, outsiders, made))
    oddest = found["oddest_people"]
    assert oddest.p is not None
    assert oddest.p < 1e-4
    assert oddest.score.value is not None
    assert oddest.score.reference is not None
    assert oddest.score.value > 2 * oddest.score.reference
    assert oddest.score.detail["overall"] < 0.25  # nobody would see it in the average


def test_those_outside_are_told_with_their_own_number() -> None:
    found = by_name(leaking(0.3))["oddest_people"].score
    assert found.detail["of_outsiders"] + found.n == 100  # 5 % of 2,000
    assert found.detail["of_outsiders"] != found.n
    assert found.reference == found.detail["count_outsiders"] / found.detail["of_outsiders"]


def test_copies_of_one_small_group_are_found_and_named() -> None:
    members, outsiders, others = (with_levels(strangers(1500, seed), seed) for seed in (1, 2, 3))
    group = np.flatnonzero(members.columns["p"] == 0)
    made = stacked(members.take(group), others.take(np.flatnonzero(others.columns["p"] == 1)))
    found = by_name(around(members, outsiders, made))
    worst = found["worst_group"]
    assert worst.score.subject == ("p", "u")
    assert worst.p is not None
    assert worst.p < 1e-6
    assert worst.score.passed is False
    assert worst.score.value == pytest.approx(0.4, abs=0.06)  # all guesses right: a fifth of all, twice that of members
    assert worst.score.detail["ratio"] == pytest.approx(worst.score.value / worst.score.detail["overall"])


def test_the_worst_off_are_found_where_few_are_copied() -> None:
    worst = by_name(leaking(0.02, people=2000))["worst_off"]
    assert worst.p is not None
    assert worst.p < 1e-8
    assert worst.score.passed is False
    assert worst.score.value == pytest.approx(0.02, abs=0.003)
    assert worst.score.reference == pytest.approx(0.0, abs=0.003)


def test_other_people_are_no_worst_case() -> None:
    for finding in by_name(leaking(0.0, people=2000)).values():
        assert finding.score.passed is True
        assert finding.p is not None
        assert finding.p > 0.001


def test_a_total_leak_passes_nowhere() -> None:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    for finding in by_name(around(members, outsiders, members)).values():
        assert finding.score.passed is False
        assert finding.p is not None
        assert finding.p < 1e-4


def test_p_values_are_valid_when_members_and_outsiders_are_exchanged() -> None:
    members, outsiders, made = (with_levels(strangers(500, seed), seed, 0.22) for seed in (1, 2, 3))
    sides = around(members, outsiders, stacked(members.take(np.arange(60)), outsiders.take(np.arange(60)), made))
    sides = replace(sides, near=near(sides, Seed(0)))
    found = [minorities(exchanged(sides, t), Seed(t)) for t in range(400)]
    assert {len(one) for one in found} == {3}
    p = np.array([[finding.p for finding in one] for one in found], dtype=float)
    for level in (0.05, 0.2):
        assert (np.mean(p <= level, axis=0) <= level + 6 * np.sqrt(level * (1 - level) / 400)).all()
    assert (np.mean(p <= 0.6, axis=0) > 0.1).all()


def test_guesses_are_counted_and_their_chance_is_exact() -> None:
    member = np.arange(400) < 200
    perfect = guessed(np.arange(400), member, 0.2)
    assert (perfect.hits.members, perfect.hits.outsiders) == (80, 0)
    assert guessed(np.arange(400)[::-1], member, 0.2).p == 1.0
    few = np.concatenate([np.arange(20), np.random.default_rng(0).permutation(np.arange(20, 400))])
    assert guessed(np.argsort(few), member, 0.2).p < 1e-4  # the surest quarter of the guesses are all right


def test_groups_are_small_but_not_tiny_and_sensitive_columns_come_first() -> None:
    sides = around(*(with_levels(strangers(1000, seed), seed, 0.12) for seed in (1, 2, 3)))
    people = stacked(sides.members, sides.outsiders)
    found = dict(small_groups(sides, people))
    assert len(found) == 10
    assert ("p", "u") in found
    assert ("p", "v") not in found  # nine in ten people are no minority
    assert all(len(inside) >= 200 for inside in found.values())
    sensitive = replace(sides, schema=SCHEMA.with_column(replace(SCHEMA["p"], sensitive=True)))
    assert list(dict(small_groups(sensitive, people))) == [("p", "u")]


def test_without_groups_there_is_no_worst_one() -> None:
    sides = leaking(0.0, people=100)
    assert "worst_group" not in by_name(sides)


def test_people_of_one_side_alone_say_why() -> None:
    members, outsiders = odd(strangers(200, 1), 20), strangers(200, 2)
    finding = by_name(around(members, outsiders, strangers(200, 3)))["oddest_people"]
    assert finding.score.value is None
    assert "all of these people" in finding.score.why
    assert finding.p is None
