from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pytest
from measure.tables import SCHEMA, independent, people

from tuckpoint.errors import InputError
from tuckpoint.measure.evaluate import evaluate, judge
from tuckpoint.measure.evaluation import Evaluation
from tuckpoint.measure.prepare import prepare
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Field

REAL, MADE, HOLDOUT = people(2000, 1), people(2000, 2), people(1000, 3)


class OldEnough:
    """A rule book with one rule: nobody is over 60, but for holdout rows many are."""

    fields = (Field("age"), Field("grade", levels=("low", "mid", "high")))

    def violations(self, columns: Mapping[str, Array], *, every: bool = False) -> Mapping[str, Array]:
        assert every
        return {"age <= 60": columns["age"] > 60, "grade known": columns["grade"] < 0}


def verdict(evaluation: Evaluation, claim: str) -> set[bool | None]:
    return {evaluation.score(name).passed for name in evaluation.claims[claim]}


@pytest.fixture(scope="module")
def innocent() -> Evaluation:
    return evaluate(REAL, MADE, HOLDOUT, SCHEMA, seed=Seed(0))


def test_other_real_people_pass_every_claim(innocent: Evaluation) -> None:
    assert set(innocent.claims) == {"fidelity", "utility", "copies & membership", "missing values"}
    failed = [score.name for score in innocent.scores if score.passed is False]
    assert failed == []
    for claim in innocent.claims:
        assert verdict(innocent, claim) == {True}


def test_independent_columns_fail_fidelity_and_utility_and_nothing_else() -> None:
    control = evaluate(REAL, independent(REAL.drop_columns(["email"]), 0), HOLDOUT, SCHEMA, seed=Seed(0))
    failed = {score.name for score in control.scores if score.passed is False}
    assert {"detection", "two_way_distance", "utility", "global_utility"} <= failed
    assert control.score("one_way_distance").passed is True
    assert verdict(control, "copies & membership") == {True}


def test_a_file_of_training_rows_fails_copies_and_membership() -> None:
    copied = REAL.take(np.random.default_rng(0).integers(0, 2000, 2000))
    found = evaluate(REAL, copied, HOLDOUT, SCHEMA, seed=Seed(0))
    failed = {score.name for score in found.scores if score.passed is False}
    assert {"exact_copies", "near_copies", "membership", "detection_against_training", "reissued_identifiers"} <= failed
    assert (found.score("detection_against_training").high or 1) < 0.5


def test_every_judged_score_has_an_interval_or_says_why(innocent: Evaluation) -> None:
    for score in innocent.scores:
        assert score.low is not None or score.why, score.name
        assert score.reference is None or score.reference_is, score.name


def test_views_hold_shares_and_the_distances_of_the_scores(innocent: Evaluation) -> None:
    assert [view.name for view in innocent.columns] == [name for name in SCHEMA.names if name != "email"]
    for view in innocent.columns:
        assert len(view.labels) == len(view.real) == len(view.made) <= 24
        assert sum(view.real) == pytest.approx(1.0)
        assert sum(view.made) == pytest.approx(1.0)
    assert np.mean([view.distance for view in innocent.columns]) == pytest.approx(
        innocent.score("one_way_distance").value
    )
    assert len(innocent.pairs) == 8 * 7 // 2
    assert np.mean([pair.reference for pair in innocent.pairs]) == pytest.approx(
        innocent.score("two_way_distance").reference
    )
    labels = {view.name: view.labels for view in innocent.columns}
    assert labels["grade"] == ("low", "mid", "high") or set(labels["grade"]) == {"low", "mid", "high"}
    assert labels["hours"][-1] == "(missing)"
    assert labels["since"][0].startswith("up to 20")


def test_same_seed_same_evaluation_as_json_and_the_tables_are_untouched(innocent: Evaluation) -> None:
    before = REAL.to_pylist()
    again = evaluate(REAL, MADE, HOLDOUT, SCHEMA, seed=Seed(0))
    assert json.dumps(again.to_dict()) == json.dumps(innocent.to_dict())
    other = evaluate(REAL, MADE, HOLDOUT, SCHEMA, seed=Seed(1))
    assert other.score("detection").value != innocent.score("detection").value
    assert REAL.to_pylist() == before


