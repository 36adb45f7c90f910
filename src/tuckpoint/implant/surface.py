"""Defects on photographs of surfaces: drawn by family, placed on the part or at its edge, lit as all around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.implant import defects, surface_look
from tuckpoint.implant.defects import Patch, Scale
from tuckpoint.implant.surface_host import Ground, ground
from tuckpoint.implant.values import (
    Drawn,
    Finding,
    Host,
    Implanted,
    Size,
    box_of,
    check_pins,
    difficulty,
    equal_diameter,
)
from tuckpoint.seed import Seed

Array = NDArray[np.float64]
TRIES = 40  # places tried for one defect
LEAST_BLUR_PX = 0.8  # however sharp a photograph is, a defect is some pixels wide
LEAST_PX = 3  # pixels of a defect that must lie on the surface


@dataclass(frozen=True)
class SurfaceDefect:
    """Part `surface-defect`: which families, in which shares, how strong and how hard.

    `shares` weigh `kinds` (none: alike). `dark`, `bright` and `clone` weigh the ways a defect looks; `hard` is the
    share without a soft rim. `contrast` is the range of the change as a share of the local brightness, `noises` the
    least change in units of the local noise; the larger of the two counts. `size` stretches all lengths. `from_edge` is
    the share of lines that begin at the edge, `along_grain` of those that run as the texture of the surface does.
    Raises InputError for an entry out of range.
    """

    name: ClassVar[str] = "surface-defect"
    kinds: tuple[str, ...] = tuple(defects.FAMILIES)
    shares: tuple[float, ...] = ()
    dark: float = 0.75
    bright: float = 0.1
    clone: float = 0.15
    hard: float = 0.3
    contrast: tuple[float, ...] = (0.08, 0.7)
    noises: tuple[float, ...] = (1.0, 3.5)
    size: float = 1.0
    from_edge: float = 0.4
    along_grain: float = 0.3

    def __post_init__(self) -> None:
        for kind in self.kinds:
            defects.find(kind)
        _check("kinds", self.kinds, bool(self.kinds), "one family or more")
        _check(
            "shares", self.shares,
            not self.shares or (len(self.shares) == len(self.kinds) and min(self.shares) >= 0 < sum(self.shares)),
            "none, or one number from 0 for each kind",
        )  # fmt: skip
        looks = (self.dark, self.bright, self.clone)
        _check("dark, bright, clone", looks, min(looks) >= 0 < sum(looks), "shares from 0, not all of them 0")
        _check("hard", self.hard, 0 <= self.hard <= 1, "a share from 0 to 1")
        _check("from_edge", self.from_edge, 0 <= self.from_edge <= 1, "a share from 0 to 1")
        _check("along_grain", self.along_grain, 0 <= self.along_grain <= 1, "a share from 0 to 1")
        _check("contrast", self.contrast, _range(self.contrast, 0, 1), "two numbers above 0 up to 1, the lower first")
        _check("noises", self.noises, _range(self.noises, 0, 100), "two numbers above 0, the lower first")
        _check("size", self.size, 0.1 <= self.size <= 10, "a factor from 0.1 to 10")

    def plan(
        self, host: Host, seed: Seed, *, count: int = 1, null: float = 0.0, pins: Mapping[str, Any] | None = None
    ) -> tuple[Drawn, ...]:
        """All choices for `count` defects, none of which touch; raises InputError where no place is left."""
        known = ground(host)
        margin = _margin(known)
        taken = np.zeros(host.shape, bool) if host.avoid is None else _grown(np.asarray(host.avoid, bool), margin)
        planned = []
        for number in range(count):
            drawn, patch = self._draw(host, known, seed.child("defect", number), taken, pins or {})
            nothing = bool(seed.child("null", number).numpy().random() < null)
            planned.append(Drawn(drawn.kind, drawn.position, drawn.values, drawn.key, nothing))
            if number + 1 < count:
                wide = patch.padded(2 * margin)
                own, theirs = _overlap(wide, drawn.position, host.shape)
                taken[own] |= _grown(wide.cover > 0, 2 * margin)[theirs]
        return tuple(planned)

    def implant(self, host: Host, drawn: tuple[Drawn, ...]) -> Implanted:
        """The host with these defects; bit-equal to it wherever no alpha is above 0."""
        known = ground(host)
        image = host.image.copy()
        findings = tuple(_put(host, known, image, one) for one in drawn)
        return Implanted(host, image, findings)

    def _draw(
        self, host: Host, known: Ground, seed: Seed, taken: NDArray[np.bool_], pins: Mapping[str, Any]
    ) -> tuple[Drawn, Patch]:
        weights = np.array(self.shares or [1.0] * len(self.kinds))
        kind = str(seed.child("kind").numpy().choice(self.kinds, p=weights / weights.sum()))
        kind = str(pins.get("kind", kind))
        family = defects.find(kind)
        at_edge = family.at == "edge" or (
            kind in ("crack", "scratch") and seed.child("from edge").numpy().random() < self.from_edge
        )
        scale = Scale(max(known.blur_px, LEAST_BLUR_PX) * self.size, known.side_px * self.size)
        shape = defects.draw(kind, seed.child("shape"), scale)
        along = "length_px" in shape and known.grain > 0.1 and seed.child("grain").numpy().random() < self.along_grain
        look = surface_look.draw(self, seed.child("look"))
        check_pins(pins, (*_PLACES, "contrast", *shape, *look))
        key = seed.child("key").integer() % 2**53  # JSON readers keep whole numbers up to 2**53
        for trial in range(TRIES):
            row, column, inward = _place(host, known, seed.child("place", trial), at_edge=at_edge, shape=shape)
            turned = _turned(shape, inward, grain=known.grain_rad if along else None, at_edge=at_edge)
            row, column = pins.get("position", (row, column))
            values = {**turned, **look, "edge": at_edge, **{k: v for k, v in pins.items() if k not in _PLACES}}
            patch = defects.paint(kind, values, Seed(key).child("paint"))
            own, theirs = _overlap(patch, (row, column), host.shape)
            on = host.region[own] & patch.mask[theirs]
            if on.sum() >= min(LEAST_PX, patch.mask.sum()) and not taken[own][patch.cover[theirs] > 0].any():
                values |= surface_look.settle(self, known, values, own, on, seed.child("strength"), pins=pins)
                return Drawn(kind, (float(row), float(column)), values, key), patch
        raise InputError(
            f"{host.name}: no free place for a {kind} in {TRIES} tries; ask for fewer defects a photograph or "
            "smaller ones (size), or give a larger photograph"
        )


_PLACES = ("kind", "position")


def _range(pair: tuple[float, ...], low: float, high: float) -> bool:
    return len(pair) == 2 and low < pair[0] <= pair[1] <= high


def _check(name: str, value: Any, right: bool, wanted: str) -> None:
    if not right:
        raise InputError(f"surface-defect: {name} is {value}; give {wanted}")


def _margin(known: Ground) -> int:
    """How far, in px, a soft rim reaches beyond its outline."""
    return int(np.ceil(4 * known.blur_px)) + 2


def _grown(mask: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """All within this distance."""
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~mask) <= margin) if mask.any() else mask.copy()


def _place(host: Host, known: Ground, seed: Seed, *, at_edge: bool, shape: Mapping[str, Any]) -> tuple[int, int, float]:
    """A pixel, and the direction from the edge into the surface there (rad, x right, y down)."""
    random = seed.numpy()
    far = known.edge_px
    if at_edge:
        places = np.flatnonzero((far > 0) & (far <= 1.5) & host.region)
    else:
        room = min(float(shape.get("radius_px", 0.0)), 0.6 * float(far.max()))
        places = np.flatnonzero((far > room) & host.region)
    if not len(places):
        places = np.flatnonzero(host.region)
    row, column = divmod(int(random.choice(places)), host.shape[1])
    window = tuple(slice(max(at - 4, 0), at + 5) for at in (row, column))
    y, x = (float(part.mean()) for part in np.gradient(np.pad(far[window], 1, mode="edge")))
    return row, column, float(np.arctan2(y, x))


def _turned(shape: Mapping[str, Any], inward: float, *, grain: float | None, at_edge: bool) -> dict[str, Any]:
    """A shape as it lies: areas along the edge, lines from it into the surface, some of them along the grain."""
    told, free = dict(shape), float(shape["heading_rad"])
    if grain is not None:
        told["heading_rad"] = grain + 0.1 * np.sin(free) + (0.0 if np.cos(grain - inward) > 0 else np.pi)
    elif at_edge:
        told["heading_rad"] = inward + (0.35 * np.sin(free) if "length_px" in shape else free + np.pi / 2)
    if at_edge and "length_px" in shape:
        told["start"] = 0.0
    return {**told, "heading_rad": float(told["heading_rad"])}


def _overlap(
    patch: Patch, position: tuple[float, ...], size: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The part of the host that a patch covers, and the part of the patch that lies in the host."""
    own, theirs = [], []
    for at, anchor, length, extent in zip(position, (patch.row, patch.column), size, patch.cover.shape, strict=True):
        first = round(at) - anchor
        low, high = min(max(first, 0), length), max(min(first + extent, length), 0)
        own.append(slice(low, max(high, low)))
        theirs.append(slice(low - first, max(high, low) - first))
    return (own[0], own[1]), (theirs[0], theirs[1])


