"""Figures and pictograms on signs: what is written and drawn, as polygons.

Digits and letters are lines and arcs of even width in the manner of DIN 1451; the pictograms are simplified from the
signs of the Vienna Convention on Road Signs and Signals (1968) as Germany's road traffic order (StVO) draws them.
"""

from __future__ import annotations

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.sign_paint import Floats, arc, arrow, box, disc, moved, stroke

Line = list[tuple[float, float]]
_STADIUM: Line = [*arc((0.5, 0.74), (0.5, 0.26), 0, 180), *arc((0.5, 0.26), (0.5, 0.26), 180, 360)]
_SIX = [
    arc((0.5, 0.29), (0.5, 0.29), 0, 360),
    [(0.72, 1.0), *arc((0.6, 0.32), (0.6, 0.4), 150, 180, steps=6)],
]
# Centre lines from (0, 0) to (1, 1); True where a line is closed.
_LINES: dict[str, list[Line]] = {
    "0": [[*_STADIUM, _STADIUM[0]]],
    "1": [[(0.1, 0.74), (0.6, 1.0), (0.6, 0.0)]],
    "2": [[*arc((0.5, 0.72), (0.48, 0.28), 175, -35), (0.0, 0.0), (1.0, 0.0)]],
    "3": [[*arc((0.46, 0.75), (0.45, 0.25), 155, -80)], [*arc((0.46, 0.26), (0.54, 0.26), 85, -160)]],
    "4": [[(0.55, 1.0), (0.0, 0.28), (1.0, 0.28)], [(0.72, 0.6), (0.72, 0.0)]],
    "5": [[(0.92, 1.0), (0.14, 1.0), (0.06, 0.52), *arc((0.48, 0.32), (0.5, 0.32), 130, -155)]],
    "6": _SIX,
    "7": [[(0.0, 1.0), (1.0, 1.0), (0.3, 0.0)]],
    "8": [arc((0.5, 0.755), (0.43, 0.245), 0, 360), arc((0.5, 0.265), (0.5, 0.265), 0, 360)],
    "9": [[(1 - x, 1 - y) for x, y in line] for line in _SIX],
    "S": [[*arc((0.5, 0.75), (0.47, 0.25), 20, 265), *arc((0.5, 0.25), (0.5, 0.25), 85, -160)]],
    "T": [[(0.0, 1.0), (1.0, 1.0)], [(0.5, 1.0), (0.5, 0.0)]],
    "O": [[*_STADIUM, _STADIUM[0]]],
    "P": [[(0.0, 0.0), (0.0, 1.0), (0.5, 1.0), *arc((0.5, 0.73), (0.5, 0.27), 90, -90), (0.0, 0.46)]],
}
_NARROW = {"1": 0.72}


def text(words: str, *, height: float, width: float, line: float, gap: float) -> list[Floats]:
    """Letters in a row about the middle, each `height` by `width` with lines of width `line`, `gap` between them.

    Raises InputError for a letter that is not drawn.
    """
    unknown = [letter for letter in words if letter not in _LINES]
    if unknown:
        raise InputError(f'no letter "{unknown[0]}" for signs; there are: {"".join(_LINES)}')
    widths = [width * _NARROW.get(letter, 1.0) for letter in words]
    left = -(sum(widths) + gap * (len(words) - 1)) / 2
    shapes: list[Floats] = []
    for letter, wide in zip(words, widths, strict=True):
        for points in _LINES[letter]:
            placed = [
                (left + line / 2 + x * (wide - line), -height / 2 + line / 2 + y * (height - line)) for x, y in points
            ]
            shapes += stroke(_squared(placed, line), line)
        left += wide + gap
    return shapes


def _squared(points: Line, line: float) -> Line:
    """Straight open ends go on by half a line's width, so that the letter fills its box."""
    found = list(points)
    if points[0] == points[-1]:
        return found
    for end, next_ in ((0, 1), (-1, -2)):
        way = np.subtract(points[end], points[next_])
        length = float(np.hypot(*way))
        if length > line:
            x, y = np.asarray(points[end]) + way / length * line / 2
            found[end] = (float(x), float(y))
    return found


