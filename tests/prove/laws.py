"""Tables of a known law, and plans that are quick."""

import numpy as np
import pyarrow as pa

from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.seed import Seed

QUICK = Boosting(rounds=20, rate=0.2, leaves=7, leaf_rows=5)


def law(rows=200, key=1, people=None):
    """Two numbers, a category, and a yes or no that hangs on the first number; people with several rows if asked."""
    random = Seed(key, ("law",)).numpy()
    x = random.normal(size=(rows, 2))
    yes = random.random(rows) < 1 / (1 + np.exp(-2 * x[:, 0]))
    columns = {
        "x": np.round(x[:, 0], 2),
        "z": np.round(x[:, 1], 2),
        "place": np.array(list("abc"))[random.integers(0, 3, rows)],
        "y": np.where(yes, "yes", "no"),
    }
    if people:
        columns["who"] = np.array([f"p{i}" for i in random.integers(0, people, rows)])
    return pa.table(columns)


def plan(engine="independent", **more):
    """A plan that takes a second."""
    told = {
        "sources": (Source("made", engine, mine_rules=False),),
        "weights": (0.3, 1.0),
        "curve": (),
        "folds": Folds(repeats=4, inner=2),
        "learner": QUICK,
    }
    return Plan("y", **(told | more))
