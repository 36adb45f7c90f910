"""The tree engine as a whole, where the suite of all engines does not look: formulas, and what is tried before."""

from dataclasses import replace

import numpy as np
import pytest

from tuckpoint.errors import TraceError
from tuckpoint.seed import Seed
from tuckpoint.table import bags
from tuckpoint.table.engine import Condition, Context, Encoded, Field, State
from tuckpoint.table.engines.trees import Trees, TreesModel
from tuckpoint.table.rule import block

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


def accounts(rows=N):
    """Customers with either a debit or a credit, or neither, and a card that only those with neither lack."""
    rng = np.random.default_rng(3)
    which = rng.choice(3, rows, p=[0.3, 0.2, 0.5])
    debit, credit = (np.where(which == k, np.round(rng.gamma(2, 100, rows)) + 1, 0.0) for k in (0, 1))
    card = np.where(which == 2, rng.integers(0, 3, rows), rng.integers(0, 2, rows)).astype(np.int32)
    age = np.round(rng.normal(50, 15, rows))
    fields = (Field("age"), Field("debit"), Field("credit"), Field("card", levels=("a", "b", "no")))
    return Encoded(fields, {"age": age, "debit": debit, "credit": credit, "card": card})


def test_made_rows_keep_a_factor_of_each_cell_and_a_saved_one_draws_the_same():
    rng = np.random.default_rng(4)
    net, land = np.round(rng.lognormal(4, 1, N), 2), rng.integers(0, 3, N).astype(np.int32)
    factor = np.array([1.19, 1.4, 0.7])
    fields = (Field("net", decimals=2), Field("land", levels=("a", "b", "c")), Field("gross", decimals=2))
    model = fitted(Encoded(fields, {"net": net, "land": land, "gross": np.round(net * factor[land], 2)}))
    made = model.draw(2000, Seed(1)).columns
    wrong = np.abs(made["gross"] - made["net"] * factor[made["land"]])
    assert np.quantile(wrong / made["gross"], 0.95) < 0.01
    assert all(
        np.array_equal(again(model).draw(500, Seed(2)).columns[n], v)
        for n, v in model.draw(500, Seed(2)).columns.items()
    )


def test_what_a_block_fixes_is_held_while_drawing_and_the_rest_keeps_its_share():
    real = accounts()
    one = block("debit", [0.0], {"credit": 0.0}, opposite=True)
    other = block("credit", [0.0], {"debit": 0.0}, opposite=True)
    made = fitted(real, blocks=(one, other)).draw(20_000, Seed(1)).columns
    debit, credit = made["debit"] > 0, made["credit"] > 0
    assert not (debit & credit).any()
    assert abs(debit.mean() - (real.columns["debit"] > 0).mean()) < 0.02
    assert abs(credit.mean() - (real.columns["credit"] > 0).mean()) < 0.02
    assert (made["card"][debit | credit] == 2).mean() < 0.02  # what is drawn later sees the rows as they will be
    given = {"credit": np.full(500, 70.0)}
    assert not fitted(real, blocks=(one, other)).draw(500, Seed(1), given=given).columns["debit"].any()
    coarse = replace(QUICK, leaf=1500, finest=1500, apart=1500)  # which see of no column what goes with it
    made = fitted(real, settings=coarse, blocks=(one, other)).draw(20_000, Seed(1)).columns
    assert abs((made["credit"] > 0).mean() - (real.columns["credit"] > 0).mean()) < 0.02
    assert abs((made["debit"] > 0).mean() - (real.columns["debit"] > 0).mean()) < 0.02


