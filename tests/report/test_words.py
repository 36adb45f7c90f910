from __future__ import annotations

import pytest

from tuckpoint.report.words import MEANINGS, figures, in_words, meaning, number, places, scientific, visible
from tuckpoint.score import Score


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0"),
        (0.52641, "0.526"),
        (0.020349, "0.0203"),
        (12.345, "12.3"),
        (999.4, "999"),
        (48842, "48,842"),
        (-0.0101, "−0.0101"),
        (-12345.6, "−12,346"),
        (1.5e-9, "1.5 × 10⁻⁹"),
    ],
)
def test_numbers_show_three_significant_digits(value: float, shown: str) -> None:
    assert number(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100%"), (0.99996, "99.996%"), (0.0022, "0.220%"), (0.506, "50.6%"), (0.0, "0%")]
)
def test_shares_never_round_up_to_all(share: float, shown: str) -> None:
    assert number(share, percent=True) == shown


def test_a_small_negative_that_rounds_to_nothing_has_no_sign() -> None:
    assert number(-0.0001, digits=3) == "0.000"


def test_interval_and_reference_have_the_decimals_of_the_value() -> None:
    shown = figures(Score("one_way_distance", 0.0203, -0.0012, 0.03149, reference=0.00981))
    assert (shown.value, shown.interval, shown.reference) == ("0.0203", "[−0.0012, 0.0315]", "0.0098")


def test_a_value_of_nothing_keeps_its_interval_readable() -> None:
    lost = Score("utility", -23925.4, -60000.0, 0.9, reference=0.61, detail={"measure": "R2"})
    assert (figures(lost).value, figures(lost).interval, figures(lost).reference) == ("below −1", "", "0.61")
    both = Score("utility", -0.2, -1.5, 0.9, reference=-7.0, detail={"measure": "R2"})
    assert (figures(both).value, figures(both).interval) == ("−0.20", "[below −1, 0.90]")
    assert figures(both).reference == "below −1"
    shown = figures(Score("exact_copies", 0.0, 0.0, 0.00094, reference=0.0))
    assert (shown.value, shown.interval, shown.reference) == ("0%", "[0%, 0.0940%]", "0%")


def test_a_tiny_value_is_not_hidden_by_a_large_reference() -> None:
    assert figures(Score("membership", 0.00123, reference=0.5)).value == "0.0012"


def test_no_interval_without_both_ends() -> None:
    assert figures(Score("membership", 0.5, low=0.4)).interval == ""
    assert figures(Score("membership", None, why="no holdout")).value == "not measured"


def test_places_of_large_and_zero() -> None:
    assert places(0.0) == places(4321.0) == 0
    assert scientific(1e-6) == "1 × 10⁻⁶"


def test_visible_shows_what_hides_or_reorders_text() -> None:
    assert visible("a\u202eb\x1b[31m\n\ud800") == "a\\u202eb\\u001b[31m\\n\\ud800"
    assert visible("") == '""'
    assert visible("  ") == '"  "'
    assert visible("\U0001f469\u200d\U0001f467 é 名前") == "\U0001f469\u200d\U0001f467 é 名前"


def test_long_names_keep_both_ends_and_stay_short() -> None:
    shown = visible("start" + "x" * 10_000 + "end", 40)
    assert len(shown) == 40
    assert shown.startswith("start")
    assert shown.endswith("end")
    assert len(visible("\x00" * 10_000, 40)) == 40


def test_unknown_scores_degrade_to_their_names() -> None:
    assert meaning("fancy_new_score").label == "Fancy new score"
    assert in_words('Models work for "pay_amt5"') == 'Models work for "pay_amt5"'


def test_the_nearest_record_share_says_that_it_proves_no_privacy() -> None:
    assert "proves no privacy" in MEANINGS["nearest_record_share"].limit
    assert all(known.definition and known.limit for known in MEANINGS.values())
