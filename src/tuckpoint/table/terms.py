"""The words of the expression language: each node of a parsed condition becomes a function of encoded columns."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import NoReturn

import numpy as np

from tuckpoint.errors import InputError, SchemaError, did_you_mean
from tuckpoint.schema import Column, Schema
from tuckpoint.table import calendars, literals, logic
from tuckpoint.table.engine import Field
from tuckpoint.table.logic import EXACT, Test, Values

SHOWN = 40  # column names in an error
_SPELT = {"true": "True", "false": "False"} | dict.fromkeys(("none", "null", "nan", "na"), "missing(COLUMN)")
FUNCTIONS = ("missing", "implies", "col", "abs", "min", "max", "round")
CALLED = (*FUNCTIONS, *calendars.PARTS)


@dataclass(frozen=True)
class Scope:
    """The text that is being read and the columns that it may name."""

    text: str
    plain: str  # the text with names in backticks replaced by identifiers of the same length
    quoted: Mapping[str, str]
    fields: Mapping[str, Field]
    schema: Schema


@dataclass(frozen=True)
class _Number:
    run: Values  # (n,) float64 or one number, NaN for missing
    decimals: int = 0
    moment: Column | None = None  # of a date or a datetime
    clock: Column | None = None  # of a duration or a time of day; its numbers are seconds
    is_column: bool = False
    is_literal: bool = False


@dataclass(frozen=True)
class _Level:
    field: Field


@dataclass(frozen=True)
class _Text:
    text: str


@dataclass(frozen=True)
class _Logic:
    run: Test
    literal: bool | None = None


_Node = _Number | _Level | _Text | _Logic


def walk(tree: ast.expr) -> Iterator[tuple[ast.AST, int]]:
    """Every node with its depth, without recursion."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _place(scope: Scope, node: ast.AST, attribute: str = "col_offset") -> int:
    return len(scope.plain.encode()[: getattr(node, attribute, 0)].decode())


def fail(scope: Scope, node: ast.AST, what: str, kind: type[InputError] = InputError) -> NoReturn:
    """Raise with the position of a node in the text."""
    raise kind(f"condition, character {_place(scope, node) + 1}: {what} (in {scope.text!r})")


def source(scope: Scope, node: ast.expr) -> str:
    """The text of a node as it was written."""
    return scope.text[_place(scope, node) : _place(scope, node, "end_col_offset")]


def called(node: ast.Call) -> str:
    """The name of the function that is called, or an empty string."""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def column_name(scope: Scope, node: ast.expr) -> str:
    """The column that a bare name, a name in backticks or col("...") means."""
    if isinstance(node, ast.Name):
        return scope.quoted.get(node.id, node.id)
    argument = node.args[0] if isinstance(node, ast.Call) and len(node.args) == 1 else None
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    fail(scope, node, 'col takes one column name in quotes: col("Annual Income")')


def truth(scope: Scope, node: ast.expr) -> Test:
    """The three-valued truth of a node that stands where a condition is needed."""
    value = _value(scope, node)
    if isinstance(value, _Logic):
        return value.run
    if isinstance(value, _Level) and value.field.levels == ("false", "true"):
        return logic.level_is(value.field.name, 1)
    fail(scope, node, f"{source(scope, node)!r} is no condition; compare it with something")


def number(scope: Scope, node: ast.expr, column: Column) -> Values | None:
    """What a node gives (n,), as this column holds it; None if it is no number, or one in another unit."""
    value = _value(scope, node)
    if not isinstance(value, _Number) or value.is_literal:
        return None
    kind = "" if value.moment is None else value.moment.kind
    if column.kind in ("date", "datetime", "duration"):
        kind = kind if value.clock is None else "duration"
        return value.run if kind == column.kind else None
    return value.run if not kind and value.clock is None else None


