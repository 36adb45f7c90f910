"""Runs that end in files: a twin's folder, a stream of rows in shards, a recipe repeated and compared byte for byte."""

from __future__ import annotations

import gzip
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from tuckpoint import examples, outcome, release, run
from tuckpoint.asked import Shares, cores, fair_of, named_shares
from tuckpoint.errors import InputError, RecipeError, TraceError
from tuckpoint.fair.make import FairRows, check
from tuckpoint.fair.spec import Spec
from tuckpoint.files import check_new, replacing, replacing_folder, sha256, write_text
from tuckpoint.outcome import Fitted, Made, Measured
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.recipe import Recipe
from tuckpoint.record import Maker, Record, tuckpoint_version
from tuckpoint.scale import local, shards
from tuckpoint.seed import Seed
from tuckpoint.table import sample as sampling
from tuckpoint.table.artefact import is_model
from tuckpoint.table.encode import spell
from tuckpoint.table.engine import Progress, quiet
from tuckpoint.table.frame import read
from tuckpoint.write import parquet
from tuckpoint.write import table as writing

Pages = Callable[[Measured], Mapping[str, str]]
BESIDE = ".recipe.yaml"  # a recipe of drawn rows stands beside them, under their whole name


def make(source: Path, output: Path, *, pages: Pages, overwrite: bool = False, **asked: Any) -> Made:
    """Make a twin and write its folder; what would stop the writing is found before the work."""
    with replacing_folder(output, overwrite=overwrite, ours=outcome.is_run) as place:
        made = run.make(source, **asked)
        made.save(place, pages=pages(made.measured))
    return made


def fit(source: Path, output: Path, *, overwrite: bool = False, **asked: Any) -> Fitted:
    """Fit a model and write its folder."""
    with replacing_folder(output, overwrite=overwrite, ours=is_model) as place:
        fitted = run.fit(source, **asked)
        outcome.save(fitted, place)
    return fitted


