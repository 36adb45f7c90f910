"""Junction trees: cliques of columns, joined so that what two of them share stands in all cliques between them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scope = tuple[int, ...]  # columns, ascending


@dataclass(frozen=True)
class JunctionTree:
    """Maximal cliques of a chordal graph over the columns; `parents[i]` is an earlier clique, -1 for the first.

    `sizes` are the bins of each column.
    """

    sizes: tuple[int, ...]
    cliques: tuple[Scope, ...]
    parents: tuple[int, ...]

    @property
    def cells(self) -> int:
        """Cells of all clique tables together: what a pass of belief propagation touches."""
        return sum(math.prod(self.sizes[v] for v in clique) for clique in self.cliques)

    def separator(self, i: int) -> Scope:
        """What a clique shares with its parent."""
        if self.parents[i] < 0:
            return ()
        above = self.cliques[self.parents[i]]
        return tuple(v for v in self.cliques[i] if v in above)

    def home(self, scope: Iterable[int]) -> int | None:
        """The smallest clique that holds all these columns; None if no clique does."""
        wanted = set(scope)
        holding = [i for i, clique in enumerate(self.cliques) if wanted.issubset(clique)]
        return min(holding, key=lambda i: math.prod(self.sizes[v] for v in self.cliques[i]), default=None)


def junction_tree(sizes: Sequence[int], scopes: Iterable[Scope]) -> JunctionTree:
    """A junction tree whose cliques hold all scopes, and every column.

    Columns are eliminated by the fewest cells that this joins into one table (the min-weight rule: Kjaerulff 1990);
    the cliques are joined by a heaviest spanning tree of the columns that they share. One tree even where nothing is.
    """
    cliques = _maximal(_eliminate(sizes, scopes))
    order, parents = [0], [-1]
    # For each clique outside: its best neighbour inside, so that every step looks at each clique once.
    best = {j: (len(cliques[j] & cliques[0]), 0) for j in range(1, len(cliques))}
    while best:
        j = max(best, key=lambda j: (best[j][0], -j))
        order.append(j)
        parents.append(best.pop(j)[1])
        for k in best:
            if (shared := len(cliques[k] & cliques[j])) > best[k][0]:
                best[k] = (shared, len(order) - 1)
    return JunctionTree(tuple(sizes), tuple(tuple(sorted(cliques[j])) for j in order), tuple(parents))


def _eliminate(sizes: Sequence[int], scopes: Iterable[Scope]) -> list[set[int]]:
    """The clique that each column stands in when it is eliminated."""
    near: list[set[int]] = [set() for _ in sizes]
    for scope in scopes:
        for v in scope:
            near[v].update(scope)
    for v, beside in enumerate(near):
        beside.discard(v)
    weight = [math.prod(sizes[u] for u in beside) * sizes[v] for v, beside in enumerate(near)]
    left, out = set(range(len(sizes))), []
    while left:
        v = min(left, key=lambda u: (weight[u], u))
        left.remove(v)
        out.append({v, *near[v]})
        for u in near[v]:
            near[u] |= near[v]
            near[u] -= {u, v}
            weight[u] = math.prod(sizes[w] for w in near[u]) * sizes[u]
    return out


def _maximal(cliques: list[set[int]]) -> list[set[int]]:
    kept: list[set[int]] = []
    for clique in sorted(cliques, key=len, reverse=True):
        if not any(clique <= other for other in kept):
            kept.append(clique)
    return kept


def growth(tree: JunctionTree) -> NDArray[np.float64]:
    """How many cells the tree would gain at most if two columns were to stand in one clique: (columns, columns).

    One of the two can always be added to the cliques between them.
    """
    reach = _reach(tree)
    gained = np.full((len(tree.sizes), len(tree.sizes)), np.inf)
    for clique, cost in zip(tree.cliques, reach, strict=True):
        for v in clique:
            gained[:, v] = np.minimum(gained[:, v], cost)
    return np.asarray(np.minimum(gained, gained.T))


def grown(tree: JunctionTree, scopes: Iterable[Scope], pair: Scope) -> JunctionTree:
    """A tree for these scopes and the pair, which gains no more cells than `growth` says; the tree holds the scopes."""
    if tree.home(pair) is not None:
        return tree
    return min(_bridged(tree, *pair), junction_tree(tree.sizes, [*scopes, pair]), key=lambda found: found.cells)


def _bridged(tree: JunctionTree, one: int, other: int) -> JunctionTree:
    """The tree with one of two columns added to the cliques between them."""
    reach = _reach(tree)
    _, moved, at = min(
        (reach[i, a], a, i)
        for a, b in ((one, other), (other, one))
        for i, clique in enumerate(tree.cliques)
        if b in clique
    )
    cliques = [set(clique) for clique in tree.cliques]
    beside: list[list[int]] = [[] for _ in cliques]
    for i, parent in enumerate(tree.parents[1:], 1):
        beside[i].append(parent)
        beside[parent].append(i)
    while moved not in cliques[at]:
        cliques[at].add(moved)
        at = min(beside[at], key=lambda i: reach[i, moved])
    return JunctionTree(tree.sizes, tuple(tuple(sorted(clique)) for clique in cliques), tree.parents)


def _reach(tree: JunctionTree) -> NDArray[np.float64]:
    """Cells gained by adding each column to each clique, and to those on the way there: (cliques, columns)."""
    more = np.maximum(np.array(tree.sizes) - 1, 0.1)  # a column of one bin adds nothing, but has its way too
    cells = [math.prod(tree.sizes[v] for v in clique) for clique in tree.cliques]
    reach = np.full((len(cells), len(more)), np.inf)
    for i, clique in enumerate(tree.cliques):
        reach[i, list(clique)] = 0
    for i in range(len(cells) - 1, 0, -1):
        above = tree.parents[i]
        reach[above] = np.minimum(reach[above], reach[i] + more * cells[above])
    for i in range(1, len(cells)):
        reach[i] = np.minimum(reach[i], reach[tree.parents[i]] + more * cells[i])
    return reach
