"""Where things stand: at a place, on, in or beside another thing, scattered, in rows, or about to be dropped."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, UnfitScene, did_you_mean
from tuckpoint.scene.choices import Choices, group
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.scene import Pose, Thing, quaternion, turned
from tuckpoint.scene.stage import mesh_of

TRIES = 200
INSIDE = "inside"  # the surface of a thing that holds others
_SIDES = {"any": None, "right": 0.0, "behind": 90.0, "left": 180.0, "front": 270.0}
_FREELY: dict[str, Any] = {"surface": None, "gap_m": 0.005}
WAYS: dict[str, dict[str, Any]] = {
    "at": {},
    "on": _FREELY,
    "in": {"gap_m": 0.005},
    "beside": {"gap_m": 0.05, "side": "any"},
    "scatter": {"surface": None, "within_m": None},
    "rows": {},
    "drop": {"surface": None, "height_m": 0.05, "upright": False},
}
_ROWS: dict[str, Any] = {
    "on": None, "surface": None, "rows": 4, "each": 8, "row_gap_m": 0.75, "step_m": 0.25, "jitter_m": 0.0,
    "shift_m": [0.0, 0.0],
}  # fmt: skip
_ALWAYS: dict[str, Any] = {"yaw_deg": 0.0, "tilt_deg": 0.0, "sink_m": 0.0}
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spot:
    """A pose, what it is relative to and how; `falls`: physics still has to bring it to rest."""

    pose: Pose
    parent: str | None = None
    relation: str | None = None
    falls: bool = False


def way_of(told: Mapping[str, Any], path: str) -> str:
    """The one way of `WAYS` in which a place is told; raises InputError for none of them, or for two."""
    known = [way for way in WAYS if way in told]
    if len(known) > 1:
        raise InputError(f"{path}.place says {known[0]} and {known[1]}; say one of them")
    way = known[0] if known else "at"
    entries = (way, *WAYS[way], *_ALWAYS)
    for entry in told:
        if entry not in entries:
            more = did_you_mean(str(entry), (*WAYS, *entries))
            raise InputError(f'{path}.place has no entry "{entry}"{more}; with "{way}" it has: {", ".join(entries)}')
    return way


def entries_of(told: Mapping[str, Any], path: str) -> dict[str, Any]:
    """All knobs of a place, those of the specification over the defaults."""
    way = way_of(told, path)
    whole = {**_ALWAYS, **WAYS[way], **({"at": [0.0, 0.0, 0.0]} if way == "at" else {}), **told}
    if way == "rows":
        if not isinstance(told["rows"], Mapping):
            raise InputError(f"{path}.place.rows is {told['rows']!r}; give a mapping with {', '.join(_ROWS)}")
        for entry in told["rows"]:
            if entry not in _ROWS:
                raise InputError(f'{path}.place.rows has no entry "{entry}"{did_you_mean(str(entry), _ROWS)}')
        whole["rows"] = {**_ROWS, **told["rows"]}
    return whole


def count_of(choices: Choices, name: str, told: Mapping[str, Any]) -> int | None:
    """How many members a group in rows has; None if it stands otherwise."""
    if "rows" not in told:
        return None
    rows = choices.take(f"{name}.place.rows", entries_of(told, name)["rows"])
    for entry in ("rows", "each"):
        if not isinstance(rows[entry], int) or isinstance(rows[entry], bool) or rows[entry] < 0:
            raise InputError(f"{name}.place.rows.{entry} is {rows[entry]!r}; give a whole number from 0")
    return int(rows["rows"] * rows["each"])


def placed(choices: Choices, path: str, told: Mapping[str, Any], mesh: Mesh, before: Sequence[Thing]) -> Spot:
    """Where a thing of this mesh stands among those before it.

    Raises InputError for a place that cannot be said, UnfitScene if there is none in this scene.
    """
    way = way_of(told, path)
    entries = entries_of(told, path)
    rows = entries.pop("rows", None)
    taken = choices.take(f"{path}.place", entries)
    if rows is not None:  # they are chosen once for all members
        taken["rows"] = choices.take(f"{group(path)}.place.rows", rows)
    random = choices.seed.child(path, "place").numpy()
    yaw, tilt, sink = (_number(taken[name], f"{path}.place.{name}") for name in _ALWAYS)
    rotation = _rotation(yaw, tilt, random)
    if way == "at":
        return Spot(_at(taken["at"], path, rotation, sink))
    if way == "rows":
        return _in_rows(taken["rows"], path, rotation, sink, before, random)
    if way == "beside":
        return _beside(taken, path, rotation, sink, mesh, before, random)
    below = _one(taken[way], path, before, random)
    surfaces = _surfaces(below, INSIDE if way == "in" else taken.get("surface"), path)
    if way == "scatter":
        return _scattered(taken, path, rotation, sink, below, surfaces, random)
    if way == "drop":
        return _dropped(taken, path, rotation, mesh, below, surfaces, before, random)
    pose = _free(float(taken["gap_m"]), path, rotation, sink, mesh, before, below, surfaces, random)
    return Spot(pose, below.name, way)


def _number(value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise InputError(f"{path} is {value!r}; give a number")
    return float(value)


def _rotation(yaw: float, tilt: float, random: np.random.Generator) -> tuple[float, float, float, float]:
    lean = random.uniform(0, 2 * np.pi)  # drawn also where it is not needed: a pin moves nothing else
    upright = turned((0.0, 0.0, 1.0), yaw)
    if tilt == 0:
        return upright
    axis = (math.cos(lean), math.sin(lean), 0.0)
    return quaternion(Pose(rotation=turned(axis, tilt)).matrix()[:3, :3] @ Pose(rotation=upright).matrix()[:3, :3])


def _at(at: Any, path: str, rotation: Any, sink: float) -> Pose:
    if not isinstance(at, list | tuple) or len(at) != 3:
        raise InputError(f"{path}.place.at is {at!r}; give x, y and z in metres")
    x, y, z = (_number(value, f"{path}.place.at") for value in at)
    return Pose((x, y, z - sink), rotation)


def _one(name: Any, path: str, before: Sequence[Thing], random: np.random.Generator) -> Thing:
    """The thing of a name, or any member of the group of that name."""
    found = [thing for thing in before if thing.name == name or group(thing.name) == name]
    share = random.random()
    if not found:
        raise UnfitScene(
            f'"{path}" needs "{name}", and this scene has none; give that one a count of 1 or more',
            why="what a thing stands on is not there",
        )
    return found[min(int(share * len(found)), len(found) - 1)]


def _surfaces(below: Thing, wanted: str | None, path: str) -> list[Surface]:
    surfaces = mesh_of(below.family, below.shape).surfaces
    found = [one for one in surfaces if (one.name != INSIDE if wanted is None else one.name == wanted)]
    if not found:
        known = ", ".join(one.name for one in surfaces) or "none"
        raise InputError(f'{path}: "{below.name}" has no surface to stand on called {wanted!r}; it has: {known}')
    return found


def spot_on(below: Thing, surface: Surface, share: Floats) -> Floats:
    """A point (3,) in the world on a surface of a thing; `share` (2,) from -1 to 1 of its half sizes."""
    own = np.array([*(np.array(surface.centre[:2]) + share * surface.half), surface.centre[2]])
    if not surface.level:
        own[2] = _height(mesh_of(below.family, below.shape), own[:2], surface.centre[2])
    pose = below.poses[0].matrix()
    found: Floats = pose[:3, :3] @ own + pose[:3, 3]
    return found


def _height(mesh: Mesh, at: Floats, otherwise: float) -> float:
    """The highest point of a mesh above a place in its own frame."""
    left, right, front, back = mesh.spans
    near = np.flatnonzero((left <= at[0]) & (right >= at[0]) & (front <= at[1]) & (back >= at[1]))
    a, b, c = mesh.vertices[mesh.faces[near]].astype(float).transpose(1, 0, 2)
    ab, ac, ap = b[:, :2] - a[:, :2], c[:, :2] - a[:, :2], at - a[:, :2]
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        v = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
        w = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
        z = a[:, 2] + v * (b[:, 2] - a[:, 2]) + w * (c[:, 2] - a[:, 2])
    hit = (v >= -1e-9) & (w >= -1e-9) & (v + w <= 1 + 1e-9) & (area != 0)
    return float(z[hit].max()) if hit.any() else otherwise


def footprint(mesh: Mesh, pose: Pose) -> tuple[Floats, Floats, float, tuple[float, float]]:
    """The rectangle that a thing covers as seen from above: centre (2,), half sizes (2,), turn in radians, low and
    high."""
    low, high = mesh.bounds
    ends = np.array([[low[k] if corner >> k & 1 else high[k] for k in range(3)] for corner in range(8)], float)
    turn = pose.matrix()[:3, :3]
    yaw = math.atan2(turn[1, 0], turn[0, 0])
    back = np.array([[math.cos(yaw), math.sin(yaw)], [-math.sin(yaw), math.cos(yaw)]])
    corners = ends @ turn.T
    flat = corners[:, :2] @ back.T
    least, most = flat.min(0), flat.max(0)
    centre = back.T @ ((least + most) / 2) + pose.position[:2]
    z = pose.position[2]
    return centre, (most - least) / 2, yaw, (z + float(corners[:, 2].min()), z + float(corners[:, 2].max()))


def apart(one: tuple[Floats, Floats, float, Any], other: tuple[Floats, Floats, float, Any]) -> float:
    """How far two rectangles are from each other along the best of their axes; below 0 where they overlap."""
    best = -math.inf
    for yaw in (one[2], other[2]):
        for turn in (yaw, yaw + math.pi / 2):
            axis = np.array([math.cos(turn), math.sin(turn)])
            reach = sum(
                half[0] * abs(math.cos(turn - own)) + half[1] * abs(math.sin(turn - own))
                for _, half, own, _ in (one, other)
            )
            best = max(best, abs(float(axis @ (one[0] - other[0]))) - reach)
    return best


def _siblings(parent: str | None, before: Sequence[Thing]) -> list[Any]:
    kin = [thing for thing in before if thing.parent == parent and parent is not None and thing.relation != "beside"]
    kin += [thing for thing in before if thing.relation == "beside" and thing.parent in {one.name for one in kin}]
    return [footprint(mesh_of(thing.family, thing.shape), thing.poses[0]) for thing in kin]


def _meets(mine: Any, others: Sequence[Any], gap: float) -> bool:
    level = [one for one in others if mine[3][0] < one[3][1] - 1e-6 and one[3][0] < mine[3][1] - 1e-6]
    return any(apart(mine, one) < gap for one in level)


def _within(mine: Any, below: Thing, surface: Surface) -> bool:
    """Whether a rectangle lies within a surface."""
    centre, half, yaw, _ = mine
    out = np.array([[math.cos(yaw), -math.sin(yaw)], [math.sin(yaw), math.cos(yaw)]])
    corners = centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half) @ out.T
    pose = below.poses[0].matrix()
    points = np.column_stack([corners, np.full(4, pose[2, 3] + surface.centre[2])])
    own = (points - pose[:3, 3]) @ pose[:3, :3]
    return bool((np.abs(own[:, :2] - surface.centre[:2]) <= np.array(surface.half) + 1e-9).all())


def _free(
    gap: float, path: str, rotation: Any, sink: float, mesh: Mesh, before: Sequence[Thing], below: Thing,
    surfaces: Sequence[Surface], random: np.random.Generator,
) -> Pose:  # fmt: skip
    """A place on one of the surfaces where the thing's rectangle meets no other and stays within."""
    others = _siblings(below.name, before)
    for _ in range(TRIES):
        surface = surfaces[int(random.integers(len(surfaces)))]
        x, y, z = (float(v) for v in spot_on(below, surface, random.uniform(-1, 1, 2)))
        pose = Pose((x, y, z - sink), rotation)
        mine = footprint(mesh, pose)
        if _within(mine, below, surface) and not _meets(mine, others, gap):
            return pose
    raise UnfitScene(
        f'"{path}" found no free place on "{below.name}" in {TRIES} tries; make it larger, or place fewer',
        why="a thing found no place",
    )


