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


def rare(rows=5000, positives=30, *, kind="integer"):
    found = np.zeros(rows, int)
    found[np.random.default_rng(1).permutation(rows)[:positives]] = 1
    table = pa.table({"x": list(range(rows)), "y": found})
    return table, Schema((Column("x", "integer", "int64"), Column("y", kind, "int64")), target="y")


def test_a_rare_target_is_held_out_in_its_share():
    table, schema = rare()
    for root in range(30):
        real, holdout = parted(table, schema, root=root)
        assert sum(holdout["y"].to_pylist()) == 6
        assert holdout.num_rows == 1000
        assert sorted(real["x"].to_pylist() + holdout["x"].to_pylist()) == list(range(5000))


def test_each_row_is_as_likely_held_out_whatever_its_level():
    """Three rows of a level cannot be parted at 20 %; all of them, and all others, are held in 20 of 100 splits."""
    y = ["common"] * 31 + ["rare"] * 3 + [None] * 6
    schema = Schema((Column("x", "integer", "int64"), Column("y", "category", "string")), target="y")
    table = pa.table({"x": list(range(40)), "y": pa.array(y, pa.string())})
    held = np.zeros(40)
    for root in range(2000):
        held[parted(table, schema, root=root)[1]["x"].to_numpy()] += 1
    for part in (held[:31], held[31:34], held[34:]):
        assert abs(part.mean() - 400) < 5 * np.sqrt(320 / len(part))
    assert np.abs(held - 400).max() < 5 * np.sqrt(320)


def test_people_with_the_rare_level_are_parted_and_stay_whole():
    who = np.repeat(np.arange(1000), 3)
    sick = np.random.default_rng(2).permutation(1000)[:20]
    y = np.isin(who, sick) & (np.arange(3000) % 3 == 1)  # one visit of three
    table = pa.table({"who": [f"p{w}" for w in who], "y": pa.array(y), "x": list(range(3000))})
    columns = (Column("who", "identifier", "string"), Column("y", "boolean", "bool"), Column("x", "integer", "int64"))
    schema = Schema(columns, target="y", person="who")
    for root in range(10):
        real, holdout = parted(table, schema, root=root)
        assert sum(holdout["y"].to_pylist()) == 4
        assert not set(real["who"].to_pylist()) & set(holdout["who"].to_pylist())
        assert holdout.num_rows == 600


def test_a_target_of_many_numbers_parts_as_no_target_does():
    table, schema = rare()
    many = Schema(schema.columns, target="x")
    assert parted(table, many)[1] == parted(table, Schema(schema.columns))[1]
    assert parted(table, many)[1] != parted(table, schema)[1]


def test_common_levels_are_parted_by_chance_as_other_columns_are():
    """Held in their exact shares they would be nearer to the fitted rows than any made row can be by chance."""
    table, schema = rare(1000, 500)
    assert parted(table, schema)[1] == parted(table, Schema(schema.columns))[1]
    level = pa.array([f"l{i % 15}" for i in range(1200)])
    each = pa.table({"x": list(range(1200)), "y": level})  # all rare, and none beside the others
    schema = Schema((schema.columns[0], Column("y", "category", "string")), target="y")
    counts = [np.bincount(parted(each, schema, root=root)[1]["x"].to_numpy() % 15, minlength=15) for root in range(30)]
    assert (np.std(counts, axis=0) > 2).sum() >= 12


def test_no_rows_and_few_rows_of_a_target():
    table, schema = rare(4, 1)
    assert parted(table.slice(0, 0), schema) == (table.slice(0, 0), None)
    assert parted(table, schema, share=0.1) == (table, None)
    assert parted(table, schema, share=0.5)[1].num_rows == 2


def test_coins_do_not_look_at_the_target():
    """A private fit must not: how many of a level are held would tell how many there are."""
    table, schema = rare(400, 100)
    counts = {sum(split(table, schema, 0.2, None)[1]["y"].to_pylist()) for _ in range(30)}
    assert len(counts) > 5
