"""Rules that a person wrote, read as those kinds that made rows obey by construction, where they have their shape."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from tuckpoint.schema import Schema
from tuckpoint.table import calendars, expression, literals
from tuckpoint.table.engine import Field
from tuckpoint.table.rule import Kind, Rule, Value

Shape = tuple[Kind, tuple[str, ...], dict[str, Any]]


def user_rule(text: str, fields: Sequence[Field], schema: Schema) -> Rule:
    """A rule that a person wrote, enforced on every made row.

    `a + b == c`, `a - b == c`, `a * b == c`, `year(x) == y` and `implies(x == 0, y == 0 and ...)` (or `x != 0`) are
    recognised and obeyed by construction, and so is any other `column == formula`; what is left by rejection. Raises
    InputError or SchemaError that says where in the text.
    """
    parsed = expression.parse(text, fields, schema)
    known = {item.name: item for item in fields}
    shape = _shape(expression.normal(text), known, schema)
    if shape is not None:
        return Rule(shape[0], shape[1], parsed.text, origin="user", detail=shape[2])
    columns = [entry for entry in schema.to_dict()["columns"] if entry["name"] in parsed.names]
    detail: dict[str, Any] = {"columns": columns}
    if expression.computed(parsed.text, fields, schema) is not None:
        detail["computes"] = True
    return Rule("user", parsed.names, parsed.text, origin="user", detail=detail)


def _shape(tree: ast.expr, fields: Mapping[str, Field], schema: Schema) -> Shape | None:
    match tree:
        case ast.Compare(left=left, ops=[ast.Eq()], comparators=[right]):
            part = _part(left, right, fields, schema) or _part(right, left, fields, schema)
            return part or _total(left, right) or _total(right, left)
        case ast.Call(func=ast.Name(id="implies"), args=[given, then]):
            first, opposite = _fixed(given, fields), False
            if first is None:
                first, opposite = _fixed(_equal(given), fields), True
            parts = then.values if isinstance(then, ast.BoolOp) and isinstance(then.op, ast.And) else [then]
            rest = [_fixed(part, fields) for part in parts]
            names = [part[0] for part in rest if part is not None]
            if first is None or len(names) != len(parts) or len({first[0], *names}) <= len(names):
                return None
            fixed = [part[1] for part in rest if part is not None]
            return "block", (first[0], *names), {"when": [first[1]], "then": fixed, "not": opposite}
    return None


def _part(left: ast.expr, right: ast.expr, fields: Mapping[str, Field], schema: Schema) -> Shape | None:
    match left, right:
        case ast.Call(func=ast.Name(id=part), args=[ast.Name(id=x)]), ast.Name(id=y) if part in calendars.PARTS:
            days, zone = schema[x].kind == "date", schema[x].timezone
            return ("calendar", (x, y), {"part": part, "days": days, "zone": zone}) if fields[y].numeric else None
    return None


def _total(left: ast.expr, right: ast.expr) -> Shape | None:
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


def _equal(tree: ast.expr) -> ast.expr:
    """`x != value` and `not missing(x)` without their denial; anything else as it is."""
    match tree:
        case ast.Compare(ops=[ast.NotEq()]):
            return ast.Compare(tree.left, [ast.Eq()], tree.comparators)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as inner):
            return inner
    return tree


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
