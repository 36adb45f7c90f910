"""How near the people of an audit lie to made rows and to one another: measured once, for all attacks that ask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuckpoint.measure.neighbours import closest, nearest
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field

NEIGHBOURS = 5
QUANTILES = 200
HUGE = 1e150  # numbers beyond are taken for as large
FARTHEST = 1_000.0  # half standard deviations: where float32 still tells made rows of any size apart
NEAREST = 0.001  # distance under which rows are as good as equal
ONE_HOT = 16  # levels; columns of more take as many random directions, which are nearly at right angles


@dataclass(frozen=True)
class Nearness:
    """Distances of people, the members first and then as many outsiders, to their nearest rows, nearest first.

    `made` (2n, 5) to made rows, `others` (2n, 5) to other people, members and outsiders alike, `aligned` (2n,) to the
    nearest made row where the numbers of each table are ranks within their own table.
    """

    made: Array
    others: Array
    aligned: Array

    def with_rows(self, made: Array, aligned: Array) -> Nearness:
        """The distances when further made rows lie there, at these distances (2n, 5) and (2n,)."""
        both = np.sort(np.concatenate([self.made, made], axis=1), axis=1)[:, :NEIGHBOURS]
        return Nearness(both, self.others, np.minimum(self.aligned, aligned))


@dataclass(frozen=True)
class Embedding:
    """Rows as points. Per number two coordinates, half its value in standard deviations, so that tails stay far away,
    and its place among 200 quantiles; per level a vector of length 1 / 2, at (nearly) right angles to those of others.

    Missing values and levels that no person holds have one place of their own, missing numbers a flag.

    It is learnt from members and outsiders together and knows nobody's side.
    """

    fields: tuple[Field, ...]
    tables: tuple[Array, ...]  # of numbers as `_knots` gives them, of levels as `_vectors` does

    def place(self, data: Encoded) -> Array:
        """Points (n, d) float32."""
        parts = []
        for field, table in zip(self.fields, self.tables, strict=True):
            values = data.columns[field.name]
            parts.append(_number(values, table) if field.numeric else table[values])
        return np.concatenate(parts, axis=1).astype(np.float32)

    def aligned(self, data: Encoded, among: Encoded) -> Array:
        """Points (n, d) float32 whose numbers are ranks in 0..1 among the values of the table `among`."""
        parts = []
        for field, table in zip(self.fields, self.tables, strict=True):
            values = data.columns[field.name]
            parts.append(_rank(values, among.columns[field.name]) if field.numeric else table[values])
        return np.concatenate(parts, axis=1).astype(np.float32)


def embedding(people: Encoded, seed: Seed) -> Embedding:
    """The space learnt from people, members and outsiders alike; `seed` turns columns of many levels."""
    tables = []
    for field in people.fields:
        values = people.columns[field.name]
        if field.numeric:
            tables.append(_knots(values))
        else:
            tables.append(_vectors(values, len(field.levels or ()) + 1, seed.child(field.name)))
    return Embedding(people.fields, tuple(tables))


def joined(first: Encoded, second: Encoded) -> Encoded:
    """The rows of the first table, then those of the second; people are not carried over."""
    columns = {name: np.concatenate([values, second.columns[name]]) for name, values in first.columns.items()}
    return Encoded(first.fields, columns)


def nearness(people: Encoded, made: Encoded, space: Embedding) -> Nearness:
    """All distances of an audit; 2n (2 made + 2n) of them are looked at."""
    points = space.place(people)
    others = closest(points, points, NEIGHBOURS, own=np.arange(len(points)))
    to_made, aligned = approach(people, made, space, among=(people, made))
    return Nearness(to_made, others, aligned)


def approach(
    people: Encoded, made: Encoded, space: Embedding, *, among: tuple[Encoded, Encoded]
) -> tuple[Array, Array]:
    """Distances of people to made rows, as they are (2n, 5) and aligned (2n,): as ranks among the tables `among`."""
    plain = closest(space.place(people), space.place(made), NEIGHBOURS)
    return plain, nearest(space.aligned(people, among[0]), space.aligned(made, among[1]))


def _vectors(codes: Array, levels: int, seed: Seed) -> Array:
    """(levels, d): a vector per level, the last for missing values, code -1."""
    used = np.unique(codes % levels)
    if len(used) > ONE_HOT:
        vectors = seed.numpy().normal(size=(levels, ONE_HOT))
        return np.asarray(vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True)) / 2)
    # What nobody holds is as far from each level as levels are from one another.
    vectors = np.full((levels, len(used)), (1 - np.sqrt(1 + len(used))) / (2 * max(len(used), 1)))
    vectors[used] = 0.5 * np.eye(len(used))
    return vectors


def _knots(column: Array) -> Array:
    """(2, k): mean and deviation, whether values are missing, then the distinct quantiles and their places in 0..1."""
    values = np.clip(column[~np.isnan(column)], -HUGE, HUGE)
    gaps = [float(len(values) < len(column)), 0.0]
    if not len(values):
        return np.array([[0.0, 1.0], gaps, [0.0, 0.5]]).T
    centre, spread = float(np.mean(values)), float(np.std(values))
    quantiles = np.quantile(values, np.linspace(0, 1, QUANTILES + 1), method="lower")  # so that heaps stay heaps
    knots = np.unique(quantiles)
    below, upto = (np.searchsorted(quantiles, knots, side=side) for side in ("left", "right"))
    places = (below + upto - 1) / 2 / QUANTILES
    return np.stack([np.append([centre, gaps[0]], knots), np.append([spread or 1.0, 0.0], places)])


def _number(values: Array, table: Array) -> Array:
    """(n, 2), and a third that flags missing values if some person's is."""
    (centre, spread), (gaps, _) = table[:, 0], table[:, 1]
    missing = np.isnan(values)
    filled = np.clip(np.where(missing, centre, values), -HUGE, HUGE)
    with np.errstate(over="ignore"):
        scaled = np.clip((filled - centre) / spread, -2 * FARTHEST, 2 * FARTHEST) / 2
    place = np.where(missing, 0.5, np.interp(filled, table[0, 2:], table[1, 2:]))
    return np.stack([scaled, place, 0.5 * missing] if gaps else [scaled, place], axis=1)


def _rank(values: Array, among: Array) -> Array:
    """(n, 2): mean rank in 0..1 among the values that are there (missing 0.5), and a flag of missing."""
    missing = np.isnan(values)
    known = np.sort(among[~np.isnan(among)])
    below, upto = np.searchsorted(known, values, side="left"), np.searchsorted(known, values, side="right")
    return np.stack([np.where(missing, 0.5, (below + upto) / 2 / max(len(known), 1)), 0.5 * missing], axis=1)
