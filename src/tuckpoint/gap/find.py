"""Find what a real table lacks: the one call behind `tuckpoint find`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError, count, did_you_mean
from tuckpoint.gap import calibration, damage, domain, doubles, margins
from tuckpoint.gap.assess import Case, Side, assessed, mask_of
from tuckpoint.gap.columns import parts
from tuckpoint.gap.finding import Gaps, Leak, Missing, Off, Weak
from tuckpoint.gap.model import Judged
from tuckpoint.gap.outcomes import task_of, unseen, with_outcome
from tuckpoint.gap.reference import against
from tuckpoint.gap.region import regions
from tuckpoint.gap.weak import SAME, weak
from tuckpoint.gap.who import grouped, one_each
from tuckpoint.measure.prepare import Space, prepare
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Encoded, Progress, quiet
from tuckpoint.table.frame import Frame, read

CELLS = 0.8  # share of the level that the cells have; ranges of numbers have the rest
COPIED = 0.05  # share of reference rows that also stand among training rows, above which the model is not judged there


@dataclass(frozen=True)
class Settings:
    """How gaps are sought: at which level all tests of one kind stand together, over how many columns, most told.

    `smallest_effect` is the smallest fall of the mean loss (log loss, or the squared error of a number over its
    variance) that would be worth its rows. `seed` is the root of all draws.
    """

    level: float = 0.05
    ways: int | None = None
    most: int = 20
    smallest_effect: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level <= 0.2:
            raise InputError(f"level {self.level}: say a share above 0, up to 0.2")
        if self.ways not in (None, 1, 2, 3):
            raise InputError(f"ways {self.ways}: say 1, 2 or 3 columns that are combined")
        if self.most < 1 or self.smallest_effect <= 0:
            raise InputError("most and smallest_effect must be above 0")


@dataclass(frozen=True)
class Asked:
    """What came in: the tables (None where absent), the declared values, and what the columns mean."""

    train: Frame
    reference: Frame | None
    test: Frame | None
    margins: Mapping[str, Any] | None
    domain: Mapping[str, Any] | None
    schema: Schema
    group: str | None
    settings: Settings
    left_out: int = 0  # training rows without an outcome

    @property
    def seed(self) -> Seed:
        """The root of all draws."""
        return Seed(self.settings.seed).child("find")


def find(
    train: Any,
    *,
    target: str | None = None,
    reference: Any = None,
    margins: str | Path | None = None,
    domain: str | Path | None = None,
    test: Any = None,
    group: str | None = None,
    schema: Schema | str | Path | None = None,
    settings: Settings | None = None,
    progress: Progress = quiet,
) -> Gaps:
    """What the real table `train` (any dataframe, or a path) lacks, what it costs, and whether more rows would mend it.

    One of `reference` (rows of the population with the same columns; the target may be absent), `margins` or `domain`
    (files, see docs/find.md) says what should be there. `test` are real rows that the model will be tested on; `group`
    names the people. Raises InputError without any of the three: nobody can see what is missing from the rows alone.
    """
    asked = _asked(train, reference, margins, domain, test, target, group, schema, settings or Settings())
    progress("checking the rows", 0.0)
    found_leaks = leaks(asked)
    case, space = _case(asked)
    progress("counting cells", 0.1)
    found, tested, overall = missing(asked, case, space)
    progress("judging the model", 0.2)
    judged = case.judged()
    gaps = assessed(found, case, judged, progress)
    slices, looked = _weak(asked, case, judged, found)
    wrong, held = _off(asked, case, judged)
    overall = {**overall, **_told(asked, judged, looked, held)}
    notes = tuple(_notes(asked, case))
    about = {**_about(asked), "predicted": calibration.named(case.work)}
    return Gaps(about, gaps, tuple(slices), tuple(wrong), tuple(found_leaks), notes, tested, overall)


def _asked(
    train: Any, reference: Any, shares: Any, declared: Any, test: Any, target: str | None, group: str | None,
    schema: Schema | str | Path | None, settings: Settings,
) -> Asked:  # fmt: skip
    frame = read(train)
    for role, name in (("target", target), ("group", group)):
        if name is not None and name not in frame.table.column_names:
            raise InputError(
                f'{role} "{name}" is no column of {frame.name}{did_you_mean(name, frame.table.column_names)}'
            )
    if sum(one is not None for one in (reference, shares, declared)) != 1:
        raise InputError(
            "what is missing cannot be seen in the rows themselves; pass one of --reference (rows of the population), "
            "--margins (published shares) and --domain (what must be covered)"
        )
    meant = schema_of(frame.table, schema, target=target, person=group)
    frame, left_out = with_outcome(frame, target)
    return Asked(
        frame,
        None if reference is None else read(reference),
        None if test is None else read(test),
        None if shares is None else margins.load(shares),
        None if declared is None else domain.load(declared),
        meant,
        group,
        settings,
        left_out,
    )


def _case(asked: Asked) -> tuple[Case, Space]:
    """The tables in the space that gaps are told in, and in that of the model."""
    schema, tables = asked.schema, {"train": asked.train.table}
    tables |= {} if asked.reference is None else {"reference": asked.reference.table}
    tables |= {} if asked.test is None else {"test": asked.test.table}
    if asked.group is not None:  # of each person elsewhere one row is counted, and judged
        tables = {name: table if name == "train" else _one_each(table, asked) for name, table in tables.items()}
    columns = [c for c in schema.columns if c.modelled and all(c.name in t.column_names for t in tables.values())]
    shared = Schema(tuple(c for c in columns if c.name != schema.target))
    if not shared.columns:
        raise InputError("the tables share no column that could be compared; give their columns the same names")
    beside = tables.get("reference", tables["train"])
    called = {"real": "reference" if "reference" in tables else "training", "made": "training", "holdout": "test"}
    space = prepare(beside, tables["train"], tables.get("test"), shared, names=called)
    cells = {"train": space.made, "reference": space.real}
    if space.holdout is not None:
        cells["test"] = space.holdout
    sides = {name: Side(name, cells[name]) for name in tables}
    work, scale = None, 1.0
    if schema.target is not None:
        meant = replace(shared, columns=(*shared.columns, schema[schema.target]), target=schema.target)
        known = {name: _with_target(table, tables["train"], schema.target) for name, table in tables.items()}
        called = {"real": "training"}
        inputs = {
            name: prepare(tables["train"], table, None, meant, names={**called, "made": name}).made
            for name, table in known.items()
        }
        work = task_of(inputs, schema.target)
        if work.classes == 0:  # in standard deviations, so that a loss of 1 is that of the mean
            scale = float(np.nanstd(work.truth["train"])) or 1.0
        for name, model in inputs.items():
            sides[name] = replace(sides[name], model=model, truth=work.truth[name] / scale)
    if asked.group is not None:
        for name, table in tables.items():
            if asked.group in table.column_names:
                sides[name] = replace(sides[name], groups=grouped(table, asked.group))
    if work is not None and len(np.unique(inputs["train"].columns[work.target])) < 2:  # there is nothing to predict
        work = None
    judge = _judge(asked, sides)
    return (
        Case(
            schema, sides["train"], work, judge, sides.get("test"), sides.get("reference"),
            asked.settings.smallest_effect, asked.settings.level, asked.seed, unit=scale,
        ),
        space,
    )  # fmt: skip


def _with_target(table: pa.Table, train: pa.Table, target: str) -> pa.Table:
    """The table; where it lacks the target, with outcomes that are not known."""
    if target in table.column_names:
        return table
    kind = train.schema.field(target).type
    return table.append_column(target, pa.nulls(table.num_rows, kind))


def _one_each(table: pa.Table, asked: Asked) -> pa.Table:
    """One row of each person, if the table names people."""
    if asked.group is None or asked.group not in table.column_names:
        return table
    return table.take(pa.array(one_each(grouped(table, asked.group), asked.seed.child("one each"))))


def _judge(asked: Asked, sides: Mapping[str, Side]) -> Side:
    """Where the model is judged: on labelled reference rows that it did not learn from, the test, or cross-fitted."""
    reference = sides.get("reference")
    if reference is not None and reference.labelled and asked.reference is not None and not _copied(asked):
        return reference
    test = sides.get("test")
    return test if test is not None and test.labelled else sides["train"]


def _copied(asked: Asked) -> bool:
    assert asked.reference is not None
    names = [n for n in asked.schema.names if n in asked.reference.table.column_names]
    train, beside = doubles.codes(asked.train.table, asked.reference.table, names)
    found = doubles.twins(doubles.keys(train), doubles.keys(beside))
    return found.count - found.chance > COPIED * found.rows


def missing(asked: Asked, case: Case, space: Space) -> tuple[list[Missing], int, dict[str, Any]]:
    """The gaps by the kind of reference, how many cells were tested, and what else is told of the search."""
    settings, schema, train = asked.settings, asked.schema, case.train.cells
    if case.train.groups is not None:
        train = train.take(one_each(case.train.groups, asked.seed.child("one each")))
    if asked.margins is not None:
        shares = margins.published(asked.margins, train, schema)
        gaps, tested = margins.short(shares, level=settings.level, most=settings.most)
        return (
            _in_rows(gaps, case, train.rows),
            tested,
            {"published shares": f"{tested:,}, exact binomial tests, Holm at {settings.level:g}"},
        )
    if asked.domain is not None:
        gaps, coverage, looked = domain.uncovered(
            asked.domain, case.train.cells, schema, level=settings.level, most=settings.most
        )
        covered = "; ".join(
            f"{one.combinations:,} of {one.ways}: {one.any_row:.1%} hold a row, {one.enough:.1%} enough"
            f"{f', {one.infeasible:,} cannot be' if one.infeasible else ''}"
            for one in coverage
        )
        return gaps, looked, {"combinations of factors": covered, "coverage": [asdict(one) for one in coverage]}
    columns = parts(train, space.real, schema)
    search = against(columns, level=CELLS * settings.level, ways=settings.ways, most=settings.most)
    boxes, _, judged = regions(
        _outside(search.found, train, schema), _outside(search.found, space.real, schema), schema,
        asked.seed.child("regions"), level=(1 - CELLS) * settings.level,
    )  # fmt: skip
    told = {
        "cells": f"{count(search.tested, 'cell')} of up to three columns, Fisher's exact test, Holm at "
        f"{CELLS * settings.level:g} in equal shares for single columns, pairs and triples",
        "ranges of numbers": f"{judged} boxes from a tree on half of the rows, Fisher's exact test on the other half, "
        f"Holm at {(1 - CELLS) * settings.level:g}",
    }
    return _in_rows([*search.found, *boxes][: settings.most], case, train.rows), search.tested + judged, told


def _in_rows(found: list[Missing], case: Case, people: int) -> list[Missing]:
    """Gaps that were counted in people, told in rows; what is sure of them stays that of people."""
    if people == case.train.cells.rows:
        return found
    times, told = case.train.cells.rows / people, []
    for gap in found:
        note = f"{gap.rows:,} of {people:,} people, of each of whom one row was counted"
        rows = int(mask_of(gap.where, case.train.cells, case.schema).sum())
        told.append(
            replace(
                gap, rows=rows, expected=times * gap.expected, lacking=round(times * gap.lacking),
                note=f"{gap.note}; {note}" if gap.note else note,
            )
        )  # fmt: skip
    return told


def _outside(found: tuple[Missing, ...], rows: Encoded, schema: Schema) -> Encoded:
    """The rows in none of the gaps: ranges are sought among them."""
    return rows.take(~np.logical_or.reduce([mask_of(gap.where, rows, schema) for gap in found])) if found else rows


def _weak(asked: Asked, case: Case, judged: Judged | None, found: list[Missing]) -> tuple[list[Weak], int]:
    if judged is None:
        return [], 0
    rows = case.judge.cells.take(judged.rows)
    slices, masks, looked = weak(
        parts(rows, rows, asked.schema), judged, level=asked.settings.level, smallest=asked.settings.smallest_effect
    )
    gaps = [mask_of(gap.where, rows, asked.schema) for gap in found]
    return [
        replace(one, missing=any((mask & gap).sum() > SAME * (mask | gap).sum() for gap in gaps))
        for one, mask in zip(slices, masks, strict=True)
    ], looked


def _off(asked: Asked, case: Case, judged: Judged | None) -> tuple[list[Off], int]:
    if judged is None:
        return [], 0
    rows, settings = case.judge.cells.take(judged.rows), asked.settings
    columns = parts(rows, rows, asked.schema)
    return calibration.off(columns, judged, level=settings.level, smallest=settings.smallest_effect)


def leaks(asked: Asked) -> list[Leak]:
    """What is wrong with the rows themselves: a leaky split, contradictions, signs of damage."""
    train, found = asked.train, list[Leak]()
    names = [column.name for column in asked.schema.columns if column.modelled and column.name != asked.group]
    if asked.test is not None:
        found += doubles.leaks(train.table, asked.test.table, names, group=asked.group)
    if asked.schema.target is not None:
        found += unseen(train.table, [one for one in (asked.reference, asked.test) if one is not None], asked.schema)
        told = doubles.contradictions(train.table, names, asked.schema.target)
        found += [] if told is None else [told]
    for frame in filter(None, (train, asked.test, asked.reference)):
        found += damage.damaged(frame.table, frame.name)
    if asked.reference is not None:
        found += damage.spellings(train.table, asked.reference.table, asked.schema)
        shared = [c for c in asked.schema.columns if c.modelled and c.name in asked.reference.table.column_names]
        if shared:
            space = prepare(asked.reference.table, train.table, None, Schema(tuple(shared)))
            found += damage.units(space.made, space.real, asked.schema)
    return found


def _about(asked: Asked) -> dict[str, Any]:
    beside: dict[str, Any]
    if asked.reference is not None:
        frame = asked.reference
        beside = {"kind": "sample", "name": frame.name, "sha256": frame.digest, "rows": frame.table.num_rows}
    else:
        told = asked.margins or asked.domain or {}
        beside = {
            "kind": "margins" if asked.margins is not None else "domain",
            "name": str(told.get("source", "no source named")),
        }
    test = (
        None
        if asked.test is None
        else {"name": asked.test.name, "sha256": asked.test.digest, "rows": asked.test.table.num_rows}
    )
    return {
        "name": asked.train.name, "sha256": asked.train.digest, "rows": asked.train.table.num_rows,
        "target": asked.schema.target, "group": asked.group, "reference": beside, "test": test,
        "settings": asdict(asked.settings),
    }  # fmt: skip


def _told(asked: Asked, judged: Judged | None, looked: int, held: int) -> dict[str, Any]:
    if judged is None:
        return {}
    kind = "squared error in standard deviations" if np.isnan(judged.spread).all() else "log loss"
    return {
        "model": f"boosted trees, judged on {len(judged.loss):,} {judged.source}; {kind} {judged.loss.mean():.4g}",
        "weak slices": f"{looked:,} of one or two columns, Welch's test, Holm at {asked.settings.level:g}; means "
        "pooled by empirical Bayes",
        "calibration": f"{calibration.overall(judged)}; {held:,} slices held against that, exact binomial tails or "
        f"Welch's test, Holm at {asked.settings.level:g}",
        "worth filling": f"a fall of the loss by {asked.settings.smallest_effect:g} or more",
    }


def _notes(asked: Asked, case: Case) -> list[str]:
    notes = []
    if asked.reference is not None:
        notes.append("A gap is no better than its reference: if that is biased or old, so is what is told here.")
        if case.reference is not None and case.reference.labelled and case.judge is not case.reference:
            notes.append("Training rows stand in the reference, so the model was not judged on it.")
    if asked.margins is not None:
        notes.append("Published shares overlap: a parent and its parts may both be told for the same missing rows.")
    if asked.schema.target is None:
        notes.append("Without --target it is not known what a gap costs, nor whether more rows would mend it.")
    elif case.work is None:
        notes.append(f'All training rows have one and the same "{asked.schema.target}": no model can be judged.')
    elif case.test is None:
        notes.append("Without --test it is not told what could be proved.")
    if asked.left_out:
        notes.append(
            f"{asked.left_out:,} training rows without a known {asked.schema.target} teach nothing of it, and were "
            "not counted."
        )
    if asked.group is not None:
        notes.append(f"Of each {asked.group} one row is counted and judged, for its rows are no independent witnesses.")
    return [*notes, *_not_compared(asked)]


def _not_compared(asked: Asked) -> list[str]:
    """Columns that some table lacks: nobody can compare them, and the model does not use them."""
    tables = [one for one in (asked.train, asked.reference, asked.test) if one is not None]
    roles, told = {asked.schema.target, asked.group}, []
    for frame in tables:
        names = [name for name in frame.table.column_names if name not in roles]
        alone = [name for name in names if any(name not in other.table.column_names for other in tables)]
        if alone:
            told.append(f"{', '.join(alone)} (in {frame.name})")
    return [f"Not compared, since not every table has them: {'; '.join(told)}."] if told else []