def test_a_saved_block_draws_the_same():
    model = fitted(accounts(), blocks=(block("debit", [0.0], {"credit": 0.0}, opposite=True),))
    for name, values in model.draw(1000, Seed(1)).columns.items():
        assert np.array_equal(values, again(model).draw(1000, Seed(1)).columns[name])


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
        {"cells": {"groups": ["kind"], "values": [[0.0, 1.0, 2.0]]}, "offsets": [1.0]},
        {"cells": {"groups": ["nobody"], "values": [[0.0]]}, "offsets": [1.0]},
        {"cells": {"groups": ["kind"], "values": [[1.0, 0.0]]}, "offsets": [1.0, 1.0]},
        {"cells": {"groups": ["kind"]}, "offsets": []},
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
    usual, leaking = Trees(trees=2, rounds=5), iter([True, False])
    model = fitted(settings=usual, memorised=lambda *_, surely: True)
    assert (model.settings.leaf, model.settings.finest, model.settings.loose) == (50, 5, 800)
    assert "values that few people share come from leaves of 800 people or more" in model.notes[-1]
    assert "made rows gave away who was learnt" in model.notes[-1]
    assert "numbers that many share are moved as well" in model.notes[-1]
    asked = fitted(settings=replace(usual, leaf=30), memorised=lambda *_, surely: True).settings
    assert (asked.leaf, asked.loose) == (30, 30)
    moved = fitted(settings=usual, memorised=lambda *_, surely: next(leaking))
    assert (moved.settings.leaf, moved.settings.loose, moved.settings.common) == (50, 1, True)
    assert "without that made rows gave away who was learnt" in moved.notes[-1]


@pytest.mark.parametrize(
    ("fine", "leaking", "found"),
    [
        (False, lambda one: False, (50, 5, 1, 0.4, 0.5)),
        (False, lambda one: one.loose < 200, (50, 5, 200, 0.4, 0.5)),  # what few share gives people away
        (False, lambda one: one.leaf < 200, (200, 200, 1, 0.4, 0.5)),  # levels do as well
        (True, lambda one: one.fine_bag > 0.5, (50, 5, 1, 0.4, 0.5)),  # wider bags leak, the usual do not
        (True, lambda one: max(one.loose, one.finest) < 16, (50, 5, 16, 0.4, 0.5)),
        (True, lambda one: one.finest < 50, (50, 50, 1, 0.4, 0.5)),
        (True, lambda one: not one.common, (50, 5, 1, 0.4, 0.5)),  # moving common numbers is enough
        (True, lambda one: True, (50, 5, 800, 0.4, 0.5)),  # no leaf helps, so that levels keep theirs
        (True, lambda one: one.fine_bag > 0.7, (50, 5, 1, 0.4, 0.7)),
        (True, lambda one: one.bag > 0.4, (50, 5, 1, 0.4, 0.9)),
        (True, lambda one: False, (50, 5, 1, 0.7, 0.9)),
    ],
)
def test_what_is_settled_is_the_widest_that_leaks_nothing(fine, leaking, found):
    def tried(settings):
        return bags.Trial(fine and settings.finest < 50, lambda *, surely: leaking(settings))

    one = bags.settled(Trees().usual(N), tried, coarser=True)
    assert (one.leaf, one.finest, one.loose, one.bag, one.fine_bag) == found


def test_what_is_as_wide_as_can_be_is_tried_once():
    asked = []

    def never(*_, surely):
        asked.append(surely)
        return False

    fine = Trees(trees=2, leaf=5, finest=5, bag=0.9, fine_bag=0.9, rounds=5)
    assert fitted(settings=fine, memorised=never).settings == fine.usual(N)
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


# What is rare, and what is small ------------------------------------------------------------------------------------


def wards(share, *, rows=N, seed=0):
    """Women and men in wards, of which one takes women only and few people; and a cost that says nothing."""
    rng = np.random.default_rng(seed)
    sex = rng.integers(0, 2, rows).astype(np.int32)
    ward = np.where((sex == 0) & (rng.random(rows) < 2 * share), 3, rng.integers(0, 3, rows)).astype(np.int32)
    fields = (
        Field("sex", levels=("f", "m")),
        Field("ward", levels=("a", "b", "c", "women")),
        Field("cost", decimals=0),
    )
    return Encoded(fields, {"sex": sex, "ward": ward, "cost": np.round(rng.gamma(2, 1000, rows))})


@pytest.mark.parametrize("seed", range(3))
def test_a_rare_level_keeps_what_goes_with_it(seed):
    real = wards(0.03, seed=seed)
    made = fitted(real, settings=Trees(), seed=seed).draw(4 * N, Seed(1)).columns
    inside = made["ward"] == 3
    assert 200 < inside.sum() < 600
    assert (made["sex"][inside] == 1).mean() < 0.1  # half, if it went with nothing