def _beside(
    taken: Mapping[str, Any], path: str, rotation: Any, sink: float, mesh: Mesh, before: Sequence[Thing],
    random: np.random.Generator,
) -> Spot:  # fmt: skip
    """Next to a thing, on the same level; its right is along its own x axis."""
    if taken["side"] not in _SIDES:
        raise InputError(f"{path}.place.side is {taken['side']!r}; give one of {', '.join(_SIDES)}")
    near = _one(taken["beside"], path, before, random)
    others = _siblings(near.parent, [thing for thing in before if thing.name != near.name])
    theirs = footprint(mesh_of(near.family, near.shape), near.poses[0])
    gap, fixed = _number(taken["gap_m"], f"{path}.place.gap_m"), _SIDES[taken["side"]]
    for _ in range(TRIES):
        way = theirs[2] + (random.uniform(0, 2 * np.pi) if fixed is None else math.radians(fixed))
        step = np.array([math.cos(way), math.sin(way)])
        pose = Pose((*theirs[0], near.poses[0].position[2] - sink), rotation)
        for _ in range(60):  # outwards, until the gap is what was asked
            mine = footprint(mesh, pose)
            lack = gap - apart(mine, theirs)
            if lack <= 1e-6:
                break
            pose = Pose(
                (pose.position[0] + step[0] * lack, pose.position[1] + step[1] * lack, pose.position[2]), rotation
            )
        if not _meets(footprint(mesh, pose), others, 0.0):
            return Spot(Pose(tuple(float(v) for v in pose.position), rotation), near.name, "beside")  # type: ignore[arg-type]
    raise UnfitScene(f'"{path}" found no free place beside "{near.name}"', why="a thing found no place")


