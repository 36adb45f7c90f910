import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.scene import Texture
from tuckpoint.scene.texture import baked

RED, BLUE = ({"kind": "stripes", "settings": {"low": c, "high": c, "size": 16}} for c in ([1.0, 0, 0], [0, 0, 1.0]))


def decal(**settings):
    return baked(Texture("decal", {"under": RED, "over": BLUE, "size": 100, **settings}))


def blue(picture):
    return picture[..., 2] > 128


def test_it_covers_its_rectangle_and_nothing_else():
    rows, columns = np.nonzero(blue(decal(centre=[0.3, 0.8], extent=[0.4, 0.2])))
    assert (columns.min(), columns.max()) == (10, 49)
    assert (rows.min(), rows.max()) == (10, 29)  # v runs up


def test_a_quarter_turn_swaps_its_sides():
    rows, columns = np.nonzero(blue(decal(extent=[0.4, 0.2], turn_deg=90.0)))
    assert np.ptp(rows) + 1 == pytest.approx(40, abs=1)
    assert np.ptp(columns) + 1 == pytest.approx(20, abs=1)


def test_it_turns_counter_clockwise_and_keeps_its_area():
    turned = blue(decal(extent=[0.6, 0.1], turn_deg=30.0))
    assert turned.sum() == pytest.approx(600, rel=0.05)
    assert turned[40, 67]  # to the right and up
    assert not turned[60, 67]


def test_opacity_mixes_light():
    mixed = decal(opacity=0.5)[50, 50]
    assert mixed[0] == mixed[2] == 188  # half the light in sRGB
    assert not blue(decal(opacity=0.0)).any()


@pytest.mark.parametrize("settings", [{"centre": [0.5]}, {"extent": [0.0, 1.0]}, {"opacity": 2.0}])
def test_wrong_numbers_are_refused(settings):
    with pytest.raises(InputError, match="decal"):
        decal(**settings)