def sample(
    model: Path,
    output: Path,
    rows: int,
    *,
    seed: int = 0,
    where: str | None = None,
    rebalance: Shares | None = None,
    rules: Sequence[str] = (),
    fair: Spec | Mapping[str, Any] | str | Path | None = None,
    ledger: Path | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> tuple[int, str | None]:
    """Draw rows into a file, or into a folder of Parquet shards if `output` has no suffix.

    Returns the rows and what else is to be told: a rule that threw most drawn rows away, and of a private model what
    this costs: nothing, which the ledger enters too.
    Memory holds a shard per worker, whatever the number of rows. An interrupted run goes on where it stopped when the
    same is asked again. The bytes do not depend on the number of workers. Rows that keep a fairness target are made
    whole and written as one file; what was kept is told too.
    """
    fitted = outcome.load(model)
    shares = named_shares(rebalance or {}, fitted.model.schema)
    source = fitted.recipe.source
    recipe = Recipe("sample", source, seed, rows=rows, where=where, rebalance=shares, rules=tuple(rules))
    if fair is None:
        kept = None
        _draw(recipe, fitted, output, workers=cores(workers), overwrite=overwrite, progress=progress)
    else:
        recipe = replace(recipe, fair=fair_of(fair).to_dict())
        kept = draw_fair(recipe, fitted, output, overwrite=overwrite, progress=progress).told.sentence()
    free = release.drawn(Ledger.at(ledger), fitted.model, source.sha256, rows)
    return rows, "; ".join(filter(None, (kept, _bent(run.with_rules(fitted, rules), seed, where), free))) or None


def _bent(fitted: Fitted, seed: int, where: str | None) -> str | None:
    """That many drawn rows broke a rule which came after the fit, if they did."""
    later = {rule.text for rule in fitted.model.book.added}
    if not later:
        return None
    thrown = sampling.thrown(fitted.model, Seed(seed).child("thrown"), where=where)
    told = outcome.bent({text: share for text, share in thrown.items() if text in later})
    return f"{told}; one that computes a column is obeyed at no loss by `make --rule`" if told else None


def draw_fair(
    recipe: Recipe, fitted: Fitted, output: Path, *, overwrite: bool = False, progress: Progress = quiet
) -> FairRows:
    """Rows that keep the fairness target of a recipe, made whole and written into one file."""
    writing.suffix(output)
    check_new(output, overwrite=overwrite)
    fitted = run.with_rules(fitted, recipe.rules)
    made = outcome.fair_sample(fitted.model, recipe, progress=progress)
    if made is None:
        raise RecipeError("this recipe has no fairness target; draw its rows with: tuckpoint sample")
    write_fair(made, recipe, fitted, output, overwrite=overwrite)
    return made


def write_fair(made: FairRows, recipe: Recipe, fitted: Fitted, output: Path, *, overwrite: bool = False) -> None:
    """Write rows that keep a fairness target, with their recipe beside them; they are read again and counted."""
    record = _record(recipe, fitted)
    record = replace(record, evidence={**record.evidence, "fair": made.told.short()})
    text = writing.suffix(output) != ".parquet"
    writing.write(spell(made.table, fitted.model.schema) if text else made.table, output, record, overwrite=overwrite)
    write_text(output.with_name(output.name + BESIDE), recipe.to_yaml(), overwrite=True)
    check(read(output).table, made)


def complete(
    model: Path,
    partial: Path,
    output: Path,
    *,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress = quiet,
) -> int:
    """Fill the empty cells of a table into a file; returns the rows."""
    text = writing.suffix(output) != ".parquet"
    check_new(output, overwrite=overwrite)
    fitted = outcome.load(model)
    table: pa.Table = run.complete(fitted, partial, seed=seed, progress=progress)
    table = spell(table, fitted.model.schema) if text else table
    recipe = Recipe("sample", fitted.recipe.source, seed, rows=table.num_rows)
    return writing.write(table, output, _record(recipe, fitted), overwrite=overwrite)


def repeat(
    path: Path,
    *,
    output: Path | None = None,
    source: Path | None = None,
    pages: Pages,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Progress = quiet,
) -> str:
    """Repeat a recipe, into `output` or to compare with what stands where the recipe lies; returns what to tell.

    Raises RecipeError if the input has changed, TraceError that names the files which came out otherwise.
    """
    recipe = Recipe.load(path)

    def again(place: Path, *, overwrite: bool) -> None:
        if recipe.verb == "sample":
            _sample_again(recipe, path, source, place, overwrite=overwrite, workers=cores(workers), progress=progress)
            return
        made = run.repeat(path, source, workers=workers, progress=progress)
        if isinstance(made, Made):
            made.save(place, pages=pages(made.measured), overwrite=overwrite)
        else:
            outcome.save(made, place, overwrite=overwrite)

    if output is not None:
        again(output, overwrite=overwrite)
        return f"made again in {output}"
    old = path.with_name(path.name.removesuffix(BESIDE)) if recipe.verb == "sample" else path.parent
    with tempfile.TemporaryDirectory(prefix=".again-", dir=old.resolve().parent) as room:
        new = Path(room) / old.resolve().name
        again(new, overwrite=False)
        return _compared(old, new, recipe)


def copy_example(name: str, output: Path, *, overwrite: bool = False) -> None:
    """Write a table that comes with the package as .csv or .csv.gz; it is real, so it bears no stamp."""
    packed = examples.path(name)
    if not output.name.endswith((".csv", ".csv.gz")):
        raise InputError(f"{output}: the example is written as .csv or .csv.gz")
    with replacing(output, overwrite=overwrite) as place:
        data = packed.read_bytes()
        place.write_bytes(data if output.suffix == ".gz" else gzip.decompress(data))


def draw_shard(asked: Mapping[str, Any], job: shards.Job, place: Path) -> int:
    """Write one shard of a sample; runs in a worker, which keeps the model between shards."""
    recipe = Recipe.from_dict(asked["recipe"])
    table = _shard(recipe, _model(str(recipe.source.path), recipe.source.sha256), job, text=asked["text"])
    return parquet.put(table.to_batches(), place, Record.from_dict(asked["record"]), schema=table.schema)


def _shard(recipe: Recipe, fitted: Fitted, job: shards.Job, *, text: bool) -> pa.Table:
    """The rows of a shard; in the spelling of the real table if they end in a text file."""
    model = run.with_rules(fitted, recipe.rules).model
    table = run.shard(model, job, Seed(recipe.seed), where=recipe.where, rebalance=recipe.rebalance)
    return spell(table, model.schema) if text else table


@lru_cache(maxsize=1)
def _model(folder: str, sha256: str) -> Fitted:
    fitted = outcome.load(folder)
    if fitted.recipe.source.sha256 != sha256:
        raise TraceError(f"the model {folder} was replaced while rows were drawn from it; start again")
    return fitted


def _draw(recipe: Recipe, fitted: Fitted, output: Path, *, workers: int, overwrite: bool, progress: Progress) -> int:
    """Rows into a file, by way of a hidden folder of shards if there are several; or into a folder that stays."""
    if recipe.fair is not None:
        draw_fair(recipe, fitted, output, overwrite=overwrite, progress=progress)
        return recipe.rows
    many = not output.suffix
    text = not many and writing.suffix(output) != ".parquet"
    if not many:
        check_new(output, overwrite=overwrite)
    record = _record(recipe, fitted)
    jobs = shards.plan(recipe.rows, rows_per_shard=run.ROWS_PER_SHARD)
    if len(jobs) == 1 and not many:
        progress("drawing rows", 0.0)
        writing.write(_shard(recipe, fitted, jobs[0], text=text), output, record, overwrite=overwrite)
    else:
        folder = output if many else output.with_name(f".{output.name}.shards")
        entries = local.run(
            jobs,
            draw_shard,
            folder=folder,
            plan_digest=recipe.digest(),
            workers=workers,
            progress=progress,
            initial={"recipe": recipe.to_dict(), "record": record.to_dict(), "text": text},
            overwrite=overwrite,
        )
        if not many:
            writing.concatenate([folder / entry.file for entry in entries], output, record, overwrite=overwrite)
            shutil.rmtree(folder)
    write_text(output.with_name(output.name + BESIDE), recipe.to_yaml(), overwrite=True)
    return recipe.rows


def _sample_again(
    recipe: Recipe, path: Path, source: Path | None, output: Path, *, overwrite: bool, workers: int, progress: Progress
) -> None:
    """Draw what a recipe says into a new place."""
    folder = run.place_of(recipe.source, path.parent) if source is None else source
    fitted = outcome.load(folder)
    if fitted.recipe.source.sha256 != recipe.source.sha256:
        raise RecipeError(f"{folder} is another model than the recipe was written for; bring the old one back")
    again = replace(recipe, source=replace(recipe.source, path=str(folder)), tuckpoint=tuckpoint_version())
    _draw(again, fitted, output, workers=workers, overwrite=overwrite, progress=progress)


def _compared(old: Path, new: Path, recipe: Recipe) -> str:
    """What is the same; raises TraceError that names what differs or is not there."""
    names = sorted(file.relative_to(new) for file in new.rglob("*") if file.is_file()) if new.is_dir() else [Path()]
    told = [str(name) if new.is_dir() else old.name for name in names]
    gone = [say for say, name in zip(told, names, strict=True) if not (old / name).is_file()]
    other = [
        say
        for say, name in zip(told, names, strict=True)
        if say not in gone and sha256(old / name) != sha256(new / name)
    ]
    if gone or other:
        found = "; ".join(
            f"{what}: {', '.join(some)}" for what, some in (("missing", gone), ("different", other)) if some
        )
        version = tuckpoint_version()
        why = f" (made by tuckpoint {recipe.tuckpoint}, this is {version})" if recipe.tuckpoint != version else ""
        raise TraceError(f"not the same as in {old}{why}: {found}; use -o to write what comes out now beside it")
    return f"the same bytes again: {', '.join(told)}"


def _record(recipe: Recipe, fitted: Fitted) -> Record:
    """The record of rows drawn from a saved model."""
    model = fitted.model
    return Record(
        dataset=recipe.source.name,
        maker=Maker(model.engine_name, recipe.source.sha256),
        recipe=recipe.digest(),
        seed=recipe.seed,
        rows=recipe.rows,
        inputs=() if fitted.origin is None else (fitted.origin,),
        privacy=release.privacy_of(model.guarantee, fitted.charged),
        protections=tuple(model.notes),
    )
