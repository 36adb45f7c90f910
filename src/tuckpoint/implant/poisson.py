"""Seamless cloning in floats: a patch goes in by its gradients, and the rim stays that of the host.

Source: Perez, Gangnet, Blake, "Poisson image editing", SIGGRAPH 2003; mixed gradients are their equation 12. Ready-made
clones work on 8 bits and three channels; this one takes any range and any number of channels.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError

Array = NDArray[np.float64]
Gradients = Literal["mixed", "source"]


def clone(host: Array, source: Array, inside: NDArray[np.bool_], *, gradients: Gradients = "mixed") -> Array:
    """The host with the source's gradients inside a region, and untouched outside.

    `host` and `source` are (h, w) or (h, w, channels) of one shape and unit, `inside` (h, w). With "mixed" the steeper
    of the two gradients counts at every pair of pixels, so that the host's texture shows through; with "source" the
    source's alone. Solves the five-point Laplace equation of the difference to the host, which is 0 outside the region
    and free at the border of the picture. Raises InputError if shapes differ or nothing is left outside.
    """
    if host.shape != source.shape or host.shape[:2] != inside.shape:
        raise InputError(f"clone: host {host.shape}, source {source.shape}, region {inside.shape}; give one size")
    if not inside.any():
        return host.copy()
    if inside.all():
        raise InputError("clone: the region covers the whole patch, so that no rim holds it; leave a border around it")
    here, there = (part.reshape(*inside.shape, -1) for part in (host, source))
    solve, number = _laplace(inside)
    wanted = np.zeros((int(inside.sum()), here.shape[2]))
    for axis in (0, 1):
        before, after = _pairs(axis)
        own, new = np.diff(here, axis=axis), np.diff(there, axis=axis)
        steep = np.abs(new) > np.abs(own) if gradients == "mixed" else True
        more = np.where(steep, new - own, 0.0)  # what is asked beyond the host's own gradient
        more[~(inside[before] | inside[after])] = 0.0
        np.add.at(wanted, number[before][inside[before]], -more[inside[before]])
        np.add.at(wanted, number[after][inside[after]], more[inside[after]])
    made = here.astype(float)
    made[inside] += np.stack([solve(wanted[:, c]) for c in range(wanted.shape[1])], axis=1)
    return made.reshape(host.shape)


def _pairs(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    first, rest = slice(None, -1), slice(1, None)
    return ((first, slice(None)), (rest, slice(None))) if axis == 0 else ((slice(None), first), (slice(None), rest))


def _laplace(inside: NDArray[np.bool_]) -> tuple[Any, NDArray[np.int64]]:
    """The solver of the region's Laplace equation, and the number of every pixel in it."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import splu

    number = np.full(inside.shape, -1, np.int64)
    number[inside] = np.arange(inside.sum())
    degree = np.zeros(inside.shape)
    rows, columns = [], []
    for axis in (0, 1):
        before, after = _pairs(axis)
        degree[before] += 1
        degree[after] += 1
        both = inside[before] & inside[after]
        one, other = number[before][both], number[after][both]
        rows += [one, other]
        columns += [other, one]
    at, beside = np.concatenate(rows), np.concatenate(columns)
    every = number[inside]
    values = np.concatenate([np.full(len(at), -1.0), degree[inside]])
    matrix = coo_matrix((values, (np.concatenate([at, every]), np.concatenate([beside, every]))))
    return splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve, number
