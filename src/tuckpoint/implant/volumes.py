"""Volumes and photographs as files: arrays (.npy, .npz), NIfTI, NRRD and MHA with their geometry, and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant.values import Array
from tuckpoint.volumes import itk, picture
from tuckpoint.volumes.volume import Grid

SCANS = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")
ARRAYS = (".npz", ".npy")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
STRAIGHT = 1e-3


@dataclass(frozen=True, eq=False)
class Stored:
    """An image as it was read: `values` (z, y, x) or (row, column[, channel]), spacing, and what its format needs back.

    `spacing` is None where the file tells none. `suffix` is the format.
    """

    name: str
    values: Array
    spacing: tuple[float, ...] | None
    suffix: str
    geometry: Mapping[str, Any] = field(default_factory=dict)


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, .nii.gz whole; empty for others."""
    name = path.name.lower()
    return next((suffix for suffix in (*SCANS, *ARRAYS, *PICTURES) if name.endswith(suffix)), "")


def listed(place: Path, kinds: tuple[str, ...]) -> list[Path]:
    """The files of these kinds in a folder, or the one file; raises InputError if there are none."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        raise InputError(f"no file or folder {place}")
    found = sorted(path for path in place.iterdir() if suffix_of(path) in kinds)
    if not found:
        scans = "DICOM series (files that begin as DICOM does), " if SCANS[0] in kinds else ""
        raise InputError(f"{place} holds no image: give a folder with {scans}{', '.join(kinds)}")
    return found


def read(path: Path) -> Stored:
    """An image from a file; raises InputError that says what is wrong with it."""
    suffix = suffix_of(path)
    name = path.name[: len(path.name) - len(suffix)]
    if not path.is_file():
        raise InputError(f"no file {path}")
    if suffix in ARRAYS:
        return _array(path, name, suffix)
    if suffix in SCANS:
        return _scan(path, name, suffix)
    if suffix in PICTURES:
        return _picture(path, name)
    raise InputError(f"{path}: a format that is not read here; there are: {', '.join((*SCANS, *ARRAYS, *PICTURES))}")


def write(path: Path, values: Array, like: Stored, *, stamp: str = "") -> None:
    """Write an image in the format and geometry of another; `stamp`, a short text, goes into its header."""
    if like.suffix in ARRAYS:
        spacing = {} if like.spacing is None else {"spacing": np.asarray(like.spacing)}
        with path.open("wb") as file:
            np.savez_compressed(file, image=values, stamp=np.array(stamp), **spacing)  # type: ignore[arg-type]
    elif like.suffix in SCANS:
        _write_scan(path, values, like, stamp)
    else:
        _write_picture(path, values, stamp)


def written_suffix(like: Stored) -> str:
    """The suffix that files beside this one get: formats that keep values and spacing."""
    return ".npz" if like.suffix in ARRAYS else like.suffix if like.suffix in SCANS else ".png"


def _array(path: Path, name: str, suffix: str) -> Stored:
    try:
        held = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path} is no array file: {error}") from None
    if suffix == ".npy":
        return Stored(name, np.asarray(held), None, suffix)
    with held:
        key = "image" if "image" in held.files else held.files[0] if len(held.files) == 1 else ""
        if not key:
            raise InputError(f"{path} holds {', '.join(held.files)}; name the volume `image`, its lengths `spacing`")
        spacing = tuple(float(s) for s in held["spacing"]) if "spacing" in held.files else None
        return Stored(name, held[key], spacing, suffix)


def _scan(path: Path, name: str, suffix: str) -> Stored:
    held = itk.read(path)
    geometry = {"origin": held.grid.origin_mm, "direction": held.grid.direction}
    return Stored(name, held.voxels, held.grid.spacing_mm, suffix, geometry)


def same_geometry(one: Stored, other: Stored) -> bool:
    """Whether two images lie in the same place: shape, spacing, origin and direction."""
    if one.values.shape != other.values.shape:
        return False
    pairs = [(one.spacing, other.spacing)] if one.spacing and other.spacing else []
    pairs += [(one.geometry[k], other.geometry[k]) for k in one.geometry if k in other.geometry]
    return all(np.allclose(a, b, atol=STRAIGHT) for a, b in pairs)


def _write_scan(path: Path, values: Array, like: Stored, stamp: str) -> None:
    z, y, x = like.spacing or (1.0, 1.0, 1.0)
    grid = Grid((z, y, x), like.geometry["origin"], like.geometry["direction"])
    itk.write_noted(path, values, grid, stamp)


def _picture(path: Path, name: str) -> Stored:
    return Stored(name, picture.read(path), (1.0, 1.0), ".png")


def _write_picture(path: Path, values: Array, stamp: str) -> None:
    if picture.is_deep(values):
        path.write_bytes(picture.deep_png(values, {"tuckpoint": stamp} if stamp else {}))
        return
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    if stamp:
        told.add_itxt("tuckpoint", stamp)
    Image.fromarray(values).save(path, pnginfo=told)
