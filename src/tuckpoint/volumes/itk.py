"""NIfTI, NRRD and MHA, read and written by SimpleITK, with the record in every file."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.record import Record
from tuckpoint.volumes.volume import Array, Grid, Volume

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
_HEADER, _OFFSET, _DESCRIP = 348, 108, slice(148, 228)  # bytes of sizeof_hdr, place of vox_offset and descrip, nifti1.h
_FLOATS = (16, 64)  # datatype of 32 and 64 bits
_NONE = np.zeros(0)
_COMMENT = 6  # ecode of a comment
_MARK = "synthetic tuckpoint"


def simpleitk() -> Any:
    """The module SimpleITK; raises MissingExtra."""
    try:
        import SimpleITK
    except ImportError:
        raise MissingExtra("SimpleITK", extra="medical") from None
    return SimpleITK


def suffix(path: Path) -> str:
    """The suffix of a volume file, or an empty text."""
    return next((end for end in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(end)), "")


def read(path: Path, *, group: str = "") -> Volume:
    """One file; raises InputError for what is no volume of three axes and one channel."""
    sitk = simpleitk()
    if not path.is_file():
        raise InputError(f"no file {path}")
    try:
        if suffix(path) in (".nii", ".nii.gz"):
            _check_nifti(path)
        image = sitk.ReadImage(str(path))
    except (RuntimeError, EOFError, OSError, zlib.error) as error:
        told = str(error).strip().splitlines()[-1]
        todo = "resample it to a straight grid first" if "orthonormal" in told else "is it whole? fetch it anew"
        raise InputError(f"{path} cannot be read as {suffix(path)}: {told}; {todo}") from None
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        size, parts = image.GetSize(), image.GetNumberOfComponentsPerPixel()
        raise InputError(f"{path}: size {size} with {parts} values a voxel; give volumes of three axes and one value")
    name = path.name[: -len(suffix(path))] if suffix(path) else path.stem
    voxels = np.ascontiguousarray(sitk.GetArrayFromImage(image))
    if voxels.dtype == np.float64:
        voxels = voxels.astype(np.float32)
    return Volume(name, voxels, grid_of(image), group=group or name)


def _check_nifti(path: Path) -> None:
    """Raise InputError for a NIfTI-1 file that is cut short, or whose numbers are not all finite.

    The library that reads it fills both with zeros, and zero is water.
    """
    with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
        head = file.read(_HEADER)
        order = next((o for o in "<>" if len(head) == _HEADER and struct.unpack_from(f"{o}i", head)[0] == _HEADER), "")
        if not order or head[344:347] != b"n+1":
            return  # another kind, or none: the library says so
        axes = struct.unpack_from(f"{order}8h", head, 40)
        kind, bits = struct.unpack_from(f"{order}2h", head, 70)
        left = int(np.prod([max(n, 1) for n in axes[1 : 1 + axes[0]]], dtype=np.int64)) * bits // 8
        file.seek(int(struct.unpack_from(f"{order}f", head, _OFFSET)[0]))
        while left > 0:
            some = file.read(min(left, 1 << 24))
            if not some:
                raise InputError(f"{path} is cut short: {left:,} bytes of its voxels are missing; fetch it anew")
            left -= len(some)
            values = np.frombuffer(some, f"{order}f{bits // 8}", len(some) * 8 // bits) if kind in _FLOATS else _NONE
            if not np.isfinite(values).all():
                raise InputError(f"{path}: not all voxels are numbers (NaN or infinite); clean the volume first")


def grid_of(image: Any) -> Grid:
    """The grid of an ITK image."""
    z, y, x = (float(s) for s in image.GetSpacing()[::-1])
    origin = tuple(float(o) for o in image.GetOrigin())
    return Grid((z, y, x), (origin[0], origin[1], origin[2]), tuple(float(d) for d in image.GetDirection()))


def write(path: Path, voxels: Array, grid: Grid, record: Record) -> None:
    """One volume (z, y, x) in the format of the path's suffix; the same one gives the same bytes.

    The record stands in the header: as a comment extension in NIfTI (and its digest in `descrip`), as a key in NRRD and
    MHA.
    """
    _write(path, voxels, grid, record)


def write_host(path: Path, voxels: Array, grid: Grid) -> None:
    """One untouched volume: real, and so without the mark of what is synthetic."""
    _write(path, voxels, grid, None)


def write_noted(path: Path, voxels: Array, grid: Grid, note: str) -> None:
    """One volume of a set whose record stands beside it: a note of 79 letters at most in the header, or none."""
    _write(path, voxels, grid, None, note)


def _write(path: Path, voxels: Array, grid: Grid, record: Record | None, note: str = "") -> None:
    sitk = simpleitk()
    end = suffix(path)
    image = sitk.GetImageFromArray(_storable(voxels))
    image.SetSpacing(tuple(float(s) for s in grid.spacing_mm[::-1]))
    image.SetOrigin(grid.origin_mm)
    image.SetDirection(grid.direction)
    nifti = end in (".nii", ".nii.gz")
    if record is not None and not nifti:
        image.SetMetaData("synthetic", "true")
        image.SetMetaData("tuckpoint_record", record.digest())
        if record.unvalidated:
            image.SetMetaData("unvalidated", record.unvalidated)
    if note and not nifti:
        image.SetMetaData("tuckpoint", note[:79])
    plain = path.with_name(path.name[: -len(".gz")]) if end == ".nii.gz" else path
    sitk.WriteImage(image, str(plain), not nifti)
    if nifti:
        data = _noted(plain.read_bytes(), note) if record is None else _stamped(plain.read_bytes(), record)
        plain.unlink()
        # No time and no name in the packed file, so that the same volume gives the same bytes.
        path.write_bytes(gzip.compress(data, 4, mtime=0) if end == ".nii.gz" else data)


def stamp_of(path: Path) -> str | None:
    """The digest of the record that a file of ours bears, or None."""
    if suffix(path) in (".nii", ".nii.gz"):
        data = path.read_bytes()
        plain = gzip.decompress(data) if path.name.endswith(".gz") else data
        told = plain[_DESCRIP].rstrip(b"\0").decode("latin-1")
        return told.split()[-1] if told.startswith(_MARK) else None
    reader = simpleitk().ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    key = "tuckpoint_record"
    return str(reader.GetMetaData(key)) if reader.HasMetaDataKey(key) else None


def _storable(voxels: Array) -> Array:
    """A type that all three formats hold."""
    if voxels.dtype == bool:
        return voxels.astype(np.uint8)
    if voxels.dtype.kind == "f":
        return voxels.astype(np.float32)
    return np.ascontiguousarray(voxels)


def _noted(data: bytes, note: str) -> bytes:
    """A NIfTI-1 file with a note as its description."""
    head = bytearray(data)
    if note:
        head[_DESCRIP] = note[:79].encode("ascii", "replace").ljust(80, b"\0")
    return bytes(head)


def _stamped(data: bytes, record: Record) -> bytes:
    """A single-file NIfTI-1 with the record as a extension of its header, in a multiple of 16 bytes."""
    offset = int(struct.unpack_from("<f", data, _OFFSET)[0])
    text = record.sealed()
    size = -(-(8 + len(text)) // 16) * 16
    extension = struct.pack("<ii", size, _COMMENT) + text.ljust(size - 8, b"\0")
    head = bytearray(data[:_HEADER])
    struct.pack_into("<f", head, _OFFSET, float(_HEADER + 4 + size))
    head[_DESCRIP] = f"{_MARK} {record.digest()[:32]}".encode().ljust(80, b"\0")
    return bytes(head) + b"\x01\0\0\0" + extension + data[offset:]
