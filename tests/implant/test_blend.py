import numpy as np
import pytest
from scipy import ndimage

from tuckpoint.implant import blend
from tuckpoint.seed import Seed


def noisy(level, sd=40.0, n=40):
    return (level + sd * Seed(3).numpy().standard_normal((n, n, n))).astype(np.float32)


def test_the_larger_of_two_is_taken_without_noise_and_so_not_too_bright():
    host = noisy(40.0)
    added = blend.change(blend.quiet(host, 40.0, (1.0, 1.0, 1.0)), np.full_like(host, 40.0), merge_above=-np.inf)
    assert abs((host + added).mean() - 40) < 8  # the larger of the noisy values would be 16 (one of them) too bright
    assert np.maximum(host, 40).mean() > 54


def test_noise_is_the_hosts_at_every_alpha():
    host = noisy(-850.0)
    alpha = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32)[:, None, None], host.shape)
    added = blend.change(blend.quiet(host, 40.0, (1.0, 1.0, 1.0)), np.full_like(host, 40.0), merge_above=-np.inf)
    made = host + alpha * added
    for row in (5, 20, 35):  # mixing host and fresh noise by alpha would be at .71 in the middle
        assert made[row].std() == pytest.approx(40, rel=0.12)


def test_a_quiet_host_keeps_its_edges():
    step = np.where(np.arange(40) < 20, -850.0, 40.0)[:, None, None] * np.ones((1, 40, 40))
    found = blend.quiet(step + noisy(0.0), 40.0, (1.0, 1.0, 1.0))
    assert abs(found[21:24].mean() - 40) < 40
    assert abs(found[16:19].mean() + 850) < 40
    assert found[5:15].std() < 25


def test_alpha_ends_where_nothing_would_be_seen():
    filled = np.zeros((31, 31, 31), np.float32)
    filled[15, 15, 15] = 1
    alpha = blend.soften(filled, (1.0, 1.0, 1.0))
    assert alpha[alpha > 0].min() >= blend.FAINTEST
    assert (alpha == 0).sum() > 25_000


def test_values_stay_within_limits_and_untouched_ones_stay_as_they_were():
    host = np.array([-3000, -1000, 3000, 100], np.int16)
    made = blend.lay(host, np.array([0.0, -500.0, 500.0, 0.4]), (-1024, 3071))
    assert made.tolist() == [-3000, -1024, 3071, 100]
    assert made.dtype == np.int16


def test_glass_darkens_no_vessel_but_may_darken_lung():
    beneath = np.array([-100.0, -900.0, -500.0])
    assert blend.change(beneath, np.full(3, -600.0), merge_above=-300.0).tolist() == [0, 300, -100]


def test_a_field_has_unit_variance_and_the_asked_correlation():
    found = blend.field((40, 40, 40), (2.0, 2.0, 2.0), Seed(1).numpy())
    assert found.std() == pytest.approx(1)
    rho = np.corrcoef(found[1:].ravel(), found[:-1].ravel())[0, 1]
    assert rho == pytest.approx(np.exp(-1 / (4 * 2.0**2)), abs=0.02)


def test_the_point_spread_is_that_of_the_host_once_voxels_have_averaged():
    sigmas = blend.point_spread((0.9, 0.9, 0.9), (1.0, 1.0, 1.0), 1.0)
    fine = np.zeros(4000)
    fine[2000:] = 1
    edge = ndimage.gaussian_filter1d(fine.reshape(400, 10).mean(axis=1), sigmas[0])
    slope = np.diff(ndimage.gaussian_filter1d(fine, 9.0)).max() * 10
    assert np.diff(edge).max() == pytest.approx(slope, rel=0.12)
