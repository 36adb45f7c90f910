"""What private engines count: exact tables, noise that is charged, groups that follow from the noisy counts alone."""

from fractions import Fraction

import numpy as np
import pytest

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy.account import Account
from tuckpoint.table.counting import (
    Singles,
    check_public,
    cleared,
    count_singles,
    group,
    grouped,
    noisy,
    pair_blocks,
    runs_of_equal_count,
    table_of,
)
from tuckpoint.table.denoise import project
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.grid import grid


@pytest.mark.parametrize("sizes", [[2, 3], [16] * 5, [2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 65], [70, 64, 300, 2], [4]])
def test_tables_of_all_pairs_are_those_counted_one_by_one(sizes):
    stream = np.random.default_rng(1)
    codes = [stream.integers(0, size, 500) for size in sizes]
    seen = set()
    for one, other, tables in pair_blocks(codes, sizes):
        top = 0
        for a in one:
            left = 0
            for b in other:
                if a < b:
                    brute = np.zeros((sizes[a], sizes[b]), int)
                    np.add.at(brute, (codes[a], codes[b]), 1)
                    assert np.array_equal(tables[top : top + sizes[a], left : left + sizes[b]], brute)
                    assert np.array_equal(table_of(codes, sizes, (a, b)), brute)
                    seen.add((a, b))
                left += sizes[b]
            top += sizes[a]
    assert len(seen) == len(sizes) * (len(sizes) - 1) // 2


def test_a_table_of_three_columns():
    codes = [np.array([0, 1, 1]), np.array([2, 0, 0]), np.array([1, 1, 1])]
    table = table_of(codes, [2, 3, 2], (2, 0, 1))
    assert table.shape == (2, 2, 3)
    assert table[1, 0, 2] == 1
    assert table[1, 1, 0] == 2
    assert table.sum() == 3


def column(rows: int) -> Encoded:
    fields = (
        Field("c", levels=("x", "y"), provenance="public"),
        Field("x", low=0, high=999, nullable=False, provenance="public"),
    )
    return Encoded(fields, {"c": np.zeros(rows, np.int32), "x": np.arange(rows, dtype=float) % 1000})


@pytest.mark.parametrize("most", [1, 7])
def test_single_counts_cost_what_was_allowed_and_grow_finer_with_it(most):
    cells = []
    for rho in (Fraction(1, 10_000), Fraction(100)):
        account = Account(2 * rho, 1e-6)
        told = count_singles(column(4000), account, rows_rho=rho / 2, columns_rho=rho, most=most, cells=64)
        assert account.total <= rho * Fraction(3, 2)
        assert account.total > rho * Fraction(3, 2) * Fraction(999, 1000)
        assert told.variance >= most**2 * 2 / (2 * rho)  # two columns
        cells.append(told.cells)
    assert cells[0] < cells[1] == 64
    assert told.total == pytest.approx(4000, abs=40 * most)
    assert told.counts[0] == pytest.approx([4000, 0, 0], abs=40 * most)


def test_noise_has_the_shape_and_the_spread_of_what_it_is_added_to():
    told = noisy(np.full((200, 50), 7), Fraction(900))
    assert told.shape == (200, 50)
    assert told.mean() == pytest.approx(7, abs=2)
    assert told.std() == pytest.approx(30, rel=0.06)


def test_domains_from_data_are_refused_by_name():
    with pytest.raises(PrivacyError, match=r"engine x .*'a'.*public or expert.*provenance: dp"):
        check_public("x", (Field("a", levels=("1",)), Field("b", low=0, high=1, provenance="public")))
    with pytest.raises(PrivacyError, match='"b" has no low and high'):
        check_public("x", (Field("b", low=0, provenance="public"),))


def test_cells_are_grouped_by_their_noisy_counts():
    numbers = grid(Field("x", low=0, high=99, provenance="public"), 8)
    bins = group(numbers, np.full(numbers.size, 10.0), most=4, rare=0.0)
    assert (np.diff(bins) >= 0).all()
    assert bins[-1] == bins[-2] + 1  # missing stands alone
    levels = grid(Field("c", levels=tuple("abcdef"), nullable=False, provenance="public"), 8)
    bins = group(levels, np.array([50.0, 1, 2, 40, 3, 30]), most=10, rare=20.0)
    assert bins.tolist() == [0, 3, 3, 1, 3, 2]
    assert group(levels, np.array([50.0, 1, 2, 40, 3, 30]), most=3, rare=0.0).tolist() == [0, 2, 2, 1, 2, 2]
    assert grouped(np.array([50.0, 1, 2, 40, 3, 30]), bins).tolist() == [50, 40, 30, 6]


def test_runs_have_about_equal_counts():
    counts = np.array([50.0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 20, 20])
    runs = runs_of_equal_count(counts, 4)
    assert runs[0] == 0
    assert runs[1] == 1
    assert (np.diff(runs) >= 0).all()
    assert runs.max() <= 3
    assert runs_of_equal_count(np.zeros(4), 3).tolist() == [0, 0, 0, 0]


def test_what_no_number_is_seen_at_is_cleared_and_levels_and_missing_values_are_kept():
    stream = np.random.default_rng(7)
    number = grid(Field("x", low=0, high=9999, provenance="public"), 64)
    truth = np.zeros(number.size)
    truth[:10], truth[-1] = 300.0, 4.0  # the last cell is that of missing values
    level = grid(Field("y", levels=tuple("abcdefgh"), nullable=False, provenance="public"), 64)
    rare = np.array([3000.0, *[1.0] * 7])
    counts = tuple(t + stream.normal(0, 6, len(t)) for t in (truth, rare))
    clear = cleared(Singles((number, level), counts, Fraction(36), 3007.0, 64))
    assert [c.sum() for c in clear] == pytest.approx([3007.0, 3007.0])
    assert (clear[0][:10] > 250).all()
    assert clear[0][16:-1].sum() == 0
    assert (project(counts[0], 3007.0)[16:-1] > 0).any()  # which projection alone would not have cleared
    np.testing.assert_array_equal(clear[1], project(counts[1], 3007.0))
