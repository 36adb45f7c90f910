import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuckpoint.errors import InputError
from tuckpoint.scene.scene import Camera, Lamp, Material, Pose, Scene, Texture, Thing, looking, quaternion, turned

CAMERA = Camera(width=64, height=48, focal_px=(50.0, 50.0), centre_px=(32.0, 24.0))


def thing(name, **changes):
    materials = {"all": Material(texture=Texture("checker", {"size": 4}))}
    return Thing(name, "box", {"width_m": 0.2}, materials, **changes)


def scene(*things, **changes):
    return Scene(spec="s", index=3, things=things, camera=CAMERA, **{"classes": ("a",), **changes})


def test_json_and_back_is_the_same_scene():
    first = scene(
        thing("one", class_name="a", parent="two", relation="on"), thing("two"), lamps=(Lamp((0.0, 0.0, 2.0)),)
    )
    again = Scene.from_dict(json.loads(json.dumps(first.to_dict())))
    assert again == first
    assert again.digest == first.digest


def test_any_choice_changes_the_identity():
    assert scene(thing("one")).digest != scene(thing("one", poses=(Pose((0.0, 0.0, 0.001)),))).digest


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: scene(thing("one"), thing("one")), 'two things are called "one"'),
        (lambda: scene(thing("one", poses=(Pose(), Pose()))), "2 poses, 1 frames"),
        (lambda: scene(thing("one", class_name="b")), 'unknown class "b"'),
        (lambda: Scene.from_dict({"tuckpoint_scene": 99}), "version"),
        (lambda: Scene.from_dict({**scene(thing("one")).to_dict(), "thigns": []}), "things"),
        (lambda: looking((1.0, 1.0, 1.0), (1.0, 1.0, 1.0)), "looks at itself"),
    ],
)
def test_what_cannot_be_is_refused(made, said):
    with pytest.raises(InputError, match=said):
        made()


def test_a_camera_sees_what_is_ahead_in_the_middle_and_what_is_right_to_the_right():
    camera = Camera(64, 48, (50.0, 50.0), (32.0, 24.0), (looking((0.0, -5.0, 0.0), (0.0, 0.0, 0.0)),))
    pixels, depth = camera.project(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -9.0, 0.0]]))
    assert np.allclose(depth, [5, 5, 5, -4])
    assert np.allclose(pixels[:3], [[32, 24], [42, 24], [32, 14]])
    assert np.isnan(pixels[3]).all()


@pytest.mark.parametrize("target", [(0.0, 0.0, -1.0), (0.0, 0.0, 1.0), (1.0, 2.0, 3.0), (-1.0, 0.0, 0.5)])
def test_looking_turns_without_a_mirror(target):
    matrix = looking((0.0, 0.0, 0.0), target).matrix()[:3, :3]
    assert np.allclose(matrix @ matrix.T, np.eye(3))
    assert np.linalg.det(matrix) == pytest.approx(1)
    assert np.allclose(matrix[:, 2], np.array(target) / np.linalg.norm(target))


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda axis: math.hypot(*axis) > 0.1), st.floats(-179, 179))
def test_a_quaternion_and_its_matrix_are_one_rotation(axis, angle):
    drawn = turned(axis, angle)
    again = quaternion(Pose(rotation=drawn).matrix())
    assert np.allclose(again, drawn, atol=1e-9) or np.allclose(again, np.negative(drawn), atol=1e-9)


def test_a_quarter_turn_about_z_takes_east_to_north():
    matrix = Pose(rotation=turned((0.0, 0.0, 1.0), 90)).matrix()
    assert np.allclose(matrix[:3, :3] @ [1, 0, 0], [0, 1, 0])
