"""Where a nodule may stand: in the lung, free of vessels and walls or attached to them, with the distances recorded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tuckpoint.implant.lung import AERATED
from tuckpoint.implant.values import Array, Host

REACH_MM = 16.0  # distances are measured up to here, and reported as this beyond
NEAR_MM = 4.0  # a place that fits is sought this near to the target
TARGETS = 12  # targets tried before any lung voxel is taken
AROUND_MM = 8.0  # complexity is counted this far around


@dataclass(frozen=True)
class Place:
    """A place (voxels) and the distances there; `fallback` if no place near any target kept the rule."""

    position: tuple[int, ...]
    vessel_mm: float
    wall_mm: float
    edge_mm: float
    complexity: float
    fallback: bool


@dataclass(frozen=True)
class Surroundings:
    """A crop around a target: distances (mm) to vessel, to wall, to either; `free` may hold a finding."""

    corner: tuple[int, ...]
    vessel: Array
    wall: Array
    tissue: Array
    inside: Array
    free: Array


def surroundings(host: Host, around: tuple[int, ...]) -> Surroundings:
    """What stands within REACH_MM of a voxel."""
    half = [int(np.ceil(REACH_MM / s)) for s in host.spacing]
    where = tuple(slice(max(c - h, 0), c + h + 1) for c, h in zip(around, half, strict=True))
    inside = host.region[where]
    soft = inside & (host.image[where] > AERATED)
    vessel, wall = _distance(~soft, host.spacing), _distance(inside, host.spacing)
    free = inside & ~soft
    if host.avoid is not None:
        free &= ~host.avoid[where]
    if host.centres is not None:
        free &= host.centres[where]
    return Surroundings(tuple(s.start for s in where), vessel, wall, np.minimum(vessel, wall), inside, free)


def _distance(mask: Array, spacing: tuple[float, ...]) -> Array:
    if mask.all():
        return np.full(mask.shape, REACH_MM, np.float32)
    return np.asarray(np.minimum(ndimage.distance_transform_edt(mask, sampling=spacing), REACH_MM), np.float32)


def find_place(
    host: Host,
    candidates: Array,
    rng: np.random.Generator,
    *,
    radius_mm: float,
    attached: bool,
    taken: list[tuple[tuple[int, ...], float]],
    margin_mm: float,
) -> Place | None:
    """A voxel that keeps the rule: free, at least .9 radii from tissue; attached, .3 radii to a radius and .5 mm.

    `candidates` are flat indices of voxels that may be targets. Findings in `taken` (position, radius), existing ones
    and the border of the image are kept clear of. None if even the fallback, any lung voxel, finds nothing.
    """
    spare: Place | None = None
    for _ in range(TARGETS):
        target = tuple(int(i) for i in np.unravel_index(candidates[rng.integers(len(candidates))], host.shape))
        near = surroundings(host, target)
        grid = [(np.arange(n) + c) for n, c in zip(near.free.shape, near.corner, strict=True)]
        may = near.free & _clear(host, grid, radius_mm, taken, margin_mm)
        gap = _squared(grid, target, host.spacing)
        may &= gap <= NEAR_MM**2
        d = near.tissue
        rule = (d >= 0.3 * radius_mm) & (d <= radius_mm + 0.5) if attached else d >= 0.9 * radius_mm
        for fits, fallback in ((may & rule, False), (may, True)):
            if not fits.any() or (fallback and spare is not None):
                continue
            at = np.unravel_index(int(np.argmin(np.where(fits, gap, np.inf))), gap.shape)
            place = _place(host, near, tuple(int(i) for i in at), radius_mm, fallback)
            if not fallback:
                return place
            spare = place
    return spare


def _squared(grid: list[Array], point: tuple[int, ...], spacing: tuple[float, ...]) -> Array:
    z, y, x = ((g - p) * s for g, p, s in zip(grid, point, spacing, strict=True))
    return np.asarray((z**2)[:, None, None] + (y**2)[:, None] + x**2)


def _clear(
    host: Host, grid: list[Array], radius_mm: float, taken: list[tuple[tuple[int, ...], float]], margin_mm: float
) -> Array:
    """Voxels whose finding keeps off the image border, existing findings and those placed before."""
    keep = [
        ((g * s >= margin_mm) & ((n - 1 - g) * s >= margin_mm))
        for g, s, n in zip(grid, host.spacing, host.shape, strict=True)
    ]
    clear = keep[0][:, None, None] & keep[1][:, None] & keep[2]
    for point, radius in taken:
        clear &= _squared(grid, point, host.spacing) >= (radius + radius_mm + 4.0) ** 2
    if host.avoid is not None:
        where = tuple(slice(int(g[0]), int(g[-1]) + 1) for g in grid)
        if host.avoid[where].any():
            clear &= _distance(~host.avoid[where], host.spacing) > radius_mm + 2.0
    return np.asarray(clear)


def _place(host: Host, near: Surroundings, at: tuple[int, ...], radius_mm: float, fallback: bool) -> Place:
    position = tuple(a + c for a, c in zip(at, near.corner, strict=True))
    grid = [np.arange(n) for n in near.free.shape]
    apart = _squared(grid, at, host.spacing)
    shell = near.inside & (apart > radius_mm**2) & (apart <= (radius_mm + AROUND_MM) ** 2)
    vessels = (near.vessel <= 0) & shell
    edge = min(min(p, n - 1 - p) * s for p, n, s in zip(position, host.shape, host.spacing, strict=True))
    return Place(
        position=position,
        vessel_mm=float(near.vessel[at]),
        wall_mm=float(near.wall[at]),
        edge_mm=float(edge),
        complexity=float(vessels.sum() / max(shell.sum(), 1)),
        fallback=fallback,
    )
