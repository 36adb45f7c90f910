"""What every renderer gives back for one frame, in one meaning: the contract between renderers and annotators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tuckpoint.scene.stage import Stage

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Buffers:
    """One frame, taken at pixel centres, never blended.

    instance and part (h, w) uint16, 0 where nothing is, as in `Stage`; depth (h, w) float32, planar z in metres, inf
    where nothing is; normal (h, w, 3) float32, unit, world, smooth, turned to the camera, 0 where nothing is; uv
    (h, w, 2) float32; albedo (h, w, 3), roughness and metallic (h, w) float32 with textures applied.
    flow and flow_back (h, w, 2) float32: pixels from here to where the same point of the surface is in the next or
    previous frame, x right, y down, NaN where nothing is, None where there is no such frame; hidden and hidden_back
    (h, w) bool: that point is not seen there (covered, outside, or behind the camera).
    silhouettes (things, h, w) bool: each thing alone, as if nothing else were there, within the frame; extent (things,)
    int64: pixels of each thing alone on an unbounded sensor (those beyond one width or height to each side are not
    counted), for truncation. radiance (h, w, 3) float32, linear, None for labels alone.
    """

    instance: NDArray[np.uint16]
    part: NDArray[np.uint16]
    depth: Floats
    normal: Floats
    uv: Floats
    albedo: Floats
    roughness: Floats
    metallic: Floats
    silhouettes: NDArray[np.bool_]
    extent: NDArray[np.int64]
    flow: Floats | None = None
    flow_back: Floats | None = None
    hidden: NDArray[np.bool_] | None = None
    hidden_back: NDArray[np.bool_] | None = None
    radiance: Floats | None = None


class Renderer(Protocol):
    """Frozen settings; the same stage and frame give the same labels bit for bit, the same light within 1/255."""

    def render(self, stage: Stage, frame: int, *, shaded: bool = True) -> Buffers:
        """One frame of a stage."""
        ...
