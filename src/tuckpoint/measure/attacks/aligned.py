"""Membership after alignment: a copy whose columns were shifted, rescaled or bent is a copy."""

from __future__ import annotations

from tuckpoint.measure.attacks.density import ratio
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near, told
from tuckpoint.seed import Seed


def aligned(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """The attack `density`, by the nearest neighbour, where each number is its rank within its own table.

    What preserves the order within a column (another unit, a constant added, a power, inflation) leaves ranks as they
    are, so a table of altered copies lies on the people it came from. Ranks are those of Conover and Iman 1981 (rank
    transformation); members and outsiders are ranked together. It needs many copied rows: ranks within a file that is
    only partly copied do not fit.
    """
    found = near(sides, seed)
    return told("aligned", ratio(found.others[:, 0], found.aligned), sides, seed)
