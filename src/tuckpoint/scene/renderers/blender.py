"""Cycles of Blender, in a process and an environment of its own: path traced light, on the labels of `raycast`.

tuckpoint never imports Blender. It hands numbers to the worker (`worker/blender`, under the GPL) and gets arrays back;
`tuckpoint blender install` installs it. Labels are those of `raycast`, bit for bit; `passes` are Cycles' own, by which
either renderer is held against the other.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, ToolError
from tuckpoint.scene.buffers import Buffers
from tuckpoint.scene.renderers import worker
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.scene import Lamp, Scene, Sun, Texture
from tuckpoint.scene.stage import Stage
from tuckpoint.scene.texture import baked

Floats = NDArray[np.float32]
MODULE = "tuckpoint_blender"
PLACE = "TUCKPOINT_BLENDER"


@dataclass(frozen=True)
class Passes:
    """Cycles' own labels of one frame at pixel centres, each as in `Buffers`."""

    instance: NDArray[np.uint16]
    depth: Floats
    normal: Floats
    flow: Floats | None = None
    flow_back: Floats | None = None


@dataclass(frozen=True)
class Blender:
    """Settings: `samples` per pixel, `bounces` of light, `denoise` with Open Image Denoise at `quality`.

    `device`: "auto" takes a GPU if Cycles finds one. `python` is the interpreter of the worker's environment, none: the
    one that `tuckpoint blender install` made. A scene may take `timeout_s`; after `recycle_after` scenes, or with more
    than `memory_mb`, a fresh process takes over.

    Raises InputError for numbers out of range, ToolError if there is no worker.
    """

    name: ClassVar[str] = "blender"
    samples: int = 16
    bounces: int = 4
    denoise: bool = True
    quality: Literal["high", "balanced", "fast"] = "balanced"
    device: Literal["cpu", "gpu", "auto"] = "cpu"
    python: str = ""
    timeout_s: float = 600.0
    recycle_after: int = 200
    memory_mb: int = 4000

    def __post_init__(self) -> None:
        for name in ("samples", "bounces", "timeout_s", "recycle_after", "memory_mb"):
            if not getattr(self, name) > 0:
                raise InputError(f"blender: {name} is {getattr(self, name)}; give more than 0")
        interpreter(self.python)

    def render(self, stage: Stage, frame: int, *, shaded: bool = True) -> Buffers:
        """One frame, as `Buffers` says: the labels of `raycast`, the light of Cycles.

        Raises ToolError if the worker fails three times on it.
        """
        labels = Raycast(device="cpu").render(stage, frame, shaded=False)
        if not shaded:
            return labels
        return replace(labels, radiance=self._ask(stage, frame, "light")["radiance"])

    def passes(self, stage: Stage, frame: int) -> Passes:
        """Cycles' own labels; flow only where there is such a frame. Raises ToolError as `render` does."""
        return Passes(**self._ask(stage, frame, "passes"))

    def _ask(self, stage: Stage, frame: int, what: str) -> dict[str, Any]:
        command = worker_command(self.python)
        limits = worker.Limits(self.timeout_s, self.recycle_after, self.memory_mb)
        with tempfile.TemporaryDirectory(prefix="tuckpoint-blender-") as room:
            folder = Path(room)
            worker.ask(command, question(stage, frame, self, folder, what), limits)
            with np.load(folder / "out.npz", allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}