def _put(host: Host, known: Ground, image: NDArray[Any], drawn: Drawn) -> Finding:
    """Change `image` where the defect is, and tell what was done."""
    seed = Seed(drawn.key)
    patch = defects.paint(drawn.kind, drawn.values, seed.child("paint"))
    patch = patch.padded(_margin(known))
    own, theirs = _overlap(patch, drawn.position, host.shape)
    region = host.region[own]
    outline = patch.outline[theirs] * region
    mask = patch.mask[theirs] & region
    here = surface_look.here(known, own, drawn.values)
    alpha, made = surface_look.blend(
        image, here, own, patch.cover[theirs] * region, drawn, seed, limits=host.limits, region=region
    )
    before = image[own].copy().reshape(*alpha.shape, -1)
    image[own] = _stored(before, made, alpha, host).reshape(image[own].shape)
    change = image[own].reshape(*alpha.shape, -1).astype(float).mean(-1) - before.astype(float).mean(-1)
    return _finding(host, known, drawn, own, mask=mask, alpha=alpha, outline=outline, change=change)


def _stored(before: NDArray[Any], made: Array, alpha: Array, host: Host) -> NDArray[Any]:
    """Values as the host stores them; those that alpha leaves alone, bit for bit."""
    kept = np.clip(made, *host.limits)
    if np.issubdtype(host.image.dtype, np.integer):
        kept = np.rint(kept)
    return np.where((alpha > 0)[..., None], kept.astype(host.image.dtype), before)


