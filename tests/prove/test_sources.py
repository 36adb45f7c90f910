from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from prove.laws import law, plan

from tuckpoint import parts
from tuckpoint.prove import arms, sources
from tuckpoint.prove.plan import Folds, Source
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed
from tuckpoint.table.engines.independent import Independent

SEEN = []


@dataclass(frozen=True)
class Spy(Independent):
    """Tells which rows it was fitted to."""

    name: ClassVar[str] = "spy"

    def fit(self, real, seed, context):
        SEEN.append(real)
        return super().fit(real, seed, context)


def test_no_engine_ever_sees_a_locked_row(monkeypatch):
    monkeypatch.setitem(parts.PARTS["engine"], "spy", f"{__name__}:Spy")
    SEEN.clear()
    x = np.arange(200) / 4 + 10  # every row can be told by its number
    table = law().set_column(0, "x", [x])
    work = study(plan("spy", folds=Folds(repeats=4, inner=2)), table)
    arms.replicate(work, 0, {})
    locked = set(x[work.lock.test])
    assert len(SEEN) == 3  # two inner folds, and all training rows
    for real in SEEN:
        # the five least and greatest numbers are clipped to one: they are of training rows too
        assert not set(real.columns["x"]) & locked
        assert real.rows < len(work.lock.pool)


def test_baselines_balance_the_classes():
    work = study(plan(), law())
    base = sources.real(work, work.lock.pool)
    even = sources.reweighted(base, 2)
    assert even.weights[base.truth == 1].sum() == pytest.approx(even.weights[base.truth == 0].sum())
    assert even.weights.sum() == pytest.approx(base.size)
    more = sources.oversampled(base, 2, Seed(1))
    assert (more.truth == 1).sum() == (more.truth == 0).sum()
    assert set(map(tuple, more.inputs.values)) == set(map(tuple, base.inputs.values))


def test_permuted_outcomes_keep_their_number_and_lose_their_rows():
    work = study(plan(), law())
    base = sources.real(work, work.lock.pool)
    shuffled = sources.permuted(base, Seed(1))
    assert shuffled.truth.sum() == base.truth.sum()
    assert (shuffled.truth != base.truth).any()


def test_made_rows_weigh_what_they_are_told_to():
    work = study(plan(), law())
    block = sources.made(work, work.plan.sources[0], work.lock.pool, Seed(1), finished={}, most=2.0).block
    assert block.size == 2 * len(work.lock.pool)
    assert block.weighing(7).weights.sum() == pytest.approx(7)
    assert block.first(10).size == 10


def test_too_few_people_under_a_condition_make_no_rows():
    source = Source("made", "trees", where="x > 99", mine_rules=False)
    work = study(plan(), law())
    assert sources.made(work, source, work.lock.pool, Seed(1), finished={}, most=1.0).block is None


def test_one_outcome_alone_is_predicted_for_all():
    work = study(plan(), law())
    ones = work.lock.pool[work.truth[work.lock.pool] == 1]
    model = sources.trained(work, [sources.real(work, ones)], Seed(1))
    assert (sources.predicted(work, model, work.lock.test) == 1).all()
