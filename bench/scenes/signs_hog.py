"""A cheap learner for signs: histograms of gradients and colours, and ridge regression on one column a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
CELL, WAYS = 6, 9


def features(images: NDArray[np.uint8]) -> Floats:
    """Features (n, d) of pictures (n, 48, 48, 3).

    Histograms of oriented gradients (Dalal and Triggs, 2005): nine ways, cells of 6 pixels, blocks of four cells; and
    red against green, and blue against both, on a grid of 8 x 8, free of the picture's own contrast.
    """
    return np.concatenate([_features(images[at : at + 256]) for at in range(0, len(images), 256)])


def _features(images: NDArray[np.uint8]) -> Floats:
    light = np.sqrt(images / 255.0)
    n, h, w, _ = light.shape
    dy, dx = (np.gradient(light, axis=axis) for axis in (1, 2))
    strength = np.hypot(dx, dy)
    best = strength.argmax(3)[..., None]
    dx, dy, strength = (np.take_along_axis(one, best, 3)[..., 0] for one in (dx, dy, strength))
    place = (np.arctan2(dy, dx) % np.pi) / np.pi * WAYS
    low = place.astype(int) % WAYS
    part = place - np.floor(place)
    cells = (h // CELL, w // CELL)
    ways = np.stack(
        [strength * ((low == k) * (1 - part) + ((low + 1) % WAYS == k) * part) for k in range(WAYS)], -1
    ).reshape(n, cells[0], CELL, cells[1], CELL, WAYS).sum(axis=(2, 4))  # fmt: skip
    blocks = np.concatenate([ways[:, :-1, :-1], ways[:, 1:, :-1], ways[:, :-1, 1:], ways[:, 1:, 1:]], -1)
    blocks = blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + 0.05)
    blocks = np.minimum(blocks, 0.2)
    grid = light.reshape(n, cells[0], CELL, cells[1], CELL, 3).mean(axis=(2, 4))
    spread = light.std(axis=(1, 2, 3), keepdims=True) + 0.03
    colour = np.stack([grid[..., 0] - grid[..., 1], grid[..., 2] - grid[..., :2].mean(-1)], -1) / spread
    return np.concatenate([blocks.reshape(n, -1), 0.15 * colour.reshape(n, -1)], 1)


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
    weight = 1 / count[labels]
    columns = np.eye(classes)[labels]
    return Sums((seen * weight[:, None]).T @ seen, (seen * weight[:, None]).T @ columns)


def solved(held: Sums, penalty: float) -> Any:
    """The coefficients (d, c)."""
    return np.linalg.solve(held.square + penalty * np.eye(len(held.square)), held.wanted)


def with_one(seen: Floats) -> Floats:
    """The features and a constant."""
    return np.concatenate([seen, np.ones((len(seen), 1))], 1)
