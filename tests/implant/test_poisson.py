import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.implant.poisson import clone


def noise(key, size=(24, 30)):
    return np.random.Generator(np.random.Philox(key=key)).normal(100, 10, size)


def inner(size=(24, 30)):
    inside = np.zeros(size, bool)
    inside[6:18, 8:22] = True
    return inside


def test_a_source_that_is_lifted_is_the_host_again():
    host = noise(1)
    assert np.allclose(clone(host, host + 50, inner(), gradients="source"), host)


def test_nothing_changes_outside():
    host, inside = noise(1), inner()
    made = clone(host, noise(2), inside)
    assert np.array_equal(made[~inside], host[~inside])
    assert not np.allclose(made[inside], host[inside])


def test_a_harmonic_rim_is_continued_where_the_source_is_flat():
    y, x = np.mgrid[:24, :30].astype(float)
    host, inside = 3 * x - 2 * y, inner()  # a plane solves Laplace's equation
    spoilt = np.where(inside, noise(3), host)
    assert np.allclose(clone(spoilt, np.zeros_like(host), inside, gradients="source"), host)


def test_mixed_gradients_keep_the_steeper():
    host, inside = np.zeros((24, 30)), inner()
    host[12, 15], source = -40.0, np.zeros((24, 30))
    assert clone(host, source, inside, gradients="mixed")[12, 15] == pytest.approx(-40)
    assert clone(host, source, inside, gradients="source")[12, 15] == pytest.approx(0)


def test_channels_are_solved_one_by_one():
    host, source = np.stack([noise(1), noise(2)], -1), np.stack([noise(3), noise(4)], -1)
    both = clone(host, source, inner())
    assert np.allclose(both[..., 1], clone(host[..., 1], source[..., 1], inner()))


def test_what_cannot_be_solved_is_refused():
    with pytest.raises(InputError, match="leave a border"):
        clone(noise(1), noise(2), np.ones((24, 30), bool))
    with pytest.raises(InputError, match="give one size"):
        clone(noise(1), noise(2, (5, 5)), inner())
