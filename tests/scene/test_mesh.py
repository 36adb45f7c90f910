import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.mesh import Mesh, joined, moved


def triangle(**changes):
    whole = {
        "vertices": np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32),
        "normals": np.array([[0, 0, 1]] * 3, np.float32),
        "uv": np.array([[0, 0], [1, 0], [0, 1]], np.float32),
        "faces": np.array([[0, 1, 2]], np.int32),
        "part": np.zeros(1, np.int32),
        "parts": ("all",),
        "keypoints": {"tip": (0.0, 1.0, 0.0)},
    }
    return Mesh(**{**whole, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"faces": np.zeros((0, 3), np.int32), "part": np.zeros(0, np.int32)}, "no faces"),
        ({"vertices": np.array([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]], np.float32)}, "1 vertices that are not finite"),
        ({"faces": np.array([[0, 1, 3]], np.int32)}, "outside 0..2"),
        ({"part": np.ones(1, np.int32)}, "outside 0..0"),
        ({"uv": np.zeros((2, 2), np.float32)}, "uv have shape"),
        ({"vertices": np.ones((3, 3), np.float32)}, "no size"),
    ],
)
def test_a_broken_mesh_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        triangle(**changes)


def test_joined_pieces_become_parts():
    whole = joined({"low": triangle(), "high": moved(triangle(), np.diag([1.0, 1.0, 2.0, 1.0]))})
    assert whole.parts == ("low", "high")
    assert whole.part.tolist() == [0, 1]
    assert whole.faces.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert whole.keypoints == {"low.tip": (0.0, 1.0, 0.0)}


def test_normals_stay_at_right_angles_when_a_mesh_is_stretched():
    slanted = triangle(normals=np.array([[0.6, 0, 0.8]] * 3, np.float32))
    stretched = moved(slanted, np.diag([2.0, 1.0, 1.0, 1.0]))
    along = np.array([0.8 * 2, 0, -0.6])  # it lay in the surface, and was stretched with it
    assert np.allclose(stretched.normals @ along, 0, atol=1e-6)
    assert np.allclose(np.linalg.norm(stretched.normals, axis=1), 1)


def test_bounds_hold_all():
    low, high = triangle().bounds
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [1, 1, 0]
