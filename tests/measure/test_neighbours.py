from __future__ import annotations

import numpy as np
import pytest
from measure.tables import SCHEMA, people

from tuckpoint.measure import neighbours
from tuckpoint.measure.prepare import prepare
from tuckpoint.table.engine import Encoded, Field


def test_the_space_is_the_published_one() -> None:
    fields = (Field("x"), Field("a", levels=("p", "q", "(unseen)")))
    real = Encoded(fields, {"x": np.array([1.0, 5.0, 100.0, np.nan]), "a": np.array([0, 1, 0, -1], np.int32)})
    points = neighbours.metric(real).place(real)
    assert points[:, 0].tolist() == [0.0, 0.5, 1.0, 0.5]
    assert points[:, 1].tolist() == [0.0, 0.0, 0.0, 1.0]
    distance = np.linalg.norm(points[0] - points[1])
    assert distance == pytest.approx(np.sqrt(0.5**2 + 1.0))  # half the rank range, and one level apart counts 1


def test_nearest_equals_brute_force_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 700)
    space = prepare(people(150, 0), people(200, 1), None, SCHEMA)
    metric = neighbours.metric(space.real)
    a, b = metric.place(space.real), metric.place(space.made)
    brute = np.sqrt(((a[:, None].astype(float) - b[None]) ** 2).sum(axis=2)).min(axis=1)
    assert neighbours.nearest(a, b) == pytest.approx(brute, abs=1e-6)


def test_twins_are_at_distance_zero_and_a_row_is_not_its_own_twin() -> None:
    space = prepare(people(100, 0), people(100, 0), None, SCHEMA)
    points = neighbours.metric(space.real).place(space.real)
    assert (neighbours.nearest(points, points) == 0).all()
    assert (neighbours.nearest(points, points, own=np.arange(100)) > 0).all()


def test_the_five_closest_equal_brute_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "BLOCK_CELLS", 700)
    random = np.random.default_rng(0)
    points, others = random.normal(size=(60, 4)).astype(np.float32), random.normal(size=(90, 4)).astype(np.float32)
    brute = np.sort(np.sqrt(((points[:, None].astype(float) - others[None]) ** 2).sum(axis=2)), axis=1)
    assert neighbours.closest(points, others, 5) == pytest.approx(brute[:, :5], abs=1e-6)
    alone = neighbours.closest(others, others, 3, own=np.arange(90))
    brute = np.sort(np.sqrt(((others[:, None].astype(float) - others[None]) ** 2).sum(axis=2)), axis=1)
    assert alone == pytest.approx(brute[:, 1:4], abs=1e-6)


def test_where_there_are_fewer_others_the_farthest_is_repeated() -> None:
    points = np.array([[0.0], [3.0]], dtype=np.float32)
    assert neighbours.closest(points, points, 3).tolist() == [[0.0, 3.0, 3.0], [0.0, 3.0, 3.0]]
    assert neighbours.closest(points, points, 2, own=np.arange(2)).tolist() == [[3.0, 3.0], [3.0, 3.0]]
    with pytest.raises(ValueError, match="no other points"):
        neighbours.closest(points[:1], points[:1], 1, own=np.array([0]))
