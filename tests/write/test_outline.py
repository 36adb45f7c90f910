import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as coco_mask
from scipy import ndimage

from tuckpoint.write.outline import INSET, outline


def drawn(corners, shape):
    """The pixels whose centres a polygon holds, by the even-odd rule: counted along each row."""
    again = np.zeros(shape, bool)
    ends = np.roll(corners, -1, axis=0)
    for row in range(shape[0]):
        y = row + 0.5
        cuts = (corners[:, 1] > y) != (ends[:, 1] > y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = corners[:, 0] + (y - corners[:, 1]) / (ends[:, 1] - corners[:, 1]) * (ends[:, 0] - corners[:, 0])
        again[row] = (at[cuts][None] > np.arange(shape[1])[:, None] + 0.5).sum(axis=1) % 2 == 1
    return again


def blobs(seed, share):
    noise = ndimage.gaussian_filter(np.random.Generator(np.random.Philox(key=seed)).random((40, 56)), 2)
    return noise > np.quantile(noise, share)


@pytest.mark.parametrize("seed", range(6))
def test_any_mask_comes_back(seed):
    mask = blobs(seed, 0.3 + 0.1 * seed)
    corners = outline(mask)
    assert np.array_equal(drawn(corners, mask.shape), mask)
    by_coco = coco_mask.frPyObjects([corners.ravel().tolist()], *mask.shape)
    own = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert coco_mask.iou(by_coco, [own], [0])[0, 0] > 0.99


def test_a_square_has_four_corners():
    mask = np.zeros((5, 6), bool)
    mask[1:4, 2:5] = True
    assert len(outline(mask)) == 4
    assert np.allclose(outline(mask).min(axis=0), (2 + INSET, 1 + INSET))
    assert np.allclose(outline(mask).max(axis=0), (5 - INSET, 4 - INSET))


def test_the_whole_picture_one_pixel_and_none():
    assert len(outline(np.ones((3, 3), bool))) == 4
    one = np.zeros((3, 3), bool)
    one[1, 1] = True
    assert np.array_equal(drawn(outline(one), one.shape), one)
    assert outline(np.zeros((3, 3), bool)).shape == (0, 2)


def test_pixels_that_touch_at_a_corner():
    mask = np.eye(4, dtype=bool)
    assert np.array_equal(drawn(outline(mask), mask.shape), mask)
    assert np.array_equal(drawn(outline(~mask), mask.shape), ~mask)
    assert len(outline(np.eye(2, dtype=bool))) == 10  # two squares and the two ends of a seam


def bordered(corners, shape):
    """The pixels that whole numbers and a border that is drawn, too, fill: as Ultralytics reads polygons."""
    canvas = Image.new("1", shape[::-1])
    ImageDraw.Draw(canvas).polygon([(int(x), int(y)) for x, y in corners], fill=1, outline=1)
    return np.asarray(canvas)


@pytest.mark.parametrize("seed", range(6))
def test_a_reader_that_cuts_decimals_off_loses_nothing(seed):
    mask = blobs(seed, 0.3 + 0.1 * seed)
    again = bordered(outline(mask), mask.shape)
    assert not (mask & ~again).any()
    if seed < 5:  # of small pieces far apart the seams are a large share
        assert mask.sum() / again.sum() > 0.95


def test_a_reader_that_cuts_decimals_off_has_one_piece_exactly():
    mask = ndimage.label(blobs(2, 0.5))[0] == 1
    mask = ndimage.binary_fill_holes(mask)
    assert mask.sum() > 200
    assert np.array_equal(bordered(outline(mask), mask.shape), mask)
