"""What a picture shows: the plain values between whoever labels images and whoever writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Meaning:
    """What the numbers of a label are: `shape` in words ("h, w, 3"), `unit`, the `frame` they are in (image, camera,
    world, thing, none), and the `convention` in one sentence."""

    dtype: str
    shape: str
    unit: str
    frame: str
    convention: str


@dataclass(frozen=True)
class Item:
    """One labelled picture.

    `key` names its files: eight digits of the scene, then for clips four of the frame ("00000012", "00000012-0003").
    `image` (h, w, 3) uint8 sRGB, or None for labels alone. `arrays` are dense labels (h, w, ...) by name, `facts` plain
    JSON of the whole picture (camera, lights, caption, relations), `objects` one mapping of plain JSON per labelled
    thing, always with "instance", "name", "class", "class_id".
    """

    key: str
    width: int
    height: int
    image: NDArray[np.uint8] | None = None
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    objects: tuple[Mapping[str, Any], ...] = ()
