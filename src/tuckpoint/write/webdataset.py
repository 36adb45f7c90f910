"""WebDataset: tar files of samples that its loaders read as they are: KEY.png, KEY.cls, KEY.json, KEY.npz.

The shards of a set can be loaded, too. These hold a thousand pictures each, have a class number, leave out the scenes,
which only first frames have, and are told by dataset.json. Source: the readme of webdataset and its `tariterators`,
which skip folders called `__NAME__`: there stands the record.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuckpoint.labels import Item
from tuckpoint.record import Record, canonical
from tuckpoint.write.sets import RECORD, ImageSet, add, packed, png

PICTURES_PER_SHARD = 1000
MEMBERS = {
    "png": "the picture, 8 bits, sRGB",
    "cls": "class number, from 0, of the thing that most pixels show; -1 where none is seen",
    "json": "width, height, facts of the picture, objects; see meanings",
    "npz": "dense labels by name; see meanings",
}


def webdataset(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: train-000000.tar and so on, dataset.json, record.json."""
    about, record = pictures.about, pictures.about.record
    shards: list[dict[str, Any]] = []
    left = pictures.items()
    for first in left:
        name = f"train-{len(shards):06d}.tar"
        count, members = _packed(folder / name, chain([first], islice(left, PICTURES_PER_SHARD - 1)), record)
        shards.append({"name": name, "samples": count})
    told = {
        "synthetic": True,
        "tuckpoint_record": record.digest(),
        "url": f"train-{{000000..{len(shards) - 1:06d}}}.tar",
        "shards": shards,
        "members": {name: MEMBERS[name] for name in MEMBERS if name in members},
        "classes": list(about.classes),
        "meanings": {name: asdict(one) for name, one in about.meanings.items()},
    }
    (folder / "dataset.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _packed(path: Path, items: Iterator[Item], record: Record) -> tuple[int, set[str]]:
    """Write one tar; the samples in it and the kinds of their members."""
    keys, members = set[str](), set[str]()
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        add(tar, RECORD, record.sealed())
        for item in items:
            keys.add(item.key)
            for name, data in _members(item, record):
                add(tar, f"{item.key}.{name}", data)
                members.add(name)
    return len(keys), members


def _members(item: Item, record: Record) -> Iterator[tuple[str, bytes]]:
    if item.image is not None:
        yield "png", png(item.image, record)
    yield "cls", str(_class(item)).encode()
    told = {"width": item.width, "height": item.height, "facts": dict(item.facts), "objects": list(item.objects)}
    yield "json", canonical({"synthetic": True, **told})
    if item.arrays:
        yield "npz", packed(item.arrays)


def _class(item: Item) -> int:
    seen = item.facts["seen"]
    most = max(range(len(seen)), key=seen.__getitem__, default=None)
    return -1 if most is None or not seen[most] else int(item.objects[most]["class_id"]) - 1
