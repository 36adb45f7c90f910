"""From a specification to one concrete scene: every choice by a stream of its own name, any of them pinned.

A pin replaces a draw and moves nothing else: also what is pinned, or not present, is drawn and placed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from tuckpoint import parts, settings
from tuckpoint.errors import InputError, NoRoom, did_you_mean
from tuckpoint.scene import scene as scenes
from tuckpoint.scene.knob import drawn, is_draw, support
from tuckpoint.scene.plain import read
from tuckpoint.scene.scene import Camera, Lamp, Lens, Material, Pose, Scene, Sky, Sun, Thing
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed

PLACE_TRIES = 200
_CAMERA = {
    "target_m": [0.0, 0.0, 0.0], "distance_m": 2.0, "azimuth_deg": -90.0, "elevation_deg": 30.0, "roll_deg": 0.0,
    "fov_deg": 45.0, "lens": {},
}  # fmt: skip
_MOTION: dict[str, Any] = {"velocity_m_s": [0.0, 0.0, 0.0], "spin_deg_s": 0.0}
_MEMBER = re.compile(r"^([^.]+)\.(\d+)(\.|$)")


@dataclass
class _Knobs:
    """The choices of one scene: what is drawn, what is pinned, and all that could have been."""

    seed: Seed
    pins: Mapping[str, Any]
    taken: dict[str, Any] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)

    def take(self, path: str, value: Any) -> Any:
        """The value of a knob, or of all knobs of a mapping or list."""
        group = _group(path)
        self.offered.add(group)
        pin = next((name for name in (path, group) if name in self.pins), None)
        if is_draw(value):
            found = drawn(value, self.seed.child(path), path)
        elif isinstance(value, Mapping):
            found = {str(name): self.take(f"{path}.{name}", item) for name, item in value.items()}
        elif isinstance(value, list | tuple):
            found = [self.take(f"{path}.{number}", item) for number, item in enumerate(value)]
        else:
            found = value
        if pin is not None:
            found = self.pins[pin]
        if pin is not None or is_draw(value):
            self.taken[path] = found
        return found

    def offer(self, path: str, value: Any) -> None:
        """Name knobs that another scene of the specification has."""
        self.offered.add(path)
        if isinstance(value, Mapping) and not is_draw(value):
            for name, item in value.items():
                self.offer(f"{path}.{name}", item)

    def check(self, spec: Spec) -> None:
        """Raise InputError for a pin of a knob that no scene of the specification has, whatever it drew."""
        for name in self.pins:
            member = _MEMBER.match(name)
            if _group(name) not in self.offered:
                raise InputError(f'there is no knob "{name}"{did_you_mean(name, sorted(self.offered))}')
            most = None if member is None else spec.most(member[1], self.pins)
            if member is not None and most is not None and int(member[2]) >= most:
                raise InputError(f'there is no knob "{name}": {member[1]} has at most {most} members, from 0')


def _group(path: str) -> str:
    """The path of a member's knob without the member's number."""
    return _MEMBER.sub(lambda match: match[1] + match[3], path)


def plan(
    spec: Spec,
    seed: Seed,
    index: int,
    *,
    pins: Mapping[str, Any] | None = None,
    attempt: int = 0,
    twin: str | None = None,
) -> Scene:
    """Scene number `index` of a specification; it depends on no other scene.

    `pins` are values by knob path (`sun.elevation_deg`, `goods.count`, `goods.3.shape.height_m`; without the number,
    for all members). Raises InputError for an unknown knob or a value that does not fit, NoRoom if a thing found
    no place.
    """
    knobs = _Knobs(seed.child("scene", index, attempt), pins or {})
    things: list[Thing] = []
    ghosts: set[str] = set()
    for name, told in spec.things.items():
        count = knobs.take(f"{name}.count", told["count"]) if "count" in told else None
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            raise InputError(f"{name}.count is {count!r}; give a whole number from 0")
        _offer(knobs, name, told)
        for path in [name] if count is None else [f"{name}.{number}" for number in range(count)]:
            things.append(_thing(spec, knobs, path, told, things))
            if not knobs.take(f"{path}.present", told.get("present", True)):
                ghosts.add(path)
    camera = _camera(spec, knobs)
    sun = None if spec.sun is None else read(Sun, knobs.take("sun", _with(spec.sun, Sun())), "sun")
    sky = read(Sky, knobs.take("sky", _with(spec.sky, Sky())), "sky")
    lamps = tuple(read(Lamp, knobs.take(name, told), name) for name, told in sorted(spec.lamps.items()))
    knobs.check(spec)
    return Scene(
        spec=spec.digest,
        index=index,
        things=tuple(thing for thing in things if thing.name not in ghosts and thing.parent not in ghosts),
        camera=camera,
        sun=sun,
        lamps=lamps,
        sky=sky,
        classes=spec.classes,
        frames=spec.frames,
        fps=float(spec.fps),
        knobs=knobs.taken,
        twin=twin,
    )


def _with(told: Mapping[str, Any], default: Any) -> dict[str, Any]:
    """What was told over the defaults of a value, so that every knob can be pinned."""
    return {**{item.name: getattr(default, item.name) for item in fields(default)}, **told}


@lru_cache(maxsize=256)
def _defaults(family: str) -> dict[str, Any]:
    return settings.plain(parts.find("thing", family)())  # it looks through what is installed: not for every thing


def _shape(family: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a family, so that every one can be pinned; those of the specification over its defaults."""
    return {**_defaults(family), **told.get("shape", {}), **told.get("shapes", {}).get(family, {})}


