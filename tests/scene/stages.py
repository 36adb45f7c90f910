"""Stages whose answers are known: spheres, planes and boxes built by hand."""

import numpy as np

from tuckpoint.scene.mesh import Mesh
from tuckpoint.scene.scene import Camera, Material, Pose, Scene, Sky, Sun, Thing, looking
from tuckpoint.scene.stage import Stage

FACING = {  # outward normal -> (first edge, second edge), right-handed
    (1, 0, 0): ((0, 1, 0), (0, 0, 1)),
    (-1, 0, 0): ((0, 0, 1), (0, 1, 0)),
    (0, 1, 0): ((0, 0, 1), (1, 0, 0)),
    (0, -1, 0): ((1, 0, 0), (0, 0, 1)),
    (0, 0, 1): ((1, 0, 0), (0, 1, 0)),
    (0, 0, -1): ((0, 1, 0), (1, 0, 0)),
}


def quad(normal=(0, 0, 1), half=1.0):
    """A square through the origin; its u runs along the first edge, its v along the second."""
    one, two = (np.array(edge, float) * half for edge in FACING[normal])
    vertices = np.array([-one - two, one - two, one + two, -one + two], np.float32)
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    return Mesh(vertices, np.tile(np.float32(normal), (4, 1)), uv, faces, np.zeros(2, np.int32), ("all",))


def box(half=0.5):
    """A cube about the origin, one part."""
    sides = [quad(normal, half) for normal in FACING]
    vertices = np.concatenate([s.vertices + np.float32(n) * half for s, n in zip(sides, FACING, strict=True)])
    faces = np.concatenate([s.faces + 4 * number for number, s in enumerate(sides)]).astype(np.int32)
    normals, uv = np.concatenate([s.normals for s in sides]), np.concatenate([s.uv for s in sides])
    points = {"top": (half, half, half)}
    return Mesh(vertices, normals, uv, faces, np.zeros(12, np.int32), ("all",), keypoints=points)


def ball(radius=1.0, rings=96):
    """A finely cut sphere about the origin: parts south and north."""
    up = np.linspace(-np.pi / 2, np.pi / 2, rings + 1)
    round_ = np.linspace(0, 2 * np.pi, 2 * rings + 1)
    lat, lon = np.meshgrid(up, round_, indexing="ij")
    normals = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], -1).reshape(-1, 3)
    at = np.arange(normals.shape[0]).reshape(rings + 1, -1)
    low, right, high, diagonal = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    faces = np.concatenate([np.stack([low, right, diagonal], -1), np.stack([low, diagonal, high], -1)], axis=1)
    faces = faces.reshape(-1, 3)
    uv = np.stack([lon / (2 * np.pi), lat / np.pi + 0.5], -1).reshape(-1, 2)
    vertices = (radius * normals).astype(np.float32)
    part = (vertices[faces].mean(axis=1)[:, 2] > 0).astype(np.int32)
    return Mesh(vertices, normals.astype(np.float32), uv.astype(np.float32), faces.astype(np.int32), part,
                ("south", "north"))  # fmt: skip


def camera(position=(0.0, -5.0, 0.0), target=(0.0, 0.0, 0.0), *, size=(96, 64), focal=80.0, poses=None):
    """A camera that looks at the target."""
    poses = poses or (looking(position, target),)
    return Camera(*size, (focal, focal), (size[0] / 2, size[1] / 2), poses)


def stage(meshes, *, view=None, poses=None, frames=1, material=None, textures=None, **changes):
    """A stage of these meshes, each a thing "t0", "t1", ... of class "thing", at the origin or in these poses."""
    poses = poses or [(Pose(),)] * len(meshes)
    things = tuple(
        Thing(f"t{n}", "by hand", {}, dict.fromkeys(mesh.parts, material or Material()), pose, "thing")
        for n, (mesh, pose) in enumerate(zip(meshes, poses, strict=True))
    )
    scene = Scene(**{
        "spec": "x", "index": 0, "things": things, "camera": view or camera(), "classes": ("thing",), "frames": frames,
        "sun": Sun(), "sky": Sky(), **changes,
    })  # fmt: skip
    vertices = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    firsts = np.cumsum([0, *(len(mesh.parts) for mesh in meshes)])
    each = list(enumerate(meshes))
    return Stage(
        scene=scene,
        meshes=tuple(meshes),
        faces=np.concatenate([mesh.faces + vertices[n] for n, mesh in each]).astype(np.int32),
        uv=np.concatenate([mesh.uv for mesh in meshes]),
        instance=np.concatenate([np.full(len(mesh.faces), n + 1) for n, mesh in each]).astype(np.int32),
        part=np.concatenate([mesh.part + firsts[n] + 1 for n, mesh in each]).astype(np.int32),
        material=np.concatenate([mesh.part + firsts[n] for n, mesh in each]).astype(np.int32),
        part_names=tuple(f"t{n}/{part}" for n, mesh in each for part in mesh.parts),
        materials=tuple(things[n].materials[part] for n, mesh in each for part in mesh.parts),
        textures=textures or {},
    )
