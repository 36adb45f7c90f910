"""The outcome of measuring a made table: scores, and the counts behind the report's pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tuckpoint import parts
from tuckpoint.score import Score

FAR = ("one_way_distance", "two_way_distance", "detection", "correlation_error", "utility", "global_utility")
CLOSE = ("exact_copies", "near_copies", "membership", "detection_against_training")
# What to do where made rows are too far from real ones, too close to them, or lack rare levels, by who made them.
_CORRECT = "Correct a kind in the schema or add a rule where one is missing, or "
_LEAVES = "larger leaves (as `--set leaf=100`), or make them with `--private`."
_DRAW = "or draw more of such rows (`tuckpoint sample --rebalance`)."
_RARER = f"Make more rows, lower `--k`, {_DRAW}"
_TELL = "Whoever made the rows can mend it: tell them the figures."
WAYS_OUT: dict[str, tuple[str, str, str]] = {
    "trees": (f"{_CORRECT}fit more real rows, or let the engine `auto` try finer leaves.", f"Take {_LEAVES}", _RARER),
    "auto": (f"{_CORRECT}fit more real rows.", f"Choose the engine `trees` with {_LEAVES}", _RARER),
    "another of ours": (f"{_CORRECT}choose the engine `trees`.", "Make them with `--private`.", _RARER),
    "a private one": (
        "Write down public domains, raise epsilon, or choose the engine `aim`.",
        "Lower epsilon.",
        f"Make more rows, raise epsilon, {_DRAW}",
    ),
    "somebody else": (
        _TELL,
        "Do not pass these rows on; whoever made them must model people less closely, or give a guarantee.",
        _TELL,
    ),
}


def maker_of(about: Mapping[str, Any]) -> str | None:
    """Which of the engines here made the rows that bear this record; None for rows of anybody else."""
    maker = about.get("maker")
    engine = maker.get("engine") if isinstance(maker, Mapping) else None
    return engine if engine in parts.names("engine") else None


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

    def advised(self, engine: str | None, *, private: bool = False) -> Evaluation:
        """The same with remedies for failed scores, for whom `engine` made the rows; None for rows of anybody else.

        Nobody is told to choose what they chose, and nobody to set what another tool does not have.
        """
        scores = tuple(
            replace(score, remedy=_remedy(score, engine, private) if score.advice else "") for score in self.scores
        )
        return replace(self, scores=scores)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {"scores": [score.to_dict() for score in self.scores]}


def _remedy(score: Score, engine: str | None, private: bool) -> str:
    """What whoever made the rows can do about a score that failed; empty where its own advice says all."""
    who = "a private one" if private else engine if engine in WAYS_OUT else "another of ours"
    far, close, rare = WAYS_OUT["somebody else" if engine is None else who]
    if score.name == "rare_level_coverage":
        return rare
    if score.name == "unseen_pairs":
        return far if engine is None else "Forbid with a rule (`--rule`) what cannot be."
    if score.name in CLOSE:
        return close
    return far if score.name in FAR and not score.detail.get("copied") else ""
