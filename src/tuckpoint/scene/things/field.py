"""A field and what stands and lies in it: soil with furrows, plants, rocks and fallen branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.form import about, grounded, joined, lump, moved, sheet, tube
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.solid import above
from tuckpoint.scene.texture import waves
from tuckpoint.seed import Seed

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Soil:
    """Tilled ground: furrows along y every `furrow_m`, `depth_m` deep, with clods; its mean level is z = 0.

    `relief_m` is the height of slow hills. `cells` per side of its grid.
    """

    name: ClassVar[str] = "soil"
    width_m: float = 8.0
    length_m: float = 12.0
    furrow_m: float = 0.75
    depth_m: float = 0.06
    relief_m: float = 0.05
    clod_m: float = 0.02
    cells: int = 120
    key: int = 0

    def mesh(self) -> Mesh:
        """One part; things stand as high as the ground is there."""
        x, y = above(self.width_m, "soil: width_m"), above(self.length_m, "soil: length_m")
        above(self.furrow_m, "soil: furrow_m")
        n = self.cells
        if not 8 <= n <= 400:
            raise InputError(f"soil: {n} cells; give 8 to 400")
        across, along = np.meshgrid(np.linspace(-x / 2, x / 2, n + 1), np.linspace(-y / 2, y / 2, n + 1))
        ridge = 0.5 - 0.5 * np.cos(2 * np.pi * across / self.furrow_m)  # the rows stand on ridges, between wheel tracks
        clods = waves(512, self.key, scale=32, octaves=4)[: n + 1, : n + 1] - 0.5
        hills = (
            waves(512, self.key + 1, scale=2, octaves=2)[:: 512 // (n + 1), :: 512 // (n + 1)][: n + 1, : n + 1] - 0.5
        )
        height = (0.5 - ridge) * self.depth_m + 2 * clods * self.clod_m + 2 * hills * self.relief_m
        made = sheet(np.stack([across, along, height], -1), "ground", tiles=(x / 1.2, y / 1.2))
        earth = {"low": [0.06, 0.03, 0.012], "high": [0.2, 0.11, 0.05], "scale": 24, "octaves": 4, "contrast": 1.6}
        look = {
            "colour": [1.0, 1.0, 1.0],
            "roughness": 0.95,
            "texture": {"kind": "noise", "settings": {**earth, "key": self.key}},
        }
        top = Surface("top", (0.0, 0.0, 0.0), (x / 2, y / 2), level=False)
        return replace(made, surfaces=(top,), looks={"ground": look})


@dataclass(frozen=True)
class Plant:
    """A plant of bent leaves about a stem, in metres: maize, beet or a weed, by its numbers.

    `growth` from 0 (a seedling) to 1 scales it and adds leaves; `droop` bends leaves down (0 upright, 1 hanging); `dry`
    turns them from green (0) to straw (1).
    """

    name: ClassVar[str] = "plant"
    height_m: float = 0.6
    leaf_m: float = 0.45
    leaf_width_m: float = 0.05
    leaves: int = 9
    droop: float = 0.5
    growth: float = 1.0
    dry: float = 0.1
    key: int = 0

    def mesh(self) -> Mesh:
        """Parts stem and leaves; not closed."""
        height, leaf = above(self.height_m, "plant: height_m"), above(self.leaf_m, "plant: leaf_m")
        if not 0.05 <= self.growth <= 1.5 or not 0 <= self.droop <= 1.5 or not 0 <= self.dry <= 1:
            raise InputError(
                f"plant: growth {self.growth}, droop {self.droop}, dry {self.dry}; give shares around 0 to 1"
            )
        random = Seed(self.key % 2**63).child("plant").numpy()
        count = max(round(self.leaves * min(self.growth, 1.0)), 2)
        size = self.growth**0.8
        top = height * size
        lean = random.normal(0, 0.05, 2) * top
        line = [(0, 0, 0), (*(lean / 2), top / 2), (*lean, top)]
        pieces = [tube(line, np.array([0.012, 0.01, 0.004]) * size, "stem", segments=6)]
        for k in range(count):
            level = (k + 0.6) / count
            root = np.array([*(lean * level), top * level])
            turn = 137.5 * k + random.normal(0, 12) if self.leaves > 12 else 180 * k + random.normal(0, 25)
            long = leaf * size * (1 - 0.45 * level) * random.uniform(0.8, 1.15)
            wide = self.leaf_width_m * size * random.uniform(0.85, 1.15)
            rise = 62 - 25 * self.droop * (1 - level) + random.normal(0, 5)
            pieces.append(
                moved(_leaf(long, wide, rise, self.droop * random.uniform(0.7, 1.3)), root, turn=about("z", turn))
            )
        green = np.array([0.06, 0.2, 0.03]) * random.uniform(0.8, 1.25) * (1 - self.dry)
        colour = (green + np.array([0.4, 0.3, 0.1]) * self.dry).tolist()
        vein = {"low": [0.7, 0.7, 0.7], "high": [1.0, 1.0, 1.0], "stripes": 7, "share": 0.75}
        looks = {
            "stem": {"colour": (np.array(colour) * 1.2).tolist(), "roughness": 0.7},
            "leaves": {"colour": (np.array(colour) * 1.3).tolist(), "roughness": 0.55,
                       "texture": {"kind": "stripes", "settings": vein}},
        }  # fmt: skip
        made = grounded(joined(pieces, looks))
        return replace(made, keypoints={"base": (0.0, 0.0, 0.0)})


def _leaf(long: float, wide: float, rise_deg: float, droop: float) -> Mesh:
    """A leaf from the origin along x: a folded blade that rises, bends over and narrows."""
    steps, rows = 9, 5
    t = np.linspace(0, 1, steps)
    angle = np.radians(rise_deg - droop * 150 * t**1.3)
    step = long / (steps - 1)
    x = np.concatenate([[0], np.cumsum(np.cos(angle[:-1]) * step)])
    z = np.concatenate([[0], np.cumsum(np.sin(angle[:-1]) * step)])
    half = wide / 2 * np.sin(np.pi * np.clip(t * 0.92 + 0.08, 0, 1)) ** 0.7 + 0.001
    side = np.linspace(-1, 1, rows)
    fold = 0.25 * np.abs(side)
    points = np.empty((steps, rows, 3))
    points[..., 0] = x[:, None] - fold * half[:, None] * np.sin(angle)[:, None]
    points[..., 1] = side * half[:, None]
    points[..., 2] = z[:, None] + fold * half[:, None] * np.cos(angle)[:, None]
    return sheet(points, "leaves")


@dataclass(frozen=True)
class Rock:
    """A stone, in metres."""

    name: ClassVar[str] = "rock"
    width_m: float = 0.3
    depth_m: float = 0.22
    height_m: float = 0.18
    rough: float = 0.25
    key: int = 0

    def mesh(self) -> Mesh:
        """One part."""
        size = [above(getattr(self, name), f"rock: {name}") / 2 for name in ("width_m", "depth_m", "height_m")]
        if not 0 <= self.rough <= 0.5:
            raise InputError(f"rock: rough is {self.rough}; give a share from 0 to 0.5")
        made = grounded(lump(size, "stone", key=self.key, rough=self.rough, scale=1.6))
        grain = {"low": [0.12, 0.11, 0.1], "high": [0.36, 0.34, 0.31], "scale": 8, "contrast": 2.0, "key": self.key}
        look = {"colour": [1.0, 1.0, 1.0], "roughness": 0.9, "texture": {"kind": "noise", "settings": grain}}
        return replace(made, looks={"stone": look})


@dataclass(frozen=True)
class Branch:
    """A fallen branch with twigs that lies along x, in metres."""

    name: ClassVar[str] = "branch"
    length_m: float = 2.2
    radius_m: float = 0.05
    twigs: int = 6
    key: int = 0

    def mesh(self) -> Mesh:
        """Parts bark and twigs."""
        long, radius = above(self.length_m, "branch: length_m"), above(self.radius_m, "branch: radius_m")
        if not 0 <= self.twigs <= 40:
            raise InputError(f"branch: {self.twigs} twigs; give 0 to 40")
        random = Seed(self.key % 2**63).child("branch").numpy()
        t = np.linspace(0, 1, 12)
        bend = np.cumsum(random.normal(0, 0.02, (12, 2)), axis=0) * long
        line = np.column_stack([t * long, bend[:, 0], np.abs(bend[:, 1]) * 0.5 + radius])
        pieces = [tube(line, radius * (1 - 0.75 * t), "bark", segments=9)]
        for k in range(self.twigs):
            pieces.append(
                _twig(line, 0.25 + 0.7 * (k + random.uniform(0, 0.8)) / max(self.twigs, 1), radius, long, random)
            )
        bark = {"low": [0.05, 0.035, 0.025], "high": [0.2, 0.15, 0.11], "scale": 6, "contrast": 2.0, "key": self.key}
        look = {"colour": [1.0, 1.0, 1.0], "roughness": 0.95, "texture": {"kind": "noise", "settings": bark}}
        made = joined(pieces)
        return grounded(replace(made, looks=dict.fromkeys(made.parts, look)))


def _twig(line: Floats, place: float, radius: float, long: float, random: np.random.Generator) -> Mesh:
    at = min(place, 0.98) * (len(line) - 1)
    root = line[int(at)] + (line[min(int(at) + 1, len(line) - 1)] - line[int(at)]) * (at % 1)
    way = np.array(
        [random.uniform(0.5, 1.0), random.choice([-1, 1]) * random.uniform(0.5, 1.0), random.uniform(-0.1, 0.7)]
    )
    way *= long * random.uniform(0.12, 0.28) / np.linalg.norm(way)
    points: Sequence[Any] = [root, root + way * 0.5 + random.normal(0, 0.02, 3) * long * 0.3, root + way]
    thick = radius * (1 - 0.75 * place) * 0.5
    return tube(points, [thick, thick * 0.7, thick * 0.3], "twigs", segments=6)
