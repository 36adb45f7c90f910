"""Pictures as a case that gaps are assessed with: the learner's inputs, where it is judged, support, recall."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError
from tuckpoint.gap import photo_copies
from tuckpoint.gap.assess import Case, Side, advice, mask_of
from tuckpoint.gap.find import COPIED, Settings
from tuckpoint.gap.finding import Gap, Support
from tuckpoint.gap.model import Judged
from tuckpoint.gap.photo_sides import LABEL, Sides
from tuckpoint.measure.intervals import wilson
from tuckpoint.measure.neighbours import nearest
from tuckpoint.measure.prepare import Space, prepare
from tuckpoint.measure.utility import Task
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field

SAMPLE = 4000  # training pictures that stand for all where support is judged
LOOKED = 400  # pictures of a gap that are looked at
FEWEST = 50  # training pictures without which nothing is said of support
CLEAREST = 24  # components in which support is judged
MOSTLY = 0.5  # share of a gap's pictures from which on it is said to lie there
RANK: Mapping[Support, int] = {"unknown": 0, "inside": 1, "edge": 2, "outside": 3}


def spaced(tables: Mapping[str, pa.Table], schema: Schema) -> tuple[Schema, Space]:
    """The columns that all sides have, and the sides in the space of those."""
    columns = [c for c in schema.columns if c.modelled and all(c.name in t.column_names for t in tables.values())]
    if not columns:
        raise InputError("the folders share nothing that could be compared; give both labels, or the same listing")
    shared = Schema(tuple(columns))
    return shared, prepare(tables.get("reference", tables["train"]), tables["train"], tables.get("test"), shared)


def case_of(
    sides: Sides, tables: Mapping[str, pa.Table], schema: Schema, settings: Settings, seed: Seed
) -> Case:  # fmt: skip
    """The sides with what the learner sees of each, their classes and groups."""
    _, space = spaced(tables, schema)
    cells = {"train": space.made, "reference": space.real}
    if space.holdout is not None:
        cells["test"] = space.holdout
    work = _task(sides) if schema.target is not None else None
    found = {}
    for name in tables:
        rows = sides.inputs[name]
        fields = tuple(Field(f"component {place}") for place in range(rows.shape[1]))
        model = Encoded(fields, {field.name: rows[:, place] for place, field in enumerate(fields)})
        groups = _groups(sides.groups.get(name))
        found[name] = Side(name, cells[name], model, None if work is None else work.truth[name], groups)
    judge = found[_judge(sides, found)]
    return Case(
        schema, found["train"], work, judge, found.get("test"), found.get("reference"), settings.smallest_effect,
        settings.level, seed, pictures=True,
    )  # fmt: skip


def _groups(keys: Array | None) -> Array | None:
    """Groups (n,) as numbers; a picture without one is its own."""
    if keys is None:
        return None
    return np.unique([key or f"\0{row}" for row, key in enumerate(keys)], return_inverse=True)[1]


def _task(sides: Sides) -> Task | None:
    """The classes of the training pictures; a picture of another has no truth (NaN)."""
    names = sorted({str(label) for label in sides.train.labels} - {""})
    if len(names) < 2:
        return None
    place = {name: float(number) for number, name in enumerate(names)}
    truth = {
        side: np.array([place.get(str(label), np.nan) for label in photos.labels])
        for side, photos in sides.photos.items()
    }
    return Task(LABEL, len(names), truth, tuple(names), linear=True)


def _judge(sides: Sides, found: Mapping[str, Side]) -> str:
    """Where the model is judged: labelled pictures of the reference that are not training pictures, the test, else the
    training pictures, cross-fitted.
    """
    reference = found.get("reference")
    if reference is not None and reference.labelled:
        near = photo_copies.copies(sides.train.thumbs, sides.photos["reference"].thumbs)
        if near.count / max(len(near.of), 1) - near.chance <= COPIED:
            return "reference"
    test = found.get("test")
    return "test" if test is not None and test.labelled else "train"


def supported(gap: Gap, case: Case, sides: Sides, seed: Seed) -> Gap:
    """The gap with its support by the embedding too, where that is farther out.

    Outside: most of its reference pictures lie farther from every training picture than 99 % of those do from one
    another; edge: so for 95 %.
    """
    if case.reference is None or len(sides.places["train"]) < FEWEST:
        return gap
    rows = np.flatnonzero(mask_of(gap.missing.where, case.reference.cells, case.schema))
    if not len(rows):
        return gap
    base = sides.places["train"][:, :CLEAREST].astype(np.float32)
    base = base[np.sort(seed.child("ground").numpy().permutation(len(base))[:SAMPLE])]
    looked = np.sort(seed.child("gap", gap.missing.where).numpy().permutation(rows)[:LOOKED])
    near, far = np.quantile(nearest(base, base, own=np.arange(len(base))), [0.95, 0.99])
    apart = nearest(sides.places["reference"][looked, :CLEAREST].astype(np.float32), base)
    outside = float((apart > far).mean())
    lies: Support = "outside" if outside > MOSTLY else "edge" if float((apart > near).mean()) > MOSTLY else "inside"
    if RANK[lies] < RANK[gap.support]:
        return gap
    known = replace(gap, support=lies, outside=max(outside, gap.outside or 0.0))
    return replace(known, advice=advice(known))


@dataclass(frozen=True)
class Recall:
    """How often pictures of a class are known as such, of `rows` judged ones of `groups`, with its 95 % interval."""

    label: str
    train: int
    rows: int
    groups: int
    recall: float | None
    low: float | None
    high: float | None


def recalls(case: Case, judged: Judged) -> list[Recall]:
    """Recall of each class, the least known first; the interval counts groups rather than pictures (Wilson 1927)."""
    work, judge = case.work, case.judge
    assert work is not None
    assert judge.truth is not None
    assert case.train.truth is not None
    truth = judge.truth[judged.rows].astype(np.int64)
    # The error is that of the likeliest class less 0 or 1, so it is at most 0 where that one was right.
    right = np.abs(judged.error) < 0.5 if work.classes == 2 else judged.error <= 0
    groups = judged.rows if judge.groups is None else judge.groups[judged.rows]
    found = []
    for place, label in enumerate(work.labels):
        mine = truth == place
        rows, people = int(mine.sum()), len(np.unique(groups[mine]))
        learnt = int((case.train.truth == place).sum())
        if not rows:
            found.append(Recall(label, learnt, 0, 0, None, None, None))
            continue
        share = float(right[mine].mean())
        low, high = wilson(share * people, people)
        found.append(Recall(label, learnt, rows, people, share, low, high))
    return sorted(found, key=lambda one: (one.recall is None, one.recall or 0.0))
