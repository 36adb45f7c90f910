import numpy as np
import pyarrow as pa

from tuckpoint.schema import Column, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.split import split

PLAIN = Schema((Column("x", "integer", "int64"),))
VISITS = Schema((Column("who", "identifier", "string"), Column("x", "integer", "int64")), person="who")


def parted(table, schema, share=0.2, root=0):
    return split(table, schema, share, Seed(root))


def test_rows_are_parted_without_loss_in_their_order():
    table = pa.table({"x": list(range(1000))})
    real, holdout = parted(table, PLAIN)
    fitted, held = real["x"].to_pylist(), holdout["x"].to_pylist()
    assert len(held) == 200
    assert sorted(fitted + held) == list(range(1000))
    assert fitted == sorted(fitted)
    assert held == sorted(held)
    assert held != list(range(800, 1000))


def test_the_seed_decides():
    table = pa.table({"x": list(range(1000))})
    assert parted(table, PLAIN)[1] == parted(table, PLAIN)[1]
    assert parted(table, PLAIN)[1] != parted(table, PLAIN, root=1)[1]


def test_a_person_is_never_on_both_sides():
    who = [f"p{i % 100}" for i in range(1000)]
    real, holdout = parted(pa.table({"who": who, "x": list(range(1000))}), VISITS)
    assert not set(real["who"].to_pylist()) & set(holdout["who"].to_pylist())
    assert len(set(holdout["who"].to_pylist())) == 20


def test_rows_without_a_person_are_each_their_own():
    table = pa.table({"who": pa.array([None] * 100, pa.string()), "x": list(range(100))})
    assert parted(table, VISITS)[1].num_rows == 20


def test_what_cannot_be_parted_is_fitted_whole():
    one = pa.table({"x": [1]})
    assert parted(one, PLAIN) == (one, None)
    same = pa.table({"who": ["a"] * 50, "x": list(range(50))})
    assert parted(same, VISITS) == (same, None)
    assert parted(pa.table({"x": list(range(10))}), PLAIN, share=0.0)[1] is None


def test_without_a_seed_each_person_has_a_coin_of_its_own():
    who = [f"p{i % 500}" for i in range(1500)]
    table = pa.table({"who": who, "x": list(range(1500))})
    sides = [split(table, VISITS, 0.3, None) for _ in range(40)]
    assert len({tuple(sorted(set(holdout["who"].to_pylist()))) for _, holdout in sides}) == 40
    for real, holdout in sides:
        assert not set(real["who"].to_pylist()) & set(holdout["who"].to_pylist())
        assert real.num_rows + holdout.num_rows == 1500
    counts = [len(set(holdout["who"].to_pylist())) for _, holdout in sides]
    assert len(set(counts)) > 1  # no exact share: that would depend on how many there are
    assert abs(np.mean(counts) - 150) < 5.5 * (500 * 0.3 * 0.7 / 40) ** 0.5


def test_coins_part_even_those_who_cannot_be_parted():
    one = pa.table({"x": [1]})
    sides = {(real.num_rows, holdout is None) for real, holdout in (split(one, PLAIN, 0.5, None) for _ in range(60))}
    assert sides == {(1, True), (0, False)}
    assert split(one.slice(0, 0), PLAIN, 0.5, None)[1] is None
    assert split(one, PLAIN, 0.0, None)[1] is None
