"""The shape of a nodule: a rotated ellipsoid with lobes and spicules, as the share of each voxel that it fills.

The shape is star-shaped, so one field tells all its sizes: the gauge, the scale at which it just reaches a point. The
size is then chosen by rank, and the mask holds what was asked to half a voxel, whatever lobes and spicules add.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tuckpoint.implant.values import Array

FINEST_MM, FINEST = 0.4, 1 / 20  # edge of a sub-voxel: in mm, or as a share of the diameter
CHUNK = 8192  # points looked at together
SUB_VOXELS = 4_000_000  # at most, in one shape
DIRECTIONS = 300  # in which the radius is looked at
LEAST, MOST = 0.45, 1.8  # bounds of the radius in one direction, in mean radii


@dataclass(frozen=True)
class Outline:
    """A shape of unit size: `axes` relative half-axes of unit product, `turn` a rotation matrix, lobes and spicules.

    Lobes raise the radius by `heights` around unit vectors `lobes` with concentration `spreads` (von Mises-Fisher);
    spicules are cones of length `lengths` and half-width `widths` at the base along unit vectors `spicules`, all in
    units of the mean radius.
    """

    axes: Array  # (3,)
    turn: Array  # (3, 3)
    lobes: Array  # (k, 3)
    heights: Array  # (k,)
    spreads: Array  # (k,)
    spicules: Array  # (m, 3)
    lengths: Array  # (m,)
    widths: Array  # (m,)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` gives the same outline."""
        return {name: np.round(value, 5).tolist() for name, value in vars(self).items()}

    @classmethod
    def from_dict(cls, data: Any) -> Outline:
        """The outline that `to_dict` told."""
        vectors = {"lobes", "spicules"}
        return cls(
            **{k: np.asarray(v, float).reshape((-1, 3) if k in vectors else np.shape(v)) for k, v in data.items()}
        )


@dataclass(frozen=True)
class Filled:
    """A shape on a host's voxels: `occupancy` and `core` (float32, 0..1) and `mask` (bool), from voxel `corner`."""

    occupancy: Array
    core: Array
    mask: Array
    corner: tuple[int, ...]


def directions(count: int, rng: np.random.Generator) -> Array:
    """(count, 3) uniform unit vectors."""
    found = rng.standard_normal((count, 3))
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12))


def rotation(rng: np.random.Generator) -> Array:
    """(3, 3) uniform rotation (Stewart 1980: QR of a Gaussian matrix, signs made unique)."""
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] = -q[:, 0]
    return np.asarray(q)


def gauge(points: Array, outline: Outline) -> Array:
    """The scale at which the outline reaches each point: (n, 3) lengths -> (n,), homogeneous of degree 1."""
    x = points.astype(np.float32)
    y = (x @ outline.turn.astype(np.float32)) / outline.axes.astype(np.float32)
    far = np.sqrt(np.einsum("ij,ij->i", y, y))
    radius = np.ones(len(x), np.float32)
    if len(outline.lobes):
        spreads = outline.spreads.astype(np.float32)
        nearness = (y / np.maximum(far, np.float32(1e-6))[:, None]) @ outline.lobes.T.astype(
            np.float32
        )  # cosines (n, k)
        radius += np.exp(spreads * (nearness - np.float32(1))) @ outline.heights.astype(np.float32)
    found = far / np.clip(radius, LEAST, MOST)
    if len(outline.spicules):
        along = x @ outline.spicules.T.astype(np.float32)  # (n, m)
        aside = np.sqrt(np.maximum(np.einsum("ij,ij->i", x, x)[:, None] - along * along, 0))
        cones = aside / outline.widths.astype(np.float32) + along / outline.lengths.astype(np.float32)
        found = np.minimum(found, np.where(along > 0, cones, np.inf).min(axis=1))
    return np.asarray(found, np.float32)


def farthest(outline: Outline) -> float:
    """The largest radius in units of that of a ball of the same volume, with a little to spare."""
    index = np.arange(DIRECTIONS) + 0.5  # evenly spread over the sphere (Fibonacci lattice)
    z, turn = 1 - 2 * index / DIRECTIONS, np.pi * (1 + 5**0.5) * index
    flat = np.sqrt(1 - z * z)
    radius = 1 / gauge(np.stack([z, flat * np.cos(turn), flat * np.sin(turn)], axis=1), outline)
    longest = max(float(radius.max()), float(outline.lengths.max(initial=0.0)))
    return 1.08 * longest / float(np.cbrt(np.mean(radius.astype(float) ** 3)))


def fill(
    outline: Outline, position: tuple[float, ...], spacing: tuple[float, ...], *, diameter: float, core: float = 0.0
) -> Filled:
    """The outline at `position` (voxels of the host), of the volume of a ball of `diameter` (in units of `spacing`).

    Voxels are cut into sub-voxels of about FINEST_MM (large shapes: FINEST), so that occupancy holds the partial
    volume. `core` is the size of an inner shape relative to the outer one.
    """
    step = np.asarray(spacing, float)
    longest = farthest(outline)
    reach = 0.5 * diameter * longest + step
    cuts = np.clip(np.ceil(step / max(FINEST_MM, FINEST * diameter)).astype(int), 1, 8)
    low = np.floor(np.asarray(position) - reach / step).astype(int)
    shape = np.ceil(np.asarray(position) + reach / step).astype(int) - low + 1
    while np.prod(shape * cuts, dtype=float) > SUB_VOXELS and cuts.max() > 1:
        cuts[int(np.argmax(cuts))] -= 1
    sides = [
        ((np.arange(n * c) + 0.5) / c - 0.5 + a - p) * s
        for n, c, a, p, s in zip(shape, cuts, low, position, step, strict=True)
    ]
    points = np.stack(np.meshgrid(*(side.astype(np.float32) for side in sides), indexing="ij"), axis=-1).reshape(-1, 3)
    within = np.flatnonzero(np.einsum("ij,ij->i", points, points) <= (0.5 * diameter * longest) ** 2)
    gauges = np.full(len(points), np.inf, np.float32)
    for start in range(0, len(within), CHUNK):  # small enough to stay in the cache
        some = within[start : start + CHUNK]
        gauges[some] = gauge(points[some], outline)
    field = gauges.reshape(shape[0], cuts[0], shape[1], cuts[1], shape[2], cuts[2])
    field = field.transpose(0, 2, 4, 1, 3, 5).reshape(*shape, -1)  # (z, y, x, sub-voxels)
    half = (field.shape[-1] + 1) // 2
    reached = np.partition(field, half - 1, axis=-1)[..., half - 1]  # scale at which a voxel is half full
    wanted = max(1, round(np.pi / 6 * diameter**3 / float(np.prod(step))))
    ranked = np.partition(reached, wanted - 1, axis=None)[:wanted]
    scale = float(ranked.max())
    occupancy = (field <= scale).mean(axis=-1, dtype=np.float32)
    inner = (field <= scale * core).mean(axis=-1, dtype=np.float32) if core > 0 else np.zeros_like(occupancy)
    return Filled(occupancy, inner, reached <= scale, tuple(int(a) for a in low))
