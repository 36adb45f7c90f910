"""What was asked of a table, checked and resolved into a recipe that leaves nothing open."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import pyarrow as pa

from tuckpoint import parts, settings
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.recipe import Recipe, Source
from tuckpoint.record import Input
from tuckpoint.schema import Schema
from tuckpoint.table import infer
from tuckpoint.table.encode import encode
from tuckpoint.table.frame import Frame
from tuckpoint.table.protect import protect, settle

Shares = Mapping[str, Sequence[float] | Mapping[str, float]]


class Fitting(TypedDict, total=False):
    """What may be asked of a fit; a schema, or roles for the one that is found out. See Recipe for the rest."""

    target: str | None
    person: str | None
    primary_key: str | None
    schema: Schema | str | Path | None
    engine: str
    settings: Mapping[str, Any] | None
    rules: Sequence[str]
    mine_rules: bool
    k: int
    seed: int


class Making(Fitting, total=False):
    """What may be asked of a twin besides: rows to make (None for as many as came in), share held out, file format."""

    rows: int | None
    holdout: float
    format: str


def resolve(
    verb: Literal["make", "fit"], frame: Frame, source: Any, *, stamp: Mapping[str, Any] | None = None, **asked: Any
) -> Recipe:
    """The fully resolved recipe of what was asked of a table, `stamp` being the record it bears, if it does.

    Raises InputError that names what is wrong.
    """
    roles = {role: asked.pop(role, None) for role in ("target", "person", "primary_key")}
    schema = schema_of(frame.table, asked.pop("schema", None), **roles)
    name, given = asked.pop("engine", "trees"), asked.pop("settings", None) or {}
    engine = settings.build(parts.find("engine", name), given)
    if not engine.private:  # the recipe is kept beside made rows: what few people hold must not stand in it
        schema = settle(schema, protect(encode(frame.table, schema), asked.get("k", Recipe.k))[0])
    if asked.get("rows", 0) is None or "rows" not in asked:
        asked["rows"] = frame.table.num_rows
    known = {"rules", "mine_rules", "k", "seed"} | ({"holdout", "rows", "format"} if verb == "make" else {"rows"})
    if unknown := sorted(set(asked) - known):
        raise InputError(f"{verb} does not know {', '.join(unknown)}{did_you_mean(unknown[0], known)}")
    path = str(source) if isinstance(source, str | Path) else None
    origin = Input.of(frame.name, sha256=frame.digest, rows=frame.table.num_rows, stamp=stamp)
    return Recipe(
        verb,
        Source(path=path, **asdict(origin)),
        schema=schema,
        engine=name,
        settings=settings.plain(engine),
        **{**asked, "rules": tuple(asked.get("rules", ()))},
    )


def schema_of(table: pa.Table, given: Schema | str | Path | None, **roles: str | None) -> Schema:
    """The schema given, checked against the table, or one found out; a role that is said twice takes the later word."""
    if given is None:
        return infer.infer(table, **roles)
    schema = given if isinstance(given, Schema) else Schema.load(given)
    schema = replace(schema, **{role: name or getattr(schema, role) for role, name in roles.items()})  # type: ignore[arg-type]
    infer.check(table, schema)
    return schema


def named_shares(wanted: Shares, schema: Schema) -> dict[str, dict[str, float]]:
    """Shares by level: those given as a list are in the order of the schema's levels."""
    found = {}
    for name, shares in wanted.items():
        domain = schema[name].domain
        levels = None if domain is None else domain.levels
        if isinstance(shares, Mapping):
            found[name] = {str(level): float(share) for level, share in shares.items()}
            continue
        if levels is None or len(levels) != len(shares):
            listed = "unknown" if levels is None else f"{len(levels)}: {', '.join(levels[:8])}"
            raise InputError(
                f'rebalance of "{name}": {len(shares)} shares, but its levels are {listed}; '
                f"name the levels, as {name}=LEVEL:0.5/LEVEL:0.5"
            )
        found[name] = dict(zip(levels, map(float, shares), strict=True))
    return found


def cores(workers: int | None) -> int:
    """As many as asked for, else as many as this process may use."""
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return workers
