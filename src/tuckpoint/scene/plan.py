"""From a specification to one concrete scene: every choice by a stream of its own name, any of them pinned.

A pin replaces a draw and moves nothing else: also what is pinned, or not present, is drawn and placed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np

from tuckpoint import parts, settings
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.scene import scene as scenes
from tuckpoint.scene.choices import Choices, group
from tuckpoint.scene.inside import clear_of
from tuckpoint.scene.knob import support
from tuckpoint.scene.layout import INSIDE, count_of, entries_of, placed
from tuckpoint.scene.plain import read
from tuckpoint.scene.quota import cell
from tuckpoint.scene.scene import Camera, Contact, Lamp, Lens, Material, Pose, Scene, Sky, Sun, Thing
from tuckpoint.scene.settle import Body, Physics, settled
from tuckpoint.scene.spec import Spec, followed
from tuckpoint.scene.stage import mesh_of
from tuckpoint.seed import Seed

_CAMERA: dict[str, Any] = {
    "target_m": [0.0, 0.0, 0.0], "distance_m": 2.0, "azimuth_deg": -90.0, "elevation_deg": 30.0, "position_m": None,
    "roll_deg": 0.0, "fov_deg": 45.0, "focal_px": None, "centre_px": None, "lens": {},
}  # fmt: skip
_MOTION: dict[str, Any] = {"velocity_m_s": [0.0, 0.0, 0.0], "spin_deg_s": 0.0}


@dataclass(frozen=True)
class _Placed:
    """A thing that was placed, and what physics must know of it."""

    thing: Thing
    falls: bool
    density_kg_m3: float
    velocity_m_s: tuple[float, float, float]
    spin_deg_s: float


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

    `pins` are values, or ways to draw them, by knob path (`sun.elevation_deg`, `goods.count`,
    `goods.3.shape.height_m`; without the number, for all members). Raises InputError for an unknown knob or a value
    that does not fit, UnfitScene if this scene cannot be and another attempt may.
    """
    held = {**_cells(spec, seed, index, pins or {}), **(pins or {})}
    knobs = Choices(seed.child("scene", index, attempt), held)
    made, ghosts = _things(spec, knobs)
    camera = _camera(spec, knobs)
    sun = None if spec.sun is None else read(Sun, knobs.take("sun", _with(spec.sun, Sun())), "sun")
    sky = read(Sky, knobs.take("sky", _with(spec.sky, Sky())), "sky")
    lamps = tuple(read(Lamp, knobs.take(name, told), name) for name, told in sorted(spec.lamps.items()))
    physics = settings.build(Physics, knobs.take("physics", _with(spec.physics, Physics())))
    knobs.check(lambda name: spec.most(name, held))
    things, contacts = _fallen(spec, made, physics)
    gone = set(ghosts)
    while more := {one.name for one in things if one.parent in gone and one.relation != "beside"} - gone:
        gone |= more  # what stood on it, and on that
    kept = tuple(one for one in things if one.name not in gone)
    clear_of(camera, kept)
    return Scene(
        spec=spec.digest,
        index=index,
        things=kept,
        camera=camera,
        sun=sun,
        lamps=lamps,
        sky=sky,
        classes=spec.classes,
        frames=spec.frames,
        fps=float(spec.fps),
        knobs=knobs.taken,
        twin=twin,
        contacts=tuple(pair for pair in contacts if not {pair.one, pair.other} & gone),
    )


def cells_of(spec: Spec, seed: Seed, index: int) -> tuple[int, ...]:
    """The cell of each quota that a scene belongs to."""
    return tuple(cell(quota, number, seed, index) for number, quota in enumerate(spec.balanced))


def _cells(spec: Spec, seed: Seed, index: int, pins: Mapping[str, Any]) -> dict[str, Any]:
    """What the quotas hold in this scene, as pins."""
    held: dict[str, Any] = {}
    for quota, chosen in zip(spec.balanced, cells_of(spec, seed, index), strict=True):
        for name, value in quota.cells[chosen].items():
            if name in held or name in pins:
                other = "another quota" if name in held else "a pin or twin"
                raise InputError(f"a quota and {other} hold the knob {name}; drop one of them")
            held[name] = value
    return held


