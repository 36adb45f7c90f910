"""How a finding is laid into a host: soft edges, merging with what it touches, and the host's own noise kept.

Three mistakes are avoided. A mask cut from the blurred alpha shrinks small findings: the mask is taken before the blur.
Noise of host and finding mixed by alpha is too quiet at the rim: the host keeps its own noise, and the finding replaces
only what lies beneath it. The larger of two noisy values is too bright: the larger is taken of values without noise.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from tuckpoint.implant.values import Array

FAINTEST = 1 / 256  # alpha below this is 0, and the voxel stays as it is


def quiet(image: Array, noise: float, spacing: tuple[float, ...], *, sigma: float = 1.0) -> Array:
    """The image without its noise: small deviations from the local mean are taken off, large ones are structure.

    A deviation weighs exp(-(d / 3.5 noise)^4), so that edges of vessels and walls stay as sharp as they are.
    """
    values = image.astype(np.float32)
    deviation = values - ndimage.gaussian_filter(values, [sigma / s for s in spacing], mode="nearest")
    return np.asarray(values - deviation * np.exp(-((deviation / (3.5 * max(noise, 1.0))) ** 4)), np.float32)


def soften(occupancy: Array, sigmas: tuple[float, ...]) -> Array:
    """Occupancy blurred with the point spread (sigmas in voxels): alpha, 0 where it would hardly be seen."""
    alpha = ndimage.gaussian_filter(occupancy, sigmas, mode="constant", truncate=4.0)
    return np.where(alpha < FAINTEST, 0, np.minimum(alpha, 1)).astype(np.float32)


def point_spread(psf_mm: tuple[float, ...], spacing: tuple[float, ...], factor: float) -> tuple[float, ...]:
    """Sigmas in voxels that, with the averaging over voxels that occupancy already holds, give the point spread."""
    return tuple(
        float(np.sqrt(max((factor * p) ** 2 - s**2 / 12, 0.0)) / s) for p, s in zip(psf_mm, spacing, strict=True)
    )


def field(shape: tuple[int, ...], sigmas: tuple[float, ...], rng: np.random.Generator) -> Array:
    """A Gaussian random field of unit variance, white noise smoothed with these sigmas (voxels)."""
    found = ndimage.gaussian_filter(rng.standard_normal(shape).astype(np.float32), sigmas, mode="wrap")
    return np.asarray(found / max(float(found.std()), 1e-6), np.float32)


def change(beneath: Array, template: Array, *, merge_above: float) -> Array:
    """What the finding adds to the quiet host beneath: where the host is above `merge_above` it never gets darker.

    With `merge_above` at minus infinity the finding fuses with all that is brighter than it.
    """
    difference = template - beneath
    return np.where(beneath > merge_above, np.maximum(difference, 0), difference).astype(np.float32)


def lay(host: Array, added: Array, limits: tuple[float, float]) -> Array:
    """The host with `added`, within limits, in whole numbers where it has them; bit-equal where nothing is added."""
    kind = host.dtype
    low, high = limits
    if np.issubdtype(kind, np.integer):
        info = np.iinfo(kind)
        low, high = max(low, info.min), min(high, info.max)
    new = np.clip(host.astype(np.float32) + added, low, high)
    new = np.round(new) if np.issubdtype(kind, np.integer) else new
    return np.where(added != 0, new.astype(kind), host)
