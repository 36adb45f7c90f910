import numpy as np
import pytest

from tuckpoint.implant.appearance import Appearance, outline
from tuckpoint.implant.projection import project
from tuckpoint.implant.shape import Outline, fill
from tuckpoint.seed import Seed

NONE = np.zeros(0)
VECTORS = np.zeros((0, 3))


def ellipsoid(axes=(1.0, 1.0, 1.0)):
    return Outline(np.array(axes), np.eye(3), VECTORS, NONE, NONE, VECTORS, NONE, NONE)


def middles(found, position, spacing):
    """Places of pixel middles (y, x) in mm from the position."""
    return np.meshgrid(
        *[
            (np.arange(n) + c - p) * s
            for n, c, p, s in zip(found.mask.shape, found.corner, position, spacing, strict=True)
        ],
        indexing="ij",
    )


@pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.25, 0.8)])
def test_a_ball_is_as_thick_as_its_chords(spacing):
    position, radius = (50.3, 60.2), 6.0
    found = project(ellipsoid(), position, spacing, diameter=2 * radius)
    y, x = middles(found, position, spacing)
    inner = y**2 + x**2 < (radius - 1.0) ** 2
    wanted = 2 * np.sqrt(np.maximum(radius**2 - y**2 - x**2, 0))
    assert np.abs(found.thickness - wanted)[inner].max() < 0.1
    assert not found.thickness[y**2 + x**2 > (radius + 0.6) ** 2].any()
    assert found.thickness.sum() * np.prod(spacing) == pytest.approx(4 / 3 * np.pi * radius**3, rel=1e-4)
    assert found.mask.sum() * np.prod(spacing) == pytest.approx(np.pi * radius**2, rel=0.03)


def test_an_ellipsoid_is_seen_along_its_first_axis():
    axes = np.array([2.0, 1.0, 0.5])
    found = project(ellipsoid(axes), (40, 40), (0.3, 0.3), diameter=8.0)
    assert found.thickness.max() == pytest.approx(2 * axes[0] * 4.0, rel=0.01)
    rows, columns = (np.ptp(where) + 1 for where in np.nonzero(found.mask))
    assert rows * 0.3 == pytest.approx(2 * axes[1] * 4.0, abs=0.4)
    assert columns * 0.3 == pytest.approx(2 * axes[2] * 4.0, abs=0.4)


@pytest.mark.parametrize("kind", ["lobed", "spiculated", "part-solid"])
def test_it_is_the_shadow_of_the_shape_in_ct(kind):
    shape = outline(Appearance(), kind, 5.0, Seed(4))
    flat = project(shape, (40.2, 41.7), (0.5, 0.5), diameter=10.0, core=0.5)
    whole = fill(shape, (30.0, 40.2, 41.7), (0.25, 0.5, 0.5), diameter=10.0)
    shadow = np.zeros((90, 90))
    columns = tuple(slice(c, c + n) for c, n in zip(whole.corner[1:], whole.mask.shape[1:], strict=True))
    shadow[columns] = whole.occupancy.sum(axis=0) * 0.25
    own = tuple(slice(c, c + n) for c, n in zip(flat.corner, flat.mask.shape, strict=True))
    apart = np.abs(shadow[own] - flat.thickness)
    assert apart.mean() / flat.thickness[flat.mask].mean() < 0.02
    assert np.corrcoef(shadow[own].ravel(), flat.thickness.ravel())[0, 1] > 0.998
    assert flat.core.sum() / flat.thickness.sum() == pytest.approx(0.125, rel=0.02)
