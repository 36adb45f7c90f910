"""The layout of nnU-Net v2: imagesTr/CASE_0000.nii.gz, labelsTr/CASE.nii.gz and dataset.json; classes, not findings."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tuckpoint.record import Record
from tuckpoint.volumes import itk
from tuckpoint.volumes.volume import Case


def write(cases: Iterable[Case], folder: Path, record: Record) -> None:
    """Write cases below `folder`/Dataset501_Implants; labels are consecutive from 1, one for each kind, in name order.

    Image and label of a case lie on one grid. Nulls are background.
    """
    place = folder / "Dataset501_Implants"
    for name in ("imagesTr", "labelsTr"):
        (place / name).mkdir(parents=True)
    held = []
    for case in cases:
        itk.write(place / "imagesTr" / f"{case.name}_0000.nii.gz", case.image, case.space("nnU-Net"), record)
        # Labels wait until all kinds are known; images need not be held.
        held.append((case.name, case.labels, case.space("nnU-Net"), case.findings))
    kinds = sorted({str(one["kind"]) for *_, findings in held for one in findings if not one["null"]})
    numbers = {kind: number for number, kind in enumerate(kinds, 1)}
    for name, labels, grid, findings in held:
        classes = np.array([0, *(0 if one["null"] else numbers[str(one["kind"])] for one in findings)], np.uint8)
        itk.write(place / "labelsTr" / f"{name}.nii.gz", classes[labels], grid, record)
    told = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, **numbers},
        "numTraining": len(held),
        "file_ending": ".nii.gz",
        "name": "Implants",
        "description": "SYNTHETIC findings implanted by tuckpoint into real images",
        "tuckpoint_record": record.digest(),
    }
    (place / "dataset.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (place / "record.json").write_bytes(record.sealed() + b"\n")