def frauds(rows=6000, share=0.01, *, seed=0):
    """One number that foretells a rare class, one that says nothing, and the class as 0 and 1."""
    rng = np.random.default_rng(seed)
    x, noise = np.round(rng.normal(size=(2, rows)), 3)
    fields = (Field("x", decimals=3), Field("noise", decimals=3), Field("fraud", decimals=0))
    return Encoded(fields, {"x": x, "noise": noise, "fraud": (x > np.quantile(x, 1 - share)).astype(float)})


@pytest.mark.parametrize("target", ["fraud", None])
def test_a_rare_class_of_numbers_keeps_what_goes_with_it(target):
    real = frauds()
    model = fitted(real, settings=Trees(), target=target)
    made = model.draw(20_000, Seed(1)).columns
    real_mean = real.columns["x"][real.columns["fraud"] == 1].mean()  # 2.7, where 0 is everybody's
    assert set(np.unique(made["fraud"])) == {0.0, 1.0}
    assert 0.004 < (made["fraud"] == 1).mean() < 0.02
    assert made["x"][made["fraud"] == 1].mean() > 0.8 * real_mean
    rare = Condition("fraud == 1", ("fraud",), lambda columns: columns["fraud"] == 1)
    under = model.draw(500, Seed(2), condition=rare).columns
    assert (under["fraud"] == 1).all()
    assert under["x"].mean() > 0.8 * real_mean


def test_a_target_of_few_numbers_has_a_head_that_is_saved():
    real = frauds(2000, 0.1)
    holed = real.columns["fraud"].copy()
    holed[:200] = np.nan
    for values in (real.columns["fraud"], holed):
        model = fitted(Encoded(real.fields, {**real.columns, "fraud": values}), settings=Trees(), target="fraud")
        made = model.draw(4000, Seed(1)).columns["fraud"]
        assert np.isnan(made).mean() == pytest.approx(np.isnan(values).mean(), abs=0.03)
        assert np.array_equal(again(model).draw(4000, Seed(1)).columns["fraud"], made, equal_nan=True)


def test_what_many_rows_satisfy_is_drawn_and_what_few_do_is_taken_from_them():
    model = fitted(frauds(), settings=Trees(), target="fraud")
    drawn = []
    held = model._drawn
    model._drawn = lambda rows, fixed, seed: drawn.append((rows, sorted(fixed))) or held(rows, fixed, seed)
    often = Condition("x > 0", ("x",), lambda columns: columns["x"] > 0)
    model.draw(100_000, Seed(1), condition=often)
    assert all(not fixed for _, fixed in drawn)
    assert sum(rows for rows, _ in drawn) < 300_000
    drawn.clear()
    rare = Condition("fraud == 1", ("fraud",), lambda columns: columns["fraud"] == 1)
    model.draw(100_000, Seed(1), condition=rare)
    assert drawn == [(100_000, ["fraud"])]


def test_a_table_of_some_dozen_rows_keeps_its_dependence():
    rng = np.random.default_rng(0)
    common = rng.normal(size=(64, 1))
    numbers = np.round(common + 0.3 * rng.normal(size=(64, 12)), 3)
    names = tuple(f"g{k}" for k in range(12))
    real = Encoded(tuple(Field(name, decimals=3) for name in names), dict(zip(names, numbers.T, strict=True)))
    made = np.stack(list(fitted(real, settings=Trees()).draw(2000, Seed(1)).columns.values()))
    assert np.corrcoef(made)[np.triu_indices(12, 1)].mean() > 0.2  # .9 among the real ones, 0 before


def test_items_of_a_survey_keep_the_scale_that_they_measure():
    rng = np.random.default_rng(0)
    scale = rng.normal(size=(1200, 2)).repeat(8, axis=1)
    answers = np.digitize(0.8 * scale + 0.6 * rng.normal(size=scale.shape), [-1.2, -0.4, 0.4, 1.2]) + 1.0
    names = tuple(f"q{k}" for k in range(16))
    real = Encoded(tuple(Field(name, decimals=0) for name in names), dict(zip(names, answers.T, strict=True)))
    made = np.stack(list(fitted(real, settings=Trees()).draw(1200, Seed(1)).columns.values()))
    same = [(i, j) for i in range(16) for j in range(i) if i // 8 == j // 8]
    found, wanted = (np.mean([np.corrcoef(of)[pair] for pair in same]) for of in (made, answers.T))
    assert found > 0.8 * wanted  # two thirds, without the boosted mean of the other items
