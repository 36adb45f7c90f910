"""An event as a condition in words, and how far each row is from it: what splitting climbs."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.table.engine import Array
from tuckpoint.table.expression import normal

_SUMS: Mapping[type, Callable[[Array, Array], Array]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
Columns = Mapping[str, Array]


@dataclass(frozen=True)
class Event:
    """A condition on numbers: `(temperature > 700 and pressure >= 3) or leak == 1`.

    `scales` divide what each comparison lacks, in the order of the text, so that unlike units can be held together.
    """

    text: str
    tree: ast.expr
    names: tuple[str, ...]
    scales: tuple[float, ...]

    def judge(self, columns: Columns) -> tuple[Array, Array]:
        """Score (n,) and whether the event holds (n,) bool, of columns (n,) by name.

        The score of a comparison is how far it is past its limit, negative before it; `and` takes the least, `or` the
        largest. Where the event holds the score is 0 or more. A quotient that is no number counts as far from it.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            score, hit = _judged(self.tree, columns, iter(self.scales))
        rows = len(next(iter(columns.values())))
        score, hit = np.broadcast_to(score, rows), np.broadcast_to(hit, rows)
        known = ~np.isnan(score)
        return np.where(known, score, -np.inf), np.asarray(hit & known)

    def scaled(self, columns: Columns) -> Event:
        """The same event, each comparison in standard deviations of what it compares among these rows."""
        told: list[float] = []
        with np.errstate(divide="ignore", invalid="ignore"):
            _judged(self.tree, columns, iter([1.0] * len(self.scales)), told)
        return Event(self.text, self.tree, self.names, tuple(told))


def event(text: str, columns: Sequence[str]) -> Event:
    """Read an event on these columns; raises InputError for what is no condition on numbers."""
    tree = normal(text)
    calls = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    used = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in calls]
    names = tuple(dict.fromkeys(used))
    for name in names:
        if name not in columns:
            raise InputError(
                f'event `{text}`: no column "{name}"{did_you_mean(name, columns)}; the simulator has: '
                f"{', '.join(columns)}"
            )
    if not names or not isinstance(tree, ast.Compare | ast.BoolOp | ast.UnaryOp):
        raise InputError(f"event `{text}` is no condition; write one such as temperature > 700")
    found = Event(text, tree, names, (1.0,) * _comparisons(tree))
    found.judge({name: np.ones(1) for name in names})
    return found


def _comparisons(tree: ast.expr) -> int:
    return sum(len(node.ops) for node in ast.walk(tree) if isinstance(node, ast.Compare))


def _judged(
    node: ast.expr, columns: Columns, scales: Iterator[float], told: list[float] | None = None
) -> tuple[Array, Array]:
    """Score and truth of a condition; with `told`, the spread of each comparison is added to it."""
    if isinstance(node, ast.BoolOp):
        both = [_judged(one, columns, scales, told) for one in node.values]
        least = isinstance(node.op, ast.And)
        nearest, together = (np.minimum, np.logical_and) if least else (np.maximum, np.logical_or)
        return _reduced(nearest, [one for one, _ in both]), _reduced(together, [one for _, one in both])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        score, hit = _judged(node.operand, columns, scales, told)
        return -score, ~hit
    if not isinstance(node, ast.Compare):
        raise InputError(f"event: `{ast.unparse(node)}` is no comparison of numbers; write one such as pressure > 3")
    if any(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops):
        raise InputError("event: numbers are compared by >, >=, <, <=, == and !=; write `a == 1 or a == 2` for a list")
    sides = [_number(side, columns) for side in (node.left, *node.comparators)]
    parts = []
    for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
        gap, hit = _compared(op, left, right)
        scale = next(scales)
        if told is not None:
            spread = float(np.std(np.broadcast_to(left - right, np.shape(gap))))
            told.append(spread if np.isfinite(spread) and spread > 0 else 1.0)
        parts.append((gap / scale, hit))
    return _reduced(np.minimum, [one for one, _ in parts]), _reduced(np.logical_and, [one for _, one in parts])


def _reduced(how: Callable[[Array, Array], Array], parts: Sequence[Array]) -> Array:
    found = parts[0]
    for part in parts[1:]:
        found = how(found, part)
    return np.asarray(found)


def _compared(op: ast.cmpop, left: Array, right: Array) -> tuple[Array, Array]:
    """How far past the limit a comparison is, and whether it is true."""
    over = left - right
    if isinstance(op, ast.Gt | ast.GtE):
        return over, np.asarray(over > 0 if isinstance(op, ast.Gt) else over >= 0)
    if isinstance(op, ast.Lt | ast.LtE):
        return -over, np.asarray(over < 0 if isinstance(op, ast.Lt) else over <= 0)
    if isinstance(op, ast.Eq):
        return -np.abs(over), np.asarray(over == 0)
    return np.abs(over), np.asarray(over != 0)


def _number(node: ast.expr, columns: Columns) -> Array:
    if isinstance(node, ast.Name):
        return np.asarray(columns[node.id], float)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        return np.asarray(float(node.value))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, columns)
    if isinstance(node, ast.BinOp) and type(node.op) in _SUMS:
        return _SUMS[type(node.op)](_number(node.left, columns), _number(node.right, columns))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "abs" and len(node.args) == 1:
        return np.abs(_number(node.args[0], columns))
    raise InputError(f"event: `{ast.unparse(node)}` is no number; columns, numbers, + - * / and abs() are read")
