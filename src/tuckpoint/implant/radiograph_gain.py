"""The gain of a radiograph: grey levels for each millimetre of tissue in the beam, given or found with a step wedge."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.files import sha256

COLUMNS = ("thickness_mm", "grey")
LEAST = 4  # steps; a line through fewer has hardly an interval
STRAIGHT = 0.95  # share of the variance that a line explains; what explains less is bent, cut off or noise
FAULT = "the greys are not logarithmic in exposure, or cut off at an end: leave the steps at the ends out"


@dataclass(frozen=True)
class Gain:
    """Grey levels per mm of tissue, as MONOCHROME2 shows them (brighter is more); negative where tissue is darker.

    `low` and `high` bound it with 95 % (least squares, Student's t), `residual` is the spread of greys about the line
    and `steps` how many there were; without a wedge they are None. `sha256` is that of the file. Raises InputError for
    a gain of 0 or none.
    """

    grey_per_mm: float
    low: float | None = None
    high: float | None = None
    residual: float | None = None
    steps: int | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        if not np.isfinite(self.grey_per_mm) or self.grey_per_mm == 0:
            raise InputError(
                f"the gain is {self.grey_per_mm:g} grey levels per mm: nothing would be seen; give the grey levels "
                "that one mm of tissue adds (--gain), or measured ones of a step wedge (--wedge)"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        told = f"{self.grey_per_mm:.4g} grey levels per mm"
        if self.low is None or self.high is None:
            return f"{told}, as given"
        return f"{told} [{self.low:.4g}, {self.high:.4g}], {self.steps} steps of a wedge"


def measured(path: Path) -> Gain:
    """The gain from a CSV file of known thicknesses: columns `thickness_mm` (of tissue, water or acrylic) and `grey`.

    Raises InputError for what is no such table, too few steps, and greys that are no line or none that rises or falls.
    """
    from scipy import stats

    thickness, grey = _columns(path)
    if len(grey) < LEAST or len(np.unique(thickness)) < 3:
        raise InputError(
            f"{path}: {len(grey)} steps of {len(np.unique(thickness))} thicknesses; measure {LEAST} steps or more of 3 "
            "thicknesses or more"
        )
    line = stats.linregress(thickness, grey)
    residual = float(np.sqrt(((grey - line.intercept - line.slope * thickness) ** 2).sum() / (len(grey) - 2)))
    half = float(stats.t.ppf(0.975, len(grey) - 2) * line.stderr)
    low, high = float(line.slope) - half, float(line.slope) + half
    if low <= 0 <= high:
        raise InputError(
            f"{path}: {line.slope:.3g} grey levels per mm, [{low:.3g}, {high:.3g}] with 95 %: that may be none; "
            "measure more or thicker steps"
        )
    explained = float(line.rvalue) ** 2
    if explained < STRAIGHT:
        raise InputError(f"{path}: a line explains {explained:.0%} of the greys ({STRAIGHT:.0%} is wanted); {FAULT}")
    return Gain(float(line.slope), low, high, residual, len(grey), sha256(path))


def _columns(path: Path) -> tuple[Any, Any]:
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    missing = [name for name in COLUMNS if not rows or name not in rows[0]]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; a wedge is a CSV file: {','.join(COLUMNS)}")
    found = []
    for name in COLUMNS:
        try:
            values = np.array([float(row[name]) for row in rows])
        except (TypeError, ValueError):
            raise InputError(f"{path}: column {name} holds what is no number; give mm and grey levels") from None
        if not np.isfinite(values).all():
            raise InputError(f"{path}: column {name} holds what is no finite number; leave those steps out")
        found.append(values)
    return found[0], found[1]
