import json
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from prove.laws import law, plan

from tuckpoint import parts
from tuckpoint.errors import InputError
from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.prepare import coded
from tuckpoint.prove.arms import MIXED, REAL
from tuckpoint.prove.plan import Folds
from tuckpoint.prove.proof import prove
from tuckpoint.table.engine import Encoded
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.infer import infer


@pytest.fixture(scope="module")
def useless():
    return prove(plan(curve=(0.5,)), law())


def test_rows_without_information_do_not_help(useless):
    assert useless.state in ("equivalent", "no evidence", "hurts")
    assert {arm.name for arm in useless.arms} >= {REAL, MIXED, "reweight", "oversample", "made only", "more real"}
    assert all(control.passed for control in useless.controls)
    assert len(useless.controls) == 3
    assert useless.claims[0].rows == 60
    assert useless.saved is not None
    assert json.loads(json.dumps(useless.to_dict()))["exit"] == useless.exit


def test_the_same_plan_gives_the_same_proof(useless):
    assert prove(plan(curve=(0.5,)), law()).to_dict() == useless.to_dict()


def test_the_interval_that_decides_is_the_wider(useless):
    claim = useless.claims[0]
    assert claim.effect.se == max(effect.se for effect in claim.effects)
    assert claim.effect.gain == claim.effects[0].gain
    assert {effect.method for effect in claim.effects} == {"two-way", "corrected resampled t"}


def test_finished_rows_are_unverifiable_and_copies_are_caught():
    table = law()
    proof = prove(plan(), table, made={"made": law(key=2)})
    assert proof.state == "unverifiable"
    assert proof.digest == proof.plan.digest() == plan().digest()
    assert proof.exit == 3
    leaked = prove(plan(), table, made={"made": table})
    assert leaked.state == "blocked"
    assert leaked.exit == 2
    assert "know the locked test rows" in leaked.why


def test_people_and_slices(tmp_path):
    proof = prove(plan(slices=("x > 0",)), law(people=60), group="who")
    assert [claim.name for claim in proof.claims] == ["x > 0", "elsewhere"]
    assert proof.real["group"] == "who"


@pytest.mark.parametrize(
    ("change", "said"),
    [({"target": "yy"}, "is no column"), ({"metric": "rmse"}, "holds no numbers"), ({"positive": "maybe"}, "no value"),
     ({"slices": ("x > 99",)}, "no real row")],
)  # fmt: skip
def test_a_plan_that_does_not_fit_the_rows_is_told(change, said):
    with pytest.raises(InputError, match=said):
        prove(replace(plan(), **change), law())


def test_numbers_are_judged_by_rmse():
    proof = prove(replace(plan(), target="x", metric="rmse", folds=Folds(repeats=4, inner=2)), law())
    assert proof.state in ("equivalent", "no evidence", "hurts")
    assert np.isfinite(proof.claims[0].low)
    assert "reweight" not in {arm.name for arm in proof.arms}


DEEP = Boosting(rounds=40, rate=0.3, leaves=15, leaf_rows=3)  # learns by heart what few rows there are


@dataclass(frozen=True)
class Simulator(Independent):
    """Knows the law, whatever it is fitted to: what a right simulator brings."""

    name: ClassVar[str] = "simulator"

    def fit(self, real, seed, context):
        return Replay(real.fields)


class Replay:
    """Draws rows of the law itself."""

    notes, guarantee = (), None

    def __init__(self, fields):
        self.fields = fields

    def refuse(self, condition, given):
        return None

    def draw(self, rows, seed, *, condition=None, given=None):
        table = law(rows, key=seed.integer() % 2**31)
        columns = coded(table, infer(table, target="y"), self.fields, "made")
        return Encoded(
            self.fields, {name: np.maximum(v, 0) if v.dtype == np.int32 else v for name, v in columns.items()}
        )


def test_a_source_that_knows_the_law_helps(monkeypatch):
    monkeypatch.setitem(parts.PARTS["engine"], "simulator", f"{__name__}:Simulator")
    given = plan("simulator", metric="log_loss", amounts=(8.0,), weights=(3.0,), smallest_effect=0.02, learner=DEEP)
    proof = prove(replace(given, folds=Folds(repeats=6, inner=2)), law(300))
    assert proof.state == "helps"
    assert proof.exit == 0
    assert proof.claims[0].low > 0
    assert all(control.passed for control in proof.controls)


def test_workers_change_nothing(useless):
    assert prove(plan(curve=(0.5,)), law(), workers=2).to_dict() == useless.to_dict()
