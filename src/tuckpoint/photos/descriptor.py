"""Images as numbers without a learnt network: gradients and colours, and a few random projections of them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tuckpoint.seed import Seed

Floats = NDArray[np.float32]
SIDE = 48  # pixels along a side of what is described
CELL, WAYS = 6, 12
DESCRIPTOR = "_descriptor"
PROJECTIONS = 24
DECIMALS = 4
ROWS = 256  # images at once


def described(images: NDArray[np.uint8]) -> Floats:
    """Descriptors (n, d) of images (n, 48, 48, 3), the last of them a constant.

    Histograms of oriented gradients (Dalal and Triggs, 2005): twelve ways around the whole circle, cells of 6 pixels,
    blocks of four cells; and red against green, and blue against both, on a grid of 8 x 8. The contrast and brightness
    of the picture's middle are taken out first.
    """
    parts = [_described(images[at : at + ROWS]) for at in range(0, len(images), ROWS)]
    return np.concatenate(parts) if parts else _described(np.zeros((1, SIDE, SIDE, 3), np.uint8))[:0]


def _described(images: NDArray[np.uint8]) -> Floats:
    light = np.sqrt(images / np.float32(255))
    n, h, w, _ = light.shape
    middle = light[:, h // 6 : -h // 6, w // 6 : -w // 6].mean(axis=3)
    spread = middle.std(axis=(1, 2)) + 0.01
    light = 0.25 * (light - middle.mean(axis=(1, 2))[:, None, None, None]) / spread[:, None, None, None]
    dy, dx = (np.gradient(light, axis=axis) for axis in (1, 2))
    strength = np.hypot(dx, dy)
    best = strength.argmax(3)[..., None]
    dx, dy, strength = (np.take_along_axis(one, best, 3)[..., 0] for one in (dx, dy, strength))
    place = (np.arctan2(dy, dx) % (2 * np.pi)) / (2 * np.pi) * WAYS
    low = place.astype(int) % WAYS
    part = place - np.floor(place)
    cells = (h // CELL, w // CELL)
    shares = [strength * ((low == k) * (1 - part) + ((low + 1) % WAYS == k) * part) for k in range(WAYS)]
    ways = np.stack(shares, -1).reshape(n, cells[0], CELL, cells[1], CELL, WAYS).sum(axis=(2, 4))
    blocks = np.concatenate([ways[:, :-1, :-1], ways[:, 1:, :-1], ways[:, :-1, 1:], ways[:, 1:, 1:]], -1)
    blocks = np.minimum(blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 0.5), 0.2)
    grid = light.reshape(n, cells[0], CELL, cells[1], CELL, 3).mean(axis=(2, 4))
    colour = np.stack([grid[..., 0] - grid[..., 1], grid[..., 2] - grid[..., :2].mean(-1)], -1)
    colour = 0.15 * colour / (light.std(axis=(1, 2, 3))[:, None, None, None] + 0.03)
    return np.concatenate([blocks.reshape(n, -1), colour.reshape(n, -1), np.ones((n, 1))], 1).astype(np.float32)


def with_descriptors(table: pa.Table, images: NDArray[np.uint8]) -> pa.Table:
    """A table of images with their descriptors, and with `look_00` ...: random projections, in which near is alike.

    The projections are the same for all images (Johnson and Lindenstrauss, 1984), so that nothing is learnt by them.
    """
    seen = described(images)
    flat = pa.array(seen.reshape(-1))
    table = table.append_column(DESCRIPTOR, pa.FixedSizeListArray.from_arrays(flat, seen.shape[1]))
    turn = Seed(0).child("photos", "projection").numpy().standard_normal((seen.shape[1], PROJECTIONS))
    # Rounded, for a product of matrices is not the same to the last bit in every batch, and equal images must be.
    for number, column in enumerate(np.round(seen.astype(np.float64) @ turn, DECIMALS).T):
        table = table.append_column(look(number), pa.array(column))
    return table


def look(number: int) -> str:
    """The column of a projection."""
    return f"look_{number:02d}"


def is_look(column: str) -> bool:
    """Whether a column is a projection."""
    return column in {look(number) for number in range(PROJECTIONS)}


def descriptors_of(table: pa.Table) -> Floats:
    """The descriptors (n, d) of a table of images."""
    column = table[DESCRIPTOR].combine_chunks()
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), np.float32).reshape(table.num_rows, -1)
