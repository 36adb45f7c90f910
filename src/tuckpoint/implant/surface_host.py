"""What is estimated of a photographed surface before anything is put on it: where it lies, how sharp, noisy and lit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.implant.values import Host

Array = NDArray[np.float64]
BLUR_UNSEEN_PX = 0.8  # the blur that is assumed where no edge is sharp enough to tell
_STEP_PX2 = 1 / 3  # variance of the two pixels over which a central difference takes the slope
_CANDIDATES = 300


@dataclass(frozen=True, eq=False)
class Ground:
    """The host's model. `light` (h, w) is its brightness in its own units, `level` (h, w, channels) the shading: a mean
    over the surroundings on the surface alone; `noise` (h, w) the deviation of texture and noise about it.

    `edge_px` (h, w) is the distance to the edge of the surface, 0 outside. `blur_px` is a Gaussian sigma, as is
    `noise_length_px`, which gives white noise the correlation of the host's; `sd` is the median of `noise`. `grain_rad`
    is the direction in which the texture runs (brushed, rolled, sawn), and `grain` how much it has one (0..1).
    """

    light: Array
    level: Array
    noise: Array
    edge_px: Array
    blur_px: float
    noise_length_px: float
    sd: float
    grain_rad: float
    grain: float

    @property
    def side_px(self) -> float:
        """The shorter side of the surface's box."""
        rows, columns = np.nonzero(self.edge_px > 0)
        return float(min(np.ptp(rows), np.ptp(columns)) + 1)


@lru_cache(maxsize=4)
def ground(host: Host) -> Ground:
    """The model of a host; raises InputError where it holds no surface that one could look at."""
    from scipy.ndimage import distance_transform_edt

    if len(host.spacing) != 2:
        raise InputError(f"{host.name}: {len(host.spacing)} axes; surface-defect takes photographs (rows, columns)")
    region = np.asarray(host.region, bool)
    if region.sum() < 256 or min(host.shape) < 16:
        raise InputError(
            f"{host.name}: {host.shape[0]} x {host.shape[1]} pixels, {int(region.sum())} of them surface; give a "
            "larger photograph, or the mask of its surface"
        )
    colours = host.image.reshape(*host.shape, -1).astype(float)
    light = colours.mean(axis=-1)
    if np.ptp(light[region]) == 0:
        raise InputError(f"{host.name}: all pixels of the surface are {light[region][0]:g}; give a photograph")
    blur = _blur_px(light)
    width = float(np.clip(8 * blur, 4, max(4.0, min(host.shape) / 8)))
    level = np.stack([_mean(colours[..., c], region, width) for c in range(colours.shape[2])], axis=-1)
    rest = light - level.mean(axis=-1)
    noise = np.sqrt(_mean(rest**2, region, width))
    direction, strength = _grain(rest, region)
    full = region.all()
    inside = np.pad(region, 1, constant_values=not full)  # the border of a picture is an edge only of what fills it
    return Ground(
        light=light,
        level=level,
        noise=noise,
        edge_px=np.asarray(distance_transform_edt(inside))[1:-1, 1:-1],
        blur_px=blur,
        noise_length_px=noise_length(rest, region),
        sd=float(np.median(noise[region])),
        grain_rad=direction,
        grain=strength,
    )


def surface_region(image: NDArray[Any]) -> NDArray[np.bool_]:
    """Where the part is, (h, w) bool: all of the picture, unless a clearly darker or brighter backdrop surrounds it.

    Otsu's threshold of the smoothed brightness (Otsu 1979) counts if it explains 85 % of the variance and one of the
    classes makes up most of the border; the largest piece of the other one, holes filled, is the part. Else dark strips
    along the border are left out, where they end in a sharp step.
    """
    from scipy.ndimage import binary_fill_holes, binary_opening, gaussian_filter, label

    light = image.reshape(*image.shape[:2], -1).astype(float).mean(axis=-1)
    smooth = np.asarray(gaussian_filter(light, 2.0))
    threshold, explained = _otsu(smooth)
    border = _border(light.shape)
    bright = smooth > threshold
    share = bright[border].mean()
    if explained >= 0.85 and not 0.4 < share < 0.6:
        part = bright if share < 0.5 else ~bright
        pieces, count = label(binary_opening(part, iterations=2))
        if count:
            largest = np.bincount(pieces.ravel())[1:].argmax() + 1
            found = np.asarray(binary_fill_holes(pieces == largest), bool)
            # Spots are no part: a defect on a surface that fills the picture is not to be taken for the surface.
            if found.mean() > 0.15:
                return found
    return ~_strips(np.asarray(gaussian_filter(light, 1.0)))


def _border(size: tuple[int, ...]) -> NDArray[np.bool_]:
    border = np.zeros(size, bool)
    border[[0, -1]] = border[:, [0, -1]] = True
    return border


