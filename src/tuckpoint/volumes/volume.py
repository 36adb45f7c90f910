"""A volume on its grid in space, and a finished case: what readers give and writers take."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, count

Array = NDArray[Any]
CLOSE_MM = 1e-2  # geometries that differ less at every corner are one: headers hold rounded decimals


@dataclass(frozen=True)
class Grid:
    """Where voxels lie: `spacing_mm` along z, y, x of the array, `origin_mm` (patient's x, y, z) of its first voxel.

    `direction` holds nine numbers, row by row of a matrix whose columns are the axes x, y, z of the array in the
    patient. The patient's frame is LPS (to the left, to the back, to the head), as in DICOM and ITK. Raises InputError
    if the spacing is not positive or the axes are not at right angles.
    """

    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        if len(self.spacing_mm) != 3 or not all(np.isfinite(s) and s > 0 for s in self.spacing_mm):
            raise InputError(f"geometry: spacing {self.spacing_mm} is not three lengths above 0 mm")
        axes = self.axes
        if not np.isfinite(axes).all() or not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
            raise InputError(
                f"geometry: the axes {np.round(axes, 4).tolist()} are not at right angles (a tilted gantry?); resample "
                "the volume to a straight grid first"
            )

    @property
    def axes(self) -> NDArray[np.float64]:
        """(3, 3): columns are the axes x, y, z of the array in the patient (LPS)."""
        return np.array(self.direction, float).reshape(3, 3)

    def to_mm(self, index: tuple[float, ...]) -> NDArray[np.float64]:
        """The place (x, y, z in LPS) of an index z, y, x."""
        steps = np.array(index[::-1], float) * np.array(self.spacing_mm[::-1])
        return np.asarray(np.array(self.origin_mm) + self.axes @ steps)

    def apart_mm(self, other: Grid, shape: tuple[int, ...]) -> float:
        """The largest distance between the places of one corner in both grids."""
        corners = [tuple(n - 1 if bit >> axis & 1 else 0 for axis, n in enumerate(shape)) for bit in range(8)]
        return max(float(np.linalg.norm(self.to_mm(corner) - other.to_mm(corner))) for corner in corners)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, and for the `geometry` of a host."""
        return {
            "spacing_mm": [float(s) for s in self.spacing_mm],
            "origin_mm": [float(o) for o in self.origin_mm],
            "direction": [float(d) for d in self.direction],
            "frame": "LPS",
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Grid:
        """The grid that `to_dict` told."""
        spacing, origin = (tuple(float(v) for v in told[name]) for name in ("spacing_mm", "origin_mm"))
        return cls(
            spacing_mm=(spacing[0], spacing[1], spacing[2]),
            origin_mm=(origin[0], origin[1], origin[2]),
            direction=tuple(float(d) for d in told["direction"]),
        )


@dataclass(frozen=True, eq=False)
class Volume:
    """A volume as read: `voxels` (z, y, x) in `unit` ("HU" where the file says so), on a grid.

    `group` is whose it is (patient or, where that is not told, series): a digest of what the file says, never the name
    itself. `headers` are the DICOM headers of the slices in the order of z, without pixels; none for other formats.
    """

    name: str
    voxels: Array
    grid: Grid
    unit: str = ""
    group: str = ""
    headers: tuple[Any, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """A finished pair as writers see it: image with findings, untouched `host`, `labels` (0, or a finding's number from
    1), `alpha` (float32, how much was touched), and of each finding plain JSON (`kind`, `null`, `box`, `size` ...).

    Volumes are (z, y, x) with a `grid`; photographs (h, w) or (h, w, 3) without one; radiographs (h, w) with
    `pixel_mm`, the sides of a pixel (row, column), and `thickness`, how thick findings are along the beam in mm.
    `headers` as in `Volume`.
    """

    name: str
    image: Array
    host: Array
    labels: Array
    alpha: Array
    findings: tuple[Mapping[str, Any], ...]
    group: str = ""
    grid: Grid | None = None
    headers: tuple[Any, ...] = field(default=(), repr=False)
    pixel_mm: tuple[float, float] | None = None
    thickness: Array | None = None

    def __post_init__(self) -> None:
        shape = self.labels.shape
        if self.image.shape != self.host.shape or self.image.shape[: len(shape)] != shape or self.alpha.shape != shape:
            raise InputError(
                f"{self.name}: image {self.image.shape}, host {self.host.shape}, labels {shape} and alpha "
                f"{self.alpha.shape} are not of one shape"
            )
        slices = 1 if len(shape) == 2 else len(self.image)
        if self.headers and len(self.headers) != slices:
            raise InputError(
                f"{self.name}: {count(len(self.headers), 'header')} for {count(slices, 'slice')}; read it again"
            )

    def space(self, form: str) -> Grid:
        """The grid; raises InputError for a photograph, which has none."""
        if self.grid is None:
            raise InputError(f"{self.name}: {form} holds volumes, and this is a photograph; write png or coco")
        return self.grid

    def lifted(self) -> Case:
        """A radiograph as a volume of one slice, 1 mm thick (which means nothing); others as they are."""
        if self.pixel_mm is None:
            return self
        return replace(
            self, image=self.image[None], host=self.host[None], labels=self.labels[None], alpha=self.alpha[None],
            thickness=None if self.thickness is None else self.thickness[None], grid=Grid((1.0, *self.pixel_mm)),
            pixel_mm=None,
        )  # fmt: skip


def check_same(image: Volume, mask: Volume) -> None:
    """Raise InputError, with what differs, unless a mask lies on the grid of its image."""
    if image.voxels.shape != mask.voxels.shape:
        raise InputError(
            f"{mask.name}: the mask has {_sizes(mask)} voxels (z, y, x), {image.name} has {_sizes(image)}; it belongs "
            "to another volume or was resampled: give one on the same grid"
        )
    apart = image.grid.apart_mm(mask.grid, image.voxels.shape)
    if apart > CLOSE_MM:
        raise InputError(
            f"{mask.name}: the mask lies up to {apart:.2f} mm off {image.name} (spacing {mask.grid.spacing_mm} and "
            f"{image.grid.spacing_mm}, origin {mask.grid.origin_mm} and {image.grid.origin_mm}); resample it to the "
            "image's grid, nearest neighbour"
        )


def _sizes(volume: Volume) -> str:
    return " x ".join(map(str, volume.voxels.shape))


def digest(*parts: str) -> str:
    """Twelve hex digits in place of what may tell who somebody is."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
