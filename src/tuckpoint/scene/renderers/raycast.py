"""The light renderer: exact labels at pixel centres and a shaded picture, on a CPU or, with the same kernels, on CUDA.

Visibility is a z-buffer over triangles; rays through a bounding volume hierarchy are cast only for shadows, for the
light of the sky, and for what moving points hide behind. Glass shows the sky through it, not what stands behind: there
are no refracted rays here.
"""

from __future__ import annotations

import atexit
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.scene.buffers import Buffers
from tuckpoint.scene.colour import LINEAR
from tuckpoint.scene.scene import Camera, Lamp, Scene
from tuckpoint.scene.stage import Stage

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Raycast:
    """Settings: `device` ("auto" takes CUDA if there is one), `sky_rays` and `lamp_rays` per pixel (1, 2, 4, 8 or 16).

    `antialias` (1 to 4): the picture alone is the mean of so many samples along each side of a pixel.

    Raises MissingExtra without Warp, InputError for another number of rays or a device that is not there.
    """

    name: ClassVar[str] = "raycast"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    sky_rays: int = 2
    lamp_rays: int = 4
    antialias: int = 1

    def __post_init__(self) -> None:
        if self.antialias not in (1, 2, 3, 4):
            raise InputError(f"raycast: antialias is {self.antialias}; give 1, 2, 3 or 4")
        for name in ("sky_rays", "lamp_rays"):
            if getattr(self, name) not in (1, 2, 4, 8, 16):
                raise InputError(f"raycast: {name} is {getattr(self, name)}; give 1, 2, 4, 8 or 16")

    def render(self, stage: Stage, frame: int, *, shaded: bool = True) -> Buffers:
        """One frame, as `Buffers` says; two calls give the same bytes."""
        wp = _warp()
        with wp.ScopedDevice(_device(self.device)):
            return _render(stage, frame, self, shaded=shaded)


@lru_cache(maxsize=1)
def _warp() -> Any:
    try:
        wp: Any = import_module("warp")
    except ImportError:
        raise MissingExtra("warp-lang", extra="scenes") from None
    wp.config.log_level = wp.LOG_ERROR
    with _without_stderr():  # where its library says that there is no CUDA
        try:
            wp.init()
        except OSError:  # as in a container without a home: compiled anew in each process
            wp.config.kernel_cache_dir = tempfile.mkdtemp(prefix="tuckpoint-kernels-")
            atexit.register(shutil.rmtree, wp.config.kernel_cache_dir, ignore_errors=True)
            wp.init()
    return wp


