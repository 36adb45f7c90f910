"""glTF 2.0: each scene as one .glb with shapes, materials, textures, camera, lights and motion.

Format: the specification of glTF 2.0 with KHR_lights_punctual and KHR_materials_transmission (Khronos). A node "world"
turns our z up into glTF's y up; below it stand our own numbers, in metres. What glTF cannot hold stands in `extras`:
the sky, what the lens does, the side of a lamp, a principal point off the middle.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.record import Record, canonical
from tuckpoint.write.sets import Built, ImageSet, Shape, pathless, png

LUMEN_PER_WATT = 683.0  # of light at 555 nm: what Blender's exporter takes, too, so watts come back there
FLOAT, UINT = 5126, 5125
VERTICES, INDICES = 34962, 34963
HALF = math.sqrt(0.5)
NEAR_M = 0.01
Floats = NDArray[np.float64]


@dataclass
class _Document:
    """The two chunks of a file while it grows: JSON and bytes."""

    told: dict[str, list[Any]] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)
    known: dict[Any, int] = field(default_factory=dict)

    def add(self, kind: str, entry: Mapping[str, Any]) -> int:
        """Append to a list of the document; the entry's number."""
        rows = self.told.setdefault(kind, [])
        rows.append(dict(entry))
        return len(rows) - 1

    def bytes(self, data: bytes, **more: Any) -> int:
        """Append bytes; the number of their view."""
        self.data += bytes(-len(self.data) % 4)
        view = self.add("bufferViews", {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more})
        self.data += data
        return view

    def array(self, values: NDArray[Any], *, target: int | None = None) -> int:
        """Append numbers (n,) or (n, 2 to 4), with their bounds; the number of their accessor."""
        whole = np.dtype(np.uint32 if values.dtype.kind in "ui" else np.float32)
        kept = np.ascontiguousarray(values, whole)
        view = self.bytes(kept.tobytes(), **({} if target is None else {"target": target}))
        flat = kept.reshape(len(kept), -1)
        told = {
            "bufferView": view, "count": len(kept), "componentType": UINT if whole == np.uint32 else FLOAT,
            "type": "SCALAR" if kept.ndim == 1 else f"VEC{kept.shape[1]}",
            "min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist(),
        }  # fmt: skip
        return self.add("accessors", told)


def gltf(pictures: ImageSet, folder: Path) -> None:
    """Write a set into an empty folder: scenes/KEY.glb, one for all frames of a scene, and record.json.

    Raises InputError if the set does not come with the shapes of its things.
    """
    record = pictures.about.record
    (folder / "scenes").mkdir()
    for item, scene in pictures.pairs(bare=True):
        if scene is not None:
            key = item.key.partition("-")[0]
            (folder / "scenes" / f"{key}.glb").write_bytes(glb(scene, pictures.built("glTF", scene), record))
    (folder / "record.json").write_bytes(record.sealed() + b"\n")


