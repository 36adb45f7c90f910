"""Stanford PLY, text and binary: one piece; colours of its vertices become their mean."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.colour import LINEAR
from tuckpoint.scene.pieces import Piece, checked, triangles

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_ORDER = {"ascii": "", "binary_little_endian": "<", "binary_big_endian": ">"}
Element = tuple[str, int, list[tuple[str, ...]]]  # name, count, properties


def read(path: Path) -> list[Piece]:
    """The one piece of a PLY; raises InputError for one that is cut short, damaged, or without faces."""
    data = path.read_bytes()
    try:
        order, elements, start = _header(data)
        tables = _text(data[start:], elements) if order == "" else _binary(data[start:], elements, order)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(f"{path} is cut short or damaged ({error}); export it again") from None
    vertex = tables.get("vertex", {})
    if not all(axis in vertex for axis in "xyz"):
        raise InputError(f"{path} has no vertices with x, y and z; export it again")
    positions = np.stack([np.asarray(vertex[axis], float) for axis in "xyz"], 1)
    polygons: Any = next(
        (tables["face"][name] for name in ("vertex_indices", "vertex_index") if name in tables.get("face", {})), []
    )
    for polygon in polygons:
        if len(polygon) < 3 or min(polygon) < 0 or max(polygon) >= len(positions):
            raise InputError(f"{path} has a face that names vertices outside 0..{len(positions) - 1}; it is damaged")
    faces = [[polygon[k] for k in three] for polygon in polygons for three in triangles(polygon, positions)]
    table = np.array(faces, np.int64).reshape(-1, 3)
    checked(positions, table, str(path))
    normals = _columns(vertex, ("nx", "ny", "nz"))
    uv = next(
        (
            found
            for names in (("u", "v"), ("s", "t"), ("texture_u", "texture_v"))
            if (found := _columns(vertex, names)) is not None
        ),
        None,
    )
    colours = _columns(vertex, ("red", "green", "blue"))
    look = {} if colours is None else {"colour": LINEAR[np.clip(colours, 0, 255).astype(np.uint8)].mean(0).tolist()}
    return [
        Piece(
            "all",
            positions,
            table,
            None if normals is None else normals[table],
            None if uv is None else uv[table],
            look,
        )
    ]


def _columns(vertex: dict[str, Any], names: tuple[str, ...]) -> Any:
    return np.stack([np.asarray(vertex[name], float) for name in names], 1) if set(names) <= set(vertex) else None


def _header(data: bytes) -> tuple[str, list[Element], int]:
    end = data.find(b"end_header")
    if not data.startswith(b"ply") or end < 0:
        raise ValueError("no header of a PLY")
    order, elements = None, list[Element]()
    for line in data[:end].decode("ascii").splitlines()[1:]:
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format":
            order = _ORDER[words[1]]
        elif words[0] == "element":
            elements.append((words[1], int(words[2]), []))
        elif words[0] == "property":
            elements[-1][2].append(tuple(words[1:]))
    if order is None:
        raise ValueError("no format")
    return order, elements, data.index(b"\n", end) + 1


def _text(data: bytes, elements: list[Element]) -> dict[str, dict[str, Any]]:
    words = iter(data.decode("ascii").split())
    tables: dict[str, dict[str, Any]] = {}
    try:
        for name, count, properties in elements:
            columns: dict[str, list[Any]] = {one[-1]: [] for one in properties}
            for _ in range(count):
                for one in properties:
                    if one[0] == "list":
                        columns[one[-1]].append([int(float(next(words))) for _ in range(int(next(words)))])
                    else:
                        columns[one[-1]].append(float(next(words)))
            tables[name] = columns
    except StopIteration:
        raise ValueError("fewer numbers than the header says") from None
    return tables


def _binary(data: bytes, elements: list[Element], order: str) -> dict[str, dict[str, Any]]:
    at = 0
    tables: dict[str, dict[str, Any]] = {}
    for name, count, properties in elements:
        if all(one[0] != "list" for one in properties):
            kind = np.dtype([(one[1], order + _TYPES[one[0]]) for one in properties])
            rows = np.frombuffer(data, kind, count, at)
            at += kind.itemsize * count
            tables[name] = {one[1]: rows[one[1]] for one in properties}
            continue
        columns: dict[str, list[Any]] = {one[-1]: [] for one in properties}
        for _ in range(count):
            for one in properties:
                length = 1
                if one[0] == "list":
                    size = np.dtype(order + _TYPES[one[1]])
                    length = int(np.frombuffer(data, size, 1, at)[0])
                    at += size.itemsize
                kind = np.dtype(order + _TYPES[one[-2]])
                values = np.frombuffer(data, kind, length, at)
                at += kind.itemsize * length
                columns[one[-1]].append(values.astype(int).tolist() if one[0] == "list" else float(values[0]))
        tables[name] = columns
    return tables
