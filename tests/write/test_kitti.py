import json
import math

import numpy as np
import pytest
from write.handmade import FOCAL, HEIGHT, WIDTH, camera, disc, hand_set, item, stays_inside, thing

from tuckpoint.errors import InputError
from tuckpoint.scene.scene import Pose, looking, turned
from tuckpoint.write.kitti import kitti
from tuckpoint.write.sets import unpng

SIZE = (4.0, 2.0, 1.5)  # along the thing's x (its length), y, z
LEVEL = looking((0.0, 0.0, 1.0), (0.0, 10.0, 1.0))  # the camera looks along +y of the world, its x is that of the world


def box(pose):
    """The entry box_3d of a thing that stands on z = 0 of its own frame."""
    matrix = pose.matrix()
    low, high = np.array([-SIZE[0] / 2, -SIZE[1] / 2, 0]), np.array([SIZE[0] / 2, SIZE[1] / 2, SIZE[2]])
    corners = np.array([[(low, high)[k >> 2 & 1][0], (low, high)[k >> 1 & 1][1], (low, high)[k & 1][2]]
                        for k in range(8)])  # fmt: skip
    return {"corners_world_m": (corners @ matrix[:3, :3].T + matrix[:3, 3]).tolist(), "size_m": list(SIZE)}


def written(tmp_path, poses, *, view=LEVEL, masks=None):
    """The lines of one picture's label file, as names and numbers."""
    facts = {"camera": camera(np.linalg.inv(view.matrix()))}
    masks = masks or [disc(30, 24, 9)] * len(poses)
    each = zip(range(1, 9), poses, masks, strict=False)
    things = [thing(n, n, mask, box_3d=box(pose)) for n, pose, mask in each]
    made = hand_set(tmp_path / "set", [item("00000007", things, facts=facts)])
    out = tmp_path / "out"
    out.mkdir()
    kitti(made, out)
    lines = (out / "training" / "label_2" / "000000.txt").read_text(encoding="utf-8").splitlines()
    return made, out, [(line.split(" ")[0], np.array(line.split(" ")[1:], float)) for line in lines]


@pytest.mark.parametrize(("yaw_deg", "x", "y"), [(0, 0, 10), (30, 2, 8), (90, -3, 12), (-135, 4, 6), (180, 0.5, 9)])
def test_turn_and_place_are_those_of_paper(tmp_path, yaw_deg, x, y):
    _, out, ((_, row),) = written(tmp_path, [Pose((x, y, 0.0), turned((0, 0, 1), yaw_deg))])
    height, width, length = row[7:10]
    assert (length, width, height) == SIZE
    assert np.allclose(row[10:13], [x, 1.0, y], atol=1e-3)  # the camera stands 1 m above the ground, y down
    # A turn to the left about the world's z is a turn to the left about an axis that points down: minus the angle.
    assert math.cos(row[13] + math.radians(yaw_deg)) == pytest.approx(1, abs=1e-6)
    assert math.cos(row[2] - (row[13] - math.atan2(x, y))) == pytest.approx(1, abs=1e-6)
    assert -math.pi <= row[2] <= math.pi
    assert json.loads((out / "info.json").read_text("utf-8"))["things_tilted"] == 0


def test_corners_by_the_benchmark_s_own_formula_project_where_ours_do(tmp_path):
    pose = Pose((1.5, 9.0, 0.0), turned((0, 0, 1), 25))
    _, out, ((_, row),) = written(tmp_path, [pose])
    h, w, length, x, y, z, turn = row[7:14]
    across = np.array([[length, length, -length, -length] * 2, [0] * 4 + [-2 * h] * 4, [w, -w, -w, w] * 2]) / 2
    c, s = math.cos(turn), math.sin(turn)
    corners = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ across + [[x], [y], [z]]
    told = dict(
        line.split(": ") for line in (out / "training" / "calib" / "000000.txt").read_text("utf-8").splitlines()
    )
    project = np.array(told["P2"].split(), float).reshape(3, 4)
    seen = project @ np.vstack([corners, np.ones(8)])
    pixels = (seen[:2] / seen[2]).T + 0.5  # KITTI counts from the middle of a pixel, we from its corner
    own = (np.array(box(pose)["corners_world_m"]) - LEVEL.position) @ LEVEL.matrix()[:3, :3]
    ours = own[:, :2] / own[:, 2:] * FOCAL + [WIDTH / 2, HEIGHT / 2]
    assert np.allclose(sorted(map(tuple, pixels)), sorted(map(tuple, ours)), atol=2e-3)
    assert set(told) == {"P0", "P1", "P2", "P3", "R0_rect", "Tr_velo_to_cam", "Tr_imu_to_velo"}
    ahead = np.array(told["Tr_velo_to_cam"].split(), float).reshape(3, 4) @ [1, 0, 0, 1]
    assert ahead.tolist() == [0, 0, 1]


