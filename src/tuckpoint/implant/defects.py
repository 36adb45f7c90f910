"""Outlines of surface defects, family by family: cracks, holes, blobs, stains, chips, scratches, frayed edges.

Each family has two halves. `draw` chooses a few plain numbers (JSON keeps them), `paint` turns them into a patch and is
deterministic. Patches are painted at twice the resolution and averaged down, so that a rim holds partial coverage.
Widths are given in units of the host's blur, lengths as shares of the surface, so that a defect fits its photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.seed import Seed

Array = NDArray[np.float64]
Drawn = Mapping[str, Any]
FINE = 2  # painted pixels per pixel, along each axis
LONGEST_PX = 320.0  # no defect is longer than this, whatever the size of the photograph


@dataclass(frozen=True)
class Scale:
    """What lengths are measured by, in px: the blur of the host as a Gaussian sigma, and the surface's shorter side."""

    blur_px: float
    side_px: float


@dataclass(frozen=True, eq=False)
class Patch:
    """A painted outline: `cover` (h, w) in 0..1 is how much of a pixel it hides, `outline` how much lies inside it.

    They part ways on hairlines: those thinner than a pixel hide less, and are outlined one pixel wide. `row`, `column`
    is the pixel of the patch that lies on the place where the defect is put.
    """

    cover: Array
    outline: Array
    row: int
    column: int
    line: bool = False

    @cached_property
    def mask(self) -> NDArray[np.bool_]:
        """What is labelled (h, w): as many pixels as the outline's area says, the fullest ones; one at least.

        Of lines all that are filled by half, so that thin ones do not fall to pieces.
        """
        if self.line:
            return self.outline >= min(0.5, float(self.outline.max()))
        order = np.argsort(-self.outline, axis=None, kind="stable")
        found = np.zeros(self.outline.size, bool)
        found[order[: max(round(float(self.outline.sum())), 1)]] = True
        return found.reshape(self.outline.shape)

    def padded(self, margin: int) -> Patch:
        """With a margin all around."""
        cover, outline = (np.pad(part, margin) for part in (self.cover, self.outline))
        return Patch(cover, outline, self.row + margin, self.column + margin, self.line)


@dataclass(frozen=True)
class Family:
    """One kind of outline: how it is drawn, how painted, and where it belongs: on the surface, or at its edge."""

    draw: Callable[[np.random.Generator, Scale], dict[str, Any]]
    paint: Callable[[Drawn, Seed], Patch]
    at: Literal["surface", "edge"] = "surface"


def draw(family: str, seed: Seed, scale: Scale) -> dict[str, Any]:
    """The numbers of one outline of a family; lengths in px, angles in rad, x right and y down."""
    return find(family).draw(seed.numpy(), scale)


def paint(family: str, drawn: Drawn, seed: Seed) -> Patch:
    """The patch that these numbers say; the same ones give the same patch."""
    return find(family).paint(drawn, seed)


def find(family: str) -> Family:
    """The family of this name; raises InputError with the nearest one if there is none."""
    if family not in FAMILIES:
        raise InputError(
            f'no family of defects "{family}"{did_you_mean(family, FAMILIES)}; there are: {", ".join(FAMILIES)}'
        )
    return FAMILIES[family]


