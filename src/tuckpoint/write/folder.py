"""Plain folders: pictures, masks of class, thing and part as PNG, dense labels as npz, objects as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from tuckpoint.write.sets import ImageSet, packed, png

MASKS = ("class", "instance", "part")


def folder(pictures: ImageSet, place: Path) -> None:
    """Write a set into an empty folder: images/, masks/NAME/, arrays/, objects/, meanings.json, record.json."""
    about, record = pictures.about, pictures.about.record
    masks = [name for name in MASKS if name in about.meanings]
    for name in ("images", "objects", "arrays", *(f"masks/{mask}" for mask in masks)):
        (place / name).mkdir(parents=True)
    for item in pictures.items():
        if item.image is not None:
            (place / "images" / f"{item.key}.png").write_bytes(png(item.image, record))
        for name in masks:
            mask = item.arrays[name]
            (place / "masks" / name / f"{item.key}.png").write_bytes(png(np.ascontiguousarray(mask), record))
        rest = {name: array for name, array in item.arrays.items() if name not in MASKS}
        if rest:
            (place / "arrays" / f"{item.key}.npz").write_bytes(packed(rest))
        told = {"width": item.width, "height": item.height, **item.facts, "objects": list(item.objects)}
        (place / "objects" / f"{item.key}.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    meant = {name: asdict(one) for name, one in about.meanings.items()}
    told = {"synthetic": True, "classes": list(about.classes), "meanings": meant}
    (place / "meanings.json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    (place / "record.json").write_bytes(record.sealed() + b"\n")
