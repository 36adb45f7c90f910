"""What a reader could find: sensitivity of a learner at a tenth of false alarms, against size and contrast.

The learner sees implanted windows beside the untouched host at the same places, and is tested on patients it never saw.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.implant.check import cut
from tuckpoint.implant.telling import told_apart
from tuckpoint.implant.values import Array, Implanted
from tuckpoint.seed import Seed

FALSE_ALARMS = 0.1
BINS = 4
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Point:
    """Sensitivity among findings between two values, with Wilson's 95 % interval."""

    low: float
    high: float
    n: int
    sensitivity: float
    sensitivity_low: float
    sensitivity_high: float


@dataclass(frozen=True)
class Detectability:
    """Curves against size (unit of the spacing) and contrast-to-noise; empty, with the reason, if not measured."""

    size: tuple[Point, ...] = ()
    contrast: tuple[Point, ...] = ()
    auc: float | None = None
    why: str = ""

    @property
    def monotone(self) -> bool:
        """Whether neither curve falls beyond its intervals: larger and stronger findings are found more often."""
        return all(
            later.sensitivity_high >= earlier.sensitivity_low
            for curve in (self.size, self.contrast)
            for earlier, later in pairwise(curve)
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "monotone": self.monotone}


def detectability(pairs: Sequence[Implanted], seed: Seed) -> Detectability:
    """The curves of these pairs; nulls do not count."""
    made, free, groups, sizes, contrasts = [], [], [], [], []
    for pair in pairs:
        for finding in pair.findings:
            if not finding.null:
                made.append(cut(pair, pair.image, finding))
                free.append(cut(pair, pair.host.image, finding))
                groups.append(pair.host.group)
                sizes.append(finding.size.requested)
                contrasts.append(abs(finding.contrast_to_noise))
    try:
        told = told_apart(made, free, (groups, groups), seed)
    except InputError as error:
        return Detectability(why=str(error))
    level = np.quantile(told.scores[told.truth == 0], 1 - FALSE_ALARMS)
    found = told.scores[told.truth == 1] > level
    return Detectability(_curve(np.array(sizes), found), _curve(np.array(contrasts), found), told.auc)


def _curve(values: Array, found: Array) -> tuple[Point, ...]:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)))
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    points = []
    for k in range(len(edges) - 1):
        own = found[bins == k]
        if len(own):
            points.append(Point(float(edges[k]), float(edges[k + 1]), len(own), float(own.mean()), *_wilson(own)))
    return tuple(points)


def _wilson(found: Array) -> tuple[float, float]:
    """Wilson's interval of a share (Wilson 1927)."""
    n, share = len(found), float(found.mean())
    middle = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * float(np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n * n))) / (1 + Z95**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