def field(size: tuple[int, ...], sigma: float, random: np.random.Generator) -> Array:
    """A Gaussian field of mean 0 and deviation about 1, smooth over `sigma` pixels.

    Where it is smooth over many pixels it is drawn on a coarser grid and interpolated.
    """
    from scipy.ndimage import gaussian_filter, zoom

    if sigma < 0.1:
        return random.standard_normal(size)
    step = max(int(sigma // 3), 1)
    drawn = random.standard_normal([-(-n // step) + 1 for n in size])
    reach = np.arange(-int(4 * sigma / step + 0.5), int(4 * sigma / step + 0.5) + 1)
    kernel = np.exp(-0.5 * (reach * step / sigma) ** 2)
    kept = float(((kernel / kernel.sum()) ** 2).sum()) ** len(size)  # of the variance
    smooth = gaussian_filter(drawn, sigma / step, mode="wrap") / np.sqrt(kept)
    return np.asarray(zoom(smooth, step, order=1) if step > 1 else smooth)[tuple(slice(n) for n in size)]


def _log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


# --- lines: cracks and scratches -------------------------------------------------------------------------------------


def _draw_crack(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    """A walk whose heading wanders and bends, with branches; a random walk as in fracture, not a physical model."""
    length = min(_log_uniform(random, 0.12, 0.9) * scale.side_px, LONGEST_PX)
    return {
        "length_px": max(length, 8.0),
        "width_px": _log_uniform(random, 0.6, 3.0) * scale.blur_px,
        "heading_rad": float(random.uniform(0, 2 * np.pi)),
        "wander_rad": _log_uniform(random, 0.01, 0.3),
        "bend_rad": float(random.normal(0, 0.6)),
        "branches": int(random.poisson(0.5)),
        "taper": float(random.uniform(0.2, 1.0)),
    }


def _draw_scratch(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    length = min(_log_uniform(random, 0.15, 1.0) * scale.side_px, LONGEST_PX)
    return {
        "length_px": max(length, 8.0),
        "width_px": _log_uniform(random, 0.5, 1.8) * scale.blur_px,
        "heading_rad": float(random.uniform(0, 2 * np.pi)),
        "wander_rad": float(random.uniform(0.0, 0.01)),
        "bend_rad": float(random.normal(0, 0.15)),
        "branches": 0,
        "taper": float(random.uniform(0.0, 0.6)),
    }


def _walk(drawn: Drawn, length: float, heading: float, random: np.random.Generator) -> Array:
    """Points (n, 2) as y, x, a pixel apart, from 0, 0."""
    steps = max(round(length), 2)
    turns = random.normal(0, drawn["wander_rad"], steps) + drawn["bend_rad"] / steps
    headings = heading + np.cumsum(turns)
    return np.concatenate([[[0.0, 0.0]], np.cumsum(np.stack([np.sin(headings), np.cos(headings)], 1), 0)])


def _paint_line(drawn: Drawn, seed: Seed) -> Patch:
    """The walk and its branches; widths run up and down along it and taper towards the ends."""
    trunk = _walk(drawn, drawn["length_px"], drawn["heading_rad"], seed.child("walk").numpy())
    trunk -= trunk[round(drawn.get("start", 0.5) * (len(trunk) - 1))]
    lines, widths = [trunk], [_widths(drawn, len(trunk), seed.child("width"), free=False)]
    for number in range(drawn["branches"]):
        random = seed.child("branch", number).numpy()
        start = int(random.integers(len(trunk) // 5, max(4 * len(trunk) // 5, len(trunk) // 5 + 1)))
        ahead = trunk[min(start + 3, len(trunk) - 1)] - trunk[max(start - 3, 0)]
        turn = random.uniform(0.3, 1.1) * random.choice([-1.0, 1.0])
        heading = float(np.arctan2(ahead[0], ahead[1]) + turn)
        branch = _walk(drawn, drawn["length_px"] * random.uniform(0.15, 0.5), heading, random) + trunk[start]
        lines.append(branch)
        widths.append(0.7 * _widths(drawn, len(branch), seed.child("branch width", number), free=True))
    closer = [_closer(line, width) for line, width in zip(lines, widths, strict=True)]
    return _stroked(np.concatenate([line for line, _ in closer]), np.concatenate([width for _, width in closer]))


def _closer(line: Array, widths: Array) -> tuple[Array, Array]:
    """The same line with points so close that no fine pixel on its way is left out."""
    along = np.linspace(0, len(line) - 1, 2 * FINE * (len(line) - 1) + 1)
    steps = np.arange(len(line))
    return np.stack([np.interp(along, steps, line[:, axis]) for axis in (0, 1)], axis=1), np.interp(
        along, steps, widths
    )


def _widths(drawn: Drawn, points: int, seed: Seed, *, free: bool) -> Array:
    """Widths (n,) in px along a line; `free`: only its far end tapers."""
    along = np.linspace(0, 1, points)
    ends = along if free else np.abs(2 * along - 1)
    rough = np.exp(0.25 * field((points,), 6.0, seed.numpy()))
    return np.asarray(drawn["width_px"] * rough * (1 - drawn["taper"] * ends**2))


def _stroked(points: Array, widths: Array) -> Patch:
    """Lines (n, 2) of points at most a fine pixel apart, stroked with widths (n,) px."""
    from scipy.ndimage import distance_transform_edt

    margin = int(np.ceil(widths.max() / 2)) + 2
    low = np.floor(points.min(0)).astype(int) - margin
    size = (np.ceil(points.max(0)).astype(int) + margin + 1 - low) * FINE
    at = np.round((points - low) * FINE + (FINE - 1) / 2).astype(int)  # (n, 2), the middle of a pixel is its centre
    wide = np.zeros(size)
    np.maximum.at(wide, (at[:, 0], at[:, 1]), widths * FINE / 2)
    far, nearest = distance_transform_edt(wide == 0, return_indices=True)
    half = wide[tuple(nearest)]  # half the width of the line at its nearest point, in fine pixels
    least = 0.5 * FINE  # one pixel wide at least, and fainter instead of thinner
    stroke = np.clip(np.maximum(half, least) - far + 0.5, 0, 1)
    return _averaged(stroke * np.minimum(half / least, 1), stroke, int(-low[0]), int(-low[1]), line=True)


def _averaged(cover: Array, outline: Array, row: int, column: int, *, line: bool = False) -> Patch:
    down = [part.reshape(part.shape[0] // FINE, FINE, -1, FINE).mean((1, 3)) for part in (cover, outline)]
    return Patch(down[0], down[1], row, column, line)


# --- areas: holes, blobs, stains, chips, frayed edges ----------------------------------------------------------------


def _draw_hole(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    radius = _log_uniform(random, 1.5, 9.0) * scale.blur_px
    return {
        "radius_px": min(radius, 0.2 * scale.side_px),
        "stretch": _log_uniform(random, 1.0, 2.5),
        "heading_rad": float(random.uniform(0, np.pi)),
        "rough": float(random.uniform(0.05, 0.35)),
        "grain": float(random.uniform(0.3, 0.8)),
        "satellites": int(random.choice([0, 0, 0, 1, 2, 4])),
    }


def _draw_blob(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    return {
        "radius_px": min(_log_uniform(random, 0.03, 0.2) * scale.side_px, LONGEST_PX / 3),
        "stretch": _log_uniform(random, 1.0, 2.0),
        "heading_rad": float(random.uniform(0, np.pi)),
        "rough": float(random.uniform(0.2, 0.7)),
        "grain": float(random.uniform(0.3, 0.8)),
        "satellites": 0,
    }


def _draw_stain(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    return {**_draw_blob(random, scale), "rough": float(random.uniform(0.1, 0.5))}


def _draw_chip(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    """A bite out of the edge, `depth_px` deep; a rind is its broken rim alone, as where the piece still sticks."""
    depth = min(_log_uniform(random, 0.02, 0.18) * scale.side_px, LONGEST_PX / 3)
    return {
        "radius_px": max(depth, 2.0 * scale.blur_px),
        "stretch": _log_uniform(random, 1.0, 3.0),
        "heading_rad": float(random.normal(0, 0.4)),
        "rough": float(random.uniform(0.1, 0.5)),
        "grain": float(random.uniform(0.3, 0.8)),
        "satellites": 0,
        "rind_px": float(random.choice([0.0, 0.0, 1.0])) * _log_uniform(random, 0.8, 3.0) * scale.blur_px,
    }


def _draw_fray(random: np.random.Generator, scale: Scale) -> dict[str, Any]:
    """A strip along the edge whose inner border is torn."""
    depth = min(_log_uniform(random, 0.02, 0.12) * scale.side_px, LONGEST_PX / 4)
    return {
        "radius_px": max(depth, 2.0 * scale.blur_px),
        "stretch": _log_uniform(random, 2.0, 6.0),
        "heading_rad": float(random.normal(0, 0.08)),
        "rough": float(random.uniform(0.5, 1.0)),
        "grain": float(random.uniform(0.15, 0.4)),
        "satellites": 0,
    }


def _paint_area(drawn: Drawn, seed: Seed) -> Patch:
    """An ellipse whose border is moved by a Gaussian field; its long axis runs along `heading_rad`.

    The patch of an edge family is painted for an edge along x: whoever places it turns it.
    """
    radius, stretch = drawn["radius_px"], np.sqrt(drawn["stretch"])
    reach = int(np.ceil(radius * stretch * (1.3 + 1.2 * drawn["rough"]))) + 3
    y, x = _grid(reach)
    turn = drawn["heading_rad"]
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    out = np.hypot(along / stretch, across * stretch) - radius  # px, about the distance from the border
    out -= 0.5 * drawn["rough"] * radius * field(out.shape, max(drawn["grain"] * radius * FINE, 1.0), seed.numpy())
    for number in range(drawn["satellites"]):
        random = seed.child("satellite", number).numpy()
        angle, far = random.uniform(0, 2 * np.pi), radius * random.uniform(0.9, 1.3)
        small = radius * random.uniform(0.15, 0.45)
        out = np.minimum(out, np.hypot(x - far * np.cos(angle), y - far * np.sin(angle)) - small)
    asked = min(round(np.pi * (radius * FINE) ** 2), out.size - 1)
    out -= np.partition(out, asked, axis=None)[asked]  # the field moves the border, and leaves the area as asked
    shape = np.clip(0.5 - out * FINE, 0, 1)
    rind = drawn.get("rind_px", 0.0)
    if rind > 0:
        shape = np.clip(rind / 2 * FINE + 0.5 - np.abs(out) * FINE, 0, 1)
    return _averaged(shape, shape, reach, reach)


def _grid(reach: int) -> tuple[Array, Array]:
    """y, x of fine pixels in px from the middle of the patch."""
    steps = (np.arange((2 * reach + 1) * FINE) - (FINE - 1) / 2) / FINE - reach
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return y, x


FAMILIES: Mapping[str, Family] = {
    "crack": Family(_draw_crack, _paint_line),
    "hole": Family(_draw_hole, _paint_area),
    "blob": Family(_draw_blob, _paint_area),
    "stain": Family(_draw_stain, _paint_area),
    "chip": Family(_draw_chip, _paint_area, at="edge"),
    "scratch": Family(_draw_scratch, _paint_line),
    "fray": Family(_draw_fray, _paint_area, at="edge"),
}
