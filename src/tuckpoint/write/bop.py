"""BOP, for the pose of objects: pictures in folders of a thousand, with masks, depth, poses and a model of each object.

Format: "Format of the BOP datasets" and `calc_gt_info` of bop_toolkit (Hodan et al. 2018). Lengths are in mm. An object
is a family with its numbers, so two things of one shape are one object, whatever they are made of. A model's origin is
the middle of its box. Pixels are counted from the middle of the first one, ours from its corner: K is moved by half a
pixel, and a box reaches from the first to the last pixel.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Item
from tuckpoint.record import Record, canonical
from tuckpoint.write.sets import Built, ImageSet, Shape, filled, pathless, png

PICTURES_PER_FOLDER = 1000
SCALES_MM = (0.1, 1.0, 10.0, 100.0)  # of depth: the first that holds all labelled things
DEEPEST = 65535
Floats = NDArray[np.float64]
NEEDS = {"mask": "mask", "mask_amodal": "mask_amodal", "box": "box", "box_amodal": "box_amodal", "pixels": "visibility",
         "truncated": "visibility", "pose_camera": "pose", "depth": "depth", "camera": "camera"}  # fmt: skip


@dataclass
class _Objects:
    """The objects met so far: number by family and shape, and what is told of each."""

    folder: Path
    record: Record
    numbers: dict[bytes, int] = field(default_factory=dict)
    sizes: dict[str, Any] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    def number(self, thing: Mapping[str, Any], shape: Shape) -> int:
        """The id of a thing's object, whose model is written when it is first met."""
        key = canonical({"family": thing["family"], "shape": thing["shape"]})
        if key not in self.numbers:
            number = self.numbers[key] = len(self.numbers) + 1
            (self.folder / f"obj_{number:06d}.ply").write_bytes(_ply(shape, self.record))
            self.sizes[str(number)] = _size(shape)
            self.told[str(number)] = {"family": thing["family"], "shape": pathless(thing["shape"]), "classes": []}
        told = self.told[str(self.numbers[key])]["classes"]
        if thing["class_name"] not in told:
            told.append(thing["class_name"])
        return self.numbers[key]


