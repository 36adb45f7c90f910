"""The photographs of signs, their own split by physical sign, and which of them a learner may see."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """Photographs (n, 48, 48, 3) uint8, their class (n,) into `classes`, physical sign (n,), and whether for testing.

    A physical sign has four photographs or so; it is never in both halves.
    """

    images: NDArray[np.uint8]
    labels: Rows
    signs: NDArray[np.str_]
    testing: NDArray[np.bool_]
    classes: tuple[str, ...]


def photos(data: Path) -> Photos:
    """The set of a folder with `manifest.csv` (path, split, class_id, class_name, track)."""
    from PIL import Image

    with (data / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    classes = tuple(name for _, name in sorted({(int(row["class_id"]), row["class_name"]) for row in rows}))
    return Photos(
        images=np.stack([np.asarray(Image.open(data / row["path"]).convert("RGB")) for row in rows]),
        labels=np.array([classes.index(row["class_name"]) for row in rows]),
        signs=np.array([f"{row['class_name']}/{row['split']}/{row['track']}" for row in rows]),
        testing=np.array([row["split"] == "test" for row in rows]),
        classes=classes,
    )


def held_back(held: Photos) -> NDArray[np.bool_]:
    """Which training photographs (n,) are kept for validation: those of every second physical sign of a class."""
    found = np.zeros(len(held.labels), bool)
    for label in range(len(held.classes)):
        signs = np.unique(held.signs[(held.labels == label) & ~held.testing])
        found |= np.isin(held.signs, signs[1::2])
    return found


def chosen(held: Photos, pool: NDArray[np.bool_], each: int, seed: Seed) -> Rows:
    """The photographs of so many physical signs a class out of a pool; all where there are fewer.

    More signs of the same seed hold those of fewer.
    """
    rows = []
    for label, name in enumerate(held.classes):
        signs = np.unique(held.signs[(held.labels == label) & pool])
        order = seed.child("signs", name).numpy().permutation(len(signs))
        rows.append(np.flatnonzero(np.isin(held.signs, signs[order[:each]]) & pool))
    return np.sort(np.concatenate(rows)) if each else np.zeros(0, np.int64)
