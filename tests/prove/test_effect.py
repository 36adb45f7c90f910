import numpy as np
import pytest

from tuckpoint.prove.effect import (
    Effect,
    corrected,
    detectable,
    hedged,
    holm,
    overlap,
    rows_needed,
    state,
    two_way,
    unharmed,
    wider,
)
from tuckpoint.seed import Seed


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    gains = np.array([0.01, 0.03, 0.02, 0.04])
    found = corrected(gains, left_out=20, trained=80)
    assert found.gain == pytest.approx(0.025)
    assert found.se == pytest.approx(np.std(gains, ddof=1) * np.sqrt(1 / 4 + 20 / 80))
    low, high = found.interval()
    assert (high - low) / 2 == pytest.approx(3.182446 * found.se, rel=1e-5)  # t, 3 degrees of freedom


def test_the_two_way_variance_adds_resamples_and_clusters():
    gains = np.array([0.0, 0.2, 0.1, 0.1])
    influence = np.array([1.0, 1.0, -1.0, -1.0])
    rows = two_way(gains, influence, np.arange(4), left_out=20, trained=80)
    people = two_way(gains, influence, np.array([0, 0, 1, 1]), left_out=20, trained=80)
    assert rows.training == pytest.approx(np.var(gains, ddof=1) * 0.5)
    assert rows.testing == pytest.approx(4 / 16 * 4 / 3)
    assert people.testing == pytest.approx(8 / 16 * 2)  # rows of one person say the same: twice the variance and more
    assert wider([rows, people]).se == people.se


def test_the_gain_on_locked_rows_is_shown_with_the_wider_interval():
    locked, rest = Effect(0.02, 0.01, 9, "two-way", 0.00004, 0.00006), Effect(0.3, 0.02, 9, "corrected resampled t")
    shown = wider([locked, rest])
    assert (shown.gain, shown.se, shown.method) == (0.02, 0.02, "corrected resampled t")
    assert shown.training + shown.testing == pytest.approx(0.02**2)
    assert wider([locked, Effect(0.3, 0.001, 9, "corrected resampled t")]).method == "two-way"


def test_the_two_way_interval_holds_a_known_mean():
    held = 0
    for trial in range(400):
        random = Seed(trial, ("two-way",)).numpy()
        rows, resamples = random.normal(0.1, 1, 100), random.normal(0, 0.1, 10)
        gains = rows.mean() + resamples
        low, high = two_way(gains, rows - rows.mean(), np.arange(100), left_out=1e-9, trained=1).interval()
        held += low <= 0.1 <= high
    assert held >= 372  # 95 % of 400 less what chance may take


@pytest.mark.parametrize(
    ("gain", "se", "said"),
    [(0.05, 0.01, "helps"), (-0.05, 0.01, "hurts"), (0.001, 0.001, "equivalent"), (0.0, 0.0, "equivalent"),
     (0.02, 0.02, "no evidence")],
)  # fmt: skip
def test_what_an_effect_says(gain, se, said):
    assert state(Effect(gain, se, 9, "two-way"), 0.01) == said


def test_a_gain_too_small_to_matter_is_equivalence():
    tiny = Effect(0.002, 0.0005, 9, "two-way")
    assert tiny.interval()[0] > 0
    assert state(tiny, 0.01) == "equivalent"
    assert state(tiny, 0.001) == "helps"


def test_harm_is_ruled_out_by_half_of_tost():
    assert unharmed(Effect(0.0, 0.004, 9, "two-way"), 0.01)
    assert not unharmed(Effect(0.0, 0.01, 9, "two-way"), 0.01)


def test_holm_steps_down_and_stops():
    assert holm([0.001, 0.5, 0.02]) == pytest.approx([0.05 / 3, 0.05, 0.025])
    assert holm([0.04, 0.03]) == pytest.approx([0.025, 0.025])  # the first to fail holds up the rest
    assert holm([0.04]) == [0.05]


def test_rows_that_would_show_the_effect():
    effect = Effect(0.0, 0.02**0.5, 9, "two-way", training=0.0, testing=0.02)
    assert rows_needed(effect, 2.8 * 0.1, 100) == 200  # variance must fall from .02 to .01
    assert rows_needed(Effect(0, 1, 9, "two-way", training=1.0, testing=0.1), 0.1, 100) is None
    assert detectable(effect) == pytest.approx(2.8 * 0.02**0.5)


def test_no_effect_at_all_has_p_one():
    assert Effect(0.0, 0.0, 9, "two-way").p == 1
    assert Effect(2.262157, 1.0, 9, "two-way").p == pytest.approx(0.05, abs=1e-6)


def test_choosing_none_every_time_leaves_a_doubt():
    gains = np.array([0.02, 0.04, 0.03, 0.03])
    sizes = {"left_out": 20, "trained": 80}  # four resamples that are worth two
    always = two_way(gains, np.array([0.5, -0.5, 0.5, -0.5]), np.arange(4), **sizes)
    none = two_way(np.zeros(4), np.zeros(4), np.arange(4), **sizes)
    doubt = hedged(none, always, gains, 0, **sizes)
    q, variance = 1 / 4, np.var(gains, ddof=1)
    assert doubt.gain == 0
    assert doubt.training == pytest.approx((q * (variance + 0.03**2) - (q * 0.03) ** 2) * 0.5)
    assert doubt.testing == pytest.approx(q**2 * always.testing)
    assert hedged(always, always, gains, 4, **sizes).se >= always.se
    assert hedged(none, none, np.zeros(4), 0, **sizes).se == 0


def test_resamples_of_few_rows_of_many_hardly_share_any():
    assert overlap(left_out=20, trained=80) == pytest.approx(0.25)
    assert overlap(left_out=98, trained=2) == pytest.approx(0.02)


@pytest.mark.parametrize("train", [4, 20, 80])
def test_the_two_way_interval_holds_the_gain_over_all_tables(train):
    """Models are means of `train` of 100 rows, tested on locked rows: the gain of one of two such models is known."""
    held = 0
    for number in range(300):
        random = Seed(number, ("held", train)).numpy()
        pool, test = random.normal(0.3, 1, 100), random.normal(0.3, 1, 60)
        gains, influence = [], []
        for _ in range(8):
            model = random.choice(pool, train, replace=False).mean()
            gain = test**2 - (test - model) ** 2  # of the mean beside nothing
            gains.append(gain.mean())
            influence.append(gain - gain.mean())
        found = two_way(np.array(gains), np.mean(influence, axis=0), np.arange(60), left_out=100 - train, trained=train)
        low, high = found.interval()
        held += low <= 0.3**2 - 1 / train <= high
    assert held / 300 >= 0.93
