import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from tuckpoint.errors import PrivacyError
from tuckpoint.privacy.account import (
    Account,
    epsilon_of,
    gaussian_cost,
    gaussian_variance,
    positive,
    rho_of,
    round_up,
    selection_cost,
    selection_epsilon,
)


@pytest.mark.parametrize(
    ("epsilon", "delta", "rho"),
    [(1, 1e-6, 0.024356), (1, 1e-9, 0.014973), (3, 1e-6, 0.18507), (10, 1e-6, 1.53928)],
)
def test_published_values(epsilon, delta, rho):
    assert rho_of(epsilon, delta) == pytest.approx(rho, rel=3e-5)


def test_releases_add_up_in_rho():
    rho = rho_of(1, 1e-6)
    assert epsilon_of(12 * rho, 1e-6) == pytest.approx(3.863, abs=1e-3)
    assert epsilon_of(52 * rho, 1e-6) == pytest.approx(8.914, abs=1e-3)


def test_tighter_than_the_short_formula():
    rho = rho_of(1, 1e-6)
    assert rho + 2 * math.sqrt(rho * math.log(1e6)) == pytest.approx(1.185, abs=1e-3)
    assert epsilon_of(rho, 1e-6) <= 1


def exact_delta(rho: float, epsilon: float) -> float:
    """The true delta of a Gaussian mechanism of that rho: zCDP may promise no less."""
    mu = math.sqrt(2 * rho)
    phi = lambda x: math.erfc(-x / math.sqrt(2)) / 2  # noqa: E731
    return phi(mu / 2 - epsilon / mu) - math.exp(epsilon) * phi(-mu / 2 - epsilon / mu)


def delta_of(rho: float, epsilon: float) -> float:
    """The least delta over all orders at which rho-zCDP gives (epsilon, delta): `epsilon_of` turned round."""

    def log_delta(log_order: float) -> float:
        a = math.exp(log_order)  # order - 1
        return a * ((1 + a) * rho - epsilon) - log_order - (1 + a) * math.log1p(1 / a)

    start = min(np.linspace(-30, 60, 400), key=log_delta)
    least = minimize_scalar(log_delta, bounds=(start - 1, start + 1), method="bounded", options={"xatol": 1e-10})
    return min(1.0, math.exp(min(least.fun, 0)))


@given(st.floats(1e-3, 20), st.floats(1e-12, 1e-2))
@settings(max_examples=60, deadline=None)
def test_conversions_err_only_upwards(epsilon, delta):
    rho = rho_of(epsilon, delta)
    assert epsilon_of(rho, delta) <= epsilon
    assert epsilon_of(rho * 1.0001, delta) > epsilon
    assert delta_of(rho, epsilon) == pytest.approx(delta, rel=1e-6)
    assert exact_delta(rho, epsilon) <= delta


@given(st.floats(1e-4, 5), st.floats(1e-3, 10))
@settings(max_examples=60, deadline=None)
def test_what_is_promised_covers_the_gaussian_mechanism(rho, epsilon):
    delta = delta_of(rho, epsilon)
    assert exact_delta(rho, epsilon) <= delta * (1 + 1e-6)
    if 1e-300 < delta < 1:
        assert epsilon_of(rho, delta) == pytest.approx(epsilon, rel=1e-5)


@pytest.mark.parametrize("bad", [0, 0.0, -1, math.nan, math.inf, -math.inf, 5e-324, 1e-310])
def test_budgets_that_cannot_be_counted_are_refused(bad):
    for call in (
        lambda: positive("x", bad),
        lambda: rho_of(bad, 1e-6),
        lambda: rho_of(1, bad),
        lambda: epsilon_of(bad, 1e-6),
        lambda: epsilon_of(1, bad),
    ):
        with pytest.raises(PrivacyError):
            call()


def test_delta_of_one_or_more_promises_nothing():
    with pytest.raises(PrivacyError, match="delta"):
        rho_of(1, 1.0)


