"""Parts of machines: a metal panel with a defect of its surface, a gear, a bolt and a nut; all in metres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.scene.form import Floats, creased, grounded, joined, moved, prism, sheet, slab
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import Stretch, above, turned
from tuckpoint.seed import Seed

_STEEL: dict[str, Any] = {"colour": [0.55, 0.55, 0.56], "metallic": 1.0, "roughness": 0.38}
_BRUSHED: dict[str, Any] = {**_STEEL, "colour": [1.0, 1.0, 1.0], "texture": {"kind": "wood", "settings": {
    "low": [0.42, 0.42, 0.43], "high": [0.6, 0.6, 0.61], "rings": 30}}}  # fmt: skip
DEFECTS: dict[str, dict[str, Any]] = {
    "scratch": {"colour": [0.75, 0.75, 0.76], "metallic": 1.0, "roughness": 0.25},
    "dent": _BRUSHED,
    "pits": {"colour": [0.08, 0.06, 0.05], "metallic": 0.3, "roughness": 0.9},
    "crack": {"colour": [0.02, 0.02, 0.02], "metallic": 0.2, "roughness": 0.95},
    "stain": {"colour": [0.16, 0.08, 0.04], "metallic": 0.2, "roughness": 0.8},
    "none": {},
}
LINES = 110  # of the grid across a defect


@dataclass(frozen=True)
class Panel:
    """A flat panel whose face bears a defect, and this is a part of its own: its mask is exact.

    `defect`: scratch, dent, pits, crack, stain or none, `size_m` long and `narrow_m` wide (pits and cracks: so wide
    each), `sunk_m` deep (a crack at least twice its width), turned by
    `turn_deg`, its middle at `along` and `across` of the face (0 to 1).
    """

    name: ClassVar[str] = "panel"
    width_m: float = 0.2
    depth_m: float = 0.15
    height_m: float = 0.008
    size_m: float = 0.04
    narrow_m: float = 0.0015
    sunk_m: float = 0.0006
    turn_deg: float = 25.0
    along: float = 0.5
    across: float = 0.5
    defect: str = "scratch"
    key: int = 0

    def mesh(self) -> Mesh:
        """Parts face, body and, unless there is none, defect."""
        x, y, z = (above(getattr(self, name), f"panel: {name}") for name in ("width_m", "depth_m", "height_m"))
        size, narrow = above(self.size_m, "panel: size_m"), above(self.narrow_m, "panel: narrow_m")
        if self.defect not in DEFECTS:
            raise InputError(f'panel: no defect "{self.defect}"{did_you_mean(self.defect, DEFECTS)}; there are: '
                             f"{', '.join(DEFECTS)}")  # fmt: skip
        if not 0 <= self.sunk_m < 0.9 * z or 1.5 * size >= min(x, y) or narrow > size:
            raise InputError(f"panel: a defect of {size} x {narrow} m, {self.sunk_m} m deep, does not fit {x} x {y} x "
                             f"{z} m; give a smaller one")  # fmt: skip
        room = np.array([x, y]) / 2 - 0.74 * size
        centre = (np.clip([self.along, self.across], 0, 1) * 2 - 1) * room
        step = {"none": size / 4, "dent": size / 40, "stain": size / 60}.get(self.defect, narrow / 3)
        fine = max(step, 1.45 * size / LINES)
        lines = [_lines(side / 2, at, 0.72 * size, fine) for side, at in zip((x, y), centre, strict=True)]
        grid = np.stack(np.meshgrid(*lines), -1)  # (rows, columns, 2)
        turn = np.radians(self.turn_deg)
        own = (grid - centre) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        depth, inside = self._sunk(own, size, narrow)
        face = sheet(np.concatenate([grid, (z - depth)[..., None]], -1), "face")
        flat = (grid / [x, y] + 0.5).reshape(-1, 2)  # the texture must not tell where the grid is fine
        face = replace(face, uv=flat.astype(np.float32))
        pieces = [_split(face, inside), *_underneath(x, y, z)]
        made = joined(pieces)
        looks = {"face": _BRUSHED, "body": _STEEL, "defect": DEFECTS[self.defect]}
        here = (float(centre[0]), float(centre[1]), z)
        return replace(
            made, looks={name: looks[name] for name in made.parts},
            surfaces=(Surface("top", (0.0, 0.0, z), (x / 2, y / 2)),),
            keypoints={} if self.defect == "none" else {"defect": here},
        )  # fmt: skip

    def _sunk(self, own: Floats, size: float, narrow: float) -> tuple[Floats, NDArray[np.bool_]]:
        """How deep the face is at places in the defect's own frame (..., 2), and where the defect is."""
        random = Seed(self.key % 2**63).child("defect", self.defect).numpy()
        half = size / 2
        if self.defect == "none":
            return np.zeros(own.shape[:-1]), np.zeros(own.shape[:-1], bool)
        if self.defect == "dent":
            share = np.linalg.norm(own * [1.0, 1.25], axis=-1) / half
            return self.sunk_m * np.where(share < 1, 0.5 + 0.5 * np.cos(np.pi * np.minimum(share, 1)), 0), share < 1
        if self.defect == "stain":
            angle = np.arctan2(own[..., 1], own[..., 0])
            waves = [np.sin(k * angle + random.uniform(0, 6)) / k for k in (2, 3, 5)]
            edge = half * (0.75 + 0.2 * np.sum(waves, axis=0))
            return np.zeros(own.shape[:-1]), np.linalg.norm(own, axis=-1) < edge
        if self.defect == "pits":
            spots = random.uniform(-0.7, 0.7, (8, 2)) * half
            away = np.min([np.linalg.norm(own - spot, axis=-1) for spot in spots], axis=0)
            share = away / (narrow * random.uniform(0.8, 1.6))
            return self.sunk_m * np.sqrt(np.clip(1 - share**2, 0, 1)), share < 1
        way = np.array([[-half, 0.0], [half, 0.0]])
        if self.defect == "crack":
            steps = np.linspace(-half, half, 12)
            way = np.column_stack([steps, np.cumsum(random.normal(0, 0.05 * size, 12))])
            way[:, 1] -= way[:, 1].mean()
            way[:, 1] *= min(1.0, 0.3 * size / max(float(np.abs(way[:, 1]).max()), 1e-9))
        away = np.min([_to_line(own, a, b) for a, b in pairwise(way)], axis=0)
        taper = np.sqrt(np.clip(1 - (own[..., 0] / half) ** 2, 0.05, 1))
        share = away / (narrow / 2 * taper)
        deep = min(max(self.sunk_m, 2 * narrow), 0.85 * self.height_m) if self.defect == "crack" else self.sunk_m
        return deep * np.clip(1 - share**2, 0, 1), share < 1


