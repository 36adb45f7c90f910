"""An operating domain as factors in levels, numbers in ranges, with the combinations that cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.schema import Column, Schema
from tuckpoint.table.engine import Array, Field
from tuckpoint.table.expression import parse

MOST = 1_000_000  # combinations of the factors of one constraint


@dataclass(frozen=True)
class Factor:
    """One factor: a condition for each level, the value that stands for it, and the edges if it is a number."""

    name: str
    where: tuple[str, ...]
    values: tuple[str | float, ...]
    edges: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        """Number of levels."""
        return len(self.values)


@dataclass(frozen=True)
class Constraint:
    """A condition that no row may satisfy, and which levels of its factors do: an array (levels of each) of bool."""

    text: str
    factors: tuple[int, ...]
    forbidden: Array


@dataclass(frozen=True)
class Domain:
    """Factors and constraints."""

    factors: tuple[Factor, ...]
    constraints: tuple[Constraint, ...] = ()

    def told(self, factors: tuple[int, ...], levels: tuple[int, ...]) -> str:
        """A combination as a condition."""
        return " and ".join(self.factors[f].where[level] for f, level in zip(factors, levels, strict=True))

    def table(self, rows: Array) -> pa.Table:
        """Rows (n, factors) of level places as values: the level, or the middle of a number's range."""
        columns = {}
        for at, factor in enumerate(self.factors):
            values = [factor.values[int(place)] for place in rows[:, at]]
            whole = all(isinstance(v, float) and v.is_integer() for v in factor.values)
            columns[factor.name] = pa.array([int(v) for v in values] if whole else values)
        return pa.table(columns)

    def places(self, table: pa.Table) -> Array:
        """Level places (n, factors) of a table's rows, -1 for a value that no level holds.

        Raises InputError for a factor that is no column, or a column of other than numbers for a number.
        """
        found = np.full((table.num_rows, len(self.factors)), -1)
        for at, factor in enumerate(self.factors):
            if factor.name not in table.column_names:
                raise InputError(
                    f'factor "{factor.name}" is no column of the table{did_you_mean(factor.name, table.column_names)}'
                )
            column = table[factor.name]
            if factor.edges:
                numbers = _numbers(factor.name, column)
                place = np.searchsorted(factor.edges, numbers, side="right") - 1
                within = (numbers >= factor.edges[0]) & (numbers < factor.edges[-1])
                found[:, at] = np.where(within, place, -1)
            else:
                index = {str(value): place for place, value in enumerate(factor.values)}
                found[:, at] = [index.get(_text(value), -1) for value in column.to_pylist()]
        return found


def domain(data: Mapping[str, Any]) -> Domain:
    """The domain that a file says (see `gap.domain`); raises InputError for factors or exclusions that cannot be.

    A list of rising numbers holds the edges of ranges, as `tuckpoint find --domain` reads it; levels that are numbers
    are written as text: ["2", "4"]. Constraints are judged at the middle of ranges.
    """
    factors = tuple(_factor(str(name), listed) for name, listed in data["factors"].items())
    return Domain(factors, tuple(_constraint(text, factors) for text in data.get("invalid") or ()))


def _factor(name: str, listed: Any) -> Factor:
    if not isinstance(listed, list) or len(listed) < 2:
        raise InputError(f"domain, factor {name}: list two levels or more, or the edges of a number; found {listed!r}")
    spelt = name if name.isidentifier() else f"`{name}`"
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in listed):
        if sorted(set(listed)) != listed:
            raise InputError(f"domain, factor {name}: list its edges as rising numbers; found {listed!r}")
        where = tuple(f"{low:g} <= {spelt} < {high:g}" for low, high in pairwise(listed))
        return Factor(name, where, tuple((a + b) / 2 for a, b in pairwise(listed)), tuple(map(float, listed)))
    levels = tuple(map(_text, listed))
    if len(set(levels)) < len(levels):
        raise InputError(f"domain, factor {name}: a level stands twice in {listed!r}")
    return Factor(name, tuple(f'{spelt} == "{level}"' for level in levels), levels)


def _text(one: Any) -> str:
    return str(one).lower() if isinstance(one, bool) else str(one)


def _numbers(name: str, column: pa.ChunkedArray) -> Array:
    try:
        return np.asarray(column.cast(pa.float64()).to_numpy(), float)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise InputError(f'factor "{name}" has ranges, and the column holds {column.type}; list its levels') from None


def _constraint(text: str, factors: tuple[Factor, ...]) -> Constraint:
    fields = tuple(
        Field(one.name, decimals=6) if one.edges else Field(one.name, levels=tuple(map(str, one.values)))
        for one in factors
    )
    kinds = tuple(Column(f.name, "decimal" if f.numeric else "category", "string") for f in fields)
    found = parse(text, fields, Schema(kinds))
    names = [one.name for one in factors]
    chosen = tuple(sorted(names.index(name) for name in found.names))
    shape = tuple(factors[f].size for f in chosen)
    if np.prod([float(size) for size in shape]) > MOST:
        raise InputError(f"domain: `{text}` names factors of {np.prod(shape):,} combinations; split it")
    grid = np.indices(shape).reshape(len(shape), -1)
    columns = {
        names[f]: np.array(factors[f].values)[at] if factors[f].edges else at.astype(np.int32)
        for f, at in zip(chosen, grid, strict=True)
    }
    return Constraint(text, chosen, found.mask(columns).reshape(shape))