def truck_behind() -> list[Floats]:
    """A lorry from behind, left of the middle."""
    return [
        box(-0.54, -0.1, -0.04, 0.36),
        box(-0.49, -0.24, -0.09, -0.1),
        box(-0.54, -0.35, -0.42, -0.13),
        box(-0.16, -0.35, -0.04, -0.13),
    ]


def car_behind(*, left: float = 0.1) -> tuple[list[Floats], list[Floats]]:
    """A car from behind to the right of `left`, half a unit wide, and its window."""
    body = [
        np.array([(0.0, -0.27), (0.5, -0.27), (0.5, -0.08), (0.46, -0.03), (0.4, 0.12), (0.1, 0.12), (0.04, -0.03),
                  (0.0, -0.08)]),
        box(0.0, -0.35, 0.11, -0.2),
        box(0.39, -0.35, 0.5, -0.2),
    ]  # fmt: skip
    window = [np.array([(0.09, -0.03), (0.41, -0.03), (0.37, 0.075), (0.13, 0.075)])]
    return moved(body, by=(left, 0.0)), moved(window, by=(left, 0.0))


def truck_aside() -> tuple[list[Floats], list[Floats]]:
    """A lorry that drives to the left, and what of it is white."""
    dark = [
        box(-0.2, -0.17, 0.6, 0.27),
        box(-0.5, -0.24, 0.58, -0.14),
        np.array([(-0.58, -0.28), (-0.24, -0.28), (-0.24, 0.16), (-0.45, 0.16), (-0.54, -0.04), (-0.58, -0.08)]),
        disc(-0.4, -0.26, 0.12),
        disc(0.38, -0.26, 0.12),
    ]
    light = [np.array([(-0.5, -0.03), (-0.31, -0.03), (-0.31, 0.1), (-0.43, 0.1)]), box(-0.24, -0.14, -0.205, 0.27)]
    light += [disc(-0.4, -0.26, 0.045), disc(0.38, -0.26, 0.045)]
    return dark, light


def exclamation() -> list[Floats]:
    """The mark of a danger that has no sign of its own."""
    bar = np.array([(-0.085, 0.2), (-0.07, 0.25), (0.07, 0.25), (0.085, 0.2), (0.045, -0.34), (-0.045, -0.34)])
    return [bar, disc(0.0, -0.48, 0.078)]


def bend() -> list[Floats]:
    """A way that bends to the right."""
    way = [(-0.2, -0.58), (-0.2, -0.36), *arc((0.02, -0.36), (0.22, 0.22), 180, 90, steps=10), (0.34, -0.13)]
    return arrow(way, 0.155, head=(0.24, 0.12), notch=0.95)


def bumps() -> list[Floats]:
    """Two humps of a road."""
    x = np.linspace(-1, 1, 81)
    humps = np.maximum(np.exp(-(((x + 0.42) / 0.27) ** 2)), np.exp(-(((x - 0.42) / 0.27) ** 2)))
    top = np.stack([x * 0.44, -0.55 + 0.19 * humps], 1)
    return [np.concatenate([[(-0.44, -0.59)], top, [(0.44, -0.59)]])]


def narrowing() -> list[Floats]:
    """Both edges of a road, the right one coming in."""
    right = [(0.22, -0.6), (0.22, -0.44), (0.1, -0.22), (0.1, 0.12)]
    return [*stroke([(-0.13, -0.6), (-0.13, 0.12)], 0.105), *stroke(right, 0.105)]


def lights() -> tuple[list[Floats], list[Floats], list[Floats]]:
    """The red, the yellow and the green one."""
    return [disc(0.0, 0.1, 0.13)], [disc(0.0, -0.19, 0.13)], [disc(0.0, -0.48, 0.13)]


