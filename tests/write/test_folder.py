import json

import numpy as np
import pytest
from write.handmade import HEIGHT, HOSTILE, WIDTH, disc, hand_set, item, stays_inside, thing

from tuckpoint.write.folder import folder
from tuckpoint.write.sets import unpng

ARRAYS = {
    "class": disc(9, 9, 5).astype(np.uint8),
    "instance": disc(30, 24, 9).astype(np.uint16) * 700,
    "depth": np.linspace(0, 9, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH),
}


@pytest.fixture
def made(tmp_path):
    return hand_set(tmp_path / "set", [item("00000000", [thing(1, 2, disc(30, 24, 9))], arrays=ARRAYS)])


def test_everything_comes_back(made, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    folder(made, out)
    (picture,) = made.items()
    data = (out / "images" / "00000000.png").read_bytes()
    assert np.array_equal(unpng(data), picture.image)
    for name in ("class", "instance"):
        mask = (out / "masks" / name / "00000000.png").read_bytes()
        assert np.array_equal(unpng(mask), ARRAYS[name])
        assert b"synthetic\x00true" in mask
    with np.load(out / "arrays" / "00000000.npz") as arrays:
        assert set(arrays.files) == {"depth"}
        assert np.array_equal(arrays["depth"], ARRAYS["depth"])
    told = json.loads((out / "objects" / "00000000.json").read_text(encoding="utf-8"))
    assert told["objects"] == list(picture.objects)
    about = json.loads((out / "meanings.json").read_text(encoding="utf-8"))
    assert about["synthetic"] is True
    assert about["classes"] == list(HOSTILE)
    assert about["meanings"]["depth"]["unit"] == "m"
    assert (out / "record.json").is_file()
    assert stays_inside(out)