def _offer(knobs: _Knobs, name: str, told: Mapping[str, Any]) -> None:
    """The knobs that a member of any family would have, also where this scene drew another, or no member at all."""
    for entry in (
        "family",
        "present",
        "class",
        "place.yaw_deg",
        "place.gap_m" if "on" in told.get("place", {}) else "place.at",
    ):
        knobs.offer(f"{name}.{entry}", None)
    for family in support(told["family"]) or ():
        knobs.offer(f"{name}.shape", _shape(str(family), told))
    knobs.offer(f"{name}.material", _with(told.get("material", {}), Material()))
    knobs.offer(f"{name}.materials", told.get("materials", {}))
    if "motion" in told:
        knobs.offer(f"{name}.motion", {**_MOTION, **told["motion"]})


def _thing(spec: Spec, knobs: _Knobs, path: str, told: Mapping[str, Any], before: list[Thing]) -> Thing:
    family = str(knobs.take(f"{path}.family", told["family"]))
    shape = knobs.take(f"{path}.shape", _shape(family, told))
    mesh = mesh_of(family, shape)
    own = told.get("materials", {})
    asked = _asked(knobs, f"{path}.material", told.get("material", {}))
    materials = {
        part: read(
            Material,
            {**mesh.looks.get(part, {}), **asked, **knobs.take(f"{path}.materials.{part}", own.get(part, {}))},
            f"{path}.material",
        )
        for part in mesh.parts
    }
    name = knobs.take(f"{path}.class", told["class"]) if "class" in told else family
    pose, parent = _place(knobs, path, told.get("place", {}), mesh.bounds, before)
    return Thing(
        name=path,
        family=family,
        shape=shape,
        materials=materials,
        poses=_moved(spec, knobs, path, pose, told.get("motion")),
        class_name=str(name) if told.get("labelled", True) else None,
        parent=parent,
        relation=None if parent is None else "on",
    )


