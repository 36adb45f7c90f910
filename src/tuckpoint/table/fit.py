"""Real rows in, a table model out: encode, protect rare values, mine rules, let an engine learn the free columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint import parts
from tuckpoint.errors import InputError, PrivacyError, TraceError, count
from tuckpoint.privacy.account import Account
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table import artefact
from tuckpoint.table.contribution import bounded, rows_of_unit
from tuckpoint.table.encode import declared, encode
from tuckpoint.table.engine import Context, Encoded, Engine, EngineModel, Field, Guarantee, PrivateEngine
from tuckpoint.table.estimate import check_domains, estimate, open_account
from tuckpoint.table.numerals import is_missing
from tuckpoint.table.protect import LEAST_PEOPLE, protect, settle
from tuckpoint.table.rules import Rule, RuleBook, mine, user_rule
from tuckpoint.table.spans import protected


@dataclass(frozen=True)
class TableModel:
    """A fitted table: its meaning, its rules, and the engine's model of the columns that the rules leave free.

    `notes` say what was done to protect people; `guarantee` is None for an engine that gives none.
    """

    schema: Schema
    book: RuleBook
    engine: EngineModel
    engine_name: str
    settings: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def guarantee(self) -> Guarantee | None:
        """The differential-privacy guarantee of the engine's model."""
        return self.engine.guarantee


def fit(
    table: pa.Table,
    schema: Schema,
    *,
    engine: Engine,
    seed: Seed,
    rules: Sequence[str] = (),
    mine_rules: bool = True,
    k: int = 5,
    context: Context,
) -> TableModel:
    """Learn a table.

    `rules` are a person's; with `mine_rules` those found in the data are added. No level or extreme value held by fewer
    than `k` people is learnt. An engine that counts privacy sees no rule, level or bound that was read off the data:
    where the schema leaves a domain to be estimated, that is paid from the same account, and where it holds one from
    the data, PrivacyError is raised. Errors about rows would tell of them: for such an engine an empty table is like
    any, what cannot be read is missing, and a rule that real rows break is not noticed.
    Raises InputError for a table without rows or a rule that real rows break.
    """
    if not table.num_rows and not engine.private:
        raise InputError("the table has no rows; there is nothing to learn")
    if engine.private:
        schema, real, notes, account = _privately(table, schema, cast(PrivateEngine, engine))
        read, mine_rules, context = real, False, replace(context, account=account)
    else:
        read = encode(table, schema)
        real, notes = protect(read, k)
        schema = settle(schema, real)
    asked = tuple(user_rule(rule, real.fields, schema) for rule in rules)
    context.progress("mining rules", 0.0)
    # Sums hold in the rows as read: clipped extremes no longer add up.
    found = mine(read, protected=real, schema=schema) if mine_rules and real.fields else ()
    book = RuleBook((*asked, *found), real.fields)
    if not engine.private:
        _hold(book, read, asked)
        # A control that learns each column alone must not learn how far apart two are.
        book = book if getattr(engine, "alone", False) else book.spanning(real, schema, k)
    free = replace(real, fields=book.free, columns=protected(book.spans, book.reduced(real.columns)))
    target = context.target
    if target in real.columns and target not in free.columns:
        context = replace(context, target=None)
    context = replace(context, blocks=book.blocks)
    model = engine.fit(free, seed, context)
    notes = (*notes, *model.notes, *_large_delta(model.guarantee))
    return TableModel(schema, book, model, engine.name, asdict(cast(Any, engine)), notes)


def rules_in(table: pa.Table, schema: Schema, *, k: int = LEAST_PEOPLE) -> tuple[Rule, ...]:
    """The rules that a fit of these rows obeys, and its findings: of the same protected rows, read the same way."""
    read = encode(table, schema)
    real, _ = protect(read, k)
    return mine(read, protected=real, schema=settle(schema, real)) if real.fields else ()


