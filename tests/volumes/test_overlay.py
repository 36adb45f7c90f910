from functools import cache

import numpy as np
import pytest
from implant.phantom import chest, patch
from PIL import Image, ImageDraw, ImageFont

from tuckpoint.errors import InputError
from tuckpoint.volumes.overlay import check_no_text, lines

SIDE = 192


@cache
def scan(*, noise=25.0):
    """(12, 192, 192) int16: a body with lungs, and what could be taken for letters: a row of ribs, rods, screws, a wire
    along the slices, bars, saturated metal; blurred, with noise."""
    z, y, x = np.meshgrid(np.arange(12.0), *[np.arange(SIDE) - SIDE / 2] * 2, indexing="ij")
    image = np.full(z.shape, -1000.0)
    image[(y / 70) ** 2 + (x / 90) ** 2 < 1] = 40
    image[(y / 50) ** 2 + ((np.abs(x) - 42) / 32) ** 2 < 1] = -850
    for k in range(7):
        image[(y + 60) ** 2 + (x + 36 - 12 * k) ** 2 < 4**2] = 1200
        image[(np.abs(x + 30 - 7 * k) < 1.2) & (np.abs(y) < 4)] = 2500
    image[(y - 50) ** 2 + (np.abs(x) - 10) ** 2 < 2.5**2] = 9000
    image[(np.abs(y + 40 + 6 * np.sin(x / 6)) < 0.9) & (np.abs(x + 40) < 25)] = 8000
    made = np.random.Generator(np.random.Philox(key=5)).normal(0, noise, image.shape) if noise else 0
    return np.clip(np.round(image + made), -1024, 3071).astype(np.int16)


def soft_tissue(plane):
    """(h, w) uint8 as a screen shows it, -160 to 240 HU."""
    return (np.clip((plane + 160.0) / 400, 0, 1) * 255).astype(np.uint8)


def written(image, size, *, smooth, value, at=(6, 8)):
    """The image with a name and a date in letters of `size` px."""
    sheet = Image.new("L", (SIDE, SIDE), 0)
    draw = ImageDraw.Draw(sheet)
    draw.fontmode = "L" if smooth else "1"
    text = "DOE Jane\n1960-01-02\nID 4711-08"
    draw.multiline_text(at, text, 255, ImageFont.load_default(size))
    share = np.asarray(sheet) / 255
    return np.round(image * (1 - share) + value * share).astype(image.dtype)


@pytest.mark.parametrize("smooth", [False, True], ids=["hard", "smooth"])
@pytest.mark.parametrize("size", [10, 13, 18, 24])
def test_text_is_found_in_scans_and_in_captures_of_the_screen(size, smooth):
    found = lines(written(scan(), size, smooth=smooth, value=3071))
    assert found
    one = max(found, key=lambda line: line.letters)
    assert one.axis == 0
    assert one.rows[1] <= 8 + 4 * size
    assert 0.4 * size <= one.rows[1] - one.rows[0] <= 1.3 * size
    assert lines(written(soft_tissue(scan()[5]), size, smooth=smooth, value=255))


def test_text_is_found_along_whatever_axis_the_slices_lie():
    stack = written(scan(), 13, smooth=False, value=2000)
    assert {line.axis for line in lines(np.ascontiguousarray(np.moveaxis(stack, 0, 2)))} == {2}


@pytest.mark.parametrize("noise", [0.0, 25.0])
def test_metal_bone_and_bars_are_no_text(noise):
    image = scan(noise=noise)
    assert not lines(image)
    assert not lines(np.clip(image, -1024, 1000))  # bone saturated as well
    assert not lines(image[5])
    assert not lines(soft_tissue(image[5]))
    padded = np.where(np.hypot(*np.indices((SIDE, SIDE)) - SIDE / 2) > 94, -2000, image).astype(np.int16)
    assert not lines(padded)


def test_phantoms_are_no_text():
    assert not lines(chest())
    assert not any(lines(patch(seed)) for seed in range(1))


def test_the_error_says_where_and_what_to_do():
    with pytest.raises(InputError, match=r"3 lines, the longest of \d+ letters at rows \d+ to \d+.*z.*--burned-in"):
        check_no_text("series", written(scan(), 13, smooth=False, value=3071))
    check_no_text("series", scan())
