import time

import numpy as np
import pytest

from tuckpoint.table.codes import code_column
from tuckpoint.table.engine import Field
from tuckpoint.table.order import after_parents, best, candidates, crowded, dependence, order


def coded(**columns):
    out = {}
    for name, values in columns.items():
        field = Field(name, decimals=3) if values.dtype == float else Field(name, levels=tuple(map(str, range(99))))
        out[name] = code_column(field, values, atom_rows=5)
    return out


def told(columns, seed=1):
    return dependence(coded(**columns), np.random.default_rng(seed))


def chain(rows=4000):
    rng = np.random.default_rng(0)
    a = rng.normal(size=rows)
    b = a + 0.5 * rng.normal(size=rows)
    c = b + 0.5 * rng.normal(size=rows)
    d = c + 0.5 * rng.normal(size=rows)
    return {"d": d, "a": a, "c": c, "b": b, "alone": rng.normal(size=rows)}


def test_a_chain_is_followed_and_what_depends_on_nothing_comes_last():
    columns = chain()
    found = order(tuple(columns), told(columns), None)
    assert found[0] in ("b", "c")
    assert found[-1] == "alone"
    place = {name: i for i, name in enumerate(found)}
    for name in "abcd":  # each column has a neighbour of the chain right before or anywhere before it
        neighbours = [chr(ord(name) + step) for step in (-1, 1) if chr(ord(name) + step) in "abcd"]
        assert place[name] == 0 or min(place[n] for n in neighbours) < place[name]


@pytest.mark.parametrize("target", ["a", "c", "alone"])
def test_the_target_is_last(target):
    columns = chain()
    found = order(tuple(columns), told(columns), target)
    assert found[-1] == target
    assert sorted(found) == sorted(columns)


def test_a_table_of_one_column():
    assert order(("x",), np.zeros((1, 1)), "x") == ("x",)
    assert order(("x",), np.zeros((1, 1)), None) == ("x",)


def test_information_is_that_of_the_law():
    rng = np.random.default_rng(0)
    rows = 8000
    one = rng.integers(0, 4, rows).astype(np.int32)
    same = ((one + 1) % 4).astype(np.int32)
    half = np.where(rng.random(rows) < 0.5, one, rng.integers(0, 4, rows)).astype(np.int32)
    found = told({"one": one, "same": same, "half": half})
    p, q = 0.625, 0.125
    assert found[0, 1] == pytest.approx(np.log(4), abs=0.01)
    assert found[0, 2] == pytest.approx(np.log(4) + p * np.log(p) + 3 * q * np.log(q), abs=0.03)
    assert np.array_equal(found, found.T)


def test_independent_columns_tell_nothing():
    rng = np.random.default_rng(0)
    columns = {f"c{i}": rng.normal(size=2000) for i in range(12)}
    found = told(columns)
    pairs = found[np.triu_indices(12, 1)]
    assert pairs.max() < 0.02  # the uncorrected estimate would be 0.03 for every pair
    assert np.median(pairs) < 0.004


def test_a_weak_dependence_of_a_mostly_empty_column_is_seen():
    # One value holds most rows, so few of the bins are filled: the correction must count those and no others.
    rng = np.random.default_rng(0)
    level = rng.random(8000) < 0.5
    rare = np.where(rng.random(8000) < np.where(level, 0.04, 0.02), rng.normal(50, 9, 8000).round(3), 0.0)
    assert told({"rare": rare, "level": level.astype(np.int32)})[0, 1] > 0.0008


def test_200_columns_are_ordered_within_a_second_or_three():
    rng = np.random.default_rng(0)
    columns = {f"c{i}": rng.normal(size=5000) for i in range(200)}
    begun = time.process_time()
    found = order(tuple(columns), told(columns), "c7")
    assert time.process_time() - begun < 10
    assert len(set(found)) == 200


def test_columns_of_too_many_levels_for_codes_come_late():
    columns = {name: values for name, values in chain().items() if name != "alone"}
    crowd = np.argsort(np.argsort(columns["b"])).astype(np.int32) // 10
    field = Field("crowd", levels=tuple(map(str, range(400))))
    ready = {"crowd": code_column(field, crowd, atom_rows=5), **coded(**columns)}
    assert crowded(ready) == {"crowd"}
    found = order(tuple(ready), dependence(ready, np.random.default_rng(1)), "a", crowded(ready))
    assert found[-2:] == ("crowd", "a")


# Orders that are judged ----------------------------------------------------------------------------------------------


def test_parents_are_brought_to_where_the_column_stood():
    assert after_parents("abcde", "b", {"d", "a"}) == ("a", "d", "b", "c", "e")
    assert after_parents("abcde", "e", {"a"}) == tuple("abcde")


def test_candidates_are_orders_of_all_columns_and_keep_what_is_last():
    rng = np.random.default_rng(0)
    columns = coded(
        wide=rng.normal(size=500),
        few=rng.integers(0, 3, 500).astype(np.int32),
        more=np.round(rng.uniform(0, 0.06, 500), 3),
    )
    chain = ("wide", "more", "few")
    found = candidates(("few", "wide", "more"), chain, columns, {"more"})
    assert found[0] == chain
    assert len(set(found)) == len(found)
    assert ("few", "wide", "more") in found  # few values first
    for sequence in found:
        assert sorted(sequence) == sorted(chain)
    assert candidates(chain, ("few", "wide", "more"), columns, {"more"})[-1] == ("wide", "few", "more")  # as given


def folded(columns, rows):
    fold = (np.arange(rows) % 2).astype(np.uint8)
    return lambda orders, features=40: best(orders, columns, fold, features)


@pytest.mark.parametrize("alike", [0, 20_000])  # rows at the beginning that tell nothing, as in a sorted table
def test_an_order_that_foretells_better_is_chosen(alike):
    rng = np.random.default_rng(0)
    rows = 8000 + 4 * alike
    kind = rng.integers(0, 8, rows).astype(np.int32)
    kind[:alike] = 1
    # Each kind has two lines of its own: told the kind first, a leaf of the second number is narrow.
    first = np.round(rng.normal(size=rows), 3)
    second = np.round(np.where(kind % 2, first, -first) + 0.05 * rng.normal(size=rows), 3)
    columns = coded(first=first, second=second, kind=kind)
    choose = folded(columns, rows)
    good, bad = ("kind", "first", "second"), ("first", "second", "kind")
    assert choose([bad, good]) == good
    assert choose([good, bad]) == good


def test_the_first_order_stays_where_none_is_clearly_better():
    rng = np.random.default_rng(0)
    columns = coded(a=np.round(rng.normal(size=6000), 3), b=np.round(rng.normal(size=6000), 3))
    choose = folded(columns, 6000)
    assert choose([("a", "b"), ("b", "a")]) == ("a", "b")
    assert choose([("b", "a"), ("a", "b")]) == ("b", "a")


def test_few_rows_judge_nothing():
    columns = chain(1500)
    choose = folded(coded(**columns), 1500)
    assert choose([(*"dcba", "alone"), (*"abcd", "alone")])[0] == "d"
