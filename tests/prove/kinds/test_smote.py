import sys

import numpy as np
import pyarrow as pa
import pytest
from prove.laws import law, plan

from tuckpoint.errors import InputError, MissingExtra
from tuckpoint.prove import sources
from tuckpoint.prove.kinds.smote import Smote
from tuckpoint.prove.smote import between, smoted
from tuckpoint.prove.source import Task
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer

pytest.importorskip("imblearn")


def task(table, where=None, rows=100, target="y", key=1):
    return Task(table, infer(table, target=target), target, rows, where, Seed(key))


def column(made, name="y"):
    return np.array(made.table[name].to_pylist())


def test_rows_stand_between_rows_of_the_slice_in_its_shares():
    table = law(300)
    inside = np.array(table["place"].to_pylist()) == "a"
    made = Smote().make(task(table, 'place == "a"'))
    assert made.table.num_rows == 100
    assert set(column(made, "place")) == {"a"}
    real = table.filter(pa.array(inside))
    x, y = np.array(real["x"].to_pylist()), np.array(real["y"].to_pylist())
    assert (column(made) == "yes").mean() == pytest.approx((y == "yes").mean(), abs=0.02)
    for level in ("yes", "no"):
        own = column(made, "x")[column(made) == level]
        assert x[y == level].min() <= own.min() <= own.max() <= x[y == level].max()
    assert not set(column(made, "x")) <= set(x)


def test_without_a_condition_classes_are_balanced():
    table = law(200)
    y = np.array(table["y"].to_pylist())
    keep = (y == "yes") | (np.cumsum(y == "no") <= 20)
    assert set(column(Smote().make(task(table.filter(pa.array(keep)))))) == {"no"}


def test_missing_numbers_go_missing_again():
    table = law(200)
    z = [None if k % 2 else v for k, v in enumerate(table["z"].to_pylist())]
    made = Smote().make(task(table.set_column(1, "z", [z]), 'place == "a"'))
    share = np.mean([v is None for v in made.table["z"].to_pylist()])
    assert 0.2 < share < 0.8


def test_numbers_alone_levels_alone_and_a_target_that_is_a_number():
    table = law(200)
    assert Smote().make(task(table.select(["x", "z"]), "x > 0", target="z")).table.num_rows == 100
    assert Smote().make(task(table.select(["place", "y"]), 'place == "b"')).table.num_rows == 100
    values = law(60).select(["x", "z"])
    numbers = np.stack([np.array(values[name].to_pylist()) for name in ("x", "z")], axis=1)
    made, kinds = between(numbers, (), np.arange(60) % 2, {1: 7}, Seed(1))
    assert made.shape == (7, 2)
    assert (kinds == 1).all()


def test_no_rows_and_why():
    table = law(60)
    assert "neither" in Smote().make(task(table, target="x")).why
    assert "known outcome" in Smote().make(task(table, "x > 99")).why
    lone = table.slice(0, 1)
    rest = table.filter(pa.array(np.array(table["place"].to_pylist()) != "a"))
    one = pa.concat_tables([rest, lone.set_column(2, "place", [["a"]])])
    assert "two of them" in Smote().make(task(one, 'place == "a"')).why
    with pytest.raises(InputError, match="named alone"):
        Smote.planned(None)
    assert Smote().serves({"missing": {"rows": 1}})
    assert not Smote().serves({"missing": {"rows": 2}})


def test_the_baseline_balances_or_is_left_out(monkeypatch):
    table = law(300)
    y = np.array(table["y"].to_pylist())
    work = study(plan(), table.filter(pa.array((y == "yes") | (np.cumsum(y == "no") <= 40))))
    base = sources.real(work, work.lock.pool)
    grown = smoted(work, base, Seed(1))
    assert (grown.truth == 1).sum() == (grown.truth == 0).sum()
    assert (grown.inputs.values[: base.size] == base.inputs.values).all()
    monkeypatch.setitem(sys.modules, "imblearn", None)
    assert smoted(work, base, Seed(1)) is None
    with pytest.raises(MissingExtra, match=r"tuckpoint\[prove\]"):
        Smote().make(task(table, 'place == "a"'))
