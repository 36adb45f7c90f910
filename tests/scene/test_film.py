from dataclasses import replace

import numpy as np
import pytest
from scene.stages import camera

from tuckpoint.scene.film import develop
from tuckpoint.scene.scene import Lens

LIGHT = np.random.default_rng(0).uniform(0.2, 1.5, (48, 64, 3)).astype(np.float32)
DEPTH = np.broadcast_to(np.linspace(1, 20, 64, dtype=np.float32), (48, 64)).copy()
DEPTH[0] = np.inf


def picture(light=LIGHT, **lens):
    return develop(light, DEPTH, replace(camera(size=(64, 48)), lens=Lens(**lens)))


CHANGES = [
    {"exposure_ev": 1.0}, {"focus_m": 2.0, "aperture_px": 4.0}, {"blur_px": 1.5}, {"read_noise": 0.05},
    {"vignette": 0.5}, {"shot_noise": 0.05}, {"white_balance": (1.2, 1.0, 0.8)}, {"fog_per_m": 0.1}, {"rain": 0.5},
    {"dirt": 0.8}, {"jpeg": 40},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_each_setting_moves_the_picture_and_the_same_one_gives_the_same_bytes(change):
    assert np.array_equal(picture(**change), picture(**change))
    assert not np.array_equal(picture(**change), picture())


@pytest.mark.parametrize("change", [{"read_noise": 0.05}, {"shot_noise": 0.05}, {"rain": 0.5}, {"dirt": 0.8}], ids=str)
def test_another_key_gives_another_noise(change):
    assert not np.array_equal(picture(**change), picture(**change, noise_key=1))


def test_exposure_is_automatic():
    assert np.abs(picture(LIGHT * 50).astype(int) - picture()).max() <= 1
    assert 90 < picture().mean() < 150


def test_noise_has_the_spread_that_was_asked_for():
    flat = np.full((200, 200, 3), 0.5, np.float32)
    deep = np.ones((200, 200), np.float32)
    view = replace(camera(size=(200, 200)), lens=Lens(read_noise=0.02))
    made = develop(flat, deep, view).astype(float)
    still = develop(flat, deep, replace(view, lens=Lens())).astype(float)
    slope = (develop(flat, deep, replace(view, lens=Lens(exposure_ev=0.1))).astype(float) - still).mean()
    per_unit = slope / (0.18 * (2**0.1 - 1))  # codes per unit of light, about the grey
    assert (made - still).std() / per_unit == pytest.approx(0.02, rel=0.1)


def test_fog_hides_what_is_far():
    foggy = picture(fog_per_m=0.5).astype(float)
    assert foggy[1:, 48:].std() < 0.1 * foggy[1:, :4].std()


def test_depth_of_field_leaves_the_focus_sharp():
    sharp, soft = picture().astype(float), picture(focus_m=1.0, aperture_px=6.0).astype(float)
    assert soft[1:, 40:].std() < 0.6 * sharp[1:, 40:].std()
    assert soft[1:, 0].std() > 0.9 * sharp[1:, 0].std()
