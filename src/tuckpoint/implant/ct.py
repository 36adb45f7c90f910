"""Lung nodules in CT volumes, in Hounsfield units and millimetres: drawn, placed by anatomy, laid into the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant import blend, shape
from tuckpoint.implant.appearance import MERGING, Appearance, draw
from tuckpoint.implant.laying import Laid, Taken, check_null, implanted, inside, seated
from tuckpoint.implant.lung import lung_region
from tuckpoint.implant.place import Place, find_place
from tuckpoint.implant.scan import LIMITS, ScanModel, check_hounsfield, scan_model
from tuckpoint.implant.values import (
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
from tuckpoint.seed import Seed

PINS = ("kind", "diameter_mm", "value_hu", "attached", "texture_hu", "sharpness")


@dataclass(frozen=True)
class LungNodule:
    """Parametric nodules: an appearance, and the share that is attached to vessels or walls rather than free."""

    name: ClassVar[str] = "lung-nodule"
    look: Appearance = field(default_factory=Appearance)
    attached: float = 0.45

    def __post_init__(self) -> None:
        if not 0 <= self.attached <= 1:
            raise InputError(f"attached is {self.attached}; give a share from 0 to 1")

    def plan(
        self, host: Host, seed: Seed, *, count: int = 1, null: float = 0.0, pins: Mapping[str, Any] | None = None
    ) -> tuple[Drawn, ...]:
        """All choices for `count` nodules; see Adapter. Pins: kind, diameter_mm, value_hu, attached ..."""
        pins = dict(pins or {})
        check_pins(pins, PINS)
        look = self.look if "kind" not in pins else replace(self.look, kinds={pins["kind"]: 1.0})
        drawn = []
        for number in range(count):
            values = draw(look, seed.child("nodule", number)) | {k: v for k, v in pins.items() if k != "kind"}
            drawn.append(values)
        return placed(host, drawn, seed, attached=self.attached, null=null)

    def implant(self, host: Host, drawn: tuple[Drawn, ...]) -> Implanted:
        """The host with these nodules; see Adapter."""
        return implanted(host, drawn, template, told)


def ct_host(
    name: str,
    image: Array,
    spacing: tuple[float, ...],
    *,
    lung: Array | None = None,
    avoid: Array | None = None,
    group: str = "",
    geometry: Mapping[str, Any] | None = None,
) -> Host:
    """A CT volume (z, y, x) in HU as host; `lung` is found if it is not given.

    Raises InputError for images that are not in HU, that show no lung, or whose mask has another geometry.
    """
    check_hounsfield(name, image)
    if len(spacing) != 3 or not all(s > 0 for s in spacing):
        raise InputError(f"{name}: spacing {spacing} is not three lengths above 0 (z, y, x in mm)")
    region = lung_region(name, image, spacing) if lung is None else lung.astype(bool)
    if not region.any():
        raise InputError(f"{name}: the lung mask is empty; leave it out, and the lung is sought")
    return Host(
        name=name, image=image, spacing=spacing, unit="mm", region=region, limits=LIMITS, group=group or name,
        avoid=None if avoid is None else avoid.astype(bool), geometry=geometry or {},
    )  # fmt: skip


def placed(host: Host, drawn: list[dict[str, Any]], seed: Seed, *, attached: float, null: float) -> tuple[Drawn, ...]:
    """Give each nodule a place, the host's model and a key; raises InputError where no place is left."""
    check_null(null)
    model = scan_model(host).to_dict()
    candidates = np.flatnonzero(host.region if host.centres is None else host.region & host.centres)
    if not len(candidates):
        raise InputError(f"{host.name}: no voxel of the region may be the middle of a finding")

    def find(own: Seed, values: Mapping[str, Any], taken: Taken) -> tuple[Place | None, dict[str, Any]]:
        touching = bool(values.get("attached", own.child("attached").numpy().random() < attached))
        radius = 0.5 * values["diameter_mm"]
        rng = own.child("place").numpy()
        place = find_place(
            host, candidates, rng, radius_mm=radius, attached=touching, taken=taken, margin_mm=radius + 2.0
        )
        return place, {"attached": touching}

    return seated(host, drawn, seed, null=null, model=model, find=find)


def template(host: Host, image: Array, one: Drawn) -> Laid:
    """The parametric nodule: shape, point spread, density, texture, and merging with what is beneath."""
    values, model = one.values, ScanModel.from_dict(one.values["host"])
    filled = shape.fill(
        shape.Outline.from_dict(values["outline"]), one.position, host.spacing,
        diameter=values["diameter_mm"], core=values["core"],
    )  # fmt: skip
    sigmas = blend.point_spread(model.psf_mm, host.spacing, values["sharpness"])
    pad = [int(np.ceil(4 * s)) for s in sigmas]
    within, corner = inside(host, filled.mask.shape, filled.corner, pad)
    occupancy, core, mask = (
        np.pad(a, [(p, p) for p in pad])[within] for a in (filled.occupancy, filled.core, filled.mask)
    )
    alpha = blend.soften(occupancy, sigmas)
    density = np.full(alpha.shape, values["value_hu"], np.float32)
    if one.kind == "part-solid":
        soft = blend.soften(core, sigmas)
        density = values["halo_hu"] * (1 - soft) + values["value_hu"] * soft
    rng = Seed(one.key % 2**63).numpy()
    grain = blend.field(alpha.shape, tuple(values["texture_mm"] / s for s in host.spacing), rng)
    where = tuple(slice(c, c + n) for c, n in zip(corner, alpha.shape, strict=True))
    beneath = blend.quiet(image[where], model.noise_hu, host.spacing)
    merge_above = -np.inf if one.kind in MERGING else -300.0
    added = blend.change(beneath, density + values["texture_hu"] * grain, merge_above=merge_above)
    return Laid(alpha, mask, added, corner)


def told(host: Host, one: Drawn, laid: Laid, changed: Array) -> Finding:
    """The truth about what was laid in; `changed` is the image after minus before."""
    voxel = float(np.prod(host.spacing))
    model, place = one.values["host"], one.values["place"]
    contrast = float(changed[laid.mask].mean()) if laid.mask.any() else 0.0
    peak = float(np.quantile(changed[laid.mask], 0.95)) if laid.mask.any() else 0.0
    fwhm = equal_diameter(float((changed >= peak / 2).sum()) * voxel, 3) if peak > model["noise_hu"] / 2 else None
    psf = float(np.mean([model[f"psf_mm_{axis}"] for axis in "zyx"]))
    cnr = contrast / model["noise_hu"]
    return Finding(
        drawn=one,
        corner=laid.corner,
        mask=laid.mask,
        alpha=laid.alpha,
        box=box_of(laid.mask, laid.corner),
        size=Size(one.values["diameter_mm"], equal_diameter(float(laid.mask.sum()) * voxel, 3), fwhm),
        contrast=contrast,
        contrast_to_noise=cnr,
        distances={"vessel": place["vessel_mm"], "wall": place["wall_mm"], "edge": place["edge_mm"]},
        complexity=place["complexity"],
        difficulty=difficulty(cnr, one.values["diameter_mm"] / (2.355 * psf), place["complexity"]),
        host_model=model,
    )
