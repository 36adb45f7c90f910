"""What was asked of a table, checked and resolved into a recipe that leaves nothing open."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import pyarrow as pa

from tuckpoint import parts, settings
from tuckpoint.errors import InputError, PrivacyError, count, did_you_mean
from tuckpoint.fair.spec import Spec
from tuckpoint.recipe import Recipe, Source
from tuckpoint.record import WITHHELD, Input
from tuckpoint.schema import Schema
from tuckpoint.table import infer
from tuckpoint.table.encode import encode
from tuckpoint.table.estimate import check_domains, private_schema
from tuckpoint.table.frame import Frame, read
from tuckpoint.table.protect import protect, settle
from tuckpoint.table.rules import user_rule

# Two values of a kind without levels, to show how they are written.
_ANY_TWO = {
    "integer": ("0", "1"), "decimal": ("0", "1.5"), "date": ("2024-01-31", "2024-02-29"),
    "datetime": ("2024-01-31 12:30:00", "2024-02-29 08:00:00"), "duration": ("1:30:00", "2:00:00"),
}  # fmt: skip
Shares = Mapping[str, Sequence[float] | Mapping[str, float]]


class Guarding(TypedDict, total=False):
    """What may be asked of a private fit: epsilon and delta; whose privacy (a column that names people, or `row`) and
    how many rows of each are counted; whose budget pays, and for what.
    """

    private: float | None
    delta: float | None
    unit: str | None
    rows_per_unit: int | None
    population: str | None
    part: str | None
    purpose: str | None


class Fitting(Guarding, total=False):
    """What may be asked of a fit; a schema, or roles for the one that is found out. See Recipe for the rest."""

    target: str | None
    person: str | None
    primary_key: str | None
    schema: Schema | str | Path | None
    engine: str | None
    settings: Mapping[str, Any] | None
    rules: Sequence[str]
    mine_rules: bool
    k: int
    seed: int


class Making(Fitting, total=False):
    """What may be asked of a twin besides: rows to make (None for as many as came in), share held out, file format, and
    a fairness target that the rows keep (a mapping, a `Spec`, or its file).
    """

    rows: int | None
    holdout: float
    format: Literal["parquet", "csv"]
    fair: Spec | Mapping[str, Any] | str | Path | None


def resolve(
    verb: Literal["make", "fit"], frame: Frame, source: Any, *, stamp: Mapping[str, Any] | None = None, **asked: Any
) -> Recipe:
    """The fully resolved recipe of what was asked of a table, `stamp` being the record it bears, if it does.

    Raises InputError that names what is wrong, PrivacyError for what would void a guarantee; nothing is spent by then.
    """
    guard = _Guard(**{name: asked.pop(name, None) for name in Guarding.__annotations__})
    roles = {role: asked.pop(role, None) for role in ("target", "person", "primary_key")}
    name = asked.pop("engine", None)
    name = ("trees" if guard.private is None else "marginals") if name is None else name
    part, given = parts.find("engine", name), asked.pop("settings", None) or {}
    if asked.get("fair") is not None:
        asked["fair"] = fair_of(asked["fair"]).to_dict()
        if part.private:
            raise InputError(
                f"fair: a target that cannot be kept must not cost a private fit: fit with --engine {name} first "
                "(tuckpoint fit), then draw as often as you like: tuckpoint sample MODEL --fair FILE"
            )
    path = str(source) if isinstance(source, str | Path) else None
    if part.private:
        schema, engine = _private(frame, part, guard, asked.pop("schema", None), given, roles)
        seen = encode(frame.table, schema, strict=False).fields
        for rule in asked.get("rules", ()):  # a slip of the pen must be found before it costs anything
            user_rule(rule, seen, schema)
        origin = Input.of(frame.name, sha256=WITHHELD, rows=None, stamp=stamp)
        asked["charged"] = guard.charge(frame)
    else:
        guard.refuse(name)
        schema, engine = schema_of(frame.table, asked.pop("schema", None), **roles), settings.build(part, given)
        # The recipe is kept beside made rows: what few people hold must not stand in it.
        schema = settle(schema, protect(encode(frame.table, schema), asked.get("k", Recipe.k))[0])
        origin = Input.of(frame.name, sha256=frame.digest, rows=frame.table.num_rows, stamp=stamp)
    if asked.get("rows") is None:
        asked["rows"] = 0 if part.private else frame.table.num_rows  # a private fit counts them with noise
    known = {"rules", "mine_rules", "k", "seed", "charged", "rows"} | (
        {"holdout", "format", "fair"} if verb == "make" else set()
    )
    if unknown := sorted(set(asked) - known):
        raise InputError(f"{verb} does not know {', '.join(unknown)}{did_you_mean(unknown[0], known)}")
    return Recipe(
        verb,
        Source(path=path, **asdict(origin)),
        schema=schema,
        engine=name,
        settings=settings.plain(engine),
        **{**asked, "rules": tuple(asked.get("rules", ()))},
    )


def fair_of(asked: Spec | Mapping[str, Any] | str | Path) -> Spec:
    """The fairness target that was given whole, as plain values, or as a file."""
    if isinstance(asked, Spec):
        return asked
    return Spec.load(asked) if isinstance(asked, str | Path) else Spec.from_dict(asked)


@dataclass(frozen=True)
class _Guard:
    """What was asked of a private fit, entry by entry as in `Guarding`."""

    private: float | None
    delta: float | None
    unit: str | None
    rows_per_unit: int | None
    population: str | None
    part: str | None
    purpose: str | None

    def refuse(self, engine: str) -> None:
        """An engine without a guarantee must not be asked for one."""
        given = [f"--{name.replace('_', '-')}" for name, value in vars(self).items() if value is not None]
        if given:
            raise InputError(
                f"{', '.join(given)}: engine {engine} gives no guarantee of privacy; choose one that does "
                "(--engine marginals or --engine aim), or leave these options out"
            )

    def settings(self, given: Mapping[str, Any], *, by_row: bool) -> dict[str, Any]:
        """The engine's settings with these, none said twice."""
        said: dict[str, Any] = {"epsilon": self.private, "delta": self.delta, "rows_per_person": self.rows_per_unit}
        if self.unit is not None:
            said["unit"] = "row" if by_row else "person"
        said = {name: value for name, value in said.items() if value is not None}
        for name in said:
            if name in given and given[name] != said[name]:
                raise InputError(f"{name} is said twice: {said[name]} and, as a setting, {given[name]}; leave one out")
        return {**given, **said}

    def charge(self, frame: Frame) -> dict[str, str | None]:
        """Whose budget pays: by default a population that bears the name of the file, without its suffixes."""
        if self.population is None and frame.kind != "path":
            raise PrivacyError(
                "whose budget pays? A table in memory has no name: pass population, the same for all tables of the "
                'same people, as in make(table, private=1, unit="row", population="patients 2026")'
            )
        population = self.population or frame.name.split(".")[0]
        return {"population": population, "part": self.part, "purpose": self.purpose, "entry": None}


