"""Building blocks of meshes: boxes and turned profiles, with normals, UV and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.scene.mesh import Mesh

Floats = NDArray[np.float32]


def above(value: float, name: str) -> float:
    """The value; raises InputError unless it is above 0."""
    if not value > 0:
        raise InputError(f"{name} is {value}; give a number above 0")
    return value


def block(size: tuple[float, float, float]) -> Mesh:
    """A box of this size (m) that stands on z = 0 about the origin; each side carries the whole texture."""
    half = np.array(size) / 2
    sides = []
    for axis in range(3):
        for sign in (1.0, -1.0):
            one, two = (axis + 1) % 3, (axis + 2) % 3
            u, v = (one, two) if two == 2 or axis == 2 else (two, one)  # v runs up on the walls
            corners = np.zeros((4, 3))
            corners[:, axis] = sign * half[axis]
            corners[:, u] = np.array([-1, 1, 1, -1]) * half[u]
            corners[:, v] = np.array([-1, -1, 1, 1]) * half[v]
            out = np.zeros(3)
            out[axis] = sign
            order = [0, 1, 2, 0, 2, 3]
            if np.dot(np.cross(corners[1] - corners[0], corners[2] - corners[0]), out) < 0:
                order = [0, 2, 1, 0, 3, 2]
            across = corners[:, u] / size[u] + 0.5
            if order[1] == 2:  # seen from outside the picture must not be its mirror image
                across = 1 - across
            sides.append((corners, out, np.stack([across, corners[:, v] / size[v] + 0.5], 1), order))
    return Mesh(
        vertices=np.concatenate([side[0] for side in sides]).astype(np.float32) + np.array([0, 0, half[2]], np.float32),
        normals=np.concatenate([np.tile(side[1], (4, 1)) for side in sides]).astype(np.float32),
        uv=np.concatenate([side[2] for side in sides]).astype(np.float32),
        faces=np.concatenate([np.array(side[3]).reshape(2, 3) + 4 * n for n, side in enumerate(sides)]).astype(
            np.int32
        ),
        part=np.zeros(12, np.int32),
        parts=("all",),
    )


@dataclass(frozen=True)
class Stretch:
    """A piece of a profile: `points` (radius, height) from below, outside, up; smooth inside, sharp at its ends."""

    points: Sequence[tuple[float, float]]
    part: str = "all"


def turned(stretches: Sequence[Stretch], *, segments: int = 48) -> Mesh:
    """A profile turned about z: u runs around, v along each stretch from 0 to 1.

    The stretches run counter-clockwise in the plane of radius and height, so that outside lies to the right of the way.
    Raises InputError for a negative radius or a stretch of one point.
    """
    names = tuple(dict.fromkeys(stretch.part for stretch in stretches))
    vertices, normals, uv, faces, part, start = [], [], [], [], [], 0
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    around = np.stack([np.cos(angle), np.sin(angle)], 1)  # (s, 2)
    for stretch in stretches:
        profile = np.array(stretch.points, float)
        if len(profile) < 2 or (profile[:, 0] < 0).any():
            raise InputError("a profile needs two points or more, of radius 0 or more")
        way = np.gradient(profile, axis=0) if len(profile) > 2 else np.tile(profile[1] - profile[0], (2, 1))
        out = np.stack([way[:, 1], -way[:, 0]], 1)
        out /= np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)
        rows = len(profile)
        vertices.append(_ring(profile[:, 0], profile[:, 1], around))
        normals.append(_ring(out[:, 0], out[:, 1], around))
        length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(profile, axis=0), axis=1))])
        u, v = np.meshgrid(angle / (2 * np.pi), length / max(length[-1], 1e-12))
        uv.append(np.stack([u, v], -1).reshape(-1, 2))
        at = np.arange(rows * (segments + 1)).reshape(rows, segments + 1)
        low, right, high, diagonal = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
        cut = np.concatenate([np.stack([low, right, diagonal], -1), np.stack([low, diagonal, high], -1)]).reshape(-1, 3)
        corners = vertices[-1][cut]
        area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
        cut = cut[area > 1e-14]  # at the axis half of the triangles are lines
        faces.append(cut + start)
        part.append(np.full(len(cut), names.index(stretch.part)))
        start += at.size
    return Mesh(
        vertices=np.concatenate(vertices).astype(np.float32),
        normals=np.concatenate(normals).astype(np.float32),
        uv=np.concatenate(uv).astype(np.float32),
        faces=np.concatenate(faces).astype(np.int32),
        part=np.concatenate(part).astype(np.int32),
        parts=names,
    )


def _ring(radius: NDArray[np.float64], height: NDArray[np.float64], around: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points (rows * s, 3) of a profile at all angles."""
    flat = radius[:, None, None] * around[None]  # (rows, s, 2)
    up = np.broadcast_to(height[:, None, None], (*flat.shape[:2], 1))
    return np.concatenate([flat, up], -1).reshape(-1, 3)


def stack(profile: Sequence[tuple[float, float]], *, segments: int = 24) -> tuple[Floats, ...]:
    """Convex pieces of what a profile (radius, height) encloses: one between each of its points and the next."""
    around = _around(segments)
    return tuple(
        np.concatenate([np.column_stack([around * radius, np.full(segments, z)]) for radius, z in pair]).astype(
            np.float32
        )
        for pair in pairwise(profile)
    )


def shell(
    outer: Sequence[tuple[float, float]], inner: Sequence[tuple[float, float]], *, segments: int = 16
) -> tuple[Floats, ...]:
    """Convex pieces of the wall between two profiles (radius, height) of as many points: staves around z."""
    around = _around(segments)
    found = []
    for k in range(segments):
        sides = around[[k, (k + 1) % segments]]
        for step in range(len(outer) - 1):
            rings = (outer[step], outer[step + 1], inner[step], inner[step + 1])
            found.append(np.concatenate([np.column_stack([sides * radius, [z, z]]) for radius, z in rings]))
    return tuple(points.astype(np.float32) for points in found)


def _around(segments: int) -> NDArray[np.float64]:
    angle = np.arange(segments) * 2 * np.pi / segments
    return np.stack([np.cos(angle), np.sin(angle)], 1)


def arc(
    centre: tuple[float, float], radius: float, first_deg: float, last_deg: float, *, steps: int = 8
) -> list[tuple[float, float]]:
    """Points (radius, height) on an arc of a profile; 0 degrees point away from the axis, 90 up."""
    turn = np.radians(np.linspace(first_deg, last_deg, steps + 1))
    return [(max(centre[0] + radius * float(np.cos(t)), 0.0), centre[1] + radius * float(np.sin(t))) for t in turn]
