"""The choices of one scene: what is drawn, what is pinned, and all that could have been."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.scene.knob import drawn, is_draw
from tuckpoint.seed import Seed

_MEMBER = re.compile(r"^([^.]+)\.(\d+)(\.|$)")


@dataclass
class Choices:
    """Takes the knobs of one scene, each from a stream of its own name.

    A pin replaces a draw and moves nothing else; it may itself be a way to draw, from the knob's own stream.
    """

    seed: Seed
    pins: Mapping[str, Any]
    taken: dict[str, Any] = field(default_factory=dict)
    offered: set[str] = field(default_factory=set)

    def take(self, path: str, value: Any) -> Any:
        """The value of a knob, or of all knobs of a mapping or list."""
        kin = group(path)
        self.offered.add(kin)
        pin = next((name for name in (path, kin) if name in self.pins), None)
        if is_draw(value):
            found = drawn(value, self.seed.child(path), path)
        elif isinstance(value, Mapping):
            found = {str(name): self.take(f"{path}.{name}", item) for name, item in value.items()}
        elif isinstance(value, list | tuple):
            found = [self.take(f"{path}.{number}", item) for number, item in enumerate(value)]
        else:
            found = value
        if pin is not None:
            held = self.pins[pin]
            found = drawn(held, self.seed.child(path), path) if is_draw(held) else held
        if pin is not None or is_draw(value):
            self.taken[path] = found
        return found

    def offer(self, path: str, value: Any) -> None:
        """Name knobs that another scene of the specification has."""
        self.offered.add(path)
        if isinstance(value, Mapping) and not is_draw(value):
            for name, item in value.items():
                self.offer(f"{path}.{name}", item)

    def named(self, path: str, entries: Mapping[str, Any]) -> set[str]:
        """Those entries of a mapping at a path that a pin holds, whole or a part of them."""
        roots = (path, group(path))
        return {name for name in entries for pin in self.pins for at in roots if f"{pin}.".startswith(f"{at}.{name}.")}

    def check(self, most: Callable[[str], int | None]) -> None:
        """Raise InputError for a pin of a knob that no scene has, whatever it drew; `most` members a thing can have."""
        for name in self.pins:
            member = _MEMBER.match(name)
            if group(name) not in self.offered:
                raise InputError(f'there is no knob "{name}"{did_you_mean(name, sorted(self.offered))}')
            limit = None if member is None else most(member[1])
            if member is not None and limit is not None and int(member[2]) >= limit:
                raise InputError(f'there is no knob "{name}": {member[1]} has at most {limit} members, from 0')


def group(path: str) -> str:
    """The path of a member's knob without the member's number."""
    return _MEMBER.sub(lambda match: match[1] + match[3], path)