def _private(
    frame: Frame, part: Any, guard: _Guard, given: Any, chosen: Mapping[str, Any], roles: dict[str, str | None]
) -> tuple[Schema, Any]:
    """Schema and engine of a private fit: whose privacy is named, and no domain is read off the rows.

    Without a schema of the user's the domains are left to be estimated privately, at a price.
    """
    by_row = guard.unit == "row" and "row" not in frame.table.column_names
    if guard.unit is not None and not by_row:
        if roles["person"] not in (None, guard.unit):
            raise InputError(f'the unit is said twice: "{guard.unit}" and "{roles["person"]}"; leave one out')
        if guard.unit not in frame.table.column_names:
            near = did_you_mean(guard.unit, frame.table.column_names)
            raise InputError(f'unit "{guard.unit}" is not a column{near}; if every row is another person: --unit row')
        roles["person"] = guard.unit
    engine = settings.build(part, guard.settings(chosen, by_row=by_row))
    if given is None:
        found = infer.infer(frame.table, **roles)
        schema = private_schema(replace(found, person=roles["person"]))  # whose privacy is said, never guessed
    else:
        schema = schema_of(frame.table, given, values=False, **roles)
        check_domains(schema)
    if engine.unit == "person" and schema.person is None:
        raise PrivacyError(
            "whose privacy? Name the column that says whose row it is (--unit patient_id), or say that every row is "
            "another person (--unit row)"
        )
    if engine.unit == "person" and (gaps := frame.table[schema.person].null_count):
        raise PrivacyError(
            f'unit "{schema.person}": {count(gaps, "row names", "rows name")} no person, so nobody knows how much '
            "of one person they hold; give each its person, or leave these rows out"
        )
    return schema, engine