def children() -> list[Floats]:
    """Two children on their way, the smaller one in front."""
    taller = [
        disc(0.13, 0.05, 0.08),
        np.array([(0.06, -0.05), (0.2, -0.05), (0.19, -0.35), (0.07, -0.35)]),
        *stroke([(0.1, -0.31), (0.07, -0.44), (0.06, -0.6)], 0.085),
        *stroke([(0.15, -0.31), (0.27, -0.46), (0.43, -0.53)], 0.08),
        *stroke([(0.17, -0.12), (0.29, -0.19), (0.39, -0.22)], 0.065),
        *stroke([(0.09, -0.12), (0.01, -0.19), (-0.09, -0.23)], 0.065),
    ]
    smaller = [
        disc(-0.24, -0.13, 0.065),
        np.array([(-0.3, -0.21), (-0.18, -0.21), (-0.19, -0.43), (-0.29, -0.43)]),
        *stroke([(-0.26, -0.4), (-0.28, -0.48), (-0.29, -0.59)], 0.065),
        *stroke([(-0.22, -0.4), (-0.16, -0.5), (-0.07, -0.56)], 0.06),
        *stroke([(-0.27, -0.24), (-0.34, -0.28), (-0.42, -0.29)], 0.055),
        *stroke([(-0.21, -0.24), (-0.14, -0.23), (-0.07, -0.23)], 0.055),
    ]
    return [*taller, *smaller]


def flake() -> list[Floats]:
    """A crystal of snow."""
    shapes: list[Floats] = []
    for turn in np.radians(np.arange(6) * 60 + 30):
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        shapes += stroke([(0.0, 0.0), (float(along[0]), float(along[1]))], 0.2)
        for side in (1.0, -1.0):
            tip, foot = along * 0.95 + across * side * 0.38, along * 0.55
            shapes += stroke([(float(foot[0]), float(foot[1])), (float(tip[0]), float(tip[1]))], 0.18)
    return moved(shapes, by=(0.0, -0.23), scale=(0.34, 0.34))


def aside() -> list[Floats]:
    """An arrow up that bends to the left."""
    way = [(0.3, -0.66), (0.3, -0.1), *arc((-0.02, -0.1), (0.32, 0.32), 0, 90, steps=12), (-0.66, 0.22)]
    return arrow(way, 0.175, head=(0.42, 0.32), notch=0.72)


def fork() -> list[Floats]:
    """An arrow up, and one that leaves it to the right."""
    up = arrow([(-0.15, -0.7), (-0.15, 0.76)], 0.17, head=(0.44, 0.3), notch=0.75)
    right = [(-0.15, -0.6), *arc((0.11, -0.44), (0.26, 0.26), 180, 90, steps=10), (0.72, -0.18)]
    return [*up, *arrow(right, 0.17, head=(0.42, 0.29), notch=0.75)]


def ahead() -> list[Floats]:
    """An arrow up."""
    return arrow([(0.0, -0.68), (0.0, 0.72)], 0.22, head=(0.48, 0.36), notch=0.75)


def down_right() -> list[Floats]:
    """An arrow down to the right, with a wide open head."""
    tip = (0.56, -0.56)
    barbs = [*stroke([(0.56 - 0.085, -0.56), (0.475, 0.06)], 0.17), *stroke([(0.56, -0.475), (-0.06, -0.475)], 0.17)]
    return [*stroke([(-0.48, 0.48), (tip[0] - 0.1, tip[1] + 0.1)], 0.2), *barbs]


def circling() -> list[Floats]:
    """Three arrows around the middle, counter-clockwise."""
    shapes: list[Floats] = []
    for start in (100.0, 220.0, 340.0):
        points = arc((0.0, 0.0), (0.56, 0.56), start, start + 70, steps=12)
        tip = np.radians(start + 96)
        shapes += stroke(points, 0.17)
        root = np.array(points[-1])
        out = root / np.hypot(*root)
        end = 0.56 * np.array([np.cos(tip), np.sin(tip)]) * 0.97
        shapes.append(np.array([end, root + out * 0.22, root - out * 0.22]))
    return shapes


def stripes() -> list[Floats]:
    """The five lines, from lower left to upper right, that end a rule."""
    along, across = np.array([1.0, 1.0]) / 2**0.5, np.array([-1.0, 1.0]) / 2**0.5
    shapes: list[Floats] = []
    for number in range(-2, 3):
        middle = across * number * 0.085
        one, two = middle - along * 0.93, middle + along * 0.93
        shapes += stroke([(float(one[0]), float(one[1])), (float(two[0]), float(two[1]))], 0.048)
    return shapes
