"""What a run leaves: a fitted model, a measured twin, and their folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from tuckpoint.errors import InputError
from tuckpoint.fair.make import FairRows, fair_rows
from tuckpoint.fair.spec import Spec
from tuckpoint.fair.told import Told
from tuckpoint.files import replacing_folder
from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.recipe import Recipe, Source
from tuckpoint.record import Input, Record
from tuckpoint.release import Audited
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.settings import typed
from tuckpoint.table import artefact
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.encode import spell
from tuckpoint.table.engine import Progress, quiet
from tuckpoint.table.fit import TableModel
from tuckpoint.table.frame import Frame, read
from tuckpoint.write import table as writing

RECIPE, RECORD, MODEL = "recipe.yaml", "record.json", "model"
ARROW = Frame(pa.table({}), "arrow", "arrow", "")


@dataclass(frozen=True)
class Fitted:
    """A fitted model, its recipe, and an empty frame of the kind that its rows are given back as.

    Of a loaded model `recipe` starts from its folder; `born` is the recipe of the fit, if that is known.
    """

    model: TableModel
    recipe: Recipe
    like: Frame
    born: Recipe | None = None

    @property
    def origin(self) -> Input | None:
        """What it was fitted to, if that is known."""
        return None if self.born is None else self.born.source.input

    @property
    def charged(self) -> Mapping[str, str | None] | None:
        """Whose budget paid for a private fit."""
        return None if self.born is None else self.born.charged


@dataclass(frozen=True)
class Measured:
    """An evaluation and what a report tells beside it; `about` is the plain record of the made rows, or empty.

    `audited` is the audit of the same rows, if one was asked for.
    """

    evaluation: Evaluation
    schema: Schema
    title: str
    about: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    audited: Audited | None = None


@dataclass(frozen=True)
class Made:
    """A twin: `data` is the kind of dataframe that came in, `table` the same in Arrow.

    `fair` tells what was done to keep a fairness target, if one was asked for.
    """

    data: Any
    table: pa.Table
    fitted: Fitted
    measured: Measured
    recipe: Recipe
    record: Record
    fair: Told | None = None

    @property
    def evaluation(self) -> Evaluation:
        """All that was measured."""
        return self.measured.evaluation

    @property
    def audited(self) -> Audited | None:
        """The audit and what the gate says, if the rows were audited."""
        return self.measured.audited

    @typed
    def save(self, folder: str | Path, *, pages: Mapping[str, str] | None = None, overwrite: bool = False) -> None:
        """Write data, model, recipe and record into a new folder, with `pages` (file name -> text) beside them."""
        with replacing_folder(Path(folder), overwrite=overwrite, ours=is_run) as place:
            table = self.table if self.recipe.format == "parquet" else spell(self.table, self.fitted.model.schema)
            data = place / f"data.{self.recipe.format}"
            writing.write(table, data, self.record)
            if self.audited is not None:
                replace(self.audited, made=read(data).digest).write(place)
            save(self.fitted, place / MODEL)
            (place / RECIPE).write_text(self.recipe.to_yaml(), encoding="utf-8")
            self.record.dump(place / RECORD)
            for name, text in (pages or {}).items():
                (place / name).write_text(text, encoding="utf-8")


def fair_sample(
    model: TableModel, recipe: Recipe, *, real: pa.Table | None = None, progress: Progress = quiet
) -> FairRows | None:
    """The rows of a recipe that keep its fairness target: those of its first shard, but for what must change.

    None if the recipe has no target. `real` are the rows behind the model, to count donors.
    """
    if recipe.fair is None:
        return None
    if recipe.where is not None or recipe.rebalance:
        raise InputError("fair: quotas and conditions in one draw are not kept; use `shares`, or leave --where out")
    stream = Seed(recipe.seed).child("sample", 0)
    return fair_rows(model, Spec.from_dict(recipe.fair), recipe.rows, stream, real=real, progress=progress)


def as_made(evaluation: Evaluation, model: TableModel, recipe: Recipe) -> Evaluation:
    """What was measured of a twin, with advice for its engine, the rows that are written, and what rules threw away."""
    told = bent(sampling.thrown(model, Seed(recipe.seed).child("thrown")))
    rows = {**evaluation.rows, "written": recipe.rows}
    noted = replace(evaluation, rows=rows, notes=(*evaluation.notes, *([f"{told}."] if told else [])))
    return noted.advised(recipe.engine, private=model.guarantee is not None)


def bent(thrown: Mapping[str, float]) -> str:
    """What it means that so large shares of drawn rows broke these rules; nothing if none did."""
    told = [
        f"{share:.0%} of the drawn rows broke the rule `{text}` and were drawn anew" for text, share in thrown.items()
    ]
    return f"{'; '.join(told)}, which moves the shares of other columns" if told else ""


def is_run(folder: Path) -> bool:
    """Whether a folder was written by `Made.save`."""
    return (folder / RECIPE).is_file() and (folder / RECORD).is_file()


@typed
def load(folder: str | Path) -> Fitted:
    """A saved model. Raises TraceError if it was altered or is newer than this tuckpoint."""
    model = fitting.load(folder)
    source = Source(Path(folder).resolve().name, artefact.digest(folder), path=str(folder))
    place = Path(folder) / RECIPE  # of the fit
    return Fitted(model, Recipe("sample", source), ARROW, Recipe.load(place) if place.is_file() else None)


@typed
def save(fitted: Fitted, folder: str | Path, *, overwrite: bool = False) -> None:
    """Write a model, with the recipe that fitted it, as a new folder."""
    with replacing_folder(Path(folder), overwrite=overwrite, ours=artefact.is_model) as place:
        fitting.save(fitted.model, place)
        (place / RECIPE).write_text(fitted.recipe.to_yaml(), encoding="utf-8")
