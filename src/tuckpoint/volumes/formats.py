"""The formats that finished cases are written in, by name: each case by itself, and at the end what is over all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.record import Record
from tuckpoint.volumes import dicom, itk, nnunet, photographs, radiographs, seg
from tuckpoint.volumes.volume import Case

Kinds = Sequence[str]  # of all findings of the set that are no nulls, in order of name


@dataclass(frozen=True)
class Format:
    """How cases are written, in any order and by several processes, each into a folder of its own if need be.

    `write(case, folder, record, kinds)` writes one case and gives, as plain values, what `close` needs of it;
    `close(folder, record, kinds, items)` writes what is over all cases, whose items come in order; it goes through
    them more than once.
    """

    write: Callable[[Case, Path, Record, Kinds], Mapping[str, Any]]
    close: Callable[[Path, Record, Kinds, Iterable[Mapping[str, Any]]], None]


def _files(end: str) -> Format:
    def write(flat: Case, folder: Path, record: Record, kinds: Kinds) -> Mapping[str, Any]:
        """images/, masks/ (numbers of findings), alphas/ and hosts/, one file a case; thicknesses/ of radiographs."""
        case = flat.lifted()
        grid = case.space(end.removeprefix("."))
        found = {"images": case.image, "masks": case.labels, "alphas": case.alpha}
        if case.thickness is not None:
            found["thicknesses"] = case.thickness
        for name in (*found, "hosts"):
            (folder / name).mkdir(exist_ok=True)
        for name, voxels in found.items():
            itk.write(folder / name / f"{case.name}{end}", voxels, grid, record)
        itk.write_host(folder / "hosts" / f"{case.name}{end}", case.host, grid)
        _tell(folder / "images" / f"{case.name}.json", case, record)
        return {}

    return Format(write, _sealed)


def _series(case: Case, folder: Path, record: Record, kinds: Kinds) -> Mapping[str, Any]:
    """CASE/series/*.dcm (of radiographs CASE/film.dcm) and, if it has findings, CASE/segmentation.dcm.

    All that was drawn stands in CASE/findings.json.
    """
    place = folder / case.name
    place.mkdir()
    if case.pixel_mm is not None:
        sets = [radiographs.write(place / "film.dcm", case, record)]
    else:
        (place / "series").mkdir()
        sets = dicom.write_series(place / "series", case, record)
    seg.write_seg(place / "segmentation.dcm", case, sets, record)
    _tell(place / "findings.json", case, record)
    return {}


def _sealed(folder: Path, record: Record, kinds: Kinds, items: Iterable[Mapping[str, Any]]) -> None:
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


FORMATS: Mapping[str, Format] = {
    "nifti": _files(".nii.gz"),
    "nrrd": _files(".nrrd"),
    "mha": _files(".mha"),
    "dicom": Format(_series, _sealed),
    "nnunet": Format(nnunet.write, nnunet.close),
    "coco": Format(photographs.coco, photographs.close_coco),
    "png": Format(photographs.plain, _sealed),
}
HOLDS: Mapping[str, tuple[str, ...]] = {
    "volumes": ("nifti", "nrrd", "mha", "dicom", "nnunet"),
    "photographs": ("coco", "png"),
    "radiographs": ("dicom", "png", "coco", "nifti", "nrrd", "mha"),
}
