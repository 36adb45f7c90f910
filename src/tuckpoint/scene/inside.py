"""Whether a point lies inside a solid thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import UnfitScene
from tuckpoint.scene.scene import Camera, Thing
from tuckpoint.scene.stage import mesh_of


def winding(vertices: NDArray[np.floating], faces: NDArray[np.int32], point: NDArray[np.float64]) -> float:
    """How often a mesh winds about a point: 1 inside a closed one, 0 outside.

    The sum of the solid angles of its triangles (van Oosterom and Strackee 1983) over that of the sphere.
    """
    a, b, c = (vertices[faces].astype(float) - point).transpose(1, 0, 2)
    la, lb, lc = (np.linalg.norm(side, axis=1) for side in (a, b, c))
    over = np.einsum("ij,ij->i", a, np.cross(b, c))
    under = la * lb * lc + (a * b).sum(1) * lc + (b * c).sum(1) * la + (c * a).sum(1) * lb
    return float(np.arctan2(over, under).sum() / (2 * np.pi))


def clear_of(camera: Camera, things: Sequence[Thing]) -> None:
    """Raise UnfitScene if the camera stands inside a thing in any frame."""
    for frame, eye in enumerate(camera.poses):
        for thing in things:
            mesh = mesh_of(thing.family, thing.shape)
            poses = thing.poses if len(camera.poses) == 1 else (thing.pose(frame),)
            for pose in poses:
                matrix = pose.matrix()
                own = (np.array(eye.position) - matrix[:3, 3]) @ matrix[:3, :3]
                low, high = mesh.bounds
                if (own > low).all() and (own < high).all() and winding(mesh.vertices, mesh.faces, own) > 0.5:
                    raise UnfitScene(
                        f'the camera stands inside "{thing.name}"; move one of them', why="the camera is inside a thing"
                    )