def _asked(knobs: _Knobs, path: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a material that the specification or a pin names; the others are the family's own."""
    every = knobs.take(path, _with(told, Material()))
    if {path, _group(path)} & set(knobs.pins):
        return dict(every)
    own = (path, _group(path))
    pinned = {name for name in every for pin in knobs.pins for at in own if f"{pin}.".startswith(f"{at}.{name}.")}
    return {name: value for name, value in every.items() if name in told or name in pinned}


def _place(
    knobs: _Knobs, path: str, told: Mapping[str, Any], bounds: Any, before: list[Thing]
) -> tuple[Pose, str | None]:
    for entry in told:
        if entry not in ("at", "on", "surface", "yaw_deg", "gap_m"):
            raise InputError(f'{path}.place has no entry "{entry}"; it has: at, on, surface, yaw_deg, gap_m')
    yaw = knobs.take(f"{path}.place.yaw_deg", told.get("yaw_deg", 0.0))
    rotation = scenes.turned((0.0, 0.0, 1.0), float(yaw))
    if "on" not in told:
        at = knobs.take(f"{path}.place.at", told.get("at", [0.0, 0.0, 0.0]))
        if not isinstance(at, list | tuple) or len(at) != 3:
            raise InputError(f"{path}.place.at is {at!r}; give x, y and z in metres")
        return Pose(tuple(float(value) for value in at), rotation), None  # type: ignore[arg-type]
    below = next((thing for thing in before if thing.name == told["on"]), None)
    if below is None:
        raise InputError(f'{path} stands on "{told["on"]}", which is a group; name a single thing')
    gap = float(knobs.take(f"{path}.place.gap_m", told.get("gap_m", 0.005)))
    return _free_spot(knobs, path, told, bounds, before, below, gap, rotation), below.name


def _free_spot(
    knobs: _Knobs, path: str, told: Mapping[str, Any], bounds: Any, before: list[Thing], below: Thing, gap: float,
    rotation: scenes.Quaternion,
) -> Pose:  # fmt: skip
    """A place on the below where the thing's circle meets no other circle and stays within the surface."""
    surfaces = mesh_of(below.family, below.shape).surfaces
    wanted = told.get("surface")
    choices = [surface for surface in surfaces if wanted in (None, surface.name)]
    if not choices:
        known = ", ".join(surface.name for surface in surfaces) or "none"
        raise InputError(f'{path}: "{below.name}" has no surface to stand on called {wanted!r}; it has: {known}')
    random = knobs.seed.child(path, "place").numpy()
    radius = _radius(bounds)
    matrix = below.poses[0].matrix()
    others = [
        (
            np.array(thing.poses[0].position[:2]),
            _radius(mesh_of(thing.family, thing.shape).bounds),
            thing.poses[0].position[2],
        )
        for thing in before
        if thing.parent == below.name
    ]
    for _ in range(PLACE_TRIES):
        surface = choices[int(random.integers(len(choices)))]
        share = random.uniform(-1, 1, 2)
        half = np.array(surface.half) - radius
        if (half < 0).any():
            continue
        spot = np.array([*(np.array(surface.centre[:2]) + share * half), surface.centre[2], 1.0])
        world = matrix @ spot
        if all(
            abs(height - world[2]) > 1e-6 or np.linalg.norm(at - world[:2]) >= radius + other + gap
            for at, other, height in others
        ):
            return Pose((float(world[0]), float(world[1]), float(world[2])), rotation)
    raise NoRoom(
        f'"{path}" found no free place on "{below.name}" in {PLACE_TRIES} tries; make it larger, or place fewer'
    )


def _radius(bounds: Any) -> float:
    low, high = bounds
    return float(np.hypot(max(abs(low[0]), abs(high[0])), max(abs(low[1]), abs(high[1]))))


def _moved(spec: Spec, knobs: _Knobs, path: str, pose: Pose, told: Mapping[str, Any] | None) -> tuple[Pose, ...]:
    if told is None or spec.frames == 1:
        return (pose,)
    motion = knobs.take(f"{path}.motion", {**_MOTION, **told})
    if len(motion) > 2 or len(motion["velocity_m_s"]) != 3:
        raise InputError(f"{path}.motion takes velocity_m_s (x, y, z) and spin_deg_s, not {dict(motion)}")
    start = pose.matrix()
    poses = []
    for frame in range(spec.frames):
        seconds = frame / spec.fps
        turn = Pose(rotation=scenes.turned((0.0, 0.0, 1.0), motion["spin_deg_s"] * seconds)).matrix()
        at = np.array(pose.position) + np.array(motion["velocity_m_s"], float) * seconds
        rotation = scenes.quaternion(turn[:3, :3] @ start[:3, :3])
        poses.append(Pose((float(at[0]), float(at[1]), float(at[2])), rotation))
    return tuple(poses)


def _camera(spec: Spec, knobs: _Knobs) -> Camera:
    for entry in spec.camera:
        if entry not in _CAMERA:
            raise InputError(f'camera has no entry "{entry}"{did_you_mean(str(entry), _CAMERA)}')
    noise_key = int(knobs.seed.child("camera", "noise").numpy().integers(2**53))
    lens = _with({"noise_key": noise_key, **spec.camera.get("lens", {})}, Lens())
    told = knobs.take("camera", {**_CAMERA, **spec.camera, "lens": lens})
    around, up = math.radians(told["azimuth_deg"]), math.radians(told["elevation_deg"])
    away = np.array([math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)])
    if not told["distance_m"] > 0 or not 1 <= told["fov_deg"] <= 170:
        raise InputError(f"camera: distance {told['distance_m']} m, field of view {told['fov_deg']} degrees; give a "
                         "distance above 0 and a field of view from 1 to 170")  # fmt: skip
    target = tuple(float(value) for value in told["target_m"])
    eye = tuple(float(value) for value in np.array(target) + away * told["distance_m"])
    width, height = spec.image["width"], spec.image["height"]
    focal = width / 2 / math.tan(math.radians(told["fov_deg"]) / 2)
    return Camera(
        width=width,
        height=height,
        focal_px=(focal, focal),
        centre_px=(width / 2, height / 2),
        poses=(scenes.looking(eye, target, roll_deg=told["roll_deg"]),),  # type: ignore[arg-type]
        lens=read(Lens, told["lens"], "camera.lens"),
    )
