from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.table import protect as protection
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.protect import people_of, protect, settle, shared


def levels_of(codes, levels, *, person=None, ordered=False, provenance="data", k=5):
    field = Field("c", levels=levels, ordered=ordered, provenance=provenance)
    table = Encoded((field,), {"c": np.array(codes, np.int32)}, None if person is None else np.array(person))
    made, told = protect(table, k)
    names = made.fields[0].levels
    return [names[code] if code >= 0 else None for code in made.columns["c"]], names, told


def numbers_of(values, *, person=None, k=5, **bounds):
    table = Encoded(
        (Field("x", **bounds),), {"x": np.array(values, float)}, None if person is None else np.array(person)
    )
    made, told = protect(table, k)
    return made.columns["x"], made.fields[0], told


def test_rare_levels_are_pooled():
    made, names, told = levels_of([0] * 10 + [1] * 3 + [2] * 2 + [-1], ("a", "b", "c"))
    assert made == ["a"] * 10 + ["(rare)"] * 5 + [None]
    assert names == ("a", "(rare)")
    assert told == ('column "c": 2 levels held by fewer than 5 people pooled into (rare)',)


def test_a_pool_that_is_itself_rare_becomes_the_commonest_level():
    made, names, told = levels_of([0] * 10 + [1] * 6 + [2] * 2, ("a", "b", "c"))
    assert made == ["a"] * 10 + ["b"] * 6 + ["a"] * 2
    assert names == ("a", "b")
    assert told == ('column "c": 1 level held by fewer than 5 people became the commonest level',)


def test_people_count_not_rows():
    made, _, _ = levels_of([0] * 10 + [1] * 10, ("a", "b"), person=[*range(10), *[99] * 10])
    assert made == ["a"] * 20
    values, field, _ = numbers_of([*range(10), *[1000] * 10], person=[*range(10), *[99] * 10])
    assert values.max() == field.high == 6  # 1000 counts once, then 9, 8, 7, 6
    assert values.min() == field.low == 4


def test_booleans_stay_booleans_and_scales_stay_scales():
    made, names, _ = levels_of([0] * 10 + [1] * 3, ("false", "true"))
    assert (set(made), names) == ({"false"}, ("false", "true")[:1])
    assert levels_of([1, 1, 0], ("false", "true"))[0] == ["true"] * 3
    made, names, told = levels_of([0] * 6 + [1] * 2 + [2] * 7 + [3], ("low", "mid", "high", "top"), ordered=True)
    assert made == ["low"] * 8 + ["high"] * 8
    assert (names, "nearest" in told[0]) == (("low", "high"), True)


def test_tiny_columns_do_not_crash_and_show_nobody():
    assert set(levels_of([0, 1, 2], ("a", "b", "c"))[0]) == {"(rare)"}
    assert levels_of([-1, -1], ("a",))[1] == ()
    values, field, told = numbers_of([3, 1, 2])
    assert np.isnan(values).all()  # not even the middle one, which somebody holds
    assert (field.low, field.high, field.nullable) == (None, None, True)
    assert "held by 3 people, fewer than 5" in told[0]
    assert np.ptp(numbers_of(range(8))[0]) == 0
    assert np.isnan(numbers_of([np.nan] * 3)[0]).all()
    assert np.isnan(numbers_of([7])[0]).all()


def test_numbers_are_clipped_by_rank_and_common_ends_stay():
    values, field, told = numbers_of([*range(100), 10**6, np.nan])
    assert (field.low, field.high) == (4, 96)
    assert values[100] == 96
    assert np.isnan(values[101])
    assert "(8 cells)" in told[0]
    capped = [0.0] * 20 + [*range(1, 50)] + [99.0] * 5
    assert numbers_of(capped)[0].tolist() == capped
    assert numbers_of(capped)[2] == ()


def test_bounds_that_are_publicly_known_stay():
    _, field, _ = numbers_of(range(100), low=0, high=120, provenance="public")
    assert (field.low, field.high) == (0, 120)
    _, names, _ = levels_of([0] * 10, ("a", "unheld"), provenance="public")
    assert names == ("a", "unheld")
    _, names, told = levels_of([0] * 10, ("a", "unheld"))
    assert (names, told) == (("a",), ())