def schema_of(
    table: pa.Table, given: Schema | str | Path | None, *, values: bool = True, **roles: str | None
) -> Schema:
    """The schema given, checked against the table, or one found out; a role that is said twice takes the later word.

    Without `values` only names and types are checked.
    """
    if given is None:
        return infer.infer(table, **roles)
    schema = given if isinstance(given, Schema) else Schema.load(given)
    schema = replace(schema, **{role: name or getattr(schema, role) for role, name in roles.items()})  # type: ignore[arg-type]
    infer.check(table, schema, values=values)
    return schema


def read_held(holdout: Any) -> Frame:
    """The real rows held out; raises InputError where none were given, since only they show copying."""
    if holdout is None:
        raise InputError(
            "holdout is None; pass real rows that the maker never saw, for only they show what was copied; if it saw "
            "them all, hold some out and make anew"
        )
    return read(holdout)


def check_held(holdout: Frame, **sides: Frame) -> None:
    """Raise InputError where a holdout is one of the tables that it is held out from."""
    for name, side in sides.items():
        if side.digest == holdout.digest:
            raise InputError(
                f"the holdout {holdout.name} holds the {name} rows; pass real rows that the maker never saw"
            )


def named_shares(wanted: Shares, schema: Schema) -> dict[str, dict[str, float]]:
    """Shares by level: those given as a list are in the order of the schema's levels."""
    found = {}
    for name, shares in wanted.items():
        domain = schema[name].domain
        levels = None if domain is None else domain.levels
        if isinstance(shares, Mapping):
            # Python's truth values are those that the schema calls true and false.
            spelt = {level: str(level) for level in shares}
            if schema[name].kind == "boolean":
                spelt |= {level: text.lower() for level, text in spelt.items() if text not in (levels or ())}
            found[name] = {spelt[level]: float(share) for level, share in shares.items()}
            continue
        if levels is None or len(levels) != len(shares):
            kind = schema[name].kind
            has = f"it is {kind}, without levels" if levels is None else f"it has {count(len(levels), 'level')}"
            listed = "" if levels is None else f": {', '.join(levels[:8])}{' ...' if len(levels) > 8 else ''}"
            first, second = _ANY_TWO.get(kind, ("VALUE", "VALUE")) if levels is None else (*levels, "", "")[:2]
            named = f"{first}:0.5/{second}:0.5" if second else f"{first}:0.5"
            raise InputError(
                f'rebalance of "{name}": {count(len(shares), "share")}, but {has}{listed}; '
                f"name what has a share, as {name}={named}"
            )
        found[name] = dict(zip(levels, map(float, shares), strict=True))
    for name, given in found.items():
        if sum(given.values()) > 1.000001:
            raise InputError(
                f'rebalance of "{name}": the shares add up to {sum(given.values()):g}; give shares that add up to 1, '
                "or to less, which leaves the rest to all other values"
            )
    return found


def cores(workers: int | None) -> int:
    """As many as asked for, else as many as this process may use."""
    if workers is not None and workers < 1:
        raise InputError(f"workers is {workers}; give a whole number from 1, or none for all cores")
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return workers
