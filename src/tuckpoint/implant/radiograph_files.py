"""Radiographs and their lung masks from folders: single-frame DICOM (CR, DX), or grey PNG with a spacing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant import reading, volumes
from tuckpoint.implant.check import Reals, half_window
from tuckpoint.implant.describe import window_at
from tuckpoint.implant.radiograph_host import radiograph_host
from tuckpoint.implant.values import Array, Host
from tuckpoint.implant.volumes import Stored
from tuckpoint.volumes import radiographs, series
from tuckpoint.volumes.overlay import check_no_text

PICTURES, DICOM = (".png",), (".dcm", ".dicom", ".ima")
NO_LUNG = (
    "none is sought, since on a radiograph lung has no grey value of its own: heart, diaphragm and bowel gas overlap "
    "it, and a threshold takes other things for it; draw one, or take one of a segmenter you trust"
)


def find(place: Path) -> list[Path]:
    """The films of a folder and below if it holds DICOM, else its PNG files, without masks; or the one file."""
    if place.is_dir():
        found = sorted(path for path in place.rglob("*") if path.name != "DICOMDIR" and series.is_dicom(path))
        if found:
            return found
    return reading.images(place, PICTURES)


def film(
    path: Path, root: Path, *, lungs: Path | None, spacing: tuple[float, ...] | None, burned_in: bool = False
) -> tuple[Host, Stored]:
    """A film below `root` as host: `lungs` holds the masks, `spacing` (row, column, mm) goes with PNG.

    Raises InputError for what is no such film, a missing or empty mask and, unless `burned_in`, for text in the pixels.
    """
    held = _read(path, spacing, burned_in=burned_in)
    lung = mask_at(_lung(path, root, lungs), held)
    known = _known(path)
    host = radiograph_host(
        held.name, held.values, held.spacing or (), lung=lung, bits=held.geometry.get("bits"),
        avoid=None if known is None else mask_at(known, held),
        group=held.geometry.get("group", reading.group_of(held.name)), geometry=held.geometry,
    )  # fmt: skip
    return host, held


def kind_of(held: Stored) -> str:
    """The range of grey of a film: one gain is of one kind."""
    bits = held.geometry.get("bits")
    return f"{8 * held.values.dtype.itemsize}-bit PNG" if bits is None else f"{bits} bits"


def masks(path: Path, root: Path, lungs: Path | None) -> tuple[Path, ...]:
    """The masks that belong to a film, as far as they are there: of its lungs, and of what is there already."""
    places = () if lungs is None else tuple(_lung_places(path, root, lungs))
    known = _known(path)
    return (*[place for place in places if place.is_file()][:1], *(() if known is None else (known,)))


def _known(path: Path) -> Path | None:
    return reading.mask_of(path.with_name(f"{_stem(path)}.png"))


def _lung(path: Path, root: Path, lungs: Path | None) -> Path:
    if lungs is None:
        raise InputError(f"{path.name}: no lung mask (--lungs): {NO_LUNG}")
    places = _lung_places(path, root, lungs)
    place = next((one for one in places if one.is_file()), None)
    if place is None:
        raise InputError(f"{path.name}: no lung mask {places[0]}: {NO_LUNG}")
    return place


def _lung_places(path: Path, root: Path, lungs: Path) -> list[Path]:
    inner = path.parent.relative_to(root) if root in path.parents else Path()
    name = f"{_stem(path)}.png"
    places = [lungs / inner / name]
    alike = sum(one.name == path.name for one in root.rglob("*")) if inner.parts else 0
    if alike == 1:  # a name that several films bear tells none of them
        places.append(lungs / name)
    return places


def _stem(path: Path) -> str:
    """The name without its format; names of DICOM files often have none, and points in them."""
    return path.stem if path.suffix.lower() in (*PICTURES, *DICOM) else path.name


def mask_at(place: Path, held: Stored) -> Array:
    """A mask of the film's shape: what is not 0 in any channel; raises InputError for another geometry."""
    values = np.asarray(volumes.read(place).values > 0)
    values = values if values.ndim == 2 else np.asarray(values.any(axis=-1))
    if values.shape != held.values.shape[:2]:
        raise InputError(
            f"{place}: a mask of {_size(values)} pixels, the film {_size(held.values)}; it belongs to another film or "
            "was resampled: give one of the same geometry"
        )
    return values


def reals(place: Path, *, spacing: tuple[float, ...] | None) -> Reals:
    """Windows of real nodules on films, around the middle of the mask, or of a film without one, and whose they are."""
    windows, groups, spacings = [], [], []
    for path in find(place):
        held = _read(path, spacing, burned_in=True)
        assert held.spacing is not None
        if held.values.ndim != 2:
            raise InputError(f"{path.name}: a colour picture; give grey films")
        known = _known(path)
        middle = tuple((n - 1) / 2 for n in held.values.shape)
        if known is not None:
            mask = mask_at(known, held)
            if not mask.any():
                raise InputError(f"the mask of {path} is empty; mark the finding")
            middle = tuple(float(v) for v in np.argwhere(mask).mean(axis=0))
        windows.append(window_at(held.values.astype(np.float32), middle, half_window(held.spacing, "mm")))
        groups.append(held.geometry.get("group", reading.group_of(held.name)))
        spacings.append(held.spacing)
    return Reals(windows, groups, spacings)


def _read(path: Path, spacing: tuple[float, ...] | None, *, burned_in: bool) -> Stored:
    """A film with its spacing."""
    if not series.is_dicom(path):
        held = volumes.read(path)
        if held.suffix not in PICTURES or path.suffix.lower() not in PICTURES:
            raise InputError(f"{path}: films are read as DICOM or .png; a .jpg has lost the noise that hides nodules")
        if spacing is None:
            raise InputError(f"{path.name} tells no spacing; give the pixel in mm: --spacing ROW COLUMN")
        if not burned_in and held.values.ndim == 2:
            check_no_text(path.name, held.values)
        return Stored(held.name, held.values, spacing, ".png", {"spacing_from": "given"})
    read = radiographs.read(path, burned_in=burned_in)
    if read.pixel_mm is not None and spacing is not None:
        raise InputError(f"{path.name} tells its spacing ({read.spacing_from}); leave --spacing out")
    if read.pixel_mm is None and spacing is None:
        raise InputError(f"{path.name} tells no pixel spacing; give it in mm: --spacing ROW COLUMN")
    told = {"bits": read.bits, "group": read.group, "spacing_from": read.spacing_from or "given"}
    suffix = ".npy" if np.issubdtype(read.pixels.dtype, np.signedinteger) else ".png"
    return Stored(read.name, read.pixels, read.pixel_mm or spacing, suffix, told)


def _size(values: Array) -> str:
    return " x ".join(map(str, values.shape[:2]))
