import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from write.handmade import HEIGHT, HOSTILE, WIDTH, disc, hand_set, item, point, stays_inside, thing

from tuckpoint.errors import InputError
from tuckpoint.write.coco import coco
from tuckpoint.write.sets import unpng

RING = disc(30, 24, 18) & ~disc(32, 22, 8)
POINTS = [point("top", 10.25, 5.5, 2), point("base", 12.0, 30.0, 1), point("far", 0, 0, 0)]


@pytest.fixture
def made(tmp_path):
    nothing = np.zeros((HEIGHT, WIDTH), bool)
    first = [thing(1, 1, RING, points=POINTS), thing(2, 2, disc(8, 8, 6)), thing(3, 1, nothing)]
    second = [thing(1, 1, disc(20, 20, 9), points=[point("base", 20.0, 20.0, 2)])]
    return hand_set(tmp_path / "set", [item("00000000", first), item("00000001", []), item("00000002", second)])


@pytest.fixture
def out(made, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    coco(made, place)
    return place


def test_its_own_tools_read_masks_boxes_and_names(made, out, capsys):
    read = COCO(str(out / "annotations.json"))
    assert [row["name"] for row in read.loadCats(read.getCatIds())] == list(HOSTILE)
    assert [len(read.getAnnIds(imgIds=[number])) for number in (1, 2, 3)] == [2, 0, 1]
    (ring, _) = read.loadAnns(read.getAnnIds(imgIds=[1]))
    own = coco_mask.encode(np.asfortranarray(RING.astype(np.uint8)))
    assert coco_mask.iou([read.annToRLE(ring)], [own], [0])[0, 0] == 1
    ys, xs = np.nonzero(RING)
    assert ring["bbox"] == [xs.min(), ys.min(), np.ptp(xs) + 1, np.ptp(ys) + 1]
    assert ring["area"] == RING.sum()
    for row, picture in zip(read.loadImgs([1, 2, 3]), made.items(), strict=True):
        data = (out / "images" / row["file_name"]).read_bytes()
        assert np.array_equal(unpng(data), picture.image)
        assert b"synthetic\x00true" in data


def test_a_class_has_all_points_that_any_of_its_things_has(out, capsys):
    read = COCO(str(out / "annotations.json"))
    assert read.loadCats([1])[0]["keypoints"] == ["top", "base", "far"]
    assert "keypoints" not in read.loadCats([2])[0]
    one, other = (read.loadAnns(read.getAnnIds(imgIds=[number], catIds=[1]))[0] for number in (1, 3))
    assert one["keypoints"] == [10.25, 5.5, 2, 12.0, 30.0, 1, 0, 0, 0]
    assert other["keypoints"] == [0, 0, 0, 20.0, 20.0, 2, 0, 0, 0]
    assert (one["num_keypoints"], other["num_keypoints"]) == (2, 1)


def test_the_stamp_and_what_is_not_seen(made, out):
    info = json.loads((out / "annotations.json").read_text(encoding="utf-8"))["info"]
    assert info["synthetic"] is True
    assert info["tuckpoint_record"] == made.about.record.digest()
    assert info["things_not_seen"] == 1
    assert (out / "record.json").is_file()
    assert stays_inside(out)


def test_what_is_lacking_is_told(tmp_path):
    poor = hand_set(tmp_path / "set", [item("00000000", [])], meanings=("box",))
    with pytest.raises(InputError, match="COCO needs the label mask; render with --labels mask box visibility"):
        coco(poor, tmp_path)
