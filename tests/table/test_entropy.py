"""The fit of noisy tables against closed forms."""

from itertools import pairwise

import numpy as np
import pytest

from tuckpoint.table.entropy import Measurement, fit
from tuckpoint.table.junction import junction_tree
from tuckpoint.table.propagation import pairs

SIZES = (3, 4, 2, 3)
ROWS = 5000.0
FLAT = [np.full(size, 1 / size) for size in SIZES]


def chained(seed: int = 1) -> np.ndarray:
    """A joint table in which each column hangs on the one before it alone."""
    stream = np.random.default_rng(seed)
    joint = stream.dirichlet(np.ones(SIZES[0]))
    for before, size in pairwise(SIZES):
        joint = joint[..., None] * stream.dirichlet(np.ones(size), before)
    return joint


def over(joint, scope):
    return joint.sum(axis=tuple(v for v in range(len(SIZES)) if v not in scope))


def answer(measured, *, prior=0.02, steps=500, reference=FLAT, **more):
    tree = junction_tree(SIZES, [item.scope for item in measured])
    return fit(measured, tree, reference=reference, total=ROWS, prior=prior, steps=steps, **more)


def test_exact_tables_of_a_chain_give_back_its_joint_table():
    joint = chained()
    told = [Measurement(scope, ROWS * over(joint, scope), 1e-3) for scope in ((0, 1), (1, 2), (2, 3))]
    found = answer(told, prior=1e-3).found
    for a, b, chances in pairs(found):
        np.testing.assert_allclose(chances, over(joint, (a, b)), atol=2e-6)


def test_exact_tables_of_a_ring_are_met():
    """No closed form for the joint table here, but its margins are what was measured."""
    joint = np.random.default_rng(2).dirichlet(np.ones(np.prod(SIZES))).reshape(SIZES)
    scopes = ((0, 1), (1, 2), (2, 3), (0, 3))
    found = answer([Measurement(s, ROWS * over(joint, s), 1e-3) for s in scopes], prior=1e-3).found
    for scope in scopes:
        np.testing.assert_allclose(found.margin(scope), over(joint, scope), atol=2e-6)


@pytest.mark.parametrize("prior", [0.02, 1.0])
def test_the_answer_is_where_the_slope_is_zero(prior):
    """noisy - table = prior x variance x weight in every measured cell, also where the variance differs."""
    stream = np.random.default_rng(3)
    joint = chained()
    told = []
    for scope, deviation in (((0,), 5.0), ((0, 1), 20.0), ((1, 3), 40.0), ((0, 3), 3.0)):
        table = ROWS * over(joint, scope)
        variance = deviation**2 * stream.uniform(0.5, 2, table.shape)
        told.append(Measurement(scope, np.rint(table + stream.normal(0, np.sqrt(variance))), variance))
    fitted = answer(told, prior=prior, steps=2000, gap=1e-11)
    assert 5 < fitted.steps < 2000
    for item, weight in zip(told, fitted.weights, strict=True):
        table = ROWS * fitted.found.margin(item.scope)
        np.testing.assert_allclose(item.counts - prior * item.variance * weight, table, atol=0.1)


def test_one_column_follows_its_law_in_closed_form():
    """t + prior x variance x log(t / reference) = noisy + a constant."""
    reference = [np.array([0.2, 0.5, 0.3]), *FLAT[1:]]
    noisy = np.array([-40.0, 3000.0, 1500.0])
    fitted = answer([Measurement((0,), noisy, 900.0)], prior=0.5, reference=reference)
    table = ROWS * fitted.found.margin((0,))
    gap = table + 0.5 * 900 * np.log(table / reference[0]) - noisy
    assert np.ptp(gap) < 0.05
    assert (table > 0).all()


def test_what_noise_hides_stays_at_the_reference():
    reference = [np.array([0.2, 0.5, 0.3]), *FLAT[1:]]
    fitted = answer([Measurement((0, 1), np.full((3, 4), 1e4), 1e14)], reference=reference)
    np.testing.assert_allclose(fitted.found.margin((0, 1)), np.outer(reference[0], FLAT[1]), atol=1e-6)
    nothing = answer([], reference=reference)
    np.testing.assert_allclose(nothing.found.margin((0,)), reference[0])


def test_a_start_leads_to_the_same_answer_sooner():
    stream = np.random.default_rng(5)
    joint = chained()
    told = [
        Measurement(s, ROWS * over(joint, s) + stream.normal(0, 10, over(joint, s).shape), 100.0)
        for s in ((0, 1), (1, 2), (0, 2), (2, 3))
    ]
    cold = answer(told)
    warm = answer(told, start=cold.weights)
    assert warm.steps < cold.steps / 2
    part = answer(told[:3])
    np.testing.assert_allclose(
        answer(told, start=part.weights).found.margin((2, 3)), cold.found.margin((2, 3)), atol=1e-5
    )
