from __future__ import annotations

from measure.tables import SCHEMA, independent, people

from tuckpoint.measure.evaluate import evaluate
from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.seed import Seed

REAL, HOLDOUT = people(2000, 1), people(1000, 3)
LONELY = evaluate(REAL, independent(REAL.drop_columns(["email"]), 0), HOLDOUT, SCHEMA, seed=Seed(0))


def advice(evaluation: Evaluation) -> str:
    return " ".join(score.advice for score in evaluation.scores)


def test_who_chose_trees_is_not_told_to_choose_trees() -> None:
    assert advice(LONELY).count("choose") >= 3
    assert "`trees`" in advice(LONELY.advised("independent"))
    for engine, private, instead in (
        ("trees", False, "let the engine `auto` try finer leaves"),
        ("auto", False, "fit more real rows"),
        ("marginals", True, "write down public domains"),
    ):
        told = advice(LONELY.advised(engine, private=private))
        assert "`trees`" not in told
        assert told.count(instead) >= 3


def test_advice_changes_nothing_that_was_measured() -> None:
    told = LONELY.advised("trees")
    assert told.claims == LONELY.claims
    assert [(s.name, s.value, s.passed) for s in told.scores] == [(s.name, s.value, s.passed) for s in LONELY.scores]
