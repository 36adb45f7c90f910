"""Membership by density: who has made rows nearer than other real people was in the data."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near, told
from tuckpoint.measure.nearness import NEAREST
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

NEIGHBOURS = {"nearest neighbour": 0, "fifth neighbour": 4}


def density(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Scores each person by the log ratio of the distances to the k-th nearest other person and made row, k = 1 and 5.

    The nearest finds single copies, unusual people first, since nobody else explains a made row next to them; the
    fifth finds made rows that crowd around members. Times the number of columns this is the log ratio of two
    densities, as in DOMIAS (van Breugel, Sun, Qian and van der Schaar 2023), by neighbours (Loftsgaarden and
    Quesenberry 1965). The density of real people is learnt from all people of the audit but the one in question,
    members and outsiders alike: so nobody is spent on a reference, the score cannot know who is who, and the p-values
    and the bound on epsilon are valid.
    """
    found = near(sides, seed)
    return tuple(
        finding
        for name, k in NEIGHBOURS.items()
        for finding in told("density", ratio(found.others[:, k], found.made[:, k]), sides, seed, subject=(name,))
    )


def ratio(others: Array, made: Array) -> Array:
    """Log ratio (n,) of distances to other people and to made rows; under `NEAREST` all distances are alike."""
    return np.log(others + NEAREST) - np.log(made + NEAREST)
