"""What a proof works on: the real rows as inputs and outcomes, their groups, the slices, and which rows are locked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.measure import boost
from tuckpoint.measure.boost import Features
from tuckpoint.measure.prepare import coded
from tuckpoint.photos.descriptor import DESCRIPTOR, descriptors_of, is_look
from tuckpoint.prove.plan import Plan
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.splits import Lock, lock, own_lock
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.expression import parse

MOST_CLASSES = 20
MOST_ANSWERS = 200  # classes of which the likeliest is asked for
EVERYWHERE = "all rows"
ELSEWHERE = "elsewhere"


@dataclass(frozen=True)
class Outcome:
    """What is predicted: `values` are the column's codes (or numbers) that stand for class 0, 1 ...; none: a number."""

    name: str
    values: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        """0 for a number, else the number of classes."""
        return len(self.values)

    def truth(self, column: Array) -> Array:
        """Classes or numbers (n,) float64, NaN where missing or unknown."""
        numbers = column.astype(np.float64)
        if not self.values:
            return numbers
        found = np.full(len(numbers), np.nan)
        for place, value in enumerate(self.values):
            found[numbers == value] = place
        return found


@dataclass(frozen=True)
class Study:
    """Real rows whose outcome is known: the table, codes, inputs of a model, and their truth (n,) and groups (n,).

    `claims` holds the mask (n,) of each slice by its condition, and of the rows elsewhere. `ordered`: the locked rows
    are the latest; `dropped` counts rows without a known outcome; with `pictures` the inputs are descriptors of images,
    and the codes their projections.
    """

    plan: Plan
    table: pa.Table
    schema: Schema
    data: Encoded
    inputs: Features
    truth: Array
    groups: Array
    outcome: Outcome
    claims: Mapping[str, Array]
    lock: Lock
    ordered: bool = False
    dropped: int = 0
    pictures: bool = False

    @property
    def sought(self) -> Array:
        """Rows (n,) on which source, amount and weight are chosen: those of the claimed slices."""
        return np.asarray(np.any([mask for name, mask in self.claims.items() if name != ELSEWHERE], axis=0))

    def made(self, table: pa.Table) -> tuple[Features, Array, Encoded, Array]:
        """Inputs, truth and codes of made rows, those without a known outcome left out; and which have one (n,)."""
        columns = coded(table, self.schema, self.data.fields, "made")
        rows = Encoded(self.data.fields, columns)
        truth = self.outcome.truth(columns[self.outcome.name])
        known = ~np.isnan(truth)
        rows = rows.take(known)
        if self.pictures:
            return _descriptors(table, known), truth[known], rows, known
        return boost.features(rows, without=self.outcome.name), truth[known], rows, known


def study(
    plan: Plan,
    table: pa.Table,
    *,
    group: str | None = None,
    time: str | None = None,
    schema: Schema | None = None,
) -> Study:
    """Read the real rows and lock the test; nothing is learnt here but what each column is.

    Raises InputError for columns that are not there, or a target that the metric cannot judge.
    """
    for role, name in (("target", plan.target), ("group", group), ("time", time)):
        if name is not None and name not in table.column_names:
            raise InputError(f'{role} "{name}" is no column of the real table{did_you_mean(name, table.column_names)}')
    whole, pictures = table, DESCRIPTOR in table.column_names
    if isinstance(plan.learner, Ridge) and not pictures:
        raise InputError("the learner ridge reads descriptors of images; leave learner out for a table")
    table = table.drop_columns([DESCRIPTOR, "path"]) if pictures else table
    for source in plan.sources if pictures else ():
        if not source.file and not source.maker().once:
            raise InputError(f"source {source.name} makes rows of tables; images come from a source such as scene")
    found = schema_of(table, schema, target=plan.target, person=group)
    if plan.target not in {column.name for column in found.columns if column.modelled}:
        raise InputError(f'target "{plan.target}" is understood as an identifier or free text; correct it in a schema')
    # Bounds and levels read off all rows would tell a generator of the locked ones.
    found = replace(found, columns=tuple(_without_data(column) for column in found.columns))
    data = encode(table, found)
    outcome = outcome_of(plan, data)
    truth = outcome.truth(data.columns[plan.target])
    known, rows = np.flatnonzero(~np.isnan(truth)), data.rows
    data, truth, table = data.take(known), truth[known], table.take(pa.array(known))
    groups = np.arange(len(known)) if data.person is None else np.unique(data.person, return_inverse=True)[1]
    moments = None if time is None else _moments(data, time)
    if plan.locked is None:
        locked = lock(groups, plan.folds, Seed(plan.seed).child("prove"), time=moments)
    else:
        locked = own_lock(groups, parse(plan.locked, data.fields, found).mask(data.columns), plan.locked)
    claims = _claims(plan, data, found)
    if pictures:
        seen = [field.name for field in data.fields if field.name == plan.target or is_look(field.name)]
        inputs, data = _descriptors(whole, known), data.select(tuple(seen))
    else:
        inputs = boost.features(data, without=plan.target)
    return Study(
        plan, table, found, data, inputs, truth, groups, outcome, claims, locked, ordered=time is not None,
        dropped=rows - len(known), pictures=pictures,
    )  # fmt: skip


