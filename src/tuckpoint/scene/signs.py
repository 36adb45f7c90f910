"""The face of a traffic sign as a texture, new or weathered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.sign_faces import COLOURS, face
from tuckpoint.scene.sign_paint import Floats, coverage, stroke
from tuckpoint.scene.texture import waves
from tuckpoint.seed import Seed

_BLEACHED = {
    "red": (0.55, 0.3, 0.24),
    "blue": (0.2, 0.28, 0.4),
    "yellow": (0.75, 0.62, 0.35),
    "green": (0.4, 0.5, 0.42),
    "black": (0.16, 0.16, 0.17),
    "grey": (0.4, 0.4, 0.4),
    "white": (0.62, 0.6, 0.53),
}


@dataclass(frozen=True)
class Sign:
    """A sign's face (a name of `sign_faces.NAMES`, as stop or speed_50), its plate from side to side of the picture.

    Colours are linear RGB. `fading` from 0 (new) to 1 (bleached by the sun), `dirt` and `scratches` from 0 to 1; `key`
    chooses where they are. What is off the plate has the colour of its ground.
    """

    name: ClassVar[str] = "sign"
    sign: str = "stop"
    white: tuple[float, ...] = (0.72, 0.72, 0.7)
    black: tuple[float, ...] = (0.015, 0.015, 0.015)
    red: tuple[float, ...] = (0.45, 0.015, 0.012)
    blue: tuple[float, ...] = (0.008, 0.075, 0.32)
    yellow: tuple[float, ...] = (0.75, 0.33, 0.01)
    green: tuple[float, ...] = (0.01, 0.2, 0.15)
    grey: tuple[float, ...] = (0.11, 0.11, 0.11)
    fading: float = 0.0
    dirt: float = 0.0
    scratches: float = 0.0
    key: int = 0
    size: int = 256

    def __post_init__(self) -> None:
        for name in ("fading", "dirt", "scratches"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"sign: {name} is {getattr(self, name)}; give a number from 0 to 1")
        for name in COLOURS:
            if len(getattr(self, name)) != 3:
                raise InputError(f"sign: {name} is {getattr(self, name)}; give red, green and blue")
        if self.size < 16:
            raise InputError(f"sign: size is {self.size}; give 16 pixels or more")

    def draw(self) -> Floats:
        """The picture."""
        n = self.size
        picture = np.broadcast_to(self._colour(face(self.sign).ground), (n, n, 3)).copy()
        for colour, shares in _shares(self.sign, n):
            picture += (self._colour(colour) - picture) * shares[..., None]
        return self._scratched(self._soiled(picture))

    def _colour(self, name: str) -> Floats:
        fresh = np.asarray(getattr(self, name), float)
        return np.asarray(fresh + (np.asarray(_BLEACHED[name]) - fresh) * self.fading, float)

    def _soiled(self, picture: Floats) -> Floats:
        """Clouds of dust, and streaks that rain left below them."""
        if self.dirt == 0:
            return picture
        cloud = waves(self.size, self.key, scale=3)
        streaks = np.broadcast_to(waves(self.size, self.key + 1, scale=24, octaves=2)[:1], cloud.shape)
        veil = np.clip((0.7 * cloud + 0.3 * streaks - 0.62 + 0.4 * self.dirt) * 3, 0, 1) * self.dirt
        return picture * (1 - veil[..., None]) + np.asarray([0.13, 0.11, 0.08]) * veil[..., None]

    def _scratched(self, picture: Floats) -> Floats:
        """Lines where the bare metal shows."""
        count = round(12 * self.scratches)
        if count == 0:
            return picture
        random = Seed(self.key % 2**63).child("scratches").numpy()
        shapes = []
        for _ in range(count):
            x, y, turn, length = *random.uniform(-0.8, 0.8, 2), random.uniform(0, np.pi), random.uniform(0.1, 0.6)
            end = (float(x + length * np.cos(turn)), float(y + length * np.sin(turn)))
            shapes += stroke([(float(x), float(y)), end], float(random.uniform(0.01, 0.035)))
        return picture + (0.35 - picture) * coverage(shapes, self.size)[..., None] * 0.8


@lru_cache(maxsize=128)
def _shares(sign: str, size: int) -> tuple[tuple[str, NDArray[np.float64]], ...]:
    """What share (size, size) of each pixel every layer of a face covers."""
    return tuple((colour, coverage(shapes, size)) for colour, shapes in face(sign).layers if shapes)
