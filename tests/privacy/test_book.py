import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy.account import epsilon_of, rho_of
from tuckpoint.privacy.book import Book, Holder, Policy, Spend, alike, exact, round_down, text

PEOPLE = Holder("patients", "patient_id")
OTHERS = Holder("staff", "patient_id")


def spend(number, rho, *, delta=0, part=None, holder=PEOPLE):
    when, digest = "2026-01-01T00:00:00Z", f"{number:064}"
    return Spend(
        number, digest, when, holder, part, Fraction(rho), Fraction(delta), "marginals", (), "Ada", "", None, None
    )


def book(*spends, policy=None, parts=None):
    return Book(
        policies={PEOPLE: policy or Policy()},
        first={PEOPLE: PEOPLE},
        parts={PEOPLE: parts or {}},
        spends={item.number: item for item in spends},
    )


def test_twelve_and_fifty_two_releases_of_the_notes():
    policy, one = Policy(), Fraction(rho_of(1, 1e-6))
    assert policy.epsilon_spent(12 * one, Fraction(0)) == pytest.approx(3.863, abs=1e-3)
    assert policy.epsilon_spent(52 * one, Fraction(0)) == pytest.approx(8.914, abs=1e-3)


@given(st.floats(0.01, 20), st.floats(1e-12, 1e-3), st.fractions(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_limit_is_what_keeps_within_the_policy(epsilon, delta, share):
    policy = Policy(epsilon, delta)
    failed = Fraction(delta) * share
    limit = policy.limit(failed)
    if share == 1:
        assert limit == 0
    elif limit:
        assert policy.epsilon_spent(limit, failed) <= epsilon
        assert policy.epsilon_spent(limit * Fraction(1001, 1000), failed) > epsilon


@given(st.floats(1e-5, 10), st.floats(1e-12, 1e-3))
@settings(max_examples=20, deadline=None)
def test_the_epsilon_that_is_said_to_fit_does_fit(rho, delta):
    shown = Policy(10, delta).epsilon_fitting(Fraction(rho), Fraction(0))
    assert rho_of(shown, delta) <= rho
    assert shown >= 0.98 * epsilon_of(rho, delta)


def test_a_whole_policy_fits_whole():
    policy = Policy(3, 1e-9)
    assert policy.epsilon_fitting(policy.limit(Fraction(0)), Fraction(0)) == 3
    assert policy.epsilon_fitting(Fraction(0), Fraction(0)) == 0
    assert policy.epsilon_fitting(Fraction(1), Fraction(1e-9)) == 0


def test_a_delta_that_is_used_up_leaves_no_epsilon():
    policy = Policy(10, 1e-6)
    assert policy.epsilon_spent(Fraction(1, 100), Fraction(1e-6)) is None
    assert policy.epsilon_spent(Fraction(0), Fraction(1e-6)) == 0
    assert policy.epsilon_spent(Fraction(0), Fraction(2e-6)) is None
    assert policy.epsilon_spent(Fraction(0), Fraction(0)) == 0


@pytest.mark.parametrize("bad", [0, -1, math.nan, math.inf, 5e-324])
def test_a_policy_is_a_budget(bad):
    with pytest.raises(PrivacyError, match="epsilon"):
        Policy(epsilon=bad)
    with pytest.raises(PrivacyError, match="delta"):
        Policy(delta=bad)
    with pytest.raises(PrivacyError, match="delta is 1"):
        Policy(delta=1)


@pytest.mark.parametrize("bad", [-1, -1e-300, math.nan, math.inf, -math.inf, 5e-324, 1e-310, Fraction(-1, 9)])
def test_amounts_that_cannot_be_counted_are_refused(bad):
    with pytest.raises(PrivacyError, match="rho"):
        exact("rho", bad)


@pytest.mark.parametrize("bad", [Fraction(1, 10**400), Fraction(10**400), True, "1", None])
def test_amounts_beyond_floats_and_other_things_are_refused(bad):
    with pytest.raises(PrivacyError, match="rho"):
        exact("rho", bad)


@given(st.one_of(st.floats(1e-300, 1e300), st.fractions(Fraction(1, 10**40), 50)))
@settings(max_examples=100)
def test_amounts_are_kept_whole_or_rounded_up(value):
    kept = exact("rho", value)
    assert 0 <= kept - Fraction(value) <= Fraction(1, 2**128)
    assert kept.denominator <= 2**128
    assert exact("rho", kept) == kept
    assert len(str(kept)) < 400


def test_zero_is_an_amount():
    assert exact("delta", 0) == exact("delta", -0.0) == 0


@given(st.fractions(-10, 10))
def test_rounded_down_is_never_above(value):
    assert Fraction(round_down(value)) <= value
    assert Fraction(math.nextafter(round_down(value), math.inf)) > value


def test_spends_add_up_and_of_disjoint_parts_the_largest_counts():
    parts = {"region": ("north", "south"), "year": ("old", "new")}
    spends = [
        spend(1, 1),
        spend(2, 2, part="north", delta=Fraction(1, 10**9)),
        spend(3, 3, part="south"),
        spend(4, 2, part="north", delta=Fraction(1, 10**9)),
        spend(5, 7, part="old"),
    ]
    assert book(*spends, parts=parts).total(spends) == (1 + 4 + 7, Fraction(2, 10**9))


@given(st.lists(st.tuples(st.sampled_from([None, "north", "south", "old", "new"]), st.integers(1, 9)), max_size=12))
def test_a_total_is_the_loss_of_the_worst_off_person(given_spends):
    """By brute force: everybody is in one region and one year, and loses what is spent on those and on the whole."""
    spends = [spend(number, rho, part=part) for number, (part, rho) in enumerate(given_spends)]
    total, _ = book(*spends, parts={"region": ("north", "south"), "year": ("old", "new")}).total(spends)
    people = [(region, year) for region in ("north", "south") for year in ("old", "new")]
    assert total == max(sum(s.rho for s in spends if s.part in (None, *person)) for person in people)


def test_what_is_left_for_a_part_does_not_depend_on_the_others():
    policy = Policy()
    limit = policy.limit(Fraction(0))
    some = book(spend(1, limit / 2, part="north"), spend(2, limit / 4), parts={"region": ("north", "south")})
    assert some.left(PEOPLE) == limit / 4
    assert some.left(PEOPLE, "north") == limit / 4
    assert some.left(PEOPLE, "south") == limit * 3 / 4
    over = book(spend(1, 2 * limit, part="north"), parts={"region": ("north", "south")})
    assert over.left(PEOPLE, "south") == 0


def test_an_undeclared_part_is_refused_with_those_that_are_there():
    with pytest.raises(PrivacyError, match=r'no part "nort" \(did you mean "north"\?\); declared are: north, south'):
        book(parts={"region": ("north", "south")}).partition(PEOPLE, "nort")
    with pytest.raises(PrivacyError, match="none was declared"):
        book().partition(PEOPLE, "north")


def test_an_unknown_account_is_refused_with_the_nearest():
    some = book()
    some.check(PEOPLE)
    with pytest.raises(InputError, match=r'"patient" \(did you mean "patients"\?\); open one'):
        some.check(Holder("patient", "patient_id"))
    with pytest.raises(InputError, match="accounted per patient_id"):
        some.check(Holder("patients", "row"))


def test_names_are_one_line_that_can_be_shown():
    assert text("who", "  Ada Lovelace ") == "Ada Lovelace"
    assert text("purpose", "", empty=True) == ""
    for bad in ("", "  ", "a\nb", "a\x1b[2J", "\ud800", "x" * 501, "a\u2028b"):
        with pytest.raises(InputError, match="who"):
            text("who", bad)


def test_names_that_look_the_same_are_alike():
    assert alike("Patients  2026") == alike("patients 2026") == alike("ｐatients 2026")
    assert alike("patients 2025") != alike("patients 2026")
