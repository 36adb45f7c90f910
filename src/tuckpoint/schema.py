"""What a table means: columns, kinds, units, domains and where each domain came from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast, get_args

from tuckpoint import declared
from tuckpoint.errors import SchemaError, did_you_mean, listed

Kind = Literal[
    "integer", "decimal", "category", "ordered", "boolean", "date", "datetime", "duration", "identifier", "text"
]
Provenance = Literal["public", "expert", "dp", "data"]

NUMERIC: frozenset[str] = frozenset({"integer", "decimal", "date", "datetime", "duration"})
CATEGORICAL: frozenset[str] = frozenset({"category", "ordered", "boolean"})
UNMODELLED: frozenset[str] = frozenset({"identifier", "text"})
MOMENTS: frozenset[str] = frozenset({"date", "datetime", "duration"})
HEAD = "tuckpoint_schema"
VERSION = 1
ROLES = ("primary_key", "person", "target", "separator")
SEPARATORS = (";", "\t", "|")
HINT = "write one with: tuckpoint schema FILE -o"


@dataclass(frozen=True)
class Domain:
    """The values that a column may take, and how they are known.

    Numeric kinds have `low` and `high` (dates in days, datetimes and durations in seconds since 1970-01-01 UTC, or
    since zero); categorical kinds have `levels`, in order for an ordered category. `provenance` is `public` (law or
    common knowledge), `expert`, `dp` (a priced private estimate) or `data` (read off the real rows: voids a privacy
    claim).
    """

    provenance: Provenance = "data"
    low: float | None = None
    high: float | None = None
    levels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.provenance not in get_args(Provenance):
            raise SchemaError(f"domain provenance {self.provenance!r}: use one of {', '.join(get_args(Provenance))}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise SchemaError(f"domain: low {self.low} is above high {self.high}; swap them")
        if isinstance(self.levels, str):
            raise SchemaError(f"domain: levels is the text {self.levels!r}; give a list of levels")
        if self.levels is not None and len(set(self.levels)) != len(self.levels):
            raise SchemaError("domain: a level stands twice in levels; remove one")


@dataclass(frozen=True)
class Steps:
    """What the values of a numeric column are multiples of, in its unit (dates in days, other moments in seconds).

    Every value is `origin` plus a multiple of `step`; of the rows a `share` lies on multiples of the coarser `heap`.
    Times at whole minutes have step 60; amounts of which 95 % are whole hundreds have heap 100 and share 0.95.
    Datetimes lie between `opens` and `closes`, seconds of the day (UTC if they have a zone): 28800 and 61200 are eight
    to five. Dates and datetimes lie on `weekdays` (12345 is Monday to Friday), or on one `month_day` (-1 is the last)
    of every month, or of every `months` of them from `month` of the year on (3 and 1: quarters); `day` is how much a
    day is in their unit, 1 or 86400.
    """

    step: float | None = None
    heap: float | None = None
    share: float | None = None
    origin: float = 0.0
    opens: float | None = None
    closes: float | None = None
    weekdays: int | None = None
    month_day: int | None = None
    months: int | None = None
    month: int | None = None
    day: float = 1.0

    def __post_init__(self) -> None:
        self._check_days()
        for name, value in vars(self).items():
            if value is not None and (not isinstance(value, int | float) or isinstance(value, bool)):
                raise SchemaError(f"steps: {name} is {value!r}; write a number")
        if any(value is not None and not 0 < value < math.inf for value in (self.step, self.heap)):
            raise SchemaError(
                f"steps: step is {self.step} and heap {self.heap}; write numbers above 0, or leave them out"
            )
        if (self.opens is None) != (self.closes is None) or (
            self.opens is not None
            and self.closes is not None
            and not 0 <= self.opens < self.closes <= self.opens + 86_400
        ):
            raise SchemaError(
                f"steps: opens is {self.opens} and closes {self.closes}; write both, seconds of the day, closes later"
            )
        if (self.heap is None) != (self.share is None) or (self.share is not None and not 0 < self.share <= 1):
            raise SchemaError(
                f"steps: heap is {self.heap} and its share {self.share}; write both, the share above 0 and at most 1"
            )

    def _check_days(self) -> None:
        digits = str(self.weekdays)
        if self.weekdays is not None and (digits != "".join(sorted(set(digits))) or not set(digits) <= set("1234567")):
            raise SchemaError(f"steps: weekdays is {self.weekdays!r}; write digits from 1 (Monday) to 7, such as 12345")
        if self.month_day is not None and self.month_day not in (-1, *range(1, 29)):
            raise SchemaError(f"steps: month_day is {self.month_day!r}; write 1 to 28, or -1 for the last day")
        if self.weekdays is not None and self.month_day is not None:
            raise SchemaError("steps: weekdays and month_day stand together; leave one of them out")
        if (self.months is None) != (self.month is None) or (
            self.months is not None and (self.months not in (2, 3, 4, 6, 12) or self.month not in range(1, 13))
        ):
            raise SchemaError(
                f"steps: months is {self.months!r} and month {self.month!r}; write both: 2, 3, 4, 6 or 12, and 1 to 12"
            )
        if self.day not in (1, 86_400):
            raise SchemaError(f"steps: day is {self.day!r}; write 1 for dates, 86400 for datetimes")


@dataclass(frozen=True)
class Column:
    """One column: its kind and what is known of it.

    `decimals` is the number of decimals kept (decimal, or fractional seconds of datetime and duration). `storage` is
    the Arrow type that comes back (`int64`, `string`, `timestamp[us, tz=UTC]`, ...). `pattern` is for identifiers:
    `key` (1, 2, 3 ...), `uuid`, `email`, `phone`, `iban`, `plate`, `name`, `first_name`, `last_name`, or a mask
    in which A is a letter, 9 a digit and anything else stands for itself; `table.patterns` tells the rest. `format`
    is how text spelled the values: strptime's for moments, a picture such as `$#,###.00` for numbers, `False/True` for
    booleans. `absent` are words that are read as missing; one that stands alone is written where a value is missing, if
    the storage is text. `steps` say what made numbers and moments are multiples of. `unit` is free text for
    people ("kg").
    """

    name: str
    kind: Kind
    storage: str
    missing: bool = False
    decimals: int | None = None
    unit: str | None = None
    timezone: str | None = None
    format: str | None = None
    pattern: str | None = None
    absent: tuple[str, ...] = ()
    domain: Domain | None = None
    steps: Steps | None = None
    personal: bool = False
    sensitive: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise SchemaError(f"a column has text for a name, and {self.name!r} is none; put quotes around it")
        if self.kind not in get_args(Kind):
            raise SchemaError(
                f'column "{self.name}": unknown kind {self.kind!r}{did_you_mean(str(self.kind), get_args(Kind))}; '
                f"use one of {', '.join(get_args(Kind))}"
            )
        if self.steps is not None and self.kind not in NUMERIC:
            raise SchemaError(f'column "{self.name}": a {self.kind} has no steps; leave them out')
        if self.steps is not None and (self.steps.weekdays or self.steps.month_day):
            day = {"date": 1, "datetime": 86_400}.get(self.kind)
            if self.steps.day != day:
                do = f"write day: {day}" if day else "leave weekdays and month_day out"
                raise SchemaError(f'column "{self.name}": steps of a {self.kind} have day {self.steps.day:g}; {do}')

    @property
    def modelled(self) -> bool:
        """Whether an engine learns this column; identifiers and free text are made anew instead."""
        return self.kind not in UNMODELLED


@dataclass(frozen=True)
class Schema:
    """The meaning of one table.

    `primary_key` is unique per row; `person` names the column whose values are people (several rows may share one);
    `target` is the column that a model will predict. `separator` stands between the cells of a .csv file of this table,
    where it is no comma; the decimal marks and powers of ten of its numbers are in their columns' `format`.
    """

    columns: tuple[Column, ...]
    primary_key: str | None = None
    person: str | None = None
    target: str | None = None
    separator: str | None = None

    def __post_init__(self) -> None:
        if self.separator is not None and self.separator not in SEPARATORS:
            raise SchemaError(
                f"separator {self.separator!r}: use {', '.join(map(repr, SEPARATORS))}, or leave it out for a comma"
            )
        object.__setattr__(self, "columns", tuple(self.columns))  # a list will do
        if others := [column for column in self.columns if not isinstance(column, Column)]:
            raise SchemaError(f"the columns of a schema are of the type Column, and {others[0]!r} is none")
        names = self.names
        repeated = sorted(name for name, count in Counter(names).items() if count > 1)
        if repeated:
            raise SchemaError(f"column names stand twice: {', '.join(map(repr, repeated))}; rename them")
        for role in ("primary_key", "person", "target"):
            name = getattr(self, role)
            if name is not None and name not in names:
                there = f"{did_you_mean(name, names)}; there are: {listed(names)}"
                raise SchemaError(f'{role} "{name}" is not a column{there}')

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Column names in the order of the table."""
        return tuple(column.name for column in self.columns)

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    def __getitem__(self, name: str) -> Column:
        if name in self._by_name:
            return self._by_name[name]
        raise SchemaError(f'no column "{name}"{did_you_mean(name, self.names)}; there are: {listed(self.names)}')

    def with_column(self, column: Column) -> Schema:
        """The same schema with the column of that name replaced."""
        self[column.name]
        return replace(self, columns=tuple(column if old.name == column.name else old for old in self.columns))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON; what has its default is left out."""
        roles = {role: getattr(self, role) for role in ("target", "primary_key", "person") if getattr(self, role)}
        roles |= {"separator": self.separator} if self.separator else {}
        return {HEAD: VERSION, **roles, "columns": [_plain(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """The schema that `to_dict` or a person wrote; raises SchemaError that names what is wrong."""
        if not isinstance(data, Mapping) or not isinstance(data.get("columns"), list):
            raise SchemaError(f"a schema is a mapping with a list `columns`; {HINT} schema.yaml")
        if HEAD in data:
            declared.check_version("schema", data, HEAD, VERSION, do=HINT, wrong=SchemaError)
        declared.check_entries("schema", data, (HEAD, "columns", *ROLES), wrong=SchemaError)
        roles = {role: data.get(role) for role in ROLES}
        return cls(columns=tuple(_column(entry) for entry in data["columns"]), **roles)

    def dump(self, path: str | Path) -> None:
        """Write YAML for a person to correct."""
        Path(path).write_text(self.to_yaml(), encoding="utf-8")

    def to_yaml(self) -> str:
        """The schema as YAML text."""
        return declared.dump(self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Schema:
        """Read a schema that was saved as YAML."""
        data = declared.read(path, do=f"{HINT} {path}", wrong=SchemaError)
        with declared.within(path, SchemaError):
            return cls.from_dict(data)


def _plain(value: Column | Domain | Steps) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for item in fields(value):
        content = getattr(value, item.name)
        if isinstance(content, Domain | Steps):
            content = _plain(content)
        elif content == item.default and item.name != "provenance":
            continue
        out[item.name] = list(content) if isinstance(content, tuple) else content
    return out


def _column(data: Any) -> Column:
    if not isinstance(data, Mapping) or not {"name", "kind", "storage"} <= set(data):
        raise SchemaError(f"a column needs name, kind and storage; found {data!r}")
    where = f'column "{data["name"]}"'
    declared.check_entries(where, data, [item.name for item in fields(Column)], wrong=SchemaError)
    domain = data.get("domain")
    if domain is not None:
        if not isinstance(domain, Mapping):
            raise SchemaError(f"{where}: domain is a mapping with provenance and low, high or levels; found {domain!r}")
        declared.check_entries(f"{where}: domain", domain, [item.name for item in fields(Domain)], wrong=SchemaError)
        levels = domain.get("levels")
        if levels is not None and (not isinstance(levels, list) or not all(isinstance(level, str) for level in levels)):
            raise SchemaError(f"{where}: domain levels are a list of text; put quotes around each")
        domain = Domain(**{**domain, "levels": None if levels is None else tuple(levels)})
    steps = data.get("steps")
    if steps is not None:
        if not isinstance(steps, Mapping):
            raise SchemaError(f"{where}: steps is a mapping with step, heap, share or origin; found {steps!r}")
        declared.check_entries(f"{where}: steps", steps, [item.name for item in fields(Steps)], wrong=SchemaError)
        with declared.within(where, SchemaError):
            steps = Steps(**steps)
    absent = data.get("absent") or []
    if not isinstance(absent, list) or not all(isinstance(word, str) for word in absent):
        raise SchemaError(f"{where}: absent is a list of words; put quotes around each")
    return Column(**cast(dict[str, Any], {**data, "absent": tuple(absent), "domain": domain, "steps": steps}))
