"""What two conditions have to do with one another, by their words: the levels they name, whether they overlap."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.expression import normal, parse

REST = "any other level"
MOST = 100_000  # combinations of values that are tried


def named(text: str) -> dict[str, tuple[str | float, ...]]:
    """The texts and numbers that a condition compares each column with."""
    found: dict[str, dict[str | float, None]] = {}
    for node in ast.walk(normal(text)):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            columns = [side.id for side in sides if isinstance(side, ast.Name)]
            values = [value for side in sides for value in _constants(side)]
            for column in columns:
                found.setdefault(column, {}).update(dict.fromkeys(values))
    return {column: tuple(values) for column, values in found.items()}


def with_levels(schema: Schema, texts: tuple[str, ...]) -> Schema:
    """The schema, in which the levels that conditions name are levels even if no row holds them."""
    for text in texts:
        for name, values in named(text).items():
            if name not in schema.names:
                continue
            column = schema[name]
            levels = tuple(value for value in values if isinstance(value, str))
            if column.kind == "category" and levels:
                held = () if column.domain is None else column.domain.levels or ()
                domain = Domain("expert", levels=tuple(dict.fromkeys((*held, *levels))))
                schema = schema.with_column(replace(column, domain=domain))
    return schema


def overlap(one: str, other: str) -> bool:
    """Whether both conditions read the same columns and some row could satisfy both.

    Conditions beyond plain comparisons overlap if they are the same text.
    """
    masks = _tried(one, other)
    return one.strip() == other.strip() if masks is None else bool((masks[0] & masks[1]).any())


def same(one: str, other: str) -> bool:
    """Whether both conditions read the same columns and the same rows satisfy them, in whatever words."""
    masks = _tried(one, other)
    return one.strip() == other.strip() if masks is None else bool((masks[0] == masks[1]).all())


def _tried(one: str, other: str) -> tuple[Array, Array] | None:
    """Which of all combinations (n,) of the values that they name, of values between them, and of another level satisfy
    either; None for other columns, or beyond plain comparisons.
    """
    first, second = named(one), named(other)
    if set(first) != set(second) or not first:
        return None
    values = {name: tuple(dict.fromkeys((*first[name], *second[name]))) for name in first}
    fields, columns = [], []
    for name, told in values.items():
        texts = [value for value in told if isinstance(value, str)]
        if texts and len(texts) < len(told):
            return None
        fields.append(Field(name, levels=(*texts, REST)) if texts else Field(name, decimals=6))
        columns.append(np.arange(len(texts) + 1, dtype=np.int32) if texts else _around(told))
    if np.prod([len(column) for column in columns]) > MOST:
        return None
    grid = {f.name: c.ravel() for f, c in zip(fields, np.meshgrid(*columns, indexing="ij"), strict=True)}
    schema = Schema(tuple(Column(f.name, "decimal" if f.numeric else "category", "string") for f in fields))
    try:
        return parse(one, fields, schema).mask(grid), parse(other, fields, schema).mask(grid)
    except InputError:  # dates, say, which are compared with texts
        return None


def _constants(node: ast.expr) -> Iterator[str | float]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from (-value for value in _constants(node.operand) if not isinstance(value, str))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str | int | float):
        yield node.value if isinstance(node.value, str) else float(node.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _constants(child) if isinstance(child, ast.expr) else ()


def _around(told: tuple[str | float, ...]) -> Array:
    """The numbers, one between each two neighbours, and one beyond either end."""
    numbers = np.unique(np.array(told, float))
    return np.unique(np.concatenate([numbers, (numbers[1:] + numbers[:-1]) / 2, [numbers[0] - 1, numbers[-1] + 1]]))
