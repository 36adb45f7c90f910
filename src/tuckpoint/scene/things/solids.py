"""Plain solids: box, ball, cylinder and a level plane; all but the plane stand on z = 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import Stretch, above, arc, block, turned


@dataclass(frozen=True)
class Box:
    """A box, its sides in metres."""

    name: ClassVar[str] = "box"
    width_m: float = 0.2
    depth_m: float = 0.15
    height_m: float = 0.1

    def mesh(self) -> Mesh:
        """One part; things may stand on top."""
        x, y, z = (above(getattr(self, name), f"box: {name}") for name in ("width_m", "depth_m", "height_m"))
        top = Surface("top", (0.0, 0.0, z), (x / 2, y / 2))
        return replace(block((x, y, z)), surfaces=(top,), keypoints={"top": (0.0, 0.0, z)})


@dataclass(frozen=True)
class Ball:
    """A ball, its radius in metres; parts: the two halves."""

    name: ClassVar[str] = "ball"
    radius_m: float = 0.1
    rings: int = 32

    def mesh(self) -> Mesh:
        """Lower and upper half."""
        r, steps = above(self.radius_m, "ball: radius_m"), int(above(self.rings, "ball: rings")) // 2 + 1
        lower = Stretch(arc((0.0, r), r, -90, 0, steps=steps), "lower")
        upper = Stretch(arc((0.0, r), r, 0, 90, steps=steps), "upper")
        made = turned([lower, upper], segments=4 * steps)
        smooth = (made.vertices - np.array([0, 0, r], np.float32)) / np.float32(r)
        return replace(made, normals=smooth.astype(np.float32), keypoints={"centre": (0.0, 0.0, r)})


@dataclass(frozen=True)
class Cylinder:
    """An upright cylinder, in metres; parts: bottom, side and top."""

    name: ClassVar[str] = "cylinder"
    radius_m: float = 0.05
    height_m: float = 0.12
    segments: int = 48

    def mesh(self) -> Mesh:
        """Three parts; things may stand on top."""
        r, h = above(self.radius_m, "cylinder: radius_m"), above(self.height_m, "cylinder: height_m")
        made = turned(
            [Stretch([(0, 0), (r, 0)], "bottom"), Stretch([(r, 0), (r, h)], "side"), Stretch([(r, h), (0, h)], "top")],
            segments=int(above(self.segments, "cylinder: segments")),
        )
        inner = r / 2**0.5
        top = Surface("top", (0.0, 0.0, h), (inner, inner))
        return replace(made, surfaces=(top,), keypoints={"top": (0.0, 0.0, h)})


@dataclass(frozen=True)
class Plane:
    """A level rectangle at z = 0 that faces up, in metres; its texture repeats every `tile_m`."""

    name: ClassVar[str] = "plane"
    width_m: float = 4.0
    depth_m: float = 4.0
    tile_m: float = 1.0

    def mesh(self) -> Mesh:
        """One part; things may stand on it."""
        x, y = above(self.width_m, "plane: width_m") / 2, above(self.depth_m, "plane: depth_m") / 2
        corners = np.array([[-x, -y, 0], [x, -y, 0], [x, y, 0], [-x, y, 0]], np.float32)
        return Mesh(
            vertices=corners,
            normals=np.tile(np.array([0, 0, 1], np.float32), (4, 1)),
            uv=(corners[:, :2] / above(self.tile_m, "plane: tile_m")).astype(np.float32),
            faces=np.array([[0, 1, 2], [0, 2, 3]], np.int32),
            part=np.zeros(2, np.int32),
            parts=("all",),
            surfaces=(Surface("top", (0.0, 0.0, 0.0), (x, y)),),
        )
