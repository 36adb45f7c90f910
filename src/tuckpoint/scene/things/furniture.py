"""What holds goods, and some goods: table, shelf, crate, mug, plate and book."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.form import corners_of, grounded, joined, slab, tube
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import Stretch, above, arc, shell, stack, turned

_WOOD = {"colour": [1.0, 1.0, 1.0], "roughness": 0.5, "texture": {"kind": "wood", "settings": {}}}
_CHINA = {"colour": [0.85, 0.85, 0.82], "roughness": 0.15}


@dataclass(frozen=True)
class Table:
    """A table of four legs, in metres; goods stand on its top."""

    name: ClassVar[str] = "table"
    width_m: float = 1.4
    depth_m: float = 0.8
    height_m: float = 0.74
    thickness_m: float = 0.03
    leg_m: float = 0.06

    def mesh(self) -> Mesh:
        """Parts top and legs."""
        x, y, z = (above(getattr(self, name), f"table: {name}") for name in ("width_m", "depth_m", "height_m"))
        thick, leg = above(self.thickness_m, "table: thickness_m"), above(self.leg_m, "table: leg_m")
        if thick >= z or 2 * leg > min(x, y):
            raise InputError(f"table: a top of {thick} m and legs of {leg} m do not fit {x} x {y} x {z} m")
        spots = [(sx * (x / 2 - leg), sy * (y / 2 - leg), 0.0) for sx in (-1, 1) for sy in (-1, 1)]
        boxes = [((x, y, thick), (0.0, 0.0, z - thick)), *(((leg, leg, z - thick), spot) for spot in spots)]
        made = joined([slab(size, at, "legs" if n else "top") for n, (size, at) in enumerate(boxes)],
                      {"top": _WOOD, "legs": _WOOD})  # fmt: skip
        top = Surface("top", (0.0, 0.0, z), (x / 2, y / 2))
        return replace(made, surfaces=(top,), hulls=tuple(corners_of(*box) for box in boxes))


@dataclass(frozen=True)
class Shelf:
    """A shelf unit open to the front (-y), in metres; goods stand on each of its boards, `board1` the lowest."""

    name: ClassVar[str] = "shelf"
    width_m: float = 0.9
    depth_m: float = 0.35
    height_m: float = 1.6
    boards: int = 4
    thickness_m: float = 0.02

    def mesh(self) -> Mesh:
        """Parts boards, sides and back."""
        x, y, z = (above(getattr(self, name), f"shelf: {name}") for name in ("width_m", "depth_m", "height_m"))
        t, count = above(self.thickness_m, "shelf: thickness_m"), self.boards
        if not 1 <= count <= 40 or count * t * 2 >= z or 4 * t >= min(x, y):
            raise InputError(f"shelf: {count} boards of {t} m do not fit {x} x {y} x {z} m")
        step = (z - t) / count
        inner = x - 2 * t
        boards = [((inner, y - t, t), (0.0, -t / 2, step * k + 0.04 * step)) for k in range(count)]
        rest: list[tuple[str, Any]] = [("boards", ((inner, y - t, t), (0.0, -t / 2, z - t)))]
        rest += [("sides", ((t, y, z), (side * (x - t) / 2, 0.0, 0.0))) for side in (-1, 1)]
        rest += [("back", ((inner, t, z), (0.0, (y - t) / 2, 0.0)))]
        boxes = [*(("boards", box) for box in boards), *rest]
        look = {**_WOOD, "colour": [0.8, 0.8, 0.8]}
        made = joined(
            [slab(size, at, part) for part, (size, at) in boxes], dict.fromkeys(("boards", "sides", "back"), look)
        )
        surfaces = [
            Surface(f"board{k + 1}", (at[0], at[1], at[2] + t), (inner / 2, (y - t) / 2))
            for k, (_, at) in enumerate(boards)
        ]
        return replace(made, surfaces=tuple(surfaces), hulls=tuple(corners_of(*box) for _, box in boxes))


@dataclass(frozen=True)
class Crate:
    """An open box, in metres, whose floor holds things."""

    name: ClassVar[str] = "crate"
    width_m: float = 0.6
    depth_m: float = 0.4
    height_m: float = 0.25
    wall_m: float = 0.015

    def mesh(self) -> Mesh:
        """Parts floor and walls."""
        x, y, z = (above(getattr(self, name), f"crate: {name}") for name in ("width_m", "depth_m", "height_m"))
        t = above(self.wall_m, "crate: wall_m")
        if 3 * t >= min(x, y, z):
            raise InputError(f"crate: walls of {t} m leave no room in {x} x {y} x {z} m; give thinner ones")
        walls = [((t, y, z), (side * (x - t) / 2, 0.0, 0.0)) for side in (-1, 1)]
        walls += [((x - 2 * t, t, z), (0.0, side * (y - t) / 2, 0.0)) for side in (-1, 1)]
        boxes = [((x - 2 * t, y - 2 * t, t), (0.0, 0.0, 0.0)), *walls]
        look = {"colour": [0.1, 0.25, 0.5], "roughness": 0.4}
        made = joined([slab(size, at, "walls" if n else "floor") for n, (size, at) in enumerate(boxes)],
                      {"floor": look, "walls": look})  # fmt: skip
        floor = Surface("inside", (0.0, 0.0, t), (x / 2 - t, y / 2 - t))
        return replace(made, surfaces=(floor,), hulls=tuple(corners_of(*box) for box in boxes))


@dataclass(frozen=True)
class Mug:
    """A mug with a handle, in metres."""

    name: ClassVar[str] = "mug"
    height_m: float = 0.095
    radius_m: float = 0.04
    wall_m: float = 0.004

    def mesh(self) -> Mesh:
        """Parts outside, rim, inside, handle."""
        h, r = above(self.height_m, "mug: height_m"), above(self.radius_m, "mug: radius_m")
        t = above(self.wall_m, "mug: wall_m")
        if 3 * t >= min(r, h):
            raise InputError(f"mug: a wall of {t} m leaves no room; give a thinner one")
        b = 0.15 * r
        outer = [*arc((r - b, b), b, -90, 0, steps=4), (r, h - t / 2)]
        body = turned(
            [
                Stretch([(0, 0), (r - b, 0)], "outside"), Stretch(outer, "outside"),
                Stretch(arc((r - t / 2, h - t / 2), t / 2, 0, 180, steps=6), "rim"),
                Stretch([(r - t, h - t / 2), (r - t, t)], "inside"), Stretch([(r - t, t), (0, t)], "inside"),
            ],
            segments=40,
        )  # fmt: skip
        turn = np.radians(np.linspace(-75, 75, 13))
        bow = [(r * 0.92 + 0.62 * r * np.cos(a), 0.0, 0.5 * h + 0.3 * h * np.sin(a) * 1.15) for a in turn]
        handle = tube(bow, [0.1 * r + 0.3 * t] * len(bow), "handle")
        made = joined([body, handle], dict.fromkeys(("outside", "rim", "inside", "handle"), _CHINA))
        points = {"rim": (0.0, 0.0, h), "handle": (1.54 * r, 0.0, 0.5 * h)}
        profile = [(r, 0.0), (r, h * 0.5), (r, h)]
        walls = shell(profile, [(x - t, max(z, t)) for x, z in profile])
        floor = Surface("inside", (0.0, 0.0, t), ((r - t) / 2**0.5,) * 2)
        hulls = (*stack([(r, 0.0), (r, t)]), *walls, handle.vertices)
        return grounded(replace(made, keypoints=points, surfaces=(floor,), hulls=hulls))


@dataclass(frozen=True)
class Plate:
    """A plate to eat from, in metres; goods stand in its middle."""

    name: ClassVar[str] = "plate"
    radius_m: float = 0.12
    height_m: float = 0.022

    def mesh(self) -> Mesh:
        """Parts below, rim, well."""
        r, h = above(self.radius_m, "plate: radius_m"), above(self.height_m, "plate: height_m")
        t, foot = 0.12 * h, 0.55 * r
        well = [(r - t / 2, h), (0.7 * r, 0.55 * h), (0.62 * r, 0.3 * h), (foot * 0.95, 0.22 * h)]
        made = turned(
            [
                Stretch([(0, 0), (foot, 0)], "below"),
                Stretch([(foot, 0), (0.72 * r, 0.42 * h), (r, h * 0.96)], "below"),
                Stretch([(r, h * 0.96), (r - t / 2, h)], "rim"), Stretch(well, "well"),
                Stretch([well[-1], (0, 0.22 * h)], "well"),
            ]
        )  # fmt: skip
        flat = Surface("top", (0.0, 0.0, 0.22 * h), (foot * 0.6, foot * 0.6))
        return replace(made, surfaces=(flat,), looks=dict.fromkeys(made.parts, _CHINA))


@dataclass(frozen=True)
class Book:
    """A closed book that lies, in metres; its back is to the left."""

    name: ClassVar[str] = "book"
    width_m: float = 0.15
    depth_m: float = 0.22
    height_m: float = 0.03
    cover_m: float = 0.002

    def mesh(self) -> Mesh:
        """Parts cover and pages."""
        x, y, z = (above(getattr(self, name), f"book: {name}") for name in ("width_m", "depth_m", "height_m"))
        t = above(self.cover_m, "book: cover_m")
        if 3 * t >= min(x, y, z):
            raise InputError(f"book: covers of {t} m leave no pages; give thinner ones")
        inset = 2 * t
        covers = [
            ((x, y, t), (0.0, 0.0, 0.0)),
            ((x, y, t), (0.0, 0.0, z - t)),
            ((t, y, z - 2 * t), ((t - x) / 2, 0.0, t)),
        ]
        pages = ((x - t - inset, y - 2 * inset, z - 2 * t), ((t - inset) / 2, 0.0, t))
        looks = {
            "cover": {"colour": [1.0, 1.0, 1.0], "roughness": 0.5, "texture": {"kind": "label", "settings": {}}},
            "pages": {"colour": [1.0, 1.0, 1.0], "roughness": 0.9, "texture": {"kind": "stripes", "settings": {
                "low": [0.75, 0.72, 0.62], "high": [0.6, 0.57, 0.48], "stripes": 40}}},
        }  # fmt: skip
        made = joined([*(slab(size, at, "cover") for size, at in covers), slab(*pages, "pages")], looks)
        return replace(made, surfaces=(Surface("top", (0.0, 0.0, z), (x / 2, y / 2)),))
