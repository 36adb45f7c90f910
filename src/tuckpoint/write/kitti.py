"""KITTI's object benchmark: training/image_2, label_2 and calib, one file of each per picture.

Format: readme of the object development kit (Geiger et al. 2012). Its camera frame is ours (x right, y down, z ahead),
its pixels are counted from the middle of the first one, ours from its corner: P2 is moved by half a pixel.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.labels import Item
from tuckpoint.write.sets import ImageSet, png

LEVEL_DEG = 1.0  # what leans by more than this against the camera's own upright is counted as tilted
SEEN, HALF = 0.9, 0.5  # at least so much seen: "fully visible", "partly occluded"; less: "largely occluded"
TOLD = {
    "frame": "the camera itself; a camera that looks down sees upright things tilted",
    "rotation_y": "of the thing's own x axis, which is its length, about the camera's y",
    "location": "middle of the thing's lower side, camera frame, m",
    "bbox": "first and last pixel that show the thing",
    "occluded": f"0 from {SEEN} seen on, 1 from {HALF} on, 2 below",
    "tilted": f"by more than {LEVEL_DEG} degrees, which KITTI cannot hold: such boxes are told as if upright",
    "lidar": "there is none; Tr_velo_to_cam turns a frame at the camera, x ahead, y left, z up",
}


def kitti(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder; info.json says what was renamed and what KITTI cannot hold, keys.txt which
    picture is which.

    Raises InputError if the set lacks boxes, boxes in space, visibility or the camera.
    """
    pictures.require("KITTI", box="box", box_3d="box_3d", visible="visibility", truncated="visibility", camera="camera")
    about, record = pictures.about, pictures.about.record
    for name in ("image_2", "label_2", "calib"):
        (folder / "training" / name).mkdir(parents=True)
    (folder / "ImageSets").mkdir()
    names = _names(about.classes)
    keys, unseen, tilts = [], 0, []
    for number, item in enumerate(pictures.items()):
        name = f"{number:06d}"
        if item.image is not None:
            (folder / "training" / "image_2" / f"{name}.png").write_bytes(png(item.image, record))
        lines = []
        for entry in item.objects:
            if entry["box"] is None:
                unseen += 1
                continue
            place, tilt = _placed(entry["box_3d"], np.array(item.facts["camera"]["from_world"]))
            lines.append(_line(names[entry["class_id"] - 1], entry, place))
            tilts.append(tilt)
        (folder / "training" / "label_2" / f"{name}.txt").write_text("".join(lines), encoding="utf-8")
        (folder / "training" / "calib" / f"{name}.txt").write_text(_calibration(item), encoding="utf-8")
        keys.append(item.key)
    numbers = [f"{number:06d}\n" for number in range(len(keys))]
    (folder / "ImageSets" / "train.txt").write_text("".join(numbers))
    (folder / "keys.txt").write_text("".join(f"{key}\n" for key in keys))
    info = {
        "synthetic": True,
        "tuckpoint_record": record.digest(),
        "names": dict(zip(names, about.classes, strict=True)),
        "renamed": [name for name, own in zip(names, about.classes, strict=True) if name != own],
        "things": len(tilts),
        "things_not_seen": unseen,
        "things_tilted": sum(tilt > LEVEL_DEG for tilt in tilts),
        "largest_tilt_deg": round(max(tilts, default=0.0), 3),
        "meaning": TOLD,
    }
    (folder / "info.json").write_text(json.dumps(info, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _names(classes: tuple[str, ...]) -> list[str]:
    """Names for labels: one word each, all different, and none is "DontCare", which means another thing."""
    found: list[str] = []
    for own in classes:
        word = re.sub(r"[^\w.-]+", "_", own).strip("_.") or "class"
        name, more = word, 1
        while name in found or name == "DontCare":
            more += 1
            name = f"{word}_{more}"
        found.append(name)
    return found


def _placed(box: Mapping[str, Any], from_world: Any) -> tuple[dict[str, Any], float]:
    """Size (h, w, l), place and turn of a box in the camera's frame, and how far it leans, in degrees."""
    corners = np.array(box["corners_world_m"]) @ from_world[:3, :3].T + from_world[:3, 3]  # (8, 3)
    middle, size = corners.mean(axis=0), np.array(box["size_m"])
    ahead, up = corners[4] - corners[0], corners[1] - corners[0]  # bit 4 is the high end of x, bit 1 that of z
    turn = math.atan2(-ahead[2], ahead[0])
    tilt = math.degrees(math.acos(float(np.clip(-up[1] / np.linalg.norm(up), -1, 1))))
    return {"size": size[[2, 1, 0]], "at": middle - up / 2, "turn": turn}, tilt


def _line(name: str, entry: Mapping[str, Any], place: Mapping[str, Any]) -> str:
    left, top, right, bottom = entry["box"]
    seen = entry["visible"]
    x, y, z = place["at"]
    alpha = math.remainder(place["turn"] - math.atan2(x, z), 2 * math.pi)
    numbers = [alpha, left, top, right - 1, bottom - 1, *place["size"], x, y, z, place["turn"]]
    hidden = 0 if seen >= SEEN else 1 if seen >= HALF else 2
    told = " ".join(f"{float(value) + 0.0:.4f}" for value in numbers)
    return f"{name} {min(max(entry['truncated'], 0.0), 1.0):.2f} {hidden} {told}\n"


def _calibration(item: Item) -> str:
    inner = np.array(item.facts["camera"]["intrinsics"], float)
    inner[:2, 2] -= 0.5
    project = np.hstack([inner, np.zeros((3, 1))])
    rows = {f"P{n}": project for n in range(4)}
    rows["R0_rect"] = np.eye(3)
    rows["Tr_velo_to_cam"] = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0]])
    rows["Tr_imu_to_velo"] = np.eye(3, 4)
    return "".join(f"{name}: " + " ".join(f"{v:.12e}" for v in row.ravel()) + "\n" for name, row in rows.items())
