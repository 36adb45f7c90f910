"""What an evaluation says in the end: one verdict per claim, those that need attention first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tuckpoint.measure.evaluation import ColumnView, Evaluation, PairView
from tuckpoint.report.words import CLAIMS, in_words, meaning
from tuckpoint.score import Score

State = Literal["fails", "open", "holds"]
ORDER: tuple[State, ...] = ("fails", "open", "holds")
WORD: dict[State, str] = {"fails": "Does not hold", "open": "Not decided", "holds": "Holds"}


@dataclass(frozen=True)
class Verdict:
    """One claim, whether it holds, and the scores that decide it, failing ones first."""

    claim: str
    state: State
    scores: tuple[Score, ...]

    @property
    def label(self) -> str:
        """The claim in words."""
        if self.claim in CLAIMS:
            return CLAIMS[self.claim]
        return in_words(self.claim)


def verdicts(evaluation: Evaluation) -> tuple[Verdict, ...]:
    """A verdict per claim: failing first, then undecided, then holding; without claims, one per judged score."""
    claims = evaluation.claims or {
        meaning(name).label: (name,)
        for name in dict.fromkeys(s.name for s in evaluation.scores if s.passed is not None)
    }
    found = [_verdict(claim, deciding(evaluation, names)) for claim, names in claims.items()]
    return tuple(sorted(found, key=lambda verdict: ORDER.index(verdict.state)))


def deciding(evaluation: Evaluation, names: Sequence[str]) -> tuple[Score, ...]:
    """The scores that bear these names; where a name has one for the whole table, only that one."""
    chosen: list[Score] = []
    for name in names:
        same = [score for score in evaluation.scores if score.name == name]
        whole = [score for score in same if not score.subject]
        chosen += whole or same or [Score(name, None, why="it was not measured")]
    return tuple(chosen)


def _verdict(claim: str, scores: tuple[Score, ...]) -> Verdict:
    ordered = tuple(sorted(scores, key=lambda score: ORDER.index(state(score))))
    judged = [score for score in ordered if score.passed is not None or score.value is None]
    return Verdict(claim, state(judged[0]) if judged else "open", ordered)


def state(score: Score) -> State:
    """Whether a score holds, fails, or decides nothing."""
    if score.value is None or score.passed is None:
        return "open"
    return "holds" if score.passed else "fails"


def headline(found: Sequence[Verdict]) -> str:
    """The outcome in one short sentence."""
    holding = sum(verdict.state == "holds" for verdict in found)
    if not found:
        return "Nothing was judged"
    if holding == len(found):
        return f"All {holding} claims hold" if holding > 1 else "The claim holds"
    return f"{holding} of {len(found)} claims {'holds' if holding == 1 else 'hold'}"


def worst_columns(evaluation: Evaluation) -> tuple[ColumnView, ...]:
    """Columns by how far their distance exceeds its reference, worst first."""
    return tuple(sorted(evaluation.columns, key=lambda view: (-_excess(view), view.name)))


def worst_pairs(evaluation: Evaluation) -> tuple[PairView, ...]:
    """Pairs by how far their distance exceeds its reference, worst first."""
    return tuple(sorted(evaluation.pairs, key=lambda pair: (-_excess(pair), pair.first, pair.second)))


def _excess(view: ColumnView | PairView) -> float:
    return view.distance - (view.reference or 0.0)
