"""What an annotator is: a name, the meaning of every number it gives, and a function from a view to a label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.labels import Meaning
from tuckpoint.scene.buffers import Buffers
from tuckpoint.scene.scene import Scene
from tuckpoint.scene.stage import Stage


@dataclass(frozen=True)
class View:
    """One frame as an annotator sees it."""

    stage: Stage
    buffers: Buffers
    frame: int = 0

    @property
    def scene(self) -> Scene:
        """The scene that was rendered."""
        return self.stage.scene


@dataclass(frozen=True)
class Label:
    """What an annotator found: dense arrays (h, w, ...) by name, entries per thing by instance id, and of the frame."""

    arrays: Mapping[str, NDArray[np.generic]] = field(default_factory=dict)
    objects: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Annotator:
    """A label by name; `meanings` has one row for every array, object entry and fact that it gives."""

    name: str
    annotate: Callable[[View], Label]
    meanings: Mapping[str, Meaning]
