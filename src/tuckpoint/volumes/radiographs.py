"""Single radiographs as DICOM, in and out: CR and DX, either sense of grey, the pixel in the plane of the patient."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.record import Record
from tuckpoint.volumes.dicom import decimal, finish, identify, mark, shows_text, taken_over, uid
from tuckpoint.volumes.overlay import check_no_text
from tuckpoint.volumes.series import check_burned_in, patient, pydicom, stored_pixels
from tuckpoint.volumes.volume import Array, Case, digest

MODALITIES = ("CR", "DX")
_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture Image Storage, for films that came as pictures
_SAME = 1e-3  # pixel spacings that differ by less, as a share, are one
# How the film was made and is to be shown; see `dicom` on why what stays is listed, and not what goes.
_KEPT = (
    "SOPClassUID", "Modality", "BodyPartExamined", "ViewPosition", "PatientOrientation", "Laterality",
    "ImageLaterality", "PatientPosition", "KVP", "ExposureTime", "XRayTubeCurrent", "Exposure", "ExposureInuAs",
    "DistanceSourceToDetector", "DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor", "Grid",
    "FilterType", "FocalSpots", "DetectorType", "DetectorConfiguration", "PlateType", "PhosphorType",
    "ImagerPixelSpacing", "PixelSpacing", "PixelSpacingCalibrationType", "Manufacturer", "ManufacturerModelName",
    "PresentationIntentType", "PixelIntensityRelationship", "PixelIntensityRelationshipSign", "PresentationLUTShape",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "RescaleType",
    "PhotometricInterpretation", "LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
_READ = ("StudyDate", "BitsStored", "PixelRepresentation", "BurnedInAnnotation")
_CODED = ("AnatomicRegionSequence", "ViewCodeSequence")  # of DX; only codes of these schemes, no text of the clinic
_SCHEMES = ("SCT", "SRT", "DCM")


@dataclass(frozen=True, eq=False)
class Radiograph:
    """A film as read: `pixels` (h, w) as stored, but turned to MONOCHROME2, where more is brighter.

    `pixel_mm` (row, column) lies in the plane of the patient; `spacing_from` says by which attributes, or is empty
    where none tells it. `bits` are those stored, `group` whose it is, `header` what `write` takes over.
    """

    name: str
    pixels: Array
    bits: int
    pixel_mm: tuple[float, float] | None
    spacing_from: str
    group: str
    header: Any


def read(path: Path, *, burned_in: bool = False) -> Radiograph:
    """One film from a file.

    Raises InputError for other modalities, several frames, colour, greys that are linear in exposure or go through a
    table and, unless `burned_in`, for burned-in text, by the header or seen in the pixels; ToolError where no decoder
    reads it.
    """
    header, label = pydicom().dcmread(path), path.name
    if header.get("Modality") not in MODALITIES:
        raise InputError(f"{label}: modality {header.get('Modality', '?')}, no radiograph; give CR or DX")
    if int(header.get("NumberOfFrames", 1)) > 1:
        raise InputError(f"{label}: {header.NumberOfFrames} frames; give single films, each in a file of its own")
    sense = str(header.get("PhotometricInterpretation", ""))
    if int(header.get("SamplesPerPixel", 1)) != 1 or sense not in ("MONOCHROME1", "MONOCHROME2"):
        raise InputError(f"{label}: a colour picture ({sense or 'no photometric interpretation'}); give the grey film")
    if not burned_in:
        check_burned_in(header, label)
    if header.get("PixelIntensityRelationship") == "LIN":
        raise InputError(
            f"{label}: greys linear in exposure (PixelIntensityRelationship LIN), and a gain is of logarithmic ones; "
            "give the film for presentation"
        )
    if header.get("ModalityLUTSequence"):
        raise InputError(f"{label}: greys go through a table (ModalityLUTSequence); apply it first")
    signed, wide = int(header.PixelRepresentation), int(header.BitsAllocated) // 8
    pixels = _turned(stored_pixels(header, label).astype(f"{'i' if signed else 'u'}{wide}"), header)
    if not burned_in:
        check_no_text(label, pixels)
    pixel_mm, spacing_from = _pixel(header)
    name = f"film-{digest(str(header.get('SOPInstanceUID') or path.name))}"
    slim = taken_over(header, (*_KEPT, *_READ, *_CODED))  # a run may hold the headers of many patients
    return Radiograph(name, pixels, int(header.BitsStored), pixel_mm, spacing_from, patient(header), slim)


def _range(header: Any) -> tuple[int, int]:
    bits = int(header.BitsStored)
    return (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if int(header.PixelRepresentation) else (0, 2**bits - 1)


def _turned(pixels: Array, header: Any) -> Array:
    """MONOCHROME1 to MONOCHROME2, and back by the same sum."""
    if header.get("PhotometricInterpretation") != "MONOCHROME1":
        return pixels
    low, high = _range(header)
    return np.asarray((low + high - pixels.astype(np.int32)).astype(pixels.dtype))


def _pixel(header: Any) -> tuple[tuple[float, float] | None, str]:
    """The pixel in the plane of the patient: PixelSpacing if calibrated, else that of the detector, less magnification.

    PixelSpacing that equals ImagerPixelSpacing is that of the detector (PS3.3, 10.7.1.3).
    """
    found = {}
    for name in ("PixelSpacing", "ImagerPixelSpacing"):
        told = header.get(name)
        if told is not None and len(told) == 2 and min(float(v) for v in told) > 0:
            found[name] = (float(told[0]), float(told[1]))
    own, detector = found.get("PixelSpacing"), found.get("ImagerPixelSpacing")
    if own is not None and (detector is None or not np.allclose(own, detector, rtol=_SAME)):
        return own, "PixelSpacing"
    if detector is None:
        return None, ""
    larger = float(header.get("EstimatedRadiographicMagnificationFactor") or 0)
    if larger < 1:
        return detector, "ImagerPixelSpacing, at the detector"
    return (detector[0] / larger, detector[1] / larger), f"ImagerPixelSpacing, magnified {larger:g} times"


def write(path: Path, case: Case, record: Record) -> Any:
    """One film of a case, new in name and marked as CT is; the data set written.

    Greys go back into the sense of the source, and are cut to what its bits hold. Films that came as pictures are
    written as Secondary Capture. Raises InputError for what is no radiograph.
    """
    if case.pixel_mm is None or case.labels.ndim != 2:
        raise InputError(f"{case.name}: no radiograph; a film has two axes and a pixel in mm")
    source = case.headers[0] if case.headers else None
    made = taken_over(source, _KEPT)
    _codes(made, source)
    if source is None:
        made.SOPClassUID, made.Modality, made.ConversionType = _CAPTURE, "OT", "WSD"
        made.PixelSpacing = [decimal(v) for v in case.pixel_mm]
        made.PatientOrientation = ""
    made.SOPInstanceUID = uid(record, case.name, "film")
    made.StudyInstanceUID = uid(record, "study", case.group or case.name)
    made.SeriesInstanceUID = uid(record, case.name, "series")
    identify(made, case, record, source=source, number=1)
    made.InstanceNumber = 1
    mark(made, case, record, flavour="")
    _pixels(made, case.image, source)
    if shows_text(case):
        made.BurnedInAnnotation = "YES"
    finish(made)
    made.save_as(path, enforce_file_format=True)
    return made


def _codes(made: Any, source: Any) -> None:
    for name in _CODED:
        found = [one for one in (source.get(name) if source is not None else None) or []
                 if str(one.get("CodingSchemeDesignator", "")) in _SCHEMES]  # fmt: skip
        if found:
            codes = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
            setattr(made, name, [taken_over(one, codes) for one in found])


def _pixels(made: Any, image: Array, source: Any) -> None:
    made.Rows, made.Columns = image.shape
    made.SamplesPerPixel = 1
    if source is None:
        bits = 8 * image.dtype.itemsize
        made.PhotometricInterpretation, signed = "MONOCHROME2", int(np.issubdtype(image.dtype, np.signedinteger))
        stored = image
    else:
        bits, signed = int(source.BitsStored), int(source.PixelRepresentation)
        low, high = _range(source)
        stored = _turned(np.clip(image, low, high), source)
    made.BitsAllocated = 8 if bits <= 8 else 16
    made.BitsStored, made.HighBit, made.PixelRepresentation = bits, bits - 1, signed
    data = stored.astype(f"{'<i' if signed else '<u'}{made.BitsAllocated // 8}").tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
