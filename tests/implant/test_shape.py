import numpy as np
import pytest

from tuckpoint.implant.appearance import KINDS, Appearance, outline
from tuckpoint.implant.shape import Outline, fill, gauge, rotation
from tuckpoint.seed import Seed


def drawn(kind, radius_mm=3.0, key=0):
    return outline(Appearance(), kind, radius_mm, Seed(key, (kind,)))


def ball():
    none = np.zeros((0, 3))
    return Outline(np.ones(3), np.eye(3), none, np.zeros(0), np.zeros(0), none, np.zeros(0), np.zeros(0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.5, 0.7, 0.7)])
def test_the_mask_holds_the_volume_that_was_asked_for(kind, spacing):
    for diameter in (4.0, 9.0):
        filled = fill(drawn(kind, diameter / 2), (20.3, 20.1, 19.8), spacing, diameter=diameter)
        volume = filled.mask.sum() * np.prod(spacing)
        wanted = np.pi / 6 * diameter**3
        assert abs(volume - wanted) <= max(0.05 * wanted, 0.51 * np.prod(spacing))


def test_occupancy_holds_partial_volume():
    filled = fill(ball(), (10.25, 10.0, 10.0), (1.0, 1.0, 1.0), diameter=8.0)
    assert np.isclose(filled.occupancy.sum(), np.pi / 6 * 8**3, rtol=0.03)
    assert ((filled.occupancy > 0) & (filled.occupancy < 1)).sum() > 50
    assert (filled.mask == (filled.occupancy >= 0.5)).all()


def test_the_middle_is_where_it_was_asked_below_a_voxel():
    position = (10.25, 9.5, 11.0)
    filled = fill(ball(), position, (2.0, 1.0, 0.5), diameter=10.0)
    grid = np.indices(filled.occupancy.shape)
    found = [
        (g * filled.occupancy).sum() / filled.occupancy.sum() + c for g, c in zip(grid, filled.corner, strict=True)
    ]
    assert np.allclose(found, position, atol=0.06)


def test_voxels_that_are_not_cubes_keep_the_ball_round_in_millimetres():
    filled = fill(ball(), (12.0, 30.0, 30.0), (3.0, 1.0, 1.0), diameter=15.0)
    sides = [np.ptp(np.argwhere(filled.mask)[:, axis]) + 1 for axis in range(3)]
    assert sides[0] * 3.0 == pytest.approx(15, abs=3)
    assert sides[1] == pytest.approx(15, abs=1)


def test_a_spicule_reaches_its_length():
    one = Outline(**{**vars(ball()), "spicules": np.array([[0.0, 0.0, 1.0]]), "lengths": np.array([2.0]),
                     "widths": np.array([0.3])})  # fmt: skip
    assert gauge(np.array([[0.0, 0.0, 2.0]]), one)[0] == pytest.approx(1)
    assert gauge(np.array([[0.0, 0.0, -2.0]]), one)[0] == pytest.approx(2)


def test_a_core_is_inside():
    filled = fill(drawn("part-solid"), (10.0, 10.0, 10.0), (1.0, 1.0, 1.0), diameter=8.0, core=0.5)
    assert (filled.core <= filled.occupancy).all()
    assert filled.core.sum() == pytest.approx(filled.occupancy.sum() / 8, rel=0.1)


def test_rotations_are_rotations():
    turn = rotation(Seed(1).numpy())
    assert np.allclose(turn @ turn.T, np.eye(3))
    assert np.linalg.det(turn) == pytest.approx(1)


def test_an_outline_comes_back_from_plain_values():
    one = drawn("spiculated")
    again = Outline.from_dict(one.to_dict())
    points = Seed(2).numpy().normal(size=(50, 3))
    assert np.allclose(gauge(points, one), gauge(points, again), rtol=1e-3)
