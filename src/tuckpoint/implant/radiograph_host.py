"""What a radiograph is like before a finding is projected onto it: blur, noise, how far the border of the lung is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage, special

from tuckpoint.errors import InputError
from tuckpoint.implant.surface_host import noise_length
from tuckpoint.implant.values import Array, Host

ASSUMED_MM = 0.2  # blur where no edge is sharp enough to tell: a modulation transfer of a half at 0.94 per mm
SHARPEST_PX, SOFTEST_PX = 0.3, 2.0  # a pixel averages over 0.29 of its side; what is softer is anatomy, no edge
REACH = 8  # px on either side of an edge that are looked at
MISFIT = 0.05  # share of the step by which an edge may differ from a blurred one, besides noise
CANDIDATES, LEAST_EDGES = 3000, 12
LOUD = 40.0  # an edge is this many times the noise
_DIFFERENCE = 1 / 3  # px^2, variance of the two pixels of a central difference
SMOOTH_PX, BLOCK, LEAST_BLOCKS = 1.5, 9, 12  # noise is what lies above a mean this wide, in blocks of pixels
BITS = (8, 10, 12, 14, 16)  # of detectors
LEAST_PIXELS = 400  # of lung
RING_MM = (5.0, 25.0)  # around the lung, where a chest holds more tissue than the lung does
_MODELS: WeakKeyDictionary[Host, Film] = WeakKeyDictionary()  # hosts never change: each is looked at once


@dataclass(frozen=True, eq=False)
class Film:
    """Blur (standard deviation, mm; row, column), whether it was assumed, noise in the lung (grey levels) and its
    correlation length (px); `wall_mm` (h, w) is the distance to the border of the lung mask, 0 outside.

    `step` is how much brighter the surroundings of the lung are (median, grey levels), 0 where there are none.
    """

    psf_mm: tuple[float, float]
    assumed: bool
    noise: float
    noise_length_px: float
    wall_mm: Array
    step: float

    def to_dict(self) -> dict[str, float]:
        """Plain values by name and axis."""
        y, x = self.psf_mm
        return {
            "psf_mm_y": y, "psf_mm_x": x, "psf_assumed": float(self.assumed), "noise": self.noise,
            "noise_length_px": self.noise_length_px,
        }  # fmt: skip


def radiograph_host(
    name: str,
    image: Array,
    spacing: tuple[float, ...],
    *,
    lung: Array,
    bits: int | None = None,
    avoid: Array | None = None,
    group: str = "",
    geometry: Mapping[str, Any] | None = None,
) -> Host:
    """A radiograph (row, column) as host: grey levels as MONOCHROME2 shows them, logarithmic in exposure, and its lung.

    `spacing` is the pixel in mm (row, column) in the plane of the patient. `bits` are those that are stored (default:
    8, 10, 12, 14 or 16, as the brightest pixel needs). Raises InputError for colour, other types, a lung
    mask that is empty or of another geometry.
    """
    if image.ndim != 2:
        told = f"{image.shape[-1]} channels" if image.ndim == 3 else f"{image.ndim} axes"
        alike = image.ndim == 3 and image.shape[-1] >= 3 and bool((image[..., :1] == image[..., :3]).all())
        hint = "its channels are alike: save it as grey" if alike else "a radiograph is grey: give the original"
        raise InputError(f"{name}: a colour picture or stack ({told}); {hint}")
    if not np.issubdtype(image.dtype, np.integer):
        raise InputError(f"{name}: values of type {image.dtype}; a radiograph is stored in 8 to 16 bits: convert it")
    if len(spacing) != 2 or not all(np.isfinite(s) and s > 0 for s in spacing):
        raise InputError(f"{name}: spacing {spacing} is not two lengths above 0 (row, column in mm)")
    region = np.asarray(lung, bool)
    if region.shape != image.shape:
        raise InputError(
            f"{name}: the lung mask has shape {region.shape}, the radiograph {image.shape}; it belongs to another film "
            "or was resampled: give one of the same geometry"
        )
    if not region.any():
        raise InputError(f"{name}: the lung mask is empty; mark the lung, or leave this film out")
    return Host(
        name=name, image=image, spacing=spacing, unit="mm", region=region, limits=_limits(name, image, bits),
        group=group or name, avoid=None if avoid is None else avoid.astype(bool), geometry=geometry or {},
    )  # fmt: skip


def _limits(name: str, image: Array, bits: int | None) -> tuple[float, float]:
    signed = np.issubdtype(image.dtype, np.signedinteger)
    if bits is None:
        needed = int(np.abs(image.astype(np.int64)).max()).bit_length() + signed
        bits = next((n for n in BITS if n >= needed), BITS[-1])
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if image.min() < low or image.max() > high:
        raise InputError(
            f"{name}: values {image.min()}..{image.max()}, more than {bits} bits hold; the header and pixels disagree: "
            "export the film again"
        )
    return float(low), float(high)


def film(host: Host) -> Film:
    """What the host is like; raises InputError for a lung that is too small to look at, or without any grain."""
    known = _MODELS.get(host)
    if known is None:
        known = _MODELS[host] = _estimated(host)
    return known


def _estimated(host: Host) -> Film:
    light = host.image.astype(np.float32)
    quiet = ndimage.binary_erosion(host.region, iterations=2)
    if quiet.sum() < LEAST_PIXELS:
        raise InputError(
            f"{host.name}: {int(quiet.sum())} pixels of lung, too few to see blur and noise in; give a larger film or "
            "the mask of the whole lung"
        )
    rest = light - ndimage.gaussian_filter(light, SMOOTH_PX, mode="nearest")
    noise, length = _noise(rest, quiet)
    psf = [_blur_mm(light, rest, axis, step, host.limits) for axis, step in enumerate(host.spacing)]
    known = [value for value in psf if value is not None]
    # An edge that faces one axis tells of the other too: film and focal spot blur alike in both.
    blur = [value if value is not None else float(np.mean(known)) if known else ASSUMED_MM for value in psf]
    wall = ndimage.distance_transform_edt(np.pad(host.region, 1), sampling=host.spacing)[1:-1, 1:-1]
    return Film(
        psf_mm=(max(blur[0], SHARPEST_PX * host.spacing[0]), max(blur[1], SHARPEST_PX * host.spacing[1])),
        assumed=not known,
        noise=max(noise, 0.3),  # whole numbers have a spread of their own
        noise_length_px=length,
        wall_mm=np.asarray(wall, np.float32),
        step=_step(host, light),
    )


def _noise(rest: Array, quiet: Array) -> tuple[float, float]:
    """Standard deviation and correlation length (px) of the noise in the calmer blocks of the lung.

    Blocks tell noise from vessels: a quarter of them is taken as free of these. What smoothing took off the noise is
    given back: white noise smoothed with s, less its mean over SMOOTH_PX, has the covariance of three Gaussians.
    """
    rows, columns = (n // BLOCK for n in rest.shape)

    def blocks(values: Array) -> Array:
        cut = values[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
        return np.asarray(cut.transpose(0, 2, 1, 3).reshape(rows, columns, -1))

    parts, whole = blocks(rest), blocks(quiet).all(axis=-1)
    spread = 1.4826 * np.median(np.abs(parts - np.median(parts, axis=-1, keepdims=True)), axis=-1)
    calm = quiet
    noise = 1.4826 * float(np.median(np.abs(rest[quiet] - np.median(rest[quiet]))))
    if whole.sum() >= LEAST_BLOCKS:
        noise = float(np.quantile(spread[whole], 0.25))
        calm = np.zeros_like(quiet)
        kept = whole & (spread <= noise)
        calm[: rows * BLOCK, : columns * BLOCK] = kept.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1)
    seen = noise_length(rest, calm)
    lengths = np.linspace(0.2, 2.5, 231)
    alike, left = (_covariance(lengths, lag) for lag in (1.0, 0.0))
    at = int(np.argmin(np.abs(alike / left - np.exp(-1 / (4 * seen**2)))))
    return noise / float(np.sqrt(left[at] * 4 * np.pi * lengths[at] ** 2)), float(lengths[at])


def _covariance(length: Array, lag: float) -> Array:
    """Covariance at a lag (px) of white noise smoothed with sigma `length`, less its mean over SMOOTH_PX."""
    spread = [(1.0, length**2), (-2.0, length**2 + SMOOTH_PX**2 / 2), (1.0, length**2 + SMOOTH_PX**2)]
    return np.asarray(sum(sign * np.exp(-(lag**2) / (4 * v)) / (4 * np.pi * v) for sign, v in spread))


def _blur_mm(light: Array, rest: Array, axis: int, step: float, limits: tuple[float, float]) -> float | None:
    """Sigma in mm along an axis from the sharpest clear edges that face it, or None where too few are steps.

    A blurred step of height h has the slope h / (sqrt(2 pi) sigma) in its middle, and the profile of the normal
    distribution. Ribs, heart and skin are round and have another one. Edges of what is cut off at a limit are sharper
    than the film and left out.
    """
    if min(light.shape) < 4 * REACH:
        return None
    slopes = np.gradient(light)
    slope = np.abs(slopes[axis])
    ridge = slope >= ndimage.maximum_filter1d(slope, 3, axis=axis)
    faces = ridge & (slope >= 0.9 * np.hypot(slopes[0], slopes[1]))
    facing = np.where(faces, slope, 0)[REACH:-REACH, REACH:-REACH]
    count = min(CANDIDATES, facing.size)
    order = np.argpartition(facing, -count, axis=None)[-count:]
    rows, columns = (part + REACH for part in np.unravel_index(order, facing.shape))
    steps = np.arange(-REACH, REACH + 1)
    along = (
        light[rows[:, None] + steps, columns[:, None]] if axis == 0 else light[rows[:, None], columns[:, None] + steps]
    )
    low, high = along[:, :3].mean(axis=1), along[:, -3:].mean(axis=1)
    height, peak = high - low, slope[rows, columns]
    noise = max(1.4826 * float(np.median(np.abs(rest))), 0.3)
    cut = (along <= limits[0]).any(axis=1) | (along >= limits[1]).any(axis=1)
    loud = (np.abs(height) > LOUD * noise) & (peak > 0) & ~cut
    along, low, height, peak = along[loud], low[loud], height[loud], peak[loud]
    share = (along - low[:, None]) / height[:, None]
    width = np.abs(height) / (np.sqrt(2 * np.pi) * peak)
    quantile = special.ndtri(np.clip(share[:, REACH], 0.05, 0.95))
    steepest, sigma = width, width
    for _ in range(3):
        sigma = np.sqrt(np.clip(steepest**2 - _DIFFERENCE, SHARPEST_PX**2, (2 * SOFTEST_PX) ** 2))
        middle = -sigma * quantile  # px from here to the middle of the step, which is steeper than the pixel here
        steepest = width * np.exp(-0.5 * (middle / steepest) ** 2)
    apart = np.abs(share - special.ndtr((steps - middle[:, None]) / sigma[:, None]))
    clear = (apart.max(axis=1) <= MISFIT + 3 * noise / np.abs(height)) & (sigma < SOFTEST_PX)
    sharpest = np.sort(sigma[clear])[:LEAST_EDGES]
    return step * float(np.median(sharpest)) if len(sharpest) == LEAST_EDGES else None


def _step(host: Host, light: Array) -> float:
    """How much brighter the ring around the lung is, without what is cut off at a limit (shutters, padding)."""
    beyond = ndimage.distance_transform_edt(~host.region, sampling=host.spacing)
    kept = (light > host.limits[0]) & (light < host.limits[1])
    ring = (beyond >= RING_MM[0]) & (beyond <= RING_MM[1]) & kept
    if ring.sum() < LEAST_PIXELS:
        return 0.0
    return float(np.median(light[ring]) - np.median(light[host.region]))
