"""The formats that finished cases are written in, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from tuckpoint.record import Record
from tuckpoint.volumes import dicom, itk, nnunet, photographs, radiographs, seg
from tuckpoint.volumes.volume import Case

Writer = Callable[[Iterable[Case], Path, Record], None]


def _files(end: str) -> Writer:
    def write(cases: Iterable[Case], folder: Path, record: Record) -> None:
        """images/, masks/ (numbers of findings), alphas/ and hosts/, one file a case; thicknesses/ of radiographs."""
        for name in ("images", "masks", "alphas", "hosts"):
            (folder / name).mkdir()
        for flat in cases:
            case = flat.lifted()
            grid = case.space(end.removeprefix("."))
            found = {"images": case.image, "masks": case.labels, "alphas": case.alpha}
            if case.thickness is not None:
                (folder / "thicknesses").mkdir(exist_ok=True)
                found["thicknesses"] = case.thickness
            for name, voxels in found.items():
                itk.write(folder / name / f"{case.name}{end}", voxels, grid, record)
            itk.write_host(folder / "hosts" / f"{case.name}{end}", case.host, grid)
            _tell(folder / "images" / f"{case.name}.json", case, record)
        (folder / "record.json").write_bytes(record.sealed() + b"\n")

    return write


def _series(cases: Iterable[Case], folder: Path, record: Record) -> None:
    """CASE/series/*.dcm (of radiographs CASE/film.dcm) and, if it has findings, CASE/segmentation.dcm.

    All that was drawn stands in CASE/findings.json.
    """
    for case in cases:
        place = folder / case.name
        place.mkdir()
        if case.pixel_mm is not None:
            sets = [radiographs.write(place / "film.dcm", case, record)]
        else:
            (place / "series").mkdir()
            sets = dicom.write_series(place / "series", case, record)
        seg.write_seg(place / "segmentation.dcm", case, sets, record)
        _tell(place / "findings.json", case, record)
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _tell(path: Path, case: Case, record: Record) -> None:
    told = {
        "synthetic": True,
        **({"unvalidated": record.unvalidated} if record.unvalidated else {}),
        "tuckpoint_record": record.digest(),
        "case": case.name,
        "findings": [dict(one) for one in case.findings],
        "voxels": {str(n): int(np.count_nonzero(case.labels == n)) for n in range(1, len(case.findings) + 1)},
    }
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


FORMATS: Mapping[str, Writer] = {
    "nifti": _files(".nii.gz"),
    "nrrd": _files(".nrrd"),
    "mha": _files(".mha"),
    "dicom": _series,
    "nnunet": nnunet.write,
    "coco": photographs.coco,
    "png": photographs.plain,
}
HOLDS: Mapping[str, tuple[str, ...]] = {
    "volumes": ("nifti", "nrrd", "mha", "dicom", "nnunet"),
    "photographs": ("coco", "png"),
    "radiographs": ("dicom", "png", "coco", "nifti", "nrrd", "mha"),
}