def _things(spec: Spec, knobs: Choices) -> tuple[list[_Placed], set[str]]:
    """All things in their order, and the names of those that are not present."""
    made: list[_Placed] = []
    ghosts: set[str] = set()
    for name, told in spec.things.items():
        count = count_of(knobs, name, told.get("place", {}))
        if "count" in told:
            count = knobs.take(f"{name}.count", told["count"])
        if count is not None and (not isinstance(count, int) or isinstance(count, bool) or count < 0):
            raise InputError(f"{name}.count is {count!r}; give a whole number from 0")
        _offer(knobs, name, told)
        for path in [name] if count is None else [f"{name}.{number}" for number in range(count)]:
            made.append(_thing(spec, knobs, path, told, made))
            if not knobs.take(f"{path}.present", told.get("present", True)):
                ghosts.add(path)
    return made, ghosts


def _fallen(spec: Spec, made: list[_Placed], physics: Physics) -> tuple[list[Thing], tuple[Contact, ...]]:
    """The things, those that are loose where physics brought them."""
    if not any(one.falls for one in made):
        return [one.thing for one in made], ()
    bodies = [
        Body(
            one.thing.name, mesh_of(one.thing.family, one.thing.shape), one.thing.poses, one.falls,
            one.density_kg_m3, one.velocity_m_s, one.spin_deg_s,
        )
        for one in made
    ]  # fmt: skip
    rest = settled(bodies, physics, frames=spec.frames, fps=spec.fps)
    things = []
    for one in made:
        thing = one.thing
        if one.falls:
            holder = rest.supports.get(thing.name)
            relation = None if holder is None else "in" if _holds(holder, made) else "on"
            thing = replace(thing, poses=rest.poses[thing.name], parent=holder, relation=relation)
        things.append(thing)
    return things, rest.contacts


def _holds(name: str, made: list[_Placed]) -> bool:
    """Whether a thing is one that others are in."""
    thing = next(one.thing for one in made if one.thing.name == name)
    return any(surface.name == INSIDE for surface in mesh_of(thing.family, thing.shape).surfaces)


def _with(told: Mapping[str, Any], default: Any) -> dict[str, Any]:
    """What was told over the defaults of a value, so that every knob can be pinned."""
    return {**{item.name: getattr(default, item.name) for item in fields(default)}, **told}


@lru_cache(maxsize=256)
def _defaults(family: str) -> dict[str, Any]:
    return settings.plain(parts.find("thing", family)())  # it looks through what is installed: not for every thing


