"""Nodules on projection radiographs: the shape of CT, projected along the beam, blurred, times a calibrated gain.

UNVALIDATED: made from physics alone, and held against no real nodule, no detector and no reader. Beam hardening,
scatter, magnification within the chest and the more noise behind more tissue are left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant import blend
from tuckpoint.implant.appearance import Appearance, draw
from tuckpoint.implant.laying import Laid, Placed, Taken, check_null, implanted, inside, seated
from tuckpoint.implant.projection import Projected, project
from tuckpoint.implant.radiograph_gain import Gain
from tuckpoint.implant.radiograph_host import Film, film
from tuckpoint.implant.shape import Outline
from tuckpoint.implant.values import (
    UNVALIDATED,
    Array,
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
from tuckpoint.record import canonical
from tuckpoint.seed import Seed

PINS = ("kind", "diameter_mm", "density", "sharpness")
SIZE_MM = (6.0, 30.0)  # smaller ones are hardly seen on films, larger ones are called masses
TISSUE_HU, AIR_HU = 40.0, -1000.0  # what a wedge adds, and what it displaces
LUNG_HU = -850.0
TRIES = 40  # places tried for one nodule, if the film is cut off at a limit
APART_MM, BORDER_MM, AROUND_MM = 4.0, 2.0, 8.0
HALF_HIDDEN_MM = 5.0  # structure of as much tissue as this has a complexity of a half
BLOB, SURROUND, SEEN = 0.5, 2.0, 0.75  # blobs of a size, in radii; what a disc of that radius keeps of its contrast
ROSE = 12.0  # makes `easy` what stands five times above the structure of its size (Rose 1948)


@dataclass(frozen=True)
class RadiographNodule:
    """Part `radiograph-nodule`: nodules of `look` on films of this `gain`; they displace lung of `displaced_hu`.

    What a nodule adds is its thickness along the beam times its density times the gain; density is 1 for tissue in
    place of air, .84 for a solid nodule in place of lung. Raises InputError for a gain of 0 and a density out of range.
    """

    name: ClassVar[str] = "radiograph-nodule"
    unvalidated: ClassVar[str] = UNVALIDATED
    gain: Gain
    look: Appearance = field(default_factory=lambda: Appearance(size_mm=SIZE_MM))
    displaced_hu: float = LUNG_HU

    def __post_init__(self) -> None:
        if not -1000 <= self.displaced_hu <= -750:
            raise InputError(f"displaced_hu is {self.displaced_hu}; lung lies from -1000 to -750 HU")

    def plan(
        self, host: Host, seed: Seed, *, count: int = 1, null: float = 0.0, pins: Mapping[str, Any] | None = None
    ) -> tuple[Drawn, ...]:
        """All choices for `count` nodules; see Adapter. Pins: kind, diameter_mm, density, sharpness.

        Raises InputError where the gain's sign is not that of the film, and where the film is cut off everywhere.
        """
        pins = dict(pins or {})
        check_pins(pins, PINS)
        check_null(null)
        known = film(host)
        check_sign(host, known, self.gain)
        look = self.look if "kind" not in pins else replace(self.look, kinds={pins["kind"]: 1.0})
        drawn = [self._draw(look, seed.child("nodule", number), pins) for number in range(count)]

        def find(own: Seed, values: Mapping[str, Any], taken: Taken) -> tuple[Placed | None, dict[str, Any]]:
            return _place(host, known, values, taken, own.child("place").numpy()), {}

        return seated(host, drawn, seed, null=null, model=known.to_dict(), find=find)

    def _draw(self, look: Appearance, seed: Seed, pins: Mapping[str, Any]) -> dict[str, Any]:
        values = draw(look, seed)
        told = {name: value for name, value in values.items() if not name.startswith("texture")}
        told["density"] = self._density(values["value_hu"])
        if values["kind"] == "part-solid":
            told["halo_density"] = self._density(values["halo_hu"])
        return {**told, "gain": self.gain.grey_per_mm, **{name: pins[name] for name in pins if name != "kind"}}

    def _density(self, value_hu: float) -> float:
        return (value_hu - self.displaced_hu) / (TISSUE_HU - AIR_HU)

    def implant(self, host: Host, drawn: tuple[Drawn, ...]) -> Implanted:
        """The host with these nodules; see Adapter."""
        return implanted(host, drawn, _laid, _finding)

    def settings(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Place:
    """A pixel, how far the border of the lung and of the film are, and what stands around.

    `structure` is how much blobs of the nodule's size stand out around there by themselves (standard deviation, grey
    levels), `complexity` the same as tissue, from 0 to 1. `tries` counts the places that were looked at.
    """

    position: tuple[int, ...]
    wall_mm: float
    edge_mm: float
    complexity: float
    structure: float
    tries: int


def check_sign(host: Host, known: Film, gain: Gain) -> None:
    """Raise InputError where the lung is brighter than what surrounds it and tissue is said to brighten, or reverse."""
    if known.step * gain.grey_per_mm < 0 and abs(known.step) > known.noise:
        more, less = ("brighter", "darker") if gain.grey_per_mm > 0 else ("darker", "brighter")
        raise InputError(
            f"{host.name}: by the gain ({gain.grey_per_mm:g}) tissue is {more}, yet what surrounds the lung mask is "
            f"{less} than the lung, by {abs(known.step):.0f} grey levels; give the gain with the other sign (greys "
            "count as MONOCHROME2 shows them), or the mask that marks lung"
        )


@dataclass(frozen=True, eq=False)
class Shadow:
    """What a nodule does to a film wherever it stands: crops whose first pixel lies `corner` from its place.

    `change` is in grey levels, before rounding.
    """

    alpha: Array
    mask: Array
    thickness: Array
    change: Array
    corner: tuple[int, ...]

    def at(self, host: Host, place: tuple[int, ...]) -> tuple[tuple[slice, ...], tuple[int, ...]]:
        """The part of the crops that lies in the host if it stands there, and the corner of that part."""
        corner = tuple(c + p for c, p in zip(self.corner, place, strict=True))
        return inside(host, self.mask.shape, corner, (0, 0))


@lru_cache(maxsize=8)  # a nodule is drawn at planning, to see whether it fits, and again when it is laid in
def _projected(
    outline: bytes, offset: tuple[float, ...], spacing: tuple[float, ...], size: float, core: float
) -> Projected:
    return project(Outline.from_dict(json.loads(outline)), offset, spacing, diameter=size, core=core)


def shadow(values: Mapping[str, Any], spacing: tuple[float, ...]) -> Shadow:
    """Thickness along the beam, blurred as the film is, times density and gain."""
    made = _projected(
        canonical(values["outline"]), tuple(values["offset"][1:]), spacing, values["diameter_mm"], values["core"]
    )
    psf = (values["host"]["psf_mm_y"], values["host"]["psf_mm_x"])
    sigmas = blend.point_spread(psf, spacing, values["sharpness"])
    pad = [int(np.ceil(4 * s)) for s in sigmas]
    thick, core, mask = (np.pad(a, [(p, p) for p in pad]) for a in (made.thickness, made.core, made.mask))
    most = max(float(thick.max()), 1e-6)
    alpha = blend.soften(thick / most, sigmas)
    tissue = values["density"] * alpha * most  # mm
    if "halo_density" in values:
        inner = np.where(alpha > 0, ndimage.gaussian_filter(core, sigmas, mode="constant"), 0)
        tissue = values["halo_density"] * (alpha * most - inner) + values["density"] * inner
    corner = tuple(c - p for c, p in zip(made.corner, pad, strict=True))
    return Shadow(alpha, mask, thick, values["gain"] * tissue, corner)


def _place(host: Host, known: Film, values: Mapping[str, Any], taken: Taken, rng: np.random.Generator) -> Place | None:
    """A pixel of the lung, no nearer to its border than the nodule and its blur reach, where no value is cut off.

    None if there is none; raises InputError if there are some, and the film is cut off at all that were tried.
    """
    radius = 0.5 * values["diameter_mm"]
    free = np.flatnonzero(_free(host, known, radius, taken))
    if not len(free):
        return None
    cast = shadow({**values, "host": known.to_dict()}, host.spacing)
    for number in range(1, TRIES + 1):
        at = divmod(int(free[rng.integers(len(free))]), host.shape[1])
        crop, corner = cast.at(host, at)
        where = tuple(slice(c, c + s.stop - s.start) for c, s in zip(corner, crop, strict=True))
        new = host.image[where] + cast.change[crop]
        touched = cast.alpha[crop] > 0
        if not (touched & ((new < host.limits[0]) | (new > host.limits[1]))).any():
            return _measured(host, known, at, values, tries=number)
    low, high = host.limits
    limit = high if values["gain"] > 0 else low
    share = float((host.image[host.region] == limit).mean())
    raise InputError(
        f"{host.name}: saturated: a nodule {2 * radius:.1f} mm across adds up to {np.abs(cast.change).max():.0f} grey "
        f"levels, which would be cut off at {limit:g} at all {TRIES} places tried ({share:.0%} of the lung stand there "
        "now); give the film with more bits, or smaller nodules"
    )


def _free(host: Host, known: Film, radius: float, taken: Taken) -> Array:
    """(h, w) bool: where the middle of a nodule of this radius may lie."""
    free = known.wall_mm >= radius + 2 * max(known.psf_mm)
    y, x = ((np.arange(n), n, s) for n, s in zip(host.shape, host.spacing, strict=True))
    rows, columns = ((np.minimum(at, n - 1 - at) * s >= radius + BORDER_MM) for at, n, s in (y, x))
    free &= rows[:, None] & columns
    if host.centres is not None:
        free &= host.centres
    if host.avoid is not None and host.avoid.any():
        free &= ndimage.distance_transform_edt(~host.avoid, sampling=host.spacing) > radius + BORDER_MM
    for (row, column), other in taken:
        far = ((y[0] - row) * y[2])[:, None] ** 2 + ((x[0] - column) * x[2]) ** 2
        free &= far >= (radius + other + APART_MM) ** 2
    return np.asarray(free)


def _measured(host: Host, known: Film, at: tuple[int, int], values: Mapping[str, Any], *, tries: int) -> Place:
    """The place with what stands around it in the lung, as far as a nodule's radius and AROUND_MM."""
    radius = 0.5 * values["diameter_mm"]
    half = [int(np.ceil((radius + AROUND_MM) / s)) for s in host.spacing]
    where = tuple(slice(max(a - h, 0), a + h + 1) for a, h in zip(at, half, strict=True))
    light = host.image[where].astype(np.float32)
    fine, wide = (
        ndimage.gaussian_filter(light, [share * radius / s for s in host.spacing], mode="nearest")
        for share in (BLOB, SURROUND)
    )
    structure = max(float((fine - wide)[host.region[where]].std()), 1e-3 * known.noise)
    tissue = structure / abs(values["gain"])
    edge = min(min(a, n - 1 - a) * s for a, n, s in zip(at, host.shape, host.spacing, strict=True))
    return Place(at, float(known.wall_mm[at]), float(edge), tissue / (tissue + HALF_HIDDEN_MM), structure, tries)


