"""People of a known law, and made rows that give away a share of them set by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tuckpoint.measure.finding import Sides
from tuckpoint.measure.nearness import Nearness
from tuckpoint.schema import Column, Kind, Schema
from tuckpoint.table.engine import Array, Encoded, Field

NUMBERS, LEVELS = ("a", "b", "c", "d"), ("p", "q", "r", "s")
FIELDS = (*(Field(name, decimals=6) for name in NUMBERS), *(Field(name, tuple("uvwxyz")) for name in LEVELS))
KINDS: dict[str, Kind] = {**dict.fromkeys(NUMBERS, "decimal"), **dict.fromkeys(LEVELS, "category")}
SCHEMA = Schema(tuple(Column(name, kind, "double" if name in NUMBERS else "string") for name, kind in KINDS.items()))


def strangers(rows: int, seed: int) -> Encoded:
    """Eight columns that have nothing to do with each other: four numbers in 0..1, four of six levels."""
    random = np.random.default_rng(seed)
    numbers = {name: np.round(random.random(rows), 6) for name in NUMBERS}
    return Encoded(FIELDS, numbers | {name: random.integers(0, 6, rows).astype(np.int32) for name in LEVELS})


def stacked(*parts: Encoded) -> Encoded:
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Encoded(parts[0].fields, columns)


def shuffled(data: Encoded, seed: int) -> Encoded:
    """Each column shuffled alone."""
    random = np.random.default_rng(seed)
    return Encoded(data.fields, {name: values[random.permutation(data.rows)] for name, values in data.columns.items()})


def around(members: Encoded, outsiders: Encoded, made: Encoded, schema: Schema = SCHEMA) -> Sides:
    return Sides(members, outsiders, members, outsiders, made, KINDS, schema)


def leaking(share: float, *, people: int = 1000, seed: int = 0) -> Sides:
    """As many made rows as members: this share of them copies of the first members, the others strangers."""
    members, outsiders, others = (strangers(people, 3 * seed + i) for i in range(3))
    copied = round(share * people)
    return around(members, outsiders, stacked(members.take(np.arange(copied)), others.take(np.arange(copied, people))))


def exchanged(sides: Sides, seed: int) -> Sides:
    """The same people and made rows, and distances if measured, with who was a member dealt anew by chance."""
    people = stacked(sides.members, sides.outsiders)
    order: Array = np.random.default_rng(seed).permutation(people.rows)
    first, second = people.take(order[: sides.people]), people.take(order[sides.people :])
    near = sides.near
    if near is not None:
        near = Nearness(near.made[order], near.others[order], near.aligned[order])
    return replace(sides, train=first, holdout=second, members=first, outsiders=second, near=near)
