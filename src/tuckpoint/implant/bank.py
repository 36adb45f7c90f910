"""A bank of few real nodules: carved out with a soft edge, turned, scaled, and laid into other hosts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy import ndimage

from tuckpoint.errors import InputError
from tuckpoint.implant import blend
from tuckpoint.implant.ct import placed, told
from tuckpoint.implant.laying import Laid, implanted, inside
from tuckpoint.implant.scan import ScanModel, check_hounsfield, scan_model
from tuckpoint.implant.shape import rotation
from tuckpoint.implant.values import Array, Drawn, Host, Implanted, check_pins, equal_diameter
from tuckpoint.seed import Seed

PINS = ("item", "zoom", "attached")
MARGIN_MM = 5.0  # of a real nodule's surroundings that is kept with it
SOFT_MM = 0.7
NEAR_CUBE = 1.15  # voxels whose sides differ by less may be turned about any axis


@dataclass(frozen=True, eq=False)
class Real:
    """A real nodule: a crop in HU without its noise, its mask, spacing, and whose it is (`group`)."""

    name: str
    image: Array  # (z, y, x) float32
    mask: Array  # (z, y, x) bool
    spacing: tuple[float, ...]
    group: str

    @property
    def diameter_mm(self) -> float:
        """The diameter of a ball of the mask's volume."""
        return equal_diameter(float(self.mask.sum() * np.prod(self.spacing)), 3)

    @property
    def sha256(self) -> str:
        """The digest of crop, mask and spacing."""
        told = (self.image.shape, self.image.astype("<f4").tobytes(), self.mask.tobytes(), self.spacing)
        texts = (one if isinstance(one, bytes) else repr(one).encode() for one in told)
        return hashlib.sha256(b"\0".join(texts)).hexdigest()


def carve(name: str, image: Array, mask: Array, spacing: tuple[float, ...], *, group: str = "") -> Real:
    """Cut a real nodule out of its image (z, y, x; HU); its noise stays behind, since the new host brings its own.

    Raises InputError for images that are not in HU, empty masks, and masks of another geometry.
    """
    check_hounsfield(name, image)
    mask = mask.astype(bool)
    if mask.shape != image.shape:
        raise InputError(f"{name}: the mask has shape {mask.shape}, the image {image.shape}; give its own mask")
    if not mask.any():
        raise InputError(f"{name}: the mask is empty; mark the nodule, or leave this image out of the bank")
    host = Host(name, image, spacing, "mm", np.ones(mask.shape, bool), (-1024, 3071))
    noise = scan_model(host).noise_hu
    found = np.argwhere(mask)
    pad = [int(np.ceil(MARGIN_MM / s)) for s in spacing]
    where = tuple(
        slice(max(int(a) - p, 0), int(b) + p + 1)
        for a, b, p in zip(found.min(axis=0), found.max(axis=0), pad, strict=True)
    )
    return Real(name, blend.quiet(image[where], noise, spacing), mask[where], spacing, group or name)


