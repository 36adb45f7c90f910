"""What was implanted, as the formats of clinics and trainers take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.implant import volumes
from tuckpoint.implant.sets import THICKNESS_MM
from tuckpoint.implant.volumes import Stored
from tuckpoint.volumes.formats import FORMATS, HOLDS
from tuckpoint.volumes.volume import Case, Grid


def check_formats(names: Sequence[str], *, what: str) -> None:
    """Raise InputError, before any work, for a format that is unknown or does not hold `what` is made (see HOLDS)."""
    for name in names:
        if name not in FORMATS:
            raise InputError(f'no format "{name}"{did_you_mean(name, FORMATS)}; there are: {", ".join(FORMATS)}')
        if name not in HOLDS[what]:
            raise InputError(f"format {name} does not hold {what}; choose of: {', '.join(HOLDS[what])}")


def case_of(place: Path, entry: Mapping[str, Any], headers: tuple[Any, ...] = ()) -> Case:
    """A pair of a folder as writers take it, with its grid and the headers of its DICOM host."""
    files = {kind: volumes.read(place / file) for kind, file in entry["files"].items() if kind != "regions"}
    image, alpha = files["images"], files["alphas"].values
    if alpha.dtype == np.uint8:
        alpha = alpha.astype(np.float32) / 255
    return Case(
        name=_stem(entry["files"]["images"]),
        image=image.values,
        host=files["hosts"].values,
        labels=files["masks"].values.astype(np.uint16),
        alpha=alpha.astype(np.float32),
        findings=tuple(entry["findings"]),
        group=entry["group"],
        grid=_grid(image, entry) if len(entry["spacing"]) == 3 else None,
        headers=headers,
        pixel_mm=_pixel(entry),
        thickness=files["thicknesses"].values * np.float32(THICKNESS_MM) if "thicknesses" in files else None,
    )


def _stem(path: str) -> str:
    """The name of a file without its folder and format."""
    name = Path(path).name
    return name[: len(name) - len(volumes.suffix_of(Path(name)))]


def _pixel(entry: Mapping[str, Any]) -> tuple[float, float] | None:
    """The pixel of a radiograph in mm."""
    if entry["unit"] != "mm" or len(entry["spacing"]) != 2:
        return None
    y, x = entry["spacing"]
    return float(y), float(x)


def _grid(image: Stored, entry: Mapping[str, Any]) -> Grid:
    z, y, x = (float(s) for s in entry["spacing"])
    if not image.geometry:  # arrays tell their spacing alone
        return Grid((z, y, x))
    origin = tuple(float(o) for o in image.geometry["origin"])
    return Grid((z, y, x), (origin[0], origin[1], origin[2]), tuple(float(d) for d in image.geometry["direction"]))
