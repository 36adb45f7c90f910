"""Traffic signs: a plate of the sign's outline on a post, its face drawn from the sign's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.sign_faces import face
from tuckpoint.scene.signs import Sign
from tuckpoint.scene.solid import Stretch, above, turned

Floats = NDArray[np.float64]
PARTS = ("face", "back", "post")


@dataclass(frozen=True)
class SignPost:
    """A sign that faces -y, its post on z = 0; parts: face, back (with the edge) and post.

    `sign` is a name as in `sign_faces.NAMES` (stop, speed_50, ...), `size_m` the plate's width, `height_m` of its
    middle, `post_m` the post's radius (0: none, the plate hangs). `fading`, `dirt`, `scratches` and `key` weather the
    face as in `signs.Sign`; other colours are set by the texture of the material `face`.
    """

    name: ClassVar[str] = "sign"
    sign: str = "stop"
    size_m: float = 0.6
    height_m: float = 2.3
    thickness_m: float = 0.01
    post_m: float = 0.03
    fading: float = 0.0
    dirt: float = 0.0
    scratches: float = 0.0
    key: int = 0

    def mesh(self) -> Mesh:
        """Three parts, the post without faces if there is none."""
        half, deep = above(self.size_m, "sign: size_m") / 2, above(self.thickness_m, "sign: thickness_m")
        if self.post_m < 0 or self.height_m < half:
            raise InputError(
                f"sign: post_m {self.post_m}, height_m {self.height_m}; give a radius from 0, and a height of the "
                f"middle of half the plate ({half:g} m) or more"
            )
        weather = {name: getattr(self, name) for name in ("fading", "dirt", "scratches", "key")}
        Sign(sign=self.sign, **weather)  # it says what cannot be
        outline = face(self.sign).outline
        pieces = _plate(outline, half, deep, self.height_m)
        if self.post_m > 0:
            pieces.append(_post(self.post_m, self.height_m + half * float(outline[:, 1].max()) * 0.9))
        starts = np.cumsum([0, *(len(piece[0]) for piece in pieces)])
        middle = np.array([0.0, 0.0, self.height_m])
        corners = outline * half
        hull = [np.column_stack([corners[:, 0], np.full(len(corners), y), corners[:, 1]]) for y in (-deep, 0.0)]
        hulls = [(np.concatenate(hull) + middle).astype(np.float32)]
        if self.post_m > 0:
            hulls.append(pieces[-1][0].astype(np.float32))
        return Mesh(
            vertices=np.concatenate([piece[0] for piece in pieces]).astype(np.float32),
            normals=np.concatenate([piece[1] for piece in pieces]).astype(np.float32),
            uv=np.concatenate([piece[2] for piece in pieces]).astype(np.float32),
            faces=np.concatenate([p[3] + at for p, at in zip(pieces, starts[:-1], strict=True)]).astype(np.int32),
            part=np.concatenate([np.full(len(piece[3]), piece[4]) for piece in pieces]).astype(np.int32),
            parts=PARTS,
            keypoints={"middle": (0.0, -deep, self.height_m)},
            looks={
                "face": {
                    "colour": (1.0, 1.0, 1.0),
                    "roughness": 0.45,
                    "texture": {"kind": "sign", "settings": {"sign": self.sign, **weather}},
                },
                "back": {"colour": (0.4, 0.41, 0.42), "roughness": 0.5, "metallic": 0.6},
                "post": {"colour": (0.35, 0.36, 0.37), "roughness": 0.5, "metallic": 0.6},
            },
            hulls=tuple(hulls),
        )


Piece = tuple[Floats, Floats, Floats, NDArray[np.int64], int]  # vertices, normals, uv, faces, part


def _plate(outline: Floats, half: float, deep: float, height: float) -> list[Piece]:
    """Front, back and edge of a plate whose front lies at y = -deep."""
    n = len(outline)
    ring = np.arange(n)
    after = (ring + 1) % n
    flat = np.concatenate([outline, outline.mean(axis=0)[None]])  # (n + 1, 2)
    uv = (flat + 1) / 2
    fan = np.stack([np.full(n, n), ring, after], 1)
    sides = []
    for y, facing, faces, part in ((-deep, -1.0, fan, 0), (0.0, 1.0, fan[:, ::-1], 1)):
        points = np.column_stack([flat[:, 0] * half, np.full(n + 1, y), flat[:, 1] * half + height])
        sides.append((points, np.tile([0.0, facing, 0.0], (n + 1, 1)), uv, faces, part))
    way = outline[after] - outline
    out = np.column_stack([way[:, 1], np.zeros(n), -way[:, 0]]) / np.hypot(*way.T)[:, None]
    front, back = (side[0][:n] for side in sides)
    corners = np.stack([front, front[after], back[after], back], 1)  # (n, 4, 3)
    quads = np.array([[0, 2, 1], [0, 3, 2]])
    faces = (4 * ring[:, None, None] + quads).reshape(-1, 3)
    edge_uv = np.tile([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], (n, 1))
    return [*sides, (corners.reshape(-1, 3), out.repeat(4, axis=0), edge_uv, faces, 1)]


def _post(radius: float, top: float) -> Piece:
    """A tube behind the plate."""
    profile = [[(0.0, 0.0), (radius, 0.0)], [(radius, 0.0), (radius, top)], [(radius, top), (0.0, top)]]
    made = turned([Stretch(points) for points in profile], segments=20)
    return (
        made.vertices + np.array([0.0, radius, 0.0]),
        made.normals.astype(float),
        made.uv.astype(float),
        made.faces.astype(np.int64),
        2,
    )
