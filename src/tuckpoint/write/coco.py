"""COCO: pictures in a folder and one annotations.json with boxes, run-length masks and keypoints.

Format: the data format page of COCO (Lin et al. 2014). Things that no pixel shows are left out, and counted in `info`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuckpoint.write.sets import ImageSet, png

_FLAGS = (0, 1, 2)  # our states are those of COCO: not in the picture, covered, visible


def coco(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder; raises InputError if it lacks masks, boxes or visibility."""
    pictures.require("COCO", mask="mask", box="box", pixels="visibility")
    about, record = pictures.about, pictures.about.record
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    points: list[list[Any]] = []
    unseen = 0
    (folder / "images").mkdir()
    for number, item in enumerate(pictures.items(), 1):
        name = f"{item.key}.png"
        if item.image is not None:
            (folder / "images" / name).write_bytes(png(item.image, record))
        images.append({"id": number, "file_name": name, "width": item.width, "height": item.height})
        for entry in item.objects:
            if entry["box"] is None:
                unseen += 1
                continue
            annotations.append({"id": len(annotations) + 1, "image_id": number, **_annotation(entry)})
            points.append(entry.get("keypoints", []))
        images[-1]["caption"] = item.facts.get("caption", "")
    info = {
        "description": about.name,
        "synthetic": True,
        "tuckpoint_record": record.digest(),
        "things_not_seen": unseen,
    }
    categories = _with_points(annotations, points, about.classes)
    whole = {"info": info, "images": images, "annotations": annotations, "categories": categories}
    (folder / "annotations.json").write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _annotation(entry: Any) -> dict[str, Any]:
    left, top, right, bottom = entry["box"]
    made: dict[str, Any] = {
        "category_id": entry["class_id"],
        "iscrowd": 0,
        "area": entry["pixels"],
        "bbox": [left, top, right - left, bottom - top],
        "segmentation": entry["mask"],
    }
    for name in ("visible", "truncated", "mask_amodal", "box_amodal"):
        if name in entry:
            made[name] = entry[name]
    return made


def _with_points(
    annotations: list[dict[str, Any]], points: list[list[Any]], classes: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The categories, each with the points that any of its things has; every annotation then has all of them."""
    names: dict[int, dict[str, None]] = {number: {} for number in range(1, len(classes) + 1)}
    for made, own in zip(annotations, points, strict=True):
        names[made["category_id"]] |= dict.fromkeys(point["name"] for point in own)
    for made, own in zip(annotations, points, strict=True):
        known = {point["name"]: point for point in own if point["state"]}
        if names[made["category_id"]]:
            flat = [
                (*known[name]["pixel"], _FLAGS[known[name]["state"]]) if name in known else (0, 0, 0)
                for name in names[made["category_id"]]
            ]
            made["keypoints"] = [value for point in flat for value in point]
            made["num_keypoints"] = len(known)
    found = []
    for number, name in enumerate(classes, 1):
        more = {"keypoints": list(names[number]), "skeleton": []} if names[number] else {}
        found.append({"id": number, "name": name, "supercategory": "thing", **more})
    return found
