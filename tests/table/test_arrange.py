"""What is found out before columns are learnt: the order, and which column follows a formula in which."""

import numpy as np
import pytest

from tuckpoint.seed import Seed
from tuckpoint.table.arrange import arrange
from tuckpoint.table.engine import Encoded, Field

N = 4000


def table(**columns):
    fields = [
        Field(name, decimals=2) if values.dtype == float else Field(name, levels=tuple("abcdefgh"))
        for name, values in columns.items()
    ]
    return Encoded(tuple(fields), columns)


def arranged(real, target=None, seed=0):
    return arrange(real, target, (np.arange(real.rows) % 2).astype(np.uint8), 40, Seed(seed))


def parts(rows=N):
    rng = np.random.default_rng(0)
    x = np.round(rng.lognormal(1, 0.4, rows), 2)
    density = np.round(10 * rng.lognormal(0, 0.05, rows), 2)
    weight = np.round(5 * x * density * rng.lognormal(0, 0.001, rows), 2)
    return {"weight": weight, "x": x, "density": density, "kind": rng.integers(0, 4, rows).astype(np.int32)}


@pytest.mark.parametrize("target", [None, "kind"])
def test_what_follows_a_formula_comes_after_its_parents(target):
    found = arranged(table(**parts()), target)
    (formula,) = found.formulas
    place = {name: i for i, name in enumerate(found.sequence)}
    assert {formula.column, *formula.parents} == {"weight", "x", "density"}
    assert all(place[parent] < place[formula.column] for parent in formula.parents)
    assert found.information.shape == (4, 4)
    assert target is None or found.sequence[-1] == target


def test_the_target_follows_no_formula_and_stands_in_none():
    found = arranged(table(**parts()), "weight")
    assert found.formulas == ()
    assert found.sequence[-1] == "weight"


def test_a_table_without_columns_or_with_one():
    assert arranged(Encoded((), {})).sequence == ()
    assert arranged(table(x=np.arange(5.0))).sequence == ("x",)


def test_the_same_seed_arranges_the_same():
    real = table(**parts())
    assert arranged(real, seed=3).sequence == arranged(real, seed=3).sequence
