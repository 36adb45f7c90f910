"""Belief propagation against the whole joint table, written down cell by cell."""

from itertools import combinations

import numpy as np
import pytest

from tuckpoint.errors import InputError
from tuckpoint.table.junction import junction_tree
from tuckpoint.table.propagation import Propagation, chain, pairs

SIZES = (3, 2, 4, 2, 3, 2)
GRAPHS = {
    "nothing": [],
    "a chain": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)],
    "a star": [(0, 2), (1, 2), (2, 3), (2, 4), (2, 5)],
    "a ring": [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)],
    "two parts": [(0, 1), (1, 2), (0, 2), (3, 4)],
    "triples": [(0, 1, 2), (1, 2, 3), (3, 4, 5)],
    "everything": [(0, 1, 2, 3, 4, 5)],
    "one scope twice": [(0, 1), (0, 1), (1,)],
}


def whole(scopes, factors):
    """The logarithm of the sum, and the joint table, from the product of all factors."""
    joint = np.zeros(SIZES)
    for scope, factor in zip(scopes, factors, strict=True):
        joint = joint + factor.reshape([SIZES[v] if v in scope else 1 for v in range(len(SIZES))])
    joint = np.exp(joint)
    return np.log(joint.sum()), joint / joint.sum()


def over(joint, scope):
    return joint.sum(axis=tuple(v for v in range(len(SIZES)) if v not in scope))


@pytest.fixture(params=GRAPHS)
def case(request):
    scopes = [*((j,) for j in range(len(SIZES))), *GRAPHS[request.param]]
    stream = np.random.default_rng(4)
    factors = [2 * stream.normal(size=[SIZES[v] for v in scope]) for scope in scopes]
    passes = Propagation(junction_tree(SIZES, scopes), scopes)
    return scopes, factors, passes


def test_the_sum_and_all_margins_are_those_of_the_joint_table(case):
    scopes, factors, passes = case
    log_sum, found = passes(factors)
    expected, joint = whole(scopes, factors)
    assert log_sum == pytest.approx(expected, rel=1e-12)
    for scope, margin in zip(scopes, passes.margins(found), strict=True):
        np.testing.assert_allclose(margin, over(joint, scope), rtol=1e-10)
        np.testing.assert_allclose(found.margin(scope), over(joint, scope), rtol=1e-10)


def test_all_pairs_are_those_of_the_joint_table_wherever_they_stand(case):
    scopes, factors, passes = case
    _, joint = whole(scopes, factors)
    told = {(a, b): chances for a, b, chances in pairs(passes(factors)[1])}
    assert sorted(told) == list(combinations(range(len(SIZES)), 2))
    for pair, chances in told.items():
        np.testing.assert_allclose(chances, over(joint, pair), rtol=1e-9)


def test_the_chain_of_conditional_laws_multiplies_to_the_joint_table(case):
    scopes, factors, passes = case
    _, joint = whole(scopes, factors)
    product, before = np.ones(SIZES), {}
    for column, above, table in chain(passes(factors)[1]):
        assert set(above) <= set(before)
        assert list(above) == sorted(above, key=list(before).index)
        assert set(above[:-1]) <= set(before[above[-1]] if above else ())
        before[column] = above
        law = (table / table.sum(axis=1, keepdims=True)).reshape([SIZES[v] for v in (*above, column)])
        order = np.argsort((*above, column))
        product *= law.transpose(order).reshape([SIZES[v] if v in (*above, column) else 1 for v in range(len(SIZES))])
    assert sorted(before) == list(range(len(SIZES)))
    np.testing.assert_allclose(product, joint, rtol=1e-9)


def test_chances_of_any_size_are_counted():
    scopes = [(0, 1), (1, 2)]
    passes = Propagation(junction_tree(SIZES[:3], scopes), scopes)
    factors = [np.zeros((3, 2)), np.zeros((2, 4))]
    factors[0][0, 0], factors[1][1, 0] = 5000.0, 4990.0
    log_sum, found = passes(factors)
    assert log_sum == pytest.approx(5000 + np.log(4), rel=1e-6)
    assert found.margin((0, 1))[0, 0] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(found.margin((1, 2))).all()


def test_scopes_outside_the_tree_are_refused():
    tree = junction_tree(SIZES[:3], [(0, 1), (1, 2)])
    with pytest.raises(InputError, match="no clique"):
        Propagation(tree, [(0, 2)])
    found = Propagation(tree, [(0,)])([np.zeros(3)])[1]
    with pytest.raises(InputError, match="no clique"):
        found.margin((0, 2))
