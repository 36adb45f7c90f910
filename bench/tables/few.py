"""What leaves and bags teach and cost where rows are few: `python -m bench.tables.few DATA` writes results/few.md.

Some hundred of a set's training rows are learnt, and 2,000 others judge, never the bench's holdout: so that, unlike in
a table that has no more rows, the truth can be seen. Detection and utility are those of 2,000 made rows, membership
and copies those of as many as were learnt.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import tuckpoint
from bench.tables.report import lines
from bench.tables.run import RESULTS
from bench.tables.sets import SETS, missing, split
from tuckpoint.measure.attacks.copies import exact_hits
from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.detect import told_apart
from tuckpoint.measure.fidelity import correlation_error
from tuckpoint.measure.prepare import Space, plain, prepare
from tuckpoint.measure.utility import utility
from tuckpoint.seed import Seed

NAMES = ("adult", "kc_house", "diamonds", "shoppers", "default")
ROWS, JUDGES, DRAWS = (150, 400, 1100), 2000, 3
DIALS: dict[str, dict[str, Any]] = {
    "leaf 100, finest 20, bags .4 and .5": {"leaf": 100, "finest": 20, "bag": 0.4, "fine_bag": 0.5},
    "leaf 100, finest 20, bags .6 and .7": {"leaf": 100, "finest": 20, "bag": 0.6, "fine_bag": 0.7},
    "leaf 50, finest 10, bags .6 and .7": {"leaf": 50, "finest": 10, "bag": 0.6, "fine_bag": 0.7},
    "leaf 30, finest 10, bags .6 and .7": {"leaf": 30, "finest": 10, "bag": 0.6, "fine_bag": 0.7},
    "leaf 20, finest 5, bags .7 and .9": {"leaf": 20, "finest": 5, "bag": 0.7, "fine_bag": 0.9},
}
FIGURES = ("C2ST", "MIA", "utility", "utility of real rows", "correlation error", "copies beyond base")


def judged(many: Space, few: Space, target: str) -> tuple[float, ...]:
    """The figures of one fit: `many` holds enough made rows to tell them apart, `few` as many as were learnt."""
    assert many.holdout is not None
    assert few.holdout is not None
    attacked = [membership(few.real, few.made, few.holdout, seed=Seed(k)).value for k in range(DRAWS)]
    used = utility(many.real, many.made, many.holdout, target, seed=Seed(0))
    correlation = correlation_error(many.real, many.made, many.holdout, seed=Seed(0)).value
    made, held = exact_hits(few.real, few.made, few.holdout)
    return (
        told_apart(many.holdout, many.made, seed=Seed(0)).value,
        float(np.mean([value for value in attacked if value is not None])),
        *(np.nan if value is None else value for value in (used.value, used.reference, correlation)),
        made.hits / made.rows - held.hits / held.rows,
    )


def outcomes(data: Path, name: str, rows: int, draw: int) -> dict[str, tuple[float, ...]]:
    """The figures of each dial on one draw of so many rows."""
    train, _ = split(data, SETS[name])
    order, target = np.random.default_rng(50 + draw).permutation(len(train)), SETS[name].target
    real, held = (train.iloc[part].reset_index(drop=True) for part in (order[:rows], order[rows : rows + JUDGES]))
    told = {}
    for dial, settings in DIALS.items():
        model = tuckpoint.fit(real, workers=1, target=target, seed=draw, settings=settings)
        sides = [tuckpoint.sample(model, count, seed=count)[list(real.columns)] for count in (JUDGES, rows)]
        a, *made, b = (pa.Table.from_pandas(frame, preserve_index=False) for frame in (real, *sides, held))
        told[dial] = judged(prepare(a, made[0], b, plain(b)), prepare(a, made[1], b, plain(b)), target)
    return told


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds NAME/NAME.csv")
    parser.add_argument("--draws", type=int, default=DRAWS)
    given = parser.parse_args()
    if why := missing(given.data, NAMES):
        print(why, file=sys.stderr)
        return 2
    table = [["rows", "leaves and bags", *FIGURES]]
    for rows in ROWS:
        found = [outcomes(given.data, name, rows, draw) for name in NAMES for draw in range(given.draws)]
        for dial in DIALS:
            means = np.nanmean([one[dial] for one in found], axis=0)
            table.append([str(rows), dial, *(f"{value:.3f}" for value in means)])
            print(json.dumps(table[-1]), flush=True)
    head = f"Means over {', '.join(NAMES)} and {given.draws} draws of the rows; {JUDGES:,} other rows judge."
    text = "\n".join(["# Where rows are few", "", head, "", *lines(table), ""])
    (RESULTS / "few.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
