"""Do made rows give away who was learnt? Asked of two halves of a table, each the control of what the other taught."""

from __future__ import annotations

import numpy as np

from tuckpoint.measure.attacks.copies import exact_hits, near_hits
from tuckpoint.measure.attacks.membership import MOST_PEOPLE, membership
from tuckpoint.measure.intervals import Z95, share_difference
from tuckpoint.measure.limits import DEFAULT
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded

MEMORISED = 0.52  # membership AUC, give or take its standard error, above which made rows give training rows away
DRAWS = 4  # of rows of either half that membership is asked on, at most
CROWDED = 0.001  # share of made rows, beyond that of real ones, that may stand nearest to, or on, training rows
MOST_NEAR = 2_000  # rows of a half that are searched for near copies


def memorised(halves: tuple[Encoded, Encoded], made: tuple[Encoded, Encoded], *, surely: bool) -> bool:
    """Whether made rows tell training rows from other real rows: as copies, by crowding around them, by nearness.

    `made[k]` was learnt from `halves[k]`, so the other half is its control. Each row stands once among the members and
    once among the controls: what is common or odd about it, by which an attack on one random split would err, cancels,
    and only what a model remembers of its own half is left. Few rows show little: perhaps they do where one standard
    error more of the membership AUC would be too much, or copies exceed their base rate by more than one standard
    error; surely where one less still is too much, or copies exceed it beyond doubt. More rows are drawn where those
    drawn before do not settle it.
    """
    sides = [(halves[k], made[k], halves[1 - k]) for k in (0, 1)]
    if min(half.rows for half in halves) < DEFAULT.min_rows:
        return not surely
    seed = Seed(0, ("memorised",))
    for found in (
        [exact_hits(*side) for side in sides],
        [near_hits(*side, seed=seed.child("near", k), most=MOST_NEAR)[0] for k, side in enumerate(sides)],
    ):
        (hits, rows), (base, held) = np.sum(found, axis=0)
        more, low = hits / rows - base / held, share_difference(hits, rows, base, held)[0]
        if (low if surely else more - (more - low) / Z95) > CROWDED:
            return True
    aucs: list[tuple[float, float]] = []
    for draw in range(DRAWS):
        for k, side in enumerate(sides):
            score = membership(*side, seed=seed.child(draw, k))
            assert score.value is not None
            assert score.high is not None
            aucs.append((score.value, (score.high - score.value) / Z95))
        value, error = np.mean(aucs, axis=0)
        # Rows drawn once more tell nothing new.
        error /= (2 * min(draw + 1, max(1.0, min(half.rows for half in halves) / MOST_PEOPLE))) ** 0.5
        if value - error > MEMORISED:
            return True
        if value + error <= MEMORISED:
            return False
    return not surely
