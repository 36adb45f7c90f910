"""What a CT host is like: point spread, noise and its correlation, along each axis in mm; and what is no CT."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from weakref import WeakKeyDictionary

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant.values import Array, Host

LIMITS = (-1024.0, 3071.0)  # 12 bits of Hounsfield units
AIR, TISSUE, PARENCHYMA = -900.0, 50.0, -700.0  # HU
_MODELS: WeakKeyDictionary[Host, ScanModel] = WeakKeyDictionary()  # hosts never change: each is looked at once
CUBE_MM, CUBES = 50.0, 8  # a large scan is looked at in cubes around places in the organ
FLATTEST = 120.0  # HU per mm; flatter slopes are no edge
SHARPEST_MM, SOFTEST_MM, DEFAULT_MM = 0.45, 1.4, 0.8


@dataclass(frozen=True)
class ScanModel:
    """Point spread (standard deviation, mm), noise (standard deviation, HU) and its correlation length (sigma, mm).

    The correlation length is that of white noise smoothed with a Gaussian; all per axis z, y, x.
    """

    psf_mm: tuple[float, ...]
    noise_hu: float
    correlation_mm: tuple[float, ...]

    def to_dict(self) -> dict[str, float]:
        """Plain values by name and axis."""
        told = {"noise_hu": self.noise_hu}
        for name in ("psf_mm", "correlation_mm"):
            told |= {f"{name}_{axis}": value for axis, value in zip("zyx", asdict(self)[name], strict=True)}
        return told

    @classmethod
    def from_dict(cls, told: dict[str, float]) -> ScanModel:
        """The model that `to_dict` told."""
        psf, correlation = (tuple(told[f"{n}_{a}"] for a in "zyx") for n in ("psf_mm", "correlation_mm"))
        return cls(psf, told["noise_hu"], correlation)


def check_hounsfield(name: str, image: Array) -> None:
    """Raise InputError for images that are not Hounsfield units: 8 bits, no air, or stored values without intercept."""
    if image.ndim != 3:
        raise InputError(f"{name}: an image of {image.ndim} axes; a CT volume has three (z, y, x)")
    if image.dtype.kind not in "iuf":
        raise InputError(f"{name}: values of type {image.dtype}; a CT volume holds Hounsfield units as numbers")
    low, high = float(image.min()), float(image.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{name}: not all voxels are numbers (NaN or infinite); clean the volume first")
    if image.dtype == np.uint8 or (low >= 0 and high <= 255):
        raise InputError(
            f"{name}: 8-bit grey values ({low:g}..{high:g}), not Hounsfield units; give the original series"
        )
    if low >= -200:
        raise InputError(
            f"{name}: values {low:g}..{high:g} hold no air (-1000 HU); these are stored values without the rescale "
            "intercept, or no CT: apply RescaleSlope and RescaleIntercept first"
        )


def scan_model(host: Host) -> ScanModel:
    """The point spread, noise and correlation of a host; medians over cubes around its region if it is large."""
    known = _MODELS.get(host)
    if known is None:
        known = _MODELS[host] = _estimated(host)
    return known


def _estimated(host: Host) -> ScanModel:
    found = [_model(host.image[where], host.spacing) for where in _cubes(host)]
    spread = np.median([one.psf_mm for one in found], axis=0)
    long = np.median([one.correlation_mm for one in found], axis=0)
    noise = float(np.median([one.noise_hu for one in found]))
    return ScanModel(tuple(map(float, spread)), noise, tuple(map(float, long)))


def _cubes(host: Host) -> list[tuple[slice, ...]]:
    half = [int(np.ceil(CUBE_MM / s / 2)) for s in host.spacing]
    if all(n <= 2.6 * h for n, h in zip(host.shape, half, strict=True)):
        return [tuple(slice(0, n) for n in host.shape)]
    inside = np.flatnonzero(host.region)
    if not len(inside):
        return [tuple(slice(max(n // 2 - h, 0), n // 2 + h) for n, h in zip(host.shape, half, strict=True))]
    picked = inside[np.linspace(0, len(inside) - 1, CUBES + 2).astype(int)[1:-1]]
    return [
        tuple(slice(max(c - h, 0), c + h) for c, h in zip(np.unravel_index(i, host.shape), half, strict=True))
        for i in picked
    ]


def _model(image: Array, spacing: tuple[float, ...]) -> ScanModel:
    values = image.astype(np.float32)
    psf = _point_spread(values, spacing)
    quiet = _eroded(_eroded((values < PARENCHYMA) & (values > LIMITS[0])))
    if quiet.sum() < 50:
        return ScanModel(psf, 20.0, (0.6,) * 3)
    # the local mean is of parenchyma alone, else every wall nearby would count as noise
    sigmas, weight = [1.5 / s for s in spacing], quiet.astype(np.float32)
    mean = ndimage.gaussian_filter(values * weight, sigmas, mode="nearest")
    residual = values - mean / np.maximum(ndimage.gaussian_filter(weight, sigmas, mode="nearest"), 1e-6)
    inside = residual[quiet]
    noise = 1.4826 * float(np.median(np.abs(inside - np.median(inside))))
    return ScanModel(psf, float(np.clip(noise, 4, 120)), _correlation(residual, quiet, spacing))


def _eroded(mask: Array) -> Array:
    """Voxels whose six neighbours are in the mask too; none at the border."""
    inner = mask[1:-1, 1:-1, 1:-1].copy()
    for axis, n in enumerate(mask.shape):
        for low in (0, 2):
            where = [slice(1, -1)] * 3
            where[axis] = slice(low, n - 2 + low)
            inner &= mask[tuple(where)]
    return np.pad(inner, 1) if min(mask.shape) > 2 else np.zeros_like(mask)


def _point_spread(values: Array, spacing: tuple[float, ...]) -> tuple[float, ...]:
    """Sigma in mm along each axis, from the steepest edges that face it.

    A step of height h blurred with sigma is nowhere steeper than h / (sqrt(2 pi) sigma). Smoothing before the
    derivative, and the derivative's own width of two voxels, are taken off again as variances.
    """
    height = _step(values)
    kernel = np.exp(-0.5 * (np.arange(-2, 3) / 0.5) ** 2)
    kernel /= kernel.sum()
    smooth = np.clip(values, AIR, TISSUE)
    for axis in range(3):
        smooth = ndimage.correlate1d(smooth, kernel, axis, mode="nearest")
    ahead = float((kernel * np.arange(-2, 3) ** 2).sum()) + 1 / 3  # variance in voxels
    slopes = [_slope(smooth, axis) / step for axis, step in enumerate(spacing)]
    steepest = np.maximum(0.8 * np.sqrt(sum(s * s for s in slopes)), FLATTEST)
    rank = max(1, round(0.0003 * values.size))  # the steepest few, yet not the loudest noise
    found = []
    for slope, step in zip(slopes, spacing, strict=True):
        facing = slope[slope >= steepest]
        if facing.size <= rank:
            found.append(DEFAULT_MM)
            continue
        q = float(np.partition(facing, -rank)[-rank])
        variance = (height / (np.sqrt(2 * np.pi) * q)) ** 2 - ahead * step**2
        found.append(float(np.clip(np.sqrt(max(variance, 0)), SHARPEST_MM, max(SOFTEST_MM, step))))
    return tuple(found)


def _slope(values: Array, axis: int) -> Array:
    """The size of the central difference along an axis; at the border half the one-sided one."""
    moved = np.moveaxis(values, axis, 0)
    found = np.empty_like(moved)
    np.subtract(moved[2:], moved[:-2], out=found[1:-1])
    if len(moved) > 1:
        found[0], found[-1] = moved[1] - moved[0], moved[-1] - moved[-2]
    else:
        found[:] = 0
    found *= np.float32(0.5)
    return np.asarray(np.moveaxis(np.abs(found, out=found), 0, axis))


def _step(values: Array) -> float:
    """The step from lung to soft tissue in this image, in HU."""
    values = values[::2, ::2, ::2]  # enough for two medians
    lung, tissue = values[(values > -1000) & (values < PARENCHYMA)], values[(values > -100) & (values < 100)]
    if min(lung.size, tissue.size) < 50:
        return TISSUE - AIR
    return float(min(np.median(tissue), TISSUE) - max(np.median(lung), AIR))


def _correlation(residual: Array, quiet: Array, spacing: tuple[float, ...]) -> tuple[float, ...]:
    """Sigma in mm along each axis: neighbours of Gaussian-smoothed white noise correlate by exp(-1 / (4 sigma^2))."""
    found = []
    for axis, step in enumerate(spacing):
        one, two = (tuple(slice(a, b) if k == axis else slice(None) for k in range(3)) for a, b in ((0, -1), (1, None)))
        both = quiet[one] & quiet[two]
        if both.sum() < 50:
            found.append(0.6)
            continue
        a, b = residual[one][both], residual[two][both]
        a, b = a - a.mean(), b - b.mean()
        rho = float(np.clip((a @ b) / np.sqrt((a @ a) * (b @ b)), 0.02, 0.9))
        found.append(step * float(np.sqrt(-1 / (4 * np.log(rho)))))
    return tuple(found)
