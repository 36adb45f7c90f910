from __future__ import annotations

import numpy as np
import pytest
from measure.crowds import stacked, strangers

from tuckpoint.measure.nearness import approach, embedding, joined, nearness
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Field

FIELDS = (Field("x"), Field("a", levels=("p", "q", "r", "(unseen)")))


def table(x: list[float], a: list[int]) -> Encoded:
    return Encoded(FIELDS, {"x": np.array(x), "a": np.array(a, np.int32)})


def test_numbers_have_a_half_deviation_and_a_place_and_levels_one_corner_each() -> None:
    people = table([0.0, 1.0, 2.0, 3.0], [0, 1, 0, 1])
    points = embedding(people, Seed(0)).place(people)
    assert points.shape == (4, 4)  # nothing is missing: no flag, and two of the levels are used
    assert points[:, 0] == pytest.approx((np.arange(4) - 1.5) / np.std([0, 1, 2, 3]) / 2)
    assert (np.diff(points[:, 1]) > 0).all()
    assert points[:, 1].min() >= 0.0
    assert points[:, 1].max() <= 1.0
    assert points[:, 2:].tolist() == [[0.5, 0.0], [0.0, 0.5], [0.5, 0.0], [0.0, 0.5]]


def test_a_level_that_nobody_holds_is_as_far_away_as_any_other() -> None:
    people = table([0.0] * 4, [0, 1, 2, 0])
    space = embedding(people, Seed(0))
    points = space.place(table([0.0] * 5, [0, 1, 2, 3, -1]))[:, 2:]
    gaps = np.linalg.norm(points[:3, None] - points[None, :], axis=2)
    assert gaps[0, 1] == pytest.approx(np.sqrt(0.5))
    assert gaps[:, 3:] == pytest.approx(np.full((3, 2), np.sqrt(0.5)))


def test_many_levels_lie_nearly_at_right_angles_and_take_sixteen_coordinates() -> None:
    fields = (Field("a", levels=tuple(map(str, range(300)))),)
    people = Encoded(fields, {"a": np.arange(300, dtype=np.int32)})
    points = embedding(people, Seed(0)).place(people)
    assert points.shape == (300, 16)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(300)
    assert gaps.min() > 0.2
    assert (gaps[np.triu_indices(300, 1)] ** 2).mean() == pytest.approx(0.5, abs=0.01)
    assert not np.array_equal(points, embedding(people, Seed(1)).place(people))


def test_missing_numbers_have_a_flag_where_a_person_lacks_one() -> None:
    people = table([0.0, np.nan, 2.0], [0, 0, 0])
    points = embedding(people, Seed(0)).place(people)
    assert points[:, 2].tolist() == [0.0, 0.5, 0.0]
    assert points[1, :2].tolist() == [0.0, 0.5]


@pytest.mark.parametrize(
    "x", [[5.0, 5.0, 5.0], [np.nan] * 3, [1e300, -1e300, 0.0], [1e-300, 0.0, 2e-300], [0.0, 0.0, 1e308]]
)
def test_extreme_columns_stay_finite(x: list[float]) -> None:
    people = table(x, [0, 1, 2])
    space = embedding(people, Seed(0))
    made = table([1e308, -1e308, np.nan], [3, -1, 0])
    assert np.isfinite(space.place(people)).all()
    assert np.isfinite(space.place(made)).all()
    assert np.isfinite(space.aligned(made, made)).all()


def test_what_is_learnt_does_not_know_the_sides() -> None:
    first, second = strangers(50, 0), strangers(50, 1)
    points = embedding(stacked(first, second), Seed(0)).place(first)
    assert np.array_equal(points, embedding(stacked(second, first), Seed(0)).place(first))


def test_a_heap_is_one_place_and_stays_so_under_noise() -> None:
    people = table([0.0] * 90 + list(np.arange(1.0, 11.0)), [0] * 100)
    space = embedding(people, Seed(0))
    at, near = space.place(table([0.0, 0.001], [0, 0]))[:, 1]
    assert near == pytest.approx(at, abs=0.001)


def test_a_bent_copy_is_aligned_with_what_it_was() -> None:
    people = strangers(400, 0)
    bent = Encoded(people.fields, {**people.columns, **{name: np.exp(5 * people.columns[name]) for name in "abcd"}})
    space = embedding(people, Seed(0))
    assert space.aligned(people, people) == pytest.approx(space.aligned(bent, bent), abs=1e-6)
    found = nearness(people, bent, space)
    assert found.aligned.max() < 1e-3
    assert np.median(found.made[:, 0]) > 0.1


def test_distances_when_rows_are_added_are_those_measured_at_once() -> None:
    people, made, more = strangers(80, 0), strangers(60, 1), strangers(7, 2)
    space = embedding(people, Seed(0))
    added = nearness(people, made, space).with_rows(*approach(people, more, space, among=(people, made)))
    whole = nearness(people, joined(made, more), space)
    assert added.made == pytest.approx(whole.made, abs=1e-6)
    assert np.array_equal(added.others, whole.others)
    assert (added.made[:, 0] > 0).all()
    assert (nearness(people, people, space).made[:, 0] == 0).all()