def _descriptors(table: pa.Table, known: Array) -> Features:
    """The descriptors of images at these positions, or where the mask is true."""
    seen = descriptors_of(table)[known]
    return Features(tuple(f"{DESCRIPTOR}_{j}" for j in range(seen.shape[1])), seen, ())


def outcome_of(plan: Plan, data: Encoded) -> Outcome:
    """How the target is predicted; the positive class comes second. Raises InputError if the metric does not fit it."""
    field, column = data.field(plan.target), data.columns[plan.target].astype(np.float64)
    held = column[~np.isnan(column) & ((column >= 0) | field.numeric)]
    values, counts = np.unique(held, return_counts=True)
    if plan.metric == "rmse":
        if not field.numeric:
            raise InputError(f'target "{plan.target}" holds no numbers; RMSE needs them, use auc or log_loss')
        return Outcome(plan.target)
    answers = plan.metric in ("accuracy", "macro_recall")
    most = MOST_ANSWERS if answers else MOST_CLASSES if plan.metric == "log_loss" else 2
    if not 2 <= len(values) <= most:
        wanted = "2 classes" if most == 2 else f"2 to {most} classes"
        raise InputError(
            f'target "{plan.target}" holds {len(values)} values; {plan.metric} needs {wanted}: choose rmse for a '
            "number, log_loss, accuracy or macro_recall for several classes, or pool levels"
        )
    labels = [f"{v:g}" for v in values] if field.levels is None else [field.levels[int(v)] for v in values]
    order = list(range(len(values)))
    if len(values) == 2:
        if plan.positive is not None and plan.positive not in labels:
            raise InputError(f'positive "{plan.positive}" is no value of "{plan.target}"; it has: {", ".join(labels)}')
        second = labels.index(plan.positive) if plan.positive is not None else int(np.argmin(counts))
        order = [1 - second, second]
    return Outcome(plan.target, tuple(float(values[i]) for i in order), tuple(labels[i] for i in order))


def _without_data(column: Column) -> Column:
    told = column.domain is None or column.domain.provenance != "data" or column.kind in ("boolean", "ordered")
    return column if told else replace(column, domain=None)


def _moments(data: Encoded, time: str) -> Array:
    if time not in data.columns or not data.field(time).numeric:
        raise InputError(
            f'time "{time}" holds no dates or numbers to put rows in order by; correct its kind in a schema'
        )
    moments = data.columns[time].astype(np.float64)
    if np.isnan(moments).any():
        raise InputError(f'time "{time}": {int(np.isnan(moments).sum())} rows have none; fill them in or drop the rows')
    return moments


def _claims(plan: Plan, data: Encoded, schema: Schema) -> dict[str, Array]:
    """Masks by condition; without slices one claim for all rows."""
    if not plan.slices:
        return {EVERYWHERE: np.ones(data.rows, bool)}
    masks = {text: parse(text, data.fields, schema).mask(data.columns) for text in plan.slices}
    for text, mask in masks.items():
        if not mask.any():
            raise InputError(f"slice `{text}`: no real row satisfies it; nothing can be proved there")
    rest = ~np.any(list(masks.values()), axis=0)
    return masks | ({ELSEWHERE: rest} if rest.any() else {})