def _to_line(points: Floats, a: Floats, b: Floats) -> Floats:
    """Distances of points (..., 2) to a stretch of line."""
    way = b - a
    along = np.clip(((points - a) @ way) / (way @ way), 0, 1)
    return np.asarray(np.linalg.norm(points - a - along[..., None] * way, axis=-1))


def _lines(half: float, at: float, reach: float, fine: float) -> Floats:
    """Places of grid lines from -half to half, `fine` apart about `at` and a few elsewhere."""
    low, high = max(at - reach, -half * 0.98), min(at + reach, half * 0.98)
    inner = np.linspace(low, high, max(int(np.ceil((high - low) / fine)), 2) + 1)
    return np.concatenate([np.linspace(-half, low, 4)[:-1], inner, np.linspace(high, half, 4)[1:]])


def _split(face: Mesh, inside: NDArray[np.bool_]) -> Mesh:
    """The face with the triangles of which two corners are inside as a part of their own."""
    hit = inside.ravel()[face.faces].sum(axis=1) >= 2
    if not hit.any():
        return face
    return replace(face, part=hit.astype(np.int32), parts=("face", "defect"))


def _underneath(x: float, y: float, z: float) -> list[Mesh]:
    """Sides and bottom of a box, without its top."""
    ring = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * [x / 2, y / 2]
    low, high = (np.column_stack([ring, np.full(5, level)]) for level in (0.0, z))
    bottom = sheet(
        np.array([[[-x / 2, y / 2, 0], [x / 2, y / 2, 0]], [[-x / 2, -y / 2, 0], [x / 2, -y / 2, 0]]]), "body"
    )
    return [creased(np.stack([low, high]), "body"), bottom]


