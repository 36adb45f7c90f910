"""DICOM series in: slices sorted by where they lie, and checked for all that would make a volume a lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError, MissingExtra, ToolError, count
from tuckpoint.volumes.itk import simpleitk
from tuckpoint.volumes.overlay import check_no_text
from tuckpoint.volumes.volume import Array, Grid, Volume, digest

LEAST_SLICES = 3
EVEN_MM = 0.05  # slices whose distances differ less count as evenly spaced


def pydicom() -> Any:
    """The module pydicom; raises MissingExtra."""
    try:
        import pydicom as module
    except ImportError:
        raise MissingExtra("pydicom", extra="medical") from None
    return module


def find(folder: Path) -> list[tuple[Path, ...]]:
    """The files of every series with pixels in a folder and below, series in order of their first file."""
    dicom = pydicom()
    found: dict[str, list[Path]] = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")):
        if not is_dicom(path):
            continue
        head = dicom.dcmread(path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID", "Rows", "SOPClassUID"])
        if "Rows" in head and "SeriesInstanceUID" in head:
            found.setdefault(str(head.SeriesInstanceUID), []).append(path)
    return [tuple(files) for files in found.values()]


def read(files: Sequence[Path], *, name: str = "", burned_in: bool = False) -> Volume:
    """One series as a volume (z, y, x): HU for CT, else stored values times slope plus intercept.

    z rises along the normal of the slices. Raises InputError for missing, doubled or unevenly spaced slices, for slices
    of several sizes, directions or series, a tilted gantry, several frames or channels in a file, CT without a rescale
    or of 8 bits, and, unless `burned_in`, for text burned into the pixels: by the header, or seen in them.
    """
    dicom = pydicom()
    label = name or (files[0].parent.name if files else "series")
    if not files:
        raise InputError(f"{label}: no DICOM files")
    slices = [dicom.dcmread(path) for path in files]
    _check_alike(slices, label)
    if not burned_in:
        check_burned_in(slices[0], label)
    _check_pixels(slices[0], label)
    order, grid = _arrange(slices, label)
    ordered = [slices[n] for n in order]
    voxels = _values(ordered, label)
    if not burned_in:
        check_no_text(label, voxels)
    for one in ordered:
        del one.PixelData
    first = ordered[0]
    unit = "HU" if first.get("Modality") == "CT" else ""
    return Volume(label, voxels, grid, unit=unit, group=patient(first), headers=tuple(ordered))


def headers(files: Sequence[Path]) -> tuple[Any, ...]:
    """The headers of a series in the order of z, without pixels; of one that `read` has read."""
    slices = [pydicom().dcmread(path, stop_before_pixels=True) for path in files]
    order, _ = _arrange(slices, files[0].parent.name)
    return tuple(slices[n] for n in order)


def check_ct(files: Sequence[Path], label: str) -> None:
    """Raise InputError for a series that is no CT, a localizer, or too thin to be a volume, before pixels are read."""
    head = pydicom().dcmread(files[0], stop_before_pixels=True, specific_tags=["Modality", "ImageType"])
    modality = str(head.get("Modality", "")) or "?"
    if modality != "CT":
        raise InputError(f"{label}: modality {modality}, not CT; give CT series alone, leave this one out")
    if "LOCALIZER" in (head.get("ImageType") or ()):
        raise InputError(f"{label}: a localizer (scout), not a volume; leave it out")
    if len(files) < LEAST_SLICES:
        raise InputError(
            f"{label}: {count(len(files), 'slice makes', 'slices make')} no volume; give {LEAST_SLICES} or more, "
            "or leave it out"
        )


def patient(header: Any) -> str:
    """A digest of whose image it is, by what the header tells of the patient, else of the series."""
    who = [str(header.get(tag, "")) for tag in ("PatientID", "PatientName", "PatientBirthDate")]
    return digest(*who) if any(who) else digest(str(header.get("SeriesInstanceUID", "")))


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM files do (PS3.10, 7.1)."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def _check_alike(slices: Sequence[Any], label: str) -> None:
    first = slices[0]
    for tag, what, todo in (
        ("SeriesInstanceUID", "series", "give one series at a time"),
        ("Rows", "heights", "give one reconstruction"),
        ("Columns", "widths", "give one reconstruction"),
        ("PixelSpacing", "pixel spacings", "give one reconstruction"),
    ):
        values = {str(one.get(tag)) for one in slices}
        if len(values) > 1:
            raise InputError(f"{label}: {len(values)} {what} ({', '.join(sorted(values)[:3])}); {todo}")
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        if first.get(tag) is None:
            raise InputError(
                f"{label}: no {tag} in {Path(first.filename).name}, so its place is unknown; give the original"
            )
    if int(first.get("NumberOfFrames", 1)) > 1 or int(first.get("SamplesPerPixel", 1)) != 1:
        raise InputError(f"{label}: several frames or channels in a file; convert it to single-frame DICOM first")


def check_burned_in(header: Any, label: str) -> None:
    """Raise InputError where the header says that text is burned into the pixels."""
    if str(header.get("BurnedInAnnotation", "NO")).upper() == "YES":
        raise InputError(
            f"{label}: text is burned into the pixels (BurnedInAnnotation YES), and may tell who it is; take the "
            "series without it, or go on knowingly (--burned-in)"
        )


def _check_pixels(first: Any, label: str) -> None:
    if first.get("Modality") == "CT":
        if int(first.BitsStored) <= 8:
            raise InputError(
                f"{label}: {first.BitsStored} bits a voxel, too few for Hounsfield units; give the original"
            )
        if first.get("RescaleSlope") is None or first.get("RescaleIntercept") is None:
            raise InputError(f"{label}: no rescale to Hounsfield units in a CT; give the original series")


def _arrange(slices: Sequence[Any], label: str) -> tuple[list[int], Grid]:
    """The order of the slices along their normal, and their grid."""
    across = np.array([[float(v) for v in one.ImageOrientationPatient] for one in slices])  # (n, 6)
    if np.abs(across - across[0]).max() > 1e-3:
        raise InputError(f"{label}: slices of several directions; leave scouts and localizers out")
    x, y = across[0, :3], across[0, 3:]
    normal = np.cross(x, y)
    places = np.array([[float(v) for v in one.ImagePositionPatient] for one in slices])  # (n, 3)
    along = places @ normal
    order = [int(n) for n in np.argsort(along, kind="stable")]
    rows, columns = (float(v) for v in slices[0].PixelSpacing)
    gap = _gap(along[order], slices, label)
    drift = places[order] - places[order[0]] - np.outer(along[order] - along[order[0]], normal)
    if np.abs(drift).max() > 0.1:
        raise InputError(
            f"{label}: slices are shifted against each other by up to {np.abs(drift).max():.1f} mm (a tilted gantry?); "
            "resample the series to a straight grid first"
        )
    origin = places[order[0]]
    return order, Grid(
        spacing_mm=(gap, rows, columns),
        origin_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(d) for d in np.stack([x, y, normal], axis=1).ravel()),
    )


def _gap(along: Array, slices: Sequence[Any], label: str) -> float:
    """The distance between slices in mm; raises InputError if it is not one."""
    if len(along) == 1:
        thick = slices[0].get("SpacingBetweenSlices") or slices[0].get("SliceThickness")
        if not thick:
            raise InputError(f"{label}: a single slice without thickness; give the whole series")
        return float(thick)
    steps = np.diff(along)
    usual = float(np.median(steps))
    doubled = int((steps < 1e-3).sum())
    if doubled:
        told = count(doubled, "slice lies", "slices lie")
        raise InputError(f"{label}: {told} where another does; give one reconstruction, each slice once")
    wide = np.flatnonzero(steps > 1.5 * usual)
    if len(wide):
        lost = int(np.round(steps[wide] / usual - 1).sum())
        raise InputError(
            f"{label}: {lost} slices are missing, the first {along[wide[0]] + usual:.1f} mm along the normal (they lie "
            f"{usual:.2f} mm apart, there {steps[wide[0]]:.2f}); bring them, or give a part without a gap"
        )
    if np.abs(steps - usual).max() > max(EVEN_MM, 0.02 * usual):
        raise InputError(
            f"{label}: slices lie {steps.min():.2f} to {steps.max():.2f} mm apart; resample them evenly first"
        )
    return float((along[-1] - along[0]) / (len(along) - 1))


def stored_pixels(header: Any, label: str) -> Array:
    """The pixels of one file as stored; raises ToolError where no decoder reads them."""
    try:
        return np.asarray(header.pixel_array)
    except (RuntimeError, NotImplementedError, AttributeError, ValueError) as error:
        return _decoded(header, label, why=str(error))


def _decoded(header: Any, label: str, *, why: str) -> Array:
    """Stored values (rows, columns) of a compressed slice by SimpleITK: it reads what pydicom needs a plug-in for."""
    sitk, path = simpleitk(), Path(header.filename)
    try:
        if not header.file_meta.TransferSyntaxUID.is_compressed:
            raise RuntimeError(why)
        plane = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).reshape(int(header.Rows), int(header.Columns))
    except (RuntimeError, AttributeError, ValueError) as error:
        told = str(error).strip().splitlines()[-1]
        raise ToolError(f"{label}: {path.name} cannot be decoded: {told}; fetch it anew, uncompressed") from None
    slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
    return np.asarray(np.rint((plane - intercept) / slope))  # SimpleITK has rescaled it


def _values(slices: Sequence[Any], label: str) -> Array:
    """Voxels (z, y, x): whole numbers of 16 bits where slope and intercept are whole, else float32."""
    planes = []
    for one in slices:
        stored = stored_pixels(one, label)
        slope, intercept = float(one.get("RescaleSlope", 1)), float(one.get("RescaleIntercept", 0))
        planes.append(stored.astype(np.float32) * np.float32(slope) + np.float32(intercept))
    voxels = np.stack(planes)
    whole = bool((voxels == np.rint(voxels)).all()) and voxels.min() >= -(2**15) and voxels.max() < 2**15
    return voxels.astype(np.int16) if whole else voxels
