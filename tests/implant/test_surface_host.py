import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tuckpoint.implant.defects import field
from tuckpoint.implant.surface_host import ground, surface_region
from tuckpoint.implant.values import Host


def draw():
    return np.random.Generator(np.random.Philox(key=5))


def as_host(image):
    return Host("x", image, (1.0, 1.0), "px", np.ones(image.shape, bool), (0.0, 255.0))


@pytest.mark.parametrize("sigma", [0.8, 1.2, 2.0])
def test_blur_is_that_of_a_known_step(sigma):
    image = np.full((100, 100), 60.0)
    image[30:70, 30:70] = 180.0
    seen = gaussian_filter(image, sigma) + draw().normal(0, 1, image.shape)
    assert ground(as_host(seen)).blur_px == pytest.approx(sigma, rel=0.25)


def test_without_a_sharp_edge_the_usual_blur_is_assumed():
    assert ground(as_host(100 + draw().normal(0, 3, (100, 100)))).blur_px == 0.8


@pytest.mark.parametrize("length", [0.6, 1.0, 1.5])
def test_noise_and_its_correlation_are_found(length):
    image = 100 + 4 * field((200, 200), length, draw())
    known = ground(as_host(image))
    assert known.sd == pytest.approx(4, rel=0.35)  # what is smoother than the high-pass counts as shading
    assert known.noise_length_px == pytest.approx(length, rel=0.35)


def test_shading_is_found_without_the_backdrop():
    image = np.full((100, 100), 10.0)
    image[20:80, 20:80] = 150 + draw().normal(0, 2, (60, 60))
    region = image > 80
    one = Host("x", image, (1.0, 1.0), "px", region, (0.0, 255.0))
    assert ground(one).level[22, 50, 0] == pytest.approx(150, abs=3)
    assert ground(one).edge_px[50, 50] == pytest.approx(30, abs=1)
    assert ground(one).edge_px[5, 5] == 0


def test_a_part_on_a_backdrop_is_found_dark_or_bright():
    region = np.zeros((100, 120), bool)
    region[20:80, 25:95] = True
    for inside, outside in ((150, 20), (40, 230)):
        image = np.where(region, inside, outside) + draw().normal(0, 3, region.shape)
        found = surface_region(image.astype(np.uint8))
        assert (found == region).mean() > 0.98


def test_a_part_that_fills_the_picture_is_all_of_it_whatever_is_on_it():
    image = 120 + draw().normal(0, 8, (100, 120))
    assert surface_region(image).all()
    image[40:60, 40:60] -= 70  # a defect is no backdrop
    assert surface_region(image).all()
    assert surface_region(image + 0.8 * np.arange(120)).all()


def test_a_dark_strip_at_the_border_is_left_out():
    image = 120 + draw().normal(0, 8, (100, 120))
    image[:, :8] = 15
    found = surface_region(image)
    assert not found[:, :6].any()
    assert found[:, 10:].all()
