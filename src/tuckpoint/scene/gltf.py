"""glTF 2.0, as .glb or .gltf: triangles by material, in the world of its default scene (metres, y up)."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from tuckpoint.errors import InputError
from tuckpoint.scene.pieces import Piece, checked

_KINDS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_FINE = {"KHR_mesh_quantization", "KHR_materials_unlit", "KHR_materials_ior", "KHR_materials_specular"}
TRIANGLES, STRIP, FAN = 4, 5, 6


@dataclass(frozen=True)
class Document:
    """The JSON of a file and the bytes of its buffers."""

    path: Path
    told: dict[str, Any]
    chunk: bytes

    def view(self, number: int) -> tuple[bytes, int]:
        """The bytes of a buffer view, and its stride (0: packed)."""
        view = self.told["bufferViews"][number]
        buffer = self.told["buffers"][view["buffer"]]
        data = self.chunk if "uri" not in buffer else self.outside(buffer["uri"])
        start = view.get("byteOffset", 0)
        if start + view["byteLength"] > len(data):
            raise ValueError("fewer bytes than the file says")
        return data[start : start + view["byteLength"]], view.get("byteStride", 0)

    def outside(self, uri: str) -> bytes:
        """What a URI holds: data, or a file beside this one."""
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        place = (self.path.parent / unquote(uri)).resolve()
        if not place.is_relative_to(self.path.parent.resolve()):
            raise ValueError(f"it points outside its folder, to {uri}")
        return place.read_bytes()

    def array(self, number: int) -> NDArray[Any]:
        """The values of an accessor, (n, width), decimals where it is normalized."""
        accessor = self.told["accessors"][number]
        if "sparse" in accessor:
            raise ValueError("it has sparse accessors, which tuckpoint does not read")
        kind, width, count = np.dtype(_KINDS[accessor["componentType"]]), _WIDTH[accessor["type"]], accessor["count"]
        if "bufferView" not in accessor:
            return np.zeros((count, width), kind)
        data, stride = self.view(accessor["bufferView"])
        step, start = stride or kind.itemsize * width, accessor.get("byteOffset", 0)
        if count and start + step * (count - 1) + kind.itemsize * width > len(data):
            raise ValueError("fewer numbers than the file says")
        values = np.ndarray((count, width), kind, data, start, (step, kind.itemsize)).copy()
        if accessor.get("normalized") and kind.kind != "f":
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        return values


def document(path: Path) -> Document:
    """The JSON and buffers of a .glb or .gltf; raises ValueError for what is neither, or needs an unknown extension."""
    data, chunk = path.read_bytes(), b""
    text = data
    if data[:4] == b"glTF":
        version, length = struct.unpack_from("<II", data, 4)
        if version != 2 or length > len(data):
            raise ValueError(f"version {version}, {len(data):,} of {length:,} bytes")
        at, text = 12, b""
        while at + 8 <= length:
            size, kind = struct.unpack_from("<I4s", data, at)
            if kind == b"JSON":
                text = data[at + 8 : at + 8 + size]
            elif kind == b"BIN\0":
                chunk = data[at + 8 : at + 8 + size]
            at += 8 + size
    told = json.loads(text)
    if not isinstance(told, dict) or not str(told.get("asset", {}).get("version", "")).startswith("2"):
        raise ValueError("no glTF 2")
    unknown = sorted(set(told.get("extensionsRequired", ())) - _FINE)
    if unknown:
        raise ValueError(f"it needs the extension {unknown[0]}, which tuckpoint does not read")
    return Document(path, told, chunk)


def read(path: Path) -> list[Piece]:
    """The pieces of all meshes of the default scene, one for each material; raises InputError for a damaged file."""
    try:
        found = document(path)
        told = found.told
        roots = (
            told["scenes"][told.get("scene", 0)].get("nodes", []) if told.get("scenes") else range(len(told["nodes"]))
        )
        loose: dict[int, list[Any]] = {}
        for root in roots:
            _walk(found, root, np.eye(4), loose, 0)
        return [_joined(found, number, parts) for number, parts in sorted(loose.items())]
    except (ValueError, KeyError, IndexError, TypeError, struct.error, OSError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} cannot be read as glTF 2: {error}; export it again, uncompressed") from None


def _walk(found: Document, number: int, above: Any, loose: dict[int, list[Any]], depth: int) -> None:
    if depth > 200:
        raise ValueError("its nodes go round in a circle")
    node = found.told["nodes"][number]
    world = above @ _matrix(node)
    if "mesh" in node:
        for primitive in found.told["meshes"][node["mesh"]]["primitives"]:
            if primitive.get("mode", TRIANGLES) in (TRIANGLES, STRIP, FAN):
                loose.setdefault(primitive.get("material", -1), []).append(_primitive(found, primitive, world))
    for child in node.get("children", ()):
        _walk(found, child, world, loose, depth + 1)


def _matrix(node: dict[str, Any]) -> Any:
    if "matrix" in node:
        return np.array(node["matrix"], float).reshape(4, 4).T
    whole = np.eye(4)
    turn = Rotation.from_quat(node.get("rotation", [0, 0, 0, 1])).as_matrix()
    whole[:3, :3] = turn * np.array(node.get("scale", [1, 1, 1]), float)
    whole[:3, 3] = node.get("translation", [0, 0, 0])
    return whole


def _primitive(found: Document, primitive: dict[str, Any], world: Any) -> tuple[Any, Any, Any, Any]:
    """Positions, faces, normals per vertex or None, uv per vertex or None."""
    own = primitive["attributes"]
    positions = found.array(own["POSITION"]).astype(float) @ world[:3, :3].T + world[:3, 3]
    order = (
        found.array(primitive["indices"]).ravel().astype(np.int64)
        if "indices" in primitive
        else np.arange(len(positions))
    )
    mode = primitive.get("mode", TRIANGLES)
    if mode == TRIANGLES:
        faces = order[: len(order) // 3 * 3].reshape(-1, 3)
    elif mode == STRIP:
        faces = np.stack([order[:-2], order[1:-1], order[2:]], 1)
        faces[1::2] = faces[1::2, ::-1]
    else:
        faces = np.stack([np.full(len(order) - 2, order[0]), order[1:-1], order[2:]], 1)
    if np.linalg.det(world[:3, :3]) < 0:
        faces = faces[:, ::-1]
    normals = None
    if "NORMAL" in own:
        normals = found.array(own["NORMAL"]).astype(float) @ np.linalg.inv(world[:3, :3])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    uv = found.array(own["TEXCOORD_0"]).astype(float) if "TEXCOORD_0" in own else None
    return positions, faces, normals, uv


def _joined(found: Document, material: int, parts: list[Any]) -> Piece:
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    positions = np.concatenate([part[0] for part in parts])
    faces = np.concatenate([part[1] + start for part, start in zip(parts, starts[:-1], strict=True)])
    checked(positions, faces, str(found.path))
    every: list[Any] = []
    for kind in (2, 3):
        whole = all(part[kind] is not None for part in parts)
        every.append(np.concatenate([part[kind] for part in parts])[faces] if whole else None)
    uv = None if every[1] is None else every[1] * [1, -1] + [0, 1]  # v runs down there
    told = {} if material < 0 else found.told["materials"][material]
    return Piece(
        told.get("name") or ("all" if material < 0 else f"material{material}"),
        positions,
        faces,
        every[0],
        uv,
        _look(found, told),
    )


def _look(found: Document, told: dict[str, Any]) -> dict[str, Any]:
    if not told:
        return {}
    rough = told.get("pbrMetallicRoughness", {})
    look: dict[str, Any] = {
        "colour": list(rough.get("baseColorFactor", [1, 1, 1, 1]))[:3],
        "metallic": float(rough.get("metallicFactor", 1.0)),
        "roughness": float(rough.get("roughnessFactor", 1.0)),
    }
    if "baseColorTexture" in rough:
        texture = found.told["textures"][rough["baseColorTexture"]["index"]]
        if "source" not in texture:
            raise ValueError("a texture is in a format other than PNG or JPEG")
        look["texture"] = {"kind": "embedded", "settings": {"file": str(found.path), "image": texture["source"]}}
    return look


def picture(path: Path, number: int) -> bytes:
    """The PNG or JPEG of image `number` in a file; raises InputError if there is none."""
    try:
        found = document(path)
        told = found.told["images"][number]
        return found.view(told["bufferView"])[0] if "bufferView" in told else found.outside(told["uri"])
    except (ValueError, KeyError, IndexError, OSError) as error:
        raise InputError(f"{path} has no image {number} that can be read: {error}") from None


def beside(path: Path) -> list[Path]:
    """The files that a .gltf names; raises InputError for one that cannot be read."""
    try:
        told = document(path).told
    except (ValueError, KeyError, OSError) as error:
        raise InputError(f"{path} cannot be read as glTF 2: {error}; export it again") from None
    uris = [one.get("uri", "data:") for kind in ("buffers", "images") for one in told.get(kind, ())]
    return [path.parent / unquote(uri) for uri in uris if not uri.startswith("data:")]
