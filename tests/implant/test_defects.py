import json

import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.implant import defects
from tuckpoint.seed import Seed

SCALE = defects.Scale(blur_px=1.0, side_px=160.0)


def patch(family, key, **pins):
    drawn = defects.draw(family, Seed(key), SCALE) | pins
    return defects.paint(family, drawn, Seed(key).child("paint"))


@pytest.mark.parametrize("family", defects.FAMILIES)
def test_same_seed_same_patch_and_another_seed_another(family):
    one, again, other = patch(family, 1), patch(family, 1), patch(family, 2)
    assert one.cover.tobytes() == again.cover.tobytes()
    assert one.cover.tobytes() != other.cover.tobytes()
    json.dumps(defects.draw(family, Seed(1), SCALE))


@pytest.mark.parametrize("family", defects.FAMILIES)
def test_a_patch_holds_its_defect_with_room_around(family):
    for key in range(8):
        made = patch(family, key)
        assert made.mask.any()
        assert made.cover.min() >= 0
        assert made.cover.max() <= 1
        assert not made.mask[[0, -1]].any()
        assert not made.mask[:, [0, -1]].any()
        assert not (made.cover[[0, -1]] > 0.5).any()


def test_a_hole_without_roughness_covers_the_area_of_its_ellipse():
    for stretch in (1.0, 2.0):
        made = patch("hole", 1, radius_px=9.0, stretch=stretch, rough=0.0, satellites=0)
        assert made.cover.sum() == pytest.approx(np.pi * 81, rel=0.03)
        assert made.mask.sum() == pytest.approx(np.pi * 81, rel=0.03)


def test_a_straight_scratch_has_the_length_and_width_asked_for():
    made = patch("scratch", 1, length_px=60.0, width_px=3.0, heading_rad=0.0, wander_rad=0.0, bend_rad=0.0, taper=0.0)
    columns = np.flatnonzero(made.mask.any(axis=0))
    assert len(columns) == pytest.approx(60, abs=4)
    assert made.cover.sum() == pytest.approx(60 * 3, rel=0.25)  # the width is rough by intent


def test_a_hairline_is_fainter_but_labelled_one_pixel_wide():
    pins = {"length_px": 60.0, "heading_rad": 0.0, "wander_rad": 0.0, "bend_rad": 0.0, "taper": 0.0}
    thick, thin = patch("scratch", 1, width_px=1.0, **pins), patch("scratch", 1, width_px=0.25, **pins)
    assert thin.cover.sum() < 0.5 * thick.cover.sum()
    assert thin.mask[:, 10:50].any(axis=0).all()


def test_branches_add_to_a_crack():
    assert patch("crack", 3, branches=3).mask.sum() > patch("crack", 3, branches=0).mask.sum()


def test_roughness_moves_the_border():
    smooth, torn = patch("fray", 4, rough=0.0), patch("fray", 4, rough=1.0)
    assert np.abs(np.diff(torn.mask.astype(int), axis=1)).sum() > np.abs(np.diff(smooth.mask.astype(int), axis=1)).sum()


def test_a_field_has_deviation_one():
    for sigma in (0.05, 0.5, 3.0):
        made = defects.field((200, 200), sigma, np.random.Generator(np.random.Philox(key=1)))
        assert made.std() == pytest.approx(1, abs=0.06)


def test_an_unknown_family_is_named_with_its_neighbour():
    with pytest.raises(InputError, match='did you mean "crack"'):
        defects.find("crak")