@contextmanager
def _without_stderr() -> Iterator[None]:
    """Silence also what libraries write to the file itself."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _kernels() -> Any:
    from tuckpoint.scene.renderers import kernels

    return kernels


def _lighting() -> Any:
    from tuckpoint.scene.renderers import lighting

    return lighting


def _device(asked: str) -> str:
    wp = _warp()
    if asked == "cuda" and not wp.is_cuda_available():
        raise InputError('raycast: device is "cuda", and Warp finds no CUDA device here; use "auto" or "cpu"')
    return "cuda:0" if asked != "cpu" and wp.is_cuda_available() else "cpu"


@dataclass(frozen=True)
class _Arrays:
    """What of a stage stands on the device for one frame."""

    faces: Any
    points: Any  # in the camera's frame
    world: Any
    camera: Any
    view: Any
    eye: Any


def _render(stage: Stage, frame: int, settings: Raycast, *, shaded: bool) -> Buffers:
    wp = _warp()
    camera = stage.scene.camera
    size = (camera.width, camera.height)
    here = _placed(stage, frame)
    instance_of = wp.array(stage.instance, dtype=wp.int32)
    nearest, alone = _rasterised(stage, here, instance_of, _layers(len(stage.meshes)), _pinhole(camera))
    seen = _resolved(stage, here, frame, instance_of, nearest, _pinhole(camera))
    silhouettes = alone.numpy().astype(bool)
    moved: dict[str, Any] = {}
    for name, other in (("flow", frame + 1), ("flow_back", frame - 1)):
        if 0 <= other < stage.scene.frames:
            moved[name], moved[name.replace("flow", "hidden")] = _followed(stage, other, seen.face_of, seen.shares)
    radiance = None
    if shaded:
        finer, times = seen, settings.antialias
        if times > 1:
            layers = np.full(len(stage.meshes) + 1, -1, np.int32)
            nearest, _ = _rasterised(stage, here, instance_of, layers, _pinhole(camera, times=times))
            finer = _resolved(stage, here, frame, instance_of, nearest, _pinhole(camera, times=times))
        light = _shaded(stage, here, settings, finer, _pinhole(camera, times=times)).numpy()
        radiance = light.reshape(size[1], times, size[0], times, 3).mean(axis=(1, 3))
    gloss = seen.finish.numpy()
    return Buffers(
        instance=seen.instance.numpy(),
        part=seen.part.numpy(),
        depth=seen.depth.numpy(),
        normal=seen.normal.numpy(),
        uv=seen.uv.numpy(),
        albedo=seen.albedo.numpy(),
        roughness=np.ascontiguousarray(gloss[..., 0]),
        metallic=np.ascontiguousarray(gloss[..., 1]),
        silhouettes=silhouettes,
        extent=_extent(stage, here, instance_of, silhouettes),
        radiance=radiance,
        **moved,
    )


@dataclass(frozen=True)
class _Seen:
    """What the nearest faces tell of each pixel, on the device."""

    instance: Any
    part: Any
    depth: Any
    normal: Any
    uv: Any
    albedo: Any
    finish: Any
    shares: Any
    face_of: Any


def _resolved(stage: Stage, here: _Arrays, frame: int, instance_of: Any, nearest: Any, pinhole: Any) -> _Seen:
    wp = _warp()
    h, w = pinhole.height, pinhole.width
    ids = [wp.zeros((h, w), dtype=wp.uint16) for _ in range(2)]
    depth, face_of = wp.zeros((h, w), dtype=wp.float32), wp.zeros((h, w), dtype=wp.int32)
    normal, uv, albedo, finish, shares = (wp.zeros((h, w, k), dtype=wp.float32) for k in (3, 2, 3, 3, 2))
    surface, tiles, texels = _materials(stage)
    wp.launch(
        _kernels().resolve,
        dim=(h, w),
        inputs=[
            nearest, here.points, here.faces,
            wp.array(stage.normals(frame), dtype=wp.vec3), wp.array(stage.uv, dtype=wp.vec2), instance_of,
            wp.array(stage.part, dtype=wp.int32), wp.array(stage.material, dtype=wp.int32),
            surface, tiles, texels, pinhole, here.view,
        ],
        outputs=[*ids, depth, normal, uv, albedo, finish, shares, face_of],
    )  # fmt: skip
    return _Seen(ids[0], ids[1], depth, normal, uv, albedo, finish, shares, face_of)


def _placed(stage: Stage, frame: int) -> _Arrays:
    wp = _warp()
    camera = stage.scene.camera
    world = stage.vertices(frame)
    pose = camera.pose(frame).matrix()
    return _Arrays(
        faces=wp.array(stage.faces, dtype=wp.vec3i),
        points=wp.array(camera.to_camera(world.astype(np.float64), frame), dtype=wp.vec3d),
        world=wp.array(world, dtype=wp.vec3),
        camera=_pinhole(camera),
        view=wp.mat33(*pose[:3, :3].astype(float).ravel()),
        eye=wp.vec3(*pose[:3, 3].astype(float)),
    )


def _pinhole(camera: Camera, *, times: int = 1, margin: int = 0) -> Any:
    """The camera with so many pixels for each along both sides, or with so many pictures more around it."""
    made = _kernels().Pinhole()
    w, h = camera.width, camera.height
    made.fx, made.fy = (focal * times for focal in camera.focal_px)
    made.cx, made.cy = camera.centre_px[0] * times + margin * w, camera.centre_px[1] * times + margin * h
    made.width, made.height = w * times + 2 * margin * w, h * times + 2 * margin * h
    return made


def _layers(things: int) -> NDArray[np.int32]:
    """The layer of each instance (things + 1,) when all are drawn."""
    return np.arange(-1, things, dtype=np.int32)


def _rasterised(
    stage: Stage, here: _Arrays, instance_of: Any, layer: NDArray[np.int32], pinhole: Any
) -> tuple[Any, Any]:
    """Nearest faces (h, w) and the instances alone (layers, h, w); layer -1 has none, -2 leaves an instance out."""
    wp = _warp()
    h, w = pinhole.height, pinhole.width
    nearest = wp.full((h, w), 0xFFFFFFFFFFFFFFFF, dtype=wp.uint64)
    alone = wp.zeros((max(int(layer.max()) + 1, 1), h, w), dtype=wp.uint8)
    wp.launch(
        _kernels().rasterise,
        dim=len(stage.faces),
        inputs=[here.points, here.faces, instance_of, wp.array(layer, dtype=wp.int32), pinhole, nearest, alone],
    )
    return nearest, alone


def _extent(stage: Stage, here: _Arrays, instance_of: Any, silhouettes: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Pixels of each thing on a sensor three times as wide and high; cast again only for labelled ones that are cut."""
    extent: NDArray[np.int64] = silhouettes.sum(axis=(1, 2))
    rows, columns = silhouettes[:, [0, -1]], silhouettes[:, :, [0, -1]]
    rim = np.asarray(rows.any(axis=(1, 2)) | columns.any(axis=(1, 2)))  # (things,)
    cut = [n for n, thing in enumerate(stage.scene.things) if rim[n] and thing.class_name is not None]
    if cut:
        layer = np.full(len(stage.meshes) + 1, -2, np.int32)
        layer[np.array(cut) + 1] = np.arange(len(cut))
        _, alone = _rasterised(stage, here, instance_of, layer, _pinhole(stage.scene.camera, margin=1))
        extent[cut] = alone.numpy().sum(axis=(1, 2), dtype=np.int64)
    return extent


