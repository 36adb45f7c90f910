"""Textures drawn from numbers: what colours a surface over its UV, the same bytes for the same settings.

All kinds but `image` repeat without a seam. Colours are linear RGB from 0 to 1, as everywhere; the picture is sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint import parts
from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.record import canonical
from tuckpoint.scene.colour import LINEAR, encoded
from tuckpoint.scene.scene import Texture
from tuckpoint.seed import Seed
from tuckpoint.settings import build

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]


class Kind(Protocol):
    """A kind of texture: frozen settings that draw a picture."""

    def draw(self) -> Floats:
        """Linear light (h, w, 3) from 0 to 1, the first row at v = 1."""
        ...


def baked(texture: Texture) -> Picture:
    """The picture (h, w, 3) uint8 sRGB of a texture; the last ones are kept in memory.

    Raises UnknownPart for an unknown kind, InputError for an unknown setting, MissingExtra for an image file
    without Pillow.
    """
    return _baked(texture.kind, canonical(dict(texture.settings)))


@lru_cache(maxsize=128)
def _baked(kind: str, settings: bytes) -> Picture:
    import json

    drawn: Kind = build(parts.find("texture", kind), json.loads(settings))
    picture = encoded(np.clip(drawn.draw(), 0, 1))
    picture.setflags(write=False)
    return picture


def waves(size: int, key: int, *, scale: int, octaves: int = 4) -> Floats:
    """Smooth seamless noise (size, size) from 0 to 1: grids of random heights, each finer one half as strong.

    `scale` is the number of cells of the coarsest grid along a side (value noise, with cubic easing).
    """
    total, weight = np.zeros((size, size)), 0.0
    for octave in range(octaves):
        cells = scale * 2**octave
        if cells > size:
            break
        grid = Seed(key % 2**63).child("waves", octave).numpy().random((cells, cells))
        place = np.arange(size) * cells / size
        low = place.astype(int)
        ease = (place - low) ** 2 * (3 - 2 * (place - low))
        high = (low + 1) % cells
        rows = grid[low] * (1 - ease[:, None]) + grid[high] * ease[:, None]
        total += 0.5**octave * (rows[:, low] * (1 - ease) + rows[:, high] * ease)
        weight += 0.5**octave
    return total / weight


def _between(share: NDArray[Any], low: tuple[float, ...], high: tuple[float, ...]) -> Floats:
    """Colours (h, w, 3) between two, by share (h, w)."""
    return np.asarray(np.asarray(low) * (1 - share[..., None]) + np.asarray(high) * share[..., None], float)


@dataclass(frozen=True)
class Noise:
    """Clouds between two colours; `scale` cells along a side, `contrast` from 0 (flat) on."""

    name: ClassVar[str] = "noise"
    low: tuple[float, ...] = (0.2, 0.2, 0.2)
    high: tuple[float, ...] = (0.8, 0.8, 0.8)
    scale: int = 4
    octaves: int = 5
    contrast: float = 1.5
    key: int = 0
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        shares = waves(self.size, self.key, scale=self.scale, octaves=self.octaves)
        return _between(np.clip((shares - 0.5) * self.contrast + 0.5, 0, 1), self.low, self.high)


@dataclass(frozen=True)
class Checker:
    """Squares of two colours, `squares` (even) along a side."""

    name: ClassVar[str] = "checker"
    low: tuple[float, ...] = (0.05, 0.05, 0.05)
    high: tuple[float, ...] = (0.8, 0.8, 0.8)
    squares: int = 8
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        if self.squares < 2 or self.squares % 2:
            raise InputError(f"checker: squares is {self.squares}; give an even number, or it has a seam")
        cell = np.arange(self.size) * self.squares // self.size
        return _between((cell[:, None] + cell) % 2 * 1.0, self.low, self.high)


@dataclass(frozen=True)
class Stripes:
    """Upright stripes of two colours; `share` is the width of the second one."""

    name: ClassVar[str] = "stripes"
    low: tuple[float, ...] = (0.8, 0.8, 0.8)
    high: tuple[float, ...] = (0.6, 0.1, 0.1)
    stripes: int = 6
    share: float = 0.5
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        place = np.arange(self.size) * self.stripes / self.size % 1
        return _between(np.broadcast_to((place >= 1 - self.share) * 1.0, (self.size, self.size)), self.low, self.high)


@dataclass(frozen=True)
class Wood:
    """Boards' grain along u: rings cut at a slant, moved by noise, with fine fibres."""

    name: ClassVar[str] = "wood"
    low: tuple[float, ...] = (0.22, 0.11, 0.05)
    high: tuple[float, ...] = (0.55, 0.33, 0.16)
    rings: int = 8
    key: int = 0
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        bend = waves(self.size, self.key, scale=2, octaves=3)
        across = np.arange(self.size)[:, None] / self.size
        ring = 0.5 + 0.5 * np.sin(2 * np.pi * (self.rings * across + 1.5 * bend))
        fibre = np.broadcast_to(waves(self.size, self.key + 1, scale=64, octaves=2)[:, :1], ring.shape)
        return _between(np.clip(0.7 * ring + 0.4 * fibre - 0.05, 0, 1), self.low, self.high)


