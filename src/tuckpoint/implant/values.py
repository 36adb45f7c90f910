"""What every implanter takes and gives: a healthy host, the drawn choices, the finding, and the pair they make."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.seed import Seed

Array = NDArray[Any]
Unit = Literal["mm", "px"]
BINS = ("easy", "medium", "hard")
UNVALIDATED = "UNVALIDATED: projected by physics alone, held against no real nodule, no detector and no reader"


@dataclass(frozen=True, eq=False)
class Host:
    """A healthy image, as stored; it is never written to.

    `image` has one axis for each entry of `spacing` (z, y, x in mm; row, column in px, of radiographs in mm) and, for
    colour, one more for channels. `region` (bool, without channels) is where findings may stand, `avoid` what they must
    not touch (findings that are there already), `centres` where the middle of a finding may lie (default: anywhere in
    the region). `limits` are the lowest and highest value of the modality. `group` is the patient, series or part: one
    group is never on both sides of a comparison. `geometry` is what a file format needs to give the image back (origin,
    direction ...). Raises InputError if shapes disagree.
    """

    name: str
    image: Array
    spacing: tuple[float, ...]
    unit: Unit
    region: Array
    limits: tuple[float, float]
    group: str = ""
    avoid: Array | None = None
    centres: Array | None = None
    geometry: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, mask in (("region", self.region), ("avoid", self.avoid), ("centres", self.centres)):
            if mask is not None and mask.shape != self.shape:
                raise InputError(
                    f"{self.name}: the mask ({what}) has shape {mask.shape}, the image {self.shape}; "
                    "it belongs to another image or was resampled: give one of the same geometry"
                )
        if len(self.spacing) not in (2, 3) or not all(np.isfinite(s) and s > 0 for s in self.spacing):
            raise InputError(f"{self.name}: spacing {self.spacing} is not two or three lengths above 0")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape without channels."""
        return self.image.shape[: len(self.spacing)]

    @cached_property
    def sha256(self) -> str:
        """The digest of type, shape and values: what a pair names its untouched half by."""
        head = f"{self.image.dtype.str} {self.image.shape}".encode()
        return hashlib.sha256(head + np.ascontiguousarray(self.image).tobytes()).hexdigest()


@dataclass(frozen=True)
class Drawn:
    """All choices for one finding, drawn before any pixel is made; JSON can hold it, and doing it again gives the same.

    `values` bear their unit in their name (`diameter_mm`, `core_hu`, `turn_deg`). `position` is in voxels or pixels of
    the host. `key` seeds the random fields (texture, noise). With `null` the same code runs at zero contrast.
    """

    kind: str
    position: tuple[float, ...]
    values: Mapping[str, Any]
    key: int
    null: bool = False


@dataclass(frozen=True)
class Size:
    """Diameters of balls (or discs) of equal volume (or area), in the unit of the host's spacing.

    `requested` is what was asked for, `mask` what the pre-blur mask holds, `fwhm` what stands above half the contrast
    in the finished image (None where there is none: nulls, and what drowns).
    """

    requested: float
    mask: float
    fwhm: float | None