def _laid(host: Host, image: Array, one: Drawn) -> Laid:
    """The shadow at its place. What rounding would lose of it is drawn, so that faint rims fade without steps."""
    cast = shadow(one.values, host.spacing)
    crop, corner = cast.at(host, tuple(one.values["place"]["position"]))
    alpha, change = cast.alpha[crop], cast.change[crop]
    lost = Seed(one.key % 2**63).child("rounding").numpy().uniform(-0.499, 0.499, cast.alpha.shape)[crop]
    added = np.divide(change + lost, alpha, out=np.zeros_like(alpha), where=alpha > 0)
    return Laid(alpha, cast.mask[crop], added, corner, cast.thickness[crop])


def _finding(host: Host, one: Drawn, laid: Laid, changed: Array) -> Finding:
    """The truth about what was laid in; `changed` is the film after minus before."""
    pixel = float(np.prod(host.spacing))
    model, place, diameter = one.values["host"], one.values["place"], one.values["diameter_mm"]
    contrast = float(changed[laid.mask].mean()) if laid.mask.any() else 0.0
    towards = changed * np.sign(one.values["gain"])
    peak = float(np.quantile(towards[laid.mask], 0.95)) if laid.mask.any() else 0.0
    fwhm = equal_diameter(float((towards >= peak / 2).sum()) * pixel, 2) if peak > 1 else None
    return Finding(
        drawn=one,
        corner=laid.corner,
        mask=laid.mask,
        alpha=laid.alpha,
        box=box_of(laid.mask, laid.corner),
        size=Size(diameter, equal_diameter(float(laid.mask.sum()) * pixel, 2), fwhm),
        contrast=contrast,
        contrast_to_noise=contrast / model["noise"],
        distances={"wall": place["wall_mm"], "edge": place["edge_mm"]},
        complexity=place["complexity"],
        # Anatomy hides nodules on films, not grain: structure of the same size counts as noise here.
        difficulty=difficulty(SEEN * contrast / place["structure"], ROSE, 0.0),
        host_model=model,
        thickness=laid.thickness,
    )
