import numpy as np
import pytest

from tuckpoint.errors import UnfitScene
from tuckpoint.scene.inside import winding
from tuckpoint.scene.plan import plan
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed


def test_the_winding_number_tells_inside_from_outside():
    mesh = mesh_of("bowl", {"radius_m": 0.3, "height_m": 0.2})
    for point, inside in (((0.0, 0.0, 0.15), 0), ((0.0, 0.0, 0.005), 1), ((0.0, 0.0, -0.1), 0), ((1.0, 0.0, 0.1), 0)):
        assert winding(mesh.vertices, mesh.faces, np.array(point)) == pytest.approx(inside, abs=1e-3)


@pytest.mark.parametrize(("position", "free"), [([0.0, 0.0, 1.0], False), ([0.0, 0.0, 2.5], True)])
def test_no_camera_within_a_wall(position, free):
    told = {
        "name": "x",
        "things": {"wall": {"family": "box", "shape": {"width_m": 2.0, "depth_m": 2.0, "height_m": 2.0}}},
    }
    spec = Spec.from_dict({**told, "camera": {"position_m": position, "target_m": [1.0, 3.0, 1.0]}})
    if free:
        assert plan(spec, Seed(0), 0).camera.poses[0].position == tuple(position)
        return
    with pytest.raises(UnfitScene, match='inside "wall"') as caught:
        plan(spec, Seed(0), 0)
    assert caught.value.why == "the camera is inside a thing"