@dataclass(frozen=True, eq=False)
class Finding:
    """One implanted finding and the truth about it.

    `mask` (bool: occupancy before the blur is at least a half) and `alpha` (float32, 0..1: how much of the voxel was
    touched; where it is 0 the image is bit-equal to the host) are crops whose first voxel is `corner` of the host.
    `box` is the half-open range of the mask in the host, for each axis. `contrast` is the mean change inside the mask,
    in units of the image; `contrast_to_noise` divides it by the host's noise. `distances` are in the unit of the
    spacing: `vessel`, `wall`, `edge` (of the image). `complexity` is how much structure stands around (0..1),
    `difficulty` one of BINS, `host_model` what was estimated of the host (point spread, noise, correlation).
    Of projections, `thickness` (float32, mm, before the blur) is how thick the finding is along the beam.
    """

    drawn: Drawn
    corner: tuple[int, ...]
    mask: Array
    alpha: Array
    box: tuple[tuple[int, int], ...]
    size: Size
    contrast: float
    contrast_to_noise: float
    distances: Mapping[str, float]
    complexity: float
    difficulty: str
    host_model: Mapping[str, float]
    thickness: Array | None = None

    @property
    def kind(self) -> str:
        """What it is."""
        return self.drawn.kind

    @property
    def null(self) -> bool:
        """Made by the same code at zero contrast."""
        return self.drawn.null

    @property
    def window(self) -> tuple[slice, ...]:
        """Where the crops lie in the host."""
        return tuple(slice(c, c + n) for c, n in zip(self.corner, self.mask.shape, strict=True))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; mask and alpha travel as images."""
        return {
            "kind": self.kind,
            "null": self.null,
            "position": [float(p) for p in self.drawn.position],
            "drawn": dict(self.drawn.values),
            "key": self.drawn.key,
            "box": [list(map(int, side)) for side in self.box],
            "voxels": int(self.mask.sum()),
            "size": {"requested": self.size.requested, "mask": self.size.mask, "fwhm": self.size.fwhm},
            "contrast": self.contrast,
            "contrast_to_noise": self.contrast_to_noise,
            "distances": dict(self.distances),
            "complexity": self.complexity,
            "difficulty": self.difficulty,
            "host_model": dict(self.host_model),
        }


@dataclass(frozen=True, eq=False)
class Implanted:
    """The untouched host and the image with findings: they differ where an alpha is above 0 and nowhere else."""

    host: Host
    image: Array
    findings: tuple[Finding, ...]

    def mask(self) -> Array:
        """(host.shape) uint16: 0, or the number of the finding from 1; nulls are no findings and stay 0."""
        labels = np.zeros(self.host.shape, np.uint16)
        for number, finding in enumerate(self.findings, start=1):
            if not finding.null:
                labels[finding.window][finding.mask] = number
        return labels

    def alpha(self) -> Array:
        """(host.shape) float32: the largest alpha at each voxel, nulls too."""
        whole = np.zeros(self.host.shape, np.float32)
        for finding in self.findings:
            np.maximum(whole[finding.window], finding.alpha, out=whole[finding.window])
        return whole

    @property
    def projected(self) -> bool:
        """Whether findings were projected onto a radiograph: they have a thickness, and are UNVALIDATED."""
        return any(finding.thickness is not None for finding in self.findings)

    def thickness(self) -> Array:
        """(host.shape) float32: how thick findings are along the beam, in mm; nulls are no findings and stay 0."""
        whole = np.zeros(self.host.shape, np.float32)
        for finding in self.findings:
            if finding.thickness is not None and not finding.null:
                whole[finding.window] += finding.thickness
        return whole

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "host": self.host.name,
            "group": self.host.group,
            "host_sha256": self.host.sha256,
            "spacing": [float(s) for s in self.host.spacing],
            "unit": self.host.unit,
            "findings": [finding.to_dict() for finding in self.findings],
        }


class Adapter(Protocol):
    """A part of kind "implant" for one kind of image: frozen settings and two functions.

    `plan` draws, `implant` does what was drawn and is deterministic. `count` findings are planned, each null with the
    chance `null`; `pins` replace draws by name and never shift the others. Both raise InputError for a host that this
    adapter cannot use (no lung, 8 bits instead of HU ...), and where no place is left.
    """

    def plan(
        self, host: Host, seed: Seed, *, count: int = 1, null: float = 0.0, pins: Mapping[str, Any] | None = None
    ) -> tuple[Drawn, ...]:
        """All choices for `count` findings in this host."""
        ...

    def implant(self, host: Host, drawn: tuple[Drawn, ...]) -> Implanted:
        """The host with these findings."""
        ...


def check_pins(pins: Iterable[str], known: Collection[str]) -> None:
    """Raise InputError for a pinned choice that is none of those drawn."""
    for name in pins:
        if name not in known:
            raise InputError(f'no choice "{name}"{did_you_mean(name, known)}; there are: {", ".join(known)}')


def box_of(mask: Array, corner: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The half-open range of a mask's true voxels along each axis, moved by `corner`; empty masks give (c, c)."""
    found = np.argwhere(mask)
    if not len(found):
        return tuple((c, c) for c in corner)
    low, high = found.min(axis=0), found.max(axis=0) + 1
    return tuple((int(c + a), int(c + b)) for c, a, b in zip(corner, low, high, strict=True))


def equal_diameter(volume: float, axes: int) -> float:
    """Diameter of the disc (two axes) or ball (three) of this area or volume."""
    return float(2 * np.sqrt(volume / np.pi)) if axes == 2 else float((6 * volume / np.pi) ** (1 / 3))


def difficulty(contrast_to_noise: float, size_in_psf: float, complexity: float) -> str:
    """A bin of BINS from what detectability hangs on: contrast, size and what stands around.

    The index is contrast-to-noise times the square root of the area in units of the point spread (the detectability
    of a known signal in white noise, Rose 1948), less what structure around it hides.
    """
    index = abs(contrast_to_noise) * max(size_in_psf, 0.0) * (1 - 0.5 * min(max(complexity, 0.0), 1.0))
    return BINS[0] if index >= 60 else BINS[1] if index >= 20 else BINS[2]
