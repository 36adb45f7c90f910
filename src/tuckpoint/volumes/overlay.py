"""Text burned into pixels, found by what scans never show: letters of one exact value, the same in many slices.

Conservative: a line of several thin, sharp pieces of like height is asked for, so that metal, bone and vessels are
none. Text that was blurred, compressed with loss or laid on translucently may be missed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.volumes.volume import Array

SAMPLED = 9  # slices that are looked at along each axis
ALIKE = 0.75  # share of them in which a pixel of an overlay has one value
STILL, ALONE = 4, 5  # letters of a line, in a stack of slices and in a single picture
LEAST_PX, MOST_SHARE = 5, 0.12  # height of letters: in pixels, and as a share of the picture's shorter side
CONTRAST = 0.15  # between letters and ground, as a share of the range of the picture
THICK = 0.42  # widest half-stroke as a share of the height
HARD = 0.55  # of the contrast is there one pixel beside a letter: no scanner's edge is as sharp
FULL, STIFF = 0.85, 0.5  # of the contrast is there in a letter; it changes over slices by this share of its ground
SOLID = 0.8  # share of its box that a bar or dot fills
_EIGHT = np.ones((3, 3), bool)


@dataclass(frozen=True)
class Line:
    """A line of burned-in letters: how many, and the half-open ranges of rows and columns of its box.

    `axis` is the axis of the stack whose slices bear it.
    """

    letters: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    axis: int = 0


@dataclass(frozen=True)
class _Piece:
    rows: tuple[int, int]
    columns: tuple[int, int]
    filled: float

    @property
    def tall(self) -> int:
        return self.rows[1] - self.rows[0]


def lines(voxels: Array) -> list[Line]:
    """Lines of text in a stack (z, y, x), the same in most slices along one axis, or in a picture (y, x)."""
    if voxels.ndim == 2:
        return _read(voxels, _bright(voxels) + _exact(voxels, np.ones(voxels.shape, bool)), ALONE)
    found = []
    for axis, n in enumerate(voxels.shape):
        if n < SAMPLED or min(np.delete(voxels.shape, axis)) < 3 * LEAST_PX:
            continue
        planes = np.moveaxis(voxels, axis, 0)[np.linspace(0, n - 1, SAMPLED).round().astype(int)]
        usual = np.median(planes, axis=0).astype(voxels.dtype)
        one_value = (planes == usual).sum(axis=0) >= ALIKE * SAMPLED
        spread = np.abs(planes.astype(np.float32) - usual).mean(axis=0)
        told = _read(usual, _exact(usual, one_value), STILL) or _read(usual, _bright(usual), STILL, spread)
        found += [Line(one.letters, one.rows, one.columns, axis) for one in told]
    if not found and len(voxels) < SAMPLED:
        found = [one for plane in voxels for one in lines(plane)]
    return found


def check_no_text(name: str, voxels: Array) -> None:
    """Raise InputError that says where, if text is burned into a stack or a picture."""
    found = lines(voxels)
    if not found:
        return
    one = max(found, key=lambda line: line.letters)
    where = "" if voxels.ndim == 2 else f" of the slices along {'zyx'[one.axis]}"
    raise InputError(
        f"{name}: what looks like text is burned into the pixels, and may tell who it is: {len(found)} "
        f"line{'s' if len(found) > 1 else ''}, the longest of {one.letters} letters at rows {one.rows[0]} to "
        f"{one.rows[1] - 1}, columns {one.columns[0]} to {one.columns[1] - 1}{where}; look at it, and take the image "
        "without it, or go on knowingly (--burned-in)"
    )


def _exact(plane: Array, where: Array) -> list[tuple[Array, float]]:
    """Masks of one value each: those of many pixels, as letters that were drawn without smoothing are."""
    held, counts = np.unique(plane[where], return_counts=True)
    ends = (held == held[-1:]) | (held == held[:1]) if where.all() else np.ones(held.shape, bool)
    often = [k for k in np.argsort(counts)[::-1] if counts[k] >= 6 * LEAST_PX and ends[k]][:4]
    return [(where & (plane == held[k]), float(held[k])) for k in often]


def _bright(plane: Array) -> list[tuple[Array, float]]:
    """Masks of what is nearer to the highest, or the lowest, value than to the usual one: letters with smooth rims."""
    usual = float(np.median(plane))
    ends = [float(plane.max()), float(plane.min())]
    return [(np.abs(plane - end) < abs(plane - usual), end) for end in ends if end != usual]


def _read(plane: Array, masks: list[tuple[Array, float]], least: int, spread: Array | None = None) -> list[Line]:
    """Lines among the pieces of these masks; of several readings the one with the most letters."""
    low, high = float(plane.min()), float(plane.max())
    values = plane.astype(np.float32)
    read = [_lines(_pieces(m, values, v, CONTRAST * (high - low), spread), least) for m, v in masks]
    return max(read, key=lambda found: sum(one.letters for one in found), default=[])


def _pieces(mask: Array, plane: Array, value: float, contrast: float, spread: Array | None) -> list[_Piece]:
    labels, _ = ndimage.label(mask, _EIGHT)
    most = max(3 * LEAST_PX, MOST_SHARE * min(plane.shape))
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        rows, columns = ((side.start, side.stop) for side in box)
        tall, wide = rows[1] - rows[0], columns[1] - columns[0]
        if not LEAST_PX <= tall <= most or wide > 2.0 * tall:
            continue
        around = tuple(slice(max(side.start - 3, 0), side.stop + 3) for side in box)
        still = None if spread is None else spread[around]
        own = labels[around] == number
        if _drawn(own, labels[around] == 0, plane[around], value, contrast, tall, still):
            found.append(_Piece(rows, columns, float(own.sum()) / (tall * wide)))
    return found


def _drawn(
    own: Array, free: Array, plane: Array, value: float, contrast: float, tall: int, spread: Array | None
) -> bool:
    """Whether a piece is of thin strokes, as strong as its value somewhere, and ends at once, as no scan does.

    With `spread` (how much slices differ at a place) it must also be the same in all slices, unlike what is around.
    """
    if ndimage.distance_transform_edt(np.pad(own, 1)).max() > max(THICK * tall / 2 + 0.5, 1.0):
        return False
    near = ndimage.binary_dilation(own, _EIGHT) & free
    far = ~ndimage.binary_dilation(own, _EIGHT, 2) & free
    if not near.any() or not far.any():
        return False
    ground = float(np.median(plane[far]))
    height = value - ground
    if abs(height) < contrast or np.quantile((plane[own] - ground) / height, 0.9) < FULL:
        return False
    if spread is not None and np.median(spread[own]) > STIFF * np.median(spread[far]):
        return False
    return bool(np.median((value - plane[near]) / height) >= HARD)


def _lines(pieces: list[_Piece], least: int) -> list[Line]:
    """Pieces of like height that stand on one line, not far apart; not all of them bars."""
    left = sorted(pieces, key=lambda one: one.columns)
    found = []
    while left:
        line = [left.pop(0)]
        for one in list(left):
            last = line[-1]
            tall = max(last.tall, one.tall)
            if (
                tall <= 2 * min(last.tall, one.tall)
                and min(abs(last.rows[1] - one.rows[1]), abs(last.rows[0] - one.rows[0])) <= max(1, 0.15 * tall)
                and 0 <= one.columns[0] - last.columns[1] <= 1.5 * tall
            ):
                line.append(one)
                left.remove(one)
        open_ones = sum(one.filled < SOLID for one in line)
        if len(line) >= least and 2 * open_ones >= least:
            rows, columns = (
                (min(getattr(one, side)[0] for one in line), max(getattr(one, side)[1] for one in line))
                for side in ("rows", "columns")
            )
            found.append(Line(len(line), rows, columns))
    return found
