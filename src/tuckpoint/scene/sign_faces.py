"""The faces of traffic signs by name: their outline, and what is painted on it in which colour.

Shapes and proportions follow Germany's road traffic order (StVO, annexes 1 to 3), which carries out the Vienna
Convention on Road Signs and Signals of 1968; no picture of a sign is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.scene import sign_glyphs as glyphs
from tuckpoint.scene.sign_paint import Floats, arc, box, disc, moved, rounded, stroke

Layers = tuple[tuple[str, list[Floats]], ...]
COLOURS = ("white", "black", "red", "blue", "yellow", "green", "grey")
_NUMBERED = re.compile(r"(end_)?speed_(\d{1,3})")
_THIRD = 3**0.5 / 3  # from the middle of a triangle's side, of length 2, to its centre


@dataclass(frozen=True)
class Face:
    """A sign's face: `outline` (n, 2) counter-clockwise within -1 to 1, the colour of the bare plate, and layers.

    `layers` are (colour, polygons), the first ones lowest.
    """

    outline: Floats
    ground: str
    layers: Layers


def triangle(inset: float = 0.0, radius: float = 0.07, *, down: bool = False) -> Floats:
    """A triangle of side 2 about the middle of its height, its sides moved in by `inset`, its corners round."""
    share, centre = 1 - inset / _THIRD, -(3**0.5) / 2 + _THIRD
    corners = [(-share, centre - _THIRD * share), (share, centre - _THIRD * share), (0.0, centre + 2 * _THIRD * share)]
    return rounded(corners, radius) * (np.array([-1.0, -1.0]) if down else 1.0)


def octagon(inset: float = 0.0, radius: float = 0.04) -> Floats:
    """A regular octagon 2 wide, its sides moved in by `inset`."""
    turn = np.radians(22.5 + 45 * np.arange(8))
    reach = (1 - inset) / np.cos(np.radians(22.5))
    return rounded([(float(reach * np.cos(t)), float(reach * np.sin(t))) for t in turn], radius)


def diamond(reach: float = 1.0, radius: float = 0.05) -> Floats:
    """A square on its corner, `reach` from its middle to its corners."""
    return rounded([(reach, 0.0), (0.0, reach), (-reach, 0.0), (0.0, -reach)], radius)


def _danger(*layers: tuple[str, list[Floats]]) -> Face:
    frame = (("red", [triangle(0.035, 0.055)]), ("white", [triangle(0.225, 0.02)]))
    return Face(triangle(), "white", (*frame, *layers))


def _ban(*layers: tuple[str, list[Floats]]) -> Face:
    return Face(disc(), "white", (("red", [disc(radius=0.965)]), ("white", [disc(radius=0.74)]), *layers))


def _end(*layers: tuple[str, list[Floats]]) -> Face:
    rim = stroke(arc((0.0, 0.0), (0.945, 0.945), 0, 360, steps=72)[:-1], 0.035, closed=True)
    return Face(disc(), "white", (("black", rim), *layers, ("black", glyphs.stripes())))


def _order(shapes: list[Floats]) -> Face:
    return Face(disc(), "white", (("blue", [disc(radius=0.955)]), ("white", shapes)))


def _number(number: str, *, scale: float = 1.0) -> list[Floats]:
    height, width, gap, line = (0.8, 0.5, 0.1, 0.11) if len(number) < 3 else (0.86, 0.41, 0.07, 0.1)
    return moved(glyphs.text(number, height=height, width=width, line=line, gap=gap), scale=(scale, scale))


def _mirrored(face: Face) -> Face:
    turn = np.array([-1.0, 1.0])
    layers = tuple((colour, [shape * turn for shape in shapes]) for colour, shapes in face.layers)
    return Face((face.outline * turn)[::-1], face.ground, layers)


def _signals() -> Face:
    red, yellow, green = glyphs.lights()
    return _danger(("red", red), ("yellow", yellow), ("green", green))


def _no_trucks() -> Face:
    dark, light = glyphs.truck_aside()
    return _ban(("black", dark), ("white", light))


def _passing(*, trucks: bool, end: bool) -> Face:
    body, window = glyphs.car_behind()
    left, pane = (glyphs.truck_behind(), []) if trucks else glyphs.car_behind(left=-0.6)
    dark, other = ("grey", "grey") if end else ("red", "black")
    layers = ((dark, left), ("white", pane), (other, body), ("white", window))
    return _end(*layers) if end else _ban(*layers)


def _stop() -> Face:
    word = glyphs.text("STOP", height=0.68, width=0.32, line=0.105, gap=0.075)
    return Face(octagon(), "white", (("red", [octagon(0.05, 0.03)]), ("white", word)))


def _priority() -> Face:
    return Face(diamond(), "white", (("black", [diamond(0.66, 0.04)]), ("yellow", [diamond(0.63, 0.04)])))


_FACES: dict[str, Callable[[], Face]] = {
    "general_caution": lambda: _danger(("black", glyphs.exclamation())),
    "curve_right": lambda: _danger(("black", glyphs.bend())),
    "curve_left": lambda: _mirrored(_danger(("black", glyphs.bend()))),
    "bumpy_road": lambda: _danger(("black", glyphs.bumps())),
    "narrows_right": lambda: _danger(("black", glyphs.narrowing())),
    "narrows_left": lambda: _mirrored(_danger(("black", glyphs.narrowing()))),
    "traffic_signals": _signals,
    "children": lambda: _danger(("black", glyphs.children())),
    "ice_snow": lambda: _danger(("black", glyphs.flake())),
    "yield": lambda: Face(
        triangle(down=True),
        "white",
        (("red", [triangle(0.035, 0.055, down=True)]), ("white", [triangle(0.225, 0.02, down=True)])),
    ),
    "stop": _stop,
    "priority_road": _priority,
    "no_vehicles": lambda: _ban(),
    "no_entry": lambda: Face(
        disc(), "white", (("red", [disc(radius=0.965)]), ("white", [box(-0.7, -0.16, 0.7, 0.16)]))
    ),
    "no_trucks": _no_trucks,
    "no_passing": lambda: _passing(trucks=False, end=False),
    "no_passing_trucks": lambda: _passing(trucks=True, end=False),
    "end_no_passing": lambda: _passing(trucks=False, end=True),
    "end_no_passing_trucks": lambda: _passing(trucks=True, end=True),
    "end_all_limits": lambda: _end(),
    "turn_left_ahead": lambda: _order(glyphs.aside()),
    "turn_right_ahead": lambda: _mirrored(_order(glyphs.aside())),
    "ahead_only": lambda: _order(glyphs.ahead()),
    "straight_or_right": lambda: _order(glyphs.fork()),
    "straight_or_left": lambda: _mirrored(_order(glyphs.fork())),
    "keep_right": lambda: _order(glyphs.down_right()),
    "keep_left": lambda: _mirrored(_order(glyphs.down_right())),
    "roundabout": lambda: _order(glyphs.circling()),
}
NAMES = (*_FACES, "speed_N", "end_speed_N")


@lru_cache(maxsize=128)
def face(name: str) -> Face:
    """The face of a sign: one of `NAMES`, with a number of up to three digits for N.

    Raises InputError for a name that there is not.
    """
    numbered = _NUMBERED.fullmatch(name)
    if numbered is not None:
        number = _number(numbered[2], scale=1.15 if numbered[1] else 1.0)
        return _end(("grey", number)) if numbered[1] else _ban(("black", number))
    if name not in _FACES:
        known = [one.replace("_N", "_50") for one in NAMES]
        raise InputError(f'no sign "{name}"{did_you_mean(name, known)}; there are: {", ".join(NAMES)}')
    return _FACES[name]()
