"""The outcome of measuring a made table: scores, and the counts behind the report's pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuckpoint.score import Score


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

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"scores": [score.to_dict() for score in self.scores]}
