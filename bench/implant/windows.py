"""What a window of a brushed surface looks like, as numbers: line, blob and edge responses, for boosted trees.

Windows are grey, 48 x 48. All is relative to the window's own brightness, so that exposure does not count; every
response comes raw and after the column medians are taken off, which removes the marks of grinding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import gaussian_filter, label

Array = NDArray[Any]
SIDE = 48
SCALES = (0.7, 1.2, 2.0, 3.5, 6.0)  # px
BARS = ((0.8, 4.0), (1.3, 7.0))  # width and length of line detectors, px
TURNS = 8
_PAD = SIDE // 2
_GRAIN_MAPS = (4, 5, 8, 24, 25, 28)  # dark lines and blobs at two scales, raw and without grinding marks


def features(windows: Array) -> Array:
    """(n, features) float32 of windows (n, 48, 48)."""
    return np.concatenate([_some(windows[k : k + 200]) for k in range(0, len(windows), 200)]).astype(np.float32)


def _some(windows: Array) -> Array:
    grey = windows.astype(np.float32)
    grey = grey / np.maximum(grey.mean((1, 2), keepdims=True), 8)
    raw = grey / np.maximum(gaussian_filter(grey, (0, 10, 10), mode="nearest"), 0.1) - 1
    plain = raw - np.median(raw, axis=1, keepdims=True)
    maps = [one for part in (raw, plain) for scale in SCALES for one in _responses(part, scale)]
    found: list[Array] = []
    for one in maps:
        levels = np.percentile(one.reshape(len(one), -1), [50, 75, 90, 98, 99.5, 100], axis=1)
        found += [*levels[1:], *((levels[3:] - levels[0]) / np.maximum(levels[2] - levels[0], 1e-4))]
    for part in (raw, plain):
        for scale in (1, 3, 8):
            flat = gaussian_filter(part, (0, scale, scale), mode="nearest").reshape(len(part), -1)
            levels = np.percentile(flat, [0, 0.5, 2, 10, 50, 90, 98, 99.5, 100], axis=1)
            found += [*(levels - levels[4]), flat.std(1)]
    for width, length in BARS:
        found += _bars(raw, width, length)
    for number in _GRAIN_MAPS:
        found += _pieces(maps[number])
    return np.stack(found, axis=1)


def _responses(part: Array, scale: float) -> tuple[Array, ...]:
    """Dark lines, bright lines, dark blobs (n, 48, 48) by the eigenvalues of the Hessian, and the slope."""

    def smoothed(rows: int, columns: int) -> Array:
        return np.asarray(gaussian_filter(part, (0, scale, scale), order=(0, rows, columns), mode="nearest"))

    xx, yy, xy = (scale**2 * smoothed(*order) for order in ((0, 2), (2, 0), (1, 1)))
    mean, spread = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    slope = scale * np.hypot(smoothed(0, 1), smoothed(1, 0))
    return mean + spread, spread - mean, np.clip(mean - spread, 0, None), slope


def _bars(part: Array, width: float, length: float) -> list[Array]:
    """The strongest dark lines of `TURNS` directions, by second derivatives across that are averaged along."""
    size = 2 * SIDE
    y, x = np.meshgrid(np.arange(size) - SIDE, np.arange(size) - SIDE, indexing="ij")
    kernels = []
    for turn in np.arange(TURNS) * np.pi / TURNS:
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        bell = np.exp(-((across / width) ** 2) / 2 - (along / length) ** 2 / 2)
        kernel = (across**2 / width**2 - 1) * bell
        kernel -= kernel.mean()
        kernels.append(kernel / np.abs(kernel).sum())
    passed = fft.rfft2(fft.ifftshift(np.array(kernels, np.float32), axes=(1, 2)))
    spectrum = fft.rfft2(np.pad(part, ((0, 0), (_PAD, _PAD), (_PAD, _PAD)), mode="symmetric"))
    inner = np.s_[:, _PAD : _PAD + SIDE, _PAD : _PAD + SIDE]
    seen = np.stack([fft.irfft2(spectrum * one, s=(size, size))[inner] for one in passed], axis=1)
    flat = seen.reshape(len(part), TURNS, -1)
    high, highest = np.percentile(flat, [99, 100], axis=2)  # (n, turns)
    relative = highest / np.maximum(np.median(np.abs(flat), axis=2), 1e-4)
    return [*high.T, *highest.T, *relative.T, highest.max(1), relative.max(1), flat.min((1, 2))]


def _pieces(response: Array) -> list[Array]:
    """Size and extent of the strongest connected piece above twice the 90th percentile."""
    least = 2 * np.percentile(response.reshape(len(response), -1), 90, axis=1)
    sizes, extents = [], []
    for one, limit in zip(response, least, strict=True):
        pieces, count = label(one > limit, np.ones((3, 3)))
        weights = np.bincount(pieces.ravel(), one.ravel())
        weights[0] = 0
        place = np.argwhere(pieces == weights.argmax()) if count else np.zeros((0, 2), int)
        sizes.append(len(place))
        extents.append(int(np.ptp(place, axis=0).max()) + 1 if len(place) else 0)
    return [np.array(sizes), np.array(extents)]


def trained(positives: Array, negatives: Array, seed: int) -> Any:
    """Boosted trees on features; both classes weigh the same."""
    import lightgbm

    rows = np.concatenate([positives, negatives])
    truth = np.r_[np.ones(len(positives)), np.zeros(len(negatives))]
    weight = np.r_[np.full(len(positives), 1 / len(positives)), np.full(len(negatives), 1 / len(negatives))]
    settings = {
        "objective": "binary", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 20, "lambda_l2": 5,
        "feature_fraction": 0.3, "bagging_fraction": 0.7, "bagging_freq": 1, "verbosity": -1, "num_threads": 1,
        "seed": seed, "deterministic": True, "force_row_wise": True,
    }  # fmt: skip
    return lightgbm.train(settings, lightgbm.Dataset(rows, truth, weight=weight * len(rows) / 2), 250)