def _value(scope: Scope, node: ast.expr) -> _Node:
    match node:
        case ast.BoolOp(op=op, values=values):
            runs = [truth(scope, value) for value in values]
            return _Logic(logic.conjunction(runs) if isinstance(op, ast.And) else logic.disjunction(runs))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _Logic(logic.negation(truth(scope, operand)))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as op, operand=operand):
            number, sign = _plain_number(scope, operand), (-1.0 if isinstance(op, ast.USub) else 1.0)
            return replace(number, run=lambda columns: sign * number.run(columns), is_column=False)
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
            return _arithmetic(scope, node)
        case ast.Compare():
            return _Logic(_comparison(scope, node))
        case ast.Constant():
            return _constant(scope, node)
        case ast.Call():
            return _call(scope, node)
        case ast.Name():
            return _column(scope, node, column_name(scope, node))
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            fail(scope, node, "write `and` and `or` in words, not & and |")
    what = type(node.op).__name__ if isinstance(node, ast.BinOp | ast.UnaryOp) else type(node).__name__
    fail(scope, node, f"{what} is not part of the language; use comparisons, and/or/not, in, + - * /, {_calls()}")


def _calls() -> str:
    return ", ".join(f"{name}()" for name in CALLED)


def _constant(scope: Scope, node: ast.Constant) -> _Node:
    value = node.value
    if isinstance(value, bool):
        return _Logic(lambda columns: (value, not value), literal=value)
    if isinstance(value, str):
        return _Text(value)
    if isinstance(value, int | float):
        number = float(value) if abs(value) < 1e300 else math.inf
        if not math.isfinite(number):
            fail(scope, node, "the number is too large")
        return _Number(lambda columns: number, decimals=literals.decimals(number), is_literal=True)
    if value is None:
        fail(scope, node, "None stands only behind `is`; write: x is None, or missing(x)")
    fail(scope, node, f"{value!r} is neither a number nor text")


def _column(scope: Scope, node: ast.expr, name: str) -> _Node:
    if name not in scope.fields:
        if name in scope.schema.names:
            kind = scope.schema[name].kind
            fail(scope, node, f'column "{name}" is {kind} and made anew, so no condition can use it', SchemaError)
        if name.lower() in _SPELT and not did_you_mean(name, scope.fields):
            fail(scope, node, f'no column "{name}"; write {_SPELT[name.lower()]}', SchemaError)
        some = list(scope.fields)
        known = ", ".join(some[:SHOWN]) + (f" and {len(some) - SHOWN} more" if len(some) > SHOWN else "")
        fail(scope, node, f'no column "{name}"{did_you_mean(name, scope.fields)}; there are: {known}', SchemaError)
    field = scope.fields[name]
    if not field.numeric:
        return _Level(field)
    column = scope.schema[name]
    moment = column if column.kind in ("date", "datetime") else None
    clock = column if column.kind == "duration" else None
    return _Number(lambda columns: columns[name], field.decimals, moment, clock, is_column=True)


def _plain_number(scope: Scope, node: ast.expr) -> _Number:
    value = _value(scope, node)
    if not isinstance(value, _Number):
        fail(scope, node, f"{source(scope, node)!r} is no number; arithmetic needs numbers")
    if value.moment is not None:
        fail(scope, node, f"{source(scope, node)!r} is a date; only date - date and date + number mean something")
    return value


def _arithmetic(scope: Scope, node: ast.BinOp) -> _Number:
    left, right, op = _value(scope, node.left), _value(scope, node.right), node.op
    moment: Column | None = None
    if isinstance(op, ast.Add | ast.Sub) and isinstance(left, _Number) and left.moment is not None:
        moment = left.moment
        if isinstance(op, ast.Sub) and isinstance(right, _Number) and right.moment is not None:
            if right.moment.kind != moment.kind:
                fail(scope, node, "a date and a datetime have different units (days, seconds)")
            moment = None
        else:
            right = _plain_number(scope, node.right)
    else:
        left, right = _plain_number(scope, node.left), _plain_number(scope, node.right)
    assert isinstance(left, _Number)
    assert isinstance(right, _Number)
    act, decimals = {
        ast.Add: (np.add, max(left.decimals, right.decimals)),
        ast.Sub: (np.subtract, max(left.decimals, right.decimals)),
        ast.Mult: (np.multiply, min(left.decimals + right.decimals, EXACT)),
        ast.Div: (np.divide, EXACT),
    }[type(op)]
    clock = (left.clock or right.clock) if isinstance(op, ast.Add | ast.Sub) else None
    return _Number(logic.arithmetic(act, left.run, right.run), decimals, moment, None if moment else clock)