def _materials(stage: Stage) -> tuple[Any, Any, Any]:
    """Numbers per material (m, 6), where its texture lies (m, 3), and all texels (n, 3) in linear light."""
    wp = _warp()
    surface = np.array([[*one.colour, one.roughness, one.metallic, one.transmission] for one in stage.materials])
    tiles = np.full((len(stage.materials), 3), -1, np.int32)
    texels, start = [np.zeros((1, 3), np.float32)], 1
    placed: dict[int, int] = {}
    for number, image in stage.textures.items():
        if id(image) not in placed:
            placed[id(image)] = start
            texels.append(LINEAR[image[..., :3]].reshape(-1, 3))
            start += image.shape[0] * image.shape[1]
        tiles[number] = (placed[id(image)], image.shape[0], image.shape[1])
    return (
        wp.array(surface.astype(np.float32), dtype=wp.float32),
        wp.array(tiles, dtype=wp.int32),
        wp.array(np.concatenate(texels), dtype=wp.float32),
    )


def _followed(stage: Stage, other: int, face_of: Any, shares: Any) -> tuple[Floats, NDArray[np.bool_]]:
    wp = _warp()
    kernels = _kernels()
    there = _placed(stage, other)
    mesh = wp.Mesh(points=there.world, indices=wp.array(stage.faces.ravel(), dtype=wp.int32))
    h, w = stage.scene.camera.height, stage.scene.camera.width
    flow, hidden = wp.zeros((h, w, 2), dtype=wp.float32), wp.zeros((h, w), dtype=wp.bool)
    wp.launch(
        kernels.follow,
        dim=(h, w),
        inputs=[face_of, shares, there.faces, there.points, there.camera, there.world, there.eye, mesh.id],
        outputs=[flow, hidden],
    )
    return flow.numpy(), hidden.numpy()