def home() -> Path:
    """Where the worker's environment is unless something else is said: the user's data folder of this system."""
    if sys.platform == "win32":
        data = os.environ.get("LOCALAPPDATA", "") or os.fspath(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = os.fspath(Path.home() / "Library" / "Application Support")
    else:
        data = os.environ.get("XDG_DATA_HOME", "")
        data = data if Path(data).is_absolute() else os.fspath(Path.home() / ".local" / "share")
    return Path(data) / "tuckpoint" / "blender"


def python_in(environment: Path) -> Path:
    """The interpreter of a virtual environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def interpreter(told: str = "") -> Path:
    """The worker's interpreter: the one told, else of $TUCKPOINT_BLENDER, else the installed one.

    Raises ToolError that names the command if there is none.
    """
    given = told or os.environ.get(PLACE, "")
    place = Path(given) if given else python_in(home())
    if place.is_dir():
        place = python_in(place)
    if not place.is_file():
        raise ToolError(
            f'the renderer "blender" runs in an environment of its own, and there is none at {place}; install it with: '
            "tuckpoint blender install"
        )
    return place


def worker_command(told: str = "") -> tuple[str, ...]:
    """How the worker is started; isolated (-I), since it has other libraries than we."""
    return (os.fspath(interpreter(told)), "-I", "-m", MODULE)


def question(stage: Stage, frame: int, settings: Blender, folder: Path, what: str) -> dict[str, Any]:
    """What the worker is asked, plain values; its arrays are written into the folder. `what`: "light" or "passes"."""
    told = {**_numbers(stage, frame, settings), **_arrays(stage, frame, folder, what)}
    return {**told, "what": what, "folder": os.fspath(folder)}


def _numbers(stage: Stage, frame: int, settings: Blender) -> dict[str, Any]:
    """All of a scene that is no array."""
    scene = stage.scene
    camera, sky = scene.camera, scene.sky
    names = _textures(stage)[0]
    return {
        "samples": settings.samples,
        "bounces": settings.bounces,
        "denoise": settings.denoise,
        "denoise_quality": settings.quality.upper(),
        "device": settings.device,
        "seed": int(scene.digest[:7], 16) + frame,
        "size": [camera.width, camera.height],
        "focal": list(camera.focal_px),
        "centre": list(camera.centre_px),
        "materials": [
            {
                "colour": list(one.colour),
                "roughness": one.roughness,
                "metallic": one.metallic,
                "transmission": one.transmission,
                "texture": names.get(number),
            }
            for number, one in enumerate(stage.materials)
        ],
        "sun": None if scene.sun is None else _sun(scene.sun),
        "lamps": [_lamp(lamp) for lamp in scene.lamps],
        "sky": {
            "zenith": list(sky.zenith),
            "horizon": list(sky.horizon),
            "ground": list(sky.ground),
            "strength": sky.strength,
            "turn_deg": sky.turn_deg,
        },
    }


def _sun(sun: Sun) -> dict[str, Any] | None:
    if sun.elevation_deg <= 0:
        return None
    up, around = math.radians(sun.elevation_deg), math.radians(sun.azimuth_deg)
    towards = [math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)]
    return {"towards": towards, "irradiance": sun.irradiance, "colour": list(sun.colour)}


def _lamp(lamp: Lamp) -> dict[str, Any]:
    facing = np.subtract(lamp.target, lamp.position)
    if not np.linalg.norm(facing) > 0:
        raise InputError(f"the lamp at {lamp.position} faces itself; move its target")
    return {
        "position": list(lamp.position),
        "facing": facing.tolist(),
        "size_m": lamp.size_m,
        "power_w": lamp.power_w,
        "colour": list(lamp.colour),
    }


def _textures(stage: Stage) -> tuple[dict[int, str], dict[str, NDArray[np.uint8]]]:
    """The name of each textured material's picture, and the pictures, each once."""
    names: dict[int, str] = {}
    pictures: dict[str, NDArray[np.uint8]] = {}
    first: dict[int, str] = {}
    for number, picture in stage.textures.items():
        names[number] = first.setdefault(id(picture), f"texture{number}")
        pictures[names[number]] = picture[..., :3]
    return names, pictures


def _arrays(stage: Stage, frame: int, folder: Path, what: str) -> dict[str, Any]:
    """Write `scene.npz`; says which of its frames the picture is of, and which neighbours there are."""
    scene = stage.scene
    frames = _frames(scene, frame) if what == "passes" else [frame]
    more: dict[str, NDArray[Any]] = dict(_textures(stage)[1])
    if scene.sky.map is not None:
        more["sky"] = baked(Texture("image", {"path": scene.sky.map}))
    np.savez(
        folder / "scene.npz",
        allow_pickle=False,
        vertices=np.stack([stage.vertices(number) for number in frames]),
        normals=stage.normals(frame),
        uv=stage.uv,
        faces=stage.faces,
        instance=stage.instance,
        material=stage.material,
        camera=np.stack([scene.camera.pose(number).matrix() for number in frames]),
        **more,
    )
    return {"now": frames.index(frame), "next": frame + 1 in frames, "previous": frame - 1 in frames}


def _frames(scene: Scene, frame: int) -> list[int]:
    return [number for number in (frame - 1, frame, frame + 1) if 0 <= number < scene.frames]
