"""Free forms of meshes: sheets, tubes, lumps, prisms and bodies, and how they are put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuckpoint.scene.mesh import Mesh
from tuckpoint.seed import Seed

Floats = NDArray[np.float64]


def sheet(points: Floats, part: str = "all", *, tiles: tuple[float, float] = (1.0, 1.0), closed: bool = False) -> Mesh:
    """A surface through a grid of points (rows, columns, 3), its outside where columns cross rows by the right hand.

    u runs along the columns and v along the rows, `tiles` times over the whole. `closed`: the last column meets the
    first, and is smooth there.
    """
    rows, columns = points.shape[:2]
    along = np.gradient(points, axis=0)
    if closed:
        ring = np.concatenate([points[:, -2:-1], points, points[:, 1:2]], axis=1)
        across = (ring[:, 2:] - ring[:, :-2]) / 2
    else:
        across = np.gradient(points, axis=1)
    normals = np.cross(across, along)
    length = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = normals / np.maximum(length, 1e-12)
    u, v = np.meshgrid(np.linspace(0, tiles[0], columns), np.linspace(0, tiles[1], rows))
    at = np.arange(rows * columns).reshape(rows, columns)
    low, right, high, diagonal = at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]
    faces = np.concatenate([np.stack([low, right, diagonal], -1), np.stack([low, diagonal, high], -1)]).reshape(-1, 3)
    made = points.reshape(-1, 3)
    a, b, c = made[faces].transpose(1, 0, 2)
    flat = np.cross(b - a, c - a)
    keep = np.linalg.norm(flat, axis=1) > 1e-14
    return _tended(made, normals.reshape(-1, 3), np.stack([u, v], -1).reshape(-1, 2), faces[keep], flat[keep], part)


def _tended(vertices: Floats, normals: Floats, uv: Floats, faces: Any, flat: Floats, part: str) -> Mesh:
    """The mesh; a normal that is lost at a pole, or turned from its faces, becomes their mean."""
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, faces[:, corner], flat)
    mean = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-30)
    poor = (normals * mean).sum(1) < 0.5
    normals = np.where(poor[:, None], mean, normals)
    unused = np.linalg.norm(normals, axis=1) < 0.5
    normals[unused] = [0.0, 0.0, 1.0]
    return Mesh(
        vertices=vertices.astype(np.float32),
        normals=normals.astype(np.float32),
        uv=uv.astype(np.float32),
        faces=np.asarray(faces, np.int32),
        part=np.zeros(len(faces), np.int32),
        parts=(part,),
    )


def tube(way: ArrayLike, radii: ArrayLike, part: str = "all", *, segments: int = 10, caps: bool = True) -> Mesh:
    """A round tube along points (n, 3) with a radius at each; `caps` close it with round ends."""
    line, wide = np.asarray(way, float), np.asarray(radii, float)
    ahead = np.gradient(line, axis=0) if len(line) > 2 else np.tile(line[1] - line[0], (2, 1))
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-12)
    if caps:
        turn = np.radians([80, 50, 20])
        for end, sense in ((0, -1.0), (-1, 1.0)):
            steps = turn if end == 0 else turn[::-1]
            tip = line[end] + sense * ahead[end] * wide[end]
            more = line[end] + sense * ahead[end] * wide[end] * np.sin(steps)[:, None]
            ring = wide[end] * np.cos(steps)
            if end == 0:
                line, wide = np.concatenate([[tip], more, line]), np.concatenate([[0.0], ring, wide])
                ahead = np.concatenate([np.tile(ahead[0], (4, 1)), ahead])
            else:
                line, wide = np.concatenate([line, more, [tip]]), np.concatenate([wide, ring, [0.0]])
                ahead = np.concatenate([ahead, np.tile(ahead[-1], (4, 1))])
    side = np.cross(ahead[0], [0.0, 0.0, 1.0] if abs(ahead[0][2]) < 0.9 else [1.0, 0.0, 0.0])
    angle = np.linspace(0, 2 * np.pi, segments + 1)
    rows = []
    for point, way_, radius in zip(line, ahead, wide, strict=True):
        side = side - way_ * (side @ way_)  # carried along, so that the tube does not twist
        side /= np.linalg.norm(side)
        other = np.cross(way_, side)
        rows.append(point + radius * (np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * other))
    long = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
    around = max(2 * np.pi * float(np.mean(wide)), 1e-9)
    return sheet(np.array(rows), part, tiles=(1.0, max(round(long / around), 1)), closed=True)


def curved(way: ArrayLike, radii: ArrayLike, part: str = "all", *, steps: int = 16, segments: int = 12) -> Mesh:
    """A tube along a smooth curve through points (n, 3), its radius as smooth, with round ends."""
    from scipy.interpolate import PchipInterpolator

    line, wide = np.asarray(way, float), np.asarray(radii, float)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    at = np.linspace(0, length[-1], steps)
    return tube(PchipInterpolator(length, line)(at), PchipInterpolator(length, wide)(at), part, segments=segments)


def stretched(mesh: Mesh, by: ArrayLike) -> Mesh:
    """The mesh made larger along x, y and z by these factors, all above 0."""
    factor = np.asarray(by, float)
    normals = mesh.normals / factor
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return replace(mesh, vertices=(mesh.vertices * factor).astype(np.float32), normals=normals.astype(np.float32))


@lru_cache(maxsize=8)
def _icosphere(times: int) -> tuple[Floats, NDArray[np.int64]]:
    """Unit vectors and faces of an icosahedron cut so many times."""
    t = (1 + 5**0.5) / 2
    points = np.array([[-1, t, 0], [1, t, 0], [-1, -t, 0], [1, -t, 0], [0, -1, t], [0, 1, t], [0, -1, -t], [0, 1, -t],
                       [t, 0, -1], [t, 0, 1], [-t, 0, -1], [-t, 0, 1]], float)  # fmt: skip
    faces = np.array([[0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4], [11, 10, 2],
                      [10, 7, 6], [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9], [4, 9, 5],
                      [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1]])  # fmt: skip
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    for _ in range(times):
        edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
        unique, place = np.unique(edges, axis=0, return_inverse=True)
        middle = points[unique].mean(1)
        middle /= np.linalg.norm(middle, axis=1, keepdims=True)
        a, b, c = place.reshape(-1).reshape(3, -1) + len(points)
        points = np.concatenate([points, middle])
        x, y, z = faces.T
        faces = np.concatenate([np.stack(one, 1) for one in ((x, a, c), (y, b, a), (z, c, b), (a, b, c))])
    return points, faces


def lump(
    size: ArrayLike, part: str = "all", *, key: int = 0, rough: float = 0.0, scale: float = 1.5, times: int = 3
) -> Mesh:
    """An ellipsoid of these half sizes about the origin, its radius moved by a share `rough` of bumpy noise."""
    unit, faces = _icosphere(times)
    radius = np.ones(len(unit))
    if rough > 0:
        random = Seed(key % 2**63).child("lump").numpy()
        for octave in range(3):
            ways, phases = random.normal(size=(6, 3)) * scale * 2**octave, random.uniform(0, 2 * np.pi, 6)
            radius = radius + rough * 0.5**octave * np.sin(unit @ ways.T + phases).mean(1)
    vertices = unit * radius[:, None] * np.asarray(size, float)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    flat = np.cross(b - a, c - a)
    u = np.arctan2(unit[:, 1], unit[:, 0]) / (2 * np.pi) + 0.5
    v = np.arcsin(np.clip(unit[:, 2], -1, 1)) / np.pi + 0.5
    return _tended(vertices, np.zeros_like(vertices), np.stack([2 * u, v], 1), faces, flat, part)


def prism(outline: Floats, inner: Floats, height: float, parts: tuple[str, str, str] = ("top", "side", "hole")) -> Mesh:
    """What stands on z = 0 between an outline and a hole (n, 2 each, counter-clockwise, matched point by point)."""
    outer_ring, inner_ring = (np.concatenate([ring, ring[:1]]) for ring in (outline, inner))

    def wall(ring: Floats, part: str, *, out: bool) -> Mesh:
        low, high = (np.column_stack([ring, np.full(len(ring), z)]) for z in (0.0, height))
        return creased(np.stack([low, high] if out else [high, low]), part)

    def lid(z: float, part: str, *, up: bool) -> Mesh:
        rings = [np.column_stack([ring, np.full(len(ring), z)]) for ring in (inner_ring, outer_ring)]
        made = sheet(np.stack(rings if not up else rings[::-1]), part)
        reach = float(np.abs(outline).max())
        flat = (made.vertices[:, :2] / (2 * reach) + 0.5).astype(np.float32)
        return replace(made, uv=flat, normals=np.tile(np.array([0, 0, 1 if up else -1], np.float32), (len(flat), 1)))

    return joined(
        [lid(height, parts[0], up=True), lid(0.0, parts[0], up=False), wall(outer_ring, parts[1], out=True),
         wall(inner_ring, parts[2], out=False)]
    )  # fmt: skip


def creased(points: Floats, part: str = "all", *, within_deg: float = 30.0) -> Mesh:
    """A sheet whose edges between faces turned by more than an angle stay sharp."""
    from tuckpoint.scene.pieces import smoothed

    made = sheet(points, part)
    places = made.vertices.astype(float)
    normals = smoothed(places, made.faces.astype(np.int64), within_deg).reshape(-1, 3)
    flat = made.faces.reshape(-1)
    return replace(
        made,
        vertices=made.vertices[flat],
        normals=normals.astype(np.float32),
        uv=made.uv[flat],
        faces=np.arange(len(flat), dtype=np.int32).reshape(-1, 3),
    )


def moved(mesh: Mesh, at: ArrayLike = (0.0, 0.0, 0.0), *, turn: Floats | None = None, part: str | None = None) -> Mesh:
    """The mesh turned by a rotation (3, 3), then put elsewhere; keypoints, surfaces and hulls stay behind."""
    turn = np.eye(3) if turn is None else turn
    return Mesh(
        vertices=(mesh.vertices @ turn.T + np.asarray(at, float)).astype(np.float32),
        normals=(mesh.normals @ turn.T).astype(np.float32),
        uv=mesh.uv,
        faces=mesh.faces,
        part=mesh.part if part is None else np.zeros_like(mesh.part),
        parts=mesh.parts if part is None else (part,),
    )


def about(axis: str, degrees: float) -> Floats:
    """The rotation (3, 3) about x, y or z."""
    from scipy.spatial.transform import Rotation

    return np.asarray(Rotation.from_euler(axis, degrees, degrees=True).as_matrix(), float)


def joined(pieces: Sequence[Mesh], looks: Mapping[str, Mapping[str, Any]] | None = None) -> Mesh:
    """One mesh of several; parts of the same name become one."""
    names = tuple(dict.fromkeys(name for piece in pieces for name in piece.parts))
    count = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    return Mesh(
        vertices=np.concatenate([piece.vertices for piece in pieces]),
        normals=np.concatenate([piece.normals for piece in pieces]),
        uv=np.concatenate([piece.uv for piece in pieces]),
        faces=np.concatenate([piece.faces + np.int32(at) for piece, at in zip(pieces, count[:-1], strict=True)]),
        part=np.concatenate([np.array([names.index(name) for name in p.parts], np.int32)[p.part] for p in pieces]),
        parts=names,
        looks=looks or {},
    )


def grounded(mesh: Mesh) -> Mesh:
    """The mesh put on z = 0 with its middle above the origin, and all that belongs to it."""
    low, high = mesh.bounds
    shift = np.array([-(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2]])

    def put(point: ArrayLike) -> tuple[float, float, float]:
        x, y, z = (float(value) for value in np.asarray(point) + shift)
        return x, y, z

    return replace(
        mesh,
        vertices=(mesh.vertices + shift).astype(np.float32),
        keypoints={name: put(point) for name, point in mesh.keypoints.items()},
        surfaces=tuple(replace(one, centre=put(one.centre)) for one in mesh.surfaces),
        hulls=tuple((hull + shift).astype(np.float32) for hull in mesh.hulls),
    )


def slab(size: ArrayLike, at: ArrayLike, part: str) -> Mesh:
    """A box of these sizes, the middle of its base at a place."""
    from tuckpoint.scene.solid import block

    x, y, z = (float(side) for side in np.asarray(size, float))
    return moved(block((x, y, z)), at, part=part)


def corners_of(size: ArrayLike, at: ArrayLike) -> NDArray[np.float32]:
    """The corners (8, 3) of such a box, for physics."""
    half = np.asarray(size, float) / [2, 2, 1]
    ends = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (0, 1)], float)
    return np.asarray(ends * half + np.asarray(at, float), np.float32)