def glb(scene: Mapping[str, Any], built: Built, record: Record) -> bytes:
    """One scene as the bytes of a .glb; the same scene gives the same bytes."""
    made = _Document()
    world = made.add("nodes", {"name": "world", "rotation": [-HALF, 0.0, 0.0, HALF]})
    nodes = [*_things(made, scene, built, record), _camera(made, scene), *_lights(made, scene)]
    made.told["nodes"][world]["children"] = nodes
    stamp = {"synthetic": True, "tuckpoint_record": record.digest()}
    used = sorted(
        {name for kind in ("nodes", "materials") for row in made.told[kind] for name in row.get("extensions", {})}
    )
    whole: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "tuckpoint", "extras": stamp},
        "scene": 0,
        "scenes": [
            {"name": f"scene {scene['index']}", "nodes": [world], "extras": {**stamp, "sky": pathless(scene["sky"])}}
        ],
        **{kind: rows for kind, rows in made.told.items() if kind != "lights"},
        "buffers": [{"byteLength": len(made.data)}],
    }
    if used:
        whole["extensionsUsed"] = used
    if "lights" in made.told:
        whole["extensions"] = {"KHR_lights_punctual": {"lights": made.told["lights"]}}
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    data = bytes(made.data) + bytes(-len(made.data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _things(made: _Document, scene: Mapping[str, Any], built: Built, record: Record) -> Iterator[int]:
    first = 0
    for number, (thing, shape) in enumerate(zip(scene["things"], built.meshes, strict=True), 1):
        materials = [
            _material(made, thing["materials"][part], built.textures.get(first + n), record)
            for n, part in enumerate(shape.parts)
        ]
        first += len(shape.parts)
        told = {"instance": number, "class": thing["class_name"], "family": thing["family"]}
        mesh = made.add("meshes", {"name": thing["name"], "primitives": _primitives(made, shape, materials)})
        yield _node(made, scene, thing["name"], thing["poses"], {"mesh": mesh, "extras": told})


def _primitives(made: _Document, shape: Shape, materials: Sequence[int]) -> list[dict[str, Any]]:
    """A primitive per part; things of the same shape share their numbers."""
    if ("POSITION", id(shape)) not in made.known:
        length = np.linalg.norm(shape.normals, axis=1, keepdims=True)
        normals = np.where(length > 0, shape.normals / np.maximum(length, 1e-12), [0.0, 0.0, 1.0])
        upright = np.stack([shape.uv[:, 0], 1 - shape.uv[:, 1]], axis=1)  # v runs down in glTF
        arrays = {"POSITION": shape.vertices, "NORMAL": normals, "TEXCOORD_0": upright}
        for name, array in arrays.items():
            made.known[name, id(shape)] = made.array(array, target=VERTICES)
        for part in np.unique(shape.part).tolist():
            chosen = shape.faces[shape.part == part].ravel().astype(np.uint32)
            made.known["indices", id(shape), part] = made.array(chosen, target=INDICES)
    attributes = {name: made.known[name, id(shape)] for name in ("POSITION", "NORMAL", "TEXCOORD_0")}
    return [
        {"attributes": attributes, "indices": made.known["indices", id(shape), part], "material": materials[part]}
        for part in np.unique(shape.part).tolist()
    ]


def _material(made: _Document, material: Mapping[str, Any], texture: NDArray[np.uint8] | None, record: Record) -> int:
    key = canonical(dict(material))
    if key in made.known:
        return made.known[key]
    surface: dict[str, Any] = {
        "baseColorFactor": [*material["colour"], 1.0],
        "metallicFactor": material["metallic"],
        "roughnessFactor": material["roughness"],
    }
    if texture is not None:
        surface["baseColorTexture"] = {"index": _texture(made, texture, record)}
    told: dict[str, Any] = {"pbrMetallicRoughness": surface}
    if material["transmission"] > 0:
        told["extensions"] = {"KHR_materials_transmission": {"transmissionFactor": material["transmission"]}}
    made.known[key] = made.add("materials", told)
    return made.known[key]


def _texture(made: _Document, texture: NDArray[np.uint8], record: Record) -> int:
    """A texture, once, that repeats and is smooth from near and far."""
    if ("texture", id(texture)) not in made.known:
        if "samplers" not in made.told:
            made.add("samplers", {"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497})
        image = made.add("images", {"bufferView": made.bytes(png(texture, record)), "mimeType": "image/png"})
        made.known["texture", id(texture)] = made.add("textures", {"source": image, "sampler": 0})
    return made.known["texture", id(texture)]


def _node(
    made: _Document, scene: Mapping[str, Any], name: str, poses: Sequence[Mapping[str, Any]], more: Mapping[str, Any]
) -> int:
    """A node in its first pose, moved through the others by an animation."""
    places = np.array([pose["position"] for pose in poses], float)
    turns = np.array([np.roll(pose["rotation"], -1) for pose in poses], float)  # glTF has w last
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    node = made.add("nodes", {"name": name, "translation": places[0].tolist(), "rotation": turns[0].tolist(), **more})
    if len(poses) > 1:
        if "animations" not in made.told:
            made.add("animations", {"name": "motion", "samplers": [], "channels": []})
            made.known["times"] = made.array(np.arange(len(poses)) / scene["fps"])
        motion = made.told["animations"][0]
        for path, values in (("translation", places), ("rotation", turns)):
            motion["channels"].append({"sampler": len(motion["samplers"]), "target": {"node": node, "path": path}})
            motion["samplers"].append({"input": made.known["times"], "output": made.array(values)})
    return node


def _camera(made: _Document, scene: Mapping[str, Any]) -> int:
    camera = scene["camera"]
    fx, fy = camera["focal_px"]
    lens = {"yfov": 2 * math.atan(camera["height"] / 2 / fy), "znear": NEAR_M,
            "aspectRatio": camera["width"] / fx / (camera["height"] / fy)}  # fmt: skip
    told = {name: camera[name] for name in ("width", "height", "focal_px", "centre_px", "lens")}
    number = made.add("cameras", {"type": "perspective", "perspective": lens, "extras": told})
    flipped = [{**pose, "rotation": _half_turn(pose["rotation"])} for pose in camera["poses"]]
    return _node(made, scene, "camera", flipped, {"camera": number})


def _half_turn(rotation: Sequence[float]) -> list[float]:
    """A rotation (w, x, y, z) after half a turn about x: from y down, z ahead to glTF's y up, z back."""
    w, x, y, z = rotation
    return [-x, w, z, -y]


def _lights(made: _Document, scene: Mapping[str, Any]) -> Iterator[int]:
    sun = scene["sun"]
    if sun is not None and sun["elevation_deg"] > 0:
        up, around = math.radians(sun["elevation_deg"]), math.radians(sun["azimuth_deg"])
        back = np.array([math.cos(up) * math.cos(around), math.cos(up) * math.sin(around), math.sin(up)])
        yield _light(made, "sun", "directional", sun["irradiance"], sun["colour"], [0.0, 0.0, 0.0], back, {})
    for number, lamp in enumerate(scene["lamps"]):
        # A flat lamp shines with power / pi per steradian straight ahead; glTF has no area lights, a spot is nearest.
        cone = {"spot": {"innerConeAngle": 0.0, "outerConeAngle": math.pi / 2}, "extras": {"size_m": lamp["size_m"]}}
        back = np.subtract(lamp["position"], lamp["target"])
        strength = lamp["power_w"] / math.pi
        yield _light(made, f"lamp {number}", "spot", strength, lamp["colour"], lamp["position"], back, cone)


def _light(
    made: _Document, name: str, kind: str, watts: float, colour: Sequence[float], at: Sequence[float], back: Floats,
    more: Mapping[str, Any],
) -> int:  # fmt: skip
    """A light whose own z axis, which is away from where it shines, points along `back`."""
    most = max(*colour, 1.0)  # colours of glTF end at 1
    told = {"name": name, "type": kind, "color": [value / most for value in colour],
            "intensity": watts * most * LUMEN_PER_WATT, **more}  # fmt: skip
    number = made.add("lights", told)
    extension = {"KHR_lights_punctual": {"light": number}}
    return made.add("nodes", {
        "name": name, "translation": list(at), "rotation": _towards(back / np.linalg.norm(back)),
        "extensions": extension,
    })  # fmt: skip


def _towards(way: Floats) -> list[float]:
    """The rotation (x, y, z, w) that turns the z axis into a unit vector, by the shortest way."""
    if way[2] < -0.999999:
        return [1.0, 0.0, 0.0, 0.0]
    turn = np.array([-way[1], way[0], 0.0, 1 + way[2]])
    return [float(value) for value in turn / np.linalg.norm(turn)]
