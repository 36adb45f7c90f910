"""The shadow of a nodule: how thick it is along the beam, in millimetres, at each pixel of a film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.implant.shape import CHUNK, Outline, farthest, gauge
from tuckpoint.implant.values import Array

RAYS, COARSE = 48, 100  # across the diameter at least; with fewer pixels than COARSE, two rays or more for each
DEPTHS = 40  # samples along a ray, over the whole reach
FAR = 1e6  # a gauge that is never reached
ROUNDS = 3  # of finding the scale; volume grows with its third power, so that each round hits closer


@dataclass(frozen=True)
class Projected:
    """A shape on a film: `thickness` along the beam (mm, mean over the pixel), that of its `core`, and `mask`.

    `mask` (bool) are pixels at least half covered by the shadow. All are crops from pixel `corner`.
    """

    thickness: Array
    core: Array
    mask: Array
    corner: tuple[int, ...]


def project(
    outline: Outline, position: tuple[float, ...], spacing: tuple[float, ...], *, diameter: float, core: float = 0.0
) -> Projected:
    """The outline at `position` (row, column), of the volume of a ball of `diameter` (mm), seen along its first axis.

    `spacing` is that of the film in mm (row, column). Rays are parallel and a few for each pixel. Along a ray the gauge
    is sampled and taken as straight between samples; the scale is the one at which the thickness map holds the volume.
    `core` is the size of an inner shape relative to the outer one.
    """
    step = np.asarray(spacing, float)
    reach = 0.5 * diameter * farthest(outline)
    cuts = np.clip(np.ceil(step * RAYS / diameter), np.where(diameter < COARSE * step, 2, 1), 8).astype(int)
    low = np.floor(np.asarray(position) - reach / step - 1).astype(int)
    shape = np.ceil(np.asarray(position) + reach / step + 1).astype(int) - low + 1
    y, x = (
        ((np.arange(n * c) + 0.5) / c - 0.5 + a - p) * s
        for n, c, a, p, s in zip(shape, cuts, low, position, step, strict=True)
    )
    z = np.linspace(-reach, reach, DEPTHS)
    field = _gauges(outline, z, y, x, reach)  # (rays, depths)
    rays = float(np.prod(step / cuts))
    wanted, scale = np.pi / 6 * diameter**3, 0.5 * diameter
    thick = np.zeros(len(field))
    for _ in range(ROUNDS):
        thick = _within(field, scale) * (z[1] - z[0])
        scale *= (wanted / max(float(thick.sum()) * rays, 1e-12)) ** (1 / 3)
    inner = _within(field, scale * core) * (z[1] - z[0]) if core > 0 else np.zeros_like(thick)

    def pixels(values: Array) -> Array:
        return np.asarray(values.reshape(shape[0], cuts[0], shape[1], cuts[1]).mean(axis=(1, 3)))

    return Projected(
        pixels(thick).astype(np.float32), pixels(inner).astype(np.float32), pixels((thick > 0).astype(float)) >= 0.5,
        tuple(int(a) for a in low),
    )  # fmt: skip


def _gauges(outline: Outline, z: Array, y: Array, x: Array, reach: float) -> Array:
    """(rays, depths): the gauge at each sample; rays run over y, then x."""
    sides = [side.astype(np.float32) for side in (z, y, x)]
    far = (sides[1] ** 2)[:, None, None] + (sides[2] ** 2)[:, None] + sides[0] ** 2  # (y, x, z)
    within = np.nonzero(far <= reach**2)
    points = np.stack([sides[0][within[2]], sides[1][within[0]], sides[2][within[1]]], axis=1)
    gauges = [gauge(points[start : start + CHUNK], outline) for start in range(0, len(points), CHUNK)]
    found = np.full(far.shape, FAR, np.float32)
    found[within] = np.concatenate(gauges)
    return found.reshape(-1, len(z))


def _within(field: Array, scale: float) -> Array:
    """(rays,): how many depth steps lie within the scale, the gauge being straight from one sample to the next."""
    hit = np.flatnonzero(field.min(axis=1) < scale)
    before, after = field[hit, :-1], field[hit, 1:]
    lower = np.minimum(before, after)
    share = (np.float32(scale) - lower) / np.maximum(np.abs(after - before), np.float32(1e-6))
    found = np.zeros(len(field))
    found[hit] = np.clip(share, 0, 1).sum(axis=1, dtype=float)
    return found
