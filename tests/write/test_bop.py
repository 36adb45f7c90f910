import json
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from write.handmade import hand_set, item, stays_inside

from tuckpoint import pictures
from tuckpoint.errors import InputError
from tuckpoint.record import canonical
from tuckpoint.scene.annotators.masks import filled
from tuckpoint.scene.scene import Scene
from tuckpoint.scene.stage import staged
from tuckpoint.write import bop as module
from tuckpoint.write.bop import bop
from tuckpoint.write.sets import unpng

LABELS = ["mask", "mask_amodal", "box", "box_amodal", "visibility", "pose", "depth", "camera"]
SIZE_MM = np.array([200.0, 120.0, 160.0])
SPEC = {
    "name": "blocks",
    "image": {"width": 160, "height": 120},
    "frames": 2,
    "things": {
        "ground": {"family": "plane", "labelled": False},
        "near": {
            "family": "box", "class": "../../evil", "count": 3, "place": {"on": "ground"},
            "shape": {"width_m": 0.2, "depth_m": 0.12, "height_m": 0.16}, "motion": {"velocity_m_s": [1.0, 0.0, 0.0]},
        },
        "far": {"family": "ball", "class": "a/b\nc", "place": {"at": [0.0, 0.9, 0.1]}, "shape": {"radius_m": 0.1}},
    },
    "camera": {"distance_m": 0.9, "elevation_deg": 25.0, "azimuth_deg": -90.0, "fov_deg": 45.0},
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    place = tmp_path_factory.mktemp("bop") / "set"
    return pictures.render(SPEC, place, 3, seed=4, labels=LABELS, workers=1)


@pytest.fixture(scope="module")
def out(made):
    (folder,) = pictures.write(made.folder, ["bop"])
    return folder


def read(path):
    return json.loads(path.read_text("utf-8"))


def entries(made, out):
    """Every annotated thing: its picture's number and place in it, ours, and the three entries of BOP."""
    tables = ("scene_camera", "scene_gt", "scene_gt_info")
    camera, poses, info = (read(out / "train_pbr" / "000000" / f"{name}.json") for name in tables)
    for number, picture in enumerate(made.items()):
        own = [entry for entry in picture.objects if entry["box_amodal"]]
        assert len(own) == len(poses[str(number)]) == len(info[str(number)])
        for order, entry in enumerate(own):
            yield number, order, entry, camera[str(number)], poses[str(number)][order], info[str(number)][order]


def model(out, pose):
    return trimesh.load_mesh(out / "models" / f"obj_{pose['obj_id']:06d}.ply", process=False)


def test_depth_taken_back_lies_on_the_model(made, out):
    checked = 0
    for number, order, _, camera, pose, _ in entries(made, out):
        depth = unpng((out / f"train_pbr/000000/depth/{number:06d}.png").read_bytes()) * camera["depth_scale"]
        seen = unpng((out / f"train_pbr/000000/mask_visib/{number:06d}_{order:06d}.png").read_bytes()) > 0
        rows, columns = np.nonzero(seen)
        inner, z = np.array(camera["cam_K"]).reshape(3, 3), depth[seen]
        points = np.stack(
            [(columns - inner[0, 2]) * z / inner[0, 0], (rows - inner[1, 2]) * z / inner[1, 1], z], axis=1
        )
        own = (points - pose["cam_t_m2c"]) @ np.array(pose["cam_R_m2c"]).reshape(3, 3)
        if pose["obj_id"] == 1:
            out_of_it = np.abs(np.abs(own) / (SIZE_MM / 2)).max(axis=1)  # 1 on the surface of a block
            assert np.abs(out_of_it - 1).max() < 0.3 / (SIZE_MM.min() / 2)
        else:
            assert np.abs(np.linalg.norm(own, axis=1) - 100).max() < 1.0  # a ball of flat faces
        checked += len(own)
    assert checked > 500


def test_poses_and_cameras_put_the_model_where_the_picture_shows_it(made, out):
    for _, _, entry, camera, pose, info in entries(made, out):
        points = model(out, pose).vertices
        seen = points @ np.array(pose["cam_R_m2c"]).reshape(3, 3).T + pose["cam_t_m2c"]
        flat = seen @ np.array(camera["cam_K"]).reshape(3, 3).T
        pixels = flat[:, :2] / flat[:, 2:]
        if entry["pixels"]:
            x, y, w, h = info["bbox_obj"]
            assert np.allclose([x, y], pixels.min(axis=0), atol=1.01)
            assert np.allclose([x + w, y + h], pixels.max(axis=0), atol=1.01)
        world = (seen - camera["cam_t_w2c"]) @ np.array(camera["cam_R_w2c"]).reshape(3, 3)
        pose_world = np.array(entry["pose_world"])
        low, high = points.min(axis=0), points.max(axis=0)
        ours = pose_world[:3, :3] @ [0, 0, (high - low)[2] / 2000] + pose_world[:3, 3]  # all stand on their origin
        if pose["obj_id"] == 1:
            assert np.allclose(world.mean(axis=0) / 1000, ours, atol=1e-4)


def test_masks_and_counts(made, out):
    cut = 0
    for number, order, entry, camera, _, info in entries(made, out):
        name = f"{number:06d}_{order:06d}.png"
        whole, seen = (unpng((out / "train_pbr/000000" / kind / name).read_bytes()) for kind in ("mask", "mask_visib"))
        assert set(np.unique(whole)) <= {0, 255}
        assert np.array_equal(whole > 0, filled(entry["mask_amodal"]))
        assert np.array_equal(seen > 0, filled(entry["mask"]))
        assert info["px_count_visib"] == (seen > 0).sum()
        assert info["px_count_valid"] == (whole > 0).sum()
        assert info["px_count_all"] >= (whole > 0).sum()
        assert 1 - (whole > 0).sum() / info["px_count_all"] == pytest.approx(entry["truncated"])
        assert info["visib_fract"] == pytest.approx(info["px_count_visib"] / info["px_count_all"])
        if entry["pixels"]:
            ys, xs = np.nonzero(seen)
            assert info["bbox_visib"] == [xs.min(), ys.min(), np.ptp(xs), np.ptp(ys)]
        cut += entry["truncated"] > 0
        assert camera["depth_scale"] == 0.1
    assert cut


def test_models_are_in_mm_once_per_shape_with_their_size(made, out):
    told = read(out / "models" / "models_info.json")
    assert set(told) == {"1", "2"}  # three blocks of one shape, and a ball
    assert told["1"]["diameter"] == pytest.approx(np.linalg.norm(SIZE_MM), abs=1e-3)
    assert np.allclose([told["1"][f"size_{axis}"] for axis in "xyz"], SIZE_MM, atol=1e-3)
    assert np.allclose([told["1"][f"min_{axis}"] for axis in "xyz"], -SIZE_MM / 2, atol=1e-3)
    assert told["2"]["diameter"] == pytest.approx(200, abs=0.5)
    block = trimesh.load_mesh(out / "models" / "obj_000001.ply")
    assert np.allclose(block.bounds, [-SIZE_MM / 2, SIZE_MM / 2], atol=1e-3)
    assert block.volume == pytest.approx(SIZE_MM.prod(), rel=1e-5)  # closed, and turned outside
    assert made.about.record.digest().encode() in (out / "models" / "obj_000001.ply").read_bytes()
    info = read(out / "info.json")
    assert info["synthetic"] is True
    assert info["objects"]["1"]["classes"] == ["../../evil"]
    assert info["objects"]["2"]["classes"] == ["a/b\nc"]


def test_the_folder_is_whole(made, out):
    for number, picture in enumerate(made.items()):
        data = (out / f"train_pbr/000000/rgb/{number:06d}.png").read_bytes()
        assert np.array_equal(unpng(data), picture.image)
        assert b"synthetic\x00true" in data
    camera = read(out / "camera.json")
    assert (camera["width"], camera["height"], camera["cx"]) == (160, 120, 79.5)
    assert (out / "record.json").is_file()
    assert stays_inside(out)


def test_folders_hold_so_many_pictures(made, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PICTURES_PER_FOLDER", 2)
    bop(replace(made, build=built), tmp_path)
    assert [len(read(tmp_path / f"train_pbr/{n:06d}/scene_gt.json")) for n in range(3)] == [2, 2, 2]
    last = [unpng((tmp_path / "train_pbr/000002/rgb/000001.png").read_bytes()), list(made.items())[-1].image]
    assert np.array_equal(*last)


def built(told):
    return staged(Scene.from_dict(told))


@pytest.mark.parametrize(("labelled_m", "scale"), [(None, 0.1), (6.5, 0.1), (20.0, 1.0), (65.0, 1.0), (100.0, 10.0)])
def test_depth_beyond_16_bits_is_none_and_counted(made, tmp_path, labelled_m, scale):
    first, scene = next(made.pairs())
    shown = np.any([filled(entry["mask"]) for entry in first.objects], axis=0)
    depth = np.where(shown, first.arrays["depth"] if labelled_m is None else np.float32(labelled_m), np.float32(7000))
    depth[0, 0] = np.inf
    hand = hand_set(
        tmp_path / "set", [replace(first, arrays={"depth": depth})], classes=made.about.classes,
        meanings=tuple(made.about.meanings), scenes=[canonical(scene)], build=built,
    )  # fmt: skip
    (tmp_path / "out").mkdir()
    bop(hand, tmp_path / "out")
    assert read(tmp_path / "out/train_pbr/000000/scene_camera.json")["0"]["depth_scale"] == scale
    stored = unpng((tmp_path / "out/train_pbr/000000/depth/000000.png").read_bytes())
    assert np.array_equal(stored > 0, shown)
    assert np.allclose(stored[shown] * scale, depth[shown] * 1000, atol=scale / 2 + 1e-3)
    assert (
        read(tmp_path / "out/info.json")["depth_pixels_too_far"] == (~shown).sum() - 1
    )  # where nothing is, is not far


def test_what_is_lacking_is_told(tmp_path):
    poor = hand_set(tmp_path / "a", [item("00000000", [])], meanings=("mask", "depth"))
    with pytest.raises(InputError, match="BOP needs the label mask_amodal; render with --labels mask mask_amodal box"):
        bop(poor, tmp_path)
    bare = hand_set(tmp_path / "b", [item("00000000", [])], meanings=tuple(module.NEEDS))
    with pytest.raises(InputError, match="BOP needs the shapes of things"):
        bop(bare, tmp_path)


def test_a_model_of_the_user_comes_along_and_not_where_it_lies(tmp_path):
    trimesh.creation.box((0.4, 0.3, 0.2)).export(tmp_path / "mine.ply")
    own = {
        "family": "mesh",
        "class": "own",
        "shape": {"file": str(tmp_path / "mine.ply")},
        "place": {"at": [0, 0, 0.1]},
    }
    spec = {**SPEC, "frames": 1, "things": {"ground": SPEC["things"]["ground"], "own": own}}
    pictures.render(spec, tmp_path / "set", 1, labels=LABELS, shaded=False, workers=1)
    (folder,) = pictures.write(tmp_path / "set", ["bop"])
    told = read(folder / "info.json")["objects"]["1"]
    assert told["shape"]["file"] == "mine.ply"
    again = trimesh.load_mesh(folder / "models" / "obj_000001.ply")
    assert np.allclose(sorted(again.extents), [200, 300, 400], atol=1e-2)