@dataclass(frozen=True)
class Bricks:
    """Courses of bricks, every second one moved by half, between mortar; each brick has a shade of its own."""

    name: ClassVar[str] = "bricks"
    brick: tuple[float, ...] = (0.4, 0.12, 0.07)
    mortar: tuple[float, ...] = (0.55, 0.53, 0.5)
    rows: int = 8
    columns: int = 4
    joint: float = 0.08
    key: int = 0
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        if self.rows % 2:
            raise InputError(f"bricks: rows is {self.rows}; give an even number, or there is a seam")
        y = np.arange(self.size) / self.size * self.rows
        x = np.arange(self.size) / self.size * self.columns
        row = y.astype(int)[:, None]
        moved = (x[None, :] + 0.5 * (row % 2)) % self.columns  # (h, w)
        near = np.minimum(
            np.minimum(y % 1, 1 - y % 1)[:, None] * self.columns / self.rows, np.minimum(moved % 1, 1 - moved % 1)
        )
        shade = Seed(self.key % 2**63).child("bricks").numpy().uniform(0.7, 1.3, (self.rows, self.columns))
        rough = waves(self.size, self.key, scale=16, octaves=3)
        colour = np.asarray(self.brick) * (shade[row, moved.astype(int)] * (0.7 + 0.6 * rough))[..., None]
        is_mortar = (near < self.joint / 2)[..., None]
        return np.where(is_mortar, np.asarray(self.mortar) * (0.8 + 0.4 * rough[..., None]), colour)


@dataclass(frozen=True)
class Speckle:
    """Grains on a ground, as in asphalt, granite or cardboard; `density` the share that grains cover."""

    name: ClassVar[str] = "speckle"
    ground: tuple[float, ...] = (0.12, 0.12, 0.12)
    grain: tuple[float, ...] = (0.35, 0.35, 0.34)
    density: float = 0.3
    scale: int = 64
    key: int = 0
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        shares = waves(self.size, self.key, scale=self.scale, octaves=2)
        edge = np.quantile(shares, 1 - self.density)
        return _between(np.clip((shares - edge) * 12 + 0.5, 0, 1), self.ground, self.grain)


@dataclass(frozen=True)
class Label:
    """A label of goods: a band of colour, blocks, lines that look like print, a bar code; nothing on it can be read."""

    name: ClassVar[str] = "label"
    paper: tuple[float, ...] = (0.85, 0.83, 0.78)
    ink: tuple[float, ...] = (0.05, 0.1, 0.35)
    accent: tuple[float, ...] = (0.7, 0.08, 0.05)
    key: int = 0
    size: int = 256

    def draw(self) -> Floats:
        """The picture."""
        random, n = Seed(self.key % 2**63).child("label").numpy(), self.size
        picture = np.broadcast_to(np.asarray(self.paper), (n, n, 3)).copy()
        top = int(n * random.uniform(0.05, 0.2))
        picture[top : top + int(n * random.uniform(0.2, 0.35))] = self.accent
        for row in range(int(0.62 * n), int(0.86 * n), max(n // 28, 2)):
            for start in range(int(0.1 * n), int(0.55 * n), max(n // 12, 3)):
                if random.random() < 0.85:
                    picture[row : row + max(n // 80, 1), start : start + int(n / 12 * random.uniform(0.4, 0.9))] = (
                        self.ink
                    )
        for column in range(int(0.65 * n), int(0.9 * n), max(n // 64, 1)):
            if random.random() < 0.5:
                picture[int(0.62 * n) : int(0.86 * n), column : column + max(n // 100, 1)] = 0.02
        for _ in range(int(random.integers(2, 6))):
            y, x = random.uniform(0.1, 0.45) * n, random.uniform(0.1, 0.8) * n
            high, wide = random.uniform(0.04, 0.12) * n, random.uniform(0.05, 0.2) * n
            picture[int(y) : int(y + high), int(x) : int(x + wide)] = self.ink if random.random() < 0.5 else self.paper
        return picture


@dataclass(frozen=True)
class Image:
    """A picture of the user's own."""

    name: ClassVar[str] = "image"
    path: str = ""

    def draw(self) -> Floats:
        """The picture, in linear light."""
        try:
            from PIL import Image as Opener
        except ImportError:
            raise MissingExtra("pillow", extra="scenes") from None
        if not Path(self.path).is_file():
            raise InputError(f"the texture {self.path or 'without a path'} is missing; give the path of a PNG or JPEG")
        try:
            with Opener.open(self.path) as image:
                codes = np.asarray(image.convert("RGB"))
        except OSError as error:
            raise InputError(f"the texture {self.path} cannot be read as a picture: {error}") from None
        return np.asarray(LINEAR[codes], float)
