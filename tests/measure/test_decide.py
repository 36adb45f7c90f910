from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tuckpoint.measure.decide import adjust, holm, level_shares, reasons, strongest
from tuckpoint.measure.finding import Control, Finding
from tuckpoint.score import Score

GOOD = (
    Control("leaky copy", True, 1e-9, "copies", "rows of 20 people"),
    Control("other real people", True, 0.5, "copies", "other people"),
)
NOTHING = Score("epsilon", 0.0)


def finding(p: float | None, attack: str = "density", name: str = "best_guesses") -> Finding:
    return Finding(attack, "membership", Score(name, 0.7, reference=0.5, reference_is="guessing"), p)


def test_holm_on_a_known_example() -> None:
    # Wright 1992, table 1: 0.01, 0.02, 0.022, 0.09 -> 0.04, 0.06, 0.06, 0.09.
    assert holm([0.022, 0.01, 0.09, 0.02]) == pytest.approx([0.06, 0.04, 0.09, 0.06])
    assert holm([0.8, 0.9]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_holm_with_weights_shares_the_level_out() -> None:
    # The first is tested at 3/4 of the level; once it is decided, the second at all of it.
    assert holm([0.03, 0.04], [0.75, 0.25]) == pytest.approx([0.04, 0.04])
    assert holm([0.03, 0.04], [0.25, 0.75]) == pytest.approx([0.16 / 3, 0.16 / 3])
    assert holm([0.01, 0.03, 0.5], [1, 1, 1]) == pytest.approx(holm([0.01, 0.03, 0.5]))


@pytest.mark.parametrize("weights", [None, [0.5, 0.1, 0.1, 0.1, 0.1, 0.1]])
def test_holm_keeps_its_level_and_no_less_than_half_of_it(weights: list[float] | None) -> None:
    random = np.random.default_rng(0)
    wrong = np.mean([holm(random.random(6), weights).min() < 0.2 for _ in range(3000)])
    assert 0.15 < wrong < 0.2 + 6 * np.sqrt(0.2 * 0.8 / 3000)


def test_what_has_no_p_value_decides_nothing_and_stays() -> None:
    found = adjust([finding(0.01), finding(None), finding(0.5)])
    assert [one.adjusted for one in found] == [0.02, None, 0.5]
    assert adjust([finding(None)])[0].adjusted is None
    assert adjust([]) == ()


def test_copied_rows_have_half_of_the_level() -> None:
    shares = level_shares(["copies", "copies", "density", "values", "values", "distance"])
    assert shares == [0.25, 0.25, 0.125, 0.125, 0.125, 0.125]
    assert level_shares(["density", "values"]) == [0.5, 0.5]
    assert level_shares([]) == []
    found = adjust([finding(0.02, "copies"), *[finding(0.02)] * 9])
    assert found[0].adjusted == pytest.approx(0.04)
    assert found[1].adjusted == pytest.approx(0.18)


def test_the_strongest_has_the_smallest_p_value() -> None:
    found = strongest(adjust([finding(0.5), finding(1e-4, name="a"), finding(1e-9, name="b"), finding(None)]))
    assert found is not None
    assert found.score.name == "b"
    assert strongest([finding(None)]) is None


def test_nothing_found_gives_no_reason() -> None:
    assert reasons(adjust([finding(0.2)]), NOTHING, GOOD, ()) == ()


def test_a_leak_is_told_with_its_reference_and_capped() -> None:
    (told,) = reasons(adjust([finding(1e-8), finding(0.9)]), NOTHING, GOOD, ())
    assert told == "density: best guesses 0.7, beside 0.5 for guessing (p < 0.001 after correction)"
    many = reasons(adjust([finding(1e-8)] * 9), NOTHING, GOOD, ())
    assert len(many) == 6
    assert many[-1] == "and 4 more findings"


def test_a_proved_loss_over_the_claim_is_an_incident() -> None:
    proved = Score("epsilon", 2.5, reference=1.0)
    (told,) = reasons((), proved, GOOD, ())
    assert "incident" in told
    assert "2.50" in told
    assert reasons((), replace(proved, reference=3.0), GOOD, ()) == ()
    assert reasons((), Score("epsilon", None, why="no bound", reference=1.0), GOOD, ()) == ()


def test_a_failed_control_and_a_failed_attack_block() -> None:
    blind = replace(GOOD[0], worked=False, p=0.4)
    unfair = replace(GOOD[1], worked=False, p=1e-5)
    told = reasons((), NOTHING, (blind, unfair), ("the attack density failed to compute (ValueError: x)",))
    assert len(told) == 3
    assert "failed to compute" in told[0]
    assert "blind" in told[1]
    assert "one population" in told[2]
