"""Tries candidates on part of the real rows, judges them on the rest, and keeps the best inside a privacy band."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tuckpoint.errors import InputError, TraceError, count
from tuckpoint.seed import Seed
from tuckpoint.table.engine import (
    Array,
    Condition,
    Context,
    Encoded,
    Engine,
    EngineModel,
    Field,
    Guarantee,
    State,
    quiet,
    split,
)
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.trees import Trees

CANDIDATES: Mapping[str, Engine] = {
    "trees": Trees(),
    "trees, finer leaves": Trees(leaf=12, finest=5),
    "trees, coarser leaves": Trees(leaf=60, finest=30),
    "trees, partly stacked": Trees(stacked=0.4),
    "trees, coarse and unstacked": Trees(leaf=100, finest=60, stacked=0.0),
    "independent": Independent(),
}
LEAST_ROWS = 400  # below, the judged part is too small to tell candidates apart


@dataclass(frozen=True)
class Auto:
    """Settings of the choice.

    share: part of the real rows that candidates are fitted on (0..1), the rest judges them; band: highest membership
    AUC that is let pass (0.5 is no better than a coin); utility_weight: how much one point of lost utility weighs
    against one point of detection.
    """

    name: ClassVar[str] = "auto"
    repeatable: ClassVar[bool] = True
    private: ClassVar[bool] = False

    share: float = 0.8
    band: float = 0.53
    utility_weight: float = 2.0

    def __post_init__(self) -> None:
        for name, low, high in (("share", 0.1, 0.9), ("band", 0.5, 1.0), ("utility_weight", 0.0, 1e6)):
            if not low <= getattr(self, name) <= high:
                raise InputError(f"auto: {name} = {getattr(self, name)} is outside {low}..{high}")

    def fit(self, real: Encoded, seed: Seed, context: Context) -> AutoModel:
        """Judge the candidates on rows that they did not see, then fit the best to all rows."""
        if context.judge is None:
            raise InputError("auto needs a judge; fit it through tuckpoint.fit or the command line")
        if real.rows < LEAST_ROWS or not real.fields:
            chosen = "trees"
            why: tuple[str, ...] = (
                f"chose trees: {count(real.rows, 'row is', 'rows are')} too few to judge candidates on",
            )
        else:
            chosen, why = self._choose(real, seed, context)
        context.progress(f"learning all rows with {chosen}", 0.9)
        model = CANDIDATES[chosen].fit(real, seed.child("final"), replace(context, progress=quiet))
        context.progress("learning all rows", 1.0)
        return AutoModel(chosen, why, model)

    @classmethod
    def load(cls, state: State, fields: tuple[Field, ...]) -> AutoModel:
        """The model that told this state."""
        return AutoModel.from_state(state, fields)

    def _choose(self, real: Encoded, seed: Seed, context: Context) -> tuple[str, tuple[str, ...]]:
        assert context.judge is not None
        train, rest = split(real, self.share, seed.child("split"))
        if not train.rows or not rest.rows:
            return "trees", ("chose trees: the rows are of too few people to judge candidates on",)
        told: dict[str, Mapping[str, float]] = {}
        for number, (name, engine) in enumerate(CANDIDATES.items()):
            context.progress(f"trying {name}", 0.9 * number / len(CANDIDATES))
            model = engine.fit(train, seed.child("candidate", name), replace(context, progress=quiet))
            made = model.draw(train.rows, seed.child("made", name))
            told[name] = context.judge(train, made, rest, context.target)
        within = {name: numbers for name, numbers in told.items() if numbers.get("membership", 1.0) <= self.band}
        if within:
            best = min(within, key=lambda name: self.loss(within[name]))
            first = f"chose {best}: least loss of {len(within)} candidates with membership at most {self.band}"
        else:
            best = min(told, key=lambda name: told[name].get("membership", 1.0))
            first = f"chose {best}: no candidate stayed within membership {self.band}; it comes nearest"
        lines = [f"{name}: loss {self.loss(n):.4f} ({_numbers(n)})" for name, n in told.items()]
        return best, (first, *lines)

    def loss(self, numbers: Mapping[str, float]) -> float:
        """Detection above a coin's, and utility below that of real rows, weighed together; lower is better."""
        detection = abs(numbers.get("detection", 1.0) - 0.5)
        lost = max(0.0, numbers.get("utility_reference", 0.0) - numbers.get("utility", 0.0))
        return detection + self.utility_weight * lost


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in sorted(numbers.items()))


class AutoModel:
    """The chosen engine's model, and why it was chosen."""

    def __init__(self, chosen: str, why: tuple[str, ...], model: EngineModel) -> None:
        self.chosen = chosen
        self.model = model
        self.why = why
        self.fields: tuple[Field, ...] = model.fields
        self.guarantee: Guarantee | None = model.guarantee
        self.notes: tuple[str, ...] = (*why, *model.notes)

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """As the chosen engine's model."""
        return self.model.refuse(condition, given)

    def draw(
        self, rows: int, seed: Seed, *, condition: Condition | None = None, given: Mapping[str, Array] | None = None
    ) -> Encoded:
        """As the chosen engine's model."""
        return self.model.draw(rows, seed, condition=condition, given=given)

    def state(self) -> State:
        """The state of the chosen engine's model, and the choice."""
        inner = self.model.state()
        return State({"chosen": self.chosen, "why": list(self.why), "inner": dict(inner.values)}, inner.arrays)

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if it cannot be one."""
        try:
            chosen, why = state.values["chosen"], tuple(state.values["why"])
            model = CANDIDATES[chosen].load(State(dict(state.values["inner"]), state.arrays), fields)
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"this is not a saved auto model: {error!r}; fit it again") from None
        return cls(chosen, why, model)
