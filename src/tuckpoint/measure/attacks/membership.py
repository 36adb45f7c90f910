"""Can an attacker who holds the made rows guess who was in the training data?"""

from __future__ import annotations

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure.intervals import Z95, auc
from tuckpoint.measure.limits import DEFAULT, Limits
from tuckpoint.measure.neighbours import metric, nearest
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, cut

MOST_PEOPLE = 2_000
MOST_MADE = 20_000


def membership(real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT) -> Score:
    """`membership`: AUC by which nearness to a made row separates training rows from as many holdout rows.

    Up to 2,000 rows a side and 20,000 made rows. The interval is DeLong's and runs over who was held out; a
    person's rows hang together.
    """
    if holdout is None:
        return Score("membership", None, why="no holdout was given, so there are no non-members; hold out rows first")
    people = min(MOST_PEOPLE, real.rows, holdout.rows)
    if people < limits.min_rows:
        return Score("membership", None, why=f"only {count(people, 'row')} a side; the attack needs {limits.min_rows}")
    space = metric(real)
    against = space.place(cut(made, MOST_MADE, seed.child("made").numpy()))
    sides = [cut(side, people, seed.child("people", i).numpy()) for i, side in enumerate((real, holdout))]
    near = np.concatenate([nearest(space.place(side), against) for side in sides])
    person = None
    if real.person is not None or holdout.person is not None:
        alone = np.arange(people)
        person = np.concatenate([2 * (alone if s.person is None else s.person) + i for i, s in enumerate(sides)])
    found = auc(-near, np.repeat([True, False], people)).of_people(person)
    low, high = max(found.value - Z95 * found.se, 0.0), min(found.value + Z95 * found.se, 1.0)
    passed = low <= limits.membership and found.value <= limits.membership_worst
    return Score(
        "membership", found.value, low, high, people, "lower", 0.5, "guessing", passed=passed,
        advice="" if passed else "Training rows lie nearer to made rows than other real rows do.",
        allowed=f"up to {limits.membership:g} by its interval and {limits.membership_worst:g} by its value",
        detail={"interval_of": "value", "made_rows": len(against)},
    )  # fmt: skip
