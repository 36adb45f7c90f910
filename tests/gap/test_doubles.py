import numpy as np
import pyarrow as pa
from gap.laws import law

from tuckpoint.gap.damage import damaged, spellings, units
from tuckpoint.gap.doubles import contradictions, keys, leaks, twins
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer

NAMES = ["age", "pay", "place", "sex", "y"]


def names(found):
    return [leak.name for leak in found]


def test_copied_test_rows_are_caught():
    train, test = law(2000, 1), law(500, 2)
    leaky = pa.concat_tables([test, train.slice(0, 25)])
    found = leaks(train, leaky, NAMES)
    assert "duplicates" in names(found)
    assert found[0].serious
    assert found[0].count >= 25


def test_an_honest_split_is_clean_even_where_rows_repeat():
    runs, false, repeated = 60, 0, 0
    for key in range(runs):
        both = law(900, key)
        parted = both.slice(0, 600), both.slice(600)
        false += bool(leaks(*parted, NAMES))
        coarse = [side.select(["place", "sex", "y"]) for side in parted]
        repeated += bool(leaks(*coarse, ["place", "sex", "y"]))
    assert clopper_pearson(false, runs)[0] <= 0.05
    assert repeated == 0


def test_a_test_larger_than_the_training_rows_is_clean_too():
    """Their few rows tell the chance no better because there are many rows to compare."""
    runs, false = 80, 0
    for key in range(runs):
        random = Seed(key, ("pairs",)).numpy()
        alone = 10**6 + random.integers(20_000, size=4000)
        both = np.where(
            random.random(4000) < 0.2, random.zipf(1.35, 4000), alone
        )  # some stand on many rows, some on two
        false += twins(keys([both[:600]]), keys([both[600:]])).beyond
    assert false <= 2


def test_rows_with_one_changed_value_are_told():
    train, test = law(2000, 1), law(300, 2)
    changed = train.slice(0, 60)
    changed = changed.set_column(0, "age", pa.array(np.arange(60) + 200))
    found = leaks(train, pa.concat_tables([test, changed]), NAMES)
    near = [leak.count for leak in found if leak.name == "near-duplicates" and "age alone" in leak.told]
    assert near[0] >= 60


def test_people_on_both_sides_are_told():
    train = law(200, 1).append_column("who", pa.array(np.arange(200) // 2))
    test = law(50, 2).append_column("who", pa.array(np.arange(50) // 2 + 95))
    found = leaks(train, test, NAMES, group="who")
    assert (found[0].name, found[0].count, found[0].serious) == ("group", 5, True)


def test_keys_tell_rows_apart_and_columns_too():
    a, b = np.arange(1000), np.arange(1000)[::-1].copy()
    assert len(np.unique(keys([a, b]))) == 1000
    assert keys([a, b])[0] != keys([b, a])[0]
    assert twins(keys([a]), keys([np.array([3, 5000])])).count == 1


def test_alike_rows_of_other_outcome_are_told():
    table = pa.table({"a": [1, 1, 2], "b": [1, 1, 2], "c": ["x", "x", "x"], "y": ["p", "q", "p"]})
    assert contradictions(table, ["a", "b", "c", "y"], "y").count == 2
    assert contradictions(table.slice(1), ["a", "b", "c", "y"], "y") is None


def test_damage_is_told_and_whole_tables_are_not():
    assert damaged(law(100), "x") == []
    broken = pa.table({"a": ["MÃ¼ller", "x", "a"], "b": ["1", "\ufffd", "b"], "c": pa.array([None] * 3, pa.string())})
    assert names(damaged(broken, "x")) == ["broken letters", "broken letters", "empty"]


def test_a_header_among_the_rows_is_told():
    assert names(damaged(pa.table({"a": ["x", "a", "z"], "b": ["1", "b", "2"]}), "x")) == ["header"]


def test_other_spellings_and_units_are_told():
    train, reference = law(400, 1), law(400, 2)
    grams = train.set_column(0, "age", pa.array(np.array(train["age"].to_pylist()) * 1000))
    space = prepare(reference, grams, None, infer(grams))
    assert names(units(space.made, space.real, infer(grams))) == ["units"]
    space = prepare(reference, train, None, infer(train))
    assert units(space.made, space.real, infer(train)) == []
    loud = reference.set_column(2, "place", pa.array([f" {v.upper()}" for v in reference["place"].to_pylist()]))
    assert spellings(train, loud, infer(train))[0].count == 4
    assert spellings(train, reference, infer(train)) == []
