import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from volumes.made import RECORD, case, written

from tuckpoint.errors import InputError
from tuckpoint.volumes import picture
from tuckpoint.volumes.volume import Case


def photo(name="tile", dtype=np.uint8, channels=0):
    draw = np.random.Generator(np.random.Philox(key=2))
    size = (20, 30, channels) if channels else (20, 30)
    host = draw.integers(50, np.iinfo(dtype).max, size).astype(dtype)
    image, labels = host.copy(), np.zeros((20, 30), np.uint16)
    labels[3:6, 4:9] = 1
    labels[19, 25:30] = 3  # down to the last pixel
    image[labels > 0] = 10
    told = [
        {"kind": kind, "null": null, "box": []} for kind, null in (("hole", False), ("hole", True), ("crack", False))
    ]
    return Case(name, image, host, labels, (labels > 0).astype(np.float32), tuple(told), "part 1")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of the reader's compiled part
@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 0), (np.uint8, 3), (np.uint16, 0), (np.uint16, 3)])
def test_the_official_reader_finds_every_pixel(tmp_path, dtype, channels, capsys):
    one, other = photo(dtype=dtype, channels=channels), photo("other", dtype=dtype, channels=channels)
    written("coco", [other, one], tmp_path)
    read = COCO(str(tmp_path / "annotations.json"))
    assert [image["file_name"] for image in read.loadImgs([1, 2])] == ["other.png", "tile.png"]
    assert sorted(read.anns) == [1, 2, 3, 4]
    masks = {read.cats[a["category_id"]]["name"]: (read.annToMask(a), a) for a in read.imgToAnns[2]}
    assert set(masks) == {"hole", "crack"}
    for kind, number in (("hole", 1), ("crack", 3)):
        mask, told = masks[kind]
        assert np.array_equal(mask > 0, one.labels == number)
        assert told["area"] == (one.labels == number).sum()
    assert masks["hole"][1]["bbox"] == [4, 3, 5, 3]
    image = Image.open(tmp_path / "images" / "tile.png")
    assert image.text["tuckpoint_record"] == RECORD.digest()
    assert np.array_equal(picture.read(tmp_path / "images" / "tile.png"), one.image)
    assert read.dataset["info"]["nulls"] == 2


def test_plain_masks_are_beside_their_images(tmp_path):
    one = photo()
    written("png", [one], tmp_path)
    mask = Image.open(tmp_path / "masks" / "tile.png")
    assert np.array_equal(np.asarray(mask) == 255, one.labels > 0)
    assert mask.text["synthetic"] == "true"
    assert json.loads((tmp_path / "record.json").read_bytes())["digest"] == RECORD.digest()


def test_what_png_cannot_hold_is_told(tmp_path):
    one = photo()
    with pytest.raises(InputError, match="8 or 16 bits a channel; the photograph is float32"):
        written("png", [replace(one, image=one.image.astype(np.float32))], tmp_path)


def test_volumes_are_refused(tmp_path):
    with pytest.raises(InputError, match="a volume, not a photograph"):
        written("coco", [case()], tmp_path)
