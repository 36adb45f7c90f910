"""A table whose labels hang on group and schooling by a stated law."""

import numpy as np
import pyarrow as pa

from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer


def law(rows=3000, *, key=0, more=None):
    """Two groups by two, three levels of schooling, skill, and a label with rates .1 to .7."""
    rng = np.random.default_rng(key)
    sex, race = rng.choice(2, rows, p=[0.6, 0.4]), rng.choice(3, rows, p=[0.7, 0.2, 0.1])
    school = np.minimum(rng.poisson(1.2 - 0.4 * sex, rows), 2)
    skill = np.round(rng.normal(size=rows), 2)
    logit = -0.8 + 0.9 * skill + 0.8 * school - 0.9 * sex - 0.5 * (race > 0)
    paid = rng.random(rows) < 1 / (1 + np.exp(-logit))
    table = {
        "sex": np.array(["man", "woman"])[sex],
        "race": np.array(["a", "b", "c"])[race],
        "school": np.array(["low", "mid", "high"])[school],
        "age": rng.integers(18, 70, rows),
        "skill": skill,
        "pay": np.where(paid, ">50K", "<=50K"),
    }
    return pa.table({**table, **({} if more is None else more(paid, rng))})


def fitted(table, *, engine=None, rules=(), mine_rules=False, **roles):
    settings = {"trees": Trees(rounds=10, trees=5), "independent": Independent(), None: Trees(rounds=10, trees=5)}
    return fitting.fit(
        table, infer(table, **roles), engine=settings[engine], seed=Seed(3), rules=rules, mine_rules=mine_rules,
        context=Context(),
    )  # fmt: skip


PARITY = {"target": "label parity", "groups": ["race", "sex"], "outcome": "pay", "positive": ">50K"}
WITHIN = {**PARITY, "target": "conditional parity", "groups": ["sex"], "given": ["school"]}
SHARES = {"target": "representation", "groups": ["race", "sex"]}
