"""A mesh: what a family builds from numbers, in the thing's own frame, metres, z up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Surface:
    """A rectangle of a thing where others may stand: its centre, and half its sizes along x and y.

    On one that is not `level`, as on soil, a thing stands as high as the mesh is there. One called "inside" is the
    floor of what holds others.
    """

    name: str
    centre: tuple[float, float, float]
    half: tuple[float, float]
    level: bool = True


@dataclass(frozen=True)
class Mesh:
    """Triangles with smooth normals, UV and parts.

    vertices (v, 3) and normals (v, 3) float32, a vertex doubled wherever its normal or uv breaks; uv (v, 2) float32,
    v up; faces (f, 3) int32, counter-clockwise from outside; part (f,) int32, an index into `parts`. `keypoints` are
    named points (3,), `surfaces` where others may stand. `looks` tells by part how it looks unless the specification
    says otherwise: entries of `scene.Material` (a texture as {"kind": .., "settings": ..}). `hulls` are the convex
    pieces (n, 3) float32 that stand for it in physics; none: one, of all vertices.
    """

    vertices: Floats
    normals: Floats
    uv: Floats
    faces: Ints
    part: Ints
    parts: tuple[str, ...]
    keypoints: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    surfaces: tuple[Surface, ...] = ()
    looks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
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
        unknown = sorted(set(self.looks) - set(self.parts))
        if unknown:
            raise InputError(f'the mesh tells how "{unknown[0]}" looks, which is none of its parts: {self.parts}')
        if not (self.bounds[1] - self.bounds[0]).max() > 0:
            raise InputError("the mesh has no size: all its vertices are one point; give a scale above 0")

    @cached_property
    def spans(self) -> tuple[Floats, Floats, Floats, Floats]:
        """The least and greatest x and y (f,) of each face."""
        corners = self.vertices[self.faces]
        low, high = corners.min(axis=1), corners.max(axis=1)
        return (np.ascontiguousarray(low[:, 0]), np.ascontiguousarray(high[:, 0]),
                np.ascontiguousarray(low[:, 1]), np.ascontiguousarray(high[:, 1]))  # fmt: skip

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """The corners (3,) of the box along the axes that holds all vertices: lowest, highest."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)
