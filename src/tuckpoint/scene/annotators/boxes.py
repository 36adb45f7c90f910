"""Boxes: in the picture, tight around what is seen or whole, and oriented in space; how much is seen or cut."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View
from tuckpoint.scene.annotators.masks import labelled

_PIXELS = "left, top, right, bottom; pixel edges, so the width is right - left; null if no pixel is"


def around(mask: NDArray[np.bool_]) -> list[int] | None:
    """The tight box of a mask (h, w): left, top, right and bottom edges; None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return [int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1]


def _box(view: View) -> Label:
    return Label(objects={n: {"box": around(view.buffers.instance == n)} for n in labelled(view)})


def _box_amodal(view: View) -> Label:
    return Label(objects={n: {"box_amodal": around(view.buffers.silhouettes[n - 1])} for n in labelled(view)})


def _visibility(view: View) -> Label:
    found: dict[int, dict[str, Any]] = {}
    for n in labelled(view):
        seen, alone = int((view.buffers.instance == n).sum()), int(view.buffers.silhouettes[n - 1].sum())
        extent = int(view.buffers.extent[n - 1])
        found[n] = {
            "pixels": seen,
            "pixels_amodal": alone,
            "visible": seen / alone if alone else 0.0,
            "truncated": 1 - alone / extent if extent else 1.0,
        }
    return Label(objects=found)


def _box_3d(view: View) -> Label:
    found = {}
    for n in labelled(view):
        low, high = (np.asarray(corner, float) for corner in view.stage.meshes[n - 1].bounds)
        matrix = view.scene.things[n - 1].pose(view.frame).matrix()
        corners = np.array([np.where(place, high, low) for place in product((False, True), repeat=3)])
        world = corners @ matrix[:3, :3].T + matrix[:3, 3]
        pixels, _ = view.scene.camera.project(world, view.frame)
        found[n] = {
            "box_3d": {
                "centre_m": (matrix[:3, :3] @ ((low + high) / 2) + matrix[:3, 3]).tolist(),
                "size_m": (high - low).tolist(),
                "rotation": list(view.scene.things[n - 1].pose(view.frame).rotation),
                "corners_world_m": world.tolist(),
                "corners_camera_m": view.scene.camera.to_camera(world, view.frame).tolist(),
                "corners_px": [None if np.isnan(at).any() else at.tolist() for at in pixels],
            }
        }
    return Label(objects=found)


BOX = Annotator("box", _box, {"box": Meaning("int", "4", "pixels", "image", f"around what is seen: {_PIXELS}")})
AMODAL = Annotator(
    "box_amodal",
    _box_amodal,
    {"box_amodal": Meaning("int", "4", "pixels", "image", f"around the whole thing within the picture: {_PIXELS}")},
)
VISIBILITY = Annotator(
    "visibility",
    _visibility,
    {
        "pixels": Meaning("int", "1", "pixels", "image", "that show the thing"),
        "pixels_amodal": Meaning("int", "1", "pixels", "image", "that would show it if nothing stood before it"),
        "visible": Meaning("float", "1", "share", "image", "pixels over pixels_amodal; 0 where the thing is outside"),
        "truncated": Meaning("float", "1", "share", "image", "of the thing, uncovered, that lies outside the picture"),
    },
)
BOX_3D = Annotator(
    "box_3d",
    _box_3d,
    {
        "box_3d": Meaning(
            "float", "centre 3, size 3, rotation 4, corners 8 x 3", "m, quaternion w x y z, pixels", "world, camera",
            "along the thing's own axes; corner k has the high end of x, y, z where bits 4, 2, 1 of k are set",
        )
    },
)  # fmt: skip