def _call(scope: Scope, node: ast.Call) -> _Node:
    name, arguments = called(node), node.args
    if name not in CALLED:
        shown = source(scope, node.func)
        fail(scope, node, f"no function {shown!r}{did_you_mean(shown, CALLED)}; there are: {_calls()}")
    if node.keywords or any(isinstance(argument, ast.Starred) for argument in arguments):
        fail(scope, node, f"{name} takes plain arguments only")
    if name == "col":
        return _column(scope, node, column_name(scope, node))
    alone = dict.fromkeys(calendars.PARTS, (1, 1))
    few, many = {"missing": (1, 1), "implies": (2, 2), "abs": (1, 1), "round": (1, 2), **alone}.get(name, (2, 20))
    if not few <= len(arguments) <= many:
        fail(scope, node, f"{name} takes {few if few == many else f'{few} to {many}'} arguments")
    if name == "missing":
        return _Logic(_absence(scope, arguments[0]))
    if name == "implies":
        given, then = (truth(scope, argument) for argument in arguments)
        return _Logic(logic.disjunction([logic.negation(given), then]))
    return _part(scope, node, name) if name in calendars.PARTS else _numeric_call(scope, node, name)


def _part(scope: Scope, node: ast.Call, name: str) -> _Number:
    """A part of a date or datetime by the calendar and clock of its zone."""
    value = _value(scope, node.args[0])
    column = value.moment if isinstance(value, _Number) else None
    if not isinstance(value, _Number) or column is None or name not in calendars.parts_of(column):
        which = "a datetime" if name not in calendars.parts_of(Column("", "date", "")) else "a date or a datetime"
        fail(scope, node, f"{name} is a part of {which}; {source(scope, node.args[0])!r} is none")
    run, days = value.run, column.kind == "date"
    moment = replace(column, kind="date", format=None) if name in calendars.DATES else None
    return _Number(lambda columns: calendars.part(name, run(columns), days=days, zone=column.timezone), 0, moment)


def _numeric_call(scope: Scope, node: ast.Call, name: str) -> _Number:
    if name == "round":
        number, places = _plain_number(scope, node.args[0]), 0
        if len(node.args) == 2:
            constant = node.args[1]
            given = constant.value if isinstance(constant, ast.Constant) else None
            if not isinstance(given, int) or not 0 <= given < EXACT:
                fail(scope, constant, f"round keeps 0 to {EXACT - 1} decimals")
            places = int(given)
        return _Number(lambda columns: np.round(number.run(columns), places), places)
    numbers = [_plain_number(scope, argument) for argument in node.args]
    if name == "abs":
        return replace(numbers[0], run=lambda columns: np.abs(numbers[0].run(columns)), is_column=False)
    act = np.minimum if name == "min" else np.maximum
    run = reduce(lambda left, right: logic.arithmetic(act, left, right), [number.run for number in numbers])
    return _Number(run, max(number.decimals for number in numbers))


def _comparison(scope: Scope, node: ast.Compare) -> Test:
    sides = [node.left, *node.comparators]
    return logic.conjunction([_pair(scope, sides[i], op, sides[i + 1]) for i, op in enumerate(node.ops)])


def _pair(scope: Scope, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Test:
    if isinstance(op, ast.Is | ast.IsNot):
        if not (isinstance(right, ast.Constant) and right.value is None):
            fail(scope, right, "`is` asks only for None; compare with ==")
        absent = _absence(scope, left)
        return absent if isinstance(op, ast.Is) else logic.negation(absent)
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, ast.List | ast.Tuple | ast.Set) or not right.elts:
            fail(scope, right, 'behind `in` stands a list of values, such as ["a", "b"]')
        anyone = logic.disjunction([_pair(scope, left, ast.Eq(), element) for element in right.elts])
        return anyone if isinstance(op, ast.In) else logic.negation(anyone)
    if isinstance(op, ast.NotEq):
        return logic.negation(_pair(scope, left, ast.Eq(), right))
    if isinstance(op, ast.GtE | ast.LtE):  # a >= b is not (a < b): both are unknown for a missing value
        return logic.negation(_pair(scope, left, ast.Lt() if isinstance(op, ast.GtE) else ast.Gt(), right))
    if isinstance(op, ast.Gt):
        return _pair(scope, right, ast.Lt(), left)
    return _base_pair(scope, left, right, isinstance(op, ast.Lt))