@dataclass(frozen=True)
class Gear:
    """A spur gear that lies flat: `teeth` of trapezoids, `hole_m` the radius of its bore.

    `broken` teeth are missing their upper half; the faces of the break are a part of their own.
    """

    name: ClassVar[str] = "gear"
    radius_m: float = 0.06
    height_m: float = 0.02
    hole_m: float = 0.015
    teeth: int = 24
    broken: int = 0
    key: int = 0

    def mesh(self) -> Mesh:
        """Parts top, teeth, bore, hub and, if teeth are broken, break."""
        r, h = above(self.radius_m, "gear: radius_m"), above(self.height_m, "gear: height_m")
        hole = above(self.hole_m, "gear: hole_m")
        if not 6 <= self.teeth <= 200 or hole > 0.6 * r or not 0 <= self.broken <= self.teeth // 2:
            raise InputError(f"gear: {self.teeth} teeth, {self.broken} broken, a bore of {hole} m in {r} m; give 6 to "
                             "200 teeth, at most half of them broken, a smaller bore")  # fmt: skip
        random = Seed(self.key % 2**63).child("gear").numpy()
        gone = set(random.permutation(self.teeth)[: self.broken].tolist())
        root = r * (1 - 2.25 / (self.teeth / 2 + 1))
        radii, angles, broken = [], [], []
        for tooth in range(self.teeth):
            top = root + (r - root) * random.uniform(0.25, 0.5, 3) if tooth in gone else np.array([r, r, r])
            for share, level in (
                (0.0, root),
                (0.22, root),
                (0.36, top[0]),
                (0.5, top[1]),
                (0.64, top[2]),
                (0.78, root),
            ):
                radii.append(float(level))
                angles.append(2 * np.pi * (tooth + share) / self.teeth)
                broken.append(tooth in gone and share in (0.36, 0.5))
        ring = np.column_stack([np.cos(angles), np.sin(angles)])
        body = prism(ring * np.array(radii)[:, None], ring * hole, h, ("top", "teeth", "bore"))
        body = _broken(body, np.array(broken))
        hub = moved(prism(ring * 2.0 * hole, ring * hole, 0.35 * h, ("hub", "hub", "bore")), (0.0, 0.0, h))
        made = joined([body, hub] if 2.2 * hole < root else [body])
        looks = dict.fromkeys(made.parts, _STEEL) | {"break": {"colour": [0.3, 0.29, 0.28], "roughness": 0.9}}
        return grounded(replace(made, looks={name: looks[name] for name in made.parts}))


def _broken(body: Mesh, quads: NDArray[np.bool_]) -> Mesh:
    """The faces of the teeth that belong to a break, as their own part; the teeth are cut into two triangles a quad."""
    if not quads.any():
        return body
    teeth = np.flatnonzero(body.part == body.parts.index("teeth"))
    part = body.part.copy()
    part[teeth[np.tile(quads, 2)]] = len(body.parts)
    return replace(body, part=part, parts=(*body.parts, "break"))


def _hexagon(across: float, points: int = 36) -> Floats:
    """A regular hexagon (points, 2), its flats `across` apart."""
    turn = np.arange(points) * 2 * np.pi / points
    inside = (turn + np.pi / 6) % (np.pi / 3) - np.pi / 6
    return np.column_stack([np.cos(turn), np.sin(turn)]) * (across / 2 / np.cos(inside))[:, None]


@dataclass(frozen=True)
class Bolt:
    """A hexagon bolt that stands on its head: its thread is a row of rings."""

    name: ClassVar[str] = "bolt"
    length_m: float = 0.05
    radius_m: float = 0.006
    threads: int = 18

    def mesh(self) -> Mesh:
        """Parts head, shank, thread."""
        long, r = above(self.length_m, "bolt: length_m"), above(self.radius_m, "bolt: radius_m")
        if not 2 <= self.threads <= 100 or long < 4 * r:
            raise InputError(
                f"bolt: {self.threads} threads, {long} m long, {r} m thick; give 2 to 100 and a longer one"
            )
        k = 1.3 * r
        ring = _hexagon(3.4 * r)
        head = prism(ring, ring * 0.02, k, ("head", "head", "head"))
        start, pitch = k + 0.3 * (long - k), 0.7 * (long - k) / (self.threads + 0.5)
        profile = [(r, start)]
        for turn in range(self.threads):
            profile += [(r * 0.82, start + pitch * (turn + 0.5)), (r, start + pitch * (turn + 1))]
        profile.append((r * 0.8, long))
        shank = turned([
            Stretch([(0, k * 0.5), (r, k * 0.5)], "shank"), Stretch([(r, k * 0.5), (r, start)], "shank"),
            *(Stretch([one, other], "thread") for one, other in pairwise(profile)),
            Stretch([profile[-1], (0, long)], "thread"),
        ], segments=32)  # fmt: skip
        plug = slab((0.05 * r, 0.05 * r, k), (0, 0, 0), "head")
        made = joined([head, plug, shank])
        return grounded(replace(made, looks=dict.fromkeys(made.parts, _STEEL), keypoints={"tip": (0.0, 0.0, long)}))


@dataclass(frozen=True)
class Nut:
    """A hexagon nut that lies flat."""

    name: ClassVar[str] = "nut"
    radius_m: float = 0.006
    height_m: float = 0.01

    def mesh(self) -> Mesh:
        """Parts top, flats, thread."""
        r, h = above(self.radius_m, "nut: radius_m"), above(self.height_m, "nut: height_m")
        ring = _hexagon(3.4 * r)
        hole = ring / np.linalg.norm(ring, axis=1, keepdims=True) * r
        made = prism(ring, hole, h, ("top", "flats", "thread"))
        return grounded(replace(made, looks=dict.fromkeys(made.parts, _STEEL)))
