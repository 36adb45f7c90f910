"""A standing figure and a deer, from round limbs: obstacles with parts and keypoints, not portraits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.form import curved, grounded, joined, lump, moved, stretched, tube
from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.solid import above

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Figure:
    """A person that faces -y: `height_m` tall, `build` from 0.7 (slim) to 1.4, a step of `stride` (0 stands, 1 walks
    fast), arms raised to the side by `arms_deg`. Proportions after the mean of adults; the head grows as height falls,
    as it does in children."""

    name: ClassVar[str] = "figure"
    height_m: float = 1.72
    build: float = 1.0
    stride: float = 0.3
    arms_deg: float = 8.0

    def mesh(self) -> Mesh:
        """Parts head, hair, torso, arms, hands, legs, feet; keypoints in COCO's names."""
        h = above(self.height_m, "figure: height_m")
        if not 0.5 <= self.build <= 2 or not 0 <= self.stride <= 1.2 or not 0 <= self.arms_deg <= 170:
            raise InputError(
                f"figure: build {self.build}, stride {self.stride}, arms {self.arms_deg} degrees; give 0.5 to 2, 0 to "
                "1.2 and 0 to 170"
            )
        head = h * float(np.clip(0.135 + (1.72 - h) * 0.05, 0.125, 0.2))
        points = self._joints(h, head)
        b, face = self.build * h, points["head"]
        pieces = [
            stretched(curved([points["hips"], points["waist"], points["chest"], points["neck"]],
                             [0.07 * b, 0.062 * b, 0.078 * b, 0.03 * b], "torso", segments=16), [1.3, 0.85, 1.0]),
            tube([points["left_shoulder"], points["right_shoulder"]], [0.036 * b, 0.036 * b], "torso"),
            moved(lump([0.38 * head, 0.45 * head, 0.5 * head], "head"), points["head"]),
            moved(lump([0.4 * head, 0.46 * head, 0.42 * head], "hair"), np.add(face, [0, 0.035 * head, 0.13 * head])),
            tube([points["neck"], points["head"]], [0.032 * b, 0.03 * b], "head"),
        ]  # fmt: skip
        for side in ("left", "right"):
            shoulder, elbow, wrist = (points[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
            hip, knee, ankle = (points[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
            pieces += [
                tube([shoulder, elbow, wrist], [0.033 * b, 0.025 * b, 0.018 * b], "arms"),
                moved(lump([0.017 * h, 0.022 * h, 0.035 * h], "hands"), np.add(wrist, [0, 0, -0.03 * h])),
                tube([hip, knee, ankle], [0.053 * b, 0.034 * b, 0.023 * b], "legs"),
                moved(lump([0.024 * h, 0.062 * h, 0.021 * h], "feet"), np.add(ankle, [0, -0.03 * h, -0.018 * h])),
            ]
        skin, cloth = {"colour": [0.5, 0.31, 0.22], "roughness": 0.6}, {"colour": [0.5, 0.1, 0.08], "roughness": 0.9}
        looks = {
            "head": skin, "hands": skin, "torso": cloth, "arms": cloth,
            "hair": {"colour": [0.05, 0.03, 0.02], "roughness": 0.7},
            "legs": {"colour": [0.04, 0.06, 0.14], "roughness": 0.9},
            "feet": {"colour": [0.03, 0.03, 0.03], "roughness": 0.5},
        }  # fmt: skip
        named = {name: at for name, at in points.items() if name not in ("hips", "waist", "chest", "neck", "head")}
        named["nose"] = (face[0], face[1] - 0.44 * head, face[2])
        for side, sign in (("left", 1), ("right", -1)):
            named[f"{side}_eye"] = (face[0] + sign * 0.15 * head, face[1] - 0.4 * head, face[2] + 0.08 * head)
            named[f"{side}_ear"] = (face[0] + sign * 0.37 * head, face[1], face[2])
        return grounded(replace(joined(pieces, looks), keypoints=named))

    def _joints(self, h: float, head: float) -> dict[str, Point]:
        """Where the joints are; x to the figure's left."""
        step, lift = 0.16 * h * self.stride, np.radians(self.arms_deg)
        top = h - head
        points: dict[str, Point] = {
            "hips": (0.0, 0.0, 0.53 * h), "waist": (0.0, 0.0, 0.62 * h), "chest": (0.0, 0.0, top - 0.1 * h),
            "neck": (0.0, 0.0, top), "head": (0.0, -0.01 * h, h - head / 2),
        }  # fmt: skip
        wide = 0.105 * h * self.build**0.5
        for side, sign, ahead in (("left", 1, 1), ("right", -1, -1)):
            swing = -ahead * step * 0.9
            out = sign * (wide + np.sin(lift) * 0.17 * h)
            points[f"{side}_shoulder"] = (sign * wide, 0.0, top - 0.035 * h)
            elbow = (float(out), float(-swing * 0.4), float(top - 0.035 * h - np.cos(lift) * 0.17 * h))
            points[f"{side}_elbow"] = elbow
            points[f"{side}_wrist"] = (
                float(elbow[0] + sign * np.sin(lift) * 0.15 * h), float(elbow[1] - swing * 0.6 - 0.02 * h),
                float(elbow[2] - np.cos(lift) * 0.145 * h),
            )  # fmt: skip
            points[f"{side}_hip"] = (sign * 0.05 * h, 0.0, 0.5 * h)
            knee = 0.27 * h
            points[f"{side}_knee"] = (sign * 0.052 * h, float(-ahead * step * 0.6 - 0.01 * h), knee)
            points[f"{side}_ankle"] = (sign * 0.052 * h, float(-ahead * step + (0.03 * h * self.stride)), 0.04 * h)
        return points


@dataclass(frozen=True)
class Deer:
    """A deer that faces -y, `height_m` at its shoulder; `head_down` from 0 (alert) to 1 (it grazes)."""

    name: ClassVar[str] = "deer"
    height_m: float = 0.75
    head_down: float = 0.2

    def mesh(self) -> Mesh:
        """Parts body, legs, neck, head, ears."""
        h = above(self.height_m, "deer: height_m")
        if not 0 <= self.head_down <= 1:
            raise InputError(f"deer: head_down is {self.head_down}; give a share from 0 to 1")
        spine = [
            (0.0, 0.52 * h, 0.86 * h),
            (0.0, 0.3 * h, 0.85 * h),
            (0.0, -0.05 * h, 0.8 * h),
            (0.0, -0.42 * h, 0.83 * h),
        ]
        pieces = [curved(spine, [0.12 * h, 0.185 * h, 0.18 * h, 0.15 * h], "body", segments=16)]
        for side in (-1, 1):
            for at, bend in ((0.42 * h, 0.05 * h), (-0.36 * h, -0.02 * h)):
                x = side * 0.1 * h
                leg = [(x, at, 0.72 * h), (x, at + bend, 0.38 * h), (x, at - bend * 0.3, 0.02 * h)]
                pieces.append(tube(leg, [0.085 * h, 0.038 * h, 0.026 * h], "legs", segments=9))
        up = (
            np.array([0.0, -0.72 * h, 1.22 * h]) * (1 - self.head_down)
            + np.array([0.0, -0.95 * h, 0.3 * h]) * self.head_down
        )
        pieces.append(tube([np.array([0.0, -0.42 * h, 0.88 * h]), up], [0.12 * h, 0.07 * h], "neck", segments=12))
        nose = up + np.array([0.0, -0.26 * h, -0.1 * h - 0.1 * h * self.head_down])
        pieces.append(tube([up, (up + nose) / 2, nose], [0.085 * h, 0.075 * h, 0.035 * h], "head", segments=12))
        for side in (-1, 1):
            tip = up + np.array([side * 0.14 * h, 0.06 * h, 0.13 * h])
            pieces.append(tube([up + np.array([side * 0.05 * h, 0.0, 0.05 * h]), tip], [0.035 * h, 0.012 * h], "ears"))
        coat = {"colour": [0.24, 0.13, 0.06], "roughness": 0.95}
        made = joined(pieces)
        points = {"nose": tuple(nose), "withers": (0.0, -0.3 * h, h), "tail": (0.0, 0.64 * h, 0.86 * h)}
        return grounded(replace(made, looks=dict.fromkeys(made.parts, coat), keypoints=_inside(made, points)))


def _inside(mesh: Mesh, points: dict[str, tuple[float, ...]]) -> dict[str, Point]:
    """The points, brought within the box of the mesh."""
    low, high = mesh.bounds
    found: dict[str, Point] = {}
    for name, point in points.items():
        x, y, z = (float(v) for v in np.clip(np.asarray(point, float), low, high))
        found[name] = (x, y, z)
    return found
