"""What a nodule looks like in figures: full width at half maximum, sharpness of its edge, contrast.

The eye misjudges these. Measured on a window around the nodule, real or made, in the same way and without a mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant.values import Array, equal_diameter
from tuckpoint.seed import Seed

WINDOW_MM = 20.0  # edge of the windows that are compared
SMOOTH_MM = 0.6
MIDDLE_MM = 8.0  # the brightest voxel is sought in a cube of this edge
LEAST_NODULES = 10  # medians of fewer say little
REPLICATES = 400


@dataclass(frozen=True)
class Described:
    """Full width at half maximum (mm), slope of the edge (share of contrast per mm), contrast to its ground, HU."""

    fwhm_mm: float
    slope_per_mm: float
    contrast_hu: float


def describe(window: Array, spacing: tuple[float, ...]) -> Described | None:
    """The descriptors of the nodule in the middle of a window (z, y, x) in HU; None if it reaches the window's border.

    The background is the 25th percentile of the window; the nodule is what hangs together with its brightest voxel
    above the level halfway between them. The slope is the mean gradient on its inner boundary.
    """
    values = ndimage.gaussian_filter(window.astype(np.float32), [SMOOTH_MM / s for s in spacing], mode="nearest")
    half = [max(1, round(MIDDLE_MM / 2 / s)) for s in spacing]
    middle = tuple(slice(n // 2 - h, n // 2 + h) for n, h in zip(values.shape, half, strict=True))
    at = np.unravel_index(int(np.argmax(values[middle])), values[middle].shape)
    peak_at = tuple(int(a) + s.start for a, s in zip(at, middle, strict=True))
    peak, ground = float(values[peak_at]), float(np.quantile(values, 0.25))
    contrast = peak - ground
    if contrast <= 0:
        return None
    labels, _ = ndimage.label(values >= ground + contrast / 2)
    body = labels == labels[peak_at]
    border = np.ones(body.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    if (body & border).any():
        return None
    rim = body & ~ndimage.binary_erosion(body)
    slopes = np.gradient(values, *spacing)
    steep = np.sqrt(sum(s * s for s in slopes))[rim].mean()
    width = equal_diameter(float(body.sum() * np.prod(spacing)), 3)
    return Described(width, float(steep / contrast), contrast)


def medians(windows: Iterable[tuple[Array, tuple[float, ...]]], *, least: int = LEAST_NODULES) -> Described:
    """The three medians over windows, each with its spacing; raises InputError for fewer than `least` to measure."""
    found, _ = measured(windows, None, least=least)
    return Described(*(float(v) for v in np.median(found, axis=0)))


def measured(
    windows: Iterable[tuple[Array, tuple[float, ...]]], groups: Sequence[str] | None, *, least: int = LEAST_NODULES
) -> tuple[Array, list[str]]:
    """(n, 3) descriptors of the windows that can be measured, and whose they are; raises InputError as `medians`."""
    found, whose = [], []
    for number, (window, spacing) in enumerate(windows):
        one = describe(window, spacing)
        if one is not None:
            found.append([one.fwhm_mm, one.slope_per_mm, one.contrast_hu])
            whose.append("" if groups is None else groups[number])
    if len(found) < least:
        raise InputError(
            f"{len(found)} nodules can be measured (they must lie in the middle of their window and not reach its "
            f"border); give {least} or more"
        )
    return np.array(found), whose


@dataclass(frozen=True)
class Compared:
    """One median of made and of real nodules; `off` is their ratio less 1, between `low` and `high` with 95 %."""

    name: str
    made: float
    real: float
    off: float
    low: float
    high: float


def compared(made: tuple[Array, list[str]], real: tuple[Array, list[str]], seed: Seed) -> tuple[Compared, ...]:
    """The three medians of both, with percentile intervals of their ratios over patients drawn anew on both sides."""
    rng = seed.numpy()
    middles = [np.median(side[0], axis=0) for side in (made, real)]
    sides = [(values, np.unique(groups, return_inverse=True)[1]) for values, groups in (made, real)]
    drawn = np.array([np.divide(*(_redrawn(*side, rng) for side in sides)) for _ in range(REPLICATES)])  # (n, 3)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0) - 1
    names = tuple(Described.__dataclass_fields__)
    return tuple(
        Compared(name, float(m), float(r), float(m / r - 1), float(a), float(b))
        for name, m, r, a, b in zip(names, *middles, low, high, strict=True)
    )


def _redrawn(values: Array, owner: Array, rng: np.random.Generator) -> Array:
    """The medians over as many groups, drawn with replacement; `owner` numbers them."""
    counts = np.bincount(rng.integers(owner.max() + 1, size=owner.max() + 1), minlength=owner.max() + 1)
    return np.asarray(np.median(np.repeat(values, counts[owner], axis=0), axis=0))


def halves(spacing: tuple[float, ...]) -> tuple[int, ...]:
    """Half the edge of a window of WINDOW_MM, in voxels."""
    return tuple(max(2, round(WINDOW_MM / 2 / s)) for s in spacing)


def window_at(image: Array, position: tuple[float, ...], half: tuple[int, ...], *, inward: bool = False) -> Array:
    """The window of 2 half voxels along each axis around a position.

    Where the image ends its border is repeated; or, with `inward`, the window is moved into the image.
    """
    low = [int(np.floor(p + 0.5)) - h for p, h in zip(position, half, strict=True)]
    shape = image.shape[: len(low)]  # channels are left alone
    if inward:
        low = [min(max(a, 0), max(n - 2 * h, 0)) for a, h, n in zip(low, half, shape, strict=True)]
    sides = [np.clip(np.arange(a, a + 2 * h), 0, n - 1) for a, h, n in zip(low, half, shape, strict=True)]
    return np.asarray(image[np.ix_(*sides)])
