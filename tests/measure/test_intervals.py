"""Every interval is asked how often it holds a known truth; bench/intervals asks at length."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tuckpoint.measure import intervals
from tuckpoint.seed import Seed

PROGRAM = Path(__file__).parents[2] / "bench" / "intervals" / "coverage.py"
SPEC = importlib.util.spec_from_file_location("interval_coverage", PROGRAM)
assert SPEC is not None
assert SPEC.loader is not None
BENCH = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(BENCH)

CASES = {
    "one_way_distance": (lambda: BENCH.against_reference(BENCH.one_way, 0.0, 600), 60),
    "two_way_distance": (lambda: BENCH.against_reference(BENCH.two_way, 0.0, 600), 60),
    "correlation_error": (lambda: BENCH.against_reference(BENCH.correlation, 0.0, 600), 60),
    "missing_share_error": (lambda: BENCH.against_reference(BENCH.missing, 0.0, 600), 60),
    "rare_level_coverage": (lambda: BENCH.against_reference(BENCH.rare, 0.0, 600), 60),
    "one_way_distance, people of several rows": (lambda: BENCH.against_reference(BENCH.one_way, 0.0, 800, 4), 60),
    "correlation_error, people of several rows": (lambda: BENCH.against_reference(BENCH.correlation, 0.0, 800, 4), 60),
    "missing_share_error, people of several rows": (lambda: BENCH.against_reference(BENCH.missing, 0.0, 800, 4), 60),
    "delong": (lambda: BENCH.binormal_auc(1.0, 40, 200), 100),
    "delong without skill": (lambda: BENCH.binormal_auc(0.0, 100, 100), 100),
    "recognised": (lambda: BENCH.recognised(1.0, 600), 100),
    "recognised without skill": (lambda: BENCH.recognised(0.0, 600), 100),
    "recognised nearly all": (lambda: BENCH.recognised(3.0, 600), 100),
    "proved epsilon": (lambda: BENCH.proved(1.0, 400), 100),
    "paired auc": (lambda: BENCH.paired_auc(300), 100),
    "r2": (lambda: BENCH.explained(300), 100),
    "r2 heavy": (lambda: BENCH.explained(1000, heavy=True), 100),
    "clopper-pearson": (lambda: BENCH.share(intervals.clopper_pearson, 0.002, 2000), 100),
    "wilson": (lambda: BENCH.share(intervals.wilson, 0.3, 50), 100),
    "newcombe": (lambda: BENCH.two_shares(0.03, 0.01, 1000), 100),
    "matched pairs": (lambda: BENCH.matched(0.05, 0.15, 20), 100),
    "exact_copies": (lambda: BENCH.planted_copies(0.01, 1000), 60),
    "unseen_pairs": (lambda: BENCH.joined(0.01, 1000), 60),
    "membership": (lambda: BENCH.attacked(0.0, 300), 60),
    "detection": (lambda: BENCH.told(0.0, 300), 60),
    "utility": (lambda: BENCH.fixed_model(400), 60),
    "membership, people of several rows": (lambda: BENCH.attacked(0.0, 150, 4), 60),
    "utility, people of several rows": (lambda: BENCH.fixed_model(1200, 4), 60),
    "newcombe, people of several rows": (lambda: BENCH.repeated(0.03, 0.03, 2000, 4), 100),
}


@pytest.mark.parametrize("name", list(CASES))
def test_interval_holds_the_truth(name: str) -> None:
    case, trials = CASES[name]
    held, _, high = BENCH.coverage(case(), trials)
    assert high >= 0.95, f"{name}: {held} of {trials} intervals held the truth"


def test_difference_interval_holds_where_made_is_another_law() -> None:
    # The mean of many draws stands for the truth; a small bend keeps cells near and far from equality.
    case = BENCH.against_reference(BENCH.one_way, 0.3, 400)
    held, _, high = BENCH.coverage(case, 60)
    assert high >= 0.95, held


def test_naive_bootstrap_of_a_distance_never_holds() -> None:
    held, _, _ = BENCH.coverage(BENCH.naive_distance(1000), 60)
    assert held == 0


def test_narrow_interval_would_be_caught() -> None:
    honest = BENCH.binormal_auc(1.0, 40, 200)

    def half(seed: Seed) -> tuple[tuple[float, float], float]:
        (low, high), truth = honest(seed)
        middle = (low + high) / 2
        return ((low + middle) / 2, (high + middle) / 2), truth

    assert BENCH.coverage(half, 100)[2] < 0.95


def test_wilson_alone_would_be_too_narrow_for_a_share_over_an_estimated_threshold() -> None:
    def trial(seed: Seed) -> tuple[tuple[float, float], float]:
        random = seed.numpy()
        value = intervals.rate_at(random.normal(1, 1, 600), random.normal(0, 1, 600), 0.01)[0]
        return intervals.wilson(value * 600, 600), 0.0924

    assert BENCH.coverage(trial, 100)[2] < 0.8


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_a_share_at_few_false_alarms_counts_those_over_the_threshold(share: float) -> None:
    negatives = np.arange(999) / 1000.0
    value, low, high = intervals.rate_at(np.array([0.2, 0.9895, 0.95, 1.5]), negatives, share)
    assert value == {0.01: 0.5, 0.1: 0.75}[share]
    assert low < value < high


def test_shares_of_none_and_all_are_recognised() -> None:
    rising = np.arange(200.0)
    assert intervals.rate_at(rising - 500, rising, 0.01)[:2] == (0.0, 0.0)
    value, low, high = intervals.rate_at(rising + 500, rising, 0.01)
    assert (value, high) == (1.0, 1.0)
    assert low > 0.9
    assert intervals.rate_at(np.zeros(50), np.zeros(50), 0.01)[0] == 0.0


def test_auc_equals_pair_counting_and_its_variance_is_delongs() -> None:
    random = np.random.default_rng(0)
    score, positive = random.integers(0, 6, 40).astype(float), random.random(40) < 0.4
    a, b = score[positive], score[~positive]
    wins = (a[:, None] > b).astype(float) + 0.5 * (a[:, None] == b)
    found = intervals.auc(score, positive)
    assert found.value == pytest.approx(wins.mean())
    variance = wins.mean(axis=1).var(ddof=1) / len(a) + wins.mean(axis=0).var(ddof=1) / len(b)
    assert found.se**2 == pytest.approx(variance)


@pytest.mark.parametrize(
    ("count", "n", "low", "high"), [(0, 10, 0.0, 0.3085), (10, 10, 0.6915, 1.0), (5, 10, 0.1871, 0.8129)]
)
def test_clopper_pearson_known_values(count: int, n: int, low: float, high: float) -> None:
    assert intervals.clopper_pearson(count, n) == pytest.approx((low, high), abs=1e-4)


def test_wilson_known_value() -> None:
    assert intervals.wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert intervals.wilson(0, 10)[0] == 0.0


def test_newcombe_known_value() -> None:
    # 56/70 - 48/80, the example of the method's paper.
    assert intervals.share_difference(56, 70, 48, 80) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_average_ranks_share_ties() -> None:
    assert intervals.average_ranks(np.array([3.0, 1.0, 3.0, 2.0])).tolist() == [3.5, 1.0, 3.5, 2.0]


def test_resample_keeps_the_number_of_rows_and_follows_its_seed() -> None:
    first = intervals.resample(50, Seed(1), draws=7)
    assert first.shape == (50, 7)
    assert (first.sum(axis=0) == 50).all()
    assert (first == intervals.resample(50, Seed(1), draws=7)).all()
    assert (first != intervals.resample(50, Seed(2), draws=7)).any()
