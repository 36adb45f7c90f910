import sys

import numpy as np
import OpenEXR
import pytest
from write.handmade import HEIGHT, WIDTH, hand_set, item, stays_inside

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.labels import Meaning
from tuckpoint.write.exr import exr

RANDOM = np.random.Generator(np.random.Philox(key=3))
DEPTH = RANDOM.random((HEIGHT, WIDTH)).astype(np.float32) * 10
DEPTH[0, 0], DEPTH[1, 1] = np.inf, np.nan
ARRAYS = {
    "depth": DEPTH,
    "normal": RANDOM.normal(size=(HEIGHT, WIDTH, 3)).astype(np.float32),
    "flow": RANDOM.normal(size=(HEIGHT, WIDTH, 2)).astype(np.float32),
    "albedo": RANDOM.random((HEIGHT, WIDTH, 3)).astype(np.float32),
    "instance": RANDOM.integers(0, 65_535, (HEIGHT, WIDTH)).astype(np.uint16),
    "hidden": RANDOM.random((HEIGHT, WIDTH)) > 0.5,
}
MEANT = {
    "depth": Meaning("float32", "h, w", "m", "camera", "along the axis"),
    "normal": Meaning("float32", "h, w, 3", "unit vector", "world", "smooth"),
    "flow": Meaning("float32", "h, w, 2", "pixels", "image", "to the next"),
    "albedo": Meaning("float32", "h, w, 3", "linear RGB", "thing", "colour"),
    "instance": Meaning("uint16", "h, w", "instance id", "image", "ids"),
    "hidden": Meaning("bool", "h, w", "yes or no", "image", "hidden"),
}


@pytest.fixture
def made(tmp_path):
    return hand_set(tmp_path / "set", [item("00000000", [], arrays=ARRAYS)], meant=MEANT)


@pytest.fixture
def out(made, tmp_path):
    place = tmp_path / "out"
    place.mkdir()
    exr(made, place)
    return place


def test_every_number_comes_back_bit_for_bit(out):
    with OpenEXR.File(str(out / "arrays" / "00000000.exr"), separate_channels=True) as file:
        found = {name: channel.pixels for name, channel in file.channels().items()}
    axes_of = {"depth": "V", "normal": "XYZ", "flow": "XY", "albedo": "RGB", "instance": "V", "hidden": "V"}
    for name, axes in axes_of.items():
        planes = [found.pop(f"{name}.{axis}") for axis in axes]
        again = planes[0] if axes == "V" else np.stack(planes, axis=-1)
        assert np.array_equal(again, ARRAYS[name], equal_nan=name == "depth")
        assert again.dtype == (np.float32 if ARRAYS[name].dtype == np.float32 else np.uint32)
    assert not found


def test_the_header_has_units_and_the_stamp(made, out):
    with OpenEXR.File(str(out / "arrays" / "00000000.exr")) as file:
        header = dict(file.header())
    assert (header["depth.unit"], header["depth.frame"], header["depth.convention"]) == (
        "m",
        "camera",
        "along the axis",
    )
    assert header["flow.unit"] == "pixels"
    assert header["synthetic"] == "true"
    assert header["tuckpoint_record"] == made.about.record.digest()
    assert (out / "record.json").is_file()
    assert stays_inside(out)


def test_the_same_set_gives_the_same_bytes(made, out, tmp_path):
    (tmp_path / "again").mkdir()
    exr(made, tmp_path / "again")
    assert (tmp_path / "again/arrays/00000000.exr").read_bytes() == (out / "arrays/00000000.exr").read_bytes()


def test_refusals(tmp_path, monkeypatch):
    bare = hand_set(tmp_path / "bare", [item("00000000", [])])
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="dense labels, and this set has none"):
        exr(bare, tmp_path / "out")
    monkeypatch.setitem(sys.modules, "OpenEXR", None)
    with pytest.raises(MissingExtra, match=r"tuckpoint\[scenes\]"):
        exr(bare, tmp_path / "out")
