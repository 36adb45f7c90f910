"""YOLO: pictures, one text file of normalised boxes per picture, and data.yaml. Class numbers start at 0 here."""

from __future__ import annotations

from pathlib import Path

import yaml

from tuckpoint.errors import InputError
from tuckpoint.write.sets import ImageSet, png


def yolo(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder, all of it as `train`; `images/val` is for your real pictures, and stays away.

    Raises InputError if the set lacks boxes.
    """
    about, record = pictures.about, pictures.about.record
    if "box" not in about.meanings:
        raise InputError("YOLO needs the label box; render with --labels box")
    for name in ("images", "labels"):
        (folder / name / "train").mkdir(parents=True)
    for item in pictures.items():
        if item.image is not None:
            (folder / "images" / "train" / f"{item.key}.png").write_bytes(png(item.image, record))
        lines = []
        for entry in item.objects:
            if entry["box"] is not None:
                left, top, right, bottom = entry["box"]
                middle = ((left + right) / 2 / item.width, (top + bottom) / 2 / item.height)
                size = ((right - left) / item.width, (bottom - top) / item.height)
                lines.append(f"{entry['class_id'] - 1} " + " ".join(f"{value:.6f}" for value in (*middle, *size)))
        (folder / "labels" / "train" / f"{item.key}.txt").write_text("".join(f"{line}\n" for line in lines))
    told = {
        "path": ".",
        "train": "images/train",
        "val": "images/val",
        "names": dict(enumerate(about.classes)),
        "synthetic": True,
        "tuckpoint_record": record.digest(),
    }
    (folder / "data.yaml").write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")
