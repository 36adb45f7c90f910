"""The user's own models: OBJ, PLY and glTF files as things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.scene import gltf, obj, ply
from tuckpoint.scene.mesh import Mesh, Surface
from tuckpoint.scene.pieces import Piece, smoothed
from tuckpoint.scene.solid import above

READERS: dict[str, Callable[[Path], list[Piece]]] = {
    ".obj": obj.read, ".ply": ply.read, ".glb": gltf.read, ".gltf": gltf.read,
}  # fmt: skip
_POINTER = b"version https://git-lfs"


@dataclass(frozen=True)
class Model:
    """A model from a file; its parts are its materials, and look as the file says.

    `file` ends in .obj, .ply, .glb or .gltf. `scale` is metres per unit of the file, `up` its upward axis ("file": y
    for glTF, z for the others), `centred` puts the middle of its base at the origin. Where the file has no normals,
    edges between faces turned by less than `smooth_deg` are smoothed.
    """

    name: ClassVar[str] = "mesh"
    file: str = ""
    scale: float = 1.0
    up: Literal["file", "y", "z"] = "file"
    centred: bool = True
    smooth_deg: float = 30.0

    def mesh(self) -> Mesh:
        """The mesh; its top is a place to stand on."""
        path, reader = _found(self.file)
        pieces = [piece for piece in reader(path) if len(piece.faces)]
        if not pieces:
            raise InputError(f"{path} has no faces; export triangles, not points or lines")
        upright = path.suffix.lower() in (".glb", ".gltf") if self.up == "file" else self.up == "y"
        turn = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float) if upright else np.eye(3)
        made = [_corners(piece, turn, self.smooth_deg) for piece in pieces]
        names = _names(pieces)
        vertices = np.concatenate([one[0] for one in made]) * above(self.scale, "mesh: scale")
        if self.centred:
            low, high = vertices.min(0), vertices.max(0)
            vertices = vertices - [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]]
        low, high = vertices.min(0), vertices.max(0)
        x, y = (float(v) for v in (high - low)[:2] / 2)
        count = np.cumsum([0, *(len(one[0]) for one in made)])
        return Mesh(
            vertices=vertices.astype(np.float32),
            normals=np.concatenate([one[1] for one in made]).astype(np.float32),
            uv=np.concatenate([one[2] for one in made]).astype(np.float32),
            faces=np.concatenate([one[3] + at for one, at in zip(made, count[:-1], strict=True)]).astype(np.int32),
            part=np.concatenate([np.full(len(one[3]), k) for k, one in enumerate(made)]).astype(np.int32),
            parts=names,
            surfaces=(Surface("top", (float(low[0]) + x, float(low[1]) + y, float(high[2])), (x, y), level=False),),
            looks={name: dict(piece.look) for name, piece in zip(names, pieces, strict=True) if piece.look},
        )


def _found(file: str) -> tuple[Path, Callable[[Path], list[Piece]]]:
    path = Path(file)
    if not file or not path.is_file():
        raise InputError(f"mesh: there is no file {file or 'named'}; give the path of a model ({', '.join(READERS)})")
    ending = path.suffix.lower()
    if ending not in READERS:
        more = did_you_mean(ending, READERS)
        raise InputError(f'mesh: {path} ends in "{ending}"{more}; tuckpoint reads {", ".join(READERS)}')
    with path.open("rb") as start:
        if start.read(len(_POINTER)) == _POINTER:
            raise InputError(
                f"mesh: {path} is a pointer of Git LFS, not the model itself; fetch it with `git lfs pull`"
            )
    return path, READERS[ending]


def _names(pieces: list[Piece]) -> tuple[str, ...]:
    """Part names, each once; a point would end a knob's path."""
    names: list[str] = []
    for piece in pieces:
        plain = "".join(char if char.isalnum() or char in "-_" else "_" for char in piece.name) or "all"
        double = sum(name == plain or name.startswith(f"{plain}-") for name in names)
        names.append(f"{plain}-{double + 1}" if plain in names else plain)
    return tuple(names)


def _corners(piece: Piece, turn: Any, smooth_deg: float) -> tuple[Any, Any, Any, Any]:
    """Vertices, normals, uv and faces, a vertex for each different corner; faces without area are left out."""
    positions = piece.positions @ turn.T
    a, b, c = positions[piece.faces].transpose(1, 0, 2)
    keep = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-30
    if not keep.any():
        keep[:] = True  # the mesh says that it has no size
    faces = piece.faces[keep]
    normals = smoothed(positions, faces, smooth_deg) if piece.normals is None else piece.normals[keep] @ turn.T
    uv = np.zeros((*faces.shape, 2)) if piece.uv is None else piece.uv[keep]
    corners = np.concatenate([positions[faces], normals, uv], axis=2).reshape(-1, 8)
    table, place = np.unique(np.round(corners, 9), axis=0, return_inverse=True)
    length = np.maximum(np.linalg.norm(table[:, 3:6], axis=1, keepdims=True), 1e-12)
    return table[:, :3], table[:, 3:6] / length, table[:, 6:], place.reshape(-1, 3)
