"""Where things, their keypoints, the camera and the lights are."""

from __future__ import annotations

from typing import Any

import numpy as np

from tuckpoint.labels import Meaning
from tuckpoint.scene.annotator import Annotator, Label, View
from tuckpoint.scene.annotators.masks import labelled
from tuckpoint.scene.plain import plain

OUTSIDE, HIDDEN, VISIBLE = 0, 1, 2
TOLERANCE = 0.01  # of the depth, and of the thing's own size: keypoints may lie a little inside their surface


def _keypoints(view: View) -> Label:
    found: dict[int, dict[str, Any]] = {}
    for n in labelled(view):
        mesh, matrix = view.stage.meshes[n - 1], view.scene.things[n - 1].pose(view.frame).matrix()
        if not mesh.keypoints:
            found[n] = {"keypoints": []}
            continue
        own = np.array(list(mesh.keypoints.values()), float)
        world = own @ matrix[:3, :3].T + matrix[:3, 3]
        pixels, depth = view.scene.camera.project(world, view.frame)
        size = float(np.linalg.norm(np.subtract(*mesh.bounds)))
        found[n] = {
            "keypoints": [
                _keypoint(view, name, at, float(deep), there, size)
                for name, at, deep, there in zip(mesh.keypoints, pixels, depth, world, strict=True)
            ]
        }
    return Label(objects=found)


def _keypoint(view: View, name: str, at: Any, depth: float, world: Any, size: float) -> dict[str, Any]:
    camera = view.scene.camera
    state = OUTSIDE
    if depth > 0 and 0 <= at[0] < camera.width and 0 <= at[1] < camera.height:
        nearest = float(view.buffers.depth[int(at[1]), int(at[0])])
        state = VISIBLE if depth <= nearest + TOLERANCE * (depth + size) else HIDDEN
    pixel = None if depth <= 0 else [float(value) for value in at]
    return {"name": name, "pixel": pixel, "depth_m": depth, "world_m": [float(v) for v in world], "state": state}


def _pose(view: View) -> Label:
    inverse = np.linalg.inv(view.scene.camera.pose(view.frame).matrix())
    found: dict[int, dict[str, Any]] = {}
    for n in labelled(view):
        matrix = view.scene.things[n - 1].pose(view.frame).matrix()
        found[n] = {"pose_world": matrix.tolist(), "pose_camera": (inverse @ matrix).tolist()}
    return Label(objects=found)


def _camera(view: View) -> Label:
    camera = view.scene.camera
    world = np.linalg.inv(camera.pose(view.frame).matrix())
    told = {"width": camera.width, "height": camera.height, "intrinsics": camera.intrinsics().tolist()}
    return Label(facts={"camera": {**told, "from_world": world.tolist()}})


def _lights(view: View) -> Label:
    scene = view.scene
    return Label(facts={"lights": {"sun": plain(scene.sun), "lamps": plain(scene.lamps), "sky": plain(scene.sky)}})


KEYPOINTS = Annotator(
    "keypoints",
    _keypoints,
    {
        "keypoints": Meaning(
            "json", "k", "pixels, m", "image, world",
            "per point its name, pixel (null behind the camera), depth along the axis, place in the world, and state: "
            "0 outside the picture, 1 covered, 2 visible",
        )
    },
)  # fmt: skip
POSE = Annotator(
    "pose",
    _pose,
    {
        "pose_world": Meaning("float", "4, 4", "m", "world", "world from the thing's own frame"),
        "pose_camera": Meaning(
            "float", "4, 4", "m", "camera", "camera from the thing's own frame; x right, y down, z ahead"
        ),
    },
)
CAMERA = Annotator(
    "camera",
    _camera,
    {
        "camera": Meaning(
            "float", "K 3 x 3, from_world 4 x 4", "pixels, m", "camera",
            "a pinhole without distortion; the centre of the first pixel is (0.5, 0.5)",
        )
    },
)  # fmt: skip
LIGHTS = Annotator(
    "lights",
    _lights,
    {"lights": Meaning("json", "-", "W/m2, W, degrees, m", "world", "sun, lamps and sky as in the scene")},
)
