"""Which cell a row falls into: columns cut into parts, their levels pooled, their intersections numbered."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.fair.spec import REST, SPLIT, Spec
from tuckpoint.schema import Schema
from tuckpoint.table import literals
from tuckpoint.table.decode import RARE
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.expression import quote
from tuckpoint.table.rule import literal, says

UNKNOWN = "(not known)"  # missing, and what protection pooled: it is written as missing
QUARTERS = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Axis:
    """One column in parts, called `labels` with UNKNOWN last: its levels by `part`, or numbers between `cuts`.

    What is not known may be pooled with levels, as the level UNKNOWN.
    """

    name: str
    labels: tuple[str, ...]
    part: Mapping[str, str] = field(default_factory=dict)
    cuts: tuple[float, ...] = ()
    numeric: bool = False

    def place(self, seen: Field, values: Array) -> Array:
        """The label (n,) of each value, as a place in `labels`; `seen` says what the values (n,) mean."""
        last = len(self.labels) - 1
        if self.numeric:
            numbers = values if seen.levels is None else np.array([*map(_number, seen.levels), np.nan])[values]
            return np.where(np.isnan(numbers), last, np.searchsorted(self.cuts, numbers, side="right"))
        at = {label: place for place, label in enumerate(self.labels)}
        other = self.part.get(UNKNOWN, UNKNOWN)
        texts, codes = _texts(seen, values)
        return np.array([at[self.part.get(text, other)] for text in texts] + [at[other]])[codes]

    def where(self, label: str) -> str:
        """The rows of a label as a condition of the rule language."""
        if label == UNKNOWN:
            return f"missing({quote(self.name)})"
        if not self.numeric:
            levels = [level for level, part in self.part.items() if part == label]
            return says(self.name, [None if level == UNKNOWN else level for level in levels])
        place, name = self.labels.index(label), quote(self.name)
        bounds = [f"{name} >= {literal(self.cuts[place - 1])}"] if place else []
        bounds += [f"{name} < {literal(self.cuts[place])}"] if place < len(self.cuts) else []
        return " and ".join(bounds) or f"not missing({name})"


@dataclass(frozen=True)
class Cells:
    """The intersections of some columns, numbered with the last column fastest; without a column there is one."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each cell."""
        return tuple(SPLIT.join(labels) for labels in itertools.product(*(axis.labels for axis in self.axes)))

    @property
    def known(self) -> Array:
        """Cells (c,) bool in which every label is known."""
        return np.array([UNKNOWN not in labels for labels in itertools.product(*(axis.labels for axis in self.axes))])

    def place(self, data: Encoded) -> Array:
        """The number of the cell (n,) of each row."""
        out = np.zeros(data.rows, np.int64)
        for axis in self.axes:
            out = out * len(axis.labels) + axis.place(data.field(axis.name), data.columns[axis.name])
        return out

    def where(self, cell: int) -> str:
        """The rows of a cell as a condition."""
        labels = list(itertools.product(*(axis.labels for axis in self.axes)))[cell]
        return " and ".join(f"({axis.where(label)})" for axis, label in zip(self.axes, labels, strict=True))


@dataclass(frozen=True)
class Label:
    """The positive value of the outcome."""

    name: str
    positive: str | float | bool

    def read(self, data: Encoded) -> tuple[Array, Array]:
        """Rows whose outcome is known (n,) bool, and those in which it is positive (n,) bool."""
        seen, values = data.field(self.name), data.columns[self.name]
        if seen.levels is None:
            if isinstance(self.positive, str):
                raise InputError(f'fair: "{self.name}" holds numbers; positive is {self.positive!r}, give a number')
            return ~np.isnan(values), values == float(self.positive)
        return values >= 0, values == literals.code(seen, self.positive)


def group_cells(spec: Spec, fields: Sequence[Field], schema: Schema) -> Cells:
    """The groups; raises InputError for a column that cannot be one."""
    return Cells(tuple(_axis(name, spec, fields, schema, None) for name in spec.groups))


def given_cells(spec: Spec, data: Encoded, schema: Schema) -> Cells:
    """The strata of the legitimate columns; a number without cuts falls into quarters of these rows."""
    return Cells(tuple(_axis(name, spec, data.fields, schema, data.columns.get(name)) for name in spec.given))


def _axis(name: str, spec: Spec, fields: Sequence[Field], schema: Schema, values: Array | None) -> Axis:
    known = [item.name for item in fields]
    if name not in known:
        more = " (identifiers and free text mean nothing in made rows)" if name in schema.names else ""
        raise InputError(f'fair: no modelled column "{name}"{did_you_mean(name, known)}{more}')
    item = fields[known.index(name)]
    return _numbers(item, spec, schema, values) if item.levels is None else _levels(item, spec)


def _levels(item: Field, spec: Spec) -> Axis:
    if item.name in spec.cuts:
        raise InputError(f'fair: "{item.name}" holds levels, which are pooled, not cut; use pool')
    levels = [level for level in item.levels or () if level != RARE]
    part: dict[str, str] = {}
    pool = spec.pool.get(item.name, {})
    for label, some in pool.items():
        for level in () if some == REST else some:
            if level not in (*levels, UNKNOWN):
                raise InputError(f'fair: pool of "{item.name}": no level "{level}"{did_you_mean(level, levels)}')
            part[level] = label
    rest = next((label for label, some in pool.items() if some == REST), None)
    gone = {} if UNKNOWN not in part else dict.fromkeys([UNKNOWN, *({RARE} & {*(item.levels or ())})], part[UNKNOWN])
    part = {level: part.get(level, rest or level) for level in levels} | gone
    labels = tuple(dict.fromkeys([*(label for label in pool if label in part.values()), *part.values()]))
    return Axis(item.name, (*labels, UNKNOWN), part)


def _numbers(item: Field, spec: Spec, schema: Schema, values: Array | None) -> Axis:
    if schema[item.name].kind not in ("integer", "decimal"):
        raise InputError(f'fair: "{item.name}" is a {schema[item.name].kind}; make a column of its periods first')
    cuts = spec.cuts.get(item.name)
    if cuts is None and values is None:
        raise InputError(f'fair: "{item.name}" holds numbers; say where groups part: cuts: {{{item.name}: [30, 50]}}')
    if cuts is None:
        seen = np.asarray(values)[~np.isnan(np.asarray(values))]
        found = np.round(np.quantile(seen, QUARTERS), item.decimals) if len(seen) else np.zeros(0)
        cuts = tuple(float(cut) for cut in np.unique(found) if cut > seen.min())
    told = [f"{cut:.10g}" for cut in cuts]
    labels = (
        [f"below {told[0]}", *(f"{a} to {b}" for a, b in itertools.pairwise(told)), f"{told[-1]} up"] if told else []
    )
    return Axis(item.name, (*(labels or ["any"]), UNKNOWN), cuts=cuts, numeric=True)


def _texts(seen: Field, values: Array) -> tuple[list[str], Array]:
    """The texts that codes (n,) stand for; numbers that another reader took for a number column are spelled."""
    if seen.levels is not None:
        return list(seen.levels), values
    distinct, codes = np.unique(values, return_inverse=True)
    return ["" if math.isnan(v) else f"{v:.15g}" for v in distinct], codes.reshape(-1)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
