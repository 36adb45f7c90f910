import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.scene.mesh import Mesh


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


def test_bounds_hold_all():
    low, high = triangle().bounds
    assert low.tolist() == [0, 0, 0]
    assert high.tolist() == [1, 1, 0]
