"""What every annotator promises, on scenes whose answers are known."""

import json

import numpy as np
import pytest
from scene.stages import ball, box, camera, quad, stage

from tuckpoint import parts
from tuckpoint.errors import InputError, UnknownPart
from tuckpoint.scene.annotate import DEFAULT, annotate, meanings
from tuckpoint.scene.annotator import View
from tuckpoint.scene.annotators.masks import filled, run_lengths
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Contact, Pose, turned

ALL = parts.names("annotator")


def pose(*position, turn=0.0):
    return Pose(tuple(map(float, position)), turned((0.0, 0.0, 1.0), turn))


def shown(**changes):
    """A floor, a ball, and a box in front of its right half that moves to the right; the ball leaves on the left."""
    moving = (pose(0.5, -1.5, 0.5, turn=20), pose(0.7, -1.5, 0.5, turn=20))
    made = stage(
        [quad(half=4.0), ball(1.0), box(0.4)],
        poses=[(pose(0, 0, 0),), (pose(0, 0, 1),), moving],
        view=camera((0.0, -6.0, 1.5), (0.0, 0.0, 0.8), size=(160, 120), focal=130.0),
        frames=2,
        **changes,
    )
    return View(made, Raycast(device="cpu").render(made, 0, shaded=False), 0)


VIEW = shown()
ITEM = annotate(ALL, VIEW, key="00000000-0000")
FLOOR, BALL, BOX = ITEM.objects


def test_all_by_default_are_parts():
    assert set(DEFAULT) <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_it_gives_what_its_meanings_say_and_nothing_else(name):
    label = parts.find("annotator", name).annotate(VIEW)
    told = parts.find("annotator", name).meanings
    given = {*label.arrays, *label.facts, *(entry for entries in label.objects.values() for entry in entries)}
    assert given <= set(told)
    assert set(told) - given <= {"flow_back", "hidden_back"}  # there is no frame before the first
    for key, array in label.arrays.items():
        assert array.dtype == np.dtype(told[key].dtype)
        assert array.shape[:2] == (120, 160)
        assert array.ndim == told[key].shape.count(",") + 1
    json.dumps([label.objects, label.facts], allow_nan=False)


@pytest.mark.parametrize("name", ALL)
def test_the_same_frame_gives_the_same_label(name):
    one, other = (parts.find("annotator", name).annotate(VIEW) for _ in range(2))
    assert one.objects == other.objects
    assert one.facts == other.facts
    assert all(np.array_equal(one.arrays[key], other.arrays[key], equal_nan=True) for key in one.arrays)


def test_masks_boxes_and_visibility_agree():
    for entry in ITEM.objects:
        seen, whole = filled(entry["mask"]), filled(entry["mask_amodal"])
        assert not (seen & ~whole).any()
        left, top, right, bottom = entry["box"]
        assert seen[top:bottom, left:right].sum() == seen.sum() == entry["pixels"]
        assert seen[top].any()
        assert seen[bottom - 1].any()
        assert seen[:, left].any()
        assert seen[:, right - 1].any()
        assert entry["visible"] == seen.sum() / whole.sum()
        assert np.array_equal(ITEM.arrays["instance"] == entry["instance"], seen)
    assert 0.5 < BALL["visible"] < 0.95
    assert BOX["visible"] == 1
    assert BALL["truncated"] == BOX["truncated"] == 0
    assert FLOOR["truncated"] > 0.2


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # the tools' own, with this numpy
def test_run_lengths_are_those_of_the_coco_tools():
    from pycocotools import mask as tools

    random = np.random.default_rng(0)
    for drawn in (random.random((7, 5)) < 0.5, np.zeros((3, 4), bool), np.ones((3, 4), bool), filled(BALL["mask"])):
        code = run_lengths(drawn)
        assert np.array_equal(filled(code), drawn)
        packed = tools.frPyObjects(code, *drawn.shape)
        assert np.array_equal(tools.decode(packed).astype(bool), drawn)
        assert packed["counts"] == tools.encode(np.asfortranarray(drawn.astype(np.uint8)))["counts"]


def test_a_ball_has_the_oriented_box_of_its_radius():
    found = BALL["box_3d"]
    assert np.allclose(found["centre_m"], [0, 0, 1], atol=1e-6)
    assert np.allclose(found["size_m"], 2, atol=1e-3)
    assert np.allclose(np.mean(found["corners_world_m"], axis=0), [0, 0, 1], atol=1e-6)
    pixels, depth = VIEW.scene.camera.project(np.array(found["corners_world_m"]))
    assert np.allclose(found["corners_px"], pixels)
    assert np.allclose(np.array(found["corners_camera_m"])[:, 2], depth)
    pixel_box = np.array(found["corners_px"])
    left, top, right, bottom = BALL["box_amodal"]
    assert pixel_box[:, 0].min() <= left < right <= pixel_box[:, 0].max() + 1
    assert pixel_box[:, 1].min() <= top < bottom <= pixel_box[:, 1].max() + 1


def test_a_turned_box_turns_its_corners():
    corner = np.array(BOX["box_3d"]["corners_world_m"])[7] - BOX["box_3d"]["centre_m"]
    angle = np.radians(20)
    want = [0.4 * (np.cos(angle) - np.sin(angle)), 0.4 * (np.sin(angle) + np.cos(angle)), 0.4]
    assert np.allclose(corner, want, atol=1e-6)


