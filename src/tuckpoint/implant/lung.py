"""Where lung is in a CT: air inside the body, with its vessels; found in whole volumes and in patches."""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant.scan import check_hounsfield
from tuckpoint.implant.values import Array

AERATED = -500.0  # HU; below is aerated lung or air
COARSE_MM = 2.0  # whole volumes are segmented on about this grid
PATCH_MM = 120.0  # what is smaller on two axes is a patch: it may show lung and nothing else
CLOSING_MM = 3.0  # vessels up to twice as wide belong to the lung
LEAST_SHARE, LEAST_ML, MOST_ML = 0.01, 200.0, 9000.0
EDGE_ML = 40.0  # a second lung, or a lobe of its own, is at least this large


def lung_region(name: str, image: Array, spacing: tuple[float, ...]) -> Array:
    """(z, y, x) bool: the lungs with their vessels.

    Raises InputError for an image that is not in HU, or that shows no lung.
    """
    check_hounsfield(name, image)
    extent = [n * s for n, s in zip(image.shape, spacing, strict=True)]
    if sorted(extent)[1] < PATCH_MM:
        region = _closed(image < AERATED, spacing)
        if region.mean() < LEAST_SHARE:
            raise InputError(f"{name}: no lung in the patch: {region.mean():.1%} of voxels below {AERATED:g} HU")
        return region
    return _volume(name, image, spacing)


def _volume(name: str, image: Array, spacing: tuple[float, ...]) -> Array:
    strides = [max(1, round(COARSE_MM / s)) for s in spacing]
    coarse = image[tuple(slice(None, None, k) for k in strides)]
    steps = tuple(s * k for s, k in zip(spacing, strides, strict=True))
    voxel_ml = float(np.prod(steps)) / 1000
    air = (coarse < AERATED) & (coarse > -1010)  # padding of scanners is below
    labels, count = ndimage.label(air)
    if not count:
        raise InputError(_none(name, 0.0))
    outside = _touching_sides(labels)
    sizes = np.bincount(labels.ravel(), minlength=count + 1) * voxel_ml
    inner = [k for k in range(1, count + 1) if sizes[k] >= EDGE_ML and k not in outside]
    means = ndimage.mean(coarse, labels, inner) if inner else []
    lungs = [k for k, mean in zip(inner, np.atleast_1d(means), strict=True) if mean < -600]  # bowel gas stays small
    found = np.isin(labels, sorted(lungs, key=lambda k: -sizes[k])[:2])
    volume = float(found.sum()) * voxel_ml
    if not LEAST_ML <= volume <= MOST_ML:
        raise InputError(_none(name, volume))
    found = _closed(found, steps) & ~_airway(coarse, found)
    region = found
    for axis, (k, n) in enumerate(zip(strides, image.shape, strict=True)):
        region = np.repeat(region, k, axis=axis)[tuple(slice(0, n) if a == axis else slice(None) for a in range(3))]
    return region


def _airway(coarse: Array, lung: Array) -> Array:
    """Windpipe and main bronchi: almost pure air, without the parenchyma around it."""
    air = ndimage.binary_opening(lung & (coarse < -970))
    return np.asarray(ndimage.binary_dilation(air)) & lung


def _touching_sides(labels: Array) -> set[int]:
    """Labels that reach the first or last row or column of a slice: the room around the body."""
    sides = [labels[:, 0], labels[:, -1], labels[:, :, 0], labels[:, :, -1]]
    return set(np.unique(np.concatenate([side.ravel() for side in sides])).tolist()) - {0}


def _closed(mask: Array, spacing: tuple[float, ...]) -> Array:
    """Closing by a ball of CLOSING_MM, in mm, so that anisotropic voxels keep the ball round.

    The image is continued beyond its border by mirroring; else closing would eat from the border.
    """
    width = [(int(np.ceil(CLOSING_MM / s)) + 1,) * 2 for s in spacing]
    grown = _grown(np.pad(mask, width, mode="symmetric"), spacing)
    closed = ~_grown(~grown, spacing)
    inner = tuple(slice(a, a + n) for (a, _), n in zip(width, mask.shape, strict=True))
    return np.asarray(closed[inner] | mask)


def _grown(mask: Array, spacing: tuple[float, ...]) -> Array:
    """All that lies within CLOSING_MM of the mask, no farther along an axis than whole steps reach.

    First runs along the last axis, once for each length; then these, moved along the other two: bits, not distances.
    """
    far = [[np.float32((k * step) ** 2) for k in range(int(CLOSING_MM / step) + 1)] for step in spacing]
    most = np.float32(CLOSING_MM**2 + 1e-4)
    runs = [mask]
    for k in range(1, len(far[2])):
        runs.append(runs[-1].copy())
        _join(runs[-1], mask, (0, 0, k))
    grown = np.zeros_like(mask)
    for j, across in enumerate(far[1]):
        for i, up in enumerate(far[0]):
            reach = sum(up + across + along <= most for along in far[2]) - 1
            if reach >= 0:
                _join(grown, runs[reach], (i, j, 0))
    return grown


def _join(to: Array, mask: Array, step: tuple[int, int, int]) -> None:
    """Add a mask, moved by plus and minus so many voxels along each axis, to another, in place."""
    for signs in {tuple(s * k for s, k in zip(sign, step, strict=True)) for sign in product((-1, 1), repeat=3)}:
        here, there = (
            tuple(slice(max(k, 0), max(n + min(k, 0), 0)) for k, n in zip(way, mask.shape, strict=True))
            for way in (signs, tuple(-k for k in signs))
        )
        to[here] |= mask[there]


def _none(name: str, volume_ml: float) -> str:
    return (
        f"{name}: no lung in the scan: {volume_ml:.0f} ml of air inside the body, expected {LEAST_ML:g}..{MOST_ML:g}; "
        "pass a chest CT in HU, or the lung mask with it"
    )
