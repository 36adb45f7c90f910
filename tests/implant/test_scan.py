import numpy as np
import pytest
from implant.phantom import host, patch

from tuckpoint.errors import InputError
from tuckpoint.implant.ct import ct_host
from tuckpoint.implant.scan import ScanModel, check_hounsfield, scan_model


@pytest.mark.parametrize("psf_mm", [0.7, 1.1])
def test_point_spread_is_found(psf_mm):
    found = scan_model(host(psf_mm=psf_mm, noise=10.0))
    truth = np.hypot(psf_mm, 1 / np.sqrt(12))  # voxels average too
    assert np.allclose(found.psf_mm, truth, rtol=0.15)


def test_point_spread_is_found_along_each_axis_of_flat_voxels():
    found = scan_model(host(spacing=(2.5, 0.8, 0.8), shape=(22, 66, 66), noise=10.0, psf_mm=1.0))
    assert found.psf_mm[1] == pytest.approx(1.03, rel=0.15)
    assert found.psf_mm[0] > 1.2 * found.psf_mm[1]


def test_noise_is_found():
    low, high = (scan_model(host(noise=noise)).noise_hu for noise in (15.0, 45.0))
    assert low == pytest.approx(15, rel=0.25)
    assert high == pytest.approx(45, rel=0.25)


def test_a_model_comes_back_from_plain_values():
    one = scan_model(host())
    assert ScanModel.from_dict(one.to_dict()) == one


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((5, 5)), "2 axes"),
        (np.zeros((5, 5, 5), np.uint8), "8-bit"),
        (np.full((5, 5, 5), 200, np.int16), "8-bit"),
        (np.full((5, 5, 5), 1000, np.int16), "intercept"),
        (np.full((5, 5, 5), np.nan), "not all voxels"),
        (np.zeros((5, 5, 5), bool), "type bool"),
    ],
)
def test_what_is_no_hounsfield_is_refused(image, words):
    with pytest.raises(InputError, match=words):
        check_hounsfield("scan", image)


def test_a_mask_of_another_geometry_is_refused():
    with pytest.raises(InputError, match="another image"):
        ct_host("scan", patch(), (1.0, 1.0, 1.0), lung=np.ones((50, 50, 49), bool))
