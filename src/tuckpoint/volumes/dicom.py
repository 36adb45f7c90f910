"""DICOM series out: new identity, marked as derived and synthetic, and nothing of the source but how it was scanned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.record import Record, digest_of, tuckpoint_version
from tuckpoint.volumes import overlay
from tuckpoint.volumes.series import pydicom
from tuckpoint.volumes.volume import Array, Case, Grid

# What is taken over: how the image was made and is to be shown. A list of what stays tells no name by an oversight, as
# a list of what goes would.
_KEPT = (
    "SOPClassUID", "Modality", "BodyPartExamined", "ScanOptions", "SliceThickness", "KVP", "DataCollectionDiameter",
    "ReconstructionDiameter", "DistanceSourceToDetector", "DistanceSourceToPatient", "TableHeight", "RotationDirection",
    "ExposureTime", "XRayTubeCurrent", "Exposure", "FilterType", "GeneratorPower", "FocalSpots",
    "ConvolutionKernel", "PatientPosition", "SpiralPitchFactor", "Manufacturer", "ManufacturerModelName",
    "WindowCenter", "WindowWidth", "PhotometricInterpretation", "RescaleType", "LossyImageCompression",
    "LossyImageCompressionRatio", "LossyImageCompressionMethod",
)  # fmt: skip
_READ = (
    "StudyDate", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "RescaleSlope", "RescaleIntercept",
    "BitsStored", "PixelRepresentation", "BurnedInAnnotation",
)  # fmt: skip
_CT = "1.2.840.10008.5.1.4.1.1.2"  # CT Image Storage
_SHIFT_DAYS = 3650
_ANY_DAY = date(2000, 1, 1)  # before the shift, where the source tells no day


def uid(record: Record, *names: str | int) -> str:
    """A UID below 2.25 (a UUID as a number, PS3.5 B.2) that follows from the record and these names alone."""
    value = int(digest_of({"record": record.digest(), "names": list(names)})[:32], 16)
    value = (value & ~(0xF << 76)) | (8 << 76)  # version 8 of RFC 9562: made by the vendor
    value = (value & ~(0x3 << 62)) | (0x2 << 62)  # and its variant
    return f"2.25.{value}"


def write_series(folder: Path, case: Case, record: Record, *, number: int = 1) -> list[Any]:
    """One file per slice in an empty folder; the data sets written, in the order of z.

    Identifiers are new and follow from the record; names, dates of birth, private tags and all that is not about how
    the image was made stay behind; the date is moved by a number of days, the same for all of a patient. Voxels are
    stored with the source's rescale and cut to what it can hold.
    """
    grid = case.space("DICOM")
    text = shows_text(case)
    sets = []
    for index in range(len(case.image)):
        one = _dataset(case, record, index, grid, number)
        _pixels(one, case.image[index], case.headers[index] if case.headers else None)
        if text:
            one.BurnedInAnnotation = "YES"
        one.save_as(folder / f"{index + 1:04d}.dcm", enforce_file_format=True)
        sets.append(one)
    return sets


def shows_text(case: Case) -> bool:
    """Whether text is burned into a host, which was used knowingly then: by its header, or seen in the pixels."""
    known = bool(case.headers) and case.headers[0].get("BurnedInAnnotation") == "YES"
    return known or bool(overlay.lines(case.host))


def slim(headers: Sequence[Any]) -> tuple[Any, ...]:
    """Headers without what `write_series` has no use for: a run may hold those of many patients."""
    return tuple(taken_over(one, (*_KEPT, *_READ)) for one in headers)


def _dataset(case: Case, record: Record, index: int, grid: Grid, number: int) -> Any:
    source = case.headers[index] if case.headers else None
    made = taken_over(source, _KEPT)
    made.SOPClassUID = made.get("SOPClassUID", _CT)
    made.Modality = made.get("Modality", "CT")
    for name in ("Manufacturer", "KVP", "PatientPosition"):  # must be there, if only empty (PS3.3, type 2)
        setattr(made, name, made.get(name, ""))
    made.SOPInstanceUID = uid(record, case.name, "slice", index)
    made.StudyInstanceUID = uid(record, "study", case.group or case.name)
    made.SeriesInstanceUID = uid(record, case.name, "series")
    made.FrameOfReferenceUID = uid(record, case.name, "frame")
    made.PositionReferenceIndicator = ""
    identify(made, case, record, source=source, number=number)
    place = grid.to_mm((float(index), 0.0, 0.0))
    geometry: dict[str, Iterable[float]] = {
        "ImagePositionPatient": place,
        "ImageOrientationPatient": grid.axes[:, :2].T.ravel(),
        "PixelSpacing": grid.spacing_mm[1:],
    }
    for name, values in geometry.items():  # as the source tells it, to the last digit
        own = None if source is None else source.get(name)
        setattr(made, name, [decimal(v) for v in values] if own is None else list(own))
    made.SliceThickness = made.get("SliceThickness") or decimal(grid.spacing_mm[0])
    made.SpacingBetweenSlices = decimal(grid.spacing_mm[0])
    made.SliceLocation = decimal(float(place @ grid.axes[:, 2]))
    made.InstanceNumber = index + 1
    mark(made, case, record, flavour="AXIAL")
    finish(made)
    return made


def taken_over(source: Any, names: Sequence[str]) -> Any:
    """A new data set with these attributes of a source, as far as it has them, and nothing else of it."""
    made = pydicom().dataset.Dataset()
    for name in names:
        if source is not None and source.get(name) is not None:
            setattr(made, name, source.get(name))
    return made


def finish(made: Any) -> None:
    """The head of the file: what class it is and who wrote it."""
    dicom = pydicom()
    made.file_meta = dicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = dicom.uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta.ImplementationClassUID = dicom.uid.PYDICOM_IMPLEMENTATION_UID
    made.file_meta.ImplementationVersionName = "TUCKPOINT"


def identify(made: Any, case: Case, record: Record, *, source: Any, number: int) -> None:
    """A patient that nobody is, and a date that tells no day."""
    patient = digest_of({"record": record.digest(), "group": case.group or case.name})[:12].upper()
    made.PatientName, made.PatientID = f"SYNTHETIC^{patient}", f"SYN-{patient}"
    made.PatientBirthDate = made.PatientSex = made.ReferringPhysicianName = made.AccessionNumber = ""
    days = 1 + int(patient, 16) % _SHIFT_DAYS
    told = str((source.get("StudyDate") if source is not None else "") or "")
    whole = len(told) == 8 and told.isdigit() and told > "18500101" and 1 <= int(told[4:6]) <= 12
    day = date(int(told[:4]), int(told[4:6]), 1) + timedelta(int(told[6:]) - 1) if whole else _ANY_DAY
    shifted = (day - timedelta(days)).strftime("%Y%m%d")
    for name in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        setattr(made, name, shifted)
    for name in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime"):
        setattr(made, name, "000000")
    made.StudyID, made.SeriesNumber, made.AcquisitionNumber = "1", number, 1
    made.LongitudinalTemporalInformationModified = "MODIFIED"


def mark(made: Any, case: Case, record: Record, *, flavour: str) -> None:
    """What says that this was derived, by what, and that nobody is in it; `flavour` is the third value of its type."""
    dicom = pydicom()
    made.ImageType = ["DERIVED", "SECONDARY", flavour, "SYNTHETIC"]
    kinds = sorted({str(one["kind"]) for one in case.findings if not one["null"]})
    synthetic = "SYNTHETIC UNVALIDATED" if record.unvalidated else "SYNTHETIC"
    made.SeriesDescription = f"{synthetic} {', '.join(kinds) or 'no finding'}"[:64]
    made.StudyDescription = f"{synthetic} findings in a real host"
    made.DerivationDescription = (
        f"Synthetic findings ({len(case.findings)}) implanted by tuckpoint {tuckpoint_version()}; record "
        f"{record.digest()}; drawn values in findings.json{'; ' * bool(record.unvalidated)}{record.unvalidated}"
    )
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethod = "Attributes by allow list; identifiers new; dates shifted"
    made.DeidentificationMethodCodeSequence = [
        _code("113100", "Basic Application Confidentiality Profile"),
        _code("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    ]
    equipment = dicom.dataset.Dataset()
    equipment.PurposeOfReferenceCodeSequence = [_code("109103", "Modifying Equipment")]
    equipment.Manufacturer, equipment.ManufacturerModelName = "tuckpoint", "tuckpoint implant"
    equipment.SoftwareVersions = tuckpoint_version()
    equipment.ContributionDescription = f"synthetic findings, record {record.digest()}"
    made.ContributingEquipmentSequence = [equipment]
    made.ImageComments = f"synthetic; tuckpoint_record {record.digest()}"
    made.LossyImageCompression = made.get("LossyImageCompression", "00")


def _code(value: str, meaning: str) -> Any:
    code = pydicom().dataset.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _pixels(made: Any, plane: Array, source: Any) -> None:
    """Store a plane with the source's rescale and range of values; 16 bits, signed, slope 1 where there is none."""
    slope, intercept, bits, signed = 1.0, 0.0, 16, 1
    if source is not None:
        slope, intercept = float(source.get("RescaleSlope", 1)), float(source.get("RescaleIntercept", 0))
        bits, signed = int(source.BitsStored), int(source.PixelRepresentation)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    stored = np.clip(np.rint((plane.astype(np.float64) - intercept) / slope), low, high)
    made.Rows, made.Columns = plane.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, made.get("PhotometricInterpretation", "MONOCHROME2")
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, bits, bits - 1, signed
    made.RescaleSlope, made.RescaleIntercept = decimal(slope), decimal(intercept)
    if made.Modality == "CT":
        made.RescaleType = made.get("RescaleType", "HU")
    made.PixelData = stored.astype("<i2" if signed else "<u2").tobytes()


def decimal(value: float) -> str:
    """A number as a decimal string (DS): at most 16 characters, as exact as they allow."""
    for digits in range(15, 5, -1):
        text = f"{float(value):.{digits}g}"
        if len(text) <= 16:
            return "0" if float(text) == 0 else text
    return f"{float(value):.8e}"


def record_of(data: Any) -> str | None:
    """The digest of the record that a data set of ours bears, or None."""
    told = str(data.get("ImageComments", ""))
    return told.split()[-1] if told.startswith("synthetic; tuckpoint_record") else None


def check_marked(sets: Sequence[Any]) -> None:
    """Raise InputError for data sets that were not written here: a segmentation must not point to a real series."""
    if any(record_of(one) is None for one in sets):
        raise InputError("the series is not one of ours: write it with write_series first")
