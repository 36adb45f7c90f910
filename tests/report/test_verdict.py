from __future__ import annotations

from dataclasses import replace

from report import fabricate

from tuckpoint.measure.evaluation import ColumnView, Evaluation, PairView
from tuckpoint.report.verdict import headline, verdicts, worst_columns, worst_pairs
from tuckpoint.score import Score


def evaluation(*scores: Score, **claims: tuple[str, ...]) -> Evaluation:
    return Evaluation({}, None, scores, (), (), claims)


def test_failing_claims_come_first_then_undecided_ones() -> None:
    scores = (Score("a", 1.0, passed=True), Score("b", None, why="no rows"), Score("c", 1.0, passed=False))
    found = verdicts(evaluation(*scores, first=("a",), second=("b",), third=("c", "a")))
    assert [(v.claim, v.state) for v in found] == [("third", "fails"), ("second", "open"), ("first", "holds")]
    assert [score.name for score in found[0].scores] == ["c", "a"]
    assert headline(found) == "1 of 3 claims holds"


def test_one_failing_score_fails_the_claim() -> None:
    scores = (Score("a", 1.0, passed=True), Score("b", 1.0, passed=False))
    assert verdicts(evaluation(*scores, claim=("a", "b")))[0].state == "fails"


def test_a_score_without_verdict_beside_one_that_passes_leaves_the_claim_holding() -> None:
    scores = (Score("a", 1.0, passed=True), Score("b", 1.0, better="none"))
    assert verdicts(evaluation(*scores, claim=("a", "b")))[0].state == "holds"
    assert verdicts(evaluation(*scores, claim=("b",)))[0].state == "open"


def test_a_claim_whose_score_is_absent_is_not_decided_and_says_so() -> None:
    (verdict,) = verdicts(evaluation(claim=("gone",)))
    assert verdict.state == "open"
    assert "not measured" in verdict.scores[0].why


def test_the_whole_table_decides_before_single_columns() -> None:
    scores = (Score("a", 1.0, passed=True), Score("a", 0.1, subject=("x",), passed=False))
    assert verdicts(evaluation(*scores, claim=("a",)))[0].state == "holds"
    assert verdicts(evaluation(scores[1], claim=("a",)))[0].state == "fails"


def test_without_claims_each_judged_score_is_one() -> None:
    found = verdicts(evaluation(Score("detection", 0.5, passed=True), Score("seen", 0.1)))
    assert [verdict.label for verdict in found] == ["Telling made from real"]
    assert headline(found) == "The claim holds"
    assert headline(verdicts(evaluation())) == "Nothing was judged"


def test_all_holding_is_said_in_one_sentence() -> None:
    good = fabricate.evaluation(good=True)
    good = replace(good, claims={name: names for name, names in good.claims.items() if "Rules" not in name})
    assert headline(verdicts(good)) == "All 5 claims hold"


def test_the_worst_is_what_exceeds_its_reference_most() -> None:
    def view(name: str, distance: float, reference: float | None) -> ColumnView:
        return ColumnView(name, "category", ("x",), (1.0,), (1.0,), distance, reference)

    views = (view("large but natural", 0.3, 0.29), view("worst", 0.1, 0.01), view("no reference", 0.05, None))
    pairs = (PairView("a", "b", 0.3, 0.3), PairView("a", "c", 0.1, 0.0))
    found = Evaluation({}, None, (), views, pairs)
    assert [v.name for v in worst_columns(found)] == ["worst", "no reference", "large but natural"]
    assert [p.second for p in worst_pairs(found)] == ["c", "b"]
