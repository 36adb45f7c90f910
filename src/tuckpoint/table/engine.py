"""What the table trade asks of an engine, and the encoded table that passes between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.privacy.account import Account, round_up
from tuckpoint.schema import Provenance, Steps
from tuckpoint.seed import Seed

if TYPE_CHECKING:
    from tuckpoint.table.rule import Rule

Array = NDArray[Any]
Progress = Callable[[str, float], None]  # what is being done, share done in 0..1


def quiet(what: str, share: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Field:
    """One modelled column as engines see it.

    With `levels` the column holds int32 codes into them, -1 for missing; without, float64 numbers, NaN for missing,
    that are multiples of 10**-decimals. `low`, `high`, `levels` and `nullable` come from the schema's domain and are as
    trustworthy as `provenance` says: an engine that promises privacy must refuse `data`. What an engine draws is put on
    the `steps` afterwards; none needs to know them.
    """

    name: str
    levels: tuple[str, ...] | None = None
    decimals: int = 0
    ordered: bool = False
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    provenance: Provenance = "data"
    steps: Steps | None = None

    @property
    def numeric(self) -> bool:
        """Whether the column holds numbers rather than codes of levels."""
        return self.levels is None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The field that a model stored; raises KeyError or TypeError if it cannot be one."""
        levels = None if data["levels"] is None else tuple(data["levels"])
        steps = Steps(**data["steps"]) if data.get("steps") else None
        return cls(**{**data, "levels": levels, "steps": steps})


@dataclass(frozen=True)
class Encoded:
    """A table of modelled columns: `columns[name]` is float64 (n,) or int32 codes (n,), as its field says.

    `person` (n,) int64 numbers the people behind the rows; None means that each row is another person.
    """

    fields: tuple[Field, ...]
    columns: Mapping[str, Array]
    person: Array | None = None

    def __post_init__(self) -> None:
        if {item.name for item in self.fields} != set(self.columns):
            raise InputError(f"fields {[f.name for f in self.fields]} and columns {list(self.columns)} differ")

    @property
    def rows(self) -> int:
        """Number of rows; a table without modelled columns has none."""
        return len(next(iter(self.columns.values()))) if self.columns else 0

    @cached_property
    def _by_name(self) -> dict[str, Field]:
        return {item.name: item for item in self.fields}

    def field(self, name: str) -> Field:
        """The field of that name."""
        return self._by_name[name]

    def take(self, rows: Array) -> Encoded:
        """The rows at these positions, or where the mask is true."""
        person = None if self.person is None else self.person[rows]
        return replace(self, columns={name: values[rows] for name, values in self.columns.items()}, person=person)

    def select(self, names: tuple[str, ...]) -> Encoded:
        """Only these columns, in this order."""
        return replace(self, fields=tuple(self.field(n) for n in names), columns={n: self.columns[n] for n in names})


def cut(data: Encoded, rows: int, random: np.random.Generator) -> Encoded:
    """At most `rows` rows, drawn without replacement."""
    return data.take(np.sort(random.permutation(data.rows)[:rows])) if data.rows > rows else data


def split(real: Encoded, share: float, seed: Seed) -> tuple[Encoded, Encoded]:
    """Two parts by chance; a person is wholly in one of them."""
    rng = seed.numpy()
    if real.person is None:
        order = rng.permutation(real.rows)
        cut = round(share * real.rows)
        return real.take(np.sort(order[:cut])), real.take(np.sort(order[cut:]))
    people, person = np.unique(real.person, return_inverse=True)  # numbers may have gaps
    inside = rng.random(len(people))[person] < share
    return real.take(inside), real.take(~inside)


@dataclass(frozen=True)
class Condition:
    """What made rows must satisfy: `mask(columns)` is true where they do, for columns named in `names`.

    `parts` holds one mask per column where the condition is an `and` of conditions on single columns, else None.
    """

    text: str
    names: tuple[str, ...]
    mask: Callable[[Mapping[str, Array]], NDArray[np.bool_]]
    parts: Mapping[str, Callable[[Array], NDArray[np.bool_]]] | None = None


