"""The outcome of measuring a made table: scores, and the counts behind the report's pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tuckpoint.score import Score

# What to do instead of choosing `trees`, by the engine that made the rows.
WAYS_OUT = {
    "trees": "fit more real rows, or let the engine `auto` try finer leaves",
    "auto": "fit more real rows",
}
PRIVATE_WAY_OUT = "write down public domains, raise epsilon, or choose the engine `aim`"  # `trees` gives no guarantee


@dataclass(frozen=True)
class ColumnView:
    """One column, real beside made: shares (b,) of the same b bins or levels.

    `labels` name the bins; `distance` is the total variation between made and real, `reference` the same between the
    real holdout and the real rows at the same sizes.
    """

    name: str
    kind: str
    labels: tuple[str, ...]
    real: tuple[float, ...]
    made: tuple[float, ...]
    distance: float
    reference: float | None


@dataclass(frozen=True)
class PairView:
    """Two-way total variation of two columns, and the same for the real holdout."""

    first: str
    second: str
    distance: float
    reference: float | None


@dataclass(frozen=True)
class Evaluation:
    """All that was measured of one made table against real rows and an untouched real holdout.

    `claims` group scores for the verdict: claim name -> names of the scores that decide it.
    """

    rows: Mapping[str, int]  # "real", "made", "holdout"
    target: str | None
    scores: tuple[Score, ...]
    columns: tuple[ColumnView, ...]
    pairs: tuple[PairView, ...]
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def score(self, name: str, *subject: str) -> Score:
        """The score of that name and subject; raises KeyError if it was not measured."""
        for score in self.scores:
            if score.name == name and (not subject or score.subject == subject):
                return score
        raise KeyError(name)

    def advised(self, engine: str, *, private: bool = False) -> Evaluation:
        """The same with advice that helps whom `engine` made the rows: nobody is told to choose what they chose."""
        way_out = PRIVATE_WAY_OUT if private else WAYS_OUT.get(engine)
        if way_out is None:
            return self
        told = (re.sub("choose (the engine )?`trees`", way_out, score.advice) for score in self.scores)
        scores = tuple(replace(score, advice=advice) for score, advice in zip(self.scores, told, strict=True))
        return replace(self, scores=scores)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"scores": [score.to_dict() for score in self.scores]}
