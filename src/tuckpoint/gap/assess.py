"""What each gap costs, whether more rows would mend it, what could be proved there, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.gap import reducible
from tuckpoint.gap.effect import detectable
from tuckpoint.gap.expected import expected
from tuckpoint.gap.finding import Gap, Harm, Missing, Provable, Reducible
from tuckpoint.gap.model import Judged, cross_fitted, held_out, losses, predicted
from tuckpoint.gap.reducible import Rows
from tuckpoint.gap.support import ground, support
from tuckpoint.gap.weak import harm
from tuckpoint.gap.who import hints, one_each, people_in
from tuckpoint.measure.utility import Task
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Progress
from tuckpoint.table.expression import parse

MENDED = 5  # gaps for which models are refitted to see whether rows would mend them
RESAMPLE = 0.8  # of the training rows, for each of the two models whose difference is looked at


@dataclass(frozen=True)
class Side:
    """One table in both spaces: `cells` as gaps are told in, `model` as inputs, `truth` (n,) and `groups` (n,)."""

    name: str
    cells: Encoded
    model: Encoded | None = None
    truth: Array | None = None
    groups: Array | None = None

    @property
    def labelled(self) -> bool:
        """Whether outcomes of its rows are known."""
        return self.truth is not None and bool((~np.isnan(self.truth)).any())


@dataclass(frozen=True)
class Case:
    """Everything that gaps are assessed with; without a task there is no target. `judge` is judged, `test` proves.

    `pictures` says that rows are pictures, and groups people or things; `unit` is how much of the target the truth
    counts as 1.
    """

    schema: Schema
    train: Side
    work: Task | None
    judge: Side
    test: Side | None
    reference: Side | None
    smallest: float
    level: float
    seed: Seed
    pictures: bool = False
    unit: float = 1.0

    @property
    def beside(self) -> Side | None:
        """Rows that the model did not learn from, with or without outcomes: the reference, else the test."""
        return self.reference if self.reference is not None else self.test

    def judged(self) -> Judged | None:
        """Losses on the judged rows: by a model of the training rows, or cross-fitted if they are the same."""
        train, judge = self.train, self.judge
        if (
            self.work is None
            or train.model is None
            or train.truth is None
            or judge.model is None
            or judge.truth is None
        ):
            return None
        seed = self.seed.child("judge")
        if judge is train:
            groups = np.arange(len(train.truth)) if train.groups is None else train.groups
            told = cross_fitted(train.model, train.truth, groups, self.work, seed)
            if train.groups is None or self.pictures:
                return told
            return told.some(one_each(groups[told.rows], seed.child("one each")))
        return held_out(
            train.model, train.truth, judge.model, judge.truth, self.work, seed, f"rows of the {judge.name}"
        )


def mask_of(where: str, rows: Encoded, schema: Schema) -> Array:
    """Which rows (n,) satisfy a condition; none if it names a level that they never hold."""
    try:
        return np.asarray(parse(where, rows.fields, schema).mask(rows.columns))
    except InputError:
        return np.zeros(rows.rows, bool)


def assessed(found: Sequence[Missing], case: Case, judged: Judged | None, progress: Progress) -> tuple[Gap, ...]:
    """Each gap with what is known of it, in the order given."""
    learnt = case.train.cells
    if case.train.groups is not None and not case.pictures:  # rows of one person lie near to one another
        learnt = learnt.take(one_each(case.train.groups, case.seed.child("one each")))
    base = ground(learnt, case.seed.child("ground"))
    apart = _differences(case)
    beside = case.beside
    masks = [] if beside is None else [mask_of(missing.where, beside.cells, case.schema) for missing in found]
    expects = expected(masks, case) if masks else [None] * len(found)
    gaps = []
    for place, missing in enumerate(found):
        progress("looking at each gap", 0.3 + 0.6 * place / len(found))
        seed = case.seed.child("gap", missing.where)
        where = None if case.reference is None else mask_of(missing.where, case.reference.cells, case.schema)
        lies, outside = "unknown", None
        if base is not None and where is not None and case.reference is not None and where.any():
            lies, outside = support(case.reference.cells.take(where), base, seed)
        cost = _harm(missing, case, judged, tests=len(found))
        mend = _mend(missing, case, seed) if place < MENDED else None
        mine = mask_of(missing.where, case.train.cells, case.schema)
        groups = np.arange(len(mine)) if case.train.groups is None else case.train.groups
        told = hints(missing, people_in(mine, groups), case.schema, pictures=case.pictures)
        shows = _provable(missing, case, apart)
        gap = Gap(missing, lies, outside, cost, mend, shows, expects[place], told)  # type: ignore[arg-type]
        gaps.append(Gap(**{**vars(gap), "advice": advice(gap)}))
    return tuple(gaps)


def _harm(missing: Missing, case: Case, judged: Judged | None, *, tests: int) -> Harm | None:
    if judged is None:
        return None
    mask = mask_of(missing.where, case.judge.cells, case.schema)[judged.rows]
    return harm(judged, mask, tests=tests, level=case.level)


def _mend(missing: Missing, case: Case, seed: Seed) -> Reducible | None:
    """Measured with labelled reference rows where there are some, else forecast on test rows; where neither can tell,
    by correcting the model on them.
    """
    train = _rows(case.train, missing, case)
    if case.work is None or train is None:
        return None
    given = {"lacking": missing.lacking, "smallest": case.smallest, "seed": seed}
    found = None
    if case.reference is not None and case.judge is case.reference:
        rows = _rows(case.reference, missing, case)
        assert rows is not None
        found = reducible.measured(train, rows, case.work, **given)  # type: ignore[arg-type]
    other = case.test if case.test is not None and case.test.labelled else None
    test = None if other is None else _rows(other, missing, case)
    if test is not None and (found is None or found.state == "not estimable"):
        found = reducible.curve(train, test, case.work, **given)  # type: ignore[arg-type]
    if found is None:
        return Reducible("not estimable", why="neither test rows nor reference rows with an outcome there; pass --test")
    if case.judge is case.train:
        return found
    labelled = _rows(case.judge, missing, case)
    assert labelled is not None
    correction = reducible.corrected(train, labelled, case.work, smallest=case.smallest, seed=seed.child("correction"))
    return reducible.both(found, correction)


def _rows(side: Side, missing: Missing, case: Case) -> Rows | None:
    if side.model is None or side.truth is None:
        return None
    held = np.flatnonzero(~np.isnan(side.truth))
    mask = mask_of(missing.where, side.cells, case.schema)
    return Rows(side.model.take(held), side.truth[held], mask[held])


def _differences(case: Case) -> tuple[Array, Array, Array] | None:
    """Paired differences (n,) of the losses of two models of different resamples, clusters (n,), their rows (n,)."""
    test, train = case.test, case.train
    if case.work is None or test is None or not test.labelled:
        return None
    if test.model is None or test.truth is None or train.model is None or train.truth is None:
        return None
    held, rows = np.flatnonzero(~np.isnan(train.truth)), np.flatnonzero(~np.isnan(test.truth))
    each = []
    for number in range(2):
        drawn = case.seed.child("resample", number).numpy().permutation(held)
        drawn = np.sort(drawn[: max(1, round(RESAMPLE * len(held)))])
        out = predicted(
            train.model.take(drawn), train.truth[drawn], test.model.take(rows), case.work, case.seed.child("fit")
        )
        each.append(losses(out, test.truth[rows], case.work.classes))
    groups = np.arange(len(rows)) if test.groups is None else test.groups[rows]
    return each[0] - each[1], groups, rows


def _provable(missing: Missing, case: Case, apart: tuple[Array, Array, Array] | None) -> Provable | None:
    if apart is None or case.test is None:
        return None
    differences, groups, rows = apart
    mask = mask_of(missing.where, case.test.cells, case.schema)[rows]
    return detectable(differences[mask], groups[mask])


def advice(gap: Gap) -> str:
    """What to do, in one sentence."""
    rows = f"{gap.missing.lacking:,} more real rows"
    if gap.reducible is not None and gap.reducible.state == "not reducible":
        return "do nothing: more rows there would not change the model by what matters"
    reducible = gap.reducible is not None and gap.reducible.state == "reducible"
    if gap.harm is not None and gap.harm.state == "not shown" and not reducible:
        return "nothing urgent: no harm was seen there; fill it only where the share itself must be right"
    if gap.support == "outside":
        return (
            f"collect {rows}, or bring knowledge from outside (a simulator, published rates): a generator fitted to "
            "these rows knows nothing of this place"
        )
    if reducible:
        return f"fill it: {rows}, or made rows that know something the training rows do not; then prove it"
    if gap.harm is not None and gap.harm.state == "harmful":
        return f"the model is wrong there: reweight or recalibrate first, then {rows}; prove either"
    return f"collect {rows}, and test rows there, before anything is made for it"