def _shaded(stage: Stage, here: _Arrays, settings: Raycast, seen: _Seen, pinhole: Any) -> Any:
    wp = _warp()
    lighting = _lighting()
    h, w = pinhole.height, pinhole.width
    mesh = wp.Mesh(points=here.world, indices=wp.array(stage.faces.ravel(), dtype=wp.int32))
    light, panorama = _light(stage.scene)
    gathered = wp.zeros((h, w, 9), dtype=wp.float32)  # of the sky, of lamps, and the share of these that is seen
    radiance = wp.zeros((h, w, 3), dtype=wp.float32)
    where = [seen.depth, seen.normal, pinhole, here.view, here.eye, mesh.id]
    wp.launch(
        lighting.open_sky,
        dim=(h, w),
        inputs=[*where, light, panorama, settings.sky_rays],
        outputs=[gathered],
    )
    rows = np.array([_lamp(lamp) for lamp in stage.scene.lamps], np.float32).reshape(-1, 15)
    lamps = wp.array(np.concatenate([rows, np.zeros((1, 15), np.float32)]), dtype=wp.float32)
    if len(rows):
        wp.launch(
            lighting.lamps_seen,
            dim=(h, w),
            inputs=[*where, lamps, len(rows), settings.lamp_rays],
            outputs=[gathered],
        )
    wp.launch(
        lighting.shade,
        dim=(h, w),
        inputs=[
            seen.depth, seen.normal, seen.albedo, seen.finish, gathered, pinhole, here.view, here.eye, mesh.id, light,
            panorama, lamps,
        ],
        outputs=[radiance],
    )  # fmt: skip
    return radiance


def _light(scene: Scene) -> tuple[Any, Any]:
    wp = _warp()
    lighting = _lighting()
    made, sky, sun = lighting.Light(), scene.sky, scene.sun

    def scaled(colour: tuple[float, float, float]) -> Any:
        return wp.vec3(*(value * sky.strength for value in colour))

    made.zenith, made.horizon, made.ground = scaled(sky.zenith), scaled(sky.horizon), scaled(sky.ground)
    made.sun, made.sun_colour = wp.vec3(0.0, 0.0, 1.0), wp.vec3(0.0, 0.0, 0.0)
    if sun is not None and sun.elevation_deg > 0:
        up, around = math.radians(sun.elevation_deg), math.radians(sun.azimuth_deg)
        made.sun = wp.vec3(math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up))
        made.sun_colour = wp.vec3(*(value * sun.irradiance for value in sun.colour))
    made.lamps, made.map_width, made.map_height, made.turn = len(scene.lamps), 0, 0, 0.0
    panorama = np.zeros((1, 3), np.float32)
    if sky.map is not None:
        image = _panorama(sky.map)
        made.map_height, made.map_width, made.turn = image.shape[0], image.shape[1], math.radians(sky.turn_deg)
        panorama = LINEAR[image].reshape(-1, 3) * np.float32(sky.strength)
    return made, wp.array(panorama, dtype=wp.float32)


@lru_cache(maxsize=4)
def _panorama(path: str) -> NDArray[np.uint8]:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtra("environment maps", extra="scenes") from None
    if not Path(path).is_file():
        raise InputError(f"sky.map: there is no file {path}; give an equirectangular picture (PNG or JPEG)")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _lamp(lamp: Lamp) -> list[float]:
    """Centre, its two sides, where it faces, and its power in each colour: 15 numbers."""
    facing = np.subtract(lamp.target, lamp.position)
    if not np.linalg.norm(facing) > 0:
        raise InputError(f"the lamp at {lamp.position} faces itself; move its target")
    facing = facing / np.linalg.norm(facing)
    side = np.cross(facing, [0.0, 0.0, 1.0] if abs(facing[2]) < 0.9 else [1.0, 0.0, 0.0])
    side *= lamp.size_m / np.linalg.norm(side)
    power = [lamp.power_w * value for value in lamp.colour]
    return [*lamp.position, *side, *np.cross(facing, side), *facing, *power]
