from __future__ import annotations

from measure.tables import SCHEMA, independent, people

from tuckpoint.measure.evaluate import evaluate
from tuckpoint.measure.evaluation import Evaluation, maker_of
from tuckpoint.seed import Seed

REAL, HOLDOUT = people(2000, 1), people(1000, 3)
COPIED = evaluate(REAL, REAL, HOLDOUT, SCHEMA, seed=Seed(0))
LONELY = evaluate(REAL, independent(REAL.drop_columns(["email"]), 0), HOLDOUT, SCHEMA, seed=Seed(0))


def advice(evaluation: Evaluation) -> str:
    return " ".join(f"{score.advice} {score.remedy}" for score in evaluation.scores)


def test_who_chose_trees_is_not_told_to_choose_trees() -> None:
    assert advice(LONELY.advised("independent")).count("choose the engine `trees`") >= 3
    for engine, private, instead in (
        ("trees", False, "let the engine `auto` try finer leaves"),
        ("auto", False, "fit more real rows"),
        ("marginals", True, "Write down public domains"),
    ):
        told = advice(LONELY.advised(engine, private=private))
        assert "the engine `trees`" not in told
        assert told.count(instead) >= 3


OURS = ("`", "tuckpoint", "engine", "leaves", "bagging", "jitter", "epsilon", "schema")


def test_rows_of_somebody_else_get_no_advice_on_our_settings() -> None:
    """Far rows and copied rows: whoever made them has no engine of ours to choose and no leaves to enlarge."""
    for made in (LONELY, COPIED):
        assert not [word for word in OURS if word in advice(made)]
        told = made.advised(None)
        assert not [word for word in OURS if word in advice(told)]
        assert advice(told) != advice(made)
    assert "larger leaves (as `--set leaf=100`), or make them with `--private`" in advice(COPIED.advised("trees"))
    assert "Do not pass these rows on" in advice(COPIED.advised(None))


def test_the_maker_is_read_off_the_record() -> None:
    assert maker_of({"maker": {"engine": "trees"}}) == "trees"
    for other in ({}, {"maker": None}, {"maker": {"engine": "their-model"}}, {"maker": {"engine": ["trees"]}}):
        assert maker_of(other) is None


def test_every_judged_score_says_what_is_allowed() -> None:
    for made in (LONELY, COPIED):
        for score in made.scores:
            assert bool(score.allowed) == (score.passed is not None), score.name
    detection = LONELY.score("detection")
    assert detection.allowed == "up to 0.55 by its interval and 0.6 by its value"
    two = LONELY.score("two_way_distance")
    assert two.reference is not None
    assert two.allowed == f"up to {1.25 * two.reference:.3g}, or more by chance alone"


def test_advice_changes_nothing_that_was_measured() -> None:
    told = LONELY.advised("trees")
    assert told.claims == LONELY.claims
    assert [(s.name, s.value, s.passed) for s in told.scores] == [(s.name, s.value, s.passed) for s in LONELY.scores]
