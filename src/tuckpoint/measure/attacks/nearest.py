"""The nearest-record share, which many ask for and which proves no privacy."""

from __future__ import annotations

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure.limits import DEFAULT, Limits
from tuckpoint.measure.neighbours import metric, nearest
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, cut

MOST_MADE = 4_000
MOST_REAL = 6_000
NO_PROOF = (
    "This number proves no privacy: files that copy one row in a hundred pass it. It has no interval, because made "
    "rows share few nearest neighbours and a binomial one would be too narrow."
)


def nearest_record_share(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT
) -> Score:
    """`nearest_record_share`: share of made rows nearer to training than to holdout rows, ties counting half.

    4,000 made rows; training and holdout cut to equal size, at most 6,000.
    """
    name = "nearest_record_share"
    if holdout is None:
        return Score(name, None, better="none", why="no holdout was given to be near to; hold out rows before fitting")
    size = min(MOST_REAL, real.rows, holdout.rows)
    if size < limits.min_rows:
        return Score(
            name, None, better="none", why=f"only {count(size, 'row')} a side; the share needs {limits.min_rows}"
        )
    space = metric(real)
    points = space.place(cut(made, MOST_MADE, seed.child("made").numpy()))
    sides = [cut(side, size, seed.child("side", i).numpy()) for i, side in enumerate((real, holdout))]
    to_real, to_holdout = (nearest(points, space.place(side)) for side in sides)
    value = float(np.mean((to_real < to_holdout) + 0.5 * (to_real == to_holdout)))
    return Score(
        name, value, n=len(points), better="none", reference=0.5, reference_is="an even share", why=NO_PROOF,
        detail={"rows_a_side": size},
    )  # fmt: skip
