"""Quotas of positive labels in every cell, the labels that change to meet them, and which cells cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.fair.cells import Cells, Label
from tuckpoint.fair.quota import positives
from tuckpoint.fair.relabel import Flips, chosen, order
from tuckpoint.fair.spec import Spec
from tuckpoint.fair.told import Counts, counted, hidden
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Progress
from tuckpoint.table.fit import TableModel

NAMED = 8  # cells named in one error


@dataclass(frozen=True)
class Work:
    """What is to be kept, on which cells: groups, and the strata within which they are compared.

    `legitimate` are the cells of `given`, which are the strata for conditional parity and looked at for label parity.
    """

    model: TableModel
    spec: Spec
    groups: Cells
    strata: Cells
    legitimate: Cells
    label: Label | None
    donors: Counts | None

    def name(self, stratum: int, group: int) -> str:
        """A cell in words."""
        within = self.strata.names[stratum]
        return self.groups.names[group] + (f" ({', '.join(self.spec.given)} = {within})" if within else "")


def cannot(spec: Spec, reasons: Sequence[str], advice: str = "") -> InputError:
    """The error that says which cells cannot keep the target, why, and what to do."""
    more = f"\n  and {len(reasons) - NAMED} more cells" if len(reasons) > NAMED else ""
    told = "".join(f"\n  {reason}" for reason in reasons[:NAMED])
    way = advice or "pool such levels (`pool` in fair.yaml), or collect real rows of them"
    return InputError(
        f"fair: {spec.target} cannot be kept within {spec.tolerance:g}, and no rows were written:{told}{more}\n{way}"
    )


def few(count: int, spec: Spec) -> str:
    """Why so few real rows do not do; empty if they do."""
    if not count:
        return "no donors: no real row is in it"
    told = "fewer than 5" if hidden(count) < 0 else str(count)
    return f"few donors: {told} real rows, least is {spec.least}" if count < spec.least else ""


def wanted(work: Work, before: Counts) -> Array:
    """The positive rows (s, g) that each cell is to have, so that each stratum keeps its own rate.

    Raises InputError that names every cell which cannot come within the tolerance, or has too few rows.
    """
    spec, reasons, needed = work.spec, [], 0.0
    quotas = np.zeros_like(before.known)
    for s, (rows, positive) in enumerate(zip(before.known, before.positive, strict=True)):
        if not rows.sum():
            continue
        quotas[s], rate = positives(rows, int(positive.sum())), positive.sum() / rows.sum()
        for g in np.flatnonzero(work.groups.known | (rows > 0)):
            why = "" if work.donors is None else few(int(work.donors.rows[s, g]), spec)
            if not why and rows[g] < (spec.least if work.donors is None else 1):
                why = f"{rows[g]} made rows, least is {spec.least}"
            if not why and (far := abs(quotas[s, g] / rows[g] - rate)) > spec.tolerance:
                why = f"too few rows: {quotas[s, g]} of {rows[g]} positive is {far:.4f} away from {rate:.4f}"
                needed = max(needed, 0.5 / spec.tolerance / rows[g])
            if why:
                reasons.append(f"{work.name(s, int(g))}: {why}")
    if reasons:
        size = f"ask for about {int(np.ceil(before.rows.sum() * needed / 100)) * 100:,} rows, " if needed else ""
        wide = " or allow a wider tolerance" if needed else " or collect real rows of them"
        raise cannot(spec, reasons, f"{size}pool such levels (`pool` in fair.yaml),{wide}")
    return quotas


@dataclass(frozen=True)
class Changes:
    """Which rows get the other label (n,) bool, and how many by cell (s, g) either way."""

    rows: Array
    up: Array
    down: Array


def changes(
    work: Work, place: Array, positive: Array, known: Array, quotas: Array, turned: Flips, probability: Array,
    seed: Seed, progress: Progress,
) -> Changes:  # fmt: skip
    """Choose the labels; raises InputError for cells in which too few may change, or no real row has such a label.

    `place` (n,) is the number of each row's cell, stratum by stratum.
    """
    progress("choosing labels", 0.9)
    reasons, shape = [], quotas.shape
    rank = order(probability, positive, seed)
    up, down, taken = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(len(place), bool)
    for cell in range(quotas.size):
        s, g = divmod(cell, shape[1])
        inside = np.flatnonzero((place == cell) & known)
        change = int(quotas[s, g]) - int(positive[inside].sum())
        if not change:
            continue
        if why := _no_donor(work, s, g, change):
            reasons.append(f"{work.name(s, g)}: {why}")
            continue
        places, missing = chosen(rank[inside], positive[inside], turned.may[inside], int(quotas[s, g]))
        if missing:
            forbidden = counted(turned.why)
            reasons.append(
                f"{work.name(s, g)}: {abs(change)} labels would have to change, and {missing} of them must not: "
                f"{forbidden or 'none is left'}"
            )
        taken[inside[places]] = True
        (up if change > 0 else down)[s, g] = abs(change)
    if reasons:
        raise cannot(work.spec, reasons)
    return Changes(taken, up, down)


def _no_donor(work: Work, s: int, g: int, change: int) -> str:
    """Why labels of one cell may not become what no real row of it is."""
    if work.donors is None:
        return ""
    rows, positive = int(work.donors.known[s, g]), int(work.donors.positive[s, g])
    if change > 0 and not positive:
        return "rate 0: no real row of it is positive, so that every positive row would be invented"
    if change < 0 and positive == rows:
        return "rate 1: every real row of it is positive, so that every negative row would be invented"
    return ""
