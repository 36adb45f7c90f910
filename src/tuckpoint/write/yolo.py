"""YOLO, to detect, segment and find points: pictures, a text file of normalised numbers each, and data.yaml.

Format: the data set pages of Ultralytics (detect, segment, pose). Class numbers start at 0 here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tuckpoint import declared
from tuckpoint.errors import InputError
from tuckpoint.labels import Item
from tuckpoint.write.outline import outline
from tuckpoint.write.sets import ImageSet, filled, png

Line = Callable[[Item, Mapping[str, Any]], list[str]]


def yolo(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder, all of it as `train`; `images/val` is for your real pictures, and stays away.

    Raises InputError if the set lacks boxes.
    """
    pictures.require("YOLO", box="box")
    _written(pictures, folder, _box)


def yolo_segment(pictures: ImageSet, folder: Path) -> None:
    """The same with one polygon a thing, along the edges of its pixels: pieces and holes are joined by seams.

    Raises InputError if the set lacks boxes or masks.
    """
    pictures.require("YOLO to segment", box="box", mask="mask")
    _written(pictures, folder, _polygon)


def yolo_pose(pictures: ImageSet, folder: Path) -> None:
    """The same with boxes and keypoints: 0 not there, 1 covered, 2 visible.

    YOLO has one list of points for all classes, so it is that of all points in the set, each once by its name; a thing
    without one of them has it as not there. There is no `flip_idx`: which points trade places in a mirror is not known.
    Raises InputError if the set lacks boxes, or no thing has a point.
    """
    pictures.require("YOLO to find points", box="box", keypoints="keypoints")
    told = (point for item in pictures.items(bare=True) for entry in item.objects for point in entry["keypoints"])
    names = list(dict.fromkeys(point["name"] for point in told))
    if not names:
        raise InputError("YOLO to find points needs things with keypoints, and none in this set has one; write yolo")
    more = {"kpt_shape": [len(names), 3], "kpt_names": {n: list(names) for n in range(len(pictures.about.classes))}}
    _written(pictures, folder, lambda item, entry: [*_box(item, entry), *_points(item, entry, names)], more)


def _box(item: Item, entry: Mapping[str, Any]) -> list[str]:
    left, top, right, bottom = entry["box"]
    middle = ((left + right) / 2 / item.width, (top + bottom) / 2 / item.height)
    size = ((right - left) / item.width, (bottom - top) / item.height)
    return [f"{value:.6f}" for value in (*middle, *size)]


def _polygon(item: Item, entry: Mapping[str, Any]) -> list[str]:
    corners = outline(filled(entry["mask"])) / (item.width, item.height)
    return [f"{value:.6f}" for value in corners.ravel()]


def _points(item: Item, entry: Mapping[str, Any], names: list[str]) -> list[str]:
    known = {point["name"]: point for point in entry["keypoints"] if point["state"]}
    told = []
    for name in names:
        if name not in known:
            told += ["0", "0", "0"]
            continue
        x, y = known[name]["pixel"]
        told += [f"{x / item.width:.6f}", f"{y / item.height:.6f}", str(known[name]["state"])]
    return told


def _written(pictures: ImageSet, folder: Path, line: Line, more: Mapping[str, Any] | None = None) -> None:
    about, record = pictures.about, pictures.about.record
    for name in ("images", "labels"):
        (folder / name / "train").mkdir(parents=True)
    for item in pictures.items():
        if item.image is not None:
            (folder / "images" / "train" / f"{item.key}.png").write_bytes(png(item.image, record))
        seen = [entry for entry in item.objects if entry["box"] is not None]
        lines = [" ".join([str(entry["class_id"] - 1), *line(item, entry)]) for entry in seen]
        (folder / "labels" / "train" / f"{item.key}.txt").write_text("".join(f"{each}\n" for each in lines))
    told = {
        "path": ".",
        "train": "images/train",
        "val": "images/val",
        "names": dict(enumerate(about.classes)),
        **(more or {}),
        "synthetic": True,
        "tuckpoint_record": record.digest(),
    }
    (folder / "data.yaml").write_text(declared.dump(told), encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")
