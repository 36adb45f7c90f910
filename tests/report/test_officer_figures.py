from __future__ import annotations

import json
from dataclasses import replace

import pytest
from measure.audits import audit, copied_of, ranked, recognised, share

from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.report.officer_figures import (
    Span,
    capped_p,
    guessing,
    limit_of,
    members,
    on_excess,
    outsiders,
    outward,
    p_value,
    people,
    percent,
    proven,
    rounded,
    told_audit,
)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0, "0%"),
        (0.0001, "under 0.5%"),
        (0.0149, "1.5%"),
        (0.0249, "2.5%"),
        (0.0974, "9.5%"),
        (0.1049, "10%"),
        (0.546, "55%"),
        (0.994, "over 99%"),
        (1.0, "100%"),
        (-0.0049, "−0.5%"),
    ],
)
def test_shares_come_in_steps(share: float, told: str) -> None:
    assert percent(share) == told


def test_two_neighbouring_counts_are_told_alike() -> None:
    """A question asked twice, with one person more, must not show who that is."""
    told = {percent(count / 2_000) for count in range(205, 215)}
    assert len(told) <= 2


def test_a_proven_loss_is_never_told_too_large() -> None:
    for value in (0.0, 0.19, 0.2, 1.8999, 2.59, 4.92):
        assert float(proven(value)) <= value + 1e-9
    assert proven(0.3) == "0.3"


def test_p_values_have_one_digit_and_an_end() -> None:
    assert p_value(1e-15) == "under 0.001"
    assert p_value(0.0416) == "0.04"
    assert p_value(None) == ""
    assert capped_p(0.0) == 0.001


def test_people_are_counted_exactly_only_without_a_promise() -> None:
    assert people(39_073, private=False) == "39,073"
    assert people(39_073, private=True) == "about 39,000"
    assert people(0, private=True) == "0"
    assert people(7, private=True) == "about 7"


def test_the_outsiders_interval_is_that_of_their_own_number() -> None:
    found = copied_of("copies", "exact_copies", (41, 3), p=0.1).score
    other = replace(found, detail={**found.detail, "of_outsiders": 500})
    assert outsiders(found) == Span(
        0.0 if found.reference is None else rounded(found.reference), *outward(*clopper_pearson(3, 2_000))
    )
    assert outsiders(other) == Span(rounded(found.reference or 0), *outward(*clopper_pearson(3, 500)))


def test_where_the_attack_chooses_one_of_two_there_are_no_outsiders() -> None:
    found = ranked("distance", 0.51, p=0.3).score
    assert guessing(found)
    assert outsiders(found) is None
    assert members(found) == Span(0.51, 0.49, 0.53)


def test_intervals_are_rounded_apart() -> None:
    assert outward(0.0, 0.0001) == (0.0, 0.005)
    assert outward(0.0149, 0.0151) == (0.01, 0.02)
    assert outward(0.55, 0.551) == (0.55, 0.56)
    assert outward(-0.0012, 0.0) == (-0.005, 0.0)
    assert outward(0.995, 1.0) == (0.99, 1.0)


def test_a_rate_without_a_count_has_no_interval() -> None:
    assert outsiders(recognised("density", 0.011).score) == Span(0.01)
    assert not guessing(recognised("density", 0.011).score)


def test_limits_on_the_excess_and_on_the_share() -> None:
    excess = share("linkability", "linkability", "linkability", (60, 58), limit=0.05, p=0.4).score
    assert (on_excess(excess), limit_of(excess)) == (True, 0.05)
    whole = share("minorities", "worst case", "worst_off", (22, 21), limit=0.05, p=0.4).score
    assert (on_excess(whole), limit_of(whole)) == (False, 0.05)
    assert limit_of(replace(whole, detail={"limit": True})) is None


def test_the_audit_is_told_without_exact_counts() -> None:
    told = json.dumps(told_audit(audit(leaky=True), private=True))
    for exact in ("39073", "9769", "0.5465", "0.0205", '"count"', "count_outsiders", "1e-12"):
        assert exact not in told
    assert '"made": 3907' in told
    assert told_audit(audit(), private=False)["rows"]["train"] == 39_073
