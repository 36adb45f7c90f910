"""A tree of columns that draws rows exactly: conditions and given columns travel along it before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Condition, Encoded, Field, Guarantee, State
from tuckpoint.table.grid import Grid, grid
from tuckpoint.table.restrict import allowed_runs, refusal, separate

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
CHUNK = 2**16  # rows drawn at a time, to bound memory


@dataclass(frozen=True)
class Node:
    """One column: its cells fall into bins; `law` (parent bins, bins) is the chance of a bin given the parent's.

    `bins` (cells,) names each cell's bin, `share` (cells,) its chance within the bin. A root has one row of `law` and
    parent -1; parents stand before their children.
    """

    grid: Grid
    bins: Codes
    share: Floats
    parent: int
    law: Floats


@dataclass(frozen=True)
class Pieces:
    """What a column may still take: runs of steps with their weight, ordered by bin; step -1 is missing."""

    bin: Codes
    first: Codes
    count: Codes
    weight: Floats


@dataclass(frozen=True)
class TreeModel:
    """Noisy margins on a tree; drawing from it any number of times costs no further privacy."""

    fields: tuple[Field, ...]
    nodes: tuple[Node, ...]
    cells: int
    guarantee: Guarantee | None
    notes: tuple[str, ...] = ()

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """Conditions on single columns, joined by `and`, and any given columns are exact; others are refused."""
        return refusal("marginals", self.fields, condition, given)

    def draw(
        self,
        rows: int,
        seed: Seed,
        *,
        condition: Condition | None = None,
        given: Mapping[str, Array] | None = None,
    ) -> Encoded:
        """Draw rows; the same model and seed give the same bytes.

        Raises InputError for what `refuse` refuses, ShortSample if no possible row satisfies the condition.
        """
        if reason := self.refuse(condition, tuple(given or ())):
            raise InputError(reason)
        made = draw(self.nodes, rows, seed, condition, dict(given or {}))
        kinds = {item.name: np.float64 if item.numeric else np.int32 for item in self.fields}
        return Encoded(self.fields, {name: np.array(made[name], dtype=kind, order="C") for name, kind in kinds.items()})

    def state(self) -> State:
        """Tables and tree; all of it is noisy and covered by the guarantee."""
        values = {
            "cells": self.cells,
            "order": [node.grid.field.name for node in self.nodes],
            "parent": [node.parent for node in self.nodes],
            "guarantee": self.guarantee.to_dict() if self.guarantee else None,
        }
        arrays = {
            f"{i}.{part}": getattr(node, part) for i, node in enumerate(self.nodes) for part in ("bins", "share", "law")
        }
        return State(values, arrays)

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if sizes or chances cannot be one."""
        by_name = {item.name: item for item in fields}
        try:
            order, parents, cells = state.values["order"], state.values["parent"], int(state.values["cells"])
            nodes = tuple(
                Node(
                    grid(by_name[name], cells),
                    np.asarray(state.arrays[f"{i}.bins"], dtype=np.int64),
                    np.asarray(state.arrays[f"{i}.share"], dtype=np.float64),
                    int(parents[i]),
                    np.asarray(state.arrays[f"{i}.law"], dtype=np.float64),
                )
                for i, name in enumerate(order)
            )
            told = state.values["guarantee"]
            model = cls(fields, nodes, cells, Guarantee(**told) if told else None)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise TraceError(f"this is no state of engine marginals: {error!r}; fit again") from error
        if sorted(order) != sorted(by_name) or not all(_sound(node, i, nodes) for i, node in enumerate(nodes)):
            raise TraceError("the state of engine marginals does not fit its fields; fit again")
        return model


