"""A decomposable model that draws rows exactly: what is known travels through it before anything is drawn.

Columns stand in an order in which those that a column hangs on (its parents) hang on one another, so that what is known
of a column can be passed to the nearest of its parents and no further table is ever needed (Lauritzen 1996, chapter 3).
A tree is the case of one parent.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, ShortSample, TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Condition, Encoded, Field, Guarantee, State
from tuckpoint.table.grid import Grid, grid
from tuckpoint.table.pieces import Pieces, allowed, place, spread
from tuckpoint.table.restrict import refusal, separate

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
CHUNK = 2**16  # rows drawn at a time,
_HEARD = 2**22  # and cells of one table of evidence: both bound memory


@dataclass(frozen=True)
class Node:
    """One column: its cells fall into bins; `law` (cells of the parents, bins) is the chance of a bin given theirs.

    `bins` (cells,) names each cell's bin, `share` (cells,) its chance within the bin. `parents` are earlier nodes,
    ascending; all but the last of them are parents of the last.
    """

    grid: Grid
    bins: Codes
    share: Floats
    parents: tuple[int, ...]
    law: Floats

    @property
    def size(self) -> int:
        """Number of bins."""
        return int(self.law.shape[1])


@dataclass(frozen=True)
class DecomposableModel:
    """Noisy tables of columns; drawing from them any number of times costs no further privacy.

    `engine` is the name of the engine that fitted it, `cells` the most cells that it cut a number into.
    """

    engine: str
    fields: tuple[Field, ...]
    nodes: tuple[Node, ...]
    cells: int
    guarantee: Guarantee | None
    notes: tuple[str, ...] = ()

    def refuse(self, condition: Condition | None, given: tuple[str, ...]) -> str | None:
        """Conditions on single columns, joined by `and`, and any given columns are exact; others are refused."""
        return refusal(self.engine, self.fields, condition, given)

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
        """Tables and their order; all of it is noisy and covered by the guarantee."""
        values = {
            "engine": self.engine,
            "cells": self.cells,
            "order": [node.grid.field.name for node in self.nodes],
            "parents": [list(node.parents) for node in self.nodes],
            "guarantee": self.guarantee.to_dict() if self.guarantee else None,
            "notes": list(self.notes),
        }
        arrays = {
            f"{i}.{part}": getattr(node, part) for i, node in enumerate(self.nodes) for part in ("bins", "share", "law")
        }
        return State(values, arrays)

    @classmethod
    def from_state(cls, state: State, fields: tuple[Field, ...]) -> Self:
        """The model that told this state; raises TraceError if order, sizes or chances cannot be one."""
        by_name = {item.name: item for item in fields}
        try:
            order, parents, cells = state.values["order"], state.values["parents"], int(state.values["cells"])
            nodes = tuple(
                Node(
                    grid(by_name[name], cells),
                    np.asarray(state.arrays[f"{i}.bins"], dtype=np.int64),
                    np.asarray(state.arrays[f"{i}.share"], dtype=np.float64),
                    tuple(map(int, parents[i])),
                    np.asarray(state.arrays[f"{i}.law"], dtype=np.float64),
                )
                for i, name in enumerate(order)
            )
            told, notes = state.values["guarantee"], tuple(map(str, state.values["notes"]))
            engine = str(state.values["engine"])
            model = cls(engine, fields, nodes, cells, Guarantee(**told) if told else None, notes)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise TraceError(f"this is no state of a model of tables: {error!r}; fit again") from error
        if sorted(order) != sorted(by_name) or not all(_sound(node, i, nodes) for i, node in enumerate(nodes)):
            raise TraceError("the state of the model does not fit its fields; fit again")
        return model


def draw(
    nodes: tuple[Node, ...], rows: int, seed: Seed, condition: Condition | None, given: Mapping[str, Array]
) -> dict[str, Array]:
    """Draw rows of all columns, by name.

    Raises ShortSample if nothing satisfies the condition, InputError if given values themselves break it.
    """
    parts = separate(condition, given, rows)
    names = [node.grid.field.name for node in nodes]
    if not rows:
        return {name: node.grid.values(np.zeros(0, np.int64)) for name, node in zip(names, nodes, strict=True)}
    pieces = [allowed(n.grid, n.bins, n.share, parts.get(name)) for name, n in zip(names, nodes, strict=True)]
    for name, piece in zip(names, pieces, strict=True):
        if not len(piece.bin) and name not in given:
            raise ShortSample(f'no value of column "{name}" satisfies the condition; widen it')
    known = {i: n.bins[n.grid.code(given[names[i]])] for i, n in enumerate(nodes) if names[i] in given}
    out = {name: np.array(values) for name, values in given.items()}
    out |= {n: nodes[i].grid.values(np.zeros(rows, np.int64)) for i, n in enumerate(names) if n not in given}
    for start, at, which, told in _chunks(nodes, known, rows):
        evidence = _listen(nodes, pieces, told)
        codes: dict[int, Codes] = {}
        for i, node in enumerate(nodes):
            if i in known:
                codes[i] = known[i][at]
                continue
            stream = seed.child(start).child(names[i]).numpy()
            sizes, above = [nodes[v].size for v in node.parents], [codes[v] for v in node.parents]
            codes[i] = _pick(node, sizes, above, evidence[i], which, stream)
            out[names[i]][at] = node.grid.values(place(pieces[i], codes[i], stream))
    return out


def _chunks(
    nodes: tuple[Node, ...], known: Mapping[int, Codes], rows: int
) -> Iterator[tuple[int, Codes, Codes, dict[int, Codes]]]:
    """Rows that are drawn together: a number, their positions, and the distinct combinations of known bins.

    The third names the combination (rows,) of each row, the fourth holds the bins (combinations,) of each known column.
    """
    if not known:
        for start in range(0, rows, CHUNK):
            at = np.arange(start, min(start + CHUNK, rows))
            yield start, at, np.zeros(len(at), np.int64), {}
        return
    key = np.zeros(rows, np.int64)
    for i, codes in known.items():
        key = np.unique(key * nodes[i].size + codes, return_inverse=True)[1]
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    widest = max(math.prod(nodes[v].size for v in (*n.parents, i) if v not in known) for i, n in enumerate(nodes))
    start = 0
    while start < rows:
        past = int(np.searchsorted(ranked, ranked[start] + max(_HEARD // widest, 1)))
        at = order[start : min(past, start + CHUNK)]
        _, first, which = np.unique(key[at], return_index=True, return_inverse=True)
        yield start, at, which, {i: codes[at[first]] for i, codes in known.items()}
        start += len(at)


def _listen(nodes: tuple[Node, ...], pieces: list[Pieces], told: Mapping[int, Codes]) -> list[Floats | None]:
    """What each column hears from itself and from those after it: chances up to a factor, None for all alike.

    Axes are the combinations (or 1), the parents and the column itself; an axis along which nothing differs, and that
    of a known column, has length 1.
    """
    heard: list[Floats | None] = [None if i in told else _own(nodes, i, piece) for i, piece in enumerate(pieces)]
    for i in range(len(nodes) - 1, -1, -1):
        message, parents = heard[i], nodes[i].parents
        if message is None and i not in told:
            continue
        law = _law(nodes, i, told)
        up = _scaled((law if message is None else law * message).sum(axis=-1))
        if parents:
            last = parents[-1]
            axes = {v: up.shape[1 + k] for k, v in enumerate(parents)}
            up = up.reshape(len(up), *(axes.get(v, 1) for v in (*nodes[last].parents, last)))
            before = heard[last]
            heard[last] = up if before is None else _scaled(before * up)
    return heard


def _own(nodes: tuple[Node, ...], i: int, piece: Pieces) -> Floats | None:
    """How much of each bin a condition on the column itself lets through; None for all of it."""
    share = np.bincount(piece.bin, weights=piece.weight, minlength=nodes[i].size).astype(np.float64)
    if np.abs(share - 1).max(initial=0) < 1e-9:
        return None
    return share.reshape(*(1 for _ in range(len(nodes[i].parents) + 1)), -1)


def _law(nodes: tuple[Node, ...], i: int, told: Mapping[int, Codes]) -> Floats:
    """The law of a column, cut at what is known: axes as in `_listen`."""
    scope = (*nodes[i].parents, i)
    law = nodes[i].law.reshape([nodes[v].size for v in scope])
    if not any(v in told for v in scope):
        return law[None]
    index = []
    for k, v in enumerate(scope):
        across = [1] * (len(scope) + 1)
        across[0 if v in told else k + 1] = -1
        index.append((told[v] if v in told else np.arange(nodes[v].size)).reshape(across))
    return np.asarray(law[tuple(index)])


def _scaled(message: Floats) -> Floats:
    """The message with 1 as its largest chance for each combination: long products stay countable."""
    peak = message.max(axis=tuple(range(1, message.ndim)), keepdims=True)
    if not (peak > 0).all():
        raise ShortSample("the condition and the given values never occur together; widen the condition")
    return np.asarray(message / peak)


def _pick(
    node: Node, sizes: list[int], above: list[Codes], evidence: Floats | None, which: Codes, stream: np.random.Generator
) -> Codes:
    """Draw a bin for each row from the law of its parents' bins, weighed by the evidence for its combination."""
    group = np.zeros(len(which), np.int64)
    for size, codes in zip(sizes, above, strict=True):
        group = group * size + codes
    weight = node.law[group]
    if evidence is not None:
        axes = zip((which, *above), evidence.shape[:-1], strict=True)
        weight = weight * evidence[tuple(codes if length > 1 else 0 for codes, length in axes)]
    running = np.cumsum(weight, axis=1)
    chance = spread(group, stream) * running[:, -1]
    return np.asarray((chance[:, None] >= running[:, :-1]).sum(axis=1), dtype=np.int64)


def _sound(node: Node, i: int, nodes: tuple[Node, ...]) -> bool:
    parents = node.parents
    if any(not 0 <= v < i for v in parents) or list(parents) != sorted(set(parents)):
        return False
    return (
        (not parents or set(parents[:-1]) <= set(nodes[parents[-1]].parents))
        and node.bins.shape == node.share.shape == (node.grid.size,)
        and node.law.ndim == 2
        and node.law.shape[0] == math.prod(nodes[v].size for v in parents)
        and node.bins.min() >= 0
        and node.bins.max() == node.size - 1
        and bool(np.isfinite(node.share).all() and (node.share >= 0).all())
        and bool((node.law >= 0).all() and np.allclose(node.law.sum(axis=1), 1))
    )
