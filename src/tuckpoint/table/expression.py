"""A small safe language for conditions and rules: parsed into a tree, walked, never evaluated as code.

    age > 80 and income == ">50K"            18 <= age < 65              `Annual Income` * 2 <= limit
    education in ["Masters", "Doctorate"]    signed >= "2024-01-31"      implies(missing(end), status == "open")
    took > "1:30:00"                         took > 5400                 year(signed) == 2024 and hour(taken) < 12

Logic has three values: a comparison with a missing value is neither true nor false. A condition keeps the rows in which
it is certainly true; a rule is broken in the rows in which it is certainly false.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.schema import Schema
from tuckpoint.table import logic
from tuckpoint.table.engine import Array, Condition, Field
from tuckpoint.table.logic import Columns, Test, Values
from tuckpoint.table.terms import FUNCTIONS, Scope, called, column_name, fail, number, source, truth, walk

Mask = NDArray[np.bool_]

LONGEST = 4000
DEEPEST = 100


@dataclass(frozen=True)
class Expression:
    """A parsed condition on encoded columns; `names` are the columns that it reads, in order of appearance."""

    text: str
    names: tuple[str, ...]
    run: Test
    clauses: tuple[Expression, ...] = ()  # of a top-level `and`

    def mask(self, columns: Columns) -> Mask:
        """Rows (n,) in which the expression is certainly true."""
        return self._spread(columns, 0)

    def broken(self, columns: Columns) -> Mask:
        """Rows (n,) in which the expression is certainly false; a missing value alone breaks nothing."""
        return self._spread(columns, 1)

    def parts(self) -> dict[str, Expression] | None:
        """One expression per column if this is an `and` of conditions on single columns, else None."""
        clauses = self.clauses or (self,)
        if any(len(clause.names) != 1 for clause in clauses):
            return None
        return {name: _all([clause for clause in clauses if clause.names == (name,)]) for name in self.names}

    def condition(self) -> Condition:
        """The same as an engine takes it."""
        parts = self.parts()
        return Condition(
            self.text, self.names, self.mask, None if parts is None else {n: _alone(p) for n, p in parts.items()}
        )

    def _spread(self, columns: Columns, side: int) -> Mask:
        rows = len(columns[self.names[0]])
        return np.array(np.broadcast_to(self.run(columns)[side], rows), bool)


def parse(text: str, fields: Sequence[Field], schema: Schema) -> Expression:
    """Read a condition on the columns of a table.

    Raises InputError where the text is not of this language and SchemaError for an unknown column or level; both say
    where in the text.
    """
    if not isinstance(text, str) or not text.strip():
        raise InputError('the condition is empty; write one such as: age > 80 and income == ">50K"')
    if len(text) > LONGEST:
        raise InputError(f"the condition has {len(text)} characters; at most {LONGEST} are read")
    text = " ".join(text.splitlines()).strip()
    plain, quoted = _unquote(text)
    scope = Scope(text, plain, quoted, {field.name: field for field in fields}, schema)
    tree = _tree(scope)
    for node, depth in walk(tree):
        if depth > DEEPEST:
            fail(scope, node, f"nested more than {DEEPEST} deep; split the condition")
    expression = _expression(scope, tree)
    if not expression.names:
        raise InputError(f"the condition {text!r} names no column; there are: {', '.join(schema.names)}")
    return expression


def computed(text: str, fields: Sequence[Field], schema: Schema) -> tuple[str, tuple[str, ...], Values] | None:
    """Of `column == formula`: the column, those of the formula, and what it gives (n,), in the column's own unit.

    None where the text has no such form: the column stands in its own formula, or the formula gives no such thing.
    """
    plain, quoted = _unquote(" ".join(text.splitlines()).strip())
    scope = Scope(text, plain, quoted, {field.name: field for field in fields}, schema)
    tree = _tree(scope)
    if not (isinstance(tree, ast.Compare) and len(tree.ops) == 1 and isinstance(tree.ops[0], ast.Eq)):
        return None
    for left, right in ((tree.left, tree.comparators[0]), (tree.comparators[0], tree.left)):
        alone = isinstance(left, ast.Name) or (isinstance(left, ast.Call) and called(left) == "col")
        name, sources = column_name(scope, left) if alone else "", _names(scope, right)
        if not alone or not sources or name in sources or not scope.fields[name].numeric:
            continue
        formula = number(scope, right, schema[name])
        if formula is not None:
            return name, sources, formula
    return None


def quote(name: str) -> str:
    """A column name as it is written in an expression."""
    if name.isidentifier() and name.isascii() and name not in FUNCTIONS and not _is_keyword(name):
        return name
    return f"col({name!r})" if "`" in name or "\n" in name else f"`{name}`"


def normal(text: str) -> ast.expr:
    """The parsed text with every column, however written, as a plain name; for recognising shapes, not for running."""
    plain, quoted = _unquote(" ".join(text.splitlines()).strip())
    scope = Scope(text, plain, quoted, {}, Schema(()))
    return cast(ast.expr, _Renamed(quoted).visit(_tree(scope)))


class _Renamed(ast.NodeTransformer):
    def __init__(self, quoted: Mapping[str, str]) -> None:
        self.quoted = quoted

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(self.quoted.get(node.id, node.id))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if called(node) == "col" and isinstance(node.args[0], ast.Constant):
            return ast.Name(str(node.args[0].value))
        return cast(ast.expr, self.generic_visit(node))


def _unquote(text: str) -> tuple[str, dict[str, str]]:
    out: list[str] = []
    quoted: dict[str, str] = {}
    inside, start, skip = "", 0, False
    for place, letter in enumerate(text):
        if inside == "`" and letter == "`":
            # An identifier as long as what it stands for, so that positions stay true.
            stand_in = "\uac00" + chr(0xAC01 + len(quoted)) + "\uac00" * (place - start - 1)
            quoted[stand_in], inside = text[start + 1 : place], ""
            out.append(stand_in)
        elif inside == "`":
            continue
        elif inside:
            out.append(letter)
            inside = "" if letter == inside and not skip else inside
            skip = letter == "\\" and not skip
        else:
            inside, start, skip = (letter if letter in "\"'`" else ""), place, False
            if letter != "`":
                out.append(letter)
    if inside == "`":
        raise InputError(f"condition, character {start + 1}: a backtick is opened and not closed in {text!r}")
    return "".join(out), quoted


def _tree(scope: Scope) -> ast.expr:
    depth = 0
    for letter in scope.plain:
        depth += (letter in "([{") - (letter in ")]}")
        if depth > DEEPEST:
            raise InputError(f"the condition is nested more than {DEEPEST} deep; split it")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(scope.plain, mode="eval").body
    except SyntaxError as error:
        place = min(max(error.offset or 1, 1), len(scope.text))
        raise InputError(f"condition, character {place}: {_hint(scope, place, error.msg)} in {scope.text!r}") from None
    except (ValueError, MemoryError, RecursionError, OverflowError) as error:
        raise InputError(f"the condition cannot be read ({type(error).__name__}): {scope.text[:80]!r}") from None


def _hint(scope: Scope, place: int, message: str) -> str:
    around = scope.plain[max(0, place - 3) : place + 3]
    if "'=='" in message or re.search(r"(?<![=<>!])=(?!=)", around):
        return "`=` does not compare; write =="
    if "&&" in around or "||" in around or "!" in around.replace("!=", ""):
        return "write `and`, `or`, `not` in words"
    if any(name in scope.text and not name.isidentifier() for name in scope.fields):
        return "not understood; put backticks around column names that are not single words, such as `Annual Income`"
    return "not understood"


def _expression(scope: Scope, node: ast.expr) -> Expression:
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
        inner = [_expression(scope, value) for value in node.values]
        both = _all([leaf for part in inner for leaf in (part.clauses or (part,))])
        return replace(both, text=source(scope, node))
    return Expression(source(scope, node), _names(scope, node), truth(scope, node))


def _all(clauses: Sequence[Expression]) -> Expression:
    if len(clauses) == 1:
        return clauses[0]
    names = tuple(dict.fromkeys(name for clause in clauses for name in clause.names))
    runs = [clause.run for clause in clauses]
    return Expression(" and ".join(c.text for c in clauses), names, logic.conjunction(runs), tuple(clauses))


def _alone(part: Expression) -> Callable[[Array], Mask]:
    return lambda values: part.mask({part.names[0]: values})


def _names(scope: Scope, node: ast.expr) -> tuple[str, ...]:
    calls = [child for child, _ in walk(node) if isinstance(child, ast.Call)]
    functions = {id(call.func) for call in calls}
    found = [(call.col_offset, column_name(scope, call)) for call in calls if called(call) == "col"]
    for child, _ in walk(node):
        if isinstance(child, ast.Name) and id(child) not in functions:
            found.append((child.col_offset, column_name(scope, child)))
    return tuple(dict.fromkeys(name for _, name in sorted(found)))


def _is_keyword(name: str) -> bool:
    try:
        ast.parse(name, mode="eval")
    except SyntaxError:
        return True
    return name in ("True", "False", "None")