def _finding(
    host: Host, known: Ground, drawn: Drawn, own: tuple[slice, slice], *,
    mask: NDArray[np.bool_], alpha: Array, outline: Array, change: Array,
) -> Finding:  # fmt: skip
    corner = (own[0].start, own[1].start)
    scale = float(np.prod(host.spacing))
    noise = max(float(known.noise[own][mask].mean()) if mask.any() else known.sd, 1e-9)
    contrast = float(change[mask].mean()) if mask.any() else 0.0
    half = np.abs(change) >= 0.5 * abs(contrast)
    sized = equal_diameter(float(mask.sum()) * scale, 2)
    around = known.noise[own][~mask & host.region[own]]
    complexity = float(np.clip(1 - (known.sd / max(float(around.mean()), 1e-9)) ** 2, 0, 1)) if around.size else 0.0
    row, column = (min(max(round(p), 0), n - 1) for p, n in zip(drawn.position, host.shape, strict=True))
    return Finding(
        drawn=drawn,
        corner=corner,
        mask=mask,
        alpha=alpha.astype(np.float32),
        box=box_of(mask, corner),
        size=Size(
            requested=equal_diameter(float(outline.sum()) * scale, 2),
            mask=sized,
            fwhm=None if drawn.null or contrast == 0 else equal_diameter(float(half.sum()) * scale, 2),
        ),
        contrast=contrast,
        contrast_to_noise=abs(contrast) / noise,
        distances={"edge": float(known.edge_px[own][mask].min()) if mask.any() else float(known.edge_px[row, column])},
        complexity=complexity,
        difficulty=difficulty(contrast / noise, sized / known.blur_px, complexity),
        host_model={
            "blur_px": known.blur_px,
            "noise": noise,
            "noise_length_px": known.noise_length_px,
            "level": float(known.light[own][mask].mean()) if mask.any() else float(known.light[row, column]),
        },
    )
