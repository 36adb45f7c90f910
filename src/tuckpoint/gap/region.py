"""Ranges of numbers that hold too few training rows: a tree on one half of the rows proposes, the other half judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tuckpoint.gap.cells import fewer, passed
from tuckpoint.gap.columns import SINGLE, spelt, value
from tuckpoint.gap.finding import Missing
from tuckpoint.gap.spans import density, surprise
from tuckpoint.measure import boost
from tuckpoint.measure.boost import Boosting, Features
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

TREE = Boosting(rounds=1, rate=1.0, leaves=16, leaf_rows=20)
FEWEST = 200  # rows of each side under which no tree is grown
DIGITS = 4  # of a cut

Box = Mapping[str, tuple[float, float]]  # column -> lower end, which does not belong to it, and upper end, which does


def regions(
    train: Encoded, reference: Encoded, schema: Schema, seed: Seed, *, level: float = 0.05, most: int = 5
) -> tuple[list[Missing], list[Array], int]:
    """Boxes of numbers in which the density of training rows is lower than that of the reference, and their reference
    rows (m,); how many boxes were judged.

    A tree tells half of both tables apart; each of its leaves is a box, and is judged on the other half alone: Fisher's
    exact test, Holm over the boxes. So the search costs no level, and a box need not follow any quantile.
    """
    names = [f.name for f in reference.fields if f.numeric and len(np.unique(reference.columns[f.name])) > SINGLE]
    if not names or min(train.rows, reference.rows) < FEWEST:
        return [], [], 0
    halves = [_half(table.rows, seed.child(side)) for side, table in (("train", train), ("reference", reference))]
    boxes = [_tidy(box, schema) for box in _grown(train, reference, names, halves, seed)]
    counted = [[inside(table, box) for box in boxes] for table in (train, reference)]
    rows, held = (np.array([mask[~half].sum() for mask in masks]) for masks, half in zip(counted, halves, strict=True))
    n, m = (int((~half).sum()) for half in halves)
    p = fewer(rows, held, n, m)
    z = surprise(rows, held, n, m)
    found = sorted(np.flatnonzero(passed(p, level) & (held > 0)), key=lambda at: -z[at])[:most]
    told = [
        _missing(boxes[at], schema, (int(rows[at]), int(held[at]), n, m), int(counted[0][at].sum()), float(p[at]))
        for at in found
    ]  # fmt: skip
    return told, [counted[1][at] for at in found], len(boxes)


def inside(table: Encoded, box: Box) -> Array:
    """Which rows (n,) lie in the box; a missing value lies nowhere."""
    mask = np.ones(table.rows, bool)
    for name, (low, high) in box.items():
        mask &= (table.columns[name] > low) & (table.columns[name] <= high)
    return mask


def _half(rows: int, seed: Seed) -> Array:
    chosen = np.zeros(rows, bool)
    chosen[seed.numpy().permutation(rows)[: rows // 2]] = True
    return chosen


def _grown(
    train: Encoded, reference: Encoded, names: Sequence[str], halves: Sequence[Array], seed: Seed
) -> Iterator[Box]:  # fmt: skip
    """The leaves of a tree that tells the first halves of both tables apart, each table of equal weight."""
    sides = [
        np.stack([table.columns[name][half] for name in names], axis=1)
        for table, half in zip((train, reference), halves, strict=True)
    ]
    truth = np.repeat([0.0, 1.0], [len(side) for side in sides])
    weights = np.repeat([1 / len(side) for side in sides], [len(side) for side in sides]) * len(truth) / 2
    inputs = Features(tuple(names), np.concatenate(sides), ())
    model = boost.train(inputs, truth, classes=2, seed=seed.child("tree"), settings=TREE, weights=weights)
    yield from _leaves(model.dump_model()["tree_info"][0]["tree_structure"], names, {})


def _leaves(node: Mapping[str, Any], names: Sequence[str], box: Box) -> Iterator[Box]:
    if "split_feature" not in node:
        if box:
            yield box
        return
    name, cut = names[node["split_feature"]], float(node["threshold"])
    low, high = box.get(name, (-np.inf, np.inf))
    yield from _leaves(node["left_child"], names, {**box, name: (low, min(high, cut))})
    yield from _leaves(node["right_child"], names, {**box, name: (max(low, cut), high)})


def _tidy(box: Box, schema: Schema) -> Box:
    """The box with cuts that can be read: whole ones for whole numbers, else four digits."""

    def near(cut: float, name: str) -> float:
        if not np.isfinite(cut):
            return cut
        return float(np.floor(cut)) if schema[name].kind not in ("decimal", "duration") else float(f"{cut:.{DIGITS}g}")

    return {name: (near(low, name), near(high, name)) for name, (low, high) in box.items()}


def _missing(box: Box, schema: Schema, judged: tuple[int, int, int, int], rows: int, p: float) -> Missing:
    there, held, n, m = judged
    low, high = density(there, held, n, m)
    where = [_said(name, ends, schema) for name, ends in box.items()]
    z = float(surprise(np.array([there]), np.array([held]), n, m)[0])
    scale = rows / there if there else 2.0
    return Missing(
        where=" and ".join(where), columns=tuple(box), basis="region", rows=rows, expected=scale * n * held / m,
        share=held / m, ratio=there / n / (held / m), low=low, high=high, z=z, p=p,
        lacking=max(0, round(scale * ((n - there) * held / max(m - held, 1) - there))), reference_rows=held,
        note=f"a box that half of the rows proposed and the other half judged ({there:,} and {held:,} rows there)",
    )  # fmt: skip


def _said(name: str, ends: tuple[float, float], schema: Schema) -> str:
    low, high = (None if np.isinf(end) else value(schema[name], end) for end in ends)
    said = spelt(name)
    if low is None:
        return f"{said} <= {high}"
    return f"{said} > {low}" if high is None else f"{low} < {said} <= {high}"
