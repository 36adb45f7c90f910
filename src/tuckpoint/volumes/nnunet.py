"""The layout of nnU-Net v2: imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz and dataset.json; classes, not findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.record import Record
from tuckpoint.volumes import itk
from tuckpoint.volumes.volume import Case

_NAME = "Dataset501_Implants"


def write(case: Case, folder: Path, record: Record, kinds: Sequence[str]) -> Mapping[str, Any]:
    """Write a case below `folder`/Dataset501_Implants; labels are consecutive from 1, one for each of `kinds`.

    Image and label lie on one grid. Nulls are background.
    """
    place, grid = folder / _NAME, case.space("nnU-Net")
    for name in ("imagesTr", "labelsTr"):
        (place / name).mkdir(parents=True, exist_ok=True)
    itk.write(place / "imagesTr" / f"{case.name}_0000.nii.gz", case.image, grid, record)
    numbers = _numbers(kinds)
    classes = np.array([0, *(0 if one["null"] else numbers[str(one["kind"])] for one in case.findings)], np.uint8)
    itk.write(place / "labelsTr" / f"{case.name}.nii.gz", classes[case.labels], grid, record)
    return {}


def close(folder: Path, record: Record, kinds: Sequence[str], items: Iterable[Mapping[str, Any]]) -> None:
    """Write dataset.json: what labels mean, and how many cases there are."""
    told = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **_numbers(kinds)},
        "numTraining": sum(1 for _ in items),
        "file_ending": ".nii.gz",
        "name": "Implants",
        "description": "SYNTHETIC findings implanted by tuckpoint into real images",
        "tuckpoint_record": record.digest(),
    }
    (folder / _NAME / "dataset.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / _NAME / "record.json").write_bytes(record.sealed() + b"\n")


def _numbers(kinds: Sequence[str]) -> dict[str, int]:
    return {kind: number for number, kind in enumerate(kinds, 1)}
