"""Photographs with findings as COCO (one annotation each, run-length masks) and as plain PNG beside their masks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.record import Record
from tuckpoint.volumes import picture
from tuckpoint.volumes.volume import Array, Case
from tuckpoint.write.sets import png


def coco(cases: Iterable[Case], folder: Path, record: Record) -> None:
    """images/, and annotations.json with box, area, uncompressed run lengths (column by column) and what was drawn.

    Format: the data format page of COCO (Lin et al. 2014). Nulls are no annotations; their number stands in `info`.
    """
    (folder / "images").mkdir()
    images: list[dict[str, Any]] = []
    made: list[tuple[str, dict[str, Any]]] = []
    nulls = 0
    for number, case in enumerate(cases, 1):
        _flat(case)
        name = f"{case.name}.png"
        (folder / "images" / name).write_bytes(_png(case.image, record))
        height, width = case.labels.shape
        told: dict[str, Any] = {"id": number, "file_name": name, "width": width, "height": height, "group": case.group}
        if case.pixel_mm is not None:
            told["pixel_mm"] = list(case.pixel_mm)
        images.append(told)
        for order, finding in enumerate(case.findings, 1):
            mask = case.labels == order
            nulls += bool(finding["null"])
            if not finding["null"] and mask.any():
                made.append((str(finding["kind"]), {"image_id": number, **_annotation(mask, finding)}))
    kinds = sorted({kind for kind, _ in made})
    whole = {
        "info": {
            "description": "synthetic findings in real images", "synthetic": True, "nulls": nulls,
            **({"unvalidated": record.unvalidated} if record.unvalidated else {}),
            "tuckpoint_record": record.digest(),
        },
        "images": images,
        "annotations": [
            {"id": number, "category_id": kinds.index(kind) + 1, **one} for number, (kind, one) in enumerate(made, 1)
        ],
        "categories": [{"id": n, "name": kind, "supercategory": "defect"} for n, kind in enumerate(kinds, 1)],
    }  # fmt: skip
    (folder / "annotations.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def plain(cases: Iterable[Case], folder: Path, record: Record) -> None:
    """images/ and masks/ (0, or 255 on findings), of one name each, as trainers of anomaly detection read them."""
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for case in cases:
        _flat(case)
        (folder / "images" / f"{case.name}.png").write_bytes(_png(case.image, record))
        mask = np.where(case.labels > 0, 255, 0).astype(np.uint8)
        (folder / "masks" / f"{case.name}.png").write_bytes(png(mask, record))
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _flat(case: Case) -> None:
    if case.grid is not None or case.labels.ndim != 2:
        raise InputError(f"{case.name}: a volume, not a photograph; write nifti, nrrd, mha, dicom or nnunet")


def _png(image: Array, record: Record) -> bytes:
    if picture.is_deep(image):
        texts = {"Software": "tuckpoint", "synthetic": "true", "tuckpoint_record": record.digest()}
        return picture.deep_png(image, texts)
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"PNG holds 8 or 16 bits a channel; the photograph is {image.dtype}: convert it first")
    return png(np.ascontiguousarray(image), record)


def _annotation(mask: Array, finding: Mapping[str, Any]) -> dict[str, Any]:
    rows, columns = np.nonzero(mask)
    left, top = int(columns.min()), int(rows.min())
    return {
        "iscrowd": 0,
        "area": int(mask.sum()),
        "bbox": [left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top],
        "segmentation": {"size": list(mask.shape), "counts": _runs(mask)},
        "tuckpoint": {key: value for key, value in finding.items() if key not in ("box", "crop")},
    }


def _runs(mask: Array) -> list[int]:
    """Lengths of runs column by column, first the zeros."""
    flat = np.concatenate([[0], mask.ravel(order="F").astype(np.int8), [0]])
    turns = np.flatnonzero(np.diff(flat))
    ends = np.concatenate([[0], turns, [mask.size]])
    counts = [int(n) for n in np.diff(ends)]
    return counts[:-1] if counts[-1] == 0 else counts
