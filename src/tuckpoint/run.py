"""From a recipe to calls: read, understand, keep aside, fit, draw, measure, record, write. Knows every trade."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Unpack

import pyarrow as pa

from tuckpoint import parts, release, settings
from tuckpoint.asked import Fitting, Making, Shares, check_held, cores, named_shares, read_held, resolve, schema_of
from tuckpoint.errors import RecipeError
from tuckpoint.fair.make import FairRows
from tuckpoint.measure.evaluate import evaluate as measure
from tuckpoint.measure.evaluate import judge
from tuckpoint.measure.evaluation import Evaluation, maker_of
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.memory import memorised
from tuckpoint.outcome import ARROW, MODEL, RECIPE, Fitted, Made, Measured, as_made, fair_sample, load
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.recipe import Recipe, Source
from tuckpoint.record import Maker, Record, digest_of
from tuckpoint.release import Audited
from tuckpoint.scale import shards
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.settings import typed
from tuckpoint.table import artefact, infer
from tuckpoint.table import complete as completing
from tuckpoint.table import fit as fitting
from tuckpoint.table import sample as sampling
from tuckpoint.table.engine import Context, Progress, quiet
from tuckpoint.table.fit import TableModel
from tuckpoint.table.frame import Frame, give_back, read
from tuckpoint.table.rules import Rule, user_rule
from tuckpoint.table.split import split
from tuckpoint.write import parquet
from tuckpoint.write import table as writing

ROWS_PER_SHARD = 250_000


@typed
def profile(
    source: Any, *, target: str | None = None, person: str | None = None, primary_key: str | None = None
) -> Schema:
    """What a table (any dataframe, or a path) is understood to mean."""
    return infer.infer(read(source).table, target=target, person=person, primary_key=primary_key)


@typed
def rules_in(source: Any, *, schema: Schema | str | Path | None = None) -> tuple[Rule, ...]:
    """The rules of a table: those that every row obeys, as a fit would, and as findings those that nearly all do."""
    frame = read(source)
    return fitting.rules_in(frame.table, schema_of(frame.table, schema))


@typed
def make(
    source: Any,
    *,
    audit: bool = False,
    context: Mapping[str, Any] | str | Path | None = None,
    ledger: str | Path | None = None,
    who: str | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
    **asked: Unpack[Making],
) -> Made:
    """Keep a part aside, fit the rest, draw rows, and measure them against the part that was kept aside.

    `source` is any dataframe or a path; `data` of the result is of the same kind (a path gives an Arrow table).
    `asked` are entries of the recipe: `engine`, `settings`, `rules`, `mine_rules`, `k`, `holdout` (share), `rows`
    (default: as many as came in), `seed`, `format`; and `target`, `person`, `primary_key` or a whole `schema`.
    For a private fit: `private` (epsilon), `delta`, `unit` (a column that names people, or `row`), `rows_per_unit`, and
    what the ledger enters: `population`, `part`, `purpose`; it is always audited, others with `audit`. `ledger` is the
    file (default: that of the user), `who` asks (default: the user), `context` what only people know for the officer's
    page (a mapping or YAML file, see `release.read_context`).
    Raises InputError for what is wrong in them, ShortSample if rules leave too few rows, PrivacyError for what would
    void a guarantee or pass the budget: nothing is spent then.
    """
    progress("reading", 0.0)
    frame = read(source)
    known = release.read_context(context)
    recipe = replace(resolve("make", frame, source, stamp=stamp_of(source), **asked), audit=audit)
    return _make(recipe, frame, _Means(Ledger.at(ledger), who, cores(workers), progress, known))


@typed
def fit(
    source: Any,
    *,
    ledger: str | Path | None = None,
    who: str | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
    **asked: Unpack[Fitting],
) -> Fitted:
    """Fit a model to all rows of a table; all as for `make`, without what concerns drawing and the holdout."""
    progress("reading", 0.0)
    frame = read(source)
    recipe = resolve("fit", frame, source, stamp=stamp_of(source), **asked)
    return _fit(recipe, frame, frame.table, _Means(Ledger.at(ledger), who, cores(workers), progress))


@typed
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


@typed
def complete(model: Fitted | str | Path, partial: Any, *, seed: int = 0, progress: Progress = quiet) -> Any:
    """Fill the empty cells of partly filled rows; filled cells stay. Gives back the kind of dataframe that came in."""
    fitted = load(model) if isinstance(model, str | Path) else model
    frame = read(partial)
    filled = completing.complete(fitted.model, frame.table, Seed(seed).child("complete"), progress=progress)
    whole = give_back(filled, frame)
    return whole.set_axis(partial.index) if frame.kind == "pandas" else whole


@typed
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
    frame, other, held = read(real), read(made), read_held(holdout)
    check_held(held, real=frame, made=other)
    meaning = schema_of(frame.table, schema, target=target)
    running: dict[str, Any] = {"target": target, "seed": Seed(seed), "progress": progress}
    about = stamp_of(made) or {}
    evaluation = measure(frame.table, other.table, held.table, meaning, **running)
    evaluation = evaluation.advised(maker_of(about), private=bool(about.get("privacy")))
    return Measured(evaluation, meaning, other.name, about)


@typed
def with_rules(fitted: Fitted, rules: Sequence[str]) -> Fitted:
    """The same model with rules that came after the fit; rows that break them are drawn anew."""
    if not rules:
        return fitted
    model = fitted.model
    more = [user_rule(rule, model.book.fields, model.schema) for rule in rules]
    return replace(fitted, model=replace(model, book=model.book.with_rules(more)))


@typed
def audit(
    train: Any,
    made: Any = None,
    *,
    holdout: Any,
    model: Fitted | str | Path | None = None,
    target: str | None = None,
    person: str | None = None,
    schema: Schema | str | Path | None = None,
    seed: int = 0,
    canaries: int | None = None,
    shadows: int | None = None,
    context: Mapping[str, Any] | str | Path | None = None,
    ledger: str | Path | None = None,
    workers: int | None = None,
    progress: Progress = quiet,
) -> Audited:
    """Attack made rows, from anywhere, or the `model` itself: who was in the training rows, who was not?

    `train` are the real rows that the maker saw, `holdout` real rows that it never saw, split off by chance. A model is
    attacked by several draws, by planted `canaries` and by `shadows` (fits; by default as many as make sense).
    Raises InputError for tables that cannot be compared, or a holdout that overlaps the training rows.
    """
    frame, held = read(train), read_held(holdout)
    known = release.read_context(context)
    if model is not None:
        fitted = model if isinstance(model, Fitted) else load(model)
        found = release.tried_model(
            fitted.model, fitted.born, frame.table, held.table, canaries=canaries, shadows=shadows, seed=Seed(seed),
            threads=cores(workers), progress=progress,
        )  # fmt: skip
        return replace(found, title=fitted.recipe.source.name, context=known)
    meaning = schema_of(frame.table, schema, values=False, target=target, person=person)
    other, about = read(made), stamp_of(made) or {}
    found = release.tried(
        frame.table, other.table, held.table, meaning, claimed=release.claim(about), seed=Seed(seed),
        threads=cores(workers), progress=progress,
    )  # fmt: skip
    return found.beside(about, Ledger.at(ledger), title=other.name, made=other.digest, context=known)


@typed
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
    means = _Means(Ledger.at(), None, cores(workers), progress)
    return _fit(recipe, frame, frame.table, means) if recipe.verb == "fit" else _make(recipe, frame, means)


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


@dataclass(frozen=True)
class _Means:
    """What a run works with, and what no result depends on."""

    ledger: Ledger
    who: str | None
    threads: int
    progress: Progress
    context: Mapping[str, Any] = field(default_factory=dict)

    def within(self, low: float, high: float) -> _Means:
        """The same for a part of the work."""
        return replace(self, progress=lambda what, share: self.progress(what, low + (high - low) * share))


def _fit(recipe: Recipe, frame: Frame, table: pa.Table, means: _Means) -> Fitted:
    engine = settings.build(parts.find("engine", recipe.engine), recipe.settings)
    like = replace(frame, table=frame.table.slice(0, 0))
    if not engine.private:
        return Fitted(_model(recipe, table, engine, means), recipe, like, recipe)
    with release.charged(recipe, frame, engine, means.ledger, means.who) as reservation:
        model = _model(recipe, table, engine, means)
    assert model.guarantee is not None
    entry = release.close(means.ledger, reservation, model.guarantee, _digest(model))
    charge = {**(recipe.charged or {}), "entry": entry}
    rows = recipe.rows or round((model.guarantee.rows or 0) / (1 - recipe.holdout if recipe.verb == "make" else 1))
    recipe = replace(recipe, charged=charge, rows=rows)
    return Fitted(model, recipe, like, recipe)


def _model(recipe: Recipe, table: pa.Table, engine: Any, means: _Means) -> TableModel:
    assert recipe.schema is not None
    context = Context(
        threads=means.threads, progress=means.progress, target=recipe.schema.target, judge=judge, memorised=memorised
    )
    return fitting.fit(
        table,
        recipe.schema,
        engine=engine,
        seed=Seed(recipe.seed).child("fit"),
        rules=recipe.rules,
        mine_rules=recipe.mine_rules,
        k=recipe.k,
        context=context,
    )


def _digest(model: TableModel) -> str:
    with tempfile.TemporaryDirectory() as room:
        fitting.save(model, Path(room) / MODEL)
        return artefact.digest(Path(room) / MODEL)


def _make(recipe: Recipe, frame: Frame, means: _Means) -> Made:
    assert recipe.schema is not None
    seed = Seed(recipe.seed)
    private = parts.find("engine", recipe.engine).private
    audited = recipe.audit or private
    real, holdout = split(frame.table, recipe.schema, recipe.holdout, None if private else seed.child("split"))
    fitted = _fit(recipe, frame, real, means.within(0.05, 0.4))
    recipe, model = fitted.recipe, fitted.model
    meaning = recipe.schema if model.guarantee is None else model.schema  # with what was estimated privately
    assert meaning is not None
    means.progress("drawing rows", 0.4)
    fair = fair_sample(model, recipe, real=real)
    many = max(recipe.rows, real.num_rows)
    drawn = sample(replace(fitted, like=ARROW), many, seed=recipe.seed) if fair is None else fair.table
    table = drawn.slice(0, recipe.rows)
    evaluation = measure(
        real, drawn.slice(0, real.num_rows), holdout, meaning, target=meaning.target, seed=seed, rules=model.book,
        progress=means.within(0.5, 0.8 if audited else 1.0).progress,
    )  # fmt: skip
    evaluation = as_made(evaluation, model, recipe)
    tried = None
    if audited:
        tried = release.tried(
            real, table, holdout, meaning, claimed=model.guarantee, seed=seed.child("audit"),
            threads=means.threads, progress=means.within(0.8, 1.0).progress,
        )  # fmt: skip
    record = _record(recipe, model, evaluation, None if tried is None else tried.audit, fair)
    about, commands = record.to_dict(), (f"pip install tuckpoint=={recipe.tuckpoint}", f"tuckpoint run {RECIPE}")
    if tried is not None:
        tried = tried.beside(about, means.ledger, title=frame.name, context=means.context, commands=commands)
    measured = Measured(evaluation, meaning, frame.name, about, rules_of(model), commands, tried)
    return Made(give_back(table, frame), table, fitted, measured, recipe, record, None if fair is None else fair.told)


def _record(
    recipe: Recipe, model: TableModel, evaluation: Evaluation, audit: Audit | None, fair: FairRows | None
) -> Record:
    claims = {
        claim: [score.passed for score in evaluation.scores if score.name in names and not score.subject]
        for claim, names in evaluation.claims.items()
    }
    return Record(
        dataset=recipe.source.name,
        maker=Maker(recipe.engine, _digest(model)),
        recipe=recipe.digest(),
        seed=recipe.seed,
        rows=recipe.rows,
        inputs=(recipe.source.input,),
        privacy=release.privacy_of(model.guarantee, recipe.charged),
        protections=tuple(model.notes),
        evidence={
            "scores": digest_of(evaluation.to_dict()),
            "claims": {claim: _verdict(passed) for claim, passed in claims.items()},
            **({} if audit is None else {"audit": digest_of(audit.to_dict()), "decision": audit.decision}),
            **({} if fair is None else {"fair": fair.told.short()}),
        },
    )


def _verdict(passed: Sequence[bool | None]) -> bool | None:
    """False if one score failed, None if none decided or one could not be computed, else true."""
    if False in passed:
        return False
    return True if passed and True in passed else None
