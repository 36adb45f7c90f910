"""Things cut out of pictures by their boxes as a detector would: a margin, edges a little off, fewer pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MARGIN, OFF = 0.13, 0.12  # of the thing's longer side; the edges are off by up to so much
FINEST, COARSEST = 64, 14  # pixels along a side before the crop is scaled


def crop(picture: NDArray[np.uint8], box: Sequence[float], side: int, random: np.random.Generator) -> NDArray[np.uint8]:
    """The picture (h, w, 3) within a box (left, top, right, bottom), as (side, side, 3), and as if of fewer pixels."""
    from PIL import Image

    left, top, right, bottom = box
    size = max(right - left, bottom - top)
    edges = np.array([left, top, right, bottom], float)
    off, small = random.uniform(-OFF, OFF, 4), int(np.exp(random.uniform(np.log(COARSEST), np.log(FINEST))))
    edges += size * np.array([-1, -1, 1, 1]) * (MARGIN + off)
    image = Image.fromarray(picture)
    image = image.transform((2 * side, 2 * side), Image.Transform.EXTENT, tuple(edges), Image.Resampling.BILINEAR)
    image = image.resize((small, small), Image.Resampling.BOX if small < side else Image.Resampling.BILINEAR)
    return np.asarray(image.resize((side, side), Image.Resampling.BILINEAR))
