from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import LEVELS, NUMBERS, around, exchanged, leaking, shuffled, stacked, strangers

from tuckpoint.measure.attacks.linkability import dealt, entropy, linkability, linked
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_the_share_of_members_that_was_copied_is_linked(share: float) -> None:
    (finding,) = linkability(leaking(share), Seed(0))
    assert finding.score.reference is not None
    assert finding.score.reference < 0.03  # a stranger is nearest in both halves by accident
    assert finding.score.value == pytest.approx(share, abs=0.03)
    assert finding.p is not None
    assert finding.p < 1e-6
    assert finding.score.passed is False


def test_other_people_link_nobody() -> None:
    (finding,) = linkability(leaking(0.0), Seed(0))
    assert finding.score.passed is True
    assert finding.p is not None
    assert finding.p > 0.01


def test_a_total_leak_links_everybody() -> None:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    (finding,) = linkability(around(members, outsiders, members), Seed(0))
    assert finding.score.value == 1.0
    assert finding.score.high == 1.0
    assert finding.p is not None
    assert finding.p < 1e-200


def test_columns_published_alone_link_nobody() -> None:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    (finding,) = linkability(around(members, outsiders, shuffled(members, 3)), Seed(0))
    assert finding.score.value is not None
    assert finding.score.value < 0.03
    assert finding.p is not None
    assert finding.p > 0.01


def test_what_links_everybody_alike_is_no_leak() -> None:
    # Two columns that are one: whoever knows the first knows the second, of members and outsiders.
    sides = leaking(0.0)
    twice = [
        Encoded((FIELD, replace(FIELD, name="b")), {"a": side.columns["a"], "b": side.columns["a"]})
        for side in (sides.members, sides.outsiders, sides.made)
    ]
    (finding,) = linkability(around(*twice), Seed(0))
    assert finding.score.value == finding.score.reference == 1.0
    assert finding.p == 1.0
    assert finding.score.passed is True


FIELD = Field("a", decimals=6)


def test_linked_agrees_with_looking_at_every_pair() -> None:
    random = np.random.default_rng(4)
    first, second = random.integers(0, 4, (60, 2)), random.integers(0, 4, (60, 2))  # coarse: many ties
    made_first, made_second = random.integers(0, 4, (40, 2)), random.integers(0, 4, (40, 2))
    truth = []
    for a, b in zip(first, second, strict=True):
        near_a, near_b = (((made - own) ** 2).sum(axis=1) for made, own in ((made_first, a), (made_second, b)))
        truth.append(bool(((near_a == near_a.min()) & (near_b == near_b.min())).any()))
    found = linked(*(side.astype(np.float32) for side in (first, made_first, second, made_second)))
    assert found.tolist() == truth
    assert 0 < sum(truth) < 60


def test_p_values_are_valid_when_members_and_outsiders_are_exchanged() -> None:
    members, outsiders, made = strangers(100, 1), strangers(100, 2), strangers(100, 3)
    some = stacked(members.take(np.arange(25)), outsiders.take(np.arange(25)), made)
    found = np.array(
        [linkability(exchanged(around(members, outsiders, some), t), Seed(t))[0].p for t in range(200)], dtype=float
    )
    for level in (0.05, 0.2):
        assert np.mean(found <= level) <= level + 6 * np.sqrt(level * (1 - level) / 200)
    assert np.mean(found <= 0.3) > 0.1


def test_attributes_are_dealt_so_that_both_lists_tell_alike() -> None:
    first, second = dealt(strangers(2000, 1))
    assert sorted((*first, *second)) == sorted((*NUMBERS, *LEVELS))
    assert len(set(first) & set(NUMBERS)) == len(set(second) & set(NUMBERS)) == 2


def test_entropy_counts_bits() -> None:
    field = Field("p", tuple("uvwx"))
    assert entropy(field, np.array([0, 1, 2, 3] * 10)) == pytest.approx(2.0)
    assert entropy(field, np.zeros(10, int)) == 0.0
    assert entropy(Field("a"), np.arange(1000.0)) == pytest.approx(np.log2(50), abs=0.01)
    assert entropy(Field("a"), np.full(5, np.nan)) == 0.0


def test_halves_can_be_given() -> None:
    (finding,) = linkability(leaking(0.3), Seed(0), halves=(("a", "b"), ("c", "d")))
    assert finding.score.detail["first"] == ["a", "b"]
    assert finding.score.value == pytest.approx(0.3, abs=0.05)


def test_a_single_attribute_says_why() -> None:
    sides = leaking(0.3, people=100)
    alone = [side.select(("a",)) for side in (sides.members, sides.outsiders, sides.made)]
    (finding,) = linkability(around(*alone), Seed(0))
    assert finding.score.value is None
    assert "single attribute" in finding.score.why
