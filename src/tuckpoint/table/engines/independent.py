"""Each column drawn alone, from its own values: the control that every measure of dependence must be able to reject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Condition, Context, Encoded, Field, Guarantee, State
from tuckpoint.table.protect import LEAST_PEOPLE, people_of, shared
from tuckpoint.table.restrict import allowed_runs, from_steps, refusal, separate, to_steps

_FEW = 100  # a number with at most so many distinct values is copied as it is
_SAFE = 2.0**53  # beyond, float64 no longer tells neighbouring steps apart


@dataclass(frozen=True)
class Single:
    """One column: `values` (k,), missing too, each held by a `share` (k,) of rows, and the `pool` (m,) of the others.

    The pool holds sorted whole steps of 10**-decimals; between two neighbours every number is equally likely.
    """

    field: Field
    values: Array
    share: NDArray[np.float64]
    pool: NDArray[np.float64]


@dataclass(frozen=True)
class IndependentModel:
    """The distribution of each column alone."""

    fields: tuple[Field, ...]
    singles: tuple[Single, ...]
    guarantee: Guarantee | None = None
    notes: tuple[str, ...] = ()

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """Conditions on single columns, joined by `and`, and any given columns are exact; others are refused."""
        return refusal("independent", self.fields, condition, given)

    def draw(
        self,
        rows: int,
        seed: Seed,
        *,
        condition: Condition | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> Encoded:
        """Draw rows; the same model and seed give the same bytes.

        Raises InputError for what `refuse` refuses, ShortSample if no value of a column satisfies the condition.
        """
        given = given or {}
        if reason := self.refuse(condition, tuple(given)):
            raise InputError(reason)
        masks = separate(condition, given, rows)
        columns = {
            one.field.name: np.array(given[one.field.name], dtype=_kind(one.field), order="C")
            if one.field.name in given
            else _draw(one, rows, seed.child(one.field.name).numpy(), masks.get(one.field.name))
            for one in self.singles
        }
        return Encoded(self.fields, columns)

    def state(self) -> State:
        """The values of each column and their shares: real values, so personal data."""
        arrays = {f"{i}.{part}": getattr(s, part) for i, s in enumerate(self.singles) for part in _PARTS}
        return State({"columns": [item.name for item in self.fields]}, arrays)

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if names or sizes do not fit."""
        if state.values.get("columns") != [item.name for item in fields]:
            raise TraceError("the state of engine independent does not fit its fields; fit again")
        try:
            singles = tuple(
                Single(item, *(np.asarray(state.arrays[f"{i}.{part}"]) for part in _PARTS))
                for i, item in enumerate(fields)
            )
        except KeyError as error:
            raise TraceError(f"the state of engine independent lacks {error}; fit again") from None
        if any(s.values.shape != s.share.shape or s.pool.ndim != 1 or not (s.share >= 0).all() for s in singles):
            raise TraceError("the state of engine independent holds arrays of the wrong size; fit again")
        return cls(fields, singles)


_PARTS = ("values", "share", "pool")