@dataclass(frozen=True, eq=False)
class NoduleBank:
    """Real nodules, turned, scaled by a factor from `zoom`, and laid into hosts with a soft edge.

    Raises InputError at planning if a host's patient is in the bank: an implant would then show its own host.
    """

    name: ClassVar[str] = "lung-nodule from a bank"
    bank: Sequence[Real]
    zoom: tuple[float, ...] = (0.8, 1.25)
    attached: float = 0.45
    own_hosts: bool = False  # let patients of the bank be hosts too

    def __post_init__(self) -> None:
        if not self.bank:
            raise InputError("the bank is empty; carve one real nodule or more")
        if not 0.2 <= self.zoom[0] <= self.zoom[1] <= 5:
            raise InputError(f"zoom is {self.zoom}; give its lowest and highest factor, from 0.2 to 5")

    def plan(
        self, host: Host, seed: Seed, *, count: int = 1, null: float = 0.0, pins: Mapping[str, Any] | None = None
    ) -> tuple[Drawn, ...]:
        """All choices for `count` nodules; see Adapter. Pins: item (place in the bank), zoom, attached."""
        pins = dict(pins or {})
        check_pins(pins, PINS)
        if not self.own_hosts and host.group in {real.group for real in self.bank}:
            raise InputError(f"{host.name}: its patient {host.group} is in the bank; use other hosts, or allow it")
        chosen = [self._draw(host, seed.child("nodule", number), pins) for number in range(count)]
        return placed(host, chosen, seed, attached=self.attached, null=null)

    def _draw(self, host: Host, seed: Seed, pins: Mapping[str, Any]) -> dict[str, Any]:
        item = int(pins.get("item", seed.child("item").numpy().integers(len(self.bank))))
        low, high = self.zoom
        zoom = float(pins.get("zoom", np.exp(seed.child("zoom").numpy().uniform(np.log(low), np.log(high)))))
        real = self.bank[item]
        turn = _turn(real.spacing, host.spacing, seed.child("turn").numpy())
        fixed = {k: v for k, v in pins.items() if k == "attached"}
        return {
            "kind": "real", "item": item, "source": real.name, "source_group": real.group, "zoom": zoom,
            "diameter_mm": zoom * real.diameter_mm, "turn": np.round(turn, 6).tolist(),
            "offset": [float(v) for v in seed.child("offset").numpy().uniform(-0.5, 0.5, 3)], **fixed,
        }  # fmt: skip

    def implant(self, host: Host, drawn: tuple[Drawn, ...]) -> Implanted:
        """The host with these nodules; see Adapter."""
        return implanted(host, drawn, self._laid, told)

    def _laid(self, host: Host, image: Array, one: Drawn) -> Laid:
        """The real nodule at its new place: alpha from the dilated mask, and what it is brighter than the host."""
        values, model = one.values, ScanModel.from_dict(one.values["host"])
        real = self.bank[values["item"]]
        reach = 0.5 * values["zoom"] * np.asarray(real.mask.shape) * real.spacing
        half = np.ceil(np.linalg.norm(reach) / np.asarray(host.spacing)).astype(int)
        whole = [2 * int(h) + 1 for h in half]
        low = [round(p) - int(h) for p, h in zip(one.position, half, strict=True)]
        crop, corner = inside(host, tuple(whole), tuple(low), [0, 0, 0])
        size = tuple(c.stop - c.start for c in crop)
        filled = self._moved(real, real.mask.astype(np.float32), one, host.spacing, corner, size, 0.0)
        ground = float(np.quantile(real.image, 0.1))
        density = self._moved(real, real.image, one, host.spacing, corner, size, ground, order=3)
        wanted = max(1, round(np.pi / 6 * values["diameter_mm"] ** 3 / float(np.prod(host.spacing))))
        level = np.partition(filled, -min(wanted, filled.size), axis=None)[-min(wanted, filled.size)]
        mask = filled >= max(float(level), 1e-3)
        wide = ndimage.grey_dilation(np.clip(filled, 0, 1), size=3)
        alpha = blend.soften(wide, tuple(SOFT_MM / s for s in host.spacing))
        where = tuple(slice(c, c + n) for c, n in zip(corner, size, strict=True))
        beneath = blend.quiet(image[where], model.noise_hu, host.spacing)
        return Laid(alpha, mask, blend.change(beneath, density, merge_above=-np.inf), corner)

    def _moved(
        self, real: Real, values: Array, one: Drawn, spacing: tuple[float, ...], corner: tuple[int, ...],
        size: tuple[int, ...], outside: float, *, order: int = 1,
    ) -> Array:  # fmt: skip
        """The crop turned, scaled and resampled onto the host's voxels, in one interpolation."""
        turn, zoom = np.asarray(one.values["turn"]), one.values["zoom"]
        back = np.diag(1 / np.asarray(real.spacing)) @ turn.T @ np.diag(spacing) / zoom
        middle = np.argwhere(real.mask).mean(axis=0)
        offset = middle + back @ (np.asarray(corner, float) - np.asarray(one.position))
        return np.asarray(
            ndimage.affine_transform(values, back, offset, size, order=order, mode="constant", cval=outside), np.float32
        )


def _turn(real: tuple[float, ...], host: tuple[float, ...], rng: np.random.Generator) -> Array:
    """A random turn with or without mirroring; about z alone where voxels are far from cubes, as their blur is too."""
    mirror = np.diag(np.where(rng.random(3) < 0.5, -1.0, 1.0))
    free, angle = rotation(rng), rng.uniform(0, 2 * np.pi)
    if max(max(s) / min(s) for s in (real, host)) <= NEAR_CUBE:
        return np.asarray(free @ mirror)
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ mirror)