@dataclass(frozen=True)
class Guarantee:
    """A differential-privacy guarantee: (epsilon, delta) of one release, its zCDP rho and its unit.

    Neighbouring tables differ by adding or removing all rows of one unit. `failure` is the part of delta that was spent
    outright, on thresholds: releases compose as the sums of `rho` and of `failure`. `spent` names what rho went into;
    `rows` is the noisy number of rows that were counted, to draw as many without telling the true number.
    """

    epsilon: float
    delta: float
    rho: float
    unit: str
    neighbours: str = "add or remove one unit"
    mechanism: str = ""
    failure: float = 0.0
    rows: int | None = None
    spent: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, account: Account, *, unit: str, mechanism: str, rows: int | None) -> Guarantee:
        """The guarantee of all that an account has spent; no figure of it is typed by hand."""
        return cls(
            epsilon=account.spent_epsilon(),
            delta=account.delta,
            rho=round_up(account.total),
            unit=unit,
            mechanism=mechanism,
            failure=round_up(account.total_failure),
            rows=rows,
            spent={what: round_up(rho) for what, rho in account.spent.items()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "spent": dict(self.spent)}


@dataclass(frozen=True)
class State:
    """A fitted model as plain JSON values and arrays: all that a file may hold."""

    values: Mapping[str, Any]
    arrays: Mapping[str, Array] = field(default_factory=dict)


class EngineModel(Protocol):
    """A fitted engine: immutable; it only draws and tells its state."""

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns that it draws."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a reader of the record should know of this fit."""
        ...

    @property
    def guarantee(self) -> Guarantee | None:
        """Its differential-privacy guarantee, or None."""
        ...

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """Why this condition, or these given columns, cannot be honoured exactly; None if they can."""
        ...

    def draw(
        self,
        rows: int,
        seed: Seed,
        *,
        condition: Condition | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> Encoded:
        """Draw rows; `given` fixes whole columns (rows,), `condition` restricts what is drawn.

        Deterministic in (model, rows, seed, condition, given). Never fewer rows than asked: raises ShortSample.
        """
        ...

    def state(self) -> State:
        """All that must be saved."""
        ...

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if it cannot be one."""
        ...


class Memory(Protocol):
    """Whether rows made from either half of a table give away who was in it: perhaps, so that no more should be risked,
    or surely.
    """

    def __call__(self, halves: tuple[Encoded, Encoded], made: tuple[Encoded, Encoded], *, surely: bool) -> bool:
        """Ask one of the two."""
        ...


@dataclass(frozen=True)
class Context:
    """What comes to a fit from outside: threads, progress, the target column, a judge of candidates, an account.

    `blocks` are rules that fix a column where another holds a value: made rows are put right by them in any case, and
    an engine that draws column by column may hold them itself, and learn the rest from rows where they fix nothing.
    `account` holds what a private engine may still spend, when something was spent before it (on private estimates of
    domains); without one the engine opens its own. `judge(real, made, holdout, target)` gives named numbers, which
    `auto` chooses by. `memorised` tells whether made rows give away who was in the real ones. Both
    come from the layer above.
    """

    threads: int = 1
    progress: Progress = quiet
    target: str | None = None
    blocks: tuple[Rule, ...] = ()
    judge: Callable[[Encoded, Encoded, Encoded, str | None], Mapping[str, float]] | None = None
    memorised: Memory | None = None
    account: Account | None = None


class Engine(Protocol):
    """Frozen settings of one way to model a table; `name` is its row in the parts table.

    `repeatable` says whether two fits with one seed give the same model. A private engine cannot promise that: its
    noise must not follow from a published seed. Drawing from one fitted model is repeatable for every engine.
    `private` says whether it gives a guarantee: such an engine must see nothing that was read off the data.
    """

    name: ClassVar[str]
    repeatable: ClassVar[bool]
    private: ClassVar[bool]

    def fit(self, real: Encoded, seed: Seed, context: Context) -> EngineModel:
        """Learn the real rows."""
        ...

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> EngineModel:
        """The model of this engine that told this state."""
        ...


class PrivateEngine(Engine, Protocol):
    """What the settings of an engine with `private = True` hold besides: the promise of the whole fit, and its unit."""

    @property
    def epsilon(self) -> float:
        """The promise of the whole fit."""
        ...

    @property
    def delta(self) -> float:
        """The chance that the promise fails, for the whole fit."""
        ...

    @property
    def unit(self) -> Literal["person", "row"]:
        """Whose presence is hidden."""
        ...

    @property
    def rows_per_person(self) -> int:
        """How many rows of one person are counted at most."""
        ...