def test_the_settled_schema_forgets_what_was_hidden():
    schema = Schema(
        (
            Column("c", "category", "string", domain=Domain(levels=("a", "only Ann"))),
            Column("x", "integer", "int64", domain=Domain("public", 0, 1000)),
        )
    )
    table = Encoded(
        (Field("c", levels=("a", "only Ann")), Field("x", low=0, high=1000, provenance="public")),
        {"c": np.array([0] * 9 + [1], np.int32), "x": np.arange(10.0)},
    )
    settled = settle(schema, protect(table)[0])
    assert settled["c"].domain.levels == ("a",)
    assert settled["x"] == schema["x"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 12), st.integers(-50, 50)), min_size=1, max_size=80),
    st.integers(1, 6),
    st.booleans(),
)
def test_whatever_remains_is_shared_by_k_people(rows, k, by_person):
    codes, people, values = (np.array(part) for part in zip(*rows, strict=True))
    person = people if by_person else None
    who = people if by_person else np.arange(len(rows))
    levels = tuple("abcdefg")
    table = Encoded(
        (Field("c", levels=levels), Field("x")), {"c": codes.astype(np.int32), "x": values.astype(float)}, person
    )
    made, _ = protect(table, k)
    for code, name in enumerate(made.fields[0].levels):
        holders = len(set(who[made.columns["c"] == code]))
        assert holders >= k or name == "(rare)"
    everyone = len(set(who))
    if everyone >= k:
        for end in (made.columns["x"].min(), made.columns["x"].max()):
            assert len(set(who[made.columns["x"] == end])) >= k
    assert ((made.columns["c"] < 0) == (codes < 0)).all()


def test_k_must_be_positive():
    with pytest.raises(InputError, match="k = 0"):
        protect(Encoded((), {}), 0)


def test_a_number_that_few_hold_is_not_made_again():
    pool = np.repeat([10.0, 12.0, 13.0, 30.0], [6, 1, 2, 7])
    people = np.repeat([6, 1, 2, 7], [6, 1, 2, 7])
    assert set(shared(pool, people, snap=True)) == {10.0, 30.0}
    loose = shared(pool, people, snap=False)
    assert (loose[people >= 5] == pool[people >= 5]).all()
    assert not set(loose[people < 5]) & {12.0, 13.0}
    assert (np.diff(loose) >= 0).all()


def test_blocks_of_five_keep_the_shape_and_nobodys_number():
    pool = np.sort(np.random.default_rng(1).lognormal(9, 1, 4003))
    loose = shared(pool, np.ones(4003), snap=False)
    assert not np.isin(loose, pool).any()
    assert (np.diff(loose) >= 0).all()
    assert np.abs(np.quantile(loose, [0.01, 0.5, 0.99]) / np.quantile(pool, [0.01, 0.5, 0.99]) - 1).max() < 0.02
    assert loose.mean() == pytest.approx(pool.mean(), rel=0.002)
    # Five neighbours or more share each mean: what is told never rests on fewer.
    assert len(np.unique(np.round(np.diff(loose), 9))) <= 2 * 4003 / 5 + 3


def test_blocks_are_of_five_people_not_of_five_rows():
    person = np.repeat(np.arange(60), 10)  # ten rows of each stand side by side
    pool = np.random.default_rng(3).lognormal(size=60).cumsum()[person]  # each holds one number
    loose = shared(pool, np.ones(600), snap=False, person=person)
    assert not np.isin(loose, pool).any()  # with blocks of five rows it would be all of them
    assert np.isin(shared(pool, np.ones(600), snap=False), pool).mean() > 0.4
    block = protection._blocks(np.zeros(600, int), np.zeros(600, bool), person)
    assert min(len(set(person[block == one])) for one in range(block.max() + 1)) >= 5
    few = shared(np.arange(8.0), np.ones(8), snap=False, person=np.array([0, 1, 2, 3, 4, 0, 0, 1]))
    assert few.tolist() == [3.5] * 8  # three rows of two people join the block before them
    rows = np.concatenate([np.arange(0, 40), np.full(9, 40), np.arange(41, 60)]).astype(float)
    held = people_of(np.unique(rows, return_inverse=True)[1], 60, np.repeat(np.arange(17), 4))
    assert held[40] == 3  # nine rows, three people


def test_what_all_hold_stays_as_it_is():
    pool = np.repeat([1.0, 2.0], 5)
    assert shared(pool, np.full(10, 5), snap=False) is pool
    assert len(shared(np.zeros(0), np.zeros(0), snap=True)) == 0
    assert shared(np.array([3.0]), np.ones(1), snap=False) == [3.0]
