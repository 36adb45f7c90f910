"""What a file of a model holds: pieces of triangles by material, before they become a thing's mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Piece:
    """Triangles of one material: positions (v, 3) and faces (f, 3) into them.

    Per corner, if the file has them, normals (f, 3, 3) and uv (f, 3, 2); and how it looks: entries of `scene.Material`.
    """

    name: str
    positions: Floats
    faces: Ints
    normals: Floats | None = None
    uv: Floats | None = None
    look: Mapping[str, Any] = field(default_factory=dict)


def checked(positions: Floats, faces: Ints, path: str) -> None:
    """Raise InputError for positions that are not finite and for faces of vertices that are not there."""
    if len(faces) == 0:
        raise InputError(f"{path} has no faces; export triangles, not points or lines")
    bad = ~np.isfinite(positions).all(axis=1)
    if bad.any():
        raise InputError(
            f"{path}: {int(bad.sum())} vertices are not finite (first: number {int(bad.argmax())}); mend it"
        )
    if faces.min() < 0 or faces.max() >= len(positions):
        raise InputError(f"{path} has a face that names vertex {int(faces.max())} of {len(positions)}; it is damaged")


def triangles(polygon: Sequence[int], positions: Floats) -> list[tuple[int, int, int]]:
    """Corner numbers (0 to n - 1) of triangles that fill a polygon: a fan if it is convex, else ears cut off."""
    n = len(polygon)
    if n == 3:
        return [(0, 1, 2)]
    points = positions[list(polygon)]
    after = np.roll(points, -1, axis=0)
    normal = np.cross(points, after).sum(axis=0)  # Newell's
    drop = int(np.abs(normal).argmax())
    flat = np.delete(points, drop, axis=1) * [1.0, np.sign(normal[drop]) * (-1.0 if drop == 1 else 1.0)]
    left, found = list(range(n)), []
    while len(left) > 3:
        k = next((k for k in range(len(left)) if _ear(left, k, flat)), 0)
        before, here, next_ = left[k - 1], left[k], left[(k + 1) % len(left)]
        found.append((before, here, next_))
        left.pop(k)
    return [*found, (left[0], left[1], left[2])]


def _ear(left: list[int], k: int, flat: Floats) -> bool:
    """Whether corner k of what is left bends outwards and its triangle holds no other corner."""
    a, b, c = (flat[left[j % len(left)]] for j in (k - 1, k, k + 1))
    if _side(a, b, c) <= 0:
        return False
    others = [flat[j] for j in left if j not in (left[k - 1], left[k], left[(k + 1) % len(left)])]
    return not any(_side(a, b, p) >= 0 and _side(b, c, p) >= 0 and _side(c, a, p) >= 0 for p in others)


def _side(a: Floats, b: Floats, c: Floats) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def smoothed(positions: Floats, faces: Ints, within_deg: float) -> Floats:
    """Normals per corner (f, 3, 3): the mean, by area, of the faces about it that are turned by less than an angle."""
    from scipy.sparse import csr_array

    a, b, c = positions[faces].transpose(1, 0, 2)
    across = np.cross(b - a, c - a)  # twice the area long
    unit = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-30)
    _, point = np.unique(positions, axis=0, return_inverse=True)  # a seam of the texture is no edge
    corners = point.reshape(-1)[faces.ravel()]
    at = csr_array((np.ones(len(corners)), (np.arange(len(corners)), corners)))
    pairs = (at @ at.T).tocoo()
    one, other = pairs.row, pairs.col
    alike = np.einsum("ij,ij->i", unit[one // 3], unit[other // 3]) >= np.cos(np.radians(within_deg)) - 1e-12
    total = np.zeros((len(corners), 3))
    np.add.at(total, one[alike], across[other[alike] // 3])
    length = np.linalg.norm(total, axis=1, keepdims=True)
    found: Floats = np.where(length > 1e-30, total / np.maximum(length, 1e-30), unit[np.arange(len(corners)) // 3])
    return found.reshape(-1, 3, 3)
