"""Find what a real table lacks: the one call behind `tuckpoint find`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tuckpoint.asked import schema_of
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.gap.columns import parts
from tuckpoint.gap.finding import Gap, Gaps
from tuckpoint.gap.reference import Search, against
from tuckpoint.measure.prepare import prepare
from tuckpoint.schema import Schema
from tuckpoint.table.engine import Progress, quiet
from tuckpoint.table.frame import Frame, read


@dataclass(frozen=True)
class Settings:
    """How gaps are sought: at which level all tests of one kind stand together, over how many columns, most told.

    `smallest_effect` is the smallest fall of the mean loss that would be worth its rows.
    """

    level: float = 0.05
    ways: int | None = None
    most: int = 20
    smallest_effect: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.level <= 0.2:
            raise InputError(f"level {self.level}: say a share above 0, up to 0.2")
        if self.ways not in (None, 1, 2, 3):
            raise InputError(f"ways {self.ways}: say 1, 2 or 3 columns that are combined")
        if self.most < 1 or self.smallest_effect <= 0:
            raise InputError("most and smallest_effect must be above 0")


def find(
    train: Any,
    *,
    target: str | None = None,
    reference: Any = None,
    group: str | None = None,
    schema: Schema | str | Path | None = None,
    settings: Settings | None = None,
    progress: Progress = quiet,
) -> Gaps:
    """What the real table `train` (any dataframe, or a path) lacks beside a reference sample.

    `reference` has the same columns; the target may be absent. `group` names the people. Raises InputError without a
    reference of any kind: nobody can see what is missing from the rows alone.
    """
    chosen, frame = settings or Settings(), read(train)
    for role, name in (("target", target), ("group", group)):
        if name is not None and name not in frame.table.column_names:
            raise InputError(
                f'{role} "{name}" is no column of {frame.name}{did_you_mean(name, frame.table.column_names)}'
            )
    if reference is None:
        raise InputError(
            "what is missing cannot be seen in the rows themselves; pass --reference with rows of the population"
        )
    meaning = schema_of(frame.table, schema, target=target, person=group)
    progress("counting cells", 0.1)
    beside = read(reference)
    search = sampled(frame.table, beside.table, meaning, chosen)
    return Gaps(
        about=_about(frame, beside, meaning, chosen),
        gaps=tuple(Gap(missing) for missing in search.found),
        notes=(),
        tested=search.tested,
    )


def sampled(train: pa.Table, reference: pa.Table, schema: Schema, settings: Settings) -> Search:
    """The gaps beside a reference sample, over the columns that both tables have, but for the target."""
    shared = Schema(
        tuple(c for c in schema.columns if c.name in reference.column_names and c.modelled and c.name != schema.target)
    )
    if not shared.columns:
        raise InputError(
            "the reference shares no column with the training rows that could be compared; rename its columns"
        )
    space = prepare(reference, train, None, shared)
    return against(
        parts(space.made, space.real, shared), level=settings.level, ways=settings.ways, most=settings.most
    )  # fmt: skip


def _about(frame: Frame, beside: Frame, schema: Schema, settings: Settings) -> dict[str, Any]:
    return {
        "name": frame.name, "sha256": frame.digest, "rows": frame.table.num_rows, "target": schema.target,
        "person": schema.person, "reference": {"kind": "sample", "name": beside.name, "sha256": beside.digest,
        "rows": beside.table.num_rows}, "level": settings.level, "smallest_effect": settings.smallest_effect,
    }  # fmt: skip
