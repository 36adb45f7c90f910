"""What an audit found: the values that pass from attacks to the decision, the gate and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tuckpoint.errors import TraceError
from tuckpoint.measure.nearness import Nearness
from tuckpoint.schema import Kind, Schema
from tuckpoint.score import Score
from tuckpoint.table.engine import Array, Encoded

Criterion = Literal["copying", "membership", "singling out", "linkability", "inference", "worst case"]
Decision = Literal["pass", "block"]
# What to do where made rows give people away; they may be anybody's.
CLOSER = "model people less closely, or with a guarantee (in tuckpoint: larger leaves, or `--private`)"


@dataclass(frozen=True)
class Sides:
    """Who stands where in an audit; all tables share the same fields.

    `train` and `holdout` are all real rows that the maker saw and did not see, `made` the rows on trial. `members` and
    `outsiders` are equally many people of either, one row each, for attacks that compare person by person. What is
    fitted for an attack (a space, a classifier) is fitted on members and outsiders alike, or on neither.

    `texts` holds the identifier and free-text columns that all three tables have, but running numbers: per column the
    codes (n,) int64 of the values of train, holdout and made, -1 for missing. `near` is what was measured of members
    and outsiders already (`guesses.near` gives it, or measures). `delta` is that of the claimed guarantee, which a
    bound on epsilon allows for; `threads` how many a classifier may use.
    """

    train: Encoded
    holdout: Encoded
    members: Encoded
    outsiders: Encoded
    made: Encoded
    kinds: Mapping[str, Kind]
    schema: Schema
    texts: Mapping[str, tuple[Array, Array, Array]] = field(default_factory=dict)
    near: Nearness | None = None
    delta: float = 0.0
    threads: int = 1

    @property
    def people(self) -> int:
        """How many members there are, and how many outsiders."""
        return self.members.rows


@dataclass(frozen=True)
class Finding:
    """What one attack found on one made table.

    `score` holds the attack's success on people who were in the data, with its interval; its reference is the same
    attack on people who were not, and `passed` whether its upper bound keeps the threshold of the gate. `p` is the
    one-sided p-value of "members fare no worse than outsiders", for attacks that rank all people of "no worse than a
    negligible loss allows" (`limits.AuditLimits`), and None if the attack is shown but decides nothing; `adjusted` is
    the same after Holm's correction over all findings. `epsilon` is the privacy loss that the attack proves at least,
    each for itself at the level that the audit allots it.
    """

    attack: str
    criterion: Criterion
    score: Score
    p: float | None = None
    adjusted: float | None = None
    epsilon: float | None = None

    @property
    def key(self) -> str:
        """What tells this finding from others of the audit: the attack, the score and its subject."""
        return " / ".join((self.attack, self.score.name, *self.score.subject))


@dataclass(frozen=True)
class Control:
    """A trial of the audit itself: a leaky copy must be caught, other real people must pass.

    `worked` says whether it came out as it must, `p` the smallest adjusted p-value, `by` the attack that gave it.
    """

    name: Literal["leaky copy", "other real people"]
    worked: bool
    p: float
    by: str
    what: str


@dataclass(frozen=True)
class Power:
    """How often the audit would have seen so many rows of the real table copied into the made one."""

    copied: int
    caught: int
    trials: int


@dataclass(frozen=True)
class Exposed:
    """A real record on which attacks succeed best, by its row in the training file: never by its content."""

    row: int
    attack: str
    percentile: float  # of its score among outsiders


@dataclass(frozen=True)
class Audit:
    """All that was tried on one made table, and the one decision; multiplicity is controlled over all findings.

    `rows` counts the rows of "train", "holdout", "made" and the "people" a side. `epsilon` is the lower bound on the
    privacy loss of this very release that the random split certifies, its reference the loss that was claimed.
    """

    rows: Mapping[str, int]
    unit: str
    findings: tuple[Finding, ...]
    epsilon: Score
    controls: tuple[Control, ...]
    power: tuple[Power, ...]
    worst: tuple[Exposed, ...]
    decision: Decision
    reasons: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def finding(self, name: str, *subject: str) -> Finding:
        """The first finding whose score bears that name and subject; raises KeyError if there is none."""
        for finding in self.findings:
            if finding.score.name == name and (not subject or finding.score.subject == subject):
                return finding
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self) | {
            "rows": dict(self.rows),
            "findings": [asdict(item) | {"score": item.score.to_dict()} for item in self.findings],
            "epsilon": self.epsilon.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Audit:
        """The audit that `to_dict` wrote; raises TraceError if it cannot be one."""
        try:
            return cls(
                **{
                    **data,
                    "findings": tuple(
                        Finding(**{**item, "score": Score.from_dict(item["score"])}) for item in data["findings"]
                    ),
                    "epsilon": Score.from_dict(data["epsilon"]),
                    "controls": tuple(Control(**item) for item in data["controls"]),
                    "power": tuple(Power(**item) for item in data["power"]),
                    "worst": tuple(Exposed(**item) for item in data["worst"]),
                    "reasons": tuple(data["reasons"]),
                    "notes": tuple(data["notes"]),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TraceError(f"not the result of an audit: {error!r}; it was altered or cut") from None
