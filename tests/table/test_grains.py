"""How round numbers are: found where it is beyond chance, and kept by numbers that are moved."""

import numpy as np
import pytest

from tuckpoint.seed import Seed
from tuckpoint.table import grains
from tuckpoint.table.engine import Context, Encoded, Field
from tuckpoint.table.engines.trees import Trees

N = 4000


def payments(rows=N):
    """Cash in tens, of which each amount is rare, and cards to the cent."""
    rng = np.random.default_rng(0)
    cash = rng.random(rows) < 0.3
    amount = np.where(cash, rng.integers(1, 600, rows) * 10, np.round(rng.gamma(2, 1000, rows), 2))
    fields = (Field("how", levels=("card", "cash")), Field("amount", decimals=2))
    return Encoded(fields, {"how": cash.astype(np.int32), "amount": amount})


def tens(amount):
    return np.rint(amount * 100) % 1000 == 0


def test_amounts_that_are_rounder_than_chance_have_their_grain():
    amount = payments().columns["amount"]
    found = grains.find(amount, np.ones(N, bool), 100.0)
    assert (found.grain[tens(amount)] == 1000).all()
    assert (found.grain[~tens(amount)] < 1000).all()
    assert (found.rounder[found.grain == 1] == 5).all()
    assert (found.rounder[found.grain == 1000] == 0).all()


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_numbers_as_round_as_chance_makes_them_have_none(scale):
    rng = np.random.default_rng(1)
    for size in (40, 400, 4000):
        for spread in (30, 1000, 1e6):
            values = np.rint(rng.gamma(2, spread, size) * scale) / scale
            assert grains.find(values, np.ones(size, bool), scale) is None


def test_numbers_of_many_decimals_are_asked_no_more_than_they_can_hold():
    tiny = np.round(np.random.default_rng(5).random(N) * 1e-3, 15)
    assert grains.find(tiny, np.ones(N, bool), 1e15) is None
    assert grains.find(np.zeros(N), np.ones(N, bool), 1e15) is None
    halves = np.where(np.arange(N) % 2 == 0, np.round(tiny, 6), tiny)
    found = grains.find(halves, np.ones(N, bool), 1e15)
    assert np.array_equal(found.grain >= 10**9, np.arange(N) % 2 == 0)


def test_grains_are_told_from_loose_rows_and_missing_ones_have_none_of_their_own():
    values = np.where(np.arange(N) < 1000, np.nan, payments().columns["amount"])
    heap = np.where(np.arange(N) < 3500, 1000.0, np.random.default_rng(2).integers(0, 10**6, N) / 100)
    assert grains.find(values, ~np.isnan(values), 100.0) is not None
    assert grains.find(heap, np.arange(N) >= 3500, 100.0) is None
    assert grains.find(values, np.zeros(N, bool), 100.0) is None
    assert grains.find(values * 1e14, ~np.isnan(values), 100.0) is None


def test_moved_numbers_are_as_round_as_they_were_and_no_rounder():
    amount = payments().columns["amount"]
    found = grains.find(amount, np.ones(N, bool), 100.0)
    member = np.arange(N, dtype=np.int32)
    made = found.kept(amount + np.random.default_rng(3).normal(0, 30, N), member, Seed(7))
    assert np.array_equal(tens(made), tens(amount))
    assert abs(np.mean(np.rint(made * 100) % 5 == 0) - np.mean(np.rint(amount * 100) % 5 == 0)) < 0.001
    assert np.abs(made - amount).max() < 200
    fine = np.rint(made[~tens(amount)] * 100).astype(int) % 5
    shares = np.bincount(fine[fine > 0], minlength=5)[1:] / (fine > 0).sum()
    assert (np.abs(shares - 0.25) < 0.04).all()  # none of the places between two rounder numbers is preferred


def test_what_is_round_does_not_come_back_to_where_it_was():
    rng = np.random.default_rng(6)
    hundreds = np.rint(np.exp(rng.normal(10, 0.6, N)) / 100) * 100
    found = grains.find(hundreds, np.ones(N, bool), 1.0)
    made = found.kept(hundreds, np.arange(N, dtype=np.int32), Seed(8))
    assert (made % 100 == 0).all()
    assert np.mean(made == hundreds) < 0.3
    assert np.abs(made - hundreds).max() <= 300
    few = np.repeat([1000.0, 2000.0, 3000.0, 4000.0], N // 4)  # a grain beside would be another world
    kept = grains.find(few, np.ones(N, bool), 1.0)
    assert np.array_equal(kept.kept(few, np.arange(N, dtype=np.int32), Seed(8)), few)


def test_made_cash_stays_in_tens_and_cards_in_cents():
    real = payments()
    made = Trees(trees=4, rounds=20).fit(real, Seed(0), Context()).draw(8000, Seed(1)).columns
    cash = made["how"] == 1
    assert tens(made["amount"][cash]).mean() > 0.99
    assert tens(made["amount"][~cash]).mean() < 0.01
    assert len(np.unique(made["amount"][cash])) > 300
