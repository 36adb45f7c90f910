"""The image folder of Hugging Face's `datasets`: pictures, metadata.jsonl beside them, and a card.

Format: the pages of `datasets` on image folders and object detection, and of the Hub on data set cards. It is read by
`load_dataset("imagefolder", data_dir=FOLDER)` and by `load_dataset(FOLDER)`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tuckpoint import declared
from tuckpoint.errors import InputError
from tuckpoint.labels import Item
from tuckpoint.write.sets import ImageSet, png

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
CARD = """
# Synthetic pictures

**These pictures are synthetic**: scenes drawn from a specification and rendered by tuckpoint. No camera took them.
Pictures: {pictures:,}, of {width} x {height} pixels, in the split `train`.

| column | is |
|---|---|
| `image` | the picture; its PNG file says that it is synthetic, too |
| `width`, `height` | in pixels |
| `objects.id` | number of the thing in its scene |
| `objects.bbox` | x, y, width, height in pixels, around what is seen |
| `objects.category` | class, from 0, in the order of `class_names` in the head of this file |
| `objects.name` | name of the class |
| `objects.area` | pixels that show it |
| `caption` | what is seen, in words |

Things that no pixel shows are left out. How the pictures came to be: `record.json`, digest `{digest}`.
"""


def hf(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: README.md, train/metadata.jsonl and train/*.png.

    Raises InputError if the set lacks boxes, visibility or pictures.
    """
    pictures.require("An image folder", box="box", pixels="visibility")
    record = pictures.about.record
    (folder / "train").mkdir()
    with (folder / "train" / "metadata.jsonl").open("w", encoding="utf-8") as lines:
        for item in pictures.items():
            if item.image is None:
                raise InputError("an image folder needs pictures, and this set has labels alone; render it with them")
            (folder / "train" / f"{item.key}.png").write_bytes(png(item.image, record))
            lines.write(json.dumps(_row(item)) + "\n")
    (folder / "README.md").write_text(_card(pictures), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _row(item: Item) -> dict[str, Any]:
    seen = [entry for entry in item.objects if entry["box"] is not None]
    boxes = [entry["box"] for entry in seen]
    objects = {
        "id": [entry["instance"] for entry in seen],
        "bbox": [[float(v) for v in (left, top, right - left, low - top)] for left, top, right, low in boxes],
        "category": [entry["class_id"] - 1 for entry in seen],
        "name": [entry["class"] for entry in seen],
        "area": [entry["pixels"] for entry in seen],
    }
    told = {"file_name": f"{item.key}.png", "width": item.width, "height": item.height}
    return {**told, "objects": objects, "caption": str(item.facts.get("caption", ""))}


def _card(pictures: ImageSet) -> str:
    about = pictures.about
    size = next((name for most, name in SIZES if about.pictures < most), "n>1M")
    front = {
        "pretty_name": about.name,
        "tags": ["synthetic", "tuckpoint"],
        "task_categories": ["object-detection"],
        "size_categories": [size],
        "configs": [{"config_name": "default", "data_files": [{"split": "train", "path": "train/**"}]}],
        "class_names": list(about.classes),
        "tuckpoint_record": about.record.digest(),
    }
    told = declared.dump(front)
    card = CARD.format(pictures=about.pictures, width=about.width, height=about.height, digest=about.record.digest())
    return f"---\n{told}---\n{card}"
