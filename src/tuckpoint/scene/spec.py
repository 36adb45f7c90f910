"""The specification of scenes: things, lights and camera, each knob a value or how to draw one. Plain YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tuckpoint import declared, parts
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.record import digest_of
from tuckpoint.scene.assets import mapped
from tuckpoint.scene.choices import group
from tuckpoint.scene.knob import check, support
from tuckpoint.scene.layout import way_of
from tuckpoint.scene.quota import Quota, quota_of
from tuckpoint.scene.settle import Physics
from tuckpoint.scene.stage import mesh_of
from tuckpoint.settings import build, plain

_ENTRIES = (
    "name",
    "image",
    "frames",
    "fps",
    "things",
    "sun",
    "sky",
    "lamps",
    "camera",
    "require",
    "tries",
    "physics",
    "quotas",
    "assets",
)
_THING = (
    "family",
    "class",
    "labelled",
    "count",
    "present",
    "shape",
    "shapes",
    "material",
    "materials",
    "place",
    "motion",
    "loose",
    "density_kg_m3",
)
_RESERVED = ("sun", "sky", "camera", "lamps")
_WAYS = ("on", "in", "beside", "scatter", "drop")


@dataclass(frozen=True)
class Spec:
    """What may be in a scene; `scene.plan.plan` draws scenes from it.

    `things` in the order in which they are placed. A thing has a `family`, and may have a `class` (the family's name
    if none is given; `{of: shape.KNOB}` takes the name from a choice of its shape), `labelled` (true), `count` (one
    thing without a number if absent), `present` (true), `shape` of its family (`shapes` by family, if that is drawn),
    `material` for all parts and `materials` by part, `place` (see `layout.WAYS`), and `motion` (`velocity_m_s`,
    `spin_deg_s`). What is `loose`, or placed by `drop`, falls until `physics` brings it to rest; it has a
    `density_kg_m3`. `camera` looks at `target_m` from `distance_m`, `azimuth_deg` and `elevation_deg`. `quotas` balance
    knobs jointly (see `quota.Quota`); `assets` tells `source` and `licence` of outside files. A scene is drawn anew,
    `tries` times, until `require.things` labelled things show `require.pixels` pixels.
    """

    name: str
    things: Mapping[str, Mapping[str, Any]]
    camera: Mapping[str, Any] = field(default_factory=dict)
    image: Mapping[str, Any] = field(default_factory=lambda: {"width": 256, "height": 256})
    frames: int = 1
    fps: float = 10.0
    sun: Mapping[str, Any] | None = field(default_factory=dict)
    sky: Mapping[str, Any] = field(default_factory=dict)
    lamps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    require: Mapping[str, Any] = field(default_factory=lambda: {"things": 1, "pixels": 1})
    tries: int = 20
    physics: Mapping[str, Any] = field(default_factory=dict)
    quotas: tuple[Mapping[str, Any], ...] = ()
    assets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.things:
            raise InputError(f'the specification "{self.name}" has no things; name at least one')
        for entry in _ENTRIES:
            check(getattr(self, entry), entry)
        for name, thing in self.things.items():
            self._check(name, thing)
        _ = self.balanced  # a quota that cannot be met is told now
        build(Physics, self.physics)
        for name in self.lamps:
            if name in self.things or name in _RESERVED:
                raise InputError(f'"{name}" names a lamp and something else; choose another name')
        if not isinstance(self.frames, int) or self.frames < 1 or not self.fps > 0:
            raise InputError(f"{self.frames} frames at {self.fps} a second: give 1 or more, at a rate above 0")
        for entry, known in (("image", ("width", "height")), ("require", ("things", "pixels"))):
            for name in getattr(self, entry):
                if name not in known:
                    raise InputError(f'{entry} has no entry "{name}"{did_you_mean(str(name), known)}; it has: {known}')
        if not isinstance(self.tries, int) or self.tries < 1:
            raise InputError(f"tries is {self.tries}; give 1 or more")
        for side in ("width", "height"):
            if not isinstance(self.image.get(side), int) or not 8 <= self.image[side] <= 16384:
                raise InputError(f"image.{side} is {self.image.get(side)!r}; give a whole number from 8 to 16384")

    def _check(self, name: str, thing: Mapping[str, Any]) -> None:
        if name in _RESERVED or not name.replace("_", "").replace("-", "").isalnum() or name.isdigit():
            raise InputError(
                f'a thing cannot be called "{name}"; take letters, digits, - and _, and none of {_RESERVED}'
            )
        if not isinstance(thing, Mapping) or "family" not in thing:
            raise InputError(f"things.{name} has no family; there are: {', '.join(parts.names('thing'))}")
        for entry in thing:
            if entry not in _THING:
                raise InputError(f'things.{name} has no entry "{entry}"{did_you_mean(str(entry), _THING)}')
        for family in support(thing["family"]) or ():
            parts.find("thing", str(family))
        self._check_names(name, thing)
        if followed(thing) is not None and not _class_names(thing):
            raise InputError(
                f"things.{name}.class follows {thing['class']['of']}, which may be anything; make it a choice"
            )
        place, before = thing.get("place", {}), list(self.things)[: list(self.things).index(name)]
        way_of(place, f"things.{name}")
        told = [place[way] for way in _WAYS if way in place]
        told += [place["rows"].get("on")] if isinstance(place.get("rows"), Mapping) else []
        for other in (str(one) for value in told for one in support(value) or ()):
            if other not in before and group(other) not in before:
                raise InputError(f'things.{name} stands on "{other}", which is not named before it')

    def _check_names(self, name: str, thing: Mapping[str, Any]) -> None:
        """Families and parts that no member of the thing can have."""
        families = [str(family) for family in support(thing["family"]) or ()]
        for family in thing.get("shapes", {}):
            if family not in families:
                raise InputError(f'things.{name}.shapes: it is never a "{family}"{did_you_mean(str(family), families)}')
        known = {part for one in families for shape in _files(one, thing) for part in mesh_of(one, shape).parts}
        for part in thing.get("materials", {}):
            if part not in known:
                raise InputError(f'things.{name}.materials: no part "{part}"{did_you_mean(str(part), sorted(known))}')

    def most(self, name: str, pins: Mapping[str, Any]) -> int | None:
        """The largest number of members that a thing can have; None if it is not known."""
        told = self.things.get(name, {})
        if "rows" in told.get("place", {}):
            return None
        count = pins.get(f"{name}.count", told.get("count"))
        if isinstance(count, Mapping) and "integers" in count:
            return int(count["integers"][1])
        return count if isinstance(count, int) else None

    @cached_property
    def balanced(self) -> tuple[Quota, ...]:
        """The quotas, as they are met."""
        return tuple(quota_of(told, f"quotas.{number}") for number, told in enumerate(self.quotas))

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names, in the order of their ids."""
        found: dict[str, None] = {}
        for thing in self.things.values():
            if thing.get("labelled", True):
                found |= dict.fromkeys(_class_names(thing))
        return tuple(found)

    @property
    def digest(self) -> str:
        """The hex SHA-256 of the whole specification."""
        return digest_of(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON; the things are a list, since their order counts and JSON's keys have none."""
        things = [{"name": name, **thing} for name, thing in self.things.items()]
        return {**{entry: getattr(self, entry) for entry in _ENTRIES}, "things": things, "quotas": list(self.quotas)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Spec:
        """The specification of a mapping; raises InputError for an entry that is unknown or missing."""
        for entry in told:
            if entry not in _ENTRIES:
                raise InputError(f'a specification has no entry "{entry}"{did_you_mean(str(entry), _ENTRIES)}')
        for entry in ("name", "things"):
            if entry not in told:
                raise InputError(f'the specification lacks "{entry}"')
        things = told["things"]
        if isinstance(things, list):
            if not all(isinstance(thing, Mapping) and "name" in thing for thing in things):
                raise InputError("every thing of a list needs a name")
            things = {str(thing["name"]): {k: v for k, v in thing.items() if k != "name"} for thing in things}
            if len(things) < len(told["things"]):
                raise InputError("two things have one name; names must differ")
        if not isinstance(things, Mapping):
            raise InputError(f"things is {things!r}; give a mapping of names, or a list of things with names")
        return cls(**{**told, "things": things, "quotas": tuple(told.get("quotas", ()))})


def followed(thing: Mapping[str, Any]) -> str | None:
    """The knob of the shape whose value is the class's name; None if the class is told otherwise.

    Raises InputError for what is not a knob of the shape.
    """
    told = thing.get("class")
    if not isinstance(told, Mapping) or set(told) != {"of"}:
        return None
    start, _, knob = str(told["of"]).partition(".")
    if start != "shape" or not knob or "." in knob:
        raise InputError(f"class: {{of: {told['of']}}}; name a knob of the shape, as in {{of: shape.sign}}")
    return knob


def _class_names(thing: Mapping[str, Any]) -> list[str]:
    """All class names that a thing can have; none if its class follows a knob of no known values."""
    knob = followed(thing)
    if knob is None:
        return [str(name) for name in support(thing["class"] if "class" in thing else thing["family"]) or []]
    names: list[str] = []
    for family in map(str, support(thing["family"]) or ()):
        own = plain(parts.find("thing", family)())
        value = {**own, **thing.get("shape", {}), **thing.get("shapes", {}).get(family, {})}.get(knob, family)
        known = support(value)
        if known is None:
            return []
        names += [str(name) for name in known]
    return names


def _files(family: str, thing: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What must be known of a shape to tell its parts: the file, if the family reads one."""
    shape = {**thing.get("shape", {}), **thing.get("shapes", {}).get(family, {})}
    return [{"file": file} for file in support(shape["file"]) or ()] if "file" in shape else [{}]


def load(path: Path) -> Spec:
    """Read a specification, in which files are named from its own folder; raises InputError that names it."""
    told = declared.read(path, do="examples/ shows what a specification looks like")
    with declared.within(path):
        return Spec.from_dict(mapped(told, lambda file: str(path.parent / file)))
