"""The outline of a mask as one polygon, along the edges of its pixels; holes and pieces are joined by seams."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

INSET = 0.05  # pixels: who cuts decimals off and fills the border too, as Ultralytics does, gets the same pixels
_STEPS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # right, down, left, up: the inside lies to the right of the way


def outline(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The corners (n, 2) of one polygon around a mask (h, w), in pixels, x right, y down; (0, 2) for an empty mask.

    It runs `INSET` inside the edges of the pixels, and filled by the even-odd rule it gives the mask back. Pieces and
    holes are joined where they are nearest, by seams that are walked there and back and so hold no area.
    """
    rings = _rings(mask)
    if not rings:
        return np.zeros((0, 2))
    whole, rest = rings[0], rings[1:]
    near = [_nearest(whole, ring) for ring in rest]
    while rest:
        pick = min(range(len(rest)), key=lambda n: near[n][0])
        ring, (_, at, own) = rest.pop(pick), near.pop(pick)
        place = int(np.flatnonzero((whole == at).all(axis=1))[0])
        start = int(np.flatnonzero((ring == own).all(axis=1))[0])
        whole = np.concatenate([whole[: place + 1], ring[start:], ring[: start + 1], whole[place:]])
        near = [min(old, _nearest(ring, other), key=lambda n: n[0]) for old, other in zip(near, rest, strict=True)]
    return whole


def _nearest(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """The squared distance between two rings, and the corner of each where it is."""
    apart = ((one[:, None] - other[None]) ** 2).sum(axis=-1)  # (n, m)
    a, b = np.unravel_index(int(apart.argmin()), apart.shape)
    return float(apart[a, b]), one[a], other[b]


def _rings(mask: NDArray[np.bool_]) -> list[NDArray[np.float64]]:
    """Closed ways around all pieces and holes, corners only (n, 2); pixels that touch at a corner are two."""
    wide = np.pad(mask, 1)
    here = wide[1:-1, 1:-1]
    beside = (wide[:-2, 1:-1], wide[1:-1, 2:], wide[2:, 1:-1], wide[1:-1, :-2])  # above, right, below, left
    moved = ((0, 0), (1, 0), (1, 1), (0, 1))  # from a pixel's place to where its side begins
    left: set[tuple[int, int, int]] = set()
    for way, (other, (right, down)) in enumerate(zip(beside, moved, strict=True)):
        rows, columns = np.nonzero(here & ~other)
        left |= {(x, y, way) for x, y in zip((columns + right).tolist(), (rows + down).tolist(), strict=True)}
    rings = []
    for first in sorted(left, key=lambda side: (side[1], side[0], side[2])):
        if first not in left:
            continue
        corners, (x, y, way) = [], first
        while (x, y, way) in left:
            left.remove((x, y, way))
            x, y = x + _STEPS[way][0], y + _STEPS[way][1]
            after = next((turn for turn in ((way + 1) % 4, way, (way + 3) % 4) if (x, y, turn) in left), first[2])
            if after != way:
                inwards = np.add(_STEPS[(way + 1) % 4], _STEPS[(after + 1) % 4])
                corners.append((x + INSET * inwards[0], y + INSET * inwards[1]))
            way = after
        rings.append(np.array(corners, float))
    return rings
