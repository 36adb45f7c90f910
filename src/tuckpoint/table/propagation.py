"""Belief propagation: the exact margins of a product of positive factors, by two passes over a junction tree.

Source: Lauritzen and Spiegelhalter 1988; in logarithms, one exponential a cell. A factor over a scope is an array with
one axis a column of the scope, in ascending order; here it holds the logarithm of the factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError
from tuckpoint.table.junction import JunctionTree, Scope

Table = NDArray[np.float64]


@dataclass(frozen=True)
class Calibrated:
    """A distribution as the probability tables of the cliques of a junction tree, which agree where they overlap."""

    tree: JunctionTree
    beliefs: tuple[Table, ...]

    def margin(self, scope: Scope) -> Table:
        """The probabilities of columns that stand in one clique; raises InputError if they do not."""
        home = self.tree.home(scope)
        if home is None:
            raise InputError(f"columns {scope} stand in no clique of {self.tree.cliques}; ask for pairs instead")
        return _summed(self.beliefs[home], self.tree.cliques[home], scope)


@dataclass(frozen=True)
class _Place:
    """Where a factor over a scope goes: its clique, its shape there, and the axes that its margin sums out."""

    clique: int
    shape: tuple[int, ...]
    others: tuple[int, ...]


class Propagation:
    """The passes over one junction tree for factors over fixed scopes; axes and shapes are worked out once."""

    def __init__(self, tree: JunctionTree, scopes: Sequence[Scope]) -> None:
        self.tree = tree
        self._places = [self._place(scope) for scope in scopes]
        self._shapes = [tuple(tree.sizes[v] for v in clique) for clique in tree.cliques]
        self._new: list[tuple[int, ...]] = []  # axes of a clique that its parent lacks
        self._above: list[_Place | None] = []  # where the message of a clique goes
        self._below: list[tuple[int, ...]] = []  # the shape of what the parent tells, in the clique
        for i, (clique, parent) in enumerate(zip(tree.cliques, tree.parents, strict=True)):
            shared = tree.separator(i)
            self._new.append(_axes(clique, shared))
            self._above.append(self._place(shared, parent) if parent >= 0 else None)
            self._below.append(tuple(tree.sizes[v] if v in shared else 1 for v in clique))

    def __call__(self, factors: Sequence[Table]) -> tuple[float, Calibrated]:
        """The logarithm of the sum over all cells of the product of the factors, and the normalised distribution."""
        logs = [np.zeros(shape) for shape in self._shapes]
        for place, factor in zip(self._places, factors, strict=True):
            logs[place.clique] += factor.reshape(place.shape)
        total, tables = 0.0, list(logs)
        for i in range(len(logs) - 1, -1, -1):
            peak = logs[i].max(axis=self._new[i], keepdims=True)
            table = np.exp(logs[i] - peak)
            mass = table.sum(axis=self._new[i], keepdims=True)
            table /= mass
            tables[i] = table  # of the new columns given those shared with the parent
            message = np.log(mass) + peak
            above = self._above[i]
            if above is None:
                total = float(message.item())
            else:
                logs[above.clique] += message.reshape(above.shape)
        for i, above in enumerate(self._above):
            if above is not None:
                tables[i] *= tables[above.clique].sum(axis=above.others).reshape(self._below[i])
        return total, Calibrated(self.tree, tuple(tables))

    def margins(self, found: Calibrated) -> list[Table]:
        """The probabilities over each of the scopes."""
        return [found.beliefs[place.clique].sum(axis=place.others) for place in self._places]

    def _place(self, scope: Scope, clique: int | None = None) -> _Place:
        at = self.tree.home(scope) if clique is None else clique
        if at is None:
            raise InputError(f"scope {scope} stands in no clique of {self.tree.cliques}; build the tree with it")
        columns = self.tree.cliques[at]
        return _Place(at, tuple(self.tree.sizes[v] if v in scope else 1 for v in columns), _axes(columns, scope))


def pairs(found: Calibrated) -> Iterator[tuple[int, int, Table]]:
    """The probabilities (bins of a, bins of b) of all pairs of columns a < b, wherever in the tree they stand."""
    tree = found.tree
    beside: list[list[tuple[int, Scope]]] = [[] for _ in tree.cliques]
    for i, parent in enumerate(tree.parents):
        if parent >= 0:
            shared = tree.separator(i)
            beside[i].append((parent, shared))
            beside[parent].append((i, shared))
    for a in range(len(tree.sizes)):
        told: set[int] = set()
        for scope, joint in _spreading(found, a, beside):
            for b in scope:
                if b > a and b not in told:
                    told.add(b)
                    yield a, b, _summed(joint, scope, (b,), lead=1)


def chain(found: Calibrated) -> Iterator[tuple[int, Scope, Table]]:
    """Every column with the earlier ones that it hangs on, and their joint probabilities (cells of those, bins).

    The order is perfect: all but the last of those that a column hangs on are among those that the last hangs on.
    Columns that it hangs on stand in the order in which they came, and so do the axes of which the cells are made.
    """
    came: dict[int, int] = {}
    for clique, belief in zip(found.tree.cliques, found.beliefs, strict=True):
        for v in (v for v in clique if v not in came):
            above = tuple(sorted((u for u in clique if u in came), key=came.__getitem__))
            joint = _summed(belief, clique, (*above, v))
            kept = tuple(u for u in clique if u in above or u == v)
            joint = joint.transpose([kept.index(u) for u in (*above, v)])
            came[v] = len(came)
            yield v, above, joint.reshape(-1, joint.shape[-1])


def _spreading(found: Calibrated, a: int, beside: list[list[tuple[int, Scope]]]) -> Iterator[tuple[Scope, Table]]:
    """The joint probabilities (bins of a, *clique without a) of a column with each clique, from where it stands out."""
    tree = found.tree
    start = tree.home((a,))
    assert start is not None  # every column stands in a clique
    waiting: list[tuple[int, int, Scope, Table | None]] = [(start, -1, (), None)]
    while waiting:
        i, before, shared, heard = waiting.pop()
        clique, belief = tree.cliques[i], found.beliefs[i]
        if a in clique:
            scope, joint = tuple(v for v in clique if v != a), np.moveaxis(belief, clique.index(a), 0)
        else:
            assert heard is not None  # a clique without the column is only reached with a message
            mass = _summed(belief, clique, shared)
            ratio = np.divide(heard, mass, out=np.zeros_like(heard), where=mass > 0)
            scope = clique
            joint = ratio.reshape(-1, *(tree.sizes[v] if v in shared else 1 for v in clique)) * belief
        yield scope, joint
        for j, common in beside[i]:
            if j != before:
                known = a in tree.cliques[j]
                waiting.append((j, i, common, None if known else _summed(joint, scope, common, lead=1)))


def _axes(columns: Scope, kept: Scope) -> tuple[int, ...]:
    return tuple(k for k, v in enumerate(columns) if v not in kept)


def _summed(table: Table, columns: Scope, kept: Scope, lead: int = 0) -> Table:
    """The table with all columns but these summed out, after `lead` axes that stay."""
    return np.asarray(table.sum(axis=tuple(k + lead for k in _axes(columns, kept))))