def test_boxes_hiding_and_cutting(tmp_path):
    whole = disc(30, 24, 12)
    parts = [whole, whole & (np.arange(WIDTH) < 32), whole & (np.arange(WIDTH) < 22)]
    facts = {"camera": camera(np.linalg.inv(LEVEL.matrix()))}
    told = {"truncated": 0.25, "box_3d": box(Pose((0, 9, 0)))}
    things = [thing(n, 1, part, whole=whole, **told) for n, part in enumerate(parts, 1)]
    things.append(thing(9, 1, np.zeros_like(whole), **told))
    out = tmp_path / "out"
    out.mkdir()
    kitti(hand_set(tmp_path / "set", [item("00000000", things, facts=facts)]), out)
    rows = [line.split() for line in (out / "training" / "label_2" / "000000.txt").read_text("utf-8").splitlines()]
    assert [row[2] for row in rows] == ["0", "1", "2"]
    assert {row[1] for row in rows} == {"0.25"}
    ys, xs = np.nonzero(whole)
    assert [float(value) for value in rows[0][4:8]] == [xs.min(), ys.min(), xs.max(), ys.max()]
    assert json.loads((out / "info.json").read_text("utf-8"))["things_not_seen"] == 1


def test_what_leans_is_counted(tmp_path):
    poses = [Pose((0, 9, 0)), Pose((0, 9, 0), turned((1, 0, 0), 20)), Pose((0, 9, 0), turned((0, 1, 0), 0.5))]
    _, out, _ = written(tmp_path, poses)
    told = json.loads((out / "info.json").read_text("utf-8"))
    assert (told["things"], told["things_tilted"]) == (3, 1)
    assert told["largest_tilt_deg"] == pytest.approx(20, abs=1e-3)


def test_a_camera_that_looks_down_sees_things_tilted(tmp_path):
    _, out, _ = written(tmp_path, [Pose((0, 10, 0))], view=looking((0.0, 0.0, 10.0), (0.0, 10.0, 0.0)))
    assert json.loads((out / "info.json").read_text("utf-8"))["largest_tilt_deg"] == pytest.approx(45, abs=1e-3)


def test_hostile_names_are_one_word_and_told(tmp_path):
    made, out, rows = written(tmp_path, [Pose((0, 9, 0))] * 4)
    names = [name for name, _ in rows]
    assert all(len(numbers) == 14 for _, numbers in rows)
    assert len(set(names)) == 4
    assert "DontCare" not in names
    told = json.loads((out / "info.json").read_text("utf-8"))
    assert [told["names"][name] for name in names] == list(made.about.classes)
    assert told["renamed"] == names
    assert stays_inside(out)


def test_the_folder_is_whole_and_says_that_it_is_synthetic(tmp_path):
    made, out, _ = written(tmp_path, [Pose((0, 9, 0))])
    data = (out / "training" / "image_2" / "000000.png").read_bytes()
    assert np.array_equal(unpng(data), next(made.items()).image)
    assert b"synthetic\x00true" in data
    assert json.loads((out / "info.json").read_text("utf-8"))["tuckpoint_record"] == made.about.record.digest()
    assert (out / "ImageSets" / "train.txt").read_text("utf-8") == "000000\n"
    assert (out / "keys.txt").read_text("utf-8") == "00000007\n"
    assert (out / "record.json").is_file()


def test_what_is_lacking_is_told(tmp_path):
    poor = hand_set(tmp_path / "set", [item("00000000", [])], meanings=("box", "camera"))
    with pytest.raises(InputError, match="KITTI needs the label box_3d; render with --labels box box_3d visibility"):
        kitti(poor, tmp_path)
