"""Findings as a DICOM Segmentation beside their series, written by highdicom: one segment for each finding."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tuckpoint.errors import MissingExtra
from tuckpoint.record import Record, tuckpoint_version
from tuckpoint.volumes.dicom import check_marked, uid
from tuckpoint.volumes.volume import Case

# SNOMED CT; what has no code of its own is a morphologically abnormal structure.
_TYPES = {"nodule": ("27925004", "Nodule")}
_ANY = ("49755003", "Morphologically Abnormal Structure")


def write_seg(path: Path, case: Case, sets: Sequence[Any], record: Record) -> bool:
    """Write the labels of a case as a segmentation of `sets`, the series written of it; false if there are none.

    Frames without a finding are left out, as highdicom does: readers align frames by place, never by number.
    """
    check_marked(sets)
    real = [(number, one) for number, one in enumerate(case.findings, 1) if not one["null"]]
    if not real or not case.labels.any():
        return False
    highdicom = _highdicom()
    order = {number: place for place, (number, _) in enumerate(real, 1)}
    labels = case.labels.copy()
    for number, place in order.items():
        labels[case.labels == number] = place
    made = highdicom.seg.Segmentation(
        source_images=list(sets),
        pixel_array=labels.astype("uint8" if len(real) < 256 else "uint16"),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_segment(highdicom, place, one) for place, (_, one) in enumerate(real, 1)],
        series_instance_uid=uid(record, case.name, "segmentation series"),
        series_number=100,
        sop_instance_uid=uid(record, case.name, "segmentation"),
        instance_number=1,
        manufacturer="tuckpoint",
        manufacturer_model_name="tuckpoint implant",
        software_versions=tuckpoint_version(),
        device_serial_number="0",
        content_description="synthetic findings",
        content_label="SYNTHETIC",
        series_description=f"SYNTHETIC{' UNVALIDATED' * bool(record.unvalidated)} segmentation of implanted findings",
    )
    first = sets[0]
    # highdicom writes the clock; the same run gives the same bytes.
    for day, time in (("ContentDate", "ContentTime"), ("InstanceCreationDate", "InstanceCreationTime"),
                      ("SeriesDate", "SeriesTime")):  # fmt: skip
        setattr(made, day, first.ContentDate)
        setattr(made, time, first.ContentTime)
    made.DimensionOrganizationSequence[0].DimensionOrganizationUID = uid(record, case.name, "dimensions")
    for index in made.DimensionIndexSequence:
        index.DimensionOrganizationUID = uid(record, case.name, "dimensions")
    made.ImageComments = first.ImageComments
    made.PatientIdentityRemoved, made.DeidentificationMethod = "YES", first.DeidentificationMethod
    made.ContributingEquipmentSequence = first.ContributingEquipmentSequence
    made.save_as(path, enforce_file_format=True)
    return True


def _segment(highdicom: Any, number: int, finding: Any) -> Any:
    from pydicom.sr.coding import Code

    kind = str(finding["kind"])
    value, meaning = next((code for word, code in _TYPES.items() if word in kind), _ANY)
    return highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=f"synthetic {kind} {number}"[:64],
        segmented_property_category=Code("49755003", "SCT", "Morphologically Abnormal Structure"),
        segmented_property_type=Code(value, "SCT", meaning),
        algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=highdicom.AlgorithmIdentificationSequence(
            name="tuckpoint implant",
            family=Code("123110", "DCM", "Artificial Intelligence"),
            version=tuckpoint_version(),
        ),
    )


def _highdicom() -> Any:
    try:
        import highdicom
        import highdicom.seg
    except ImportError:
        raise MissingExtra("highdicom", extra="medical") from None
    return highdicom
