"""What is known of outcomes: training rows without one, and outcomes that training rows never hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError, count
from tuckpoint.gap.finding import Leak
from tuckpoint.measure.prepare import prepare
from tuckpoint.measure.utility import CLASS_VALUES, Task, task
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.frame import Frame

FEWEST = 10  # rows of an outcome that training rows never hold, from which on it is a class of its own
NAMED = 3


def with_outcome(frame: Frame, target: str | None) -> tuple[Frame, int]:
    """The rows whose outcome is known, and how many were left out: without one a row teaches a model nothing.

    Raises InputError if none is known.
    """
    if target is None:
        return frame, 0
    known = pc.is_valid(frame.table[target])
    if pa.types.is_floating(frame.table[target].type):
        known = pc.and_(known, pc.invert(pc.fill_null(pc.is_nan(frame.table[target]), True)))
    left = frame.table.num_rows - (pc.sum(known).as_py() or 0)
    if left == frame.table.num_rows:
        raise InputError(f'target "{target}": no training row of {frame.name} has one; fill it in, or leave it out')
    return (replace(frame, table=frame.table.filter(known)), left) if left else (frame, 0)


def task_of(inputs: Mapping[str, Encoded], target: str) -> Task:
    """How the target is predicted, by the tables in the codes of the training rows (`train`).

    Outcomes that training rows never hold are one class more, where other tables hold them often: the model gives them
    no chance, and loses as much there as it must.
    """
    train = inputs["train"].columns[target]
    others = [rows.columns[target] for name, rows in inputs.items() if name != "train"]
    never = sum(int((~np.isin(one, train) & _known(one)).sum()) for one in others)
    seen = np.concatenate([train, *others]) if never >= FEWEST else train
    return task({"real": Encoded((inputs["train"].field(target),), {target: seen}), **inputs}, target)


def _known(column: Array) -> Array:
    return np.asarray(~np.isnan(column) if np.issubdtype(column.dtype, np.floating) else column >= 0)


def unseen(train: pa.Table, others: Sequence[Frame], schema: Schema) -> list[Leak]:
    """Outcomes of other tables that no training row holds, told once a table; of a number of many values none."""
    assert schema.target is not None
    name, found = schema.target, []
    only = Schema((schema[name],), target=name)
    for frame in others:
        if name not in frame.table.column_names or not frame.table.num_rows:
            continue
        space = prepare(train, frame.table, None, only, names={"real": "training", "made": frame.name})
        field, mine, theirs = space.real.field(name), space.real.columns[name], space.made.columns[name]
        if field.numeric and len(np.unique(mine[~np.isnan(mine)])) > CLASS_VALUES:
            continue
        rows = np.flatnonzero(~np.isin(theirs, mine) & _known(theirs))
        if len(rows):
            levels = sorted(map(str, frame.table[name].take(pa.array(rows)).unique().to_pylist()))
            told = ", ".join(levels[:NAMED]) + (", ..." if len(levels) > NAMED else "")
            found.append(
                Leak(
                    "unseen outcomes",
                    f"{frame.name}: {count(len(rows), 'row holds', 'rows hold')} a {name} that no training row holds "
                    f"({told}): no model of the training rows can foretell it; collect rows of it, or write it alike",
                    len(rows), False,
                )
            )  # fmt: skip
    return found
