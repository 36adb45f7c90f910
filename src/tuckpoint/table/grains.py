"""How round each number is: cash in tens beside cards in cents, prices in thousands but for a few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed

Array = NDArray[Any]
STEPS = 3  # grains by which a number is shaken either way
NEAR = 0.05  # share of the numbers that may lie as near, for that to change little
ABOVE = 7  # powers of ten above the last decimal's
SURE = 6.0  # standard errors above chance that the share of rounder numbers must lie
TIMES = 1.5  # and times that of chance
EXACT = 2.0**52  # beyond, floating point has no units left


@dataclass(frozen=True)
class Grains:
    """`grain` (n,) of each real row in units of its last decimal; `rounder` (n,), the next grain above it, that its
    value is no multiple of, or 0; and `shaken` (n,), how far it is moved besides, in units: what is as round as others
    would come back to where it was.
    """

    grain: NDArray[np.int64]
    rounder: NDArray[np.int64]
    shaken: NDArray[np.float64]
    scale: float

    def kept(self, made: NDArray[np.float64], member: NDArray[np.int32], seed: Seed) -> NDArray[np.float64]:
        """Made numbers (rows,) as round as those of their members were: no less, and no more."""
        grain, rounder, random = self.grain[member], self.rounder[member], seed.numpy()
        shake = (2 * random.random(len(made)) - 1) * self.shaken[member]
        steps = np.rint((made * self.scale + shake) / grain)
        with np.errstate(invalid="ignore"):  # of what is not finite
            chance = np.flatnonzero((rounder > 0) & (np.fmod(steps * grain, np.maximum(rounder, 1)) == 0))
        if len(chance):  # any other place between two rounder numbers will do, on either side
            places = rounder[chance] // grain[chance]
            steps[chance] += random.integers(1, places) - places * random.integers(0, 2, len(chance))
        return np.asarray(steps * grain / self.scale)


def find(values: NDArray[np.float64], loose: NDArray[np.bool_], scale: float) -> Grains | None:
    """The grains of numbers (n,) that are multiples of 1 / `scale`; None where all are as round as chance makes them.

    They are told from `loose` rows, whose values few share; a grain is one that far more of them are multiples of than
    chance would have, among those that are multiples of the one before.
    """
    if not scale or not loose.any() or np.nanmax(np.abs(values)) * scale > EXACT:
        return None
    units = np.rint(np.where(np.isnan(values), 0.0, values) * scale).astype(np.int64)
    found = [1]
    among = units[loose]
    for grain in (k * 10**power for power in range(round(np.log10(scale)) + ABOVE) for k in (5, 10)):
        if grain > np.abs(among).max():
            break
        chance = found[-1] / grain
        multiples = among % grain == 0
        error = (chance * (1 - chance) / max(len(among), 1)) ** 0.5
        if multiples.mean() > max(TIMES * chance, chance + SURE * error):
            found.append(grain)
            among = among[multiples]
    if found == [1]:
        return None
    grain, rounder = np.ones(len(units), np.int64), np.full(len(units), found[1], np.int64)
    for this, after in zip(found[1:], [*found[2:], 0], strict=True):
        held = units % this == 0
        grain[held], rounder[held] = this, after
    wide, pool = STEPS * grain, np.sort(units[loose])
    around = np.searchsorted(pool, units + wide, "right") - np.searchsorted(pool, units - wide, "left")
    return Grains(grain, rounder, np.where((grain > 1) & (around <= NEAR * len(pool)), wide, 0.0), scale)
