from dataclasses import replace

import numpy as np
import pytest
from implant.phantom import calm
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant import calibrate as module
from tuckpoint.implant.appearance import Appearance
from tuckpoint.implant.calibrate import apart, calibrate, made
from tuckpoint.implant.ct import LungNodule
from tuckpoint.implant.describe import Described, describe, medians, window_at
from tuckpoint.seed import Seed

CUBE = (1.0, 1.0, 1.0)
HOSTS = [calm(n) for n in range(3)]


def ball(diameter, value=40.0, sigma=0.9):
    grid = np.indices((60, 60, 60)) - 29.5
    fine = np.where(np.sqrt((grid**2).sum(axis=0)) / 3 < diameter / 2, value, -850.0)
    return ndimage.gaussian_filter(fine, 3 * sigma).reshape(20, 3, 20, 3, 20, 3).mean(axis=(1, 3, 5))


def test_descriptors_of_a_known_ball():
    small, large, soft, faint = (describe(ball(*a), CUBE) for a in ((6,), (9,), (6, 40, 1.5), (6, -600)))
    assert small.fwhm_mm == pytest.approx(6, rel=0.1)
    assert large.fwhm_mm == pytest.approx(9, rel=0.1)
    assert soft.slope_per_mm < 0.85 * small.slope_per_mm
    assert faint.contrast_hu < 0.4 * small.contrast_hu


def test_what_reaches_the_border_is_not_described():
    assert describe(ball(19), CUBE) is None
    assert describe(np.full((20, 20, 20), -850.0), CUBE) is None
    with pytest.raises(InputError, match="0 nodules can be measured"):
        medians([(ball(19), CUBE)] * 3)


def test_calibration_meets_medians_of_a_known_setting(monkeypatch):
    monkeypatch.setattr(module, "NODULES", 14)
    monkeypatch.setattr(module, "ROUNDS", 5)
    adapter = LungNodule(Appearance(size_mm=(5.0, 7.0), kinds={"solid": 1.0}), attached=0.0)
    wanted = made(replace(adapter, look=replace(adapter.look, size_factor=0.8, sharpness=1.3)), HOSTS, Seed(9))
    found = calibrate(adapter, HOSTS, wanted, Seed(2))
    assert max(found.off.values()) <= 0.15 < max(apart(found.before, wanted).values())
    assert found.adapter.look.size_factor < 0.95


def test_medians_that_cannot_be_met_are_told(monkeypatch):
    monkeypatch.setattr(module, "NODULES", 12)
    monkeypatch.setattr(module, "ROUNDS", 1)
    with pytest.raises(InputError, match="calibration ends with"):
        calibrate(LungNodule(attached=0.0), HOSTS, Described(5.0, 3.0, 900.0), Seed(2))
    with pytest.raises(InputError, match="needs healthy hosts"):
        calibrate(LungNodule(), [], Described(5.0, 0.3, 900.0), Seed(2))


def test_a_window_repeats_the_border():
    image = np.arange(27).reshape(3, 3, 3)
    assert window_at(image, (0.0, 0.0, 0.0), (1, 1, 1)).tolist() == [[[0, 0], [0, 0]], [[0, 0], [0, 0]]]
    assert window_at(image, (2.0, 1.0, 1.0), (1, 1, 1))[1, 1, 1] == image[2, 1, 1]


def test_a_window_for_eyes_is_moved_into_the_image():
    image = np.arange(27).reshape(3, 3, 3)
    assert np.array_equal(window_at(image, (0.0, 2.0, 1.0), (1, 1, 1), inward=True), image[:2, 1:, :2])
    assert window_at(np.zeros((6, 6, 3)), (0.0, 0.0), (2, 2), inward=True).shape == (4, 4, 3)
