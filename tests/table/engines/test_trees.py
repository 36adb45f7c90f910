"""The tree engine as a whole, where the suite of all engines does not look: formulas, and what is tried before."""

from dataclasses import replace

import numpy as np
import pytest

from tuckpoint.errors import TraceError
from tuckpoint.seed import Seed
from tuckpoint.table import bags
from tuckpoint.table.engine import Context, Encoded, Field, State
from tuckpoint.table.engines.trees import Trees, TreesModel

N = 3000
QUICK = Trees(trees=3, leaf=40, finest=40, rounds=10)


def boxes(rows=N):
    rng = np.random.default_rng(0)
    x = np.round(rng.lognormal(1, 0.4, rows), 2)
    density = np.round(10 * rng.lognormal(0, 0.05, rows), 2)
    weight = np.round(5 * x * density * rng.lognormal(0, 0.001, rows), 2)
    kind = rng.integers(0, 3, rows).astype(np.int32)
    fields = (*(Field(name, decimals=2) for name in ("weight", "x", "density")), Field("kind", levels=("a", "b", "c")))
    return Encoded(fields, {"weight": weight, "x": x, "density": density, "kind": kind})


def fitted(real=None, *, settings=QUICK, seed=0, **context):
    return settings.fit(boxes() if real is None else real, Seed(seed), Context(**context))


def off(made):
    """How far made rows are from the planted product, in its median."""
    weight, x, density = (made.columns[name] for name in ("weight", "x", "density"))
    return float(np.median(np.abs(np.log(weight / (5 * x * density)))))


def again(model):
    state = model.state()
    return TreesModel.from_state(State(state.values, state.arrays), model.fields)


def test_made_rows_keep_a_planted_product():
    real, model = boxes(), fitted()
    assert off(model.draw(2000, Seed(1))) < 3 * off(real)
    kinds = {name: model.draw(500, Seed(1), given={name: real.columns[name][:500]}) for name in ("x", "kind")}
    assert all(off(made) < 3 * off(real) for made in kinds.values())


def test_standardised_numbers_that_repeat_are_made_as_they_are():
    real = boxes()
    whole = np.random.default_rng(1).poisson(20, N)  # few rows hold those of the tails, which are moved
    few = (whole - whole.mean()) / whole.std()
    field = Field("few", decimals=15)
    real = Encoded((*real.fields, field), {**real.columns, "few": few})
    assert np.isin(fitted(real).draw(1000, Seed(1)).columns["few"], few).all()


def test_a_saved_formula_draws_the_same():
    model = fitted()
    one, other = model.draw(500, Seed(2)), again(model).draw(500, Seed(2))
    for name in one.columns:
        np.testing.assert_array_equal(one.columns[name], other.columns[name])


@pytest.mark.parametrize(
    "change",
    [
        {"column": "kind"},
        {"parents": ["x", "nobody"]},
        {"weights": [1.0]},
        {"middles": [1.0, float("nan")]},
        {"offset": float("inf")},
        {"parents": None},
    ],
)
def test_a_formula_that_cannot_be_one_is_refused(change):
    model = fitted()
    state = model.state()
    (entry,) = state.values["formulas"]
    values = {**state.values, "formulas": [{**entry, **change}]}
    with pytest.raises(TraceError, match="fit it again"):
        TreesModel.from_state(State(values, state.arrays), model.fields)


def test_wider_bags_for_fine_leaves_are_taken_where_nothing_is_remembered_and_left_where_it_is():
    asked = []

    def never(halves, made, *, surely):
        asked.append([part.rows for part in (*halves, *made)])
        return False

    usual = replace(QUICK, finest=10, bag=0.3)
    many = boxes(bags.WIDER_FROM)
    model = fitted(many, settings=usual, memorised=never)
    assert (model.settings.leaf, model.settings.bag, model.settings.fine_bag) == (40, 0.7, 0.9)
    assert "rows held out saw no harm" in model.notes[-1]
    assert asked == [[len(many.columns["x"]) // 2] * 4] * 2  # of fine leaves, then of all others
    kept = fitted(many, settings=usual, memorised=lambda *_, surely: not surely)
    assert kept.settings == usual.usual(many.rows)
    np.testing.assert_array_equal(
        kept.draw(50, Seed(1)).columns["x"], fitted(many, settings=usual).draw(50, Seed(1)).columns["x"]
    )
    assert fitted(settings=usual, memorised=never).settings == usual.usual(N)  # too few rows to see it


def test_leaves_that_surely_give_people_away_become_coarser_unless_somebody_asked_for_them():
    usual = Trees(trees=2, rounds=5)
    model = fitted(settings=usual, memorised=lambda *_, surely: True)
    assert (model.settings.leaf, model.settings.finest) == (800, 800)
    assert "made rows gave away who was learnt" in model.notes[-1]
    assert fitted(settings=replace(usual, leaf=30), memorised=lambda *_, surely: True).settings.leaf == 30


@pytest.mark.parametrize(
    ("fine", "leaking", "found"),
    [
        (False, lambda one: False, (50, 5, 0.4, 0.5)),
        (False, lambda one: one.leaf < 200, (200, 200, 0.4, 0.5)),
        (True, lambda one: one.fine_bag > 0.5, (50, 5, 0.4, 0.5)),  # wider bags leak, the usual do not
        (True, lambda one: one.finest < 50, (50, 50, 0.4, 0.5)),
        (True, lambda one: True, (800, 800, 0.4, 0.5)),
        (True, lambda one: one.fine_bag > 0.7, (50, 5, 0.4, 0.7)),
        (True, lambda one: one.bag > 0.4, (50, 5, 0.4, 0.9)),
        (True, lambda one: False, (50, 5, 0.7, 0.9)),
    ],
)
def test_what_is_settled_is_the_widest_that_leaks_nothing(fine, leaking, found):
    def tried(settings):
        return bags.Trial(fine and settings.finest < 50, lambda *, surely: leaking(settings))

    one = bags.settled(Trees().usual(N), tried, coarser=True)
    assert (one.leaf, one.finest, one.bag, one.fine_bag) == found


def test_what_is_as_wide_as_can_be_is_tried_once():
    asked = []

    def never(*_, surely):
        asked.append(surely)
        return False

    fine = Trees(trees=2, leaf=5, finest=5, bag=0.9, fine_bag=0.9, rounds=5)
    assert fitted(settings=fine, memorised=never).settings == fine
    assert asked == [True]  # no leaf is finer than asked for


@pytest.mark.parametrize(
    ("rows", "usual"),
    [
        (3000, (50, 5, 0.4, 0.5)),
        (1999, (100, 20, 0.6, 0.7)),
        (700, (70, 14, 0.6, 0.7)),
        (150, (50, 10, 0.6, 0.7)),
    ],
)
def test_tables_too_small_to_try_what_is_safe_get_larger_leaves_of_wider_bags(rows, usual):
    said = Trees().usual(rows)
    assert (said.leaf, said.finest, said.bag, said.fine_bag) == usual


def test_what_was_said_stays():
    said = fitted(boxes(600), settings=Trees(trees=1, leaf=12, bag=0.9)).settings
    assert (said.leaf, said.finest, said.bag, said.fine_bag) == (12, 12, 0.9, 0.9)
