"""Hosts, masks and few real findings from folders.

A file `NAME.nii.gz` (or .nii .nrrd .mha .mhd .npz .npy; .png .jpg for surfaces) is an image, `NAME_mask.nii.gz` beside
it the mask of its finding. What stands before a double underscore, else the whole name, is the patient or part: in
`p07__scan2.nrrd` it is `p07`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant import volumes
from tuckpoint.implant.bank import Real, carve
from tuckpoint.implant.check import Reals, half_window
from tuckpoint.implant.ct import ct_host
from tuckpoint.implant.describe import window_at
from tuckpoint.implant.scan import check_hounsfield
from tuckpoint.implant.surface_host import surface_region
from tuckpoint.implant.values import Array, Host
from tuckpoint.implant.volumes import ARRAYS, PICTURES, SCANS, Stored
from tuckpoint.volumes.overlay import check_no_text

MASK = "_mask"
VOLUMES = (*SCANS, *ARRAYS)
PHOTOS = PICTURES


def group_of(name: str) -> str:
    """Whose image it is, by its file name."""
    return name.split("__")[0]


def images(place: Path, kinds: tuple[str, ...]) -> list[Path]:
    """The images of a folder, without masks; raises InputError if two have one name."""
    found = [path for path in volumes.listed(place, kinds) if not _stem(path).endswith(MASK)]
    if not found:
        raise InputError(f"{place} holds masks only; give the images beside them")
    names = [_stem(path) for path in found]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        raise InputError(f"{place} holds two images called {double[0]}; names tell images apart: rename one")
    return found


def ct(
    path: Path, *, lungs: Path | None = None, spacing: tuple[float, ...] | None = None, burned_in: bool = False
) -> tuple[Host, Stored]:
    """A CT volume as host; `lungs` is a folder with masks of the same names, `spacing` goes with files that tell none.

    A mask NAME_mask beside the image marks findings that are there already. Raises InputError for what is no CT and,
    unless `burned_in`, for text burned into it.
    """
    held = _with_spacing(volumes.read(path), path, spacing)
    assert held.spacing is not None
    lung = None
    if lungs is not None:
        lung = _partner(held, lungs / path.name, "lung mask").values > 0
    known = mask_of(path)
    avoid = None if known is None else _partner(held, known, "mask").values > 0
    host = ct_host(
        held.name, held.values, held.spacing, lung=lung, avoid=avoid, group=group_of(held.name), geometry=held.geometry
    )  # fmt: skip
    if not burned_in:
        check_no_text(held.name, held.values)
    return host, held


def photo(path: Path) -> tuple[Host, Stored]:
    """A photograph of a surface as host."""
    held = volumes.read(path)
    region = surface_region(held.values)
    return Host(held.name, held.values, (1.0, 1.0), "px", region, (0.0, _white(held.values)), group_of(held.name)), held


def _white(values: Array) -> float:
    """The highest value that the camera gives: of 16 bits often only 10, 12 or 14 are used."""
    bits = (8,) if values.dtype == np.uint8 else (10, 12, 14, 16)
    return float(next(2**n - 1 for n in bits if values.max(initial=0) < 2**n))


def bank(place: Path, *, spacing: tuple[float, ...] | None = None) -> list[Real]:
    """The real nodules of a folder, each an image and its mask; raises InputError for an image without one."""
    found = []
    for path in images(place, VOLUMES):
        held, mask = _real(path, spacing)
        if mask is None:
            raise InputError(f"{path} has no mask; a bank needs {held.name}{MASK}{volumes.suffix_of(path)} beside it")
        assert held.spacing is not None
        found.append(carve(held.name, held.values, mask, held.spacing, group=group_of(held.name)))
    return found


def reals(place: Path, *, spacing: tuple[float, ...] | None = None, wide: bool = False) -> Reals:
    """Windows of real findings, around their masks' middle, or that of an image without mask, and whose they are.

    `wide` as in `check.cut`.
    """
    windows, groups, spacings = [], [], []
    for path in images(place, (*VOLUMES, *PICTURES)):
        held, mask = _real(path, spacing)
        middle = tuple((n - 1) / 2 for n in _axes(held))
        if mask is not None:
            if not mask.any():
                raise InputError(f"the mask of {path} is empty; mark the finding")
            middle = tuple(float(v) for v in np.argwhere(mask).mean(axis=0))
        windows.append(_window(held, middle, wide=wide))
        groups.append(group_of(held.name))
        spacings.append(held.spacing or ())
    return Reals(windows, groups, spacings)


def _real(path: Path, spacing: tuple[float, ...] | None) -> tuple[Stored, Array | None]:
    held = volumes.read(path)
    if held.suffix in VOLUMES:
        held = _with_spacing(held, path, spacing)
        check_hounsfield(held.name, held.values)
    known = mask_of(path)
    if known is None:
        return held, None
    mask = _partner(held, known, "mask").values > 0
    return held, np.asarray(mask if mask.ndim == len(_axes(held)) else mask.any(axis=-1))


def _window(held: Stored, middle: tuple[float, ...], *, wide: bool) -> Array:
    assert held.spacing is not None
    grey = held.values.astype(np.float32)
    grey = grey.mean(axis=-1) if grey.ndim > len(held.spacing) else grey
    half = half_window(held.spacing, "mm" if len(held.spacing) == 3 else "px")
    return window_at(grey, middle, tuple(h * (2 if wide else 1) for h in half), inward=wide)


def _axes(held: Stored) -> tuple[int, ...]:
    assert held.spacing is not None
    return held.values.shape[: len(held.spacing)]


def _stem(path: Path) -> str:
    return path.name[: len(path.name) - len(volumes.suffix_of(path))]


def mask_of(path: Path) -> Path | None:
    """The mask beside an image, in any format."""
    for suffix in (volumes.suffix_of(path), *VOLUMES, ".png"):
        place = path.with_name(f"{_stem(path)}{MASK}{suffix}")
        if place.is_file():
            return place
    return None


def _partner(held: Stored, place: Path, what: str) -> Stored:
    if not place.is_file():
        raise InputError(f"no {what} {place}; it must bear the name of its image")
    other = volumes.read(place)
    shape = other.values.shape[: len(held.spacing or other.values.shape)]
    if shape != _axes(held) or (other.geometry and not volumes.same_geometry(held, other)):
        raise InputError(
            f"{place}: a {what} of another geometry than {held.name}: {_told(other)}, the image {_told(held)}; "
            "resample it to the image"
        )
    return other


def _told(held: Stored) -> str:
    spacing = "" if held.spacing is None else f", spacing {tuple(round(s, 3) for s in held.spacing)}"
    origin = held.geometry.get("origin")
    return f"shape {held.values.shape}{spacing}" + (
        "" if origin is None else f", origin {tuple(round(v, 1) for v in origin)}"
    )


def _with_spacing(held: Stored, path: Path, spacing: tuple[float, ...] | None) -> Stored:
    if spacing is None and held.spacing is None:
        raise InputError(f"{path} tells no spacing; give it in mm (--spacing 1 0.7 0.7), or a .npz with `spacing`")
    if held.spacing is not None:
        return held
    return Stored(held.name, held.values, spacing, held.suffix, held.geometry)