def _strips(smooth: Array) -> NDArray[np.bool_]:
    """Pieces at the border below 45 % of the median brightness that end in a step of a half or more within 4 px."""
    from scipy.ndimage import binary_dilation, label

    pieces, _ = label(smooth < 0.45 * np.median(smooth))
    left_out = np.zeros(smooth.shape, bool)
    for number in np.setdiff1d(pieces[_border(smooth.shape)], [0]):
        piece = pieces == number
        ring = binary_dilation(piece, iterations=5) & ~binary_dilation(piece, iterations=3)
        if piece.mean() > 0.002 and ring.any() and smooth[ring].mean() > 1.5 * smooth[piece].mean():
            left_out |= piece
    return left_out if left_out.mean() < 0.5 else np.zeros(smooth.shape, bool)


def _otsu(values: Array) -> tuple[float, float]:
    """The threshold that parts values best in two, and the share of their variance between the two."""
    counts, edges = np.histogram(values, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    weight = np.cumsum(counts) / counts.sum()
    mean = np.cumsum(counts * middles) / counts.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mean[-1] * weight - mean) ** 2 / (weight * (1 - weight))
    between = np.nan_to_num(between[:-1])
    best = int(between.argmax())
    variance = float(values.var())
    return float(edges[best + 1]), float(between[best] / variance) if variance > 0 else 0.0


def _mean(values: Array, region: NDArray[np.bool_], sigma: float) -> Array:
    """Gaussian mean over the region alone; outside, that of the nearest part of it."""
    from scipy.ndimage import gaussian_filter

    if region.all():
        return np.asarray(gaussian_filter(values, sigma, mode="nearest", truncate=3))
    weight = gaussian_filter(region.astype(float), sigma, mode="nearest", truncate=3)
    total = gaussian_filter(np.where(region, values, 0.0), sigma, mode="nearest", truncate=3)
    return np.where(weight > 1e-3, total / np.maximum(weight, 1e-3), values)


def _blur_px(light: Array) -> float:
    """The sigma of the sharpest clear edges: a step of height h has the slope h / (sqrt(2 pi) sigma)."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    if min(light.shape) < 30:
        return BLUR_UNSEEN_PX
    steep = [np.asarray(part) for part in np.gradient(light)]
    slope = np.hypot(*steep)
    inner = slope[5:-5, 5:-5]
    fine = light - gaussian_filter(light, 1.5)
    noise = 1.4826 * float(np.median(np.abs(fine)))
    order = np.argsort(inner, axis=None)[::-1][:_CANDIDATES]
    rows, columns = (part + 5 for part in np.unravel_index(order, inner.shape))
    peak = slope[rows, columns]
    steps = np.linspace(-5, 5, 21)
    y, x = (part[rows, columns] / np.maximum(peak, 1e-12) for part in steep)
    along = map_coordinates(light, [rows[:, None] + y[:, None] * steps, columns[:, None] + x[:, None] * steps], order=1)
    heights = np.ptp(along, axis=1)
    clear = heights > 12 * noise
    if clear.sum() < 20:
        return BLUR_UNSEEN_PX
    widths = heights[clear] / (np.sqrt(2 * np.pi) * peak[clear])
    squared = float(np.percentile(widths, 20)) ** 2 - _STEP_PX2
    return float(np.clip(np.sqrt(max(squared, 0.0)), 0.45, 3.0))


def noise_length(rest: Array, region: NDArray[np.bool_]) -> float:
    """Gaussian-smoothed white noise has the correlation exp(-1 / (4 s^2)) between neighbours; mean over both axes."""
    found = []
    for one, other, both in (
        (rest[1:], rest[:-1], region[1:] & region[:-1]),
        (rest[:, 1:], rest[:, :-1], region[:, 1:] & region[:, :-1]),
    ):
        spread = float(rest[region].std())
        if both.sum() >= 50 and spread > 0:
            rho = float(np.clip((one[both] * other[both]).mean() / spread**2, 0.02, 0.9))
            found.append(np.sqrt(-1 / (4 * np.log(rho))))
    return float(np.mean(found)) if found else 0.6


def _grain(rest: Array, region: NDArray[np.bool_]) -> tuple[float, float]:
    """The direction of least change, and the coherence, of the structure tensor over the region."""
    inner = region[1:-1, 1:-1]
    y, x = (rest[2:, 1:-1] - rest[:-2, 1:-1])[inner], (rest[1:-1, 2:] - rest[1:-1, :-2])[inner]
    both, across, mixed = float((x * x + y * y).sum()), float((x * x - y * y).sum()), float(2 * (x * y).sum())
    if both <= 0:
        return 0.0, 0.0
    return 0.5 * float(np.arctan2(mixed, across)) + np.pi / 2, float(np.hypot(across, mixed) / both)