@given(st.fractions(Fraction(1, 10**6), 50), st.integers(1, 20), st.integers(1, 300))
@settings(max_examples=100, deadline=None)
def test_mechanisms_stay_within_their_share(rho, sensitivity, times):
    variance = gaussian_variance(rho, sensitivity, times)
    assert gaussian_cost(variance, sensitivity, times) <= rho
    assert gaussian_cost(variance, sensitivity, times) >= rho * Fraction(999, 1000)
    assert variance.numerator < 2**60
    epsilon = selection_epsilon(rho, times)
    assert selection_cost(epsilon, times) <= rho
    assert selection_cost(epsilon, times) >= rho * Fraction(999, 1000)


def test_closed_forms():
    assert gaussian_cost(Fraction(8), 2, 3) == Fraction(3, 4)
    assert gaussian_variance(Fraction(3, 4), 2, 3) == 8
    assert selection_cost(Fraction(2), 3) == Fraction(3, 2)


def test_account_refuses_what_passes_the_budget():
    account = Account(Fraction(1), 1e-6, failure=1e-7)
    account.spend("counts", Fraction(1, 3))
    with pytest.raises(PrivacyError, match="refused"):
        account.spend("pairs", Fraction(2, 3) + Fraction(1, 10**30))
    with pytest.raises(PrivacyError, match="one entry a name"):
        account.spend("counts", Fraction(1, 9))
    for refund in ({"rho": Fraction(-1, 9)}, {"rho": Fraction(1, 9), "delta": Fraction(-1, 9)}, {}):
        with pytest.raises(PrivacyError, match="refused"):
            account.spend("refund", **refund)
    assert account.left == Fraction(2, 3)
    account.spend("levels", Fraction(1, 3), Fraction(1e-7))
    with pytest.raises(PrivacyError, match="refused"):
        account.spend("more levels", delta=Fraction(1e-20))
    account.spend("pairs", account.left)
    assert account.total == 1
    assert account.entries == ("counts", "levels", "pairs")
    assert account.left == account.left_failure == 0
    with pytest.raises(PrivacyError, match="refused"):
        account.spend("one more", Fraction(1, 10**30))


@given(st.floats(0.05, 20), st.floats(1e-12, 1e-2), st.floats(0, 0.9), st.floats(0.01, 1), st.floats(0, 1))
@settings(max_examples=80, deadline=None)
def test_the_total_is_what_is_claimed(epsilon, delta, aside, used, thresholds):
    account = Account.open(epsilon, delta, failure=aside * delta)
    assert account.spent_epsilon() == 0.0
    account.spend("some", account.rho * Fraction(used))
    if account.failure * thresholds:
        account.spend("threshold", delta=Fraction(account.failure * thresholds))
    told = account.spent_epsilon()
    assert told <= epsilon
    # Both failures together are within delta, and the rest follows from rho.
    conversion = Fraction(delta) - account.total_failure
    assert delta_of(round_up(account.total), max(told, 1e-9)) <= float(conversion) * (1 + 1e-6) or told == epsilon
    if account.left:
        account.spend("rest", account.left)
    assert account.spent_epsilon() <= epsilon
    if account.total_failure == Fraction(account.failure):
        assert account.spent_epsilon() > 0.999 * epsilon


@pytest.mark.parametrize(
    ("epsilon", "delta", "failure"),
    [(0, 1e-6, 0), (1, 0, 0), (1, 1, 0), (1, math.nan, 0), (5e-324, 1e-6, 0), (1, 1e-6, 1e-6), (1, 1e-6, -1e-9)],
)
def test_an_account_opens_only_for_a_budget(epsilon, delta, failure):
    with pytest.raises(PrivacyError):
        Account.open(epsilon, delta, failure=failure)


def test_round_up_never_shows_less():
    third = Fraction(1, 3)
    assert third <= Fraction(round_up(third)) < third + Fraction(1, 10**15)
    assert round_up(Fraction(1, 4)) == 0.25
