"""Wavefront OBJ and its MTL: triangles and polygons by material."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.scene.pieces import Piece, checked, triangles

Corner = tuple[int, int, int]  # of position, uv and normal; -1 for none


def read(path: Path) -> list[Piece]:
    """The pieces of an OBJ, one for each material that a face uses; raises InputError that names a damaged line."""
    rows: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    polygons: dict[str, list[list[Corner]]] = {}
    looks: dict[str, dict[str, Any]] = {}
    material = "all"
    for number, words in _lines(path):
        key, *rest = words
        try:
            if key in rows:
                rows[key].append([float(word) for word in rest[: 2 if key == "vt" else 3]])
            elif key == "f":
                polygons.setdefault(material, []).append([_corner(word, rows) for word in rest])
            elif key == "usemtl":
                material = " ".join(rest) or "all"
            elif key == "mtllib":
                looks |= _materials(path.parent / " ".join(rest))
        except (ValueError, IndexError):
            raise InputError(f"{path}, line {number}: cannot read {' '.join(words)!r}; the file is damaged") from None
    positions = _table(rows["v"], 3, path)
    uv, normals = _table(rows["vt"], 2, path), _table(rows["vn"], 3, path)
    return [_piece(name, polygons[name], positions, uv, normals, looks.get(name, {}), path) for name in polygons]


def _table(rows: list[list[float]], width: int, path: Path) -> Any:
    if any(len(row) != width for row in rows):
        raise InputError(f"{path}: a vertex has too few numbers; the file is damaged")
    return np.array(rows, float).reshape(-1, width)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    held = ""
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        text = held + line.split("#", 1)[0].strip()
        if text.endswith("\\"):
            held = text[:-1] + " "
            continue
        held = ""
        if words := text.split():
            yield number, words


def _corner(word: str, rows: dict[str, list[list[float]]]) -> Corner:
    """Numbers from 0; negative ones of the file count from the last."""
    given = [*word.split("/"), "", ""][:3]
    found = []
    for text, key in zip(given, ("v", "vt", "vn"), strict=True):
        number = int(text) if text else 0
        found.append(number - 1 if number >= 0 else len(rows[key]) + number)
    return (found[0], found[1], found[2])


def _piece(
    name: str, polygons: list[list[Corner]], positions: Any, uv: Any, normals: Any, look: dict[str, Any], path: Path
) -> Piece:
    corners: list[Corner] = []
    for polygon in polygons:
        places = [corner[0] for corner in polygon]
        if len(places) < 3 or min(places) < 0 or max(places) >= len(positions):
            raise InputError(
                f"{path} has a face of {len(places)} corners or of vertices that are not there; it is damaged"
            )
        corners += [polygon[k] for three in triangles(places, positions) for k in three]
    table = np.array(corners, np.int64).reshape(-1, 3, 3)  # face, corner, kind
    checked(positions, table[..., 0], str(path))
    own: list[Any] = []
    for values, kind in ((normals, 2), (uv, 1)):
        used = table[..., kind]
        own.append(values[used] if len(values) and used.min() >= 0 and used.max() < len(values) else None)
    return Piece(name, positions, table[..., 0], own[0], own[1], look)


def _materials(path: Path) -> dict[str, dict[str, Any]]:
    """The looks of an MTL: Kd is taken as linear light; without Pr, the roughness follows from Ns."""
    if not path.is_file():
        return {}
    found: dict[str, dict[str, Any]] = {}
    look: dict[str, Any] = {}
    for number, (key, *rest) in _lines(path):
        try:
            if key == "newmtl":
                look = found.setdefault(" ".join(rest), {})
            elif key == "Kd":
                look["colour"] = [float(word) for word in rest[:3]]
            elif key in ("Pr", "Pm"):
                look["roughness" if key == "Pr" else "metallic"] = float(rest[0])
            elif key == "Ns" and "roughness" not in look:
                look["roughness"] = float(np.clip((2 / (float(rest[0]) + 2)) ** 0.25, 0.02, 1))
            elif key == "map_Kd":
                place = path.parent / rest[-1].replace("\\", "/")
                look["texture"] = {"kind": "image", "settings": {"path": str(place)}}
                look["colour"] = [1.0, 1.0, 1.0]
        except (ValueError, IndexError):
            raise InputError(
                f"{path}, line {number}: cannot read {key} {' '.join(rest)!r}; the file is damaged"
            ) from None
    return found


def beside(path: Path) -> list[Path]:
    """The files that an OBJ names and that are there: its materials and their textures."""
    libraries = [path.parent / " ".join(rest) for _, (key, *rest) in _lines(path) if key == "mtllib"]
    found = [library for library in libraries if library.is_file()]
    looks = [look for library in found for look in _materials(library).values()]
    return [*found, *(Path(look["texture"]["settings"]["path"]) for look in looks if "texture" in look)]
