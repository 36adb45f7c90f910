"""Damaged and odd picture files: what reading them found, and colours that no other picture of the class has."""

from __future__ import annotations

from collections import defaultdict
from itertools import permutations

import numpy as np

from tuckpoint.errors import count
from tuckpoint.gap.finding import Leak
from tuckpoint.photos.album import Photos
from tuckpoint.table.engine import Array

TOLD = 3
PLACES = 6  # of colour along each side
FEWEST = 12  # pictures of a class under which nothing is said of its colours
NEAREST = 3
BETTER = 0.7  # distance to its class with channels exchanged over that as it is
COLOURED = 0.03  # mean chroma, of 1, under which there is no colour to be wrong
ADVICE = {
    "newlines rewritten": "copy the files again in binary mode",
    "truncated": "copy the files again",
    "wrong checksum": "copy the files again",
    "wrong length": "copy the files again",
    "wrong type": "rename them, or save them again",
    "one colour": "look at them, and take them out",
    "empty file": "copy the files again",
}


def damaged(photos: Photos, name: str) -> list[Leak]:
    """What is wrong with files, kind by kind, and what a reader that takes all for plain 8-bit RGB gets wrong."""
    kinds = defaultdict(list)
    for fault in photos.faults:
        kinds[fault.kind].append(fault)
    found = []
    for kind, faults in sorted(kinds.items()):
        first, gone = faults[0], sum(fault.left_out for fault in faults)
        out = f", {gone:,} of them left out" if gone else ""
        told = f"{name}: {count(len(faults), 'file')}: {kind}{out}; first {first.path}: {first.told}"
        told += f"; {ADVICE[kind]}" if kind in ADVICE else ""
        found.append(Leak(kind, told, len(faults), False))
    odd = defaultdict(list)
    for row, what in photos.odd:
        odd[what].append(row)
    for what, rows in sorted(odd.items()):
        told = (
            f"{name}: {count(len(rows), 'picture')}: {what} (first {photos.table['path'][rows[0]]}); here they are "
            "read as they should be seen, does your reader do so too?"
        )
        found.append(Leak("odd file", told, len(rows), False))
    return found


def exchanged(photos: Photos) -> list[tuple[int, str]]:
    """Rows whose colours are like those of their class only once channels are exchanged, and the order that they need.

    So look files whose newline bytes were rewritten and that were saved again since, and pictures that were read as BGR
    and written as RGB. Each picture's coarse colours are held against its three nearest of the class, as they are
    and with channels in each of the other five orders. Pictures with little colour are passed over.
    """
    layout, chroma = _colours(photos.thumbs)
    found = []
    for label in np.unique(photos.labels):
        rows = np.flatnonzero((photos.labels == label) & (chroma >= COLOURED))
        if len(rows) < FEWEST:
            continue
        mine = layout[rows]
        own = _nearest(mine, mine, own=True)
        orders = [order for order in permutations(range(3)) if order != (0, 1, 2)]
        other = np.stack([_nearest(mine[..., list(order)], mine, own=True) for order in orders])
        best = other.argmin(axis=0)
        for at in np.flatnonzero(other.min(axis=0) < BETTER * own):
            found.append((int(rows[at]), "".join("RGB"[channel] for channel in orders[best[at]])))
    return sorted(found)


def _colours(thumbs: Array) -> tuple[Array, Array]:
    """Coarse colours less their own mean grey (n, 36, 3), in units of the picture's chroma, and that chroma (n,)."""
    n, by = len(thumbs), thumbs.shape[1] // PLACES
    coarse = thumbs.reshape(n, PLACES, by, PLACES, by, 3).mean(axis=(2, 4), dtype=np.float32).reshape(n, -1, 3) / 255
    colour = coarse - coarse.mean(axis=2, keepdims=True)
    chroma = np.sqrt((colour**2).sum(axis=2).mean(axis=1))
    return colour / np.maximum(chroma, 1e-6)[:, None, None], chroma


def _nearest(rows: Array, others: Array, *, own: bool) -> Array:
    """Mean distance (n,) of each to its three nearest; with `own` the row at the same place does not count."""
    first, second = rows.reshape(len(rows), -1), others.reshape(len(others), -1)
    apart = (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1) - 2 * first @ second.T
    if own:
        np.fill_diagonal(apart, np.inf)
    return np.asarray(np.sqrt(np.maximum(np.sort(apart, axis=1)[:, :NEAREST], 0)).mean(axis=1))


def colour_leaks(photos: Photos, name: str) -> list[Leak]:
    """Pictures whose channels seem exchanged."""
    found = exchanged(photos)
    if not found:
        return []
    named = ", ".join(f"{photos.table['path'][row]} (as {order})" for row, order in found[:TOLD])
    told = (
        f"{name}: the colours of {count(len(found), 'picture')} are those of their class only with channels exchanged: "
        f"{named}; were they read in another order, or their bytes rewritten? (one in 1,000 seems so by chance)"
    )
    return [Leak("channels exchanged", told, len(found), False)]