def draw(
    nodes: tuple[Node, ...], rows: int, seed: Seed, condition: Condition | None, given: Mapping[str, Array]
) -> dict[str, Array]:
    """Draw rows of all columns, by name.

    Raises ShortSample if nothing satisfies the condition, InputError if given values themselves break it.
    """
    parts = separate(condition, given, rows)
    if not rows:
        return {node.grid.field.name: node.grid.values(np.zeros(0, np.int64)) for node in nodes}
    pieces = [allowed(node, parts.get(node.grid.field.name)) for node in nodes]
    for node, piece in zip(nodes, pieces, strict=True):
        if not len(piece.bin) and node.grid.field.name not in given:
            raise ShortSample(f'no value of column "{node.grid.field.name}" satisfies the condition; widen it')
    chunks = [
        _draw_chunk(nodes, pieces, stop - start, seed.child(start), {name: v[start:stop] for name, v in given.items()})
        for start in range(0, rows, CHUNK)
        for stop in (min(start + CHUNK, rows),)
    ]
    return {node.grid.field.name: np.concatenate([c[i] for c in chunks]) for i, node in enumerate(nodes)}


def allowed(node: Node, mask: object) -> Pieces:
    """The pieces of a column that a mask lets through; all of them without a mask."""
    grid = node.grid
    cells = np.arange(grid.size)
    first = np.concatenate([grid.first, np.full(int(grid.missing), -1)])
    count = np.concatenate([grid.count, np.ones(int(grid.missing), np.int64)])
    if callable(mask):
        kept = np.asarray(mask(grid.values(np.where(first < 0, -1, first))), dtype=bool) & ((first < 0) | (count == 1))
        cells, first, part = cells[kept], first[kept], np.ones(int(kept.sum()))
        if grid.field.numeric:
            wide = _cut(node, mask)
            cells, first, part = (np.concatenate(pair) for pair in zip((cells, first, part), wide, strict=True))
        count = np.where(first < 0, 1, np.rint(part * count[cells])).astype(np.int64)
        weight = node.share[cells] * part
    else:
        weight = node.share
    order = np.lexsort((first, node.bins[cells]))
    return Pieces(node.bins[cells][order], first[order], count[order], weight[order])


def _cut(node: Node, mask: object) -> tuple[Codes, Codes, Floats]:
    """The allowed parts of cells wider than one number: cell, first step and share of the cell's numbers."""
    grid = node.grid
    edges = np.append(grid.first, grid.first[-1] + grid.count[-1])
    runs = allowed_runs(mask, grid.low, grid.low + int(edges[-1]) - 1, grid.field.decimals) - grid.low  # type: ignore[arg-type]
    cuts = np.unique(np.concatenate([edges, runs.ravel()]))
    first, past = cuts[:-1], cuts[1:]
    run = np.searchsorted(runs[:, 0], first, side="right") - 1
    inside = (run >= 0) & (first < runs[run, 1]) if len(runs) else np.zeros(len(first), bool)
    cell = np.searchsorted(grid.first, first, side="right") - 1
    inside &= grid.count[cell] > 1
    return cell[inside], first[inside], (past - first)[inside] / grid.count[cell[inside]]


def _draw_chunk(
    nodes: tuple[Node, ...], pieces: list[Pieces], rows: int, seed: Seed, given: Mapping[str, Array]
) -> list[Array]:
    known = {
        i: n.bins[n.grid.code(given[n.grid.field.name])] for i, n in enumerate(nodes) if n.grid.field.name in given
    }
    evidence = _listen(nodes, pieces, known)
    codes: list[Codes] = []
    out: list[Array] = []
    for i, node in enumerate(nodes):
        name = node.grid.field.name
        if i in known:
            codes.append(known[i])
            out.append(given[name])
            continue
        stream = seed.child(name).numpy()
        above = codes[node.parent] if node.parent >= 0 else np.zeros(rows, np.int64)
        codes.append(_pick(node.law, above, evidence[i], stream))
        out.append(node.grid.values(_place(pieces[i], codes[-1], stream)))
    return out


