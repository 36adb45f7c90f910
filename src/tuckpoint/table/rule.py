"""One rule of a table: what it says, where it is broken, and how columns follow from others by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError, TraceError, did_you_mean
from tuckpoint.schema import Schema
from tuckpoint.table import calendars, expression, literals
from tuckpoint.table.decode import RARE
from tuckpoint.table.engine import Array, Field

Columns = Mapping[str, Array]
Mask = NDArray[np.bool_]
Kind = Literal["lookup", "linear", "calendar", "sum", "product", "rate", "order", "block", "combination", "user"]
Value = float | str | None  # a number, a level, or missing


@dataclass(frozen=True)
class Rule:
    """One rule; `text` is an expression of the rule language except for lookups and combinations.

    kind           columns           detail
    `lookup`       x, y              `from`, `to`: y is a function of x; `one_to_one`; `partial` if some x are left out
    `linear`       x, y              y = `factor` * x + `offset`
    `calendar`     x, y              y is a `part` of the moment x, in `days` or seconds, in a `zone`, or what a table
                                     `from`, `to` gives for it; `partial` if one may be missing where the other is not
    `sum`          a, b, c           a + b = c
    `product`      a, b, c           a * b = c
    `rate`         a, b, c           a * (1 + `factor` * b) = c
    `order`        a, b              a <= b; `zero` lists the columns in which 0 stands for "none" and is let pass
    `block`        x, y1, y2 ...     when x is (or is `not`) one of `when`, each y is its entry of `then`
    `combination`  x, y              only the pairs in `allowed` occur
    `user`         those named       `columns`: what the schema says of them; `computes` if it is `column == formula`

    `support` is the share of the `rows` it was tried on that obey, `chance` the decimal logarithm of a bound on the
    probability that so many would obey if the columns had nothing to do with each other. A rule that is not `enforced`
    is a finding: it is told, and made rows need not obey it.
    """

    kind: Kind
    columns: tuple[str, ...]
    text: str
    support: float = 1.0
    rows: int = 0
    chance: float = 0.0
    enforced: bool = True
    origin: Literal["data", "user"] = "data"
    detail: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "columns": list(self.columns), "detail": dict(self.detail)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Rule:
        """The rule that `to_dict` wrote; raises TraceError if it cannot be one."""
        try:
            rule = cls(**{**data, "columns": tuple(data["columns"])})
        except (TypeError, KeyError) as error:
            raise TraceError(f"a stored rule is damaged: {error}; fit the model again") from None
        if rule.kind not in get_args(Kind):
            raise TraceError(f"a stored rule is of unknown kind {rule.kind!r}; upgrade tuckpoint")
        return rule


@dataclass(frozen=True)
class Way:
    """How one column follows from others: `run(columns)` gives its values (n,)."""

    target: str
    sources: tuple[str, ...]
    run: Callable[[Columns], Array]


@dataclass(frozen=True)
class Patch:
    """How some rows follow from another: `run(columns)` tells where (n,) bool, and what (n,) or one."""

    target: str
    source: str
    run: Callable[[Columns], tuple[Mask, Any]]
    fixed: str = ""  # the one value, if it is one


def broken(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Columns], Mask]:
    """A function of encoded columns that is true in the rows (n,) that break the rule; missing values break none."""
    _known(rule, fields)
    if rule.kind == "user":
        schema = Schema.from_dict({"columns": list(rule.detail["columns"])})
        return expression.parse(rule.text, list(fields.values()), schema).broken
    if rule.kind in ("lookup", "block") or rule.detail.get("partial"):
        return _patched_wrong(patches(rule, fields), fields)
    if rule.kind == "combination":
        return _outside(rule, fields)
    if rule.kind == "order":
        return _reversed(rule, fields)
    way = ways(rule, fields)[0]
    if fields[way.target].levels is not None:
        return lambda columns: _differ(columns[way.target], way.run(columns))
    half = 0.5 * 10.0 ** -fields[way.target].decimals

    def differs(columns: Columns) -> Mask:
        made, due = columns[way.target], way.run(columns)
        return np.asarray(np.abs(made - due) > half + 1e-12 * np.abs(due))

    return differs


def ways(rule: Rule, fields: Mapping[str, Field]) -> list[Way]:
    """The ways to compute one column of the rule from the others, the best first; none where only rejection helps."""
    names, detail = rule.columns, rule.detail
    if rule.kind == "lookup" and not detail.get("partial"):
        look = _lookup(rule, fields)
        return [Way(names[1], names[:1], lambda columns: look(columns[names[0]])[1])]
    if rule.kind == "calendar" and not detail.get("partial"):
        told = _calendar(rule, fields)
        return [Way(names[1], names[:1], lambda columns: told(columns[names[0]])[1])]
    if rule.kind == "user" and detail.get("computes"):
        found = expression.computed(rule.text, list(fields.values()), Schema.from_dict({"columns": detail["columns"]}))
        assert found is not None
        return [_rounded(fields[found[0]], found[1], lambda columns: _finite(found[2](columns)))]
    if rule.kind == "linear":
        factor, offset = detail["factor"], detail["offset"]
        return [_rounded(fields[names[1]], names[:1], lambda c: c[names[0]] * factor + offset)]
    if rule.kind == "product":
        return [_rounded(fields[names[2]], names[:2], lambda c: c[names[0]] * c[names[1]])]
    if rule.kind == "rate":
        return [_rounded(fields[names[2]], names[:2], lambda c: c[names[0]] * (1 + detail["factor"] * c[names[1]]))]
    if rule.kind == "sum":
        first, second, total = names
        return [
            _rounded(fields[total], (first, second), lambda c: c[first] + c[second]),
            _rounded(fields[second], (total, first), lambda c: c[total] - c[first]),
            _rounded(fields[first], (total, second), lambda c: c[total] - c[second]),
        ]
    return []


def backwards(rule: Rule, fields: Mapping[str, Field]) -> list[Way]:
    """The ways back from what `ways` computes to one column behind it, missing where several values would do."""
    names, detail = rule.columns, rule.detail
    if rule.kind == "linear":
        return [_undone(fields[names[0]], fields[names[1]], detail["factor"], detail["offset"])]
    if rule.kind == "product":
        first, second, result = (fields[name] for name in names)
        return [_undone(first, result, second.name), _undone(second, result, first.name)]
    return []


def _undone(item: Field, result: Field, by: float | str, offset: float = 0.0) -> Way:
    """What times a number, or a column, gives the result; missing where several values give the same."""

    def run(columns: Columns) -> Array:
        factor = columns[by] if isinstance(by, str) else np.full(len(columns[result.name]), by)
        telling = np.abs(factor) * 10.0**-item.decimals > (1 - 1e-9) * 10.0**-result.decimals
        return np.where(telling, (columns[result.name] - offset) / np.where(telling, factor, 1.0), np.nan)

    return _rounded(item, (result.name, by) if isinstance(by, str) else (result.name,), run)


def patches(rule: Rule, fields: Mapping[str, Field]) -> list[Patch]:
    """The parts of columns that the rule fixes, given another column."""
    if rule.kind == "lookup":
        look, (source, target) = _lookup(rule, fields), rule.columns
        return [Patch(target, source, lambda columns: look(columns[source]))]
    if rule.kind == "calendar":
        return [_calendar_patch(rule, fields)]
    if rule.kind != "block":
        return []
    source, *targets = rule.columns
    given = _one_of(fields[source], rule.detail["when"], opposite=bool(rule.detail.get("not")))
    then = [encoded(fields[name], value) for name, value in zip(targets, rule.detail["then"], strict=True)]
    return [
        Patch(name, source, _constant(source, given, value), repr(value))
        for name, value in zip(targets, then, strict=True)
    ]


def encoded(item: Field, value: Value) -> float | int:
    """A level's code or a number, -1 or NaN for missing, as the field's column holds it."""
    if item.levels is None:
        return np.nan if value is None else float(value)
    return -1 if value is None else literals.code(item, value)


def literal(value: Value) -> str:
    """A value as it is written in an expression."""
    return f"{value:g}" if isinstance(value, int | float) else repr(value)


def says(name: str, some: Sequence[Value], *, opposite: bool = False) -> str:
    """`name == value`, `name in [...]` or `missing(name)` as an expression."""
    quoted, present = expression.quote(name), [literal(value) for value in some if value is not None]
    if not present:
        return f"{'not ' if opposite else ''}missing({quoted})"
    if len(present) > 1:
        held = f"{quoted} {'not in' if opposite else 'in'} [{', '.join(present)}]"
    else:
        held = f"{quoted} {'!=' if opposite else '=='} {present[0]}"
    return held if None not in some else f"{held} or missing({quoted})"


def block(
    source: str, when: Sequence[Value], then: Mapping[str, Value], *, opposite: bool = False, **evidence: Any
) -> Rule:
    """The rule that fixes columns while another holds (or, `opposite`, holds anything but) one of some values."""
    fixed = " and ".join(says(name, [value]) for name, value in then.items())
    detail = {"when": list(when), "then": list(then.values()), "not": opposite}
    text = f"implies({says(source, when, opposite=opposite)}, {fixed})"
    return Rule("block", (source, *then), text, detail=detail, **evidence)


def _known(rule: Rule, fields: Mapping[str, Field]) -> None:
    for name in rule.columns:
        if name not in fields:
            raise SchemaError(f'rule {rule.text!r}: no modelled column "{name}"{did_you_mean(name, fields)}')


def _rounded(item: Field, sources: tuple[str, ...], run: Callable[[Columns], Array]) -> Way:
    return Way(item.name, sources, lambda columns: np.round(run(columns), item.decimals) + 0.0)  # no -0.0


def _finite(values: Array) -> Array:
    """The same with what is divided by nothing missing."""
    return np.where(np.isfinite(values), values, np.nan)


def absent(values: Array) -> Mask:
    """Where encoded values (n,) are missing."""
    return np.isnan(values) if values.dtype.kind == "f" else np.asarray(values < 0)


def _one_of(item: Field, some: Sequence[Value], *, opposite: bool) -> Callable[[Array], Mask]:
    places = [encoded(item, value) for value in some if value is not None]
    half = 0.5 * 10.0**-item.decimals if item.numeric else 0.25

    def holds(values: Array) -> Mask:
        gone = absent(values)
        out = gone.copy() if None in some else np.zeros(len(values), bool)
        for at in places:
            out |= np.abs(values - at) < half
        return ~out & ~gone if opposite else out

    return holds


def _constant(source: str, given: Callable[[Array], Mask], value: float | int) -> Callable[[Columns], tuple[Mask, Any]]:
    return lambda columns: (given(columns[source]), value)


def _lookup(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Array], tuple[Mask, Array]]:
    """A function of x (n,) that tells where x stands in the table, and what y (n,) is by it.

    A number between the table's is read as the nearest; a level that the table lacks gives a missing y, or the first of
    the table where y is never missing.
    """
    _known(rule, fields)
    x, y = fields[rule.columns[0]], fields[rule.columns[1]]
    keys = np.array([encoded(x, value) for value in rule.detail["from"]])
    values = np.array([encoded(y, value) for value in rule.detail["to"]], float if y.numeric else np.int32)
    unknown = np.array(encoded(y, None), values.dtype) if y.nullable else values[0]
    gone = absent(keys)
    at_missing = values[gone][0] if gone.any() else unknown
    if x.levels is not None:
        table = np.full(len(x.levels) + 1, unknown, values.dtype)  # the last entry is for code -1
        table[keys], listed = values, np.isin(np.arange(len(x.levels) + 1), keys % (len(x.levels) + 1))
        return lambda codes: (listed[codes], table[codes])
    order = np.argsort(keys[~gone])
    places, results, half = keys[~gone][order], values[~gone][order], 0.5 * 10.0**-x.decimals

    def look(numbers: Array) -> tuple[Mask, Array]:
        if not len(places):
            return np.isnan(numbers) & gone.any(), np.full(len(numbers), at_missing)
        right = np.clip(np.searchsorted(places, numbers), 1 if len(places) > 1 else 0, len(places) - 1)
        left = np.maximum(right - 1, 0)
        near = np.where(numbers - places[left] <= places[right] - numbers, left, right)
        absent = np.isnan(numbers)
        found = np.where(absent, gone.any(), np.abs(places[near] - numbers) <= half)
        return found, np.where(absent, at_missing, results[near])

    return look


def _calendar(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Array], tuple[Mask, Array]]:
    """A function of moments (n,) that tells where y follows from them, and what it is.

    A part that the table lacks gives the pool of rare levels, or what the nearest part gives.
    """
    _known(rule, fields)
    detail, y = rule.detail, fields[rule.columns[1]]

    def part(values: Array) -> Array:
        return calendars.part(detail["part"], values, days=detail["days"], zone=detail["zone"])

    if "from" not in detail:
        return lambda values: (~np.isnan(values), part(values))
    keys = np.array(detail["from"], float)
    made = np.array([encoded(y, value) for value in detail["to"]], float if y.numeric else np.int32)
    unknown = np.array(encoded(y, None), made.dtype)
    rare = y.levels.index(RARE) if y.levels is not None and RARE in y.levels else None

    def look(values: Array) -> tuple[Mask, Array]:
        parts = part(values)
        right = np.clip(np.searchsorted(keys, parts), 0, len(keys) - 1)
        left = np.maximum(right - 1, 0)
        near = np.where(parts - keys[left] < keys[right] - parts, left, right)
        known, result = keys[near] == parts, made[near]
        result = result if rare is None else np.where(known, result, np.int32(rare))
        return known, np.where(np.isnan(parts), unknown, result)

    return look


def _calendar_patch(rule: Rule, fields: Mapping[str, Field]) -> Patch:
    look, (source, target) = _calendar(rule, fields), rule.columns
    fills = bool(rule.detail.get("fills"))

    def run(columns: Columns) -> tuple[Mask, Array]:
        where, made = look(columns[source])
        return (where if fills else where & ~absent(columns[target])), made

    return Patch(target, source, run)


def _differ(made: Array, due: Array) -> Mask:
    """Where codes (n,) are others than they should be; a missing one breaks nothing."""
    return np.asarray((made != due) & (made >= 0) & (due >= 0))


def _patched_wrong(all_patches: Sequence[Patch], fields: Mapping[str, Field]) -> Callable[[Columns], Mask]:
    def wrong(columns: Columns) -> Mask:
        out = np.zeros(len(columns[all_patches[0].source]), bool)
        for patch in all_patches:
            (where, due), made = patch.run(columns), columns[patch.target]
            due = np.broadcast_to(due, made.shape)
            half = 0.5 * 10.0 ** -fields[patch.target].decimals
            differ = np.abs(made - due) > half if fields[patch.target].numeric else made != due
            out |= where & np.where(absent(due) | absent(made), absent(due) & ~absent(made), differ)
        return out

    return wrong


def _outside(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Columns], Mask]:
    x, y = (fields[name] for name in rule.columns)
    allowed = np.zeros((len(x.levels or ()) + 1, len(y.levels or ()) + 1), bool)  # the last of each is for missing
    for first, second in rule.detail["allowed"]:
        allowed[int(encoded(x, first)), int(encoded(y, second))] = True
    return lambda columns: ~allowed[columns[x.name], columns[y.name]]


def _reversed(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Columns], Mask]:
    low, high = (fields[name] for name in rule.columns)
    half = 0.5 * 10.0 ** -max(low.decimals, high.decimals)
    pass_zero = rule.detail.get("zero", ())

    def reversed_(columns: Columns) -> Mask:
        wrong = columns[low.name] > columns[high.name] + half
        for name in pass_zero:
            wrong &= columns[name] != 0
        return np.asarray(wrong)

    return reversed_
