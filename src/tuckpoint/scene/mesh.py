"""A mesh: what a family builds from numbers, in the thing's own frame, metres, z up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Surface:
    """A level rectangle of a thing where others may stand: its centre, half sizes along x and y, and the room above."""

    name: str
    centre: tuple[float, float, float]
    half: tuple[float, float]
    height: float = float("inf")


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth normals, UV and parts.

    vertices (v, 3) and normals (v, 3) float32, a vertex doubled wherever its normal or uv breaks; uv (v, 2) float32,
    v up; faces (f, 3) int32, counter-clockwise from outside; part (f,) int32, an index into `parts`. `keypoints` are
    named points (3,), `surfaces` where others may stand, `hulls` convex bodies for physics, each (k, 3).
    """

    vertices: Floats
    normals: Floats
    uv: Floats
    faces: Ints
    part: Ints
    parts: tuple[str, ...]
    keypoints: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    surfaces: tuple[Surface, ...] = ()
    hulls: tuple[Floats, ...] = ()

    def __post_init__(self) -> None:
        v, f = len(self.vertices), len(self.faces)
        if f == 0:
            raise InputError("the mesh has no faces; give one with triangles")
        shapes = {"vertices": (v, 3), "normals": (v, 3), "uv": (v, 2), "faces": (f, 3), "part": (f,)}
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                raise InputError(f"the mesh's {name} have shape {getattr(self, name).shape}, not {shape}")
        for name in ("vertices", "normals", "uv"):
            bad = ~np.isfinite(getattr(self, name)).all(axis=1)
            if bad.any():
                raise InputError(
                    f"the mesh has {int(bad.sum())} {name} that are not finite (first: {bad.argmax()}); mend the file"
                )
        if self.faces.min() < 0 or self.faces.max() >= v:
            raise InputError(f"the mesh has faces that name vertices outside 0..{v - 1}; mend the file")
        if self.part.min() < 0 or self.part.max() >= len(self.parts):
            raise InputError(f"the mesh has faces of parts outside 0..{len(self.parts) - 1}")
        if not (self.bounds[1] - self.bounds[0]).max() > 0:
            raise InputError("the mesh has no size: all its vertices are one point; give a scale above 0")

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The corners (3,) of the box along the axes that holds all vertices: lowest, highest."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)


def joined(pieces: Mapping[str, Mesh]) -> Mesh:
    """Several meshes as one; each becomes a part of that name, without its own parts; keypoints are `name.point`."""
    meshes = list(pieces.values())
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])[:-1]
    return Mesh(
        vertices=np.concatenate([mesh.vertices for mesh in meshes]),
        normals=np.concatenate([mesh.normals for mesh in meshes]),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        faces=np.concatenate([mesh.faces + np.int32(start) for mesh, start in zip(meshes, starts, strict=True)]),
        part=np.concatenate([np.full(len(mesh.faces), number, np.int32) for number, mesh in enumerate(meshes)]),
        parts=tuple(pieces),
        keypoints={f"{name}.{key}": at for name, mesh in pieces.items() for key, at in mesh.keypoints.items()},
        surfaces=tuple(surface for mesh in meshes for surface in mesh.surfaces),
        hulls=tuple(hull for mesh in meshes for hull in mesh.hulls),
    )


def moved(mesh: Mesh, matrix: NDArray[np.float64]) -> Mesh:
    """The mesh under a matrix (4, 4) with no mirror image; normals turn with it, surfaces and keypoints are dropped."""
    turn = np.linalg.inv(matrix[:3, :3]).T
    normals = mesh.normals @ turn.T
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return Mesh(
        vertices=(mesh.vertices @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32),
        normals=normals.astype(np.float32),
        uv=mesh.uv,
        faces=mesh.faces,
        part=mesh.part,
        parts=mesh.parts,
        hulls=tuple((hull @ matrix[:3, :3].T + matrix[:3, 3]).astype(np.float32) for hull in mesh.hulls),
    )
