"""Source `smote`: rows between the training rows of a slice, class by class; it knows what those rows know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.prove.smote import between
from tuckpoint.prove.source import Made, Task
from tuckpoint.table.decode import decode
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.expression import parse

MOST_CLASSES = 20
LEAST = 2  # rows of a class: one has no neighbour to stand between


@dataclass(frozen=True)
class Smote:
    """SMOTE of imbalanced-learn: SMOTENC, or SMOTE and SMOTEN where all columns are numbers and all are levels.

    Under a condition each class of the target is made as often as it stands in the slice (a number is placed between
    like any other column); without one, rarer classes are made until all would be as many.
    """

    name: ClassVar[str] = "smote"
    once: ClassVar[bool] = False

    def make(self, task: Task) -> Made:
        """Rows of the slice's classes, or why none. Raises MissingExtra without imbalanced-learn."""
        rows = encode(task.train, task.schema)
        inside = np.ones(rows.rows, bool)
        if task.where is not None:
            inside = parse(task.where, rows.fields, task.schema).mask(rows.columns)
        kinds, why = _kinds(rows, task.target, inside)
        if why:
            return Made(None, why)
        counts = {int(c): int(n) for c, n in zip(*np.unique(kinds[kinds >= 0], return_counts=True), strict=True)}
        shares = {c: float(n) for c, n in counts.items()}
        if task.where is None:
            shares = {c: float(max(counts.values()) - n) for c, n in counts.items()}
        shares = {c: share for c, share in shares.items() if counts[c] >= LEAST and share > 0}
        if not shares:
            return Made(None, "no class that lacks rows has two of them, so nothing can stand between")
        wanted = _apportioned(shares, task.rows)
        values, _ = between(*_matrix(rows), kinds, wanted, task.seed.child("smote"))
        order = task.seed.child("order").numpy().permutation(len(values))
        return Made(
            decode(_encoded(values[order], rows), task.schema), facts={"rows between": float(sum(counts.values()))}
        )

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """SMOTE is named, not read from a file."""
        raise InputError(f"smote: {file}: SMOTE is named alone: --source smote")

    def serves(self, gap: Mapping[str, Any]) -> str:
        """It knows what the training rows of the gap know, if there are some."""
        return "" if gap["missing"]["rows"] >= LEAST else "two rows of it are needed to make rows between them"


def _kinds(rows: Encoded, target: str, inside: Array) -> tuple[Array, str]:
    """The class (n,) of each row of the slice, -1 elsewhere; or why there are none."""
    column = rows.columns[target].astype(float)
    if rows.field(target).numeric and len(np.unique(column[~np.isnan(column)])) > MOST_CLASSES:
        if inside.all():
            return inside, "SMOTE fills a slice, or balances classes: a number without a condition has neither"
        return np.where(inside, 0, -1), ""
    known = inside & ~np.isnan(column) & ((column >= 0) | rows.field(target).numeric)
    if not known.any():
        return known, "no row of the slice has a known outcome"
    kinds = np.full(rows.rows, -1)
    kinds[known] = np.unique(column[known], return_inverse=True)[1]
    return (kinds, "") if len(np.unique(kinds)) > 1 else (kinds, "all rows are of one class; there is none to balance")


def _apportioned(shares: Mapping[int, float], rows: int) -> dict[int, int]:
    """Whole counts in these shares that add up to `rows`."""
    edges = np.round(np.cumsum(list(shares.values())) / sum(shares.values()) * rows).astype(int)
    return {c: int(n) for c, n in zip(shares, np.diff(edges, prepend=0), strict=True) if n}


def _matrix(rows: Encoded) -> tuple[Array, list[int]]:
    """All columns (n, d), NaN where missing, and which of them hold codes."""
    codes = [j for j, field in enumerate(rows.fields) if not field.numeric]
    values = np.stack([rows.columns[field.name].astype(float) for field in rows.fields], axis=1)
    values[:, codes] = np.where(values[:, codes] < 0, np.nan, values[:, codes])
    return values, codes


def _encoded(values: Array, rows: Encoded) -> Encoded:
    """Columns of these fields again; numbers to their decimals."""
    columns: dict[str, Array] = {}
    for j, field in enumerate(rows.fields):
        column = values[:, j]
        columns[field.name] = (
            np.round(column, field.decimals) if field.numeric else np.nan_to_num(column, nan=-1).astype(np.int32)
        )
    return Encoded(rows.fields, columns)
