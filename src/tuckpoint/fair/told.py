"""What was done to keep a fairness target, cell by cell, and what a reader should be warned of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuckpoint.fair.cells import Cells, Label
from tuckpoint.fair.spec import Spec
from tuckpoint.table.engine import Array, Encoded

FEW_DONORS = 10  # real rows of a cell (or of its rarer label) below which what is made of them repeats them
THIN = 20.0  # made rows for each real row of a cell above which it is told
SHOWN_ROWS = 100  # of every cell whose rate enters a gap within strata
WITHHELD = 5  # real rows of a cell below which their number is not told


@dataclass(frozen=True)
class Counts:
    """Rows, rows of known outcome and positive ones by stratum and group, each (s, g) int."""

    rows: Array
    known: Array
    positive: Array

    @classmethod
    def of(cls, data: Encoded, groups: Cells, strata: Cells, label: Label | None) -> Counts:
        """Count a table; without an outcome none is known."""
        shape = (len(strata.names), len(groups.names))
        at = strata.place(data) * shape[1] + groups.place(data)
        nothing = np.zeros(data.rows, bool)
        known, positive = (nothing, nothing) if label is None else label.read(data)
        size = shape[0] * shape[1]
        return cls(*(np.bincount(at[mask], minlength=size).reshape(shape) for mask in (~nothing, known, positive)))

    @property
    def rates(self) -> Array:
        """Share of positive rows (s, g), NaN for a cell without rows."""
        return _over(self.positive, self.known)

    def error(self) -> float:
        """The largest difference between a cell's rate and that of its stratum."""
        overall = _over(self.positive.sum(axis=1), self.known.sum(axis=1))
        away = np.abs(self.rates - overall[:, None])
        return 0.0 if np.isnan(away).all() else float(np.nanmax(away))

    def between(self) -> float | None:
        """The largest difference of rates between groups, all strata together; None for fewer than two groups."""
        return _range(self.positive.sum(axis=0), self.known.sum(axis=0), 1)

    def within(self) -> tuple[float, int] | None:
        """The largest difference within a stratum, of cells with 100 rows or more, and that stratum."""
        gaps = [(_range(self.positive[s], self.known[s], SHOWN_ROWS), s) for s in range(len(self.rows))]
        told = [(gap, s) for gap, s in gaps if gap is not None]
        return max(told, key=lambda entry: entry[0], default=None)


@dataclass(frozen=True)
class Cell:
    """One group within one stratum: its rows, what was wanted (a share or a rate), before and after, labels changed.

    `donors` and `positive_donors` are real rows behind it; None if they were not given or may not be told, -1 for
    fewer than 5. `before`, `after` and `wanted` are shares of all rows for representation, else rates of positive
    labels; `rate` is the rate after, in any case.
    """

    group: str
    stratum: str
    rows: int
    wanted: float | None
    before: float | None
    after: float | None
    rate: float | None = None
    up: int = 0
    down: int = 0
    donors: int | None = None
    positive_donors: int | None = None


@dataclass(frozen=True)
class Told:
    """What was asked and done: cells, labels changed, the largest error on the rows as written, and warnings.

    `between` is the largest difference of positive rates between groups before and after, `within` the same inside a
    stratum of the legitimate columns. `order` says how the labels were chosen, `follows` what changed with them.
    """

    spec: Spec
    rows: int
    cells: tuple[Cell, ...]
    changed: int
    error: float
    between: tuple[float | None, float | None] = (None, None)
    within: tuple[float | None, float | None] = (None, None)
    order: str = ""
    follows: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    unknown: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{name: value for name, value in vars(self).items() if name not in ("spec", "cells")},
            "asked": self.spec.to_dict(), "cells": [dict(vars(cell)) for cell in self.cells],
            "between": list(self.between), "within": list(self.within), "follows": list(self.follows),
            "warnings": list(self.warnings),
        }  # fmt: skip

    def short(self) -> dict[str, Any]:
        """What the record of the rows says: nothing of it is read off real rows."""
        return {
            "asked": self.spec.to_dict(), "labels_changed": self.changed, "largest_error": round(self.error, 6),
            "order": self.order, "effects_on_models": "not promised",
        }  # fmt: skip

    def sentence(self) -> str:
        """All of it in one line."""
        groups = " x ".join(self.spec.groups)
        kept = f"{self.spec.target} over {groups}"
        if self.spec.given and self.spec.target == "conditional parity":
            kept += f" given {', '.join(self.spec.given)}"
        labels = "" if self.spec.outcome is None else f"; {self.changed:,} of {self.rows:,} labels changed"
        return f"{kept} kept: largest difference {self.error:.4f}, tolerance {self.spec.tolerance:g}{labels}"


def hidden(count: int) -> int:
    """A number of real rows as it may be told."""
    return -1 if 0 < count < WITHHELD else count


def donors_told(count: int | None) -> str:
    """The same in words."""
    return "" if count is None else f"fewer than {WITHHELD}" if count < 0 else f"{count:,}"


def warned(cells: Sequence[Cell]) -> list[str]:
    """Cells made of few real rows: what is made there repeats them, or follows the majority (collapse)."""
    told = []
    for cell in cells:
        name = cell.group if not cell.stratum else f"{cell.group}, {cell.stratum}"
        if cell.donors is None or not cell.rows:
            continue
        rarer = None
        if cell.up and cell.positive_donors is not None:
            rarer = cell.positive_donors
        if cell.down and cell.positive_donors is not None:
            rarer = max(cell.donors, 0) - max(cell.positive_donors, 0)
        if cell.donors < FEW_DONORS:
            told.append(f"collapse: {name}: {donors_told(cell.donors)} real rows stand behind {cell.rows:,} made ones")
        elif rarer is not None and rarer < FEW_DONORS:
            label = "positive" if cell.up else "negative"
            told.append(
                f"collapse: {name}: labels became {label} where {donors_told(hidden(rarer))} real rows are; what such "
                "rows look like is learnt from other groups"
            )
        elif cell.rows / cell.donors > THIN:
            told.append(f"thin: {name}: {cell.rows / cell.donors:.0f} made rows for each real one")
    return told


def simpson(after: Counts, strata: Cells, spec: Spec) -> list[str]:
    """Where parity overall and parity within the legitimate columns part."""
    if spec.outcome is None or spec.target == "representation":
        return []
    between, within = after.between(), after.within()
    if spec.target == "conditional parity":
        if between is not None and between > 2 * spec.tolerance:
            return [
                f"Simpson: equal within {', '.join(spec.given)}, yet over all rows the groups still differ by "
                f"{between:.3f}, since they differ in {', '.join(spec.given)}"
            ]
        return []
    if not spec.given:
        return ["no legitimate column was named in given: how groups differ within such columns was not looked at"]
    if within is not None and within[0] > 2 * spec.tolerance:
        return [
            f"Simpson: equal over all rows, yet among {', '.join(spec.given)} = {strata.names[within[1]]} the groups "
            f"differ by {within[0]:.3f}"
        ]
    return []


def _over(part: Array, whole: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, part / whole, np.nan)


def _range(positive: Array, known: Array, least: int) -> float | None:
    enough = known >= least
    return float(np.ptp(positive[enough] / known[enough])) if enough.sum() > 1 else None


def counted(mapping: Mapping[str, int]) -> str:
    """What forbids changes, as text."""
    return "; ".join(f"`{text}` ({rows:,} rows)" for text, rows in sorted(mapping.items(), key=lambda e: -e[1])[:3])
