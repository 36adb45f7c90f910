"""Find what a folder of labelled pictures lacks: classes, attributes and regions of an embedding; leaks and damage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, count
from tuckpoint.gap import domain as domains
from tuckpoint.gap import margins as shares
from tuckpoint.gap.assess import Case, assessed, mask_of
from tuckpoint.gap.columns import Parts, parts, quoted
from tuckpoint.gap.find import Asked, Settings, missing
from tuckpoint.gap.finding import Gaps, Missing, Weak
from tuckpoint.gap.model import Judged
from tuckpoint.gap.photo_case import case_of, recalls, spaced, supported
from tuckpoint.gap.photo_regions import COLUMN, RELABELLED, Ball, described, named, regions
from tuckpoint.gap.photo_sides import LABEL, Folder, Sides, frame, leaks, one_each, read_sides, tables
from tuckpoint.gap.weak import SAME, weak
from tuckpoint.measure.prepare import Space
from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Progress, quiet

REGIONS = 0.3  # share of the level that regions of the embedding have; cells and ranges of attributes have the rest
WAYS = 2  # attributes of a picture hang together: triples of them say little
SHOWN = 6  # pictures of a gap


@dataclass(frozen=True)
class Found:
    """The gaps; pictures of the reference that show each of them, by its condition; and all training pictures as a
    table: path, label, the listing's columns, what was measured, and the region that each lies in.
    """

    gaps: Gaps
    shown: Mapping[str, tuple[Path, ...]]
    table: pa.Table


def find_photos(
    folder: Folder | str | Path,
    *,
    reference: str | Path | None = None,
    margins: str | Path | None = None,
    domain: str | Path | None = None,
    test: str | Path | None = None,
    settings: Settings | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Found:
    """What the pictures of `folder` lack beside those of the folder `reference`, published shares or a declared domain.

    Of each group one picture is counted: several of one thing are not independent. Raises InputError as `find` and
    `read_album` do.
    """
    if sum(one is not None for one in (reference, margins, domain)) != 1:
        raise InputError(
            "what is missing cannot be seen in the pictures themselves; pass one of --reference (a folder of what "
            "there is), --margins (published shares) and --domain (what must be covered)"
        )
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    settings = settings or Settings()
    settings = replace(settings, ways=settings.ways or WAYS)
    seed = Seed(settings.seed).child("find")
    sides = read_sides(folder, reference, test, seed, workers=workers, progress=progress)
    found_leaks = leaks(sides)
    schema, counted = tables(sides, folder)
    frames = {name: frame(sides.photos[name], table) for name, table in counted.items()}
    asked = Asked(
        frames["train"], frames.get("reference"), frames.get("test"),
        None if margins is None else shares.load(margins), None if domain is None else domains.load(domain),
        schema, folder.group, settings,
    )  # fmt: skip
    progress("counting cells and regions", 0.6)
    gaps, balls, tested, overall = lacking(asked, sides, counted)
    if balls:
        schema, counted = _with_regions(schema, counted, sides, balls)
    case = case_of(sides, counted, schema, settings, seed)
    progress("judging the model", 0.7)
    judged = case.judged()
    known = assessed(gaps, case, judged, lambda said, done: progress(said, 0.7 + 0.3 * done))
    known = tuple(supported(gap, case, sides, seed.child("support")) for gap in known)
    slices, looked = _weak(case, judged, gaps)
    told = Gaps(
        _about(asked, sides), known, tuple(slices), (), tuple(found_leaks), tuple(_notes(asked, case, sides)), tested,
        {**overall, **_told(case, judged, looked, settings)},
    )  # fmt: skip
    return Found(told, _shown(told, case, sides), _listing(sides, counted))


def lacking(
    asked: Asked, sides: Sides, counted: Mapping[str, pa.Table]
) -> tuple[list[Missing], list[Ball], int, dict[str, Any]]:
    """Gaps among cells and ranges of attributes, then regions of the embedding among the pictures in none of those; the
    balls that the regions are, how many cells and balls were tested, and what else is told.
    """
    settings, seed = asked.settings, asked.seed
    kept = {
        name: one_each(sides.groups.get(name), len(held.files), seed.child("one", name))
        for name, held in sides.photos.items()
    }
    some = {name: table.take(kept[name]) for name, table in counted.items() if name != "test"}
    shared, space = spaced(some, asked.schema)
    share = 1 - REGIONS if asked.reference is not None else 1.0
    asked = replace(asked, settings=replace(settings, level=share * settings.level), schema=shared)
    base = case_of(_taken(sides, kept), some, shared, settings, seed)
    found, tested, overall = missing(asked, base, space)
    if asked.reference is None:
        return found, [], tested, overall
    places, rest = {}, {}
    for name, data in (("train", space.made), ("reference", space.real)):
        places[name] = sides.places[name][kept[name]]
        rest[name] = np.ones(data.rows, bool)
        for gap in found:
            rest[name] &= ~mask_of(gap.where, data, shared)
    level = REGIONS * settings.level
    among = {name: places[name][rest[name]] for name in rest}
    pairs, looked = regions(among["train"], among["reference"], seed.child("balls"), level=level)
    pairs = pairs[: max(0, settings.most - len(found))]
    columns = [_classes(space), *parts(space.made, space.real, shared)]
    gaps = [replace(gap, note=described(ball.holds(places["reference"]), columns)) for ball, gap in pairs]
    overall["regions of the embedding"] = (
        f"{looked:,} balls of 1 to 16 % of all pictures in {places['train'].shape[1]} principal components of "
        f"gradients and colour, the clearest beside those of {RELABELLED} relabellings (scan statistic), at {level:g}"
    )
    return [*found, *gaps], [ball for ball, _ in pairs], tested + looked, overall


def _classes(space: Space) -> Parts:
    """Each class by itself, however rare: counting pools rare ones, but a region is best told by its own."""
    if LABEL not in space.real.columns:
        return Parts(LABEL, (), np.zeros(0, np.int64), np.zeros(0, np.int64))
    levels = space.real.field(LABEL).levels or ()
    where = tuple(f"{LABEL} == {quoted(Column(LABEL, 'category', 'string'), level)}" for level in levels[:-1])
    return Parts(LABEL, where, space.made.columns[LABEL], space.real.columns[LABEL])


def _taken(sides: Sides, kept: Mapping[str, Array]) -> Sides:
    """Some pictures of each side, for counting alone."""
    return Sides(
        {name: held.take(kept[name]) for name, held in sides.photos.items()}, {},
        *({name: rows[kept[name]] for name, rows in each.items()} for each in (sides.inputs, sides.places)),
    )  # fmt: skip


def _with_regions(
    schema: Schema, counted: Mapping[str, pa.Table], sides: Sides, balls: Sequence[Ball]
) -> tuple[Schema, dict[str, pa.Table]]:
    """The tables with a column that names the region of each picture."""
    column = Column(COLUMN, "category", "string")
    told = {
        name: table.append_column(COLUMN, pa.array(named(sides.places[name], balls), pa.string()))
        for name, table in counted.items()
    }
    return replace(schema, columns=(*schema.columns, column)), told


def _weak(case: Case, judged: Judged | None, found: Sequence[Missing]) -> tuple[list[Weak], int]:
    if judged is None:
        return [], 0
    rows = case.judge.cells.take(judged.rows)
    slices, masks, looked = weak(parts(rows, rows, case.schema), judged, level=case.level, smallest=case.smallest)
    gaps = [mask_of(gap.where, rows, case.schema) for gap in found]
    return [
        replace(one, missing=any((mask & gap).sum() > SAME * (mask | gap).sum() for gap in gaps))
        for one, mask in zip(slices, masks, strict=True)
    ], looked


def _shown(told: Gaps, case: Case, sides: Sides) -> dict[str, tuple[Path, ...]]:
    """Pictures of the reference that lie nearest the middle of each gap, no two of one group."""
    found = {}
    if case.reference is None:
        return {}
    photos, places = sides.photos["reference"], sides.places["reference"]
    keys = sides.groups.get("reference")
    for gap in told.gaps:
        rows = np.flatnonzero(mask_of(gap.missing.where, case.reference.cells, case.schema))
        if not len(rows):
            continue
        apart = ((places[rows] - np.median(places[rows], axis=0)) ** 2).sum(axis=1)
        rows = rows[np.argsort(apart, kind="stable")]
        if keys is not None:
            rows = rows[np.sort(np.unique(keys[rows], return_index=True)[1])]
        found[gap.missing.where] = tuple(photos.files[row] for row in rows[:SHOWN])
    return found


def _listing(sides: Sides, counted: Mapping[str, pa.Table]) -> pa.Table:
    table = sides.train.table
    for name in sides.train.measured.column_names:
        table = table.append_column(name, sides.train.measured[name])
    if COLUMN in counted["train"].column_names:
        table = table.append_column(COLUMN, counted["train"][COLUMN])
    return table


def _classes_lacking(sides: Sides) -> str:
    """Classes of the reference that training pictures lack altogether, however few they are; "" for none."""
    labels, counts = np.unique(sides.photos["reference"].labels.astype(str), return_counts=True)
    known = {str(label) for label in sides.train.labels}
    found = {str(one): int(n) for one, n in zip(labels, counts, strict=True) if one and str(one) not in known}
    first = sorted(found.items(), key=lambda one: -one[1])
    return ", ".join(f"{one} ({count(n, 'picture')})" for one, n in first[:10]) if any(known - {""}) else ""


def _about(asked: Asked, sides: Sides) -> dict[str, Any]:
    beside: dict[str, Any]
    if asked.reference is not None:
        side = asked.reference
        beside = {"kind": "sample", "name": side.name, "sha256": side.digest, "rows": side.table.num_rows}
    else:
        told = asked.margins or asked.domain or {}
        kind = "margins" if asked.margins is not None else "domain"
        beside = {"kind": kind, "name": str(told.get("source", "no source named"))}
    test = asked.test
    return {
        "name": asked.train.name, "sha256": asked.train.digest, "rows": asked.train.table.num_rows, "of": "pictures",
        "target": asked.schema.target, "group": asked.group, "reference": beside,
        "test": None if test is None else {"name": test.name, "sha256": test.digest, "rows": test.table.num_rows},
        "settings": asdict(asked.settings), "left_out": sum(fault.left_out for fault in sides.train.faults),
        "aside": dict(sides.train.aside),
    }  # fmt: skip


def _told(case: Case, judged: Judged | None, looked: int, settings: Settings) -> dict[str, Any]:
    if judged is None:
        return {}
    classes = recalls(case, judged)
    return {
        "model": "ridge regression on principal components of gradients and colour, classes of equal weight, judged on "
        f"{len(judged.loss):,} {judged.source}; log loss {judged.loss.mean():.4g}, probability of the likeliest class "
        f"less how often it is right {judged.error.mean():+.3f}",
        "weak slices": f"{looked:,} of one or two columns, Welch's test, Holm at {settings.level:g}; means pooled by "
        "empirical Bayes",
        "worth filling": f"a fall of the loss by {settings.smallest_effect:g} or more",
        "classes": [asdict(one) for one in classes],
    }


def _notes(asked: Asked, case: Case, sides: Sides) -> list[str]:
    notes = []
    if asked.reference is not None:
        notes.append("A gap is no better than its reference: if that is biased or old, so is what is told here.")
        if case.reference is not None and case.reference.labelled and case.judge is not case.reference:
            notes.append("Training pictures stand in the reference, so the model was not judged on it.")
        if classes := _classes_lacking(sides):
            notes.append(f"Classes of the reference that no training picture has: {classes}.")
        if case.reference is not None and LABEL not in sides.photos["reference"].table.column_names:
            notes.append("The reference has no classes: only attributes and regions are compared.")
    if asked.schema.target is None:
        notes.append("Without classes it is not known what a gap costs, nor whether more pictures would mend it.")
    elif case.work is None:
        notes.append("All training pictures are of one class: no model can be judged.")
    elif case.test is None:
        notes.append("Without --test it is not told what could be proved.")
    if asked.group is not None:
        notes.append(
            f"Of all pictures of one {asked.group} one is counted: rows are groups. They stay together in folds."
        )
    else:
        notes.append(
            "Pictures of one object are counted one by one; name it with --group, else the tests are too sure."
        )
    for what, left in sides.train.aside.items():
        notes.append(f"{left:,} {what} were set aside.")
    return notes
