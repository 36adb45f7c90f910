"""A cheap learner for signs: histograms of gradients and colours, and ridge regression on one column a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
CELL, WAYS = 6, 12


def features(images: NDArray[np.uint8]) -> Floats:
    """Features (n, d) of pictures (n, 48, 48, 3), and a constant.

    Histograms of oriented gradients (Dalal and Triggs, 2005): twelve ways around the whole circle, cells of 6 pixels,
    blocks of four cells; and red against green, and blue against both, on a grid of 8 x 8. The contrast and brightness
    of the picture's middle are taken out first.
    """
    return np.concatenate([_features(images[at : at + 256]) for at in range(0, len(images), 256)])


def _features(images: NDArray[np.uint8]) -> Floats:
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


@dataclass(frozen=True)
class Sums:
    """What ridge regression needs of weighted pictures: products (d, d) and (d, c); they add up."""

    square: Floats
    wanted: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.square + other.square, self.wanted + other.wanted)

    def times(self, weight: float) -> Sums:
        """The same pictures at another weight."""
        return Sums(self.square * weight, self.wanted * weight)


def sums(seen: Floats, labels: Rows, classes: int) -> Sums:
    """The sums of pictures (n, d), every class of which counts as one."""
    count = np.bincount(labels, minlength=classes)
    weight = (1 / count[labels]).astype(np.float32)
    columns = np.eye(classes, dtype=np.float32)[labels]
    own = (seen * weight[:, None]).T
    return Sums(np.asarray(own @ seen, np.float32), np.asarray(own @ columns, np.float32))


def solved(held: Sums, penalty: float) -> Any:
    """The coefficients (d, c)."""
    return np.linalg.solve(held.square + np.float32(penalty) * np.eye(len(held.square), dtype=np.float32), held.wanted)
