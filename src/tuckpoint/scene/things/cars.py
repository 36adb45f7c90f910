"""Cars: a body lofted over its length, glass, wheels and lights."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.form import about, creased, grounded, joined, moved, slab
from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.solid import Stretch, above, turned

Floats = NDArray[np.float64]
# Along the car from its nose (0) to its tail (1): height of the bonnet line and of the roof, as shares of the height,
# and how wide it is there, as a share of the width.
_BODIES: dict[str, list[tuple[float, float, float]]] = {
    "saloon": [(0.0, 0.36, 0.82), (0.03, 0.45, 0.9), (0.26, 0.56, 0.97), (0.3, 0.58, 1.0), (0.44, 0.62, 1.0),
               (0.6, 0.63, 1.0), (0.8, 0.64, 0.98), (0.84, 0.64, 0.97), (0.97, 0.6, 0.9), (1.0, 0.45, 0.84)],
    "hatchback": [(0.0, 0.36, 0.82), (0.03, 0.46, 0.9), (0.24, 0.57, 0.97), (0.28, 0.59, 1.0), (0.43, 0.62, 1.0),
                  (0.6, 0.63, 1.0), (0.85, 0.64, 0.98), (0.9, 0.64, 0.96), (0.98, 0.58, 0.9), (1.0, 0.42, 0.86)],
    "van": [(0.0, 0.3, 0.84), (0.03, 0.4, 0.92), (0.12, 0.48, 0.98), (0.15, 0.5, 1.0), (0.28, 0.54, 1.0),
            (0.6, 0.55, 1.0), (0.95, 0.55, 1.0), (0.97, 0.55, 0.98), (0.99, 0.52, 0.95), (1.0, 0.4, 0.92)],
}  # fmt: skip
_CABINS = {"saloon": (0.3, 0.43, 0.7, 0.84), "hatchback": (0.28, 0.42, 0.82, 0.97), "van": (0.13, 0.26, 0.96, 0.985)}


@dataclass(frozen=True)
class Car:
    """A car that faces -y, in metres; `body` is saloon, hatchback or van."""

    name: ClassVar[str] = "car"
    length_m: float = 4.4
    width_m: float = 1.78
    height_m: float = 1.45
    wheel_m: float = 0.31
    body: str = "saloon"

    def mesh(self) -> Mesh:
        """Parts paint, glass, tyres, rims, lamps, tail lamps, trim."""
        long, wide, high = (above(getattr(self, name), f"car: {name}") for name in ("length_m", "width_m", "height_m"))
        wheel = above(self.wheel_m, "car: wheel_m")
        if self.body not in _BODIES:
            raise InputError(f'car: no body "{self.body}"; there are: {", ".join(_BODIES)}')
        if wheel > 0.4 * high or wheel > 0.12 * long:
            raise InputError(f"car: wheels of {wheel} m do not fit {long} x {high} m; give smaller ones")
        under = wheel * 0.55
        pieces = [self._hull(long, wide, high, under), *self._cabin(long, wide, high)]
        for y in (-0.31 * long, 0.29 * long):
            for side in (-1, 1):
                pieces += _wheel(wheel, side, (side * (wide / 2 - 0.1), y, wheel))
        nose = -long / 2
        for side in (-1, 1):
            pieces.append(slab((0.3, 0.1, 0.12), (side * 0.32 * wide, nose + 0.09, 0.4 * high), "lamps"))
            pieces.append(slab((0.28, 0.08, 0.14), (side * 0.34 * wide, -nose - 0.07, 0.46 * high), "tail-lamps"))
        pieces.append(slab((0.5, 0.06, 0.11), (0, nose + 0.02, 0.25 * high), "trim"))
        pieces.append(slab((0.5, 0.06, 0.11), (0, -nose - 0.02, 0.3 * high), "trim"))
        looks: dict[str, Any] = {
            "paint": {"colour": [0.25, 0.03, 0.03], "roughness": 0.25},
            "glass": {"colour": [0.02, 0.025, 0.03], "roughness": 0.05},
            "tyres": {"colour": [0.02, 0.02, 0.02], "roughness": 0.9},
            "rims": {"colour": [0.6, 0.6, 0.6], "metallic": 1.0, "roughness": 0.35},
            "lamps": {"colour": [0.8, 0.8, 0.78], "roughness": 0.1},
            "tail-lamps": {"colour": [0.35, 0.01, 0.01], "roughness": 0.15},
            "trim": {"colour": [0.75, 0.75, 0.75], "roughness": 0.5},
        }  # fmt: skip
        made = joined(pieces, looks)
        points = {
            f"{end}-{side}": (sign * 0.5 * wide, y * long, wheel)
            for end, y in (("front", -0.31), ("rear", 0.29))
            for side, sign in (("left", 1), ("right", -1))
        }
        return grounded(replace(made, keypoints=points))

    def _hull(self, long: float, wide: float, high: float, under: float) -> Mesh:
        """The lower body: a closed loft of rounded sections."""
        table = np.array(_BODIES[self.body])
        at = np.unique(np.concatenate([np.linspace(0, 1, 25), table[:, 0]]))
        shoulder, share = (np.interp(at, table[:, 0], table[:, k]) for k in (1, 2))
        sections = [_section(wide / 2 * w, under, top * high) for top, w in zip(shoulder, share, strict=True)]
        grid = np.empty((len(at) + 2, len(sections[0]), 3))
        for k, section in enumerate(sections):
            grid[k + 1] = np.column_stack([section[:, 0], np.full(len(section), (at[k] - 0.5) * long), section[:, 1]])
        grid[0], grid[-1] = grid[1].mean(0), grid[-2].mean(0)
        return creased(grid, "paint", within_deg=38)

    def _cabin(self, long: float, wide: float, high: float) -> list[Mesh]:
        """Glass all around below a painted roof."""
        front, wind, rear, tail = ((share - 0.5) * long for share in _CABINS[self.body])
        belt = float(np.interp(_CABINS[self.body][1], *np.array(_BODIES[self.body])[:, :2].T)) * high - 0.02
        low, top = wide / 2 * 0.93, wide / 2 * (0.9 if self.body == "van" else 0.76)
        roof = high * 0.94
        lower = np.array([(-low, front, belt - 0.05), (low, front, belt - 0.05), (low, tail, belt), (-low, tail, belt)])
        upper = np.array([(-top, wind, roof), (top, wind, roof), (top, rear, roof), (-top, rear, roof)])
        crown = upper * [0.85, 0.92, 1] + [0, 0, high - roof]
        rings = [np.concatenate([ring, ring[:1]]) for ring in (lower, upper, crown)]
        floor, lid = (np.tile(ring.mean(0), (5, 1)) for ring in (rings[0], rings[2]))
        glass = creased(np.stack([floor, rings[0], rings[1], np.tile(rings[1].mean(0), (5, 1))]), "glass")
        cap = creased(np.stack([np.tile(rings[1].mean(0), (5, 1)), rings[1], rings[2], lid]), "paint", within_deg=40)
        pillars = []
        for side in (-1, 1):
            for share in (0.06, 0.5, 0.94):
                one = lower[0] * (1 - share) + lower[3] * share
                other = upper[0] * (1 - share) + upper[3] * share
                pillars.append(_pillar(one * [-side, 1, 1], other * [-side, 1, 1], side))
        return [glass, cap, *pillars]


def _pillar(low: Floats, high: Floats, side: int) -> Mesh:
    """A flat post a little outside the glass."""
    half, out = np.array([0.0, 0.04, 0.0]), np.array([0.012 * side, 0.0, 0.0])
    ring = [np.array([p - half - out, p + half - out, p + half + out, p - half + out]) for p in (low, high)]
    loops = [np.concatenate([r, r[:1]]) for r in (ring if side > 0 else [r[::-1] for r in ring])]
    ends = [np.tile(loop.mean(0), (5, 1)) for loop in loops]
    grid = np.stack([ends[0], *loops, ends[1]])
    made = creased(grid, "paint")
    return made if _volume(made) > 0 else creased(grid[:, ::-1], "paint")


def _volume(mesh: Mesh) -> float:
    a, b, c = mesh.vertices[mesh.faces].astype(float).transpose(1, 0, 2)
    return float((np.cross(a, b) * c).sum())


def _section(half: float, low: float, top: float) -> Floats:
    """A section across the car, as a closed ring of x and z (n, 2)."""
    high, soft = top - low, 0.22
    corners = [(half * 0.9, low), (half, low + 0.18 * high), (half, low + 0.6 * high), (half * 0.95, top - 0.08 * high),
               (half * (1 - soft), top)]  # fmt: skip
    right = np.array(corners)
    left = right[::-1] * [-1, 1]
    ring = np.concatenate([right, left, right[:1]])
    return ring[::-1]


def _wheel(radius: float, side: int, at: tuple[float, float, float]) -> list[Mesh]:
    """A tyre and its rim, their axle along x."""
    w, inner = radius * 0.62, radius * 0.66
    tyre = turned([
        Stretch([(inner, 0), (radius * 0.93, 0)], "tyres"),
        Stretch([(radius * 0.93, 0), (radius, w * 0.15), (radius, w * 0.85), (radius * 0.93, w)], "tyres"),
        Stretch([(radius * 0.93, w), (inner, w)], "tyres"), Stretch([(inner, w), (inner, 0)], "tyres"),
    ], segments=28)  # fmt: skip
    rim = turned([
        Stretch([(0, 0.05 * w), (inner, 0.05 * w)], "rims"), Stretch([(inner, 0.05 * w), (inner, 0.9 * w)], "rims"),
        Stretch([(inner, 0.9 * w), (inner * 0.85, 0.7 * w), (inner * 0.3, 0.72 * w), (0, 0.85 * w)], "rims"),
    ], segments=20)  # fmt: skip
    turn = about("y", 90.0 * side)
    centre = np.asarray(at) - turn @ np.array([0, 0, w / 2])
    return [moved(tyre, centre, turn=turn), moved(rim, centre, turn=turn)]
