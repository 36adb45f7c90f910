"""The same model trained on real rows, made rows and fair made rows, and what each does to groups of real people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError
from tuckpoint.fair.cells import Cells, Label
from tuckpoint.measure import boost
from tuckpoint.measure.boost import PUBLISHED, Boosting
from tuckpoint.measure.fairness import Group, Judged, Measure, differences, groups, measures
from tuckpoint.measure.prepare import coded, prepare
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded, Progress, quiet

REAL, AS_IS, FAIR = "real", "made", "fair"
THRESHOLD = 0.5  # of the probability, from which the prediction is positive


@dataclass(frozen=True)
class Arm:
    """One training table: its rows, its measures on the holdout, their differences to real-trained, and its groups."""

    name: str
    rows: int
    measures: Mapping[str, Measure]
    beside_real: Mapping[str, Measure]
    groups: tuple[Group, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name, "rows": self.rows,
            "measures": {name: measure.to_dict() for name, measure in self.measures.items()},
            "beside_real": {name: measure.to_dict() for name, measure in self.beside_real.items()},
            "groups": [dict(vars(group)) for group in self.groups],
        }  # fmt: skip


@dataclass(frozen=True)
class Effects:
    """What was measured on `tested` holdout rows (of `people` people), arm by arm, `real` first."""

    arms: tuple[Arm, ...]
    tested: int
    people: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"tested": self.tested, "people": self.people, "arms": [arm.to_dict() for arm in self.arms]}


def effects(
    real: pa.Table,
    made: pa.Table,
    fair: pa.Table,
    holdout: pa.Table,
    *,
    schema: Schema,
    label: Label,
    cells: Cells,
    seed: Seed,
    threads: int = 1,
    settings: Boosting = PUBLISHED,
    progress: Progress = quiet,
) -> Effects:
    """Train on real rows, made rows as they are, and fair ones; measure each on the same real people, by `cells`.

    The holdout must be rows that neither the model that made the rows nor these models learnt from.
    """
    arms = {AS_IS: made, FAIR: fair}
    known, truth, predicted = trained(
        real, arms, holdout, schema, label, seed.child("train"), threads=threads, settings=settings, progress=progress
    )
    test = encode(holdout, schema, strict=False).take(np.flatnonzero(known))
    judged = {
        name: Judged(truth, found, cells.place(test), cells.names, test.person) for name, found in predicted.items()
    }
    told = []
    for name, rows in {REAL: real, **arms}.items():
        stream = seed.child("people")
        beside = {} if name == REAL else differences(judged[name], judged[REAL], stream)
        told.append(Arm(name, rows.num_rows, measures(judged[name], stream), beside, groups(judged[name])))
    people = len(truth) if test.person is None else len(np.unique(test.person))
    return Effects(tuple(told), len(truth), people)


def trained(
    real: pa.Table,
    arms: Mapping[str, pa.Table],
    holdout: pa.Table,
    schema: Schema,
    label: Label,
    seed: Seed,
    *,
    threads: int = 1,
    settings: Boosting = PUBLISHED,
    progress: Progress = quiet,
) -> tuple[Array, Array, dict[str, Array]]:
    """Train one model on each table and predict the holdout: which of its rows have a known label (n,), the labels of
    these, and by arm (with `real` first) whether the probability is 0.5 or more.

    LightGBM on all other columns, the group's own too, with the same seed for every arm.
    """
    names = list(arms)
    space = prepare(real, arms[names[0]], holdout, schema)
    fields = space.real.fields
    made = {name: Encoded(fields, coded(arms[name], schema, fields, name)) for name in names}
    assert space.holdout is not None
    known, truth = _labels(space.holdout, label)
    test = boost.features(space.holdout, without=label.name).take(np.flatnonzero(known))
    found: dict[str, Array] = {}
    for place, (name, data) in enumerate({"real": space.real, **made}.items()):
        progress(f"training on {name} rows", place / (len(names) + 1))
        has, yes = _labels(data, label)
        if len(np.unique(yes[has])) < 2:
            raise InputError(f'fair: all {name} rows have one value of "{label.name}"; no model can be trained on them')
        inputs = boost.features(data, without=label.name).take(np.flatnonzero(has))
        model = boost.train(
            inputs, yes[has].astype(np.float64), classes=2, seed=seed, threads=threads, settings=settings
        )
        found[name] = boost.predict(model, test, threads=threads) >= THRESHOLD
    return known, truth[known], found


def _labels(data: Encoded, label: Label) -> tuple[Array, Array]:
    """As `Label.read`, for a table in the space of measures, whose levels are the texts of numbers too."""
    seen, values = data.field(label.name), data.columns[label.name]
    if seen.levels is None:
        return label.read(data)
    positive = label.positive
    if isinstance(positive, float) and positive.is_integer():
        positive = int(positive)
    text = str(positive).lower() if isinstance(positive, bool) else str(positive)
    if text not in seen.levels:
        raise InputError(f'fair: no real row has the value {text!r} of "{label.name}"; correct positive in fair.yaml')
    return values >= 0, values == seen.levels.index(text)
