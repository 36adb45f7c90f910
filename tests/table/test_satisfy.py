"""Columns under a condition come from real rows that satisfy it, and from enough people."""

import numpy as np
import pytest

from tuckpoint.errors import ShortSample
from tuckpoint.seed import Seed
from tuckpoint.table.codes import code_column
from tuckpoint.table.engine import Condition, Encoded, Field
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.satisfy import holding, satisfying

N = 400
FIELDS = (Field("x", decimals=2), Field("l", levels=("a", "b")))


def table(person=None):
    rng = np.random.default_rng(0)
    columns = {"x": np.round(rng.normal(0, 10, N), 2), "l": rng.integers(0, 2, N).astype(np.int32)}
    return Encoded(FIELDS, columns, person=person)


def above(bound):
    return Condition(f"x > {bound} and l == 'b'", ("x", "l"), lambda c: (c["x"] > bound) & (c["l"] == 1))


def taken(real, condition, seed=1, rows=300):
    coded = {field.name: code_column(field, real.columns[field.name], atom_rows=5) for field in real.fields}
    settings = Trees().column_settings()
    return satisfying(condition, holding(condition, real), rows, coded, settings, Seed(seed))


def test_all_rows_satisfy_and_follow_the_seed():
    real, condition = table(), above(5)
    made = taken(real, condition)
    assert condition.mask(made).all()
    assert not np.isin(made["x"], real.columns["x"]).all()  # moved a little
    np.testing.assert_array_equal(made["x"], taken(real, condition)["x"])
    assert (made["x"] != taken(real, condition, seed=2)["x"]).any()


def test_five_people_are_needed_not_five_rows():
    bound = float(np.sort(table().columns["x"][table().columns["l"] == 1])[-7])
    assert len(holding(above(bound), table())) == 6
    with pytest.raises(ShortSample, match="holds for 1 person in 400 real rows"):
        holding(above(bound), table(person=np.zeros(N, np.int64)))
    with pytest.raises(ShortSample, match="widen the condition"):
        holding(above(100), table())


def test_a_condition_that_no_moved_value_can_meet_is_given_up():
    real = table()
    never = Condition("x is a real value and not", ("x",), lambda c: np.zeros(len(c["x"]), bool))
    coded = {field.name: code_column(field, real.columns[field.name], atom_rows=5) for field in real.fields}
    with pytest.raises(ShortSample, match="after 200 attempts 50 of 50 rows still break it"):
        satisfying(never, np.arange(9, dtype=np.int32), 50, coded, Trees().column_settings(), Seed(0))
