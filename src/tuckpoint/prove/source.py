"""What a source of made rows is: told what is asked of it, it learns from the training rows at hand alone, and makes.

A kind of source is a frozen settings dataclass with `make`, one row in the parts table. For a plan drawn from gaps it
also has `planned` (its settings from a file) and `serves` (whether it brings information for a gap), and if it may know
how much it would bring, `foretells`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, runtime_checkable

import pyarrow as pa

from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array


@dataclass(frozen=True)
class Task:
    """What is asked of a source: `rows` rows that satisfy `where`, from the training rows `train` and nothing else.

    `schema` says what the columns are; bounds and levels in it do not come from rows.
    """

    train: pa.Table
    schema: Schema
    target: str
    rows: int
    where: str | None
    seed: Seed


@dataclass(frozen=True)
class Made:
    """What a source made: a table with the columns of the training rows, or none and `why`.

    `facts` are figures of this fit, whose means the verdict shows; `weights` (n,) say how much each row counts beside
    the others (default: the same). Columns whose name begins with `_` tell where a row comes from; nothing learns them.
    """

    table: pa.Table | None
    why: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)
    weights: Array | None = None


class Maker(Protocol):
    """A kind of source with its settings; with `once` it learns nothing from rows, and a proof asks it once."""

    name: ClassVar[str]
    once: ClassVar[bool]

    def make(self, task: Task) -> Made:
        """Make what is asked, or say why not."""
        ...

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """The settings that a file stands for, its content or digest among them, so that the plan's digest fixes it."""
        ...

    def serves(self, gap: Mapping[str, Any]) -> str:
        """Why it brings no information for a gap of gaps.json; empty if it does."""
        ...


@dataclass(frozen=True)
class Foretold:
    """How far what a source knows would lower the mean loss in a gap, and in words why."""

    gain: float
    told: str


@runtime_checkable
class Foretelling(Protocol):
    """A kind of source that may know what it would bring to a gap."""

    def foretells(self, gap: Mapping[str, Any]) -> Foretold | None:
        """What it would bring to a gap of gaps.json; None if it cannot say."""
        ...