@dataclass(frozen=True)
class Independent:
    """Settings of the control engine.

    `atom_share`: a number held by more than this share of rows (and by five people or more) is drawn exactly; others
    are drawn between their neighbours. 0 to 1.
    """

    name: ClassVar[str] = "independent"
    repeatable: ClassVar[bool] = True
    private: ClassVar[bool] = False
    alone: ClassVar[bool] = True

    atom_share: float = 0.003

    def __post_init__(self) -> None:
        if not 0 <= self.atom_share <= 1:
            raise InputError(f"atom_share is {self.atom_share!r}; use a share of rows in 0..1")

    def fit(self, real: Encoded, seed: Seed, context: Context) -> IndependentModel:
        """Learn each column; no choice is drawn, so the seed changes nothing.

        Raises InputError for a table without rows.
        """
        if real.fields and not real.rows:
            raise InputError("the table has no rows to learn from")
        return IndependentModel(
            real.fields, tuple(self._single(f, real.columns[f.name], real.person) for f in real.fields)
        )

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> IndependentModel:
        """The model of this engine that told this state."""
        return IndependentModel.from_state(state, fields)

    def _single(self, item: Field, column: Array, person: Array | None) -> Single:
        values, which, counts = np.unique(column, return_inverse=True, return_counts=True)  # NaN counts as one value
        people = people_of(which.reshape(-1), len(values), person)
        share: NDArray[np.float64] = counts / len(column)
        steps = to_steps(values, item.decimals) if item.numeric else np.zeros(0)
        known = ~np.isnan(steps)
        if not item.numeric or known.sum() <= _FEW or (np.abs(steps[known]) >= _SAFE).any():
            if item.numeric and known.any():
                told = shared(values[known], people[known], snap=True)
                values[known] = np.where(np.isin(told, values[known]), told, np.round(told, item.decimals))
                values, which = np.unique(values, return_inverse=True)
                share = np.bincount(which.reshape(-1), share).astype(np.float64)
            return Single(item, values.astype(_kind(item)), share, np.zeros(0))
        pooled = known & ((people < LEAST_PEOPLE) | (counts <= self.atom_share * len(column)))
        if pooled.sum() < 2:
            pooled[:] = False
        pool, held = np.repeat(steps[pooled], counts[pooled]), np.repeat(people[pooled], counts[pooled])
        order = np.argsort(which.reshape(-1), kind="stable")
        whose = None if person is None else person[order][np.repeat(pooled, counts)]
        return Single(item, values[~pooled], share[~pooled], np.rint(shared(pool, held, snap=False, person=whose)))


def _kind(item: Field) -> Any:
    return np.float64 if item.numeric else np.int32


def _draw(
    one: Single, rows: int, stream: np.random.Generator, mask: Callable[[Array], NDArray[np.bool_]] | None
) -> Array:
    """Draw a column's values where the mask is true, with the chances that they have without it."""
    keep = np.ones(len(one.values), bool) if mask is None else np.asarray(mask(one.values), dtype=bool)
    runs = np.zeros((0, 2), np.int64)
    if len(one.pool):
        low, high = int(one.pool[0]), int(one.pool[-1])
        runs = np.array([[low, high + 1]])
        if mask is not None:
            runs = allowed_runs(mask, low, high, one.field.decimals, np.unique(one.pool).astype(np.int64))
    begin, end = _place(one.pool, runs[:, 0] - 0.5), _place(one.pool, runs[:, 1] - 0.5)
    pooled = max(1 - float(one.share.sum()), 0.0) / max(len(one.pool) - 1, 1)
    weight = np.concatenate([one.share * keep, (end - begin) * pooled])
    if rows and not weight.sum() > 0:
        raise ShortSample(f'no value of column "{one.field.name}" satisfies the condition; widen it')
    running = np.cumsum(weight) / max(weight.sum(), 1e-300)
    at = np.searchsorted(running, stream.random(rows), side="right")
    inside = stream.random(rows)
    out = np.empty(rows, dtype=_kind(one.field))
    exact = at < len(one.values)
    out[exact] = one.values[at[exact]]
    run = at[~exact] - len(one.values)
    place = begin[run] + inside[~exact] * (end[run] - begin[run])
    steps = np.rint(np.interp(place, np.arange(len(one.pool)), one.pool)) if len(run) else np.zeros(0)
    steps = np.clip(steps, runs[run, 0], runs[run, 1] - 1).astype(np.int64)
    out[~exact] = from_steps(steps, one.field.decimals)
    return out


def _place(pool: NDArray[np.float64], steps: NDArray[Any]) -> NDArray[np.float64]:
    """How far along the pool (0..m-1) the numbers below these half steps reach."""
    if not len(pool):
        return np.zeros(len(steps))
    right = np.clip(np.searchsorted(pool, steps), 1, len(pool) - 1)
    gap = np.maximum(pool[right] - pool[right - 1], 1e-300)
    return np.asarray(np.clip(right - 1 + (steps - pool[right - 1]) / gap, 0, len(pool) - 1))
