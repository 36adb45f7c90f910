"""From a recipe to calls: read, understand, keep aside, fit, draw, measure, record, write. Knows every trade."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tuckpoint import parts, settings
from tuckpoint.asked import Fitting, Making, Shares, cores, named_shares, resolve, schema_of
from tuckpoint.errors import RecipeError
from tuckpoint.files import replacing_folder
from tuckpoint.measure.evaluate import evaluate as measure
from tuckpoint.measure.evaluate import judge, memorised
from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.recipe import Recipe, Source
from tuckpoint.record import Input, Maker, Record, digest_of
from tuckpoint.scale import shards
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table import artefact, infer
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.encode import encode, spell
from tuckpoint.table.engine import Context, Progress, quiet
from tuckpoint.table.fit import TableModel
from tuckpoint.table.frame import Frame, give_back, read
from tuckpoint.table.rules import Rule, mine, user_rule
from tuckpoint.table.split import split
from tuckpoint.write import parquet
from tuckpoint.write import table as writing

ROWS_PER_SHARD = 250_000
RECIPE, RECORD, MODEL = "recipe.yaml", "record.json", "model"
_ARROW = Frame(pa.table({}), "arrow", "arrow", "")


@dataclass(frozen=True)
class Fitted:
    """A fitted model, its recipe, and an empty frame of the kind that its rows are given back as.

    Of a loaded model `recipe` starts from its folder, and `origin` is what it was fitted to, if that is known.
    """

    model: TableModel
    recipe: Recipe
    like: Frame
    origin: Input | None = None


@dataclass(frozen=True)
class Measured:
    """An evaluation and what a report tells beside it; `about` is the plain record of the made rows, or empty."""

    evaluation: Evaluation
    schema: Schema
    title: str
    about: Mapping[str, Any]
    rules: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Made:
    """A twin: `data` is the kind of dataframe that came in, `table` the same in Arrow."""

    data: Any
    table: pa.Table
    fitted: Fitted
    measured: Measured
    recipe: Recipe
    record: Record

    @property
    def evaluation(self) -> Evaluation:
        """All that was measured."""
        return self.measured.evaluation

    def save(self, folder: str | Path, *, pages: Mapping[str, str] | None = None, overwrite: bool = False) -> None:
        """Write data, model, recipe and record into a new folder, with `pages` (file name -> text) beside them."""
        with replacing_folder(Path(folder), overwrite=overwrite, ours=is_run) as place:
            table = self.table if self.recipe.format == "parquet" else spell(self.table, self.fitted.model.schema)
            writing.write(table, place / f"data.{self.recipe.format}", self.record)
            save(self.fitted, place / MODEL)
            (place / RECIPE).write_text(self.recipe.to_yaml(), encoding="utf-8")
            self.record.dump(place / RECORD)
            for name, text in (pages or {}).items():
                (place / name).write_text(text, encoding="utf-8")


def is_run(folder: Path) -> bool:
    """Whether a folder was written by `Made.save`."""
    return (folder / RECIPE).is_file() and (folder / RECORD).is_file()


def profile(
    source: Any, *, target: str | None = None, person: str | None = None, primary_key: str | None = None
) -> Schema:
    """What a table (any dataframe, or a path) is understood to mean."""
    return infer.infer(read(source).table, target=target, person=person, primary_key=primary_key)


def rules_in(source: Any, *, schema: Schema | str | Path | None = None) -> tuple[Rule, ...]:
    """The rules of a table: those that every row obeys, and as findings those that nearly all rows do."""
    frame = read(source)
    return tuple(mine(encode(frame.table, schema_of(frame.table, schema))))


def make(source: Any, *, workers: int | None = None, progress: Progress = quiet, **asked: Unpack[Making]) -> Made:
    """Keep a part aside, fit the rest, draw rows, and measure them against the part that was kept aside.

    `source` is any dataframe or a path; `data` of the result is of the same kind (a path gives an Arrow table).
    `asked` are entries of the recipe: `engine`, `settings`, `rules`, `mine_rules`, `k`, `holdout` (share), `rows`
    (default: as many as came in), `seed`, `format`; and `target`, `person`, `primary_key` or a whole `schema`.
    Raises InputError for what is wrong in them, ShortSample if rules leave too few rows.
    """
    progress("reading", 0.0)
    frame = read(source)
    return _make(resolve("make", frame, source, stamp=stamp_of(source), **asked), frame, cores(workers), progress)


def fit(source: Any, *, workers: int | None = None, progress: Progress = quiet, **asked: Unpack[Fitting]) -> Fitted:
    """Fit a model to all rows of a table; `asked` as for `make`, without what concerns drawing and the holdout."""
    progress("reading", 0.0)
    frame = read(source)
    return _fit(
        resolve("fit", frame, source, stamp=stamp_of(source), **asked), frame, frame.table, cores(workers), progress
    )


def sample(
    model: Fitted | str | Path,
    rows: int,
    *,
    seed: int = 0,
    where: str | None = None,
    rebalance: Shares | None = None,
    rules: Sequence[str] = (),
) -> Any:
    """Draw rows from a model or its folder, as the kind of dataframe that it was fitted to (Arrow from a folder).

    `where` is a condition, `rebalance` wanted shares of levels, `rules` more rules to obey. Raises InputError if the
    engine cannot honour them, ShortSample if they leave too few rows.
    """
    fitted = load(model) if isinstance(model, str | Path) else model
    fitted = with_rules(fitted, rules)
    wanted = named_shares(rebalance or {}, fitted.model.schema)
    pieces = [
        shard(fitted.model, job, Seed(seed), where=where, rebalance=wanted)
        for job in shards.plan(rows, rows_per_shard=ROWS_PER_SHARD)
    ]
    return give_back(pa.concat_tables(pieces), fitted.like)


def complete(model: Fitted | str | Path, partial: Any, *, seed: int = 0) -> Any:
    """Fill the empty cells of partly filled rows; filled cells stay. Gives back the kind of dataframe that came in."""
    fitted = load(model) if isinstance(model, str | Path) else model
    frame = read(partial)
    return give_back(sampling.complete(fitted.model, frame.table, Seed(seed).child("complete")), frame)


def evaluate(
    real: Any,
    made: Any,
    *,
    holdout: Any,
    target: str | None = None,
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    progress: Progress = quiet,
) -> Measured:
    """Measure made rows, from anywhere, against the real rows they were made from and real rows held out."""
    frame, other, held = read(real), read(made), read(holdout)
    meaning = schema_of(frame.table, schema, target=target)
    evaluation = measure(
        frame.table,
        other.table,
        held.table,
        meaning,
        target=target,
        seed=Seed(seed),
        progress=progress,
    )
    return Measured(evaluation, meaning, other.name, stamp_of(made) or {})


def load(folder: str | Path) -> Fitted:
    """A saved model. Raises TraceError if it was altered or is newer than this tuckpoint."""
    model = fitting.load(folder)
    source = Source(Path(folder).resolve().name, artefact.digest(folder), path=str(folder))
    return Fitted(model, Recipe("sample", source), _ARROW, _origin(Path(folder)))


def _origin(folder: Path) -> Input | None:
    """What a saved model was fitted to, as the recipe in its folder says."""
    place = folder / RECIPE
    return Recipe.load(place).source.input if place.is_file() else None


def save(fitted: Fitted, folder: str | Path, *, overwrite: bool = False) -> None:
    """Write a model, with the recipe that fitted it, as a new folder."""
    with replacing_folder(Path(folder), overwrite=overwrite, ours=artefact.is_model) as place:
        fitting.save(fitted.model, place)
        (place / RECIPE).write_text(fitted.recipe.to_yaml(), encoding="utf-8")


def with_rules(fitted: Fitted, rules: Sequence[str]) -> Fitted:
    """The same model with rules that came after the fit; rows that break them are drawn anew."""
    if not rules:
        return fitted
    model = fitted.model
    more = [user_rule(rule, model.book.fields, model.schema) for rule in rules]
    return replace(fitted, model=replace(model, book=model.book.with_rules(more)))


def repeat(
    recipe: Recipe | str | Path, source: Any = None, *, workers: int | None = None, progress: Progress = quiet
) -> Made | Fitted:
    """Do again what a recipe of `make` or `fit` says; `source` if it is not where the recipe says, or was in memory.

    Raises RecipeError if the input is not there or has changed.
    """
    home = Path() if isinstance(recipe, Recipe) else Path(recipe).parent
    recipe = recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
    if recipe.verb == "sample":
        raise RecipeError("this recipe draws rows from a saved model; repeat it on the command line: tuckpoint run")
    if not parts.find("engine", recipe.engine).repeatable:
        raise RecipeError(
            f"engine {recipe.engine} draws new noise in each fit, and each fit spends privacy: it is not repeated. "
            f"Draw more rows from the fitted model (tuckpoint sample), or spend on purpose (tuckpoint {recipe.verb})"
        )
    source = place_of(recipe.source, home) if source is None else source
    frame = read(source)
    if frame.digest != recipe.source.sha256:
        raise RecipeError(
            f"the input has changed: SHA-256 of {frame.name} is {frame.digest[:12]}..., the recipe was written for "
            f"{recipe.source.sha256[:12]}...; bring the old file back, or start anew with: tuckpoint {recipe.verb}"
        )
    recipe = replace(recipe, tuckpoint=Recipe("sample", recipe.source).tuckpoint)
    if recipe.verb == "fit":
        return _fit(recipe, frame, frame.table, cores(workers), progress)
    return _make(recipe, frame, cores(workers), progress)


def shard(
    model: TableModel, job: shards.Job, seed: Seed, *, where: str | None, rebalance: Mapping[str, Mapping[str, float]]
) -> pa.Table:
    """The rows of one shard: they depend on the model, the shard and the seed, and on no other shard."""
    return sampling.sample(
        model,
        job.rows,
        seed.child("sample", job.index),
        where=where,
        rebalance=rebalance or None,
        first_row=job.first_row,
    )


def place_of(source: Source, home: Path) -> Path:
    """Where the input of a recipe lies now: as it was named, or seen from the folder of the recipe."""
    if source.path is None:
        raise RecipeError(f'the input "{source.name}" was a table in memory; pass it: tuckpoint.repeat(recipe, table)')
    for place in (Path(source.path), home / source.path):
        if place.exists():
            return place
    raise RecipeError(f"no {source.path} here, which the recipe starts from; say where it is now with --input")


def stamp_of(source: Any) -> dict[str, Any] | None:
    """The plain record that a file bears; None for unmarked files and dataframes."""
    if isinstance(source, pa.Table):
        return parquet.stamp_of(source.schema)
    return writing.read_stamp(source) if isinstance(source, str | Path) else None


def rules_of(model: TableModel) -> tuple[str, ...]:
    """The text of each rule that made rows obey."""
    return tuple(rule.text for rule in (*model.book.rules, *model.book.added) if rule.enforced)


def _fit(recipe: Recipe, frame: Frame, table: pa.Table, workers: int, progress: Progress) -> Fitted:
    assert recipe.schema is not None
    context = Context(threads=workers, progress=progress, target=recipe.schema.target, judge=judge, memorised=memorised)
    model = fitting.fit(
        table,
        recipe.schema,
        engine=settings.build(parts.find("engine", recipe.engine), recipe.settings),
        seed=Seed(recipe.seed).child("fit"),
        rules=recipe.rules,
        mine_rules=recipe.mine_rules,
        k=recipe.k,
        context=context,
    )
    return Fitted(model, recipe, replace(frame, table=frame.table.slice(0, 0)))


def _make(recipe: Recipe, frame: Frame, workers: int, progress: Progress) -> Made:
    assert recipe.schema is not None
    seed = Seed(recipe.seed)
    real, holdout = split(frame.table, recipe.schema, recipe.holdout, seed.child("split"))
    fitted = _fit(recipe, frame, real, workers, _within(progress, 0.05, 0.4))
    progress("drawing rows", 0.4)
    drawn = sample(replace(fitted, like=_ARROW), max(recipe.rows, real.num_rows), seed=recipe.seed)
    table = drawn.slice(0, recipe.rows)
    evaluation = measure(
        real,
        drawn.slice(0, real.num_rows),
        holdout,
        recipe.schema,
        target=recipe.schema.target,
        seed=seed,
        rules=fitted.model.book,
        progress=_within(progress, 0.5, 1.0),
    )
    record = _record(recipe, fitted.model, evaluation)
    title, commands = frame.name, (f"pip install tuckpoint=={recipe.tuckpoint}", f"tuckpoint run {RECIPE}")
    measured = Measured(evaluation, recipe.schema, title, record.to_dict(), rules_of(fitted.model), commands)
    return Made(give_back(table, frame), table, fitted, measured, recipe, record)


def _record(recipe: Recipe, model: TableModel, evaluation: Evaluation) -> Record:
    claims = {
        claim: [score.passed for score in evaluation.scores if score.name in names and not score.subject]
        for claim, names in evaluation.claims.items()
    }
    with tempfile.TemporaryDirectory() as room:
        fitting.save(model, Path(room) / MODEL)
        digest = artefact.digest(Path(room) / MODEL)
    return Record(
        dataset=recipe.source.name,
        maker=Maker(recipe.engine, digest),
        recipe=recipe.digest(),
        seed=recipe.seed,
        rows=recipe.rows,
        inputs=(recipe.source.input,),
        privacy=None if model.guarantee is None else model.guarantee.to_dict(),
        protections=tuple(model.notes),
        evidence={
            "scores": digest_of(evaluation.to_dict()),
            "claims": {claim: _verdict(passed) for claim, passed in claims.items()},
        },
    )


def _verdict(passed: Sequence[bool | None]) -> bool | None:
    """False if one score failed, None if none decided or one could not be computed, else true."""
    if False in passed:
        return False
    return True if passed and True in passed else None


def _within(progress: Progress, low: float, high: float) -> Progress:
    return lambda what, share: progress(what, low + (high - low) * share)
