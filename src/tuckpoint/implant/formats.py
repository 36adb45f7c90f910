"""What was implanted in the formats of clinics and trainers, and hosts from DICOM series."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.implant import volumes
from tuckpoint.implant.check import FROM_DICOM
from tuckpoint.implant.ct import ct_host
from tuckpoint.implant.sets import THICKNESS_MM
from tuckpoint.implant.values import Host
from tuckpoint.implant.volumes import Stored
from tuckpoint.record import Record
from tuckpoint.volumes import dicom, series
from tuckpoint.volumes.formats import FORMATS, HOLDS
from tuckpoint.volumes.volume import Case, Grid, Volume, digest


def check_formats(names: Sequence[str], *, what: str) -> None:
    """Raise InputError, before any work, for a format that is unknown or does not hold `what` is made (see HOLDS)."""
    for name in names:
        if name not in FORMATS:
            raise InputError(f'no format "{name}"{did_you_mean(name, FORMATS)}; there are: {", ".join(FORMATS)}')
        if name not in HOLDS[what]:
            raise InputError(f"format {name} does not hold {what}; choose of: {', '.join(HOLDS[what])}")


def export(out: Path, names: Sequence[str], headers: Mapping[str, tuple[Any, ...]]) -> None:
    """Write a folder of pairs in these formats, each into OUT/NAME, while the folder is not yet where it is to be.

    `headers` by host are those of DICOM hosts.
    """
    record = Record.load(out / "record.json")
    for name in dict.fromkeys(names):
        place = out / name
        place.mkdir()
        FORMATS[name](_cases(out, headers), place, record)


def _cases(out: Path, headers: Mapping[str, tuple[Any, ...]]) -> Iterator[Case]:
    """The pairs of a folder, one after the other, with their grids."""
    told = json.loads((out / "findings.json").read_text(encoding="utf-8"))
    for entry in told["images"]:
        files = {kind: volumes.read(out / place) for kind, place in entry["files"].items() if kind != "regions"}
        image, alpha = files["images"], files["alphas"].values
        if alpha.dtype == np.uint8:
            alpha = alpha.astype(np.float32) / 255
        yield Case(
            name=_stem(entry["files"]["images"]),
            image=image.values,
            host=files["hosts"].values,
            labels=files["masks"].values.astype(np.uint16),
            alpha=alpha.astype(np.float32),
            findings=tuple(entry["findings"]),
            group=entry["group"],
            grid=_grid(image, entry) if len(entry["spacing"]) == 3 else None,
            headers=headers.get(entry["host"], ()),
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


def dicom_hosts(place: Path) -> dict[Path, tuple[Path, ...]]:
    """The series in a folder and below, by their first file; none where there is no DICOM."""
    if not place.is_dir() or not any(series.is_dicom(path) for path in place.rglob("*")):
        return {}
    return {files[0]: files for files in series.find(place)}


def dicom_host(files: Sequence[Path], *, burned_in: bool = False) -> tuple[Host, Stored, tuple[Any, ...]]:
    """A series as host, as it will be stored (NRRD), and its headers; raises InputError for what is no straight CT.

    It is named by a digest of its UID: folders of series often bear the names of patients. `burned_in` lets text in the
    pixels be.
    """
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    label = f"{files[0].parent.name}/{files[0].name}{more}"
    series.check_ct(files, label)
    read: Volume = series.read(files, name=label, burned_in=burned_in)
    name = f"{FROM_DICOM}{digest(str(read.headers[0].SeriesInstanceUID))}"
    geometry = {"origin": read.grid.origin_mm, "direction": read.grid.direction}
    try:
        host = ct_host(name, read.voxels, read.grid.spacing_mm, group=read.group, geometry=geometry)
    except InputError as error:  # its name is ours alone: say which files it is
        raise InputError(str(error).replace(name, label)) from None
    return host, Stored(name, read.voxels, read.grid.spacing_mm, ".nrrd", geometry), dicom.slim(read.headers)
