import numpy as np
import pytest
from implant.chest import MM, NOISE, PSF_MM, film, host
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant.radiograph_host import ASSUMED_MM, radiograph_host
from tuckpoint.implant.radiograph_host import film as model
from tuckpoint.seed import Seed


@pytest.mark.parametrize(("spacing", "psf_mm"), [((MM, MM), PSF_MM), ((MM, MM), 1.4), ((0.6, 1.0), PSF_MM)])
def test_blur_and_noise_are_those_of_the_film(spacing, psf_mm):
    found = model(host(3, spacing=spacing, psf_mm=psf_mm))
    assert not found.assumed
    assert found.psf_mm == pytest.approx((psf_mm, psf_mm), rel=0.2)
    assert NOISE < found.noise < 1.5 * NOISE  # vessels are as fine as pixels of this size


def test_noise_of_an_even_film_is_found():
    grain = ndimage.gaussian_filter(Seed(1).numpy().standard_normal((90, 90)), 0.5)
    even = np.round(1000 + 12 * grain / grain.std()).astype(np.uint16)
    found = model(radiograph_host("even", even, (0.2, 0.2), lung=np.ones((90, 90), bool)))
    assert found.noise == pytest.approx(12, rel=0.2)
    assert found.noise_length_px == pytest.approx(0.5, abs=0.15)
    assert found.step == 0
    assert found.assumed


def test_without_a_sharp_edge_the_blur_is_assumed_and_that_is_kept():
    found = model(host(3, marker=False))
    assert found.assumed
    assert found.psf_mm == (max(ASSUMED_MM, 0.3 * MM),) * 2
    assert found.to_dict()["psf_assumed"] == 1.0


def test_edges_that_are_cut_off_do_not_count():
    image, lung = film(3, marker=False)
    image = image.copy()
    image[:20] = 4095  # an electronic shutter: sharper than any film
    assert model(radiograph_host("shut", image, (MM, MM), lung=lung, bits=12)).assumed


def test_the_lung_is_darker_than_what_surrounds_it_where_tissue_brightens():
    assert model(host(3)).step > 100
    image, lung = film(3)
    dark = 1000 - image.astype(np.int16)
    assert model(radiograph_host("dark", dark, (MM, MM), lung=lung)).step < -100


def test_limits_are_those_of_the_bits_that_are_used():
    image, lung = film(0)
    assert radiograph_host("a", image, (MM, MM), lung=lung).limits == (0, 4095)
    assert radiograph_host("a", image, (MM, MM), lung=lung, bits=14).limits == (0, 16383)
    assert radiograph_host("a", (image // 16).astype(np.uint8), (MM, MM), lung=lung).limits == (0, 255)
    assert radiograph_host("a", image.astype(np.int16), (MM, MM), lung=lung, bits=16).limits == (-32768, 32767)
    with pytest.raises(InputError, match="more than 10 bits hold"):
        radiograph_host("a", image, (MM, MM), lung=lung, bits=10)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"image": np.zeros((20, 30, 3), np.uint8)}, "its channels are alike: save it as grey"),
        ({"image": np.arange(1800, dtype=np.uint8).reshape(20, 30, 3)}, "give the original"),
        ({"image": np.zeros((2, 3, 20, 30), np.uint8)}, "4 axes"),
        ({"image": np.zeros((20, 30))}, "stored in 8 to 16 bits"),
        ({"spacing": (1.0, 0.0)}, "not two lengths"),
        ({"lung": np.ones((30, 20), bool)}, "give one of the same geometry"),
        ({"lung": np.zeros((20, 30), bool)}, "the lung mask is empty"),
    ],
)
def test_what_is_no_radiograph_is_refused(change, why):
    given = {"image": np.zeros((20, 30), np.uint8), "spacing": (1.0, 1.0), "lung": np.ones((20, 30), bool)} | change
    with pytest.raises(InputError, match=why):
        radiograph_host("x", given["image"], given["spacing"], lung=given["lung"])


def test_a_lung_of_few_pixels_is_refused():
    lung = np.zeros((60, 60), bool)
    lung[:10, :10] = True
    with pytest.raises(InputError, match="too few to see blur and noise in"):
        model(radiograph_host("small", np.full((60, 60), 9, np.uint8), (1.0, 1.0), lung=lung))
