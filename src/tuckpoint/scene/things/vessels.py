"""Vessels turned on a lathe: bottle, can, bowl and cup; each stands on z = 0, with parts and keypoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from tuckpoint.errors import InputError
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import Stretch, above, arc, shell, stack, turned


@dataclass(frozen=True)
class Bottle:
    """A bottle, in metres: body, label around it, shoulder, neck and cap. `neck` and `shoulder` are shares."""

    name: ClassVar[str] = "bottle"
    height_m: float = 0.25
    radius_m: float = 0.035
    neck: float = 0.4
    shoulder: float = 0.25

    def mesh(self) -> Mesh:
        """Parts body, label, shoulder, neck, cap."""
        h, r = above(self.height_m, "bottle: height_m"), above(self.radius_m, "bottle: radius_m")
        for name in ("neck", "shoulder"):
            if not 0.1 <= getattr(self, name) <= 0.6:
                raise InputError(f"bottle: {name} is {getattr(self, name)}; give a share from 0.1 to 0.6")
        thin, bend = r * self.neck, h * self.shoulder
        top, cap = h * 0.93, h * 0.9
        start = cap - 0.08 * h - bend
        if start < 0.25 * h:
            raise InputError(f"bottle: a shoulder of {self.shoulder} leaves no body; give a smaller share")
        curve = [
            (thin + (r - thin) * (1 - t * t * (3 - 2 * t)), start + bend * t) for t in (step / 12 for step in range(13))
        ]
        made = turned(
            [
                Stretch([(0, 0), (r * 0.95, 0)], "body"),
                Stretch([*arc((r * 0.95, r * 0.05), r * 0.05, -90, 0, steps=3), (r, start * 0.25)], "body"),
                Stretch([(r, start * 0.25), (r, start * 0.85)], "label"),
                Stretch([(r, start * 0.85), (r, start)], "body"),
                Stretch(curve, "shoulder"),
                Stretch([(thin, start + bend), (thin, cap)], "neck"),
                Stretch([(thin, cap), (thin * 1.15, cap)], "cap"),
                Stretch([(thin * 1.15, cap), (thin * 1.15, h)], "cap"),
                Stretch([(thin * 1.15, h), (0, h)], "cap"),
            ]
        )
        points = {"base": (0.0, 0.0, 0.0), "shoulder": (0.0, 0.0, start + bend), "top": (0.0, 0.0, h)}
        solid = stack([(r, 0.0), (r, start), (thin, start + bend), (thin * 1.15, cap), (thin * 1.15, h)])
        return replace(made, keypoints={**points, "neck": (0.0, 0.0, (start + bend + top) / 2)}, hulls=solid)


@dataclass(frozen=True)
class Can:
    """A tin can, in metres: side with a label all around, rims, lid and base."""

    name: ClassVar[str] = "can"
    height_m: float = 0.11
    radius_m: float = 0.037

    def mesh(self) -> Mesh:
        """Parts base, side, rim, lid."""
        h, r = above(self.height_m, "can: height_m"), above(self.radius_m, "can: radius_m")
        edge, low, high = r * 0.04, h * 0.05, h * 0.95
        made = turned(
            [
                Stretch([(0, 0), (r * 0.9, 0)], "base"),
                Stretch([(r * 0.9, 0), (r + edge, low * 0.4), (r, low)], "rim"),
                Stretch([(r, low), (r, high)], "side"),
                Stretch([(r, high), (r + edge, h - low * 0.4), (r * 0.95, h)], "rim"),
                Stretch([(r * 0.95, h), (r * 0.93, h - low * 0.5)], "lid"),
                Stretch([(r * 0.93, h - low * 0.5), (0, h - low * 0.5)], "lid"),
            ]
        )
        points = {"base": (0.0, 0.0, 0.0), "top": (0.0, 0.0, h)}
        return replace(made, keypoints=points)


@dataclass(frozen=True)
class Bowl:
    """An open bowl, in metres; `wall` is the thickness as a share of the radius."""

    name: ClassVar[str] = "bowl"
    radius_m: float = 0.09
    height_m: float = 0.06
    wall: float = 0.05

    def mesh(self) -> Mesh:
        """Parts outside, rim, inside."""
        r, h = above(self.radius_m, "bowl: radius_m"), above(self.height_m, "bowl: height_m")
        if not 0.01 <= self.wall <= 0.3:
            raise InputError(f"bowl: wall is {self.wall}; give a share from 0.01 to 0.3")
        t, steps = self.wall * r, 16
        foot = 0.4 * r
        outer = [(foot + (r - foot) * (k / steps) ** 0.6, h * (k / steps) ** 1.4) for k in range(steps + 1)]
        inner = [(max(x - t, 0.0), max(z, t)) for x, z in reversed(outer)]
        made = turned(
            [
                Stretch([(0, 0), (foot, 0)], "outside"),
                Stretch(outer, "outside"),
                Stretch([(r, h), (r - t, h)], "rim"),
                Stretch(inner, "inside"),
                Stretch([inner[-1], (0, inner[-1][1])], "inside"),
            ]
        )
        floor = (foot - t) / 2**0.5
        walls = shell(outer[::4], [(max(x - t, 0.0), max(z, t)) for x, z in outer[::4]])
        return replace(
            made,
            keypoints={"base": (0.0, 0.0, 0.0)},
            surfaces=(Surface("inside", (0.0, 0.0, t), (floor, floor)),),
            hulls=(*stack([(foot, 0.0), (foot, t)]), *walls),
        )