def _base_pair(scope: Scope, left: ast.expr, right: ast.expr, less: bool) -> Test:
    """`left < right`, or `left == right`."""
    first, second = _value(scope, left), _value(scope, right)
    if isinstance(first, _Level) or isinstance(second, _Level):
        return _level_pair(scope, (left, first), (right, second), less)
    first, second = _dated(scope, left, first, second), _dated(scope, right, second, first)
    if not isinstance(first, _Number) or not isinstance(second, _Number):
        node, value, other = (left, first, right) if not isinstance(first, _Number) else (right, second, left)
        what = f"{source(scope, node)} is {'text' if isinstance(value, _Text) else 'a condition'}"
        fail(scope, node, f"{what}, {source(scope, other)} is not; compare numbers with numbers, without quotes")
    if (first.moment and first.moment.kind) != (second.moment and second.moment.kind):
        fail(scope, left, 'a date is compared with a date; write it as text, such as "2024-01-31"')
    return logic.numbers_meet(first.run, second.run, decimals=_kept(first, second), less=less)


def _kept(first: _Number, second: _Number) -> int:
    # Two sides are equal within half a unit of the finer one; a bare column against arithmetic is held to the column's
    # own decimals, to which the result was rounded.
    for side, other in ((first, second), (second, first)):
        if side.is_column and not other.is_column and not other.is_literal:
            return side.decimals
    return max(first.decimals, second.decimals)


def _dated(scope: Scope, node: ast.expr, value: _Node, other: _Node) -> _Node:
    if not isinstance(value, _Text) or not isinstance(other, _Number):
        return value
    column = other.moment or other.clock
    if column is None:
        return value
    try:
        at = (literals.moment if other.moment else literals.duration)(column, value.text)
    except InputError as error:
        fail(scope, node, str(error), type(error))
    return _Number(lambda columns: at, literals.decimals(at), other.moment, is_literal=True)


def _level_pair(scope: Scope, left: tuple[ast.expr, _Node], right: tuple[ast.expr, _Node], less: bool) -> Test:
    (first_node, first), (second_node, second) = left, right
    for node, value in (left, right):
        if less and isinstance(value, _Level) and not value.field.ordered:
            fail(
                scope, node, f'column "{value.field.name}" has no order; make it ordered in the schema, or use in [...]'
            )
    if isinstance(first, _Level) and isinstance(second, _Level):
        if less and first.field.levels != second.field.levels:
            names = f'"{first.field.name}" and "{second.field.name}"'
            fail(scope, second_node, f"{names} have different levels, so no common order")
        return logic.levels_meet(first.field, second.field, less=less)
    if isinstance(first, _Level):
        at, name = _code(scope, second_node, second, first.field), first.field.name
        return logic.level_below(name, at) if less else logic.level_is(name, at)
    assert isinstance(second, _Level)
    at, name = _code(scope, first_node, first, second.field), second.field.name
    return logic.level_above(name, at) if less else logic.level_is(name, at)


def _code(scope: Scope, node: ast.expr, value: _Node, field: Field) -> int:
    literal: literals.Literal
    if isinstance(value, _Text):
        literal = value.text
    elif isinstance(value, _Logic) and value.literal is not None:
        literal = value.literal
    elif isinstance(value, _Number) and value.is_literal:
        literal = float(value.run({}))
    else:
        fail(scope, node, f'column "{field.name}" holds levels; compare it with text in quotes')
    try:
        return literals.code(field, literal)
    except SchemaError as error:
        fail(scope, node, str(error), SchemaError)


def _absence(scope: Scope, node: ast.expr) -> Test:
    value = _value(scope, node)
    if isinstance(value, _Level):
        name = value.field.name
        return lambda columns: (columns[name] < 0, columns[name] >= 0)
    if isinstance(value, _Number):
        run = value.run
        return lambda columns: (np.isnan(run(columns)), ~np.isnan(run(columns)))
    fail(scope, node, f"{source(scope, node)!r} is never missing; name a column")
