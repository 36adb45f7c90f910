import numpy as np
import pytest
from photos.scenes import encoded, scene
from scipy.ndimage import gaussian_filter

from tuckpoint.photos import attributes
from tuckpoint.photos.picture import decoded, shrunk


def measured(pixels):
    return attributes.measure(pixels, shrunk(pixels, 48))


def grey(values):
    return np.repeat(np.clip(np.rint(values), 0, 255).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("sigma", [2.0, 6.0, 15.0])
def test_noise_is_that_which_was_added(sigma):
    ramp = np.linspace(60, 190, 256)[None] * np.ones((256, 1))
    noisy = grey(ramp + np.random.default_rng(0).normal(0, sigma, ramp.shape))
    assert measured(noisy)["noise"] == pytest.approx(sigma, rel=0.06)


def test_brightness_and_contrast_are_those_of_luma():
    half = np.zeros((96, 96))
    half[:, 48:] = 200
    found = measured(grey(half))
    assert found["brightness"] == pytest.approx(100, abs=1)
    assert found["contrast"] == pytest.approx(100, abs=2)


def test_blur_takes_sharpness_and_compression_makes_blocks():
    pixels = np.kron(scene("red", 5, size=64), np.ones((2, 2, 1), np.uint8))
    fine = grey(128 + np.random.default_rng(1).normal(0, 30, (128, 128)))
    blurred = grey(gaussian_filter(fine[..., 0].astype(float), 4))
    assert measured(blurred)["sharpness"] < measured(fine)["sharpness"] - 0.2
    assert measured(decoded(encoded(pixels, "JPEG", quality=5))[0])["blockiness"] > 1.5
    assert measured(fine)["blockiness"] < 1.2


@pytest.mark.parametrize(
    ("colour", "name"),
    [((200, 20, 20), "red"), ((20, 200, 20), "green"), ((20, 20, 200), "blue"), ((220, 220, 30), "yellow"),
     ((128, 128, 128), "grey")],
)  # fmt: skip
def test_hues_have_their_names(colour, name):
    found = measured(np.full((64, 64, 3), colour, np.uint8))
    assert found["hue"] == name
    assert (found["colourfulness"] < 1) == (name == "grey")


def test_foreground_is_the_share_of_the_thing_and_is_not_told_on_uneven_ground():
    plain = np.full((96, 96, 3), 230, np.uint8)
    plain[24:72, 24:72] = (30, 90, 40)
    assert measured(plain)["foreground"] == pytest.approx(0.25, abs=0.03)
    assert measured(scene("red", 2))["foreground"] is None


def test_one_colour_and_few_pixels_have_no_value_where_none_can_be():
    found = measured(np.full((8, 5, 3), 7, np.uint8))
    assert found["sharpness"] is found["noise"] is found["blockiness"] is None
    assert (found["width"], found["height"], found["aspect"]) == (5, 8, 0.625)