def bop(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: train_pbr, models, camera.json (of the first picture), info.json, record.json.

    Things of which no pixel would be in the picture, even uncovered, are left out and counted; depth beyond 16 bits is
    0, and counted. Raises InputError if the set lacks a label or the shapes of things.
    """
    pictures.require("BOP", **NEEDS)
    record = pictures.about.record
    (folder / "models").mkdir()
    objects = _Objects(folder / "models", record)
    lost = {"things_outside": 0, "depth_pixels_too_far": 0}
    tables: dict[str, dict[str, Any]] = {}
    place = folder
    for number, (item, scene) in enumerate(pictures.pairs()):
        if scene is not None or number == 0:
            things, built = (scene or {}).get("things", []), pictures.built("BOP", scene)
        if number % PICTURES_PER_FOLDER == 0:
            _close(place, tables)
            place = folder / "train_pbr" / f"{number // PICTURES_PER_FOLDER:06d}"
            tables = {"scene_camera": {}, "scene_gt": {}, "scene_gt_info": {}}
            for name in ("rgb", "depth", "mask", "mask_visib"):
                (place / name).mkdir(parents=True)
        here = number % PICTURES_PER_FOLDER
        depth, camera = _seen(item, lost)
        _put(place, here, item, depth, record)
        inside = [entry for entry in item.objects if entry["box_amodal"] is not None]
        lost["things_outside"] += len(item.objects) - len(inside)
        poses = [_pose(entry, things, built, objects) for entry in inside]
        tables["scene_camera"][str(here)] = camera
        tables["scene_gt"][str(here)] = poses
        tables["scene_gt_info"][str(here)] = [
            _info(item, entry, built.meshes[entry["instance"] - 1], depth) for entry in inside
        ]
        for order, entry in enumerate(inside):
            for name, code in (("mask", "mask_amodal"), ("mask_visib", "mask")):
                mask = filled(entry[code]).astype(np.uint8) * 255
                (place / name / f"{here:06d}_{order:06d}.png").write_bytes(png(mask, record))
        if number == 0:
            _dump(folder / "camera.json", _sensor(item, camera))
    _close(place, tables)
    _dump(folder / "models" / "models_info.json", objects.sizes)
    info = {"synthetic": True, "tuckpoint_record": record.digest(), **lost, "objects": objects.told}
    _dump(folder / "info.json", info)
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def _close(place: Path, tables: Mapping[str, Mapping[str, Any]]) -> None:
    for name, table in tables.items():
        _dump(place / f"{name}.json", table)


def _dump(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _seen(item: Item, lost: dict[str, int]) -> tuple[NDArray[np.uint16], dict[str, Any]]:
    """Depth as it is stored (h, w), 0 where there is none, and the entry of scene_camera.json."""
    depth = item.arrays["depth"].astype(np.float64) * 1000
    shown = np.zeros(depth.shape, bool)
    for entry in item.objects:
        shown |= filled(entry["mask"])
    deepest = float(depth[shown & np.isfinite(depth)].max(initial=0.0))
    scale = next((scale for scale in SCALES_MM if deepest <= DEEPEST * scale), SCALES_MM[-1])
    steps = np.rint(depth / scale)
    lost["depth_pixels_too_far"] += int((np.isfinite(steps) & (steps > DEEPEST)).sum())
    stored = np.where(steps <= DEEPEST, steps, 0).astype(np.uint16)
    camera = item.facts["camera"]
    inner, from_world = np.array(camera["intrinsics"], float), np.array(camera["from_world"], float)
    inner[:2, 2] -= 0.5
    told = {
        "cam_K": inner.ravel().tolist(),
        "depth_scale": scale,
        "cam_R_w2c": from_world[:3, :3].ravel().tolist(),
        "cam_t_w2c": (from_world[:3, 3] * 1000).tolist(),
    }
    return stored, told


def _sensor(item: Item, camera: Mapping[str, Any]) -> dict[str, Any]:
    fx, _, cx, _, fy, cy = camera["cam_K"][:6]
    size = {"width": item.width, "height": item.height}
    return {"cx": cx, "cy": cy, "depth_scale": camera["depth_scale"], "fx": fx, "fy": fy, **size}


def _put(place: Path, number: int, item: Item, depth: NDArray[np.uint16], record: Record) -> None:
    (place / "depth" / f"{number:06d}.png").write_bytes(png(depth, record))
    if item.image is not None:
        (place / "rgb" / f"{number:06d}.png").write_bytes(png(item.image, record))


def _pose(entry: Mapping[str, Any], things: Any, built: Built, objects: _Objects) -> dict[str, Any]:
    """The entry of scene_gt.json: camera from model."""
    shape = built.meshes[entry["instance"] - 1]
    pose = np.array(entry["pose_camera"], float)
    return {
        "cam_R_m2c": pose[:3, :3].ravel().tolist(),
        "cam_t_m2c": ((pose[:3, :3] @ _middle(shape) + pose[:3, 3]) * 1000).tolist(),
        "obj_id": objects.number(things[entry["instance"] - 1], shape),
    }


def _info(item: Item, entry: Mapping[str, Any], shape: Shape, depth: NDArray[np.uint16]) -> dict[str, Any]:
    """The entry of scene_gt_info.json."""
    whole, kept = entry["pixels_amodal"], 1 - entry["truncated"]
    every = max(round(whole / kept), whole) if kept > 0 else whole  # also outside the picture
    return {
        "bbox_obj": _reach(item, entry, shape) if entry["pixels"] else [-1] * 4,
        "bbox_visib": _box(entry["box"]),
        "px_count_all": every,
        "px_count_valid": int((depth[filled(entry["mask_amodal"])] > 0).sum()),
        "px_count_visib": entry["pixels"],
        "visib_fract": entry["pixels"] / every if every else 0.0,
    }


def _box(edges: Any) -> list[int]:
    """x, y, width, height between the middles of the first and last pixel; -1 for none."""
    if edges is None:
        return [-1, -1, -1, -1]
    left, top, right, bottom = edges
    return [left, top, right - 1 - left, bottom - 1 - top]


def _reach(item: Item, entry: Mapping[str, Any], shape: Shape) -> list[int]:
    """The box of the whole thing, also outside the picture, up to one width and height beyond it."""
    left, top, right, bottom = entry["box_amodal"]
    if entry["truncated"] > 0:
        pose, inner = np.array(entry["pose_camera"]), np.array(item.facts["camera"]["intrinsics"])
        seen = (shape.vertices @ pose[:3, :3].T + pose[:3, 3]) @ inner.T
        if (seen[:, 2] > 0).all():  # of what reaches behind the camera no box holds the picture
            size = np.array([item.width, item.height])
            flat = np.clip(seen[:, :2] / seen[:, 2:], -size, 2 * size)
            low, high = np.ceil(flat.min(axis=0) - 0.5), np.floor(flat.max(axis=0) - 0.5) + 1
            left, top = int(min(low[0], left)), int(min(low[1], top))
            right, bottom = int(max(high[0], right)), int(max(high[1], bottom))
    return _box([left, top, right, bottom])


def _middle(shape: Shape) -> Floats:
    """The middle (3,) of a shape's box, in metres."""
    return np.asarray((shape.vertices.min(axis=0).astype(float) + shape.vertices.max(axis=0)) / 2)


def _size(shape: Shape) -> dict[str, float]:
    """The entry of models_info.json: the box and the largest distance between two vertices."""
    from scipy.spatial import ConvexHull, QhullError
    from scipy.spatial.distance import pdist

    points = np.unique((shape.vertices - _middle(shape)) * 1000, axis=0)
    try:
        outer = points[ConvexHull(points).vertices]
    except QhullError:  # a flat shape
        outer = points
    low, size = points.min(axis=0), np.ptp(points, axis=0)
    told = {"diameter": float(pdist(outer).max())}
    told |= {f"min_{axis}": float(value) for axis, value in zip("xyz", low, strict=True)}
    return told | {f"size_{axis}": float(value) for axis, value in zip("xyz", size, strict=True)}


def _ply(shape: Shape, record: Record) -> bytes:
    """A shape as the bytes of a .ply in mm, about the middle of its box."""
    rows = np.hstack([(shape.vertices - _middle(shape)) * 1000, shape.normals]).astype("<f4")
    faces = np.empty(len(shape.faces), [("n", "u1"), ("corners", "<i4", 3)])
    faces["n"], faces["corners"] = 3, shape.faces
    head = ["ply", "format binary_little_endian 1.0", f"comment synthetic, tuckpoint_record {record.digest()}"]
    head += [f"element vertex {len(rows)}", *(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz"))]
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header"]
    return "".join(f"{line}\n" for line in head).encode() + rows.tobytes() + faces.tobytes()
