import numpy as np
import pytest

from tuckpoint.gap.effect import detectable, independent
from tuckpoint.seed import Seed


def test_the_detectable_effect_is_seen_in_four_of_five_trials():
    random, rows = Seed(1).numpy(), 200
    found = detectable(random.normal(0, 0.7, rows), np.arange(rows))
    assert found.detectable == pytest.approx(2.8 * 0.7 / rows**0.5, rel=0.15)
    effect, seen = 2.8016 * 0.7 / rows**0.5, 0
    for _ in range(1000):
        d = random.normal(effect, 0.7, rows)
        seen += abs(d.mean()) / (d.std(ddof=1) / rows**0.5) > 1.96
    assert 0.76 < seen / 1000 < 0.84


def test_rows_of_one_person_count_for_less():
    random = Seed(2).numpy()
    people = np.repeat(np.arange(100), 5)
    alike = random.normal(size=100)[people]
    assert independent(alike + 0.001 * random.normal(size=500), people) == pytest.approx(100, rel=0.02)
    assert independent(random.normal(size=500), people) > 350
    assert independent(random.normal(size=500), np.arange(500)) == 500
    assert independent(random.normal(size=50), np.zeros(50)) == 1.0


def test_too_few_rows_prove_nothing():
    assert detectable(np.ones(3), np.arange(3)).detectable is None
