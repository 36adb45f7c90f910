import math
from itertools import combinations

import numpy as np
import pytest

from tuckpoint.table.junction import JunctionTree, grown, growth, junction_tree


def drawn(seed: int) -> tuple[list[int], list[tuple[int, ...]]]:
    stream = np.random.default_rng(seed)
    columns = int(stream.integers(2, 9))
    every = [s for k in (1, 2, 3) for s in combinations(range(columns), k)]
    chosen = stream.choice(len(every), min(len(every), int(stream.integers(1, 12))), replace=False)
    return stream.integers(1, 6, columns).tolist(), [every[i] for i in chosen]


@pytest.mark.parametrize("seed", range(30))
def test_what_two_cliques_share_stands_in_all_between_them(seed):
    sizes, scopes = drawn(seed)
    tree = junction_tree(sizes, scopes)
    assert tree.parents[0] == -1
    assert all(0 <= parent < i for i, parent in enumerate(tree.parents) if i)
    for column in range(len(sizes)):
        holding = {i for i, clique in enumerate(tree.cliques) if column in clique}
        tops = [i for i in holding if tree.parents[i] not in holding]
        assert len(tops) == 1  # the cliques that hold a column are one connected part of the tree
    for i, clique in enumerate(tree.cliques):
        above = tree.cliques[tree.parents[i]] if i else ()
        assert set(tree.separator(i)) == set(clique) & set(above)


@pytest.mark.parametrize("seed", range(30))
def test_every_scope_and_column_has_a_home_and_no_clique_stands_in_another(seed):
    sizes, scopes = drawn(seed)
    tree = junction_tree(sizes, scopes)
    for scope in (*scopes, *((j,) for j in range(len(sizes)))):
        home = tree.home(scope)
        assert home is not None
        assert set(scope) <= set(tree.cliques[home])
    assert not any(set(a) <= set(b) for a in tree.cliques for b in tree.cliques if a is not b)
    assert tree.cells == sum(math.prod(sizes[v] for v in clique) for clique in tree.cliques)
    assert tree == junction_tree(sizes, reversed(scopes))


def test_a_ring_is_closed_by_its_narrow_columns():
    tree = junction_tree([2, 10, 2, 10], [(0, 1), (1, 2), (2, 3), (0, 3)])
    assert sorted(tree.cliques) == [(0, 1, 2), (0, 2, 3)]
    assert tree.cells == 80


def test_the_home_is_the_smallest_clique_that_holds_the_columns():
    tree = JunctionTree((2, 3, 4), ((0, 2), (0, 1)), (-1, 0))
    assert tree.home((0,)) == 1
    assert tree.home((1, 2)) is None
    assert tree.home(()) == 1


def test_columns_that_share_nothing_are_joined_by_nothing():
    tree = junction_tree([2, 2, 2], [])
    assert len(tree.cliques) == 3
    assert all(tree.separator(i) == () for i in range(3))


@pytest.mark.parametrize("seed", range(20))
def test_a_pair_finds_room_for_no_more_cells_than_growth_says(seed):
    sizes, scopes = drawn(seed)
    tree = junction_tree(sizes, scopes)
    gained = growth(tree)
    assert np.array_equal(gained, gained.T)
    for pair in combinations(range(len(sizes)), 2):
        more = grown(tree, scopes, pair)
        assert (gained[pair] == 0) == (tree.home(pair) is not None)
        assert more.cells <= tree.cells + gained[pair]
        assert all(more.home(scope) is not None for scope in (*scopes, pair))
        for column in range(len(sizes)):
            holding = {i for i, clique in enumerate(more.cliques) if column in clique}
            assert sum(more.parents[i] not in holding for i in holding) == 1


def test_the_cheaper_of_two_columns_bridges_the_gap():
    tree = junction_tree([3, 10, 10, 4], [(0, 1), (1, 2), (2, 3)])
    # 0 in (1, 2) and (2, 3): 2 x 100 + 2 x 40; 3 in (1, 2) and (0, 1): 3 x 100 + 3 x 30.
    assert growth(tree)[0, 3] == 280
    assert growth(tree)[0, 2] == 200
