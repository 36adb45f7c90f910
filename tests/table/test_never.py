"""What real rows never join is not drawn of a target, and what is left keeps its share."""

import numpy as np
import pytest

from tuckpoint.errors import TraceError
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Context, Encoded, Field, State
from tuckpoint.table.engines.trees import Trees, TreesModel

N = 4000
QUICK = Trees(trees=3, rounds=15)
STAGES = ("none", "early", "late", "")


def wards(levels=2, rows=N, seed=0):
    """Pregnancy, which only women have, at one of two stages where there are three levels, and late only above 30."""
    rng = np.random.default_rng(seed)
    sex, age = rng.integers(0, 2, rows).astype(np.int32), np.round(rng.uniform(18, 45, rows))
    stage = np.where((sex == 0) & (rng.random(rows) < 0.1), 1 + (age > 30), 0)
    pregnant = np.minimum(stage, levels - 1).astype(np.int32)
    fields = (Field("sex", levels=("F", "M")), Field("age"), Field("pregnant", levels=STAGES[:levels]))
    return Encoded(fields, {"sex": sex, "age": age, "pregnant": pregnant})


def fitted(real, target="pregnant"):
    return QUICK.fit(real, Seed(0), Context(target=target))


@pytest.mark.parametrize("levels", [2, 3])
def test_men_are_never_made_pregnant_and_as_many_women_are_as_were(levels):
    real = wards(levels)
    made = fitted(real).draw(20_000, Seed(1)).columns
    assert not ((made["sex"] == 1) & (made["pregnant"] > 0)).any()
    for level in range(1, levels):
        share = np.mean(real.columns["pregnant"] == level)
        assert np.mean(made["pregnant"] == level) == pytest.approx(share, abs=0.2 * share)
    assert not ((made["pregnant"] == 2) & (made["age"] <= 30)).mean() > 0.002


def test_a_target_of_two_numbers_and_one_that_is_excluded_itself_work_as_well():
    real = wards()
    number = Field("pregnant")
    columns = {**real.columns, "pregnant": real.columns["pregnant"].astype(float)}
    made = fitted(Encoded((*real.fields[:2], number), columns)).draw(20_000, Seed(1)).columns
    assert not ((made["sex"] == 1) & (made["pregnant"] > 0)).any()
    assert (made["pregnant"] > 0).any()
    made = fitted(real, target="sex").draw(20_000, Seed(1)).columns
    assert not ((made["sex"] == 1) & (made["pregnant"] > 0)).any()


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_excluded_among_columns_that_have_nothing_to_do_with_each_other(seed):
    rng = np.random.default_rng(seed)
    fields = tuple(Field(name, levels=tuple("abcdefgh")) for name in ("one", "two", "target"))
    share = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02])
    real = Encoded(fields, {f.name: rng.choice(8, 3000, p=share).astype(np.int32) for f in fields})
    assert fitted(real, target="target")._columns["target"].never is None


def test_people_with_many_rows_are_no_proof():
    few = wards(rows=400)
    person = np.repeat(np.arange(400), 10)
    many = few.take(person)
    assert fitted(many)._columns["pregnant"].never is not None
    assert fitted(Encoded(many.fields, many.columns, person))._columns["pregnant"].never is None


def test_a_saved_model_excludes_the_same_and_a_damaged_one_is_refused():
    model = fitted(wards(3))
    state = model.state()
    again = TreesModel.from_state(State(state.values, state.arrays), model.fields)
    for name, values in model.draw(2000, Seed(2)).columns.items():
        assert np.array_equal(values, again.draw(2000, Seed(2)).columns[name])
    last = state.values["columns"][-1]
    for change in (
        {"features": [9], "shift": last["never"]["shift"]},
        {"features": [0], "shift": [0.0]},
        {"features": []},
    ):
        values = {**state.values, "columns": [*state.values["columns"][:-1], {**last, "never": change}]}
        with pytest.raises(TraceError, match="fit it again"):
            TreesModel.from_state(State(values, state.arrays), model.fields)
