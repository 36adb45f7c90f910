"""Flat shapes of a sign's face: polygons from lines and arcs, painted over each other with smooth edges.

Coordinates: x right, y up, the plate within -1 to 1. Strokes end square, and are round where they bend.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import MissingExtra

Floats = NDArray[np.float64]
FINER = 4  # samples along each side of a pixel


def arc(
    centre: tuple[float, float], radii: tuple[float, float], first_deg: float, last_deg: float, *, steps: int = 16
) -> list[tuple[float, float]]:
    """Points on an ellipse with axes along x and y; 0 degrees point right, 90 up."""
    turn = np.radians(np.linspace(first_deg, last_deg, steps + 1))
    return [(centre[0] + radii[0] * float(np.cos(t)), centre[1] + radii[1] * float(np.sin(t))) for t in turn]


def disc(x: float = 0.0, y: float = 0.0, radius: float = 1.0) -> Floats:
    """A circle as a polygon (n, 2)."""
    return np.array(arc((x, y), (radius, radius), 0, 360, steps=72)[:-1])


def box(left: float, bottom: float, right: float, top: float) -> Floats:
    """An upright rectangle as a polygon (4, 2)."""
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])


def stroke(points: Sequence[tuple[float, float]], width: float, *, closed: bool = False) -> list[Floats]:
    """A line of this width along points, as polygons."""
    line = np.array([*points, points[0]] if closed else points, float)
    shapes = []
    for start, end in pairwise(line):
        way = end - start
        length = float(np.hypot(*way))
        if length > 0:
            out = np.array([-way[1], way[0]]) / length * width / 2
            shapes.append(np.array([start + out, end + out, end - out, start - out]))
    bends = line[:-1] if closed else line[1:-1]
    return [*shapes, *(disc(float(x), float(y), width / 2) for x, y in bends)]


def arrow(
    points: Sequence[tuple[float, float]], width: float, *, head: tuple[float, float], notch: float = 0.8
) -> list[Floats]:
    """A line that ends in a head of this length and half width, its tip the last point.

    `notch` is how far back, as a share of the head's length, the head meets the line.
    """
    line = np.array(points, float)
    way = line[-1] - line[-2]
    way = way / np.hypot(*way)
    out, tip = np.array([-way[1], way[0]]), line[-1]
    neck = tip - way * head[0] * notch
    tail = tip - way * head[0]
    shapes = stroke([*(tuple(point) for point in line[:-1]), (float(neck[0]), float(neck[1]))], width)
    return [*shapes, np.array([tip, tail + out * head[1], neck, tail - out * head[1]])]


def rounded(corners: Sequence[tuple[float, float]], radius: float, *, steps: int = 8) -> Floats:
    """A convex polygon, counter-clockwise, with its corners cut by arcs of this radius."""
    points = np.array(corners, float)
    found: list[Any] = []
    for before, here, after in zip(np.roll(points, 1, 0), points, np.roll(points, -1, 0), strict=True):
        one, two = (before - here) / np.hypot(*(before - here)), (after - here) / np.hypot(*(after - here))
        half = np.arccos(np.clip(one @ two, -1, 1)) / 2
        middle = here + (one + two) / np.hypot(*(one + two)) * radius / np.sin(half)
        first, last = here + one * radius / np.tan(half) - middle, here + two * radius / np.tan(half) - middle
        start = np.arctan2(first[1], first[0])
        sweep = (np.arctan2(last[1], last[0]) - start) % (2 * np.pi)
        turn = start + np.linspace(0, sweep, steps + 1)
        found.append(middle + radius * np.stack([np.cos(turn), np.sin(turn)], 1))
    return np.concatenate(found)


def moved(
    shapes: Sequence[Floats], *, by: tuple[float, float] = (0.0, 0.0), scale: tuple[float, float] = (1.0, 1.0)
) -> list[Floats]:
    """The shapes scaled about the middle of the plate, then moved."""
    return [shape * np.array(scale) + np.array(by) for shape in shapes]


def coverage(shapes: Sequence[Floats], size: int) -> Floats:
    """The share (size, size) of each pixel that the shapes cover together; the first row is at y = 1."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise MissingExtra("pillow", extra="scenes") from None
    fine = size * FINER
    sheet = Image.new("L", (fine, fine), 0)
    pen = ImageDraw.Draw(sheet)
    for shape in shapes:
        pixels = np.stack([shape[:, 0] + 1, 1 - shape[:, 1]], 1) * fine / 2 - 0.5
        pen.polygon([(float(x), float(y)) for x, y in pixels], fill=255)
    samples = np.asarray(sheet, float).reshape(size, FINER, size, FINER)
    return np.asarray(samples.mean(axis=(1, 3)) / 255)
