"""The stage: all meshes of a scene as arrays, ready for any renderer. Renderers receive numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.record import canonical
from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.scene import Material, Scene
from tuckpoint.settings import build

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


@dataclass(frozen=True)
class Stage:
    """A scene as arrays.

    `meshes` has one mesh per thing, in order. Over all of them: faces (f, 3) int32 into the stacked vertices, uv (v, 2)
    float32, and per face (f,) int32: `instance` from 1, `part` from 1 over `part_names` ("thing/part"), `material` from
    0 over `materials`. `textures` maps the index of a textured material to its image (h, w, 3) uint8 sRGB, first row at
    v = 1.
    """

    scene: Scene
    meshes: tuple[Mesh, ...]
    faces: Ints
    uv: Floats
    instance: Ints
    part: Ints
    material: Ints
    part_names: tuple[str, ...]
    materials: tuple[Material, ...]
    textures: Mapping[int, NDArray[np.uint8]]

    def vertices(self, frame: int = 0) -> Floats:
        """All vertices in the world, (v, 3) float32."""
        return self._placed(frame, normals=False)

    def normals(self, frame: int = 0) -> Floats:
        """All unit normals in the world, (v, 3) float32."""
        return self._placed(frame, normals=True)

    def _placed(self, frame: int, *, normals: bool) -> Floats:
        placed = []
        for thing, mesh in zip(self.scene.things, self.meshes, strict=True):
            matrix = thing.pose(frame).matrix()
            turned = (mesh.normals if normals else mesh.vertices) @ matrix[:3, :3].T
            placed.append((turned if normals else turned + matrix[:3, 3]).astype(np.float32))
        return np.concatenate(placed)


def mesh_of(family: str, shape: Mapping[str, object]) -> Mesh:
    """The mesh that a family builds from these numbers; the last ones are kept in memory.

    Raises UnknownPart for an unknown family, InputError for a shape that it cannot build.
    """
    return _mesh(family, canonical(dict(shape)))


@lru_cache(maxsize=256)
def _mesh(family: str, shape: bytes) -> Mesh:
    import json

    mesh: Mesh = build(_family(family), json.loads(shape)).mesh()
    return mesh


@lru_cache(maxsize=256)
def _family(name: str) -> Any:
    return parts.find("thing", name)  # it looks through what is installed: not for every thing


def staged(scene: Scene) -> Stage:
    """Build every mesh and texture of a scene.

    Raises InputError for a scene without things, and for a thing whose materials are not those of its parts.
    """
    if not scene.things:
        raise InputError(f"scene {scene.index} holds nothing; give it things")
    meshes = tuple(mesh_of(thing.family, thing.shape) for thing in scene.things)
    part_names: list[str] = []
    materials: list[Material] = []
    faces, instance, part, material, start = [], [], [], [], 0
    for number, (thing, mesh) in enumerate(zip(scene.things, meshes, strict=True), 1):
        lacking = [name for name in mesh.parts if name not in thing.materials]
        if lacking:
            raise InputError(
                f'"{thing.name}" has no material for its part "{lacking[0]}"; parts: {", ".join(mesh.parts)}'
            )
        faces.append(mesh.faces + np.int32(start))
        instance.append(np.full(len(mesh.faces), number, np.int32))
        part.append(mesh.part + np.int32(len(part_names) + 1))
        material.append(mesh.part + np.int32(len(materials)))
        part_names += [f"{thing.name}/{name}" for name in mesh.parts]
        materials += [thing.materials[name] for name in mesh.parts]
        start += len(mesh.vertices)
    return Stage(
        scene=scene,
        meshes=meshes,
        faces=np.concatenate(faces),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        instance=np.concatenate(instance),
        part=np.concatenate(part),
        material=np.concatenate(material),
        part_names=tuple(part_names),
        materials=tuple(materials),
        textures=_textures(materials),
    )


def _textures(materials: list[Material]) -> dict[int, NDArray[np.uint8]]:
    from tuckpoint.scene.texture import baked

    return {
        number: baked(material.texture) for number, material in enumerate(materials) if material.texture is not None
    }
