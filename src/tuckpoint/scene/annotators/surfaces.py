"""Dense labels of surfaces: depth, position, normals, UV, material, and where each point goes from frame to frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View


def _ways(view: View) -> NDArray[np.float64]:
    """Rays through the pixel centres in the camera's frame, of depth 1 (h, w, 3)."""
    camera = view.scene.camera
    y, x = np.mgrid[: camera.height, : camera.width] + 0.5
    (fx, fy), (cx, cy) = camera.focal_px, camera.centre_px
    return np.stack([(x - cx) / fx, (y - cy) / fy, np.ones_like(x)], axis=-1)


def _depth(view: View) -> Label:
    return Label(arrays={"depth": view.buffers.depth})


def _distance(view: View) -> Label:
    length = np.linalg.norm(_ways(view), axis=-1)
    return Label(arrays={"distance": (view.buffers.depth * length).astype(np.float32)})


def _position(view: View) -> Label:
    pose = view.scene.camera.pose(view.frame).matrix()
    known = np.isfinite(view.buffers.depth)
    seen = _ways(view) * np.where(known, view.buffers.depth, 0)[..., None]
    world = seen @ pose[:3, :3].T + pose[:3, 3]
    return Label(arrays={"position": np.where(known[..., None], world, np.nan).astype(np.float32)})


def _normal(view: View) -> Label:
    turn = view.scene.camera.pose(view.frame).matrix()[:3, :3]
    return Label(
        arrays={"normal": view.buffers.normal, "normal_camera": (view.buffers.normal @ turn).astype(np.float32)}
    )


def _uv(view: View) -> Label:
    return Label(arrays={"uv": view.buffers.uv})


def _material(view: View) -> Label:
    found = view.buffers
    return Label(arrays={"albedo": found.albedo, "roughness": found.roughness, "metallic": found.metallic})


def _flow(view: View) -> Label:
    found = view.buffers
    arrays = {
        "flow": found.flow,
        "hidden": found.hidden,
        "flow_back": found.flow_back,
        "hidden_back": found.hidden_back,
    }
    return Label(arrays={name: array for name, array in arrays.items() if array is not None})


_NO = "where nothing is"
DEPTH = Annotator(
    "depth", _depth, {"depth": Meaning("float32", "h, w", "m", "camera", f"along the axis (z), inf {_NO}")}
)
DISTANCE = Annotator(
    "distance", _distance, {"distance": Meaning("float32", "h, w", "m", "camera", f"along the ray, inf {_NO}")}
)
POSITION = Annotator(
    "position", _position, {"position": Meaning("float32", "h, w, 3", "m", "world", f"of the surface, NaN {_NO}")}
)
NORMAL = Annotator(
    "normal",
    _normal,
    {
        "normal": Meaning("float32", "h, w, 3", "unit vector", "world", f"smooth, towards the camera, 0 {_NO}"),
        "normal_camera": Meaning(
            "float32", "h, w, 3", "unit vector", "camera", f"the same; x right, y down, z ahead; 0 {_NO}"
        ),
    },
)
UV = Annotator("uv", _uv, {"uv": Meaning("float32", "h, w, 2", "texture", "thing", f"u right, v up, 0 {_NO}")})
MATERIAL = Annotator(
    "material",
    _material,
    {
        "albedo": Meaning("float32", "h, w, 3", "linear RGB", "thing", f"base colour with texture, 0 {_NO}"),
        "roughness": Meaning("float32", "h, w", "0 to 1", "thing", f"0 {_NO}"),
        "metallic": Meaning("float32", "h, w", "0 to 1", "thing", f"0 {_NO}"),
    },
)
_MOVES = (
    "x right, y down, to where the same point of the surface is in the {} frame; NaN " + _NO + "; absent without one"
)
FLOW = Annotator(
    "flow",
    _flow,
    {
        "flow": Meaning("float32", "h, w, 2", "pixels", "image", _MOVES.format("next")),
        "flow_back": Meaning("float32", "h, w, 2", "pixels", "image", _MOVES.format("previous")),
        "hidden": Meaning("bool", "h, w", "yes or no", "image", "the point is not seen in the next frame"),
        "hidden_back": Meaning("bool", "h, w", "yes or no", "image", "the point was not seen in the previous frame"),
    },
)
