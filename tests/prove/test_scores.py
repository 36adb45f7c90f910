import numpy as np
import pytest
from prove.laws import law

from tuckpoint.prove.scores import Target, scored
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer


def read(rows=600, key=1, target="y"):
    table = law(rows, key)
    return encode(table, infer(table, target=target))


def test_scores_of_rows_not_learnt_are_honest():
    both = read(1200)
    real, other = both.take(np.arange(600)), both.take(np.arange(600, 1200))
    target = Target("y", float(real.field("y").levels.index("yes")))
    told = scored(real, target, [other], Seed(1))
    chance = told.outcome(told.others[0])
    truth = target.truth(other)
    order = np.argsort(chance)
    for part in np.array_split(order, 4):
        assert chance[part].mean() == pytest.approx(truth[part].mean(), abs=0.12)
    assert np.corrcoef(chance, truth)[0, 1] > 0.5


def test_an_outcome_that_nothing_tells_is_scored_by_its_share():
    real = read()
    shuffled = real.columns["y"][Seed(3).numpy().permutation(real.rows)]
    real = type(real)(real.fields, {**real.columns, "y": shuffled})
    told = scored(real, Target("y", 0.0), [], Seed(1))
    assert told.outcome(told.real).std() < 0.06


def test_numbers_carry_their_residual_and_their_least():
    real, other = read(target="x"), read(key=2, target="x")
    told = scored(real, Target("x", None, -1.0), [other], Seed(1))
    spread = told.others[0].std() * told.unit
    assert spread == pytest.approx(other.columns["x"].std(), rel=0.2)
    assert (told.outcome(told.others[0]) * told.unit).min() == pytest.approx(-1.0)


def test_few_rows_give_their_mean():
    real = read(12)
    told = scored(real, Target("y", 0.0), [real], Seed(1))
    assert np.ptp(told.others[0]) == 0


def test_outcomes_are_likeliest_where_the_constant_is_theirs():
    scores, random = Seed(6).numpy().normal(0, 1, 4000), Seed(7).numpy()
    tried = np.linspace(-2, 2, 41)
    told = scored(read(40), Target("y", 0.0), [], Seed(1))
    truth = (random.random(4000) < told.outcome(scores + 0.7)).astype(float)
    assert tried[np.argmin([told.misfit(scores, truth, at) for at in tried])] == pytest.approx(0.7, abs=0.11)
    told = scored(read(target="x"), Target("x", None), [], Seed(1))
    truth = told.unit * (scores - 0.4 + random.normal(0, 1, 4000))
    assert tried[np.argmin([told.misfit(scores, truth, at) for at in tried])] == pytest.approx(-0.4, abs=0.11)