def _scattered(
    taken: Mapping[str, Any], path: str, rotation: Any, sink: float, below: Thing, surfaces: Sequence[Surface],
    random: np.random.Generator,
) -> Spot:  # fmt: skip
    """Anywhere on a surface, also into each other; with `within_m`, about its middle only."""
    surface = surfaces[int(random.integers(len(surfaces)))]
    share = random.uniform(-1, 1, 2)
    if taken["within_m"] is not None:
        reach = _number(taken["within_m"], f"{path}.place.within_m")
        share = share * np.minimum(reach / np.maximum(surface.half, 1e-9), 1)
    x, y, z = (float(v) for v in spot_on(below, surface, share))
    return Spot(Pose((x, y, z - sink), rotation), below.name, "on")


def _in_rows(
    rows: Mapping[str, Any], path: str, rotation: Any, sink: float, before: Sequence[Thing], random: np.random.Generator
) -> Spot:
    """The place of a member by its number: row after row along the y axis of the surface, its middle at `shift_m`."""
    number = int(path.rpartition(".")[2])
    below = _one(rows["on"], path, before, random)
    surface = _surfaces(below, rows["surface"], path)[0]
    row, step = divmod(number, rows["each"])
    apart_m = [_number(rows[name], f"{group(path)}.place.rows.{name}") for name in ("row_gap_m", "step_m", "jitter_m")]
    if row >= rows["rows"]:
        raise InputError(f"{group(path)}: {rows['rows']} rows of {rows['each']} have no place for number {number}")
    spot = np.array([(row - (rows["rows"] - 1) / 2) * apart_m[0], (step - (rows["each"] - 1) / 2) * apart_m[1]])
    shift = rows["shift_m"]
    if not isinstance(shift, list | tuple) or len(shift) != 2:
        raise InputError(f"{group(path)}.place.rows.shift_m is {shift!r}; give x and y in metres")
    spot = spot + np.clip(random.normal(0, 1, 2), -2, 2) * apart_m[2] + np.asarray(shift, float)
    if (np.abs(spot) > surface.half).any():
        raise UnfitScene(
            f'"{path}" would stand beyond "{below.name}"; make it larger, or the rows fewer or closer',
            why="a row is longer than what it stands on",
        )
    x, y, z = (float(v) for v in spot_on(below, surface, spot / surface.half))
    return Spot(Pose((x, y, z - sink), rotation), below.name, "on")


def _dropped(
    taken: Mapping[str, Any], path: str, rotation: Any, mesh: Mesh, below: Thing, surfaces: Sequence[Surface],
    before: Sequence[Thing], random: np.random.Generator,
) -> Spot:  # fmt: skip
    """Above a surface and above all that it would meet, turned anyhow: physics brings it down."""
    surface = surfaces[int(random.integers(len(surfaces)))]
    share, tumbled = random.uniform(-0.6, 0.6, 2), random.normal(size=4)
    if not taken["upright"]:
        rotation = tuple(float(v) for v in tumbled / np.linalg.norm(tumbled))  # any turn is as likely as any other
    x, y, z = spot_on(below, surface, share)
    mine = footprint(mesh, Pose((float(x), float(y), 0.0), rotation))
    others = [footprint(mesh_of(one.family, one.shape), one.poses[0]) for one in before if one is not below]
    floor = max([z, *(one[3][1] for one in others if apart(mine, one) < 0.01)])
    lift = floor + _number(taken["height_m"], f"{path}.place.height_m") - mine[3][0]
    return Spot(Pose((float(x), float(y), float(lift)), rotation), below.name, "on", falls=True)