def _privately(
    table: pa.Table, schema: Schema, engine: PrivateEngine
) -> tuple[Schema, Encoded, tuple[str, ...], Account]:
    """Schema with domains, rows as the schema alone describes them, notes, and the account of the fit.

    Nothing that is returned, and no error, depends on any one person but through noise that was charged: people are
    bounded first, what the schema does not foresee is fitted to it, and the notes follow from schema and settings.
    """
    check_domains(schema)
    _named(table, schema, engine.unit)
    account = open_account(schema, engine.epsilon, engine.delta)
    read = encode(table, schema, strict=False)
    most = rows_of_unit(read, engine.unit, engine.rows_per_person)
    kept = read if engine.unit == "row" else bounded(read, most)
    schema, estimated = estimate(kept, schema, account, most)
    schema = replace(schema, columns=tuple(replace(column, note="") for column in schema.columns))
    notes = ["no rule, level or bound was read off the data but through noise", *estimated]
    if engine.unit == "person" and schema.person is None:
        notes.append("no column names the people: each row was counted as another person")
    elif engine.unit == "person":
        notes.append(f"of each person at most {most} row{'s' if most > 1 else ''}, drawn by chance, counted")
    return schema, declared(kept, schema), tuple(notes), account


def _large_delta(told: Guarantee | None) -> tuple[str, ...]:
    """A delta near one person's share would allow a mechanism that publishes somebody."""
    if told is None or told.rows is None or told.delta * 10 * told.rows <= 1:
        return ()
    return (f"delta {told.delta:g} is above 1 / (10 x {told.rows} rows): ask for a smaller one",)


def _named(table: pa.Table, schema: Schema, unit: str) -> None:
    """Raise PrivacyError unless every row names its person, where people are the unit and a column names them."""
    if unit != "person" or schema.person is None or schema.person not in table.column_names:
        return
    column = table.column(schema.person)
    missing = np.asarray(pc.is_null(column, nan_is_null=True))
    if pa.types.is_string(column.type):
        missing |= is_missing(column.combine_chunks())
    if missing.any():
        raise PrivacyError(
            f'unit column "{schema.person}" names nobody in {int(missing.sum()):,} of {count(len(missing), "row")} '
            f"(first: row {int(np.argmax(missing)) + 1}); their people cannot be protected as one: fill them in, or "
            "drop those rows"
        )


def _hold(book: RuleBook, read: Encoded, asked: Sequence[Any]) -> None:
    """A person's rule that most real rows break is a slip of the pen, and would leave no rows to make."""
    told = dict(RuleBook(book.rules, read.fields).adherence(read.columns))
    for rule in asked:
        share = told.get(rule.text, 1.0)
        if share < 0.5:
            raise InputError(
                f"rule `{rule.text}`: only {share:.1%} of the real rows obey it; a rule must hold in most of them, "
                "correct it or clean the data"
            )


def save(model: TableModel, folder: str | Path, *, overwrite: bool = False) -> str:
    """Write a model as a new folder of JSON and arrays; returns its digest."""
    meta = {
        "schema": model.schema.to_dict(),
        "fields": [asdict(item) for item in model.book.fields],
        "rules": model.book.to_dict(),
        "engine": model.engine_name,
        "settings": dict(model.settings),
        "notes": list(model.notes),
    }
    return artefact.save_state(folder, {"engine": model.engine.state()}, meta, overwrite=overwrite)


def load(folder: str | Path) -> TableModel:
    """The model that `save` wrote; raises TraceError if it was altered, is damaged, or is newer than this tuckpoint."""
    meta, states = artefact.load_state(folder)
    try:
        schema = Schema.from_dict(meta["schema"])
        fields = tuple(Field.from_dict(entry) for entry in meta["fields"])
        book = RuleBook.from_dict(meta["rules"], fields)
        name, state = meta["engine"], states["engine"]
        settings, notes = meta["settings"], tuple(meta["notes"])
    except (KeyError, TypeError, InputError) as error:
        raise TraceError(f"{folder} is not a table model of this version ({error}); fit it again") from None
    engine = parts.find("engine", name).load(state, book.free)
    return TableModel(schema, book, engine, name, settings, notes)
