"""Source `engine`: any table engine, fitted to the training rows, drawn under a condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from tuckpoint import parts, settings
from tuckpoint.errors import InputError, SchemaError, ShortSample
from tuckpoint.measure.evaluate import judge
from tuckpoint.measure.memory import memorised
from tuckpoint.prove.source import Made, Task
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Context
from tuckpoint.table.protect import protect, settle


@dataclass(frozen=True)
class Engine:
    """An engine of the parts table, its settings, and whether rules are mined.

    Raises InputError for an engine that spends privacy: a proof fits it again and again.
    """

    name: ClassVar[str] = "engine"
    once: ClassVar[bool] = False
    engine: str = "trees"
    settings: Mapping[str, Any] = field(default_factory=dict)
    mine_rules: bool = True

    def __post_init__(self) -> None:
        part = parts.find("engine", self.engine)
        if part.private:
            raise InputError(
                f"engine {self.engine} spends privacy in every fit, and a proof fits it again and again; prove an "
                "engine without a guarantee, or pass the made rows with --made"
            )
        settings.build(part, self.settings)

    def make(self, task: Task) -> Made:
        """Fit and draw; none if too few people satisfy the condition."""
        model = self.fitted(task.train, task.schema, task.target, task.seed.child("fit"))
        try:
            return Made(sampling.sample(model, task.rows, task.seed.child("draw"), where=task.where))
        except ShortSample:
            return Made(None, "too few people satisfied its condition")
        except SchemaError as error:  # it names a level that too few people hold
            return Made(None, str(error))

    def fitted(self, train: pa.Table, schema: Schema, target: str, seed: Seed) -> fitting.TableModel:
        """The engine fitted to these rows; levels and bounds are learnt from them alone."""
        meaning = settle(schema, protect(encode(train, schema))[0])
        context = Context(target=target, judge=judge, memorised=memorised)
        engine = settings.build(parts.find("engine", self.engine), self.settings)
        return fitting.fit(train, meaning, engine=engine, seed=seed, mine_rules=self.mine_rules, context=context)

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """An engine is named, not read from a file."""
        raise InputError(f"engine: {file}: an engine is named alone, such as --source trees")

    def serves(self, gap: Mapping[str, Any]) -> str:
        """It knows what the training rows know: gaps that neighbours surround."""
        if gap.get("support") == "outside":
            return "it lies outside the support of the training rows: a table engine knows nothing there"
        return "" if gap["missing"]["rows"] else "there is no row of it that a table engine could learn from"
