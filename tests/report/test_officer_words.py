from __future__ import annotations

from dataclasses import replace

import pytest
from measure.audits import audit, copied_of, recognised, share

from tuckpoint import parts
from tuckpoint.measure.finding import Finding
from tuckpoint.measure.gate import TIERS, State, Tier, Verdict
from tuckpoint.measure.policy import Policy
from tuckpoint.report.officer_words import BY, SCORES, STATE, TIER, by, headline, label, outcome
from tuckpoint.score import Score


def verdicts(**states: State) -> list[Verdict]:
    return [Verdict(tier, states[tier], (), Policy(), None, None, "0") for tier in TIERS if tier in states]


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ({}, "The gate was not run"),
        ({"public": "pass", "partner": "pass", "internal": "pass"}, "Passes for publication"),
        ({"public": "block", "partner": "pass"}, "Passes for a named partner, not for publication"),
        ({"partner": "pass"}, "Passes for a named partner"),
        ({"public": "block", "partner": "review", "internal": "pass"}, "Passes for internal use only"),
        ({"internal": "pass"}, "Passes for internal use"),
        ({"public": "block", "internal": "review"}, "Not decided: a person must review"),
        ({"public": "block", "partner": "block", "internal": "block"}, "Blocked: do not hand these rows out"),
    ],
)
def test_the_headline_says_the_widest_tier_that_passes(states: dict[Tier, State], told: str) -> None:
    assert headline(verdicts(**states))[0] == told


def test_a_pass_for_a_narrow_tier_never_sounds_like_one_for_a_wider() -> None:
    for partner in STATE:
        for internal in STATE:
            said = headline(verdicts(public="block", partner=partner, internal=internal))[0]
            assert not said.startswith("Passes for publication")


@pytest.mark.parametrize(
    ("finding", "state", "word"),
    [
        (copied_of("copies", "exact_copies", (41, 3), p=0.0, adjusted=0.049), "fails", "Leak"),
        (copied_of("copies", "exact_copies", (4, 3), p=0.4, adjusted=0.051), "holds", "No leak"),
        (recognised("density", 0.011), "holds", "Within its limit"),
        (recognised("density", 0.031), "review", "Might be above its limit"),
        (Finding("a", "inference", Score("a", None, why="no")), "open", "Not measured"),
        (Finding("a", "inference", Score("a", 0.1)), "open", "Shown, decides nothing"),
    ],
)
def test_what_came_of_a_finding(finding: Finding, state: str, word: str) -> None:
    assert outcome(finding) == (state, word)


def test_every_attack_of_ours_has_words_and_a_source() -> None:
    """Each score that an attack gives is known by name; what its methods are called may stand in `BY`."""
    for finding in audit().findings:
        assert finding.score.name in SCORES
    for name in ("membership_auc", "true_positives", "best_guesses", "exact_copies", "rare_copies", "near_copies"):
        assert SCORES[name].does
        assert SCORES[name].source
    named = {"copies", "values", "singling_out", "linkability", "inference", "minorities"}
    assert set(parts.names("attack")) <= named | set(BY)


def test_subjects_and_unknown_scores() -> None:
    group = share("minorities", "worst case", "worst_group", (27, 22), limit=0.4, p=0.9, subject=("country", "Cuba"))
    assert by(group) == "country = Cuba"
    odd = replace(group, attack="brand_new", score=replace(group.score, name="brand_new", subject=("a", "b")))
    assert label(odd) == "Brand new"
    assert by(odd) == "a × b; brand_new"


def test_every_tier_has_words() -> None:
    assert set(TIER) == set(TIERS)
