"""A street and what stands along it: road, house, tree, lamp post and cone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.form import curved, grounded, joined, lump, moved, sheet, slab, tube
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import Stretch, above, turned
from tuckpoint.seed import Seed


@dataclass(frozen=True)
class Road:
    """A straight road along y with lanes, a broken line between them, kerbs and pavements, in metres.

    Its lanes lie on z = 0. Things stand on the surfaces `lane1` (the leftmost), `lane2` ..., `pavement-left` and
    `pavement-right`.
    """

    name: ClassVar[str] = "road"
    length_m: float = 60.0
    lane_m: float = 3.25
    lanes: int = 2
    pavement_m: float = 2.5
    kerb_m: float = 0.12
    line_m: float = 0.12
    dash_m: float = 3.0

    def mesh(self) -> Mesh:
        """Parts asphalt, marking, kerb, pavement; not closed."""
        long, lane = above(self.length_m, "road: length_m"), above(self.lane_m, "road: lane_m")
        line, dash = above(self.line_m, "road: line_m"), above(self.dash_m, "road: dash_m")
        side, kerb = above(self.pavement_m, "road: pavement_m"), above(self.kerb_m, "road: kerb_m")
        if not 1 <= self.lanes <= 8 or 3 * line > lane or long / dash > 400:
            raise InputError(f"road: {self.lanes} lanes of {lane} m, lines of {line} m, dashes of {dash} m; give 1 to "
                             "8 lanes, narrower lines, longer dashes")  # fmt: skip
        half = lane * self.lanes / 2
        pieces, at = [], -half
        for number in range(self.lanes + 1):
            edge = number in (0, self.lanes)
            centre = -half + number * lane + (line * 1.5 if number == 0 else -line * 1.5 if edge else 0.0)
            pieces.append(_strip(at, centre - line / 2, long, 0.0, "asphalt", 2.0))
            pieces += (
                [_strip(centre - line / 2, centre + line / 2, long, 0.0, "marking", 2.0)]
                if edge
                else _dashes(centre, line, dash, long)
            )
            at = centre + line / 2
        pieces.append(_strip(at, half, long, 0.0, "asphalt", 2.0))
        for sign in (-1, 1):
            ends = sorted((sign * half, sign * (half + 0.15)))
            face = [(sign * half, 0.0), (sign * half, kerb)]
            pieces.append(_wall(face[::sign], long, "kerb"))
            pieces.append(_strip(ends[0], ends[1], long, kerb, "kerb", 1.0))
            ends = sorted((sign * (half + 0.15), sign * (half + 0.15 + side)))
            pieces.append(_strip(ends[0], ends[1], long, kerb, "pavement", 1.0))
        looks: dict[str, Any] = {
            "asphalt": {"colour": [1.0, 1.0, 1.0], "roughness": 0.9, "texture": {"kind": "speckle", "settings": {
                "ground": [0.045, 0.045, 0.05], "grain": [0.1, 0.1, 0.1]}}},
            "marking": {"colour": [0.75, 0.75, 0.72], "roughness": 0.7},
            "kerb": {"colour": [0.35, 0.35, 0.34], "roughness": 0.9},
            "pavement": {"colour": [1.0, 1.0, 1.0], "roughness": 0.9, "texture": {"kind": "bricks", "settings": {
                "brick": [0.25, 0.24, 0.23], "mortar": [0.12, 0.12, 0.11], "rows": 4, "columns": 4, "joint": 0.03}}},
        }  # fmt: skip
        lanes = [
            Surface(f"lane{k + 1}", (-half + lane * (k + 0.5), 0.0, 0.0), (lane / 2, long / 2))
            for k in range(self.lanes)
        ]
        sides = [
            Surface(f"pavement-{name}", (sign * (half + 0.15 + side / 2), 0.0, kerb), (side / 2, long / 2))
            for name, sign in (("left", -1), ("right", 1))
        ]
        return replace(joined(pieces, looks), surfaces=(*lanes, *sides))


def _strip(
    left: float, right: float, long: float, z: float, part: str, tile: float, *, start: float | None = None
) -> Mesh:
    """A level rectangle that faces up; its texture repeats every `tile` metres of the world."""
    low = -long / 2 if start is None else start
    x, y = np.meshgrid([left, right], [low, low + long])
    made = sheet(np.stack([x, y, np.full_like(x, z)], -1), part)
    return replace(made, uv=(made.vertices[:, :2] / tile).astype(np.float32))


def _wall(profile: list[tuple[float, float]], long: float, part: str) -> Mesh:
    """A rectangle along y above a line of (x, z)."""
    grid = [[(x, y, z) for y in (-long / 2, long / 2)] for x, z in profile]
    return sheet(np.array(grid)[::-1], part)


def _dashes(centre: float, line: float, dash: float, long: float) -> list[Mesh]:
    """A broken line: a third of each period is painted, and the rest is road."""
    pieces, y = [], -long / 2
    while y < long / 2 - 1e-9:
        for part, share in (("marking", 1 / 3), ("asphalt", 2 / 3)):
            step = min(3 * dash * share, long / 2 - y)
            if step > 1e-9:
                pieces.append(_strip(centre - line / 2, centre + line / 2, step, 0.0, part, 2.0, start=y))
            y += step
    return pieces


@dataclass(frozen=True)
class House:
    """A house with storeys of windows, a door and a gable roof, in metres; its front looks along -y."""

    name: ClassVar[str] = "house"
    width_m: float = 9.0
    depth_m: float = 8.0
    storey_m: float = 2.8
    roof_m: float = 2.5
    storeys: int = 2
    windows: int = 3

    def mesh(self) -> Mesh:
        """Parts wall, roof, windows, frames, door."""
        x, y = above(self.width_m, "house: width_m"), above(self.depth_m, "house: depth_m")
        high, roof = above(self.storey_m, "house: storey_m"), above(self.roof_m, "house: roof_m")
        if not 1 <= self.storeys <= 12 or not 1 <= self.windows <= 12 or x / self.windows < 1.2:
            raise InputError(f"house: {self.storeys} storeys of {self.windows} windows in {x} m; give 1 to 12 of "
                             "each, and 1.2 m of front for a window")  # fmt: skip
        z = high * self.storeys
        pieces = [slab((x, y, z), (0, 0, 0), "wall"), _roof(x, y, z, roof)]
        step = x / self.windows
        wide, tall = min(step * 0.5, 1.3), high * 0.48
        for storey in range(self.storeys):
            for k in range(self.windows):
                at = -x / 2 + step * (k + 0.5)
                for face in (-1, 1):
                    if storey == 0 and k == self.windows // 2 and face < 0:
                        pieces.append(slab((1.0, 0.08, 2.1), (at, -y / 2 - 0.02, 0.0), "door"))
                        continue
                    low = high * storey + high * 0.32
                    pieces.append(
                        slab((wide + 0.16, 0.06, tall + 0.16), (at, face * (y / 2 + 0.01), low - 0.08), "frames")
                    )
                    pieces.append(slab((wide, 0.08, tall), (at, face * (y / 2 + 0.02), low), "windows"))
        looks: dict[str, Any] = {
            "wall": {"colour": [1.0, 1.0, 1.0], "roughness": 0.95, "texture": {"kind": "noise", "settings": {
                "low": [0.45, 0.41, 0.35], "high": [0.6, 0.56, 0.48], "scale": 6}}},
            "roof": {"colour": [1.0, 1.0, 1.0], "roughness": 0.9, "texture": {"kind": "bricks", "settings": {
                "brick": [0.25, 0.08, 0.05], "mortar": [0.1, 0.04, 0.03], "rows": 24, "columns": 20, "joint": 0.06}}},
            "windows": {"colour": [0.03, 0.04, 0.05], "roughness": 0.05}, "frames": {"colour": [0.7, 0.7, 0.68]},
            "door": {"colour": [0.12, 0.05, 0.03], "roughness": 0.4},
        }  # fmt: skip
        return grounded(joined(pieces, looks))


def _roof(x: float, y: float, z: float, roof: float) -> Mesh:
    """A closed gable over a rectangle, its ridge along x, with eaves."""
    over = 0.3
    a, b = x / 2 + over, y / 2 + over
    low = z - roof * over / (y / 2)
    front, back = [(-a, -b, low), (a, -b, low)], [(-a, b, low), (a, b, low)]
    ridge = [(-a, 0.0, z + roof), (a, 0.0, z + roof)]
    quads = [(front, ridge), (ridge, back), (back, front)]
    pieces = [sheet(np.array([one, other], float), "roof") for one, other in quads]
    for k, order in ((0, (front, back)), (1, (back, front))):
        one, other = order
        gable = np.array([[one[k], other[k]], [ridge[k], ridge[k]]], float)[:, ::-1]
        pieces.append(sheet(gable, "roof"))
    return joined(pieces)


@dataclass(frozen=True)
class Tree:
    """A broad-leaved tree, in metres: a trunk, boughs and clumps of leaves."""

    name: ClassVar[str] = "tree"
    height_m: float = 7.0
    crown_m: float = 4.5
    trunk_m: float = 0.18
    clumps: int = 9
    key: int = 0

    def mesh(self) -> Mesh:
        """Parts trunk and crown."""
        h, wide = above(self.height_m, "tree: height_m"), above(self.crown_m, "tree: crown_m")
        radius = above(self.trunk_m, "tree: trunk_m")
        if not 1 <= self.clumps <= 40:
            raise InputError(f"tree: {self.clumps} clumps; give 1 to 40")
        random = Seed(self.key % 2**63).child("tree").numpy()
        fork = h * 0.42
        bend = random.normal(0, 0.02 * h, 2)
        pieces = [curved([(0, 0, 0), (*(bend / 2), fork / 2), (*bend, fork), (*(bend * 1.5), h * 0.7)],
                         [radius * 1.3, radius, radius * 0.8, radius * 0.35], "trunk", segments=10)]  # fmt: skip
        for k in range(self.clumps):
            turn, level = 2.4 * k + random.uniform(0, 0.5), (k + 0.5) / self.clumps
            reach = wide / 2 * 0.62 * np.sqrt(1 - (2 * level - 0.7) ** 2 / 1.8) * random.uniform(0.6, 1.0) * (k > 0)
            up = fork + (h - fork) * (0.15 + 0.65 * level)
            at = np.array([bend[0] + reach * np.cos(turn), bend[1] + reach * np.sin(turn), up])
            size = wide * random.uniform(0.2, 0.28) * np.array([1, 1, 0.8])
            clump = lump(size, "crown", key=self.key * 41 + k, rough=0.28, scale=3.5, times=3)
            pieces.append(moved(replace(clump, uv=clump.uv * np.float32(2)), at))
            pieces.append(tube([np.array([*bend, fork]), at], [radius * 0.4, radius * 0.15], "trunk", segments=6))
        leaf = {"low": [0.015, 0.05, 0.008], "high": [0.11, 0.24, 0.04], "scale": 16, "octaves": 5, "contrast": 2.5}
        bark = {"low": [0.05, 0.035, 0.025], "high": [0.2, 0.15, 0.11], "scale": 8, "contrast": 2.0}
        looks: dict[str, Any] = {
            "trunk": {"colour": [1.0, 1.0, 1.0], "roughness": 0.95, "texture": {"kind": "noise", "settings": bark}},
            "crown": {"colour": [1.0, 1.0, 1.0], "roughness": 0.9,
                      "texture": {"kind": "noise", "settings": {**leaf, "key": self.key}}},
        }  # fmt: skip
        return grounded(joined(pieces, looks))


@dataclass(frozen=True)
class Post:
    """A street lamp: a post with an arm along x and its head, in metres."""

    name: ClassVar[str] = "post"
    height_m: float = 6.0
    arm_m: float = 1.2
    radius_m: float = 0.06

    def mesh(self) -> Mesh:
        """Parts post, head, glass."""
        h, arm = above(self.height_m, "post: height_m"), above(self.arm_m, "post: arm_m")
        r = above(self.radius_m, "post: radius_m")
        line = [(0, 0, 0), (0, 0, h * 0.5), (0, 0, h * 0.9), (arm * 0.2, 0, h * 0.985), (arm * 0.6, 0, h), (arm, 0, h)]
        head = slab((0.6, 0.22, 0.1), (arm + 0.2, 0, h - 0.05), "head")
        glass = slab((0.5, 0.16, 0.03), (arm + 0.2, 0, h - 0.08), "glass")
        looks = {
            "post": {"colour": [0.3, 0.32, 0.33], "metallic": 1.0, "roughness": 0.5},
            "head": {"colour": [0.12, 0.12, 0.13], "roughness": 0.5},
            "glass": {"colour": [0.8, 0.8, 0.7], "roughness": 0.2},
        }  # fmt: skip
        shaft = curved(line, [1.5 * r, 1.2 * r, r, 0.8 * r, 0.7 * r, 0.6 * r], "post", steps=28)
        return grounded(joined([shaft, head, glass], looks))


@dataclass(frozen=True)
class Cone:
    """A traffic cone with two white bands on a square foot, in metres."""

    name: ClassVar[str] = "cone"
    height_m: float = 0.75
    radius_m: float = 0.15

    def mesh(self) -> Mesh:
        """Parts foot, body, bands."""
        h, r = above(self.height_m, "cone: height_m"), above(self.radius_m, "cone: radius_m")
        foot = 0.04 * h

        def at(share: float) -> tuple[float, float]:
            return r * (1 - share) + 0.22 * r * share, foot + (h - foot) * share

        levels = [0.0, 0.3, 0.5, 0.62, 0.78, 1.0]
        stretches = [Stretch([(0, foot), at(0.0)], "body")]
        stretches += [
            Stretch([at(low), at(high)], "bands" if k % 2 else "body") for k, (low, high) in enumerate(pairwise(levels))
        ]
        body = turned([*stretches, Stretch([at(1.0), (0, h)], "body")])
        base = slab((2.5 * r, 2.5 * r, foot), (0, 0, 0), "foot")
        orange = {"colour": [0.8, 0.16, 0.02], "roughness": 0.6}
        looks: dict[str, Any] = {
            "body": orange,
            "bands": {"colour": [0.8, 0.8, 0.8], "roughness": 0.4},
            "foot": {"colour": [0.03] * 3},
        }
        return joined([base, body], looks)
