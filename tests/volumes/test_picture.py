import numpy as np
import pytest
import SimpleITK
from PIL import Image

from tuckpoint.errors import InputError
from tuckpoint.volumes import picture

DEEP = np.random.Generator(np.random.Philox(key=9)).integers(0, 65536, (12, 17, 4)).astype(np.uint16)


def saved(path, values):
    """Written by another library: SimpleITK for 16 bits in several channels, else Pillow."""
    if values.dtype == np.uint16 and values.ndim == 3:
        SimpleITK.WriteImage(SimpleITK.GetImageFromArray(values, isVector=True), str(path))
    else:
        Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("end", ["png", "tif"])
@pytest.mark.parametrize(
    "values",
    [DEEP[..., 0], DEEP[..., :3], (DEEP[..., 0] >> 8).astype(np.uint8), (DEEP[..., :3] >> 8).astype(np.uint8)],
    ids=["grey 16", "colour 16", "grey 8", "colour 8"],
)
def test_no_bit_is_lost_whatever_the_depth(tmp_path, values, end):
    back = picture.read(saved(tmp_path / f"a.{end}", values))
    assert back.dtype == values.dtype
    assert np.array_equal(back, values)


def test_big_endian_grey_is_read_as_numbers(tmp_path):
    Image.frombytes("I;16B", (17, 12), DEEP[..., 0].astype(">u2").tobytes()).save(tmp_path / "a.tif")
    assert np.array_equal(picture.read(tmp_path / "a.tif"), DEEP[..., 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparency_is_left_out_only_where_nothing_is_transparent(tmp_path, dtype):
    values = (DEEP >> (8 if dtype == np.uint8 else 0)).astype(dtype)
    values[..., 3] = np.iinfo(dtype).max
    assert np.array_equal(picture.read(saved(tmp_path / "a.png", values)), values[..., :3])
    values[:3, :, 3] = 0
    with pytest.raises(InputError, match="25% of its pixels are transparent"):
        picture.read(saved(tmp_path / "a.png", values))


def test_deep_colour_bears_its_texts_and_gives_the_same_bytes(tmp_path):
    data = picture.deep_png(DEEP[..., :3], {"tuckpoint_record": "abc"})
    assert data == picture.deep_png(DEEP[..., :3], {"tuckpoint_record": "abc"})
    (tmp_path / "a.png").write_bytes(data)
    assert Image.open(tmp_path / "a.png").text["tuckpoint_record"] == "abc"
    assert np.array_equal(picture.read(tmp_path / "a.png"), DEEP[..., :3])


def test_what_is_no_single_picture_of_whole_numbers_is_refused(tmp_path):
    pages = [Image.fromarray(np.full((8, 8), n, np.uint8)) for n in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    saved(tmp_path / "float.tif", np.ones((8, 8), np.float32))
    (tmp_path / "text.png").write_text("no")
    for name, why in (("stack.tif", "holds 3 pictures"), ("float.tif", "values of type F"), ("text.png", "no picture")):
        with pytest.raises(InputError, match=why):
            picture.read(tmp_path / name)
