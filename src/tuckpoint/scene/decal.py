"""One texture laid over another: a sticker, a stain, a number painted on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.colour import LINEAR
from tuckpoint.scene.scene import Texture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Decal:
    """The texture `over` within a rectangle of the texture `under`, each {kind, settings}.

    `centre` and `extent` in UV (0 to 1, v up), `turn_deg` counter-clockwise, `opacity` from 0 to 1; it does not go on
    over the seam. `size` pixels along a side.
    """

    name: ClassVar[str] = "decal"
    under: Mapping[str, Any] = field(default_factory=lambda: {"kind": "noise"})
    over: Mapping[str, Any] = field(default_factory=lambda: {"kind": "label"})
    centre: tuple[float, ...] = (0.5, 0.5)
    extent: tuple[float, ...] = (0.3, 0.3)
    turn_deg: float = 0.0
    opacity: float = 1.0
    size: int = 512

    def draw(self) -> Floats:
        """The picture."""
        if len(self.centre) != 2 or len(self.extent) != 2 or min(self.extent) <= 0 or not 0 <= self.opacity <= 1:
            raise InputError(
                f"decal: centre {self.centre}, extent {self.extent}, opacity {self.opacity}; give two numbers, two "
                "above 0, and one from 0 to 1"
            )
        below, above = (_picture(told) for told in (self.under, self.over))
        y, x = np.mgrid[: self.size, : self.size]
        u, v = (x + 0.5) / self.size, 1 - (y + 0.5) / self.size
        turn = np.radians(self.turn_deg)
        du, dv = u - self.centre[0], v - self.centre[1]
        across = (du * np.cos(turn) + dv * np.sin(turn)) / self.extent[0] + 0.5
        up = (dv * np.cos(turn) - du * np.sin(turn)) / self.extent[1] + 0.5
        covered = ((across >= 0) & (across < 1) & (up >= 0) & (up < 1))[..., None] * self.opacity
        return np.asarray(_at(below, u, v) * (1 - covered) + _at(above, across, up) * covered)


def _picture(told: Mapping[str, Any]) -> Floats:
    from tuckpoint.scene.plain import read
    from tuckpoint.scene.texture import baked

    return np.asarray(LINEAR[baked(read(Texture, told, "decal"))], float)


def _at(picture: Floats, u: NDArray[Any], v: NDArray[Any]) -> Floats:
    """The picture's light at places of UV, from the nearest pixel."""
    h, w = picture.shape[:2]
    row, column = ((1 - v) * h).astype(int) % h, (u * w).astype(int) % w
    return np.asarray(picture[row, column], float)
