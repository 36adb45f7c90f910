import numpy as np
import pytest
from prove.laws import law, plan

from tuckpoint.measure.intervals import Estimate
from tuckpoint.prove import arms, sources
from tuckpoint.prove.arms import Choice, least_within_error
from tuckpoint.prove.plan import Source
from tuckpoint.prove.source import Made
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed


def told(value, spread=0.0):
    return Estimate(value, np.array([spread, -spread]))


def test_the_least_weight_within_one_standard_error_is_taken():
    assert least_within_error([told(0.8), told(0.9)], 1) == 1
    assert least_within_error([told(0.8), told(0.9)], -1) == 0
    assert least_within_error([told(0.89), told(0.9, 0.1)], 1) == 0  # behind by less than .1 / sqrt 2
    assert least_within_error([told(0.7), told(0.9), told(0.91, 0.1)], 1) == 1


def test_a_replicate_comes_back_from_its_file(tmp_path):
    one = arms.replicate(study(plan(curve=(0.5,)), law()), 0, {})
    arms.save(one, tmp_path / "one.npz")
    again = arms.load(tmp_path / "one.npz")
    assert again.choice == one.choice
    assert again.copies == one.copies
    assert set(again.test) == set(one.test) >= {arms.REAL, arms.MIXED, arms.MORE, arms.curve_name(0.5)}
    for name in one.test:
        assert (again.test[name] == one.test[name]).all()


def test_rows_that_know_are_chosen_and_noise_is_not():
    table = law(120)
    truthful, noise = law(2000, key=5), law(2000, key=6)
    noise = noise.set_column(3, "y", noise["y"].take(np.arange(2000)[::-1]))
    given = plan(sources=(Source("truth", file=True), Source("noise", file=True)), amounts=(4.0,))
    work = study(given, table)
    finished = {name: sources.whole_block(work, Made(table)) for name, table in (("truth", truthful), ("noise", noise))}
    choices = [arms.choose(work, work.lock.pool, Seed(k), finished)[0] for k in range(3)]
    assert {choice.source for choice in choices if choice.weight} <= {"truth"}
    assert any(choice.weight for choice in choices)


def test_none_is_taken_where_nothing_can_be_judged():
    table = law(60).set_column(3, "y", [["yes"] * 58 + ["no"] * 2])
    choice, _ = arms.choose(study(plan(), table), np.arange(40), Seed(1), {})
    assert choice == Choice("made", 1.0, 0.0)


@pytest.mark.parametrize("metric", ["log_loss", "recall"])
def test_other_metrics_have_their_arms(metric):
    rate = 0.1 if metric == "recall" else None
    one = arms.replicate(study(plan(metric=metric, false_positive_rate=rate), law()), 1, {})
    assert one.trained == 112
    assert len(one.out[arms.REAL]) == 28
