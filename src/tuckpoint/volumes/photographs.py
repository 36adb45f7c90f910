"""Photographs with findings as COCO (one annotation each, run-length masks) and as plain PNG beside their masks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.record import Record
from tuckpoint.volumes import picture
from tuckpoint.volumes.volume import Array, Case
from tuckpoint.write.sets import png


def coco(case: Case, folder: Path, record: Record, kinds: Sequence[str]) -> Mapping[str, Any]:
    """images/NAME.png; what `close_coco` tells of it: its place, and box, area, run lengths and draws of each finding.

    Nulls are no annotations; they are counted.
    """
    _flat(case)
    (folder / "images").mkdir(exist_ok=True)
    name = f"{case.name}.png"
    (folder / "images" / name).write_bytes(_png(case.image, record))
    height, width = case.labels.shape
    told: dict[str, Any] = {"file_name": name, "width": width, "height": height, "group": case.group}
    if case.pixel_mm is not None:
        told["pixel_mm"] = list(case.pixel_mm)
    masks = [(case.labels == order, finding) for order, finding in enumerate(case.findings, 1)]
    return {
        "image": told,
        "nulls": sum(bool(finding["null"]) for _, finding in masks),
        "findings": [
            [str(finding["kind"]), _annotation(mask, finding)]
            for mask, finding in masks
            if not finding["null"] and mask.any()
        ],
    }


def close_coco(folder: Path, record: Record, kinds: Sequence[str], items: Iterable[Mapping[str, Any]]) -> None:
    """annotations.json: images in order, numbered from 1, and run lengths of masks (column by column, uncompressed).

    Format: the data format page of COCO (Lin et al. 2014). The file is written piece by piece, and never held whole.
    """
    numbers = {kind: number for number, kind in enumerate(kinds, 1)}
    info = {
        "description": "synthetic findings in real images", "synthetic": True,
        "nulls": sum(item["nulls"] for item in items),
        **({"unvalidated": record.unvalidated} if record.unvalidated else {}),
        "tuckpoint_record": record.digest(),
    }  # fmt: skip
    images = ({"id": number, **item["image"]} for number, item in enumerate(items, 1))
    found = ((number, kind, one) for number, item in enumerate(items, 1) for kind, one in item["findings"])
    made = (
        {"id": order, "category_id": numbers[kind], "image_id": number, **one}
        for order, (number, kind, one) in enumerate(found, 1)
    )
    categories = [{"id": number, "name": kind, "supercategory": "defect"} for kind, number in numbers.items()]
    with (folder / "annotations.json").open("w", encoding="utf-8") as file:
        file.write(f'{{"info": {_json(info)}')
        for name, rows in (("images", images), ("annotations", made), ("categories", categories)):
            file.write(f', "{name}": [')
            file.writelines(f"{', ' * bool(place)}{_json(row)}" for place, row in enumerate(rows))
            file.write("]")
        file.write("}")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def plain(case: Case, folder: Path, record: Record, kinds: Sequence[str]) -> Mapping[str, Any]:
    """images/ and masks/ (0, or 255 on findings), of one name each, as trainers of anomaly detection read them."""
    _flat(case)
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "images" / f"{case.name}.png").write_bytes(_png(case.image, record))
    mask = np.where(case.labels > 0, 255, 0).astype(np.uint8)
    (folder / "masks" / f"{case.name}.png").write_bytes(png(mask, record))
    return {}


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
