"""The attack on our own mechanisms, small: an honest claim stands and a planted bug falls, but once in a million."""

import numpy as np
import pytest
from bench.privacy import self_audit
from bench.privacy.self_audit import WHOLE, Bound, Case, Terms, attack, bounds, wrong

# Every interval fails once in ten million; there are fewer than ten in one test.
TERMS = Terms(epsilon=1.0, delta=0.01, pilot=60, fits=150, sure=1 - 1e-7)


@pytest.fixture(autouse=True)
def two_columns(monkeypatch):
    """Tables of two columns: a and b."""
    plain = self_audit.tables

    def tables(case):
        without, present, schema = plain(case)
        kept = tuple(column for column in schema.columns if column.name != "c")
        return without.drop_columns(["c"]), present.drop_columns(["c"]), self_audit.Schema(kept, person=schema.person)

    monkeypatch.setattr(self_audit, "tables", tables)


def test_the_claim_stands_where_people_have_many_rows():
    found = bounds(Case("honest", counted=20, rows=60), TERMS)
    assert {WHOLE, "number of rows", "single columns"} <= {bound.part for bound in found}
    assert wrong(found) == []


@pytest.mark.parametrize("bug", ["one-row", "no-bound"])
def test_a_wrong_sensitivity_is_caught(bug):
    found = bounds(Case("planted", counted=20, rows=20 if bug == "one-row" else 600, bug=bug), TERMS)
    whole = next(bound for bound in found if bound.part == WHOLE)
    assert max(whole.epsilon_at_least) > whole.epsilon
    assert max(whole.rho_at_least) > whole.rho
    assert wrong(found) == []


def test_what_is_heard_tells_with_from_without_only_as_much_as_was_paid():
    case = Case("honest", counted=3, rows=9)
    heard = attack(case, 40, Terms(epsilon=400.0, delta=0.01))
    there, gone = heard.scores["single columns"]
    assert there.min() > gone.max()  # at that price there is no doubt
    assert heard.rho[WHOLE] == pytest.approx(sum(rho for part, rho in heard.rho.items() if part != WHOLE))
    # The score is the log-likelihood ratio but for a constant: its variance is twice the rho of the part.
    cheap = attack(case, 150, Terms(epsilon=1.0, delta=0.01))
    there, gone = cheap.scores["single columns"]
    spread = np.sqrt((there.var() + gone.var()) / 2)
    assert spread == pytest.approx(np.sqrt(2 * cheap.rho["single columns"]), rel=0.3)


def test_a_bug_that_no_part_catches_and_a_claim_that_falls_are_told():
    honest, planted = Case("honest"), Case("planted", bug="noise-halved")
    held = Bound(honest, WHOLE, 1.0, (0.9, 0.0), 0.1, (0.05, 0.1))
    assert wrong([held]) == []
    assert "refuted" in wrong([Bound(honest, WHOLE, 1.0, (0.0, 1.1), 0.1, (0.0, 0.0))])[0]
    assert "not caught" in wrong([Bound(planted, WHOLE, 1.0, (0.9, 0.0), 0.1, (0.0, 0.0))])[0]
    assert wrong([Bound(planted, WHOLE, 1.0, (0.9, 0.0), 0.1, (0.0, 0.2))]) == []


def test_bounds_are_those_of_the_textbook():
    terms = Terms(fits=1000, delta=0.01, sure=0.975)
    # 500 and 100 of 1000: intervals 0.4686 and 0.1203 at 97.5 % (Clopper and Pearson 1934).
    low, high = self_audit._ends((500, 100), terms)
    assert (low, high) == (pytest.approx(0.4686, abs=2e-4), pytest.approx(0.1203, abs=2e-4))
    assert self_audit._epsilon((500, 100), terms=terms) == pytest.approx(np.log((low - 0.01) / high))
    assert self_audit._epsilon((100, 500), terms=terms) == 0.0
    # Of order 2 the divergence of two coins is log of p^2 / q + (1 - p)^2 / (1 - q).
    two = np.log(low**2 / high + (1 - low) ** 2 / (1 - high)) / 2
    assert self_audit._rho((500, 100), terms=terms, failure=0.0) >= two
    assert self_audit._rho((500, 100), terms=terms, failure=0.2) < two
    assert self_audit._rho((100, 100), terms=terms, failure=0.0) == 0.0
