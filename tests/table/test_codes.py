import numpy as np
import pytest

from tuckpoint.table import kernel
from tuckpoint.table.codes import BOOST_BINS, CODES, _boost_bins, code_column, code_levels, code_numbers, mid_ranks
from tuckpoint.table.engine import Field
from tuckpoint.table.protect import LEAST_PEOPLE, shared


def stream(seed=0):
    return np.random.default_rng(seed)


def numbers(values, *, atom_rows=10, decimals=3):
    return code_numbers(Field("x", decimals=decimals), np.asarray(values, float), atom_rows=atom_rows)


def test_codes_rise_with_the_value_and_missing_is_0():
    values = np.array([3.0, np.nan, -1.0, 3.0, 100.0])
    coded = numbers(values)
    assert coded.code.tolist() == [2, 0, 1, 2, 3]
    assert coded.recode(np.array([-9, -1, 0, 3, 99, 100, 1e9, np.nan])).tolist() == [1, 1, 1, 2, 2, 3, 3, 0]
    assert coded.size == 4


def test_recode_gives_back_the_codes_of_the_real_values():
    values = np.where(stream().random(5000) < 0.1, np.nan, np.round(stream(1).normal(0, 50, 5000), 2))
    coded = numbers(values)
    assert np.array_equal(coded.recode(values), coded.code)
    levels = code_levels(Field("l", levels=tuple("abcde")), stream().integers(-1, 5, 100).astype(np.int32))
    assert np.array_equal(levels.recode(levels.values), levels.code)


def test_more_distinct_values_than_codes_share_codes_in_order():
    values = stream().permutation(200_000) / 8
    coded = numbers(values)
    assert coded.size <= CODES + 1
    assert coded.code.max() < coded.size
    assert (np.diff(coded.code[np.argsort(values)].astype(int)) >= 0).all()
    assert np.array_equal(coded.recode(values), coded.code)
    assert coded.bins <= BOOST_BINS


def test_the_pool_holds_what_is_no_atom_and_places_point_into_it():
    rng = stream()
    values = np.where(rng.random(3000) < 0.3, 7.0, np.round(rng.gamma(2, 3, 3000), 2))
    values[rng.random(3000) < 0.1] = np.nan
    coded = numbers(values, atom_rows=100)
    moved = coded.place >= 0
    assert np.array_equal(moved, ~np.isnan(values) & (values != 7))
    held = np.sort(values[moved])
    people = np.unique(held, return_inverse=True, return_counts=True)
    assert np.array_equal(shared(held, people[2][people[1]], snap=False), coded.pool)
    many = moved & (coded.ties >= LEAST_PEOPLE)
    assert 0 < many.sum() < moved.sum()
    for step in (np.zeros(3000, int), coded.ties - 1):
        assert np.array_equal(coded.pool[(coded.place + step)[many]], values[many])
    assert np.array_equal(coded.recode(coded.pool), coded.pool_code)


def test_few_distinct_values_are_snapped_to():
    assert numbers(np.arange(1000) % 100).snap
    assert not numbers(np.arange(1000) % 101).snap
    assert not numbers(np.arange(20)).snap


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [4.0]])
def test_columns_of_nearly_nothing_have_codes(values):
    coded = numbers(values)
    assert len(coded.code) == len(values)
    assert coded.bins >= 1
    assert coded.recode(np.array([1.0, np.nan])).tolist() == [1, 0]


def test_boosting_bins_rise_and_heavy_codes_stand_alone():
    counts = stream().integers(1, 9, 5000)
    counts[[0, 17, 2500, 4999]] = [3, 4000, 9000, 7000]
    bins = _boost_bins(counts)
    assert bins[0] == 0
    assert (np.diff(bins.astype(int)) >= 0).all()
    assert bins.max() <= BOOST_BINS - 1
    for heavy in (17, 2500, 4999):
        assert (bins == bins[heavy]).sum() == 1
    light = np.bincount(bins, weights=counts)[1:]
    light = light[~np.isin(np.arange(1, bins.max() + 1), bins[[17, 2500, 4999]])]
    assert light.max() < 3 * counts[counts < 10].sum() / (BOOST_BINS - 10)


def test_no_more_than_255_levels_have_codes_and_the_commonest_their_own():
    levels = tuple(f"l{i}" for i in range(1000))
    values = np.concatenate([np.arange(1000), np.repeat([700, 3], [50, 20]), [-1]]).astype(np.int32)
    coded = code_levels(Field("l", levels=levels), values)
    assert coded.code_of[700] == 1
    assert coded.code_of[3] == 2
    assert coded.code.max() == kernel.MAX_LEVELS
    assert coded.code[-1] == 0
    assert coded.size == kernel.MAX_LEVELS + 1
    assert code_levels(Field("none", levels=()), np.full(3, -1, np.int32)).size == 1


def test_code_column_takes_any_layout():
    wide = np.arange(20.0).reshape(10, 2)[:, 1]
    assert code_column(Field("x"), wide, atom_rows=5).values.flags.c_contiguous
    narrow = code_column(Field("l", levels=("a",)), np.zeros(4, np.int64), atom_rows=5)
    assert narrow.values.dtype == np.int32


def test_mid_ranks_average_ties_and_put_missing_first():
    assert mid_ranks(np.array([2.0, 1.0, 2.0, np.nan])).tolist() == [0.75, 0.375, 0.75, 0.125]
    ranks = mid_ranks(stream().normal(size=1000))
    assert 0 < ranks.min() < ranks.max() < 1
    assert ranks.mean() == pytest.approx(0.5)


def test_a_value_that_enough_people_hold_stays_however_many_rows_each_of_them_has():
    person = np.repeat(np.arange(80), 10)
    values = np.round(np.random.default_rng(2).normal(5, 1, 800), 1)
    one_hoarder = np.concatenate([values, np.full(40, 9.9)])  # forty rows, one person
    coded = code_numbers(
        Field("x", decimals=1), one_hoarder, atom_rows=5, person=np.concatenate([person, np.full(40, 80)])
    )
    held = {v: len({p for p, w in zip(person, values, strict=True) if w == v}) for v in np.unique(values)}
    common = [v for v, people in held.items() if people >= 5]
    assert len(common) > 30
    assert set(one_hoarder[coded.place < 0]) == set(common)


def test_numbers_of_more_digits_than_decimals_are_not_rounded():
    values = stream().normal(size=500)
    assert numbers(np.round(values, 3)).scale == 1000
    assert numbers(values).scale == 0
