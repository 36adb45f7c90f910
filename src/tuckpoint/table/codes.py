"""Columns as the kernel sees them: 16-bit feature codes, boosting bins, and the pool that made numbers come from."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table import grains, kernel
from tuckpoint.table.engine import Field
from tuckpoint.table.protect import people_of, shared

Array = NDArray[Any]
CODES = 65_000  # ordinal codes at most
BOOST_BINS = 128
FEW, PEAK, BESIDE = 32, 2.0, 4  # values of which all may be atoms; times as common as those so many places around
LEAST_MOVED = 0.2  # share of a column's values that a prediction could move, below which it moves none


def _none() -> Array:
    return np.zeros(0)


@dataclass(frozen=True)
class Coded:
    """One real column, ready to be a feature and, if numeric, to be drawn from.

    `values` (n,) are float64 or int32 levels; `code` (n,) uint16, 0 for missing; `size` codes in all. Numeric columns:
    `cuts` (m,) sorted values at which a new code begins; `bin_of` (size,) boosting bin of each code; `place`, `ties`
    (n,) where a value stands in the sorted `pool` of values that may be moved, place -1 for atoms and missing. An atom
    is a value held by so many rows that it is repeated as it is. `moves`: whether a prediction moves them, which it
    does where enough are not atoms. `snap`: only pool values are made, none between them.
    `scale`: 10**decimals, whose inverse made numbers are rounded to, or 0 where real ones have more digits than that.
    `round`: how round each value is, where some are rounder than others, so that moved ones stay so.
    Categorical columns: `code_of` (levels + 1,) code of each level, by falling frequency; missing, -1, is the last.
    """

    field: Field
    values: Array
    code: kernel.Codes
    size: int
    code_of: kernel.Codes = dataclasses.field(default_factory=_none)
    cuts: Array = dataclasses.field(default_factory=_none)
    bin_of: NDArray[np.uint8] = dataclasses.field(default_factory=_none)
    place: NDArray[np.int32] = dataclasses.field(default_factory=_none)
    ties: NDArray[np.int32] = dataclasses.field(default_factory=_none)
    pool: NDArray[np.float64] = dataclasses.field(default_factory=_none)
    pool_code: kernel.Codes = dataclasses.field(default_factory=_none)
    moves: bool = False
    snap: bool = False
    scale: float = 1.0
    round: grains.Grains | None = None

    def recode(self, values: Array) -> kernel.Codes:
        """Codes (rows,) of any values of this column, seen before or not."""
        if not self.field.numeric:
            return self.code_of[values]
        code = 1 + np.maximum(np.searchsorted(self.cuts, values, side="right") - 1, 0)
        return np.where(np.isnan(values), 0, code).astype(np.uint16)

    @property
    def bins(self) -> int:
        """Boosting bins of a numeric column."""
        return int(self.bin_of.max()) + 1


def code_levels(field: Field, values: NDArray[np.int32]) -> Coded:
    """A categorical column: the commonest levels have codes of their own, the rest share the last."""
    levels = len(field.levels or ())
    counts = np.bincount(values[values >= 0], minlength=levels)
    rank = np.empty(levels, np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(levels)
    code_of = np.append(np.minimum(rank + 1, kernel.MAX_LEVELS), 0).astype(np.uint16)
    size = int(code_of.max(initial=0)) + 1
    return Coded(field, values, code_of[values], size, code_of)


def code_numbers(
    field: Field,
    values: NDArray[np.float64],
    *,
    atom_rows: int,
    person: Array | None = None,
    common: bool = False,
) -> Coded:
    """A numeric column; a value that at least `atom_rows` people hold is an atom (`person`: whose each row is), with
    `common` only where it is far commoner than those beside it.
    """
    present = ~np.isnan(values)
    distinct, which, counts = np.unique(values[present], return_inverse=True, return_counts=True)
    step = max(1, -(-len(distinct) // CODES))
    cuts = distinct[::step]
    code_of_distinct = 1 + np.arange(len(distinct)) // step
    code = np.zeros(len(values), np.uint16)
    code[present] = code_of_distinct[which]
    people = people_of(which, len(distinct), None if person is None else person[present])
    loose = np.where((people >= atom_rows) & (_peaks(counts) if common else True), 0, counts)
    start = np.cumsum(loose) - loose
    place, ties = np.full(len(values), -1, np.int32), np.zeros(len(values), np.int32)
    place[present] = np.where(loose > 0, start, -1)[which]
    ties[present] = loose[which]
    size = len(cuts) + 1
    snap = len(distinct) <= min(100, len(values) // 5)
    whose = None
    if person is not None:
        order = np.argsort(which, kind="stable")
        whose = person[present][order][loose[which[order]] > 0]
    scale = _scale(distinct, field.decimals)
    pool = shared(np.repeat(distinct, loose), np.repeat(people, loose), snap=snap, person=whose)
    return Coded(
        field=field,
        values=values,
        code=code,
        size=size,
        cuts=cuts,
        bin_of=_boost_bins(np.bincount(code, minlength=size)),
        place=place,
        ties=ties,
        pool=pool,
        pool_code=np.searchsorted(cuts, pool, side="right").astype(np.uint16),
        moves=bool((place >= 0).mean() >= LEAST_MOVED) if len(place) else False,
        snap=snap,
        scale=scale,
        round=None if snap else grains.find(values, place >= 0, scale),
    )


def _peaks(counts: Array) -> NDArray[np.bool_]:
    """Distinct values (m,), with so many rows each, that are far commoner than those beside them; all of few values."""
    return np.ones(len(counts), bool) if len(counts) <= FEW else np.asarray(counts > PEAK * usual_beside(counts))


def usual_beside(counts: Array) -> NDArray[np.float64]:
    """The median of how many rows hold each of the distinct values beside each one (m,), more than `BESIDE` values."""
    around = np.pad(counts.astype(np.float64), BESIDE, mode="reflect")
    near = [around[i : i + len(counts)] for i in range(2 * BESIDE + 1) if i != BESIDE]
    return np.asarray(np.median(near, axis=0))


def _scale(values: NDArray[np.float64], decimals: int) -> float:
    """10**decimals if so many decimals hold the values, else 0."""
    scale = 10.0**decimals
    with np.errstate(over="ignore"):
        return scale if np.array_equal(np.rint(values * scale) / scale, values) else 0.0


def _boost_bins(counts: Array) -> NDArray[np.uint8]:
    """Bin of each code: 0 for missing, a heavy code by itself, the others in bins of about equal mass between those."""
    if len(counts) <= BOOST_BINS:
        return np.arange(len(counts), dtype=np.uint8)
    mass = counts[1:].astype(np.float64)
    heavy = np.argsort(-mass, kind="stable")[: BOOST_BINS // 4]
    heavy = heavy[mass[heavy] > mass.sum() / BOOST_BINS]
    alone = np.zeros(len(mass), np.int64)
    alone[heavy] = 1
    light = np.where(alone, 0, mass)
    share = light.sum() / (BOOST_BINS - 2 - 2 * len(heavy))
    place = np.floor((np.cumsum(light) - light / 2) / max(share, 1e-9)).astype(np.int64)
    between = 2 * np.cumsum(alone) - alone
    changes = np.diff(place, prepend=place[:1]) + np.diff(between, prepend=between[:1]) > 0
    bins: NDArray[np.uint8] = np.minimum(np.append(0, 1 + np.cumsum(changes)), BOOST_BINS - 1).astype(np.uint8)
    return bins


def code_column(
    field: Field, values: Array, *, atom_rows: int, person: Array | None = None, common: bool = False
) -> Coded:
    """The coded form of one real column."""
    if field.numeric:
        plain = np.ascontiguousarray(values, np.float64)
        return code_numbers(field, plain, atom_rows=atom_rows, person=person, common=common)
    return code_levels(field, np.ascontiguousarray(values, np.int32))


def mid_ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mid-ranks (n,) in (0, 1), ties averaged, missing below all."""
    filled = np.where(np.isnan(values), -np.inf, values)
    _, which, counts = np.unique(filled, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    ranks: NDArray[np.float64] = (middle / max(len(values), 1))[which]
    return ranks
