import io

import numpy as np
import pytest
from photos.scenes import encoded, scene
from PIL import Image, ImageOps

from tuckpoint.photos.picture import decoded, read, shrunk

PIXELS = scene("blue", 3)[:40]


@pytest.mark.parametrize("turned", range(1, 9))
def test_exif_orientations_are_undone(turned):
    image = Image.fromarray(PIXELS)
    exif = image.getexif()
    exif[0x0112] = turned
    data = encoded(image, exif=exif)
    pixels, odd = decoded(data)
    np.testing.assert_array_equal(pixels, np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data)))))
    assert bool(odd) == (turned != 1)


def test_sixteen_bits_keep_their_range():
    grey = (np.arange(64 * 64).reshape(64, 64) * 16).astype(np.uint16)
    pixels, odd = decoded(encoded(Image.fromarray(grey)))
    assert odd == ["16 bits"]
    np.testing.assert_allclose(pixels[..., 0], grey / 257, atol=0.51)


def test_cmyk_is_told_and_transparent_pixels_stand_on_white():
    assert decoded(encoded(Image.fromarray(PIXELS).convert("CMYK"), "JPEG"))[1] == ["CMYK"]
    clear = np.dstack([PIXELS, np.zeros(PIXELS.shape[:2], np.uint8)])
    pixels, odd = decoded(encoded(clear))
    assert odd == ["transparency"]
    assert (pixels == 255).all()


def test_what_is_no_picture_is_told_and_not_raised(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture at all")
    (tmp_path / "b.jpg").write_bytes(encoded(PIXELS, "JPEG")[:300])
    for name in ("a.png", "b.jpg", "absent.png"):
        seen = read(tmp_path / name)
        assert seen.pixels is None
        assert seen.faults


def test_shrinking_averages():
    checks = np.indices((96, 96)).sum(axis=0) % 2 * 255
    small = shrunk(np.repeat(checks[..., None], 3, axis=2).astype(np.uint8), 48)
    assert abs(small[4:-4, 4:-4].astype(float) - 127.5).max() < 8
