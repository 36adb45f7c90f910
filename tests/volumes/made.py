"""Volumes that the tests of this room share."""

import json

import numpy as np

from tuckpoint.record import Maker, Record
from tuckpoint.volumes.formats import FORMATS
from tuckpoint.volumes.volume import Case, Grid

RECORD = Record("implants", Maker("implant"), "0" * 64, 7, 1)


def turned(degrees, spacing=(2.5, 0.7, 0.8)):
    """A grid turned about all three axes, anisotropic, with an origin of its own."""
    a = np.radians(degrees)
    c, s = np.cos(a), np.sin(a)
    x, y, z = [[1, 0, 0], [0, c, -s], [0, s, c]], [[c, 0, s], [0, 1, 0], [-s, 0, c]], [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    axes = np.array(x) @ np.array(y) @ np.array(z)
    return Grid(spacing, (-10.0, 20.5, 30.25), tuple(float(v) for v in axes.ravel()))


OBLIQUE = turned(20.0)


def affine_ras(grid):
    """(4, 4): from indices x, y, z to millimetres in RAS (to the right, front, head), as NIfTI counts them."""
    flip, affine = np.diag([-1.0, -1.0, 1.0]), np.eye(4)
    affine[:3, :3] = flip @ grid.axes @ np.diag(grid.spacing_mm[::-1])
    affine[:3, 3] = flip @ np.array(grid.origin_mm)
    return affine


def case(grid=OBLIQUE, *, null=False, headers=()):
    """A small CT with one finding of known place and another one that is null."""
    draw = np.random.Generator(np.random.Philox(key=3))
    host = draw.integers(-1000, 400, (8, 12, 14)).astype(np.int16)
    image, labels, alpha = host.copy(), np.zeros(host.shape, np.uint16), np.zeros(host.shape, np.float32)
    image[2:4, 3:6, 4:8] = 50
    alpha[2:4, 3:6, 4:8] = 1.0
    if not null:
        labels[2:4, 3:6, 4:8] = 1
    told = {"kind": "lung-nodule", "null": null, "box": [[2, 4], [3, 6], [4, 8]], "voxels": 24}
    return Case("case1", image, host, labels, alpha, (told, {**told, "null": True}), "p1", grid, headers)


def written(name, cases, folder, record=RECORD):
    """Cases as a whole set in a format; what writers tell of each goes through JSON, as between processes."""
    kinds = sorted({str(one["kind"]) for case in cases for one in case.findings if not one["null"]})
    items = [json.loads(json.dumps(FORMATS[name].write(case, folder, record, kinds))) for case in cases]
    FORMATS[name].close(folder, record, kinds, items)