def test_without_holdout_no_score_vanishes_and_no_claim_passes(innocent: Evaluation) -> None:
    found = evaluate(REAL, MADE, None, SCHEMA, seed=Seed(0))
    assert {s.name for s in found.scores} == {s.name for s in innocent.scores}
    assert all(score.why for score in found.scores if score.value is None)
    for claim in ("fidelity", "utility", "copies & membership", "missing values"):
        assert None in {found.score(name).passed for name in found.claims[claim]}
    assert found.rows["holdout"] == 0


def test_a_small_holdout_says_why() -> None:
    found = evaluate(REAL, MADE, HOLDOUT.slice(0, 30), SCHEMA, seed=Seed(0))
    assert "only 30 holdout rows" in found.score("detection").why
    assert "only 30 holdout rows" in found.score("utility").why
    assert "only 30 rows" in found.score("membership").why


def test_rules_are_asked_in_their_own_codes() -> None:
    found = evaluate(REAL, MADE, HOLDOUT, SCHEMA, seed=Seed(0), rules=OldEnough())
    whole = next(s for s in found.scores if s.name == "rule_adherence" and not s.subject)
    share = float(np.mean(np.asarray(MADE["age"]) <= 60))
    assert whole.value == pytest.approx(share)
    assert whole.passed is False
    assert whole.reference == pytest.approx(float(np.mean(np.asarray(HOLDOUT["age"]) <= 60)))
    assert [s.subject for s in found.scores if s.name == "rule_adherence"] == [(), ("age <= 60",)]
    assert found.claims["rules"] == ("rule_adherence",)


def test_one_and_few_rows_and_one_column() -> None:
    for rows in (1, 3):
        found = evaluate(REAL, MADE.slice(0, rows), HOLDOUT, SCHEMA, seed=Seed(0))
        assert found.score("detection").value is None
    single = Evaluation.to_dict(
        evaluate(*(t.select(["age"]) for t in (REAL, MADE, HOLDOUT)), _only("age"), seed=Seed(0))
    )
    assert {s["name"] for s in single["scores"] if s["value"] is None} >= {"two_way_distance", "global_utility"}


def test_constant_and_all_missing_columns_are_measured() -> None:
    def flat(rows: int) -> pa.Table:
        return people(rows, rows).select(["age", "town"]).append_column("one", pa.array([7] * rows)).append_column(
            "none", pa.nulls(rows, pa.float64())
        )  # fmt: skip

    from tuckpoint.measure.prepare import plain

    found = evaluate(flat(600), flat(500), flat(300), plain(flat(10)), seed=Seed(0))
    assert found.score("one_way_distance").value is not None
    assert found.score("detection").passed is True


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError, match='did you mean "rich"'):
        evaluate(REAL, MADE, HOLDOUT, SCHEMA, target="rch", seed=Seed(0))


def test_a_holdout_of_training_rows_is_refused() -> None:
    mixed = pa.concat_tables([HOLDOUT.slice(0, 900), REAL.slice(0, 100)])
    with pytest.raises(InputError, match=r"100 of the 100 rows .* the holdout overlaps the training rows; split again"):
        evaluate(REAL, MADE, mixed, SCHEMA, seed=Seed(0))


def test_a_column_that_only_made_rows_have_is_told() -> None:
    score = pa.array(np.arange(2000.0))
    space = prepare(REAL, MADE.append_column("score", score), HOLDOUT, SCHEMA)
    assert space.notes[0] == "The made table has a column that the real one lacks, not measured: score."
    assert "score" not in space.made.columns


def test_judge_prefers_the_law_to_its_margins() -> None:
    good, bad = (prepare(REAL, made, HOLDOUT, SCHEMA) for made in (MADE, independent(REAL, 0)))
    assert good.holdout is not None
    assert bad.holdout is not None
    a, b = judge(good.real, good.made, good.holdout, "rich"), judge(bad.real, bad.made, bad.holdout, "rich")
    assert a["detection"] < b["detection"]
    assert a["two_way_distance"] < b["two_way_distance"]
    assert a["utility"] > b["utility"]
    assert a["utility_reference"] == pytest.approx(b["utility_reference"])


def _only(name: str) -> object:
    from tuckpoint.schema import Schema

    return Schema((SCHEMA[name],))
