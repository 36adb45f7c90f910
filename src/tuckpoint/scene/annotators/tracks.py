"""Points on things that are followed through a clip: the same points in every frame, seen or not."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View
from tuckpoint.scene.annotators.masks import labelled
from tuckpoint.scene.mesh import Mesh
from tuckpoint.seed import Seed

POINTS = 16  # per thing
TOLERANCE = 0.004  # of the depth: a point is seen if nothing lies nearer than this before it


def spots(mesh: Mesh, seed: Seed) -> tuple[Any, Any]:
    """Faces (n,) and barycentric shares (n, 3) of points that lie anywhere on a mesh as likely as anywhere else."""
    random = seed.numpy()
    a, b, c = mesh.vertices[mesh.faces].astype(float).transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    face = np.searchsorted(np.cumsum(area) / area.sum(), random.random(POINTS), side="right")
    u, v = random.random((2, POINTS))
    root = np.sqrt(u)
    return np.minimum(face, len(area) - 1), np.stack([1 - root, root * (1 - v), root * v], axis=1)


def _tracks(view: View) -> Label:
    found: dict[int, dict[str, Any]] = {}
    for n in labelled(view):
        thing, mesh = view.scene.things[n - 1], view.stage.meshes[n - 1]
        # the scene's number and the thing's name alone: a twin has the same points
        face, shares = spots(mesh, Seed(0).child("tracks", view.scene.index, thing.name))
        own = np.einsum("nk,nkd->nd", shares, mesh.vertices[mesh.faces[face]].astype(float))
        matrix = thing.pose(view.frame).matrix()
        world = own @ matrix[:3, :3].T + matrix[:3, 3]
        pixels, depth = view.scene.camera.project(world, view.frame)
        seen = [_seen(view, n, at, float(z)) for at, z in zip(pixels, depth, strict=True)]
        found[n] = {
            "tracks": [
                {"point": k, "pixel": None if z <= 0 else at.tolist(), "depth_m": float(z), "seen": yes}
                for k, (at, z, yes) in enumerate(zip(pixels, depth, seen, strict=True))
            ]
        }
    return Label(objects=found)


def _seen(view: View, number: int, at: Any, depth: float) -> bool:
    """Whether the nearest surface in one of the pixels about a point is that of its own thing and depth."""
    camera = view.scene.camera
    if depth <= 0 or not (0 <= at[0] < camera.width and 0 <= at[1] < camera.height):
        return False
    x, y = int(at[0]), int(at[1])
    near = (slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2))
    own = view.buffers.instance[near] == number
    return bool(own.any() and depth <= float(view.buffers.depth[near][own].max()) * (1 + TOLERANCE))


TRACKS = Annotator(
    "tracks",
    _tracks,
    {
        "tracks": Meaning(
            "json", f"{POINTS}", "pixels, m", "image",
            "points of the surface, the same in every frame of a scene: number, pixel (null behind the camera), depth "
            "along the axis, and whether it is seen",
        )
    },
)  # fmt: skip
