"""Plain folders: pictures, masks of class, thing and part as PNG, dense labels as npz, objects as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tuckpoint.write.sets import ImageSet, packed, png

MASKS = ("class", "instance", "part")


def write(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: images/, masks/NAME/, arrays/, objects/, meanings.json, record.json."""
    about, record = pictures.about, pictures.about.record
    masks = [name for name in MASKS if name in about.meanings]
    for name in ("images", "objects", "arrays", *(f"masks/{mask}" for mask in masks)):
        (folder / name).mkdir(parents=True)
    for item in pictures.items():
        if item.image is not None:
            (folder / "images" / f"{item.key}.png").write_bytes(png(item.image, record))
        for name in masks:
            mask = item.arrays[name]
            (folder / "masks" / name / f"{item.key}.png").write_bytes(png(np.ascontiguousarray(mask), record))
        rest = {name: array for name, array in item.arrays.items() if name not in MASKS}
        if rest:
            (folder / "arrays" / f"{item.key}.npz").write_bytes(packed(rest))
        told = {"width": item.width, "height": item.height, **item.facts, "objects": list(item.objects)}
        (folder / "objects" / f"{item.key}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    meant = {name: asdict(one) for name, one in about.meanings.items()}
    told = {"synthetic": True, "classes": list(about.classes), "meanings": meant}
    (folder / "meanings.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")
