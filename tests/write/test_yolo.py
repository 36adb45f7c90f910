import numpy as np
import pytest
import yaml
from pycocotools import mask as coco_mask
from write.handmade import HEIGHT, HOSTILE, WIDTH, disc, hand_set, item, point, stays_inside, thing

from tuckpoint.errors import InputError
from tuckpoint.scene.annotators.masks import filled
from tuckpoint.write.sets import unpng
from tuckpoint.write.yolo import yolo, yolo_pose, yolo_segment

RING = disc(30, 24, 18) & ~disc(32, 22, 8)
TWO = disc(10, 10, 8) | disc(50, 36, 9)
POINTS = [point("top", 10.25, 5.5, 2), point("base", 12.0, 30.0, 1), point("far", 0, 0, 0)]


@pytest.fixture
def made(tmp_path):
    first = [thing(1, 1, RING, points=POINTS), thing(2, 2, TWO), thing(3, 1, np.zeros((HEIGHT, WIDTH), bool))]
    empty = item("00000001", [])
    return hand_set(tmp_path / "set", [item("00000000", first), empty])


def rows(folder, key):
    return [line.split() for line in (folder / "labels" / "train" / f"{key}.txt").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("writer", [yolo, yolo_segment, yolo_pose])
def test_what_all_three_share(made, tmp_path, writer):
    out = tmp_path / "out"
    out.mkdir()
    writer(made, out)
    told = yaml.safe_load((out / "data.yaml").read_text("utf-8"))
    assert told["names"] == dict(enumerate(HOSTILE))
    assert told["synthetic"] is True
    assert told["tuckpoint_record"] == made.about.record.digest()
    assert (out / "record.json").is_file()
    assert not (out / told["val"]).exists()
    assert [int(row[0]) for row in rows(out, "00000000")] == [0, 1]
    assert rows(out, "00000001") == []
    for picture in made.items():
        data = (out / "images" / "train" / f"{picture.key}.png").read_bytes()
        assert np.array_equal(unpng(data), picture.image)
        assert b"synthetic\x00true" in data
    assert stays_inside(out)


def test_boxes_come_back(made, tmp_path):
    yolo(made, tmp_path)
    for row, mask in zip(rows(tmp_path, "00000000"), (RING, TWO), strict=True):
        x, y, w, h = map(float, row[1:])
        found = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) * (WIDTH, HEIGHT, WIDTH, HEIGHT)
        ys, xs = np.nonzero(mask)
        assert np.allclose(found, [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], atol=1e-3)


def test_polygons_filled_are_the_masks_with_holes_and_pieces(made, tmp_path):
    yolo_segment(made, tmp_path)
    for row, mask in zip(rows(tmp_path, "00000000"), (RING, TWO), strict=True):
        corners = np.array(row[1:], float).reshape(-1, 2)
        assert corners.min() >= 0
        assert corners.max() <= 1
        flat = (corners * (WIDTH, HEIGHT)).ravel().tolist()
        own = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
        assert mask.sum() > 200
        assert coco_mask.iou(coco_mask.frPyObjects([flat], HEIGHT, WIDTH), [own], [0])[0, 0] > 0.99
        ys, xs = np.nonzero(mask)
        assert np.allclose(
            corners.min(0) * (WIDTH, HEIGHT), [xs.min(), ys.min()], atol=0.051
        )  # its box is that of the mask
        assert np.allclose(corners.max(0) * (WIDTH, HEIGHT), [xs.max() + 1, ys.max() + 1], atol=0.051)


def test_points_of_all_classes_are_one_list(made, tmp_path):
    yolo_pose(made, tmp_path)
    told = yaml.safe_load((tmp_path / "data.yaml").read_text("utf-8"))
    assert told["kpt_shape"] == [3, 3]
    assert told["kpt_names"][1] == ["top", "base", "far"]
    one, other = rows(tmp_path, "00000000")
    assert len(one) == len(other) == 5 + 3 * 3
    found = np.array(one[5:], float).reshape(3, 3)
    assert found[:, 2].tolist() == [2, 1, 0]
    assert np.allclose(found[:2, :2] * (WIDTH, HEIGHT), [[10.25, 5.5], [12.0, 30.0]], atol=1e-3)
    assert not found[2].any()
    assert set(other[5:]) == {"0"}


def test_what_is_lacking_is_told(tmp_path):
    nothing = hand_set(tmp_path / "a", [item("00000000", [])], meanings=("depth",))
    with pytest.raises(InputError, match="YOLO needs the label box; render with --labels box"):
        yolo(nothing, tmp_path)
    boxes = hand_set(tmp_path / "b", [item("00000000", [])], meanings=("box",))
    with pytest.raises(InputError, match="needs the label mask"):
        yolo_segment(boxes, tmp_path)
    with pytest.raises(InputError, match="needs the label keypoints"):
        yolo_pose(boxes, tmp_path)
    bare = hand_set(tmp_path / "c", [item("00000000", [thing(1, 1, RING)])])
    with pytest.raises(InputError, match="none in this set has one"):
        yolo_pose(bare, tmp_path)


def test_masks_of_the_handmade_set_are_as_said(made):
    assert np.array_equal(filled(next(made.items()).objects[0]["mask"]), RING)
