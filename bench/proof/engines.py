"""Two engines that only a bench may have: one that knows the law of the rows, and one that knows the locked rows.

`oracle` draws from the law of `bench.proof.null`, whatever it is fitted to: what a right simulator brings. `leaky` was
shown a whole table before the proof began and hands out rows of it, each number moved by a share of its spread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tuckpoint import parts
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Condition, Context, Encoded, Field, Guarantee, State
from tuckpoint.table.infer import infer

SHOWN: dict[str, Any] = {}  # the table that `leaky` has seen


def register() -> None:
    """Make both engines known to this process."""
    rows: Any = parts.PARTS["engine"]
    rows.update(oracle="bench.proof.engines:Oracle", leaky="bench.proof.engines:Leaky")


@dataclass(frozen=True)
class Drawn:
    """A model that takes its rows from a table of codes that `source` gives by number of rows and seed."""

    fields: tuple[Field, ...]
    source: Any
    notes: tuple[str, ...] = ()
    guarantee: Guarantee | None = None

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        return None if condition is None and not given else "draws whole rows alone"

    def draw(
        self,
        rows: int,
        seed: Seed,
        *,
        condition: Condition | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> Encoded:
        table: Encoded = self.source(rows, seed)
        columns = {}
        for field in self.fields:
            values = table.columns[field.name]
            if field.levels is not None:
                places = {level: place for place, level in enumerate(field.levels)}
                names = table.field(field.name).levels or ()
                values = np.array([places.get(name, 0) for name in names], np.int32)[values]
            columns[field.name] = values
        return Encoded(self.fields, columns)

    def state(self) -> State:
        return State({})

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        raise NotImplementedError("an engine of a bench is never saved")


@dataclass(frozen=True)
class Oracle:
    """Rows of the law itself."""

    name: ClassVar[str] = "oracle"
    repeatable: ClassVar[bool] = True
    private: ClassVar[bool] = False

    def fit(self, real: Encoded, seed: Seed, context: Context) -> Drawn:
        return Drawn(real.fields, _from_law)


@dataclass(frozen=True)
class Leaky:
    """Rows of the table that it was shown, numbers moved by `jitter` standard deviations."""

    jitter: float = 0.0
    name: ClassVar[str] = "leaky"
    repeatable: ClassVar[bool] = True
    private: ClassVar[bool] = False

    def fit(self, real: Encoded, seed: Seed, context: Context) -> Drawn:
        return Drawn(real.fields, self.rows)

    def rows(self, rows: int, seed: Seed) -> Encoded:
        """Rows of the shown table, each at most once as far as there are enough."""
        shown: Encoded = SHOWN["rows"]
        random = seed.numpy()
        taken = np.concatenate([random.permutation(shown.rows) for _ in range(rows // shown.rows + 1)])[:rows]
        out = shown.take(taken)
        columns = dict(out.columns)
        for field in out.fields:
            if field.numeric and self.jitter:
                spread = np.nanstd(columns[field.name])
                columns[field.name] = np.round(columns[field.name] + self.jitter * spread * random.normal(size=rows), 2)
        return Encoded(out.fields, columns)


def _from_law(rows: int, seed: Seed) -> Encoded:
    from bench.proof.null import law

    table = law(rows, seed.child("oracle"))
    return encode(table, infer(table, target="y"))