def _shape(family: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """All settings of a family, so that every one can be pinned; those of the specification over its defaults."""
    return {**_defaults(family), **told.get("shape", {}), **told.get("shapes", {}).get(family, {})}


def _offer(knobs: Choices, name: str, told: Mapping[str, Any]) -> None:
    """The knobs that a member of any family would have, also where this scene drew another, or no member at all."""
    for entry in ("family", "present", "class", "density_kg_m3"):
        knobs.offer(f"{name}.{entry}", None)
    knobs.offer(f"{name}.place", entries_of(told.get("place", {}), name))
    for family in support(told["family"]) or ():
        knobs.offer(f"{name}.shape", _shape(str(family), told))
    knobs.offer(f"{name}.material", _with(told.get("material", {}), Material()))
    knobs.offer(f"{name}.materials", told.get("materials", {}))
    if "motion" in told:
        knobs.offer(f"{name}.motion", {**_MOTION, **told["motion"]})


def _thing(spec: Spec, knobs: Choices, path: str, told: Mapping[str, Any], made: list[_Placed]) -> _Placed:
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
    knob = followed(told)
    named = told.get("class", family) if knob is None else shape.get(knob, family)
    name = knobs.take(f"{path}.class", named) if "class" in told else family
    spot = placed(knobs, path, told.get("place", {}), mesh, [one.thing for one in made])
    falls = spot.falls or bool(told.get("loose", False))
    falls = falls or any(one.falls and one.thing.name == spot.parent for one in made)  # it stands on what falls
    velocity, spin = _motion(knobs, path, told)
    thing = Thing(
        name=path,
        family=family,
        shape=shape,
        materials=materials,
        poses=(spot.pose,) if falls else _moved(spec, spot.pose, velocity, spin),
        class_name=str(name) if told.get("labelled", True) else None,
        parent=spot.parent,
        relation=spot.relation,
    )
    density = knobs.take(f"{path}.density_kg_m3", told.get("density_kg_m3", 500.0))
    if not isinstance(density, int | float) or isinstance(density, bool) or not density > 0:
        raise InputError(f"{path}.density_kg_m3 is {density!r}; give a number above 0")
    return _Placed(thing, falls, float(density), velocity, spin)


def _asked(knobs: Choices, path: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The entries of a material that the specification or a pin names; the others are the family's own."""
    every = knobs.take(path, _with(told, Material()))
    if {path, group(path)} & set(knobs.pins):
        return dict(every)
    pinned = knobs.named(path, every)
    return {name: value for name, value in every.items() if name in told or name in pinned}


def _motion(knobs: Choices, path: str, told: Mapping[str, Any]) -> tuple[tuple[float, float, float], float]:
    """Velocity and spin of a thing: kept up if it is led, its first ones if it falls."""
    if "motion" not in told:
        return (0.0, 0.0, 0.0), 0.0
    motion = knobs.take(f"{path}.motion", {**_MOTION, **told["motion"]})
    if len(motion) > 2 or len(motion["velocity_m_s"]) != 3:
        raise InputError(f"{path}.motion takes velocity_m_s (x, y, z) and spin_deg_s, not {dict(motion)}")
    x, y, z = (float(value) for value in motion["velocity_m_s"])
    return (x, y, z), float(motion["spin_deg_s"])


def _moved(spec: Spec, pose: Pose, velocity: tuple[float, float, float], spin: float) -> tuple[Pose, ...]:
    if spec.frames == 1 or not (any(velocity) or spin):
        return (pose,)
    start = pose.matrix()
    poses = []
    for frame in range(spec.frames):
        seconds = frame / spec.fps
        turn = Pose(rotation=scenes.turned((0.0, 0.0, 1.0), spin * seconds)).matrix()
        x, y, z = (float(v) for v in np.array(pose.position) + np.array(velocity) * seconds)
        poses.append(Pose((x, y, z), scenes.quaternion(turn[:3, :3] @ start[:3, :3])))
    return tuple(poses)


def _camera(spec: Spec, knobs: Choices) -> Camera:
    for entry in spec.camera:
        if entry not in _CAMERA:
            raise InputError(f'camera has no entry "{entry}"{did_you_mean(str(entry), _CAMERA)}')
    noise_key = int(knobs.seed.child("camera", "noise").numpy().integers(2**53))
    lens = _with({"noise_key": noise_key, **spec.camera.get("lens", {})}, Lens())
    told = knobs.take("camera", {**_CAMERA, **spec.camera, "lens": lens})
    if not told["distance_m"] > 0 or not 1 <= told["fov_deg"] <= 170:
        raise InputError(f"camera: distance {told['distance_m']} m, field of view {told['fov_deg']} degrees; give a "
                         "distance above 0 and a field of view from 1 to 170")  # fmt: skip
    width, height = spec.image["width"], spec.image["height"]
    focal = told["focal_px"] or width / 2 / math.tan(math.radians(told["fov_deg"]) / 2)
    return Camera(
        width=width,
        height=height,
        focal_px=_two(focal, "camera.focal_px"),
        centre_px=_two(told["centre_px"] or [width / 2, height / 2], "camera.centre_px"),
        poses=(_camera_pose(told),),
        lens=read(Lens, told["lens"], "camera.lens"),
    )


def _camera_pose(told: Mapping[str, Any]) -> Pose:
    """From `position_m`, or from distance and angles about the target."""
    target = tuple(float(value) for value in told["target_m"])
    around, up = math.radians(told["azimuth_deg"]), math.radians(told["elevation_deg"])
    away = np.array([math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)])
    place = np.array(target) + away * told["distance_m"] if told["position_m"] is None else told["position_m"]
    eye = tuple(float(value) for value in place)
    if len(target) != 3 or len(eye) != 3:
        raise InputError(f"camera: target_m {target}, position_m {eye}; give x, y and z in metres")
    return scenes.looking(eye, target, roll_deg=told["roll_deg"])


def _two(value: Any, path: str) -> tuple[float, float]:
    """One number for both directions, or two."""
    both = value if isinstance(value, list | tuple) else [value, value]
    if len(both) != 2 or not all(isinstance(one, int | float) and one > 0 for one in both):
        raise InputError(f"{path} is {value!r}; give one or two numbers of pixels above 0")
    return float(both[0]), float(both[1])