def _listen(nodes: tuple[Node, ...], pieces: list[Pieces], known: Mapping[int, Codes]) -> list[Floats | None]:
    """What each column hears from itself and below: chances (1 or rows, bins) up to a factor, None for all alike."""
    heard: list[Floats | None] = []
    for i, node in enumerate(nodes):
        bins = node.law.shape[1]
        if i in known:
            heard.append(np.eye(bins, dtype=np.float64)[known[i]])
            continue
        own = np.asarray(np.bincount(pieces[i].bin, weights=pieces[i].weight, minlength=bins), dtype=np.float64)
        free = bool(np.abs(own - 1).max(initial=0) < 1e-9)  # no part of any bin is forbidden
        heard.append(None if free else own[None])
    for i in range(len(nodes) - 1, -1, -1):
        message = heard[i]
        if message is None:
            continue
        peak = message.max(axis=1, keepdims=True)
        if not (peak > 0).all():
            raise ShortSample("the condition and the given values never occur together; widen the condition")
        heard[i] = message = message / peak
        if nodes[i].parent >= 0:
            told, before = message @ nodes[i].law.T, heard[nodes[i].parent]
            heard[nodes[i].parent] = told if before is None else before * told
    return heard


def _pick(law: Floats, above: Codes, evidence: Floats | None, stream: np.random.Generator) -> Codes:
    """Draw a bin for each row from its parent's row of the law, weighed by the evidence."""
    if evidence is None or len(evidence) == 1:
        weight = law if evidence is None else law * evidence
        running = np.cumsum(weight, axis=1)
        running = (running / np.maximum(running[:, -1:], 1e-300))[above]
    else:
        running = np.cumsum(law[above] * evidence, axis=1)
        running /= running[:, -1:]
    chance = spread(above, stream)
    return np.asarray((chance[:, None] >= running[:, :-1]).sum(axis=1), dtype=np.int64)


def _place(pieces: Pieces, bins: Codes, stream: np.random.Generator) -> Codes:
    """Draw a step inside each row's bin (n,), -1 for missing."""
    start = np.searchsorted(pieces.bin, bins, side="left")
    stop = np.searchsorted(pieces.bin, bins, side="right")
    running = np.concatenate([[0.0], np.cumsum(pieces.weight)])
    target = running[start] + stream.random(len(bins)) * (running[stop] - running[start])
    at = np.clip(np.searchsorted(running, target, side="right") - 1, start, stop - 1)
    inside = np.minimum(stream.random(len(bins)) * pieces.count[at], pieces.count[at] - 1).astype(np.int64)
    return np.where(pieces.first[at] < 0, -1, pieces.first[at] + inside)


def spread(group: Codes, stream: np.random.Generator) -> Floats:
    """Uniform numbers (n,) in [0, 1) that fill each group evenly: one in each n-th part, in random order.

    Each alone is uniform; together they follow a law more closely than independent ones would.
    """
    order = np.argsort((group << 44) | stream.integers(0, 2**44, len(group)))  # one sort of unique keys
    size = np.bincount(group, minlength=1)
    begin = np.cumsum(size) - size
    rank = np.empty(len(group), np.int64)
    rank[order] = np.arange(len(group)) - begin[group[order]]
    return np.minimum((rank + stream.random(len(group))) / size[group], np.nextafter(1, 0))


def _sound(node: Node, i: int, nodes: tuple[Node, ...]) -> bool:
    above = nodes[node.parent].law.shape[1] if 0 <= node.parent < i else 1
    return (
        -1 <= node.parent < i
        and node.bins.shape == node.share.shape == (node.grid.size,)
        and node.law.ndim == 2
        and node.law.shape[0] == above
        and node.bins.min() >= 0
        and node.bins.max() == node.law.shape[1] - 1
        and bool(np.isfinite(node.share).all() and (node.share >= 0).all())
        and bool((node.law >= 0).all() and np.allclose(node.law.sum(axis=1), 1))
    )
