"""The concrete scene: every choice drawn, nothing random left, plain JSON in and out; its digest is its identity.

World: metres, right-handed, z up. Camera frame: x right, y down, z along the optical axis. Pixels: x right, y down, the
centre of the first pixel at (0.5, 0.5). Colours are linear RGB, 0 to 1. Rotations are unit quaternions (w, x, y, z)
that turn the thing's own frame into the world's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.record import digest_of
from tuckpoint.scene.plain import plain, read

VERSION = 1
Vector = tuple[float, float, float]
Colour = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """Where a thing or camera is: `position` in metres, `rotation` a unit quaternion (w, x, y, z) to the world."""

    position: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = (1.0, 0.0, 0.0, 0.0)

    def matrix(self) -> Floats:
        """World from own frame, (4, 4)."""
        w, x, y, z = self.rotation
        whole = np.eye(4)
        whole[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        whole[:3, 3] = self.position
        return whole


@dataclass(frozen=True)
class Texture:
    """What colours a surface over its UV: the `kind` (a part "texture") and its numbers; all draws are in them."""

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Material:
    """A surface: base colour (times the texture, if any), roughness, metallic and transmission from 0 to 1."""

    colour: Colour = (0.5, 0.5, 0.5)
    roughness: float = 0.6
    metallic: float = 0.0
    transmission: float = 0.0
    texture: Texture | None = None


@dataclass(frozen=True)
class Thing:
    """One thing in a scene.

    `name` is unique (`goods.3`); `family` and `shape` give its mesh; `materials` has one entry per part of the mesh, by
    part name. `class_name` is None for what is there but not labelled as an object (floor, distractors). `poses` has
    one entry, or one per frame. `parent` names the thing it is "on", "in" or "beside", `relation` says which.
    """

    name: str
    family: str
    shape: Mapping[str, Any]
    materials: Mapping[str, Material]
    poses: tuple[Pose, ...] = (Pose(),)
    class_name: str | None = None
    parent: str | None = None
    relation: str | None = None

    def pose(self, frame: int) -> Pose:
        """The pose in a frame."""
        return self.poses[0] if len(self.poses) == 1 else self.poses[frame]


@dataclass(frozen=True)
class Sun:
    """Light from far away: `azimuth_deg` from east (x) to north (y), `irradiance` at right angles in W/m^2 of white."""

    elevation_deg: float = 45.0
    azimuth_deg: float = 135.0
    irradiance: float = 3.0
    colour: Colour = (1.0, 0.95, 0.88)


@dataclass(frozen=True)
class Lamp:
    """A square area light at `position`, facing `target`, of side `size_m` and radiant power `power_w`."""

    position: Vector
    target: Vector = (0.0, 0.0, 0.0)
    size_m: float = 0.5
    power_w: float = 100.0
    colour: Colour = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Sky:
    """What is seen where nothing is, and the light from there: a gradient of radiance, or an environment map.

    `map` is the path of an equirectangular image (its middle column looks along +y), turned by `turn_deg` about z.
    """

    zenith: Colour = (0.25, 0.42, 0.75)
    horizon: Colour = (0.75, 0.82, 0.9)
    ground: Colour = (0.25, 0.23, 0.2)
    strength: float = 1.0
    map: str | None = None
    turn_deg: float = 0.0


@dataclass(frozen=True)
class Lens:
    """What lens and sensor do to the light, and the weather in between; all of it after the labels are taken.

    `exposure_ev` in stops beyond the automatic exposure, `focus_m` and `aperture_px` (blur of far points, in pixels)
    for depth of field, None for all sharp; `blur_px` a Gaussian over all; `read_noise` and `shot_noise` standard
    deviations at full scale; `vignette` the share lost in the corners; `fog_per_m` the extinction of air of
    colour `fog_colour`;
    `rain` and `dirt` shares from 0 to 1; `jpeg` a quality from 1 to 95, None for none; `noise_key` the key of the
    noise's stream.
    """

    exposure_ev: float = 0.0
    focus_m: float | None = None
    aperture_px: float = 0.0
    blur_px: float = 0.0
    read_noise: float = 0.0
    shot_noise: float = 0.0
    vignette: float = 0.0
    white_balance: Colour = (1.0, 1.0, 1.0)
    fog_per_m: float = 0.0
    fog_colour: Colour = (0.8, 0.82, 0.85)
    rain: float = 0.0
    dirt: float = 0.0
    jpeg: int | None = None
    noise_key: int = 0


@dataclass(frozen=True)
class Camera:
    """A pinhole: size in pixels, focal length and principal point in pixels, one pose or one per frame."""

    width: int
    height: int
    focal_px: tuple[float, float]
    centre_px: tuple[float, float]
    poses: tuple[Pose, ...] = (Pose(),)
    lens: Lens = field(default_factory=Lens)

    def pose(self, frame: int) -> Pose:
        """The pose in a frame."""
        return self.poses[0] if len(self.poses) == 1 else self.poses[frame]

    def intrinsics(self) -> Floats:
        """The matrix K, (3, 3)."""
        (fx, fy), (cx, cy) = self.focal_px, self.centre_px
        return np.array([[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]])

    def to_camera(self, points: Floats, frame: int = 0) -> Floats:
        """World points (n, 3) in the camera's frame, (n, 3)."""
        pose = self.pose(frame).matrix()
        turned: Floats = (np.asarray(points, float) - pose[:3, 3]) @ pose[:3, :3]
        return turned

    def project(self, points: Floats, frame: int = 0) -> tuple[Floats, Floats]:
        """World points (n, 3) as pixels (n, 2) and planar depth in metres (n,); NaN for points behind the camera."""
        seen = self.to_camera(points, frame)
        depth = seen[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            pixels = np.where(depth[:, None] > 0, seen[:, :2] / depth[:, None] * self.focal_px + self.centre_px, np.nan)
        return pixels, depth


@dataclass(frozen=True)
class Contact:
    """Two things, by name, that touch each other in a frame."""

    frame: int
    one: str
    other: str


@dataclass(frozen=True)
class Scene:
    """All that is in front of a camera, for `frames` frames at `fps`.

    `spec` is the digest of the specification, `index` the scene's number, `knobs` every drawn choice by its path,
    `classes` the class names in the order of their ids (1, 2, ...), `twin` the name of the other half of a pair.
    `contacts` are those that physics found, if it was asked.
    """

    spec: str
    index: int
    things: tuple[Thing, ...]
    camera: Camera
    sun: Sun | None = None
    lamps: tuple[Lamp, ...] = ()
    sky: Sky = field(default_factory=Sky)
    classes: tuple[str, ...] = ()
    frames: int = 1
    fps: float = 10.0
    knobs: Mapping[str, Any] = field(default_factory=dict)
    twin: str | None = None
    contacts: tuple[Contact, ...] = ()

    def __post_init__(self) -> None:
        names = [thing.name for thing in self.things]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise InputError(f'scene {self.index}: two things are called "{double[0]}"; names must differ')
        for thing in self.things:
            if len(thing.poses) not in (1, self.frames):
                raise InputError(
                    f'scene {self.index}: "{thing.name}" has {len(thing.poses)} poses, {self.frames} frames'
                )
            if thing.class_name is not None and thing.class_name not in self.classes:
                raise InputError(f'scene {self.index}: "{thing.name}" is of the unknown class "{thing.class_name}"')

    def instance(self, name: str) -> int:
        """The instance id of a thing: its place in `things`, from 1."""
        return 1 + [thing.name for thing in self.things].index(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"tuckpoint_scene": VERSION, **plain(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scene:
        """The scene that `to_dict` told; raises InputError for what cannot be one."""
        if data.get("tuckpoint_scene") != VERSION:
            raise InputError(f"not a scene of version {VERSION}: tuckpoint_scene is {data.get('tuckpoint_scene')!r}")
        return read(cls, {key: value for key, value in data.items() if key != "tuckpoint_scene"}, "scene")

    @cached_property
    def digest(self) -> str:
        """The hex SHA-256 of the canonical JSON: the identity of the scene."""
        return digest_of(self.to_dict())


def turned(axis: Vector, angle_deg: float) -> Quaternion:
    """The rotation by an angle about an axis."""
    length = math.sqrt(sum(value * value for value in axis))
    half = math.radians(angle_deg) / 2
    x, y, z = (value / length * math.sin(half) for value in axis)
    return (math.cos(half), x, y, z)


def quaternion(matrix: Floats) -> Quaternion:
    """The unit quaternion (w >= 0) of a rotation matrix (3, 3)."""
    from scipy.spatial.transform import Rotation

    x, y, z, w = (float(value) for value in Rotation.from_matrix(matrix[:3, :3]).as_quat(canonical=True))
    return (w, x, y, z)


def looking(position: Vector, target: Vector, *, roll_deg: float = 0.0) -> Pose:
    """The pose of a camera at `position` that looks at `target`, upright but for `roll_deg`.

    Raises InputError if both are the same point.
    """
    ahead = np.subtract(target, position)
    if not np.linalg.norm(ahead) > 0:
        raise InputError(f"the camera at {position} looks at itself; move its target")
    ahead = ahead / np.linalg.norm(ahead)
    up = np.array([0.0, 0.0, 1.0]) if abs(ahead[2]) < 0.9999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(ahead, up)
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    c, s = math.cos(math.radians(roll_deg)), math.sin(math.radians(roll_deg))
    matrix = np.stack([c * right + s * down, c * down - s * right, ahead], axis=1)  # (3, 3)
    return Pose(tuple(map(float, position)), quaternion(matrix))  # type: ignore[arg-type]
