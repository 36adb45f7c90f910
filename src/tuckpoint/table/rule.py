"""One rule of a table: what it says, where it is broken, and how columns follow from others by it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError, TraceError, did_you_mean
from tuckpoint.schema import Schema
from tuckpoint.table import expression, literals
from tuckpoint.table.engine import Array, Field

Columns = Mapping[str, Array]
Mask = NDArray[np.bool_]
Kind = Literal["lookup", "linear", "sum", "product", "order", "block", "combination", "user"]
Value = float | str | None  # a number, a level, or missing


@dataclass(frozen=True)
class Rule:
    """One rule; `text` is an expression of the rule language except for lookups and combinations.

    kind           columns           detail
    `lookup`       x, y              `from`, `to`: y is a function of x; `one_to_one`; `partial` if some x are left out
    `linear`       x, y              y = `factor` * x + `offset`
    `sum`          a, b, c           a + b = c
    `product`      a, b, c           a * b = c
    `order`        a, b              a <= b; `zero` lists the columns in which 0 stands for "none" and is let pass
    `block`        x, y1, y2 ...     when x is (or is `not`) one of `when`, each y is its entry of `then`
    `combination`  x, y              only the pairs in `allowed` occur
    `user`         those named       `columns`: what the schema says of them

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


def user_rule(text: str, fields: Sequence[Field], schema: Schema) -> Rule:
    """A rule that a person wrote, enforced on every made row.

    `a + b == c`, `a - b == c`, `a * b == c` and `implies(x == 0, y == 0 and ...)` are recognised and obeyed by
    construction, anything else by rejection. Raises InputError or SchemaError that says where in the text.
    """
    parsed = expression.parse(text, fields, schema)
    known = {item.name: item for item in fields}
    shape = _shape(expression.normal(text), known)
    if shape is not None:
        return Rule(shape[0], shape[1], parsed.text, origin="user", detail=shape[2])
    columns = [entry for entry in schema.to_dict()["columns"] if entry["name"] in parsed.names]
    return Rule("user", parsed.names, parsed.text, origin="user", detail={"columns": columns})


def broken(rule: Rule, fields: Mapping[str, Field]) -> Callable[[Columns], Mask]:
    """A function of encoded columns that is true in the rows (n,) that break the rule; missing values break none."""
    _known(rule, fields)
    if rule.kind == "user":
        schema = Schema.from_dict({"columns": list(rule.detail["columns"])})
        return expression.parse(rule.text, list(fields.values()), schema).broken
    if rule.kind in ("lookup", "block"):
        return _patched_wrong(patches(rule, fields), fields)
    if rule.kind == "combination":
        return _outside(rule, fields)
    if rule.kind == "order":
        return _reversed(rule, fields)
    way = ways(rule, fields)[0]
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
    if rule.kind == "linear":
        factor, offset = detail["factor"], detail["offset"]
        return [_rounded(fields[names[1]], names[:1], lambda c: c[names[0]] * factor + offset)]
    if rule.kind == "product":
        return [_rounded(fields[names[2]], names[:2], lambda c: c[names[0]] * c[names[1]])]
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


def _shape(tree: ast.expr, fields: Mapping[str, Field]) -> tuple[Kind, tuple[str, ...], dict[str, Any]] | None:
    match tree:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            return _total(left, right) or _total(right, left)
        case ast.Call(func=ast.Name(id="implies"), args=[given, then]):
            first = _fixed(given, fields)
            parts = then.values if isinstance(then, ast.BoolOp) and isinstance(then.op, ast.And) else [then]
            rest = [_fixed(part, fields) for part in parts]
            names = [part[0] for part in rest if part is not None]
            if first is None or len(names) != len(parts) or len({first[0], *names}) <= len(names):
                return None
            fixed = [part[1] for part in rest if part is not None]
            return "block", (first[0], *names), {"when": [first[1]], "then": fixed, "not": False}
    return None


def _total(left: ast.expr, right: ast.expr) -> tuple[Kind, tuple[str, ...], dict[str, Any]] | None:
    match left, right:
        case ast.BinOp(left=ast.Name(id=a), op=ast.Add(), right=ast.Name(id=b)), ast.Name(id=c):
            names: tuple[str, ...] = (a, b, c)
        case ast.BinOp(left=ast.Name(id=c), op=ast.Sub(), right=ast.Name(id=a)), ast.Name(id=b):
            names = (a, b, c)
        case ast.BinOp(left=ast.Name(id=a), op=ast.Mult(), right=ast.Name(id=b)), ast.Name(id=c) if c not in (a, b):
            return "product", (a, b, c), {}
        case _:
            return None
    return ("sum", names, {}) if len(set(names)) == 3 else None


def _fixed(tree: ast.expr, fields: Mapping[str, Field]) -> tuple[str, Value] | None:
    """`x == 0`, `x == "level"` or `missing(x)` as the column and its value."""
    match tree:
        case ast.Call(func=ast.Name(id="missing"), args=[ast.Name(id=name)]):
            return name, None
        case ast.Compare(left=ast.Name(id=name), ops=[ast.Eq()], comparators=[ast.Constant(value=value)]):
            levels = fields[name].levels
            if levels is not None and isinstance(value, str | int | float):
                return name, levels[literals.code(fields[name], value)]
            if levels is None and isinstance(value, int | float) and not isinstance(value, bool):
                return name, float(value)
    return None
