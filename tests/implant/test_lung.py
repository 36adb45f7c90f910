import numpy as np
import pytest
from implant.phantom import chest, patch

from tuckpoint.errors import InputError
from tuckpoint.implant.lung import lung_region

SPACING = (4.0, 3.0, 3.0)


def test_both_lungs_of_a_chest_are_found_and_the_room_is_not():
    image = chest(SPACING)
    truth = image == -850
    found = lung_region("chest", image, SPACING)
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.95


def test_vessels_belong_to_the_lung():
    image = patch(0, noise=0.0)
    found = lung_region("patch", image, (1.0, 1.0, 1.0))
    grid = np.indices(image.shape) - 22
    deep = np.sqrt((grid**2).sum(axis=0)) < 13
    assert found[deep].mean() > 0.99
    assert not found[np.sqrt((grid**2).sum(axis=0)) > 23].any()


def test_a_scan_without_lung_is_refused():
    image = chest(SPACING)
    image[image == -850] = 40
    with pytest.raises(InputError, match="no lung in the scan"):
        lung_region("abdomen", image, SPACING)
    solid = np.full((40, 40, 40), 40, np.int16)
    solid[0, 0, 0] = -1000
    with pytest.raises(InputError, match="no lung in the patch"):
        lung_region("muscle", solid, (1.0, 1.0, 1.0))
