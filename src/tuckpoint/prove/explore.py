"""Where does a model fail? Trained on real rows alone, judged on made rows whose truth the source knows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.prove import cuts, sources, splits
from tuckpoint.prove.cuts import Knob
from tuckpoint.prove.kinds.scene import KNOBS
from tuckpoint.prove.metric import losses
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.prove.source import Task
from tuckpoint.prove.study import Study, study
from tuckpoint.prove.surface import Losses, Surface, surface
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.frame import Frame

Judge = Literal["loss", "error"]
PARAMETERS = "_parameters"  # of a simulator: rows of one draw go together


@dataclass(frozen=True)
class Explored:
    """A surface and how it came to be: `real` tells rows and digest, `facts` figures of the source."""

    surface: Surface
    plan: Plan
    source: str
    judge: str
    unit: str
    real: Mapping[str, Any]
    facts: Mapping[str, float]

    @property
    def exit(self) -> int:
        """0 if a weak corner was confirmed, 3 if there is no evidence of one."""
        return 0 if self.surface.corner is not None and self.surface.corner.confirmed else 3

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        corner = self.surface.corner
        told = asdict(self.surface)
        if corner is not None:
            told["corner"]["confirmed"] = corner.confirmed
        about = {"source": self.source, "judge": self.judge, "unit": self.unit, "real": dict(self.real)}
        return {**about, "facts": dict(self.facts), "plan": self.plan.digest(), "exit": self.exit, "surface": told}


def explore(
    plan: Plan, frame: Frame, name: str, *,
    rows: int = 5000, judge: Judge = "loss", knobs: Sequence[str] = (), group: str | None = None,
    time: str | None = None, schema: Schema | None = None,
) -> Explored:  # fmt: skip
    """The surface of the plan's learner, trained on real rows alone, over what the source `name` makes.

    The locked rows of the plan are not read: the model learns a share of the others, and those that are left show
    whether the surface holds for real rows. `judge` is the loss (log loss, or the absolute error of a number) or, of
    classes, the error (0 or 1). Raises InputError for a source that is not in the plan or makes no rows.
    """
    source = _source(plan, name)
    work = study(plan, frame.table, group=group, time=time, schema=schema)
    if judge == "error" and not work.outcome.classes:
        raise InputError(f'"{plan.target}" is a number; its error has a size: leave --judge error out')
    seed, pool = Seed(plan.seed).child("explore"), work.lock.pool
    inside, outside = splits.resample(work.groups[pool], plan.folds, seed.child("split"))
    learnt, left = pool[inside], pool[outside]
    model = sources.trained(work, [sources.real(work, learnt)], seed.child("learner"))
    task = Task(work.table.take(learnt), work.schema, plan.target, rows, source.where, seed.child("make"))
    done = source.maker().make(task)
    if done.table is None:
        raise InputError(f"source {name} made no rows: {done.why}")
    inputs, truth, codes, known = work.made(done.table)
    if not len(truth):
        raise InputError(f"source {name}: no made row has a known {plan.target}")
    seen, clusters = _seen(done.table.filter(pa.array(known)), codes, work)
    found = _knobs(*seen, work.outcome.name, knobs)
    told = sources.predicted(replace(work, inputs=inputs), model, np.arange(len(truth)))
    made = Losses(judged(work, told, truth, judge), clusters, {knob.name: knob.codes(seen[0]) for knob in found})
    beside = None
    if seen[0] is codes:
        beside = _real(work, sources.predicted(work, model, left), left, found, judge)
    about = {
        "name": frame.name, "sha256": frame.digest, "rows": len(work.truth), "trained": len(learnt),
        "left": len(left), "locked": len(work.lock.test),
    }  # fmt: skip
    unit = "absolute error" if not work.outcome.classes else "log loss" if judge == "loss" else "error rate"
    return Explored(surface(found, made, beside, seed.child("surface")), plan, name, judge, unit, about, done.facts)


def judged(work: Study, predicted: Array, truth: Array, judge: Judge) -> Array:
    """The loss (n,) of each prediction."""
    if not work.outcome.classes:
        return np.asarray(np.abs(predicted - truth))
    if judge == "loss":
        return losses(predicted, truth)
    answers = predicted.argmax(axis=1) if predicted.ndim == 2 else predicted > 0.5
    return np.asarray(answers != truth, float)


def _source(plan: Plan, name: str) -> Source:
    names = [one.name for one in plan.sources]
    if name not in names:
        raise InputError(f'the plan has no source "{name}"{did_you_mean(name, names)}; it has: {", ".join(names)}')
    source = plan.sources[names.index(name)]
    if source.file:
        raise InputError(f"source {name} is a finished table; the surface needs a source that makes rows")
    return source


def _seen(table: pa.Table, codes: Encoded, work: Study) -> tuple[tuple[Encoded, Schema], Array]:
    """What the surface is over, and whose each row is (n,): the rows' own columns or, of a scene, its knobs.

    Rows of one draw of a simulator's parameters, and crops of one scene, go together.
    """
    if KNOBS in table.column_names:
        told = [json.loads(one) for one in table[KNOBS].to_pylist()]
        names = sorted({name for one in told for name in one} - {"scene"})
        if not names:
            raise InputError("no knob of the scenes varies; let the specification draw some")
        spread = pa.table({name: _column([one.get(name) for one in told]) for name in names})
        schema = schema_of(spread, None)
        kept = [column.name for column in schema.columns if column.modelled]
        scenes = np.unique([one["scene"] for one in told], return_inverse=True)[1]
        return (encode(spread, schema).select(tuple(kept)), schema), scenes
    if PARAMETERS in table.column_names:
        return (codes, work.schema), np.unique(table[PARAMETERS].to_pylist(), return_inverse=True)[1]
    return (codes, work.schema), np.arange(table.num_rows)


def _column(values: list[Any]) -> pa.Array:
    """Values of one knob; of several kinds, their text."""
    kinds = {float if isinstance(value, int) and not isinstance(value, bool) else type(value) for value in values}
    if len(kinds - {type(None)}) > 1:
        return pa.array([None if value is None else str(value) for value in values])
    return pa.array([float(v) for v in values] if kinds == {float} else values)


def _knobs(codes: Encoded, schema: Schema, target: str, wanted: Sequence[str]) -> list[Knob]:
    found = cuts.knobs(codes, schema, target)
    names = [knob.name for knob in found]
    for one in wanted:
        if one not in names:
            raise InputError(
                f'no knob "{one}"{did_you_mean(one, names)}; columns of made rows that vary: {", ".join(names)}'
            )
    if not found:
        raise InputError("no column of the made rows varies; a surface needs knobs")
    return cuts.named(found, wanted)


def _real(work: Study, predicted: Array, left: Array, found: Sequence[Knob], judge: Judge) -> Losses:
    """Real rows that the model did not learn, on the same knobs."""
    data = work.data.take(left)
    codes = {knob.name: knob.codes(data) for knob in found}
    return Losses(judged(work, predicted, work.truth[left], judge), work.groups[left], codes)
