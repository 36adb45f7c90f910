import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.photos.components import components
from tuckpoint.seed import Seed


def test_axes_are_those_of_the_singular_value_decomposition():
    random = np.random.default_rng(0)
    rows = (random.normal(size=(300, 5)) * [9, 7, 5, 3, 2]) @ np.linalg.qr(random.normal(size=(40, 5)))[0].T
    found = components(rows.astype(np.float32), 3, Seed(1))
    exact = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:3]
    np.testing.assert_allclose(np.abs(exact @ found.axes), np.eye(3), atol=1e-3)
    again = components(rows.astype(np.float32), 3, Seed(1))
    np.testing.assert_array_equal(found.axes, again.axes)


def test_few_rows_have_few_axes_and_one_none():
    assert components(np.random.default_rng(0).normal(size=(4, 9)).astype(np.float32), 8, Seed(0)).axes.shape == (9, 3)
    with pytest.raises(InputError, match="no principal components"):
        components(np.zeros((1, 9), np.float32), 2, Seed(0))
