"""Pictures that stand on both sides of a split, or twice on one: the same files, and near-copies of one another.

A near-copy was resized, saved again, made brighter or mirrored. Hashes of 64 bits, such as that of the cosine
transform, do not tell it from another picture of the same kind of thing: two signs of one class are often 2 bits apart.
So thumbnails are compared in a space in which what all pictures share counts little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import count
from tuckpoint.gap.finding import Leak
from tuckpoint.measure.intervals import wilson
from tuckpoint.photos.album import Photos
from tuckpoint.table.engine import Array

SMALL = 16  # pixels of a side
ALIKE = 0.85  # cosine from which on two pictures are near-copies
FLOOR = 0.5  # of the mean variance, added to each: what noise and compression change
BLOCK = 1024
CONTROLS = 2000  # pictures that are turned upside down
TOLD = 3
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class Space:
    """Where thumbnails are compared: centred and whitened by the variance among a set of pictures (256, 256)."""

    mean: Array
    turn: Array

    def place(self, thumbs: Array) -> Array:
        """Unit vectors (n, 256) float32 of thumbnails (n, s, s, 3) uint8; all zero for a picture of one colour."""
        flat = plain(thumbs)
        even = np.abs(flat).sum(axis=1, keepdims=True) == 0
        placed = (flat - self.mean) @ self.turn
        length = np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-6)
        return np.asarray(np.where(even, 0, placed / length), np.float32)


def plain(thumbs: Array) -> Array:
    """Luma of thumbnails (n, s, s, 3) on 16 x 16 places, of mean 0 and length 1 (n, 256): neither how bright nor how
    strong a picture is counts.
    """
    n, by = len(thumbs), thumbs.shape[1] // SMALL
    parts = [
        (thumbs[at : at + BLOCK].astype(np.float32) @ LUMA).reshape(-1, SMALL, by, SMALL, by).mean(axis=(2, 4))
        for at in range(0, n, BLOCK)
    ]
    flat = np.concatenate(parts).reshape(n, -1) if parts else np.zeros((0, SMALL * SMALL), np.float32)
    flat = flat - flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.asarray(np.where(length > 1e-3 * SMALL, flat / np.maximum(length, 1e-6), 0), np.float32)


def space(thumbs: Array) -> Space:
    """The space of a set of thumbnails (n, s, s, 3)."""
    flat = plain(thumbs).astype(np.float64)
    mean = flat.mean(axis=0)
    values, axes = np.linalg.eigh((flat - mean).T @ (flat - mean) / max(len(flat) - 1, 1))
    floor = max(FLOOR * float(np.maximum(values, 0).mean()), 1e-6)
    return Space(mean.astype(np.float32), (axes / np.sqrt(np.maximum(values, 0) + floor)).astype(np.float32))


@dataclass(frozen=True)
class Copies:
    """Which of m pictures have a near-copy among n others: its place (m,), -1 for none; `by_chance` of `turned`.

    Pictures turned upside down are no copies: how many of them seem to be is the rate of false alarms.
    """

    of: Array
    by_chance: int
    turned: int

    @property
    def count(self) -> int:
        """How many have one."""
        return int((self.of >= 0).sum())

    @property
    def chance(self) -> float:
        """The share that would have one by chance."""
        return self.by_chance / max(self.turned, 1)

    @property
    def beyond(self) -> bool:
        """Whether there are surely more than by chance."""
        if not self.count:
            return False
        floor = wilson(self.by_chance, self.turned)[1] if self.by_chance else 0.0
        return wilson(self.count, len(self.of))[0] > floor


def copies(train: Array, test: Array, *, groups: tuple[Array, Array] | None = None) -> Copies:
    """Near-copies among train (n, s, s, 3) of pictures test (m, s, s, 3), as they are or mirrored.

    With `groups` (n,) and (m,) only those of other groups count.
    """
    where = space(train)
    base = where.place(train)
    found = np.full(len(test), -1, dtype=np.int64)
    for start, likeness in _likeness(where, base, test, mirrored=True):
        rows = np.arange(start, start + len(likeness))
        if groups is not None:
            likeness = np.where(groups[1][rows][:, None] == groups[0][None], -1, likeness)
        best = likeness.argmax(axis=1)
        found[rows] = np.where(likeness[np.arange(len(rows)), best] >= ALIKE, best, -1)
    turned = test[np.linspace(0, len(test) - 1, min(len(test), CONTROLS)).astype(int)][:, ::-1] if len(test) else test
    chance = sum(int((one.max(axis=1) >= ALIKE).sum()) for _, one in _likeness(where, base, turned, mirrored=False))
    return Copies(found, chance, len(turned))


def _likeness(where: Space, base: Array, thumbs: Array, *, mirrored: bool) -> Iterator[tuple[int, Array]]:
    """Cosines (block, n) with each of the base, block by block."""
    for start in range(0, len(thumbs), BLOCK):
        block = thumbs[start : start + BLOCK]
        likeness = where.place(block) @ base.T
        if mirrored:
            likeness = np.maximum(likeness, where.place(block[:, :, ::-1]) @ base.T)
        yield start, likeness


def twice(photos: Photos) -> list[tuple[int, int]]:
    """Pairs of rows whose files hold the same bytes; each later one with the first."""
    first: dict[str, int] = {}
    pairs = []
    for row, digest in enumerate(photos.digests):
        if digest in first:
            pairs.append((first[digest], row))
        else:
            first[digest] = row
    return pairs


def split_leaks(train: Photos, test: Photos, groups: tuple[Array, Array] | None) -> list[Leak]:
    """What both sides of a split share that they must not; `groups` (n,) and (m,) are keys of people or objects."""
    found = []
    if groups is not None:
        shared = np.intersect1d(groups[0][groups[0] != ""], groups[1])
        if len(shared):
            rows = int(np.isin(groups[1], shared).sum())
            told = (
                f"{count(len(shared), 'group')} on both sides of the split, such as {shared[0]}, with {rows:,} test "
                "pictures; split again by group, or what is measured is too good"
            )
            found.append(Leak("group", told, len(shared), True))
    same = np.isin(np.array(test.digests), np.array(train.digests))
    if same.any():
        told = f"{int(same.sum()):,} of {len(same):,} test pictures are files of the training side, byte for byte"
        found.append(Leak("duplicates", f"{told}{_named(test, np.flatnonzero(same))}", int(same.sum()), True))
    near = copies(train.thumbs, test.thumbs, groups=groups)
    rows_near = np.flatnonzero((near.of >= 0) & ~same)
    if len(rows_near) and near.beyond:
        pairs = "; ".join(
            f"{test.table['path'][int(row)]} and {train.table['path'][int(near.of[row])]}" for row in rows_near[:TOLD]
        )
        other = " of another group" if groups is not None else ""
        told = (
            f"{len(rows_near):,} of {len(same):,} test pictures are near-copies of training pictures{other}, resized, "
            f"saved again, brighter, mirrored, or of one series (by chance {near.chance * len(same):.1f} would seem "
            f"so): {pairs}"
        )
        found.append(Leak("near-duplicates", told, len(rows_near), True))
    return found


def label_leaks(photos: Photos, name: str) -> list[Leak]:
    """The same file twice on one side, above all with two labels."""
    pairs, labels = twice(photos), photos.labels
    two = [row for first, row in pairs if labels[first] != labels[row]]
    found = []
    if two:
        told = f"{name}: {len(two):,} files stand twice, with two labels{_named(photos, two)}; one of them is wrong"
        found.append(Leak("two labels", told, len(two), False))
    if len(pairs) > len(two):
        rows = [row for first, row in pairs if labels[first] == labels[row]]
        told = f"{name}: {len(rows):,} pictures are the same file as another{_named(photos, rows)}"
        found.append(Leak("twice", told, len(rows), False))
    return found


def _named(photos: Photos, rows: Sequence[int] | Array) -> str:
    names = ", ".join(str(photos.table["path"][int(row)]) for row in rows[:TOLD])
    return f" ({names}{' ...' if len(rows) > TOLD else ''})"