def test_depths_positions_and_distances_are_one_geometry():
    depth, distance, position = (ITEM.arrays[name] for name in ("depth", "distance", "position"))
    on = np.isfinite(depth)
    pixels, planar = VIEW.scene.camera.project(position[on].astype(float))
    assert np.allclose(planar, depth[on], rtol=1e-5)
    y, x = np.nonzero(on)
    assert np.allclose(pixels, np.stack([x, y], 1) + 0.5, atol=1e-3)
    eye = VIEW.scene.camera.pose(0).position
    assert np.allclose(np.linalg.norm(position[on] - eye, axis=1), distance[on], rtol=1e-5)
    assert np.isinf(distance[~on]).all()
    floor = ITEM.arrays["instance"] == 1
    assert np.abs(position[floor][:, 2]).max() < 1e-4


def test_normals_turn_into_the_camera():
    floor = ITEM.arrays["instance"] == 1
    assert np.allclose(ITEM.arrays["normal"][floor], [0, 0, 1], atol=1e-6)
    up = ITEM.arrays["normal_camera"][floor][0]
    assert up[1] < -0.9  # down is +y
    assert up[2] < 0  # it faces the camera


def test_keypoints_know_whether_they_are_seen():
    (top,) = BOX["keypoints"]
    assert top["name"] == "top"
    assert top["state"] in (1, 2)
    near = VIEW.buffers.depth[int(top["pixel"][1]), int(top["pixel"][0])]
    assert (top["state"] == 2) == (top["depth_m"] <= near + 0.1)
    left = stage([box(0.4)], poses=[(pose(-30, 0, 0),)])
    (gone,) = annotate(["keypoints"], View(left, Raycast(device="cpu").render(left, 0, shaded=False)), key="0").objects
    assert gone["keypoints"][0]["state"] == 0


def test_a_covered_keypoint_is_told_as_covered():
    made = stage([box(0.3), quad((0, -1, 0), 1.0)], poses=[(pose(0, 0, 0),), (pose(0, -2, 0),)])
    point = annotate(["keypoints"], View(made, Raycast(device="cpu").render(made, 0, shaded=False)), key="0").objects[0]
    assert point["keypoints"][0]["state"] == 1


def test_tracks_are_points_of_the_surface_and_follow_it():
    after = View(VIEW.stage, Raycast(device="cpu").render(VIEW.stage, 1, shaded=False), 1)
    first, second = (annotate(["tracks", "instance", "flow"], view, key="0") for view in (VIEW, after))
    moved = 0
    for one, other in zip(first.objects, second.objects, strict=True):
        for here, there in zip(one["tracks"], other["tracks"], strict=True):
            if not here["seen"]:
                continue
            x, y = (int(value) for value in here["pixel"])
            if first.arrays["instance"][y, x] != one["instance"] or x > 157 or there["pixel"] is None:
                continue
            step = np.subtract(there["pixel"], here["pixel"])
            assert np.allclose(step, first.arrays["flow"][y, x], atol=0.3)
            moved += np.hypot(*step) > 3
    assert moved >= 3


def test_half_of_the_points_of_a_ball_are_on_its_far_side():
    made = stage([ball(1.0)] * 12, poses=[(pose(3 * (k % 4) - 4.5, 0, 3 * (k // 4) - 3),) for k in range(12)],
                 view=camera((0.0, -40.0, 0.0), size=(200, 160), focal=500.0))  # fmt: skip
    found = annotate(["tracks"], View(made, Raycast(device="cpu").render(made, 0, shaded=False)), key="0").objects
    seen = np.array([[point["seen"] for point in entry["tracks"]] for entry in found])
    assert 0.35 < seen.mean() < 0.6  # 192 points, half of them in front: 3.6 deviations each way
    places = np.array([[point["pixel"] for point in entry["tracks"]] for entry in found])
    assert not np.allclose(places[0] - places[0].mean(0), places[1] - places[1].mean(0), atol=1)


def test_poses_and_camera_say_the_same_place():
    own = np.array([0.0, 0.0, 0.0, 1.0])
    for entry in ITEM.objects:
        world = np.array(entry["pose_world"]) @ own
        assert np.allclose(np.array(ITEM.facts["camera"]["from_world"]) @ world, np.array(entry["pose_camera"]) @ own)


def test_what_touches_is_told_in_its_frame():
    made = shown(contacts=(Contact(0, "t0", "t2"), Contact(1, "t1", "t2")))
    found = annotate(["relations"], made, key="0").facts["relations"]
    assert found == [{"subject": 1, "relation": "touches", "object": 3}]


def test_words():
    assert ITEM.facts["caption"] == "three things"
    assert ITEM.facts["relations"] == []


def test_what_is_not_seen_still_has_its_entry():
    made = stage([box(0.3), quad((0, -1, 0), 1.0)], poses=[(pose(0, 0, 0),), (pose(0, -2, 0),)])
    entry = annotate(DEFAULT, View(made, Raycast(device="cpu").render(made, 0, shaded=False)), key="0").objects[0]
    assert entry["pixels"] == 0
    assert entry["box"] is None
    assert entry["visible"] == 0
    assert entry["box_amodal"] is not None


def test_meanings_cover_all_names():
    told = meanings(ALL)
    given = {*ITEM.arrays, *ITEM.facts, *(key for entry in ITEM.objects for key in entry)}
    assert given - {"instance", "name", "class", "class_id"} <= set(told)


def test_an_unknown_or_double_annotator_is_refused():
    with pytest.raises(UnknownPart, match='did you mean "depth"'):
        annotate(["dept"], VIEW, key="0")
    with pytest.raises(InputError, match="leave one of them out"):
        annotate(["depth", "depth"], VIEW, key="0")
