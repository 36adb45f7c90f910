"""Source `rates`: an engine fitted to the training rows, made to agree with published rates of the target by slice.

tuckpoint_rates: 1
level: ">50K"                     # of which level of the target; none for a number, whose mean is published
rates:
  - {where: 'education == "Doctorate"', rate: 0.72, standard_error: 0.02, source: 'census of 1994, table 5'}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tuckpoint import declared, parts, settings
from tuckpoint.errors import InputError, SchemaError, ShortSample, did_you_mean
from tuckpoint.measure.intervals import Z95
from tuckpoint.measure.prepare import coded
from tuckpoint.prove.conditions import overlap, same, with_levels
from tuckpoint.prove.kinds.engine import Engine
from tuckpoint.prove.scores import Scores, Target, scored
from tuckpoint.prove.shift import Rows, constants, labels, likeliest_tilt, systematic, tilted
from tuckpoint.prove.source import Foretold, Made, Task
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.decode import decode
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Context, Encoded
from tuckpoint.table.expression import parse
from tuckpoint.table.fit import TableModel

KNOWN = ("level", "rates")
# Leaves of five and no boosted moves: with ten rows of a slice, larger leaves are mostly those of other rows.
PLAIN: Mapping[str, Any] = {"leaf": 5, "bag": 1.0, "stacked": 0.0, "reach": 0.0}
SPARE = 3  # rows drawn per row asked, so that rows can be chosen among them
CALIBRATED = 1000  # rows of a slice on which its shift is found, where those that were asked for are not all of it
STANDING = 50  # rows of a slice for which its rate must hold, where there are as many
MISSED = 0.01  # of a rate (or residual spreads of a mean), beyond which it is not agreed with
EDGE = 1e-4  # rates of classes are kept this far from 0 and 1


@dataclass(frozen=True)
class Rate:
    """A published share of the target's level (or mean of a number) in a slice, and who published it.

    With a standard error each fit draws the rate anew, so that the doubt goes into the verdict's interval.
    """

    where: str
    rate: float
    source: str
    standard_error: float = 0.0

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise InputError(f"rate of `{self.where}`: say who published it: source: 'census of 2021, table 7'")
        if not (np.isfinite(self.rate) and np.isfinite(self.standard_error) and self.standard_error >= 0):
            raise InputError(f"rate of `{self.where}`: {self.rate} with standard error {self.standard_error}")


@dataclass(frozen=True)
class Rates:
    """Published rates, the level of the target that they count, and the engine that makes the other columns.

    The engine draws rows under the condition; a model of the training rows tells how likely the level is in each. Real
    rows of the slice tell where such rows should lie, as far as they are many, and one constant per slice, added to
    the logits, makes the mean probability the published rate. Labels are drawn with these probabilities; rows in no
    slice keep the engine's. Levels are not pooled: a slice of ten rows would lose its own.
    """

    name: ClassVar[str] = "rates"
    once: ClassVar[bool] = False
    rates: tuple[Mapping[str, Any], ...]
    level: str | None = None
    engine: str = "trees"
    settings: Mapping[str, Any] = field(default_factory=dict)
    mine_rules: bool = True

    def __post_init__(self) -> None:
        if not self.rates:
            raise InputError("rates: none is given; write one such as {where: 'age < 25', rate: 0.1, source: ...}")
        for one in self.published:
            if self.level is not None and not 0 <= one.rate <= 1:
                raise InputError(f"rate of `{one.where}` is {one.rate}; a share lies between 0 and 1")
        Engine(self.engine, self.settings, self.mine_rules)

    @property
    def published(self) -> tuple[Rate, ...]:
        """The rates as values."""
        return tuple(settings.build(Rate, one) for one in self.rates)

    def make(self, task: Task) -> Made:
        """Rows under the condition that agree with the rates, or why none.

        Raises InputError where the target's level is not said, or is none of its levels.
        """
        published = self.published
        named = tuple(filter(None, (task.where, *(one.where for one in published))))
        task = replace(task, schema=with_levels(task.schema, named))
        real = encode(task.train, task.schema)
        target = _target(real, task.target, self.level)
        try:
            model = self._fitted(task)
            pool = _draw(model, SPARE * task.rows, task, task.where, real)
            found = [(one, rows) for one in published if (rows := _of_slice(one, pool, model, task, real)) is not None]
        except SchemaError as error:
            return Made(None, str(error))
        except ShortSample:
            return Made(None, "too few training rows satisfied its condition")
        if not found:
            return Made(None, "no rate was published for any of the rows that it was asked for")
        told = scored(real, target, [pool, *(rows for _, rows in found)], task.seed.child("scores"))
        given = tuple(
            _given(one, rows, drawn, told, real, target, task)
            for (one, rows), drawn in zip(found, told.others[1:], strict=True)
        )
        rows, scores = _chosen(pool, told.others[0], given, task)
        standing = [_standing(one, rows, scores, given, task) for one in given]
        shifts = constants(standing, told.outcome)
        for one, part in zip(given, standing, strict=True):
            if abs((reached := part.mean(shifts, told.outcome)) - one.rate) > MISSED:
                why = f"no rows have all these rates: in `{one.where}` {reached * told.unit:.3g} is as near as can be"
                return Made(None, f"{why} to {one.rate * told.unit:.3g}")
        column = _outcomes(rows, scores, shifts, told, target, given, task)
        made = replace(rows, columns={**rows.columns, target.name: column})
        return Made(decode(made, task.schema), facts=_facts(given, shifts, told))

    def _fitted(self, task: Task) -> TableModel:
        given = self.settings or (PLAIN if self.engine == "trees" else {})
        engine = settings.build(parts.find("engine", self.engine), given)
        return fitting.fit(
            task.train, task.schema, engine=engine, seed=task.seed.child("fit"), mine_rules=self.mine_rules, k=1,
            context=Context(target=task.target),
        )  # fmt: skip

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """The settings in a file of rates; raises InputError for a file that is none."""
        data = declared.load(file, "rates", KNOWN, guide="docs/prove.md")
        if not isinstance(data.get("rates"), list):
            raise InputError(f"{file}: rates is a list such as [{{where: 'age < 25', rate: 0.1, source: census}}]")
        level = data.get("level")
        if level is not None:
            level = str(level).lower() if isinstance(level, bool) else str(level)  # of a boolean column: true, false
        given = {"rates": data["rates"], "level": level}
        settings.build(cls, given)
        return given

    def serves(self, gap: Mapping[str, Any]) -> str:
        """A rate of a slice that overlaps the gap brings what the training rows do not know."""
        words = (gap["missing"]["where"], *gap["missing"].get("also", ()))
        if not any(overlap(one.where, str(text)) for one in self.published for text in words):
            return "no published rate speaks of it"
        if gap.get("support") == "outside" or not gap["missing"]["rows"]:
            return "the training rows do not tell an engine what the other columns are there"
        return ""

    def foretells(self, gap: Mapping[str, Any]) -> Foretold | None:
        """What agreeing with a rate of just this gap would bring: the square of how far the model is from it, at cost.

        On random slices of three tables, cut to ten rows, where this was less than 0.02 the loss fell by 0.006 in the
        mean when the real rows were put back, and surely by more than 0.02 in 7 of 274 (`bench.proof.rates`).
        """
        told = gap.get("expected") or {"means": {}}
        level = _counted(self.level, tuple(told["means"]))
        where = str(gap["missing"]["where"])
        one = next((one for one in self.published if same(one.where, where)), None)
        if one is None or level not in told["means"]:
            return None
        apart, cost = one.rate - told["means"][level], told["costs"][level]
        half = Z95 * float(np.hypot(told["errors"][level], one.standard_error))
        least, most = max(abs(apart) - half, 0.0), abs(apart) + half
        gain = cost * apart**2
        return Foretold(
            gain,
            f"{one.rate:.3g} is published ({one.source}) and the model expects {told['means'][level]:.3g}: agreeing "
            f"would lower the loss by {gain:.2g} [{cost * least**2:.2g}, {cost * most**2:.2g}]",
        )


@dataclass(frozen=True)
class _Slice:
    """A slice with its rate in this fit, rows drawn of it with their scores (m,), and how they are tilted.

    `real` counts its real rows; `before` is the mean outcome of the tilted rows without a shift.
    """

    where: str
    rate: float
    rows: Encoded
    scores: Array
    tilt: float
    real: int
    before: float


def _counted(level: str | None, levels: Sequence[str]) -> str:
    """Which of the levels a rate counts: the one named, "true", or the greater of two numbers; "" of a number."""
    return level if level is not None else "true" if "true" in levels else levels[-1] if levels else ""


def _target(real: Encoded, name: str, level: str | None) -> Target:
    """What the rates count. A number of two values counts as its greater one."""
    item, column = real.field(name), real.columns[name].astype(float)
    if item.numeric:
        held = np.unique(column[~np.isnan(column)])
        if level is None and len(held) > 2:
            return Target(name, None, 0.0 if held[0] >= 0 else -np.inf)
        texts = [f"{value:g}" for value in held]
        value = held[-1] if level is None else _among(level, texts, held, name)
        return Target(name, float(value))
    levels = item.levels or ()
    if level is None and set(levels) <= {"false", "true"}:
        level = "true"
    if level is None:
        raise InputError(f'rates of "{name}": say which level they count, level: one of {", ".join(levels)}')
    return Target(name, float(_among(level, levels, range(len(levels)), name)))


def _among(level: str, levels: Sequence[str], values: Sequence[Any] | Array, name: str) -> Any:
    if level not in levels:
        raise InputError(f'rates: "{level}" is no value of "{name}"{did_you_mean(level, levels)}: {", ".join(levels)}')
    return values[levels.index(level)]


def _draw(model: TableModel, rows: int, task: Task, where: str | None, real: Encoded) -> Encoded:
    """Rows of the engine, in the codes of the real ones."""
    table = sampling.sample(model, rows, task.seed.child("draw", where or ""), where=where)
    return Encoded(real.fields, coded(table, task.schema, real.fields, "made"))


def _mask(where: str, rows: Encoded, task: Task) -> Array:
    return parse(where, rows.fields, task.schema).mask(rows.columns)


def _of_slice(one: Rate, pool: Encoded, model: TableModel, task: Task, real: Encoded) -> Encoded | None:
    """Rows that stand for the whole slice: those of the pool if it holds enough of them, and all kinds of them."""
    inside = pool.take(_mask(one.where, pool, task))
    if not inside.rows:
        return None
    if task.where in (None, one.where) and inside.rows >= min(CALIBRATED, SPARE * task.rows) // 2:
        return inside
    try:
        return _draw(model, CALIBRATED, task, one.where, real)
    except ShortSample:
        return inside


def _given(one: Rate, rows: Encoded, drawn: Array, told: Scores, real: Encoded, target: Target, task: Task) -> _Slice:
    """What is known of the slice of a rate, from drawn rows of it (m,) and its real rows."""
    inside = _mask(one.where, real, task)
    truth, own = target.truth(real)[inside], told.real[inside]
    known = ~np.isnan(truth)
    rate = _rate(one, target, task.seed.child("rate", one.where)) / told.unit
    tilt = likeliest_tilt(
        drawn, told.outcome, rate=rate, real=own, misfit=lambda at: told.misfit(own[known], truth[known], at)
    )
    before = float(tilted(drawn, tilt) @ told.outcome(drawn))
    return _Slice(one.where, rate, rows, drawn, tilt, len(own), before)


def _rate(one: Rate, target: Target, seed: Seed) -> float:
    """The published rate, drawn anew within its standard error: beta for a share, normal for a mean."""
    random = seed.numpy()
    if target.value is None:
        return float(random.normal(one.rate, one.standard_error))
    if not 0 <= one.rate <= 1:
        raise InputError(f"rate of `{one.where}` is {one.rate}; a share lies between 0 and 1")
    share = min(max(one.rate, EDGE), 1 - EDGE)
    variance = min(one.standard_error**2, 0.99 * share * (1 - share))
    if variance > 0:
        size = share * (1 - share) / variance - 1
        share = float(random.beta(share * size, (1 - share) * size))
    return min(max(share, EDGE), 1 - EDGE)


def _members(rows: Encoded, given: Sequence[_Slice], task: Task) -> Array:
    """In which slices each row lies (m, slices)."""
    return np.stack([_mask(one.where, rows, task) for one in given], axis=1)


def _chosen(pool: Encoded, scores: Array, given: Sequence[_Slice], task: Task) -> tuple[Encoded, Array]:
    """As many rows as were asked for, and their scores: chosen by the tilts of their slices, the pool's share of each
    kind of overlap kept.
    """
    random, member = task.seed.child("choose").numpy(), _members(pool, given, task)
    kind = np.unique(member, axis=0, return_inverse=True)[1].reshape(-1)
    shares = np.empty(pool.rows)
    for number in np.unique(kind):
        at = np.flatnonzero(kind == number)
        tilts = [one.tilt for one, inside in zip(given, member[at[0]], strict=True) if inside]
        shares[at] = tilted(scores[at], float(np.mean(tilts)) if tilts else 0.0) * len(at)
    order = np.lexsort((scores, kind))
    chosen = random.permutation(order[systematic(shares[order], task.rows, random)])
    return pool.take(chosen), scores[chosen]


def _standing(one: _Slice, rows: Encoded, scores: Array, given: Sequence[_Slice], task: Task) -> Rows:
    """Rows for which the rate must hold: made ones, where they are the whole slice, else those drawn of it."""
    inside = _mask(one.where, rows, task)
    if task.where in (None, one.where) and inside.sum() >= STANDING:
        return Rows(scores[inside], np.ones(int(inside.sum())), _members(rows.take(inside), given, task), one.rate)
    return Rows(one.scores, tilted(one.scores, one.tilt), _members(one.rows, given, task), one.rate)


def _outcomes(
    rows: Encoded, scores: Array, shifts: Array, told: Scores, target: Target, given: Sequence[_Slice], task: Task
) -> Array:
    """The target (m,): drawn anew in the slices, the engine's elsewhere."""
    random, member = task.seed.child("outcomes").numpy(), _members(rows, given, task)
    inside, item = member.any(axis=1), rows.field(target.name)
    means, column = told.outcome(scores + member @ shifts), rows.columns[target.name].copy()
    if target.value is None:
        column[inside] = np.round(means * told.unit, item.decimals)[inside]
        return column
    kind = np.unique(member, axis=0, return_inverse=True)[1].reshape(-1)
    hit = labels(np.where(inside, means, 0.0), kind, random)
    others = column[column != target.value]
    if not len(others):
        others = np.array([np.nan if item.numeric else -1])
    miss = inside & ~hit & (column == target.value)
    column[miss] = random.choice(others, int(miss.sum()))
    column[inside & hit] = target.value
    return column


def _facts(given: Sequence[_Slice], shifts: Array, told: Scores) -> dict[str, float]:
    facts: dict[str, float] = {}
    for one, shift in zip(given, shifts, strict=True):
        facts |= {
            f"real rows in `{one.where}`": float(one.real),
            f"published rate in `{one.where}`": one.rate * told.unit,
            f"rate before the shift in `{one.where}`": one.before * told.unit,
            f"shift in `{one.where}`": float(shift) * told.unit,
        }
    return facts
