"""The tables of the privacy bench, and how people are dealt by chance to the maker, to the holdout and to neither."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

import tuckpoint
from bench.tables import sets
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed

PEOPLE = 2_000  # on each side, or a third of the table


@dataclass(frozen=True)
class Source:
    """A table of the table bench, and columns left out of it."""

    table: str
    without: tuple[str, ...] = ()


SOURCES = {
    "adult": Source("adult"),
    "adult-coarse": Source("adult", ("fnlwgt",)),  # without its one nearly unique column
    "shoppers": Source("shoppers"),
    "default": Source("default"),
    "stroke": Source("stroke"),
}


@dataclass(frozen=True)
class Seen:
    """What a generator may see: its training rows, real rows of other people, and the schema of the whole table.

    The domains of `public` are those of the whole table, of which the training rows are a random part: they cannot
    tell who is in it.
    """

    train: pa.Table
    others: pa.Table
    public: Schema


@dataclass(frozen=True)
class Split:
    """Three equally large random parts of a table; nobody stands in two of them."""

    seen: Seen
    holdout: pa.Table


def missing(folder: Path, names: list[str]) -> str | None:
    """Why these tables cannot be read from the folder; None if they can."""
    return sets.missing(folder, tuple(dict.fromkeys(SOURCES[name].table for name in names)))


def read(folder: Path, name: str) -> pa.Table:
    """The whole table."""
    source = SOURCES[name]
    table = pyarrow.csv.read_csv(folder / source.table / f"{source.table}.csv")
    return table.drop_columns(list(source.without)).combine_chunks()


def public(table: pa.Table) -> Schema:
    """The schema of a whole table, its domains declared public."""
    schema = tuckpoint.profile(table)
    for column in schema.columns:
        if column.domain is not None:
            schema = schema.with_column(replace(column, domain=replace(column.domain, provenance="public")))
    return schema


def split(table: pa.Table, schema: Schema, seed: Seed, *, people: int = PEOPLE) -> Split:
    """Deal people to the three parts."""
    people = min(people, table.num_rows // 3)
    order = seed.numpy().permutation(table.num_rows)
    train, holdout, others = (table.take(order[i * people : (i + 1) * people]) for i in range(3))
    return Split(Seen(train, others, schema), holdout)
