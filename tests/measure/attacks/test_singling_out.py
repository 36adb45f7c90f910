from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from measure.crowds import LEVELS, NUMBERS, around, exchanged, leaking, shuffled, stacked, strangers

from tuckpoint.measure.attacks.singling_out import singling_out
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field


def one_and_several(sides: Sides, seed: int = 0) -> tuple[Finding, Finding]:
    one, several = singling_out(sides, Seed(seed))
    assert one.score.subject == ("one attribute",)
    assert several.score.subject == ("several attributes",)
    return one, several


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5])
def test_the_share_of_members_that_was_copied_is_singled_out(share: float) -> None:
    for finding in one_and_several(leaking(share)):
        assert finding.score.value == pytest.approx(share, abs=0.012)
        assert finding.score.reference is not None
        assert finding.score.reference <= 0.01
        assert finding.p is not None
        assert finding.p < 1e-4
        assert finding.score.passed is (share < 0.05)


def test_other_people_single_out_nobody() -> None:
    for finding in one_and_several(leaking(0.0)):
        assert finding.score.value is not None
        assert finding.score.value < 0.01
        assert finding.score.passed is True
        assert finding.p is not None
        assert finding.p > 0.01


def test_a_total_leak_is_told_with_an_interval() -> None:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    for finding in one_and_several(around(members, outsiders, members)):
        assert finding.score.value == 1.0
        assert finding.score.high == 1.0
        assert finding.score.low is not None
        assert finding.score.low > 0.99
        assert finding.score.detail["right"] > 0.99
        assert finding.p is not None
        assert finding.p < 1e-200


def test_values_published_column_by_column_are_seen_by_one_attribute_alone() -> None:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    one, several = one_and_several(around(members, outsiders, shuffled(members, 3)))
    assert one.score.value == 1.0
    assert several.score.value == pytest.approx(0.0, abs=0.005)
    assert several.p is not None
    assert several.p > 0.01


def moved(by: float) -> Sides:
    members, outsiders = strangers(1000, 1), strangers(1000, 2)
    columns = members.columns | {name: np.clip(members.columns[name] + by, 0, 1) for name in NUMBERS}
    return around(members, outsiders, replace(members, columns=columns))


def test_a_copy_that_was_moved_a_little_is_still_described() -> None:
    one, several = one_and_several(moved(1e-4))
    assert one.score.passed is True
    assert (several.score.value or 0) > 0.9


def test_p_values_are_valid_when_members_and_outsiders_are_exchanged() -> None:
    members, outsiders, made = strangers(150, 1), strangers(150, 2), strangers(150, 3)
    some = stacked(members.take(np.arange(40)), outsiders.take(np.arange(40)), made)  # people of both kinds stand out
    found = np.array(
        [[f.p for f in one_and_several(exchanged(around(members, outsiders, some), t))] for t in range(200)]
    )
    for level in (0.05, 0.2):
        # Six standard errors above the level in 200 trials are under 1e-8.
        assert (np.mean(found <= level, axis=0) <= level + 6 * np.sqrt(level * (1 - level) / 200)).all()
    assert (np.mean(found <= 0.3, axis=0) > 0.1).all()


def test_single_values_agree_with_counting_them() -> None:
    sides = leaking(0.3, people=120)
    coarse = {name: np.round(sides.made.columns[name], 2) for name in NUMBERS}
    made = replace(sides.made, columns=sides.made.columns | coarse)
    members = replace(
        sides.members, columns=sides.members.columns | {n: np.round(sides.members.columns[n], 2) for n in NUMBERS}
    )
    found: set[int] = set()
    for name in (*NUMBERS, *LEVELS):
        values = members.columns[name].tolist()
        once = [value for value, count in Counter(made.columns[name].tolist()).items() if count == 1]
        fits = [[i for i, value in enumerate(values) if value == wanted] for wanted in once]
        if name in NUMBERS:
            own = made.columns[name]
            fits += [
                [i for i, v in enumerate(values) if v <= own.min()],
                [i for i, v in enumerate(values) if v >= own.max()],
            ]
        found |= {fit[0] for fit in fits if len(fit) == 1}
    one, _ = one_and_several(around(members, sides.outsiders, made))
    assert one.score.detail["count"] == len(found)


def test_missing_values_describe_people_too() -> None:
    members, outsiders = strangers(500, 1), strangers(500, 2)
    holes = members.columns | {"a": np.where(np.arange(500) < 250, np.nan, members.columns["a"])}
    holes |= {"p": np.where(np.arange(500) < 100, -1, members.columns["p"]).astype(np.int32)}
    members = replace(members, columns=holes)
    _, several = one_and_several(around(members, outsiders, members))
    assert several.score.value == 1.0


def test_coarse_tables_point_at_nobody() -> None:
    members, outsiders = (strangers(500, seed).select(("p", "q")) for seed in (1, 2))
    for finding in one_and_several(around(members, outsiders, members)):
        assert finding.score.value == 0.0
        assert finding.p == 1.0
        assert finding.score.passed is True


def test_no_made_row_points_at_nobody() -> None:
    sides = leaking(0.1, people=100)
    for finding in one_and_several(replace(sides, made=sides.made.take(np.arange(0)))):
        assert finding.score.value == 0.0
        assert finding.p == 1.0


def test_the_seed_decides_the_orders() -> None:
    sides = moved(1e-4)
    twice = [Field(f"{field.name}2", decimals=6) for field in sides.made.fields if field.numeric]
    members, outsiders, made = (
        Encoded((*side.fields, *twice), side.columns | {f.name: side.columns[f.name[0]] for f in twice})
        for side in (sides.members, sides.outsiders, sides.made)
    )
    wide = around(members, outsiders, made)
    assert singling_out(wide, Seed(1)) == singling_out(wide, Seed(1))
    assert singling_out(wide, Seed(1)) != singling_out(wide, Seed(2))


def test_all_people_are_looked_at_unless_they_have_several_rows() -> None:
    sides = leaking(0.3, people=300)
    few = replace(sides, members=sides.members.take(np.arange(100)), outsiders=sides.outsiders.take(np.arange(100)))
    assert {finding.score.n for finding in one_and_several(few)} == {300}
    families = replace(few, train=replace(few.train, person=np.arange(300) // 3))
    assert {finding.score.n for finding in one_and_several(families)} == {100}
