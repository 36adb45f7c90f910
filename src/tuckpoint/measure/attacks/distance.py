"""Membership by distance: who lies nearest to a made row was in the data."""

from __future__ import annotations

from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.guesses import near, told
from tuckpoint.seed import Seed


def distance(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Scores each person by the distance to the nearest made row, the nearer the likelier a member.

    Source: the Monte Carlo attack of Hilprecht, Haerterich and Bernau 2019, with one neighbour. It sees copies of many
    rows, also with noise, but takes ordinary people for members: `density` asks for more.
    """
    return told("distance", -near(sides, seed).made[:, 0], sides, seed)
