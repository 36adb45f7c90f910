"""What rows must keep between groups, as written in fair.yaml; what no table can promise is refused with the reason.

target: conditional parity        # or representation, or label parity
groups: [race, sex]               # every intersection of their levels is one group
outcome: income
positive: ">50K"
given: [education]                # legitimate columns; numbers fall into quarters unless `cuts` says otherwise
pool: {race: {White: [White], others: rest}}
cuts: {age: [25, 45]}
shares: equal                     # of the groups, for representation: equal, by group, or by column and level
least: 10                         # fewest rows of a group, real ones where they are known
tolerance: 0.005
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, cast, get_args

from tuckpoint import declared
from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.record import digest_of

Target = Literal["representation", "label parity", "conditional parity"]
TARGETS: Mapping[str, str] = {
    "representation": "each group (intersections too) has its share of the rows",
    "label parity": "the share of positive labels is the same in every group",
    "conditional parity": "it is the same in every group that shares the legitimate columns in `given`",
}
REST = "rest"
SPLIT = " / "  # between the levels in the name of a group

_OF_MODELS = "it belongs to a model and the people it is used on, and no table can promise it"
_REFUSED: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("odds", "opportunit", "error", "false positive", "true positive", "predictive parity", "recall", "fpr", "tpr"),
        f"it asks for equal error rates: {_OF_MODELS}. Keep label parity or conditional parity in the rows; "
        "`tuckpoint fair` measures the difference of error rates of a trained model with its interval, and thresholds "
        "chosen per group after training set it directly",
    ),
    (
        ("calibrat",),
        f"it asks for calibration: {_OF_MODELS}. Recalibrate the model per group on real rows and measure it there",
    ),
    (
        ("worst", "minimax", "group loss"),
        f"it asks for the loss of the worst group: {_OF_MODELS}. Representation gives small groups more rows; "
        "`tuckpoint fair` measures what that does to the worst group's accuracy",
    ),
    (
        ("demographic", "statistical parity", "disparate", "four-fifths", "80%"),
        "it may mean labels or predictions. Of labels in the rows that is label parity; of a model's predictions it is "
        "measured by `tuckpoint fair`, never promised",
    ),
    (
        ("counterfactual", "individual", "causal"),
        "it needs a causal graph or a distance between people that is right, which no table shows; conditional parity "
        "given the columns you hold legitimate is what rows can keep",
    ),
    (
        ("bias", "fair", "discriminat", "equal", "parity", "balance", "neutral"),
        "it has several meanings that exclude one another; say which one you mean",
    ),
)


@dataclass(frozen=True)
class Spec:
    """One fairness target; see the head of this module for the file.

    `pool` maps column -> new name -> levels (or `rest`, all not named; "(not known)" is one); `cuts` maps a number
    column to rising points; `shares` is None for equal ones, else group name -> share (levels joined by " / "), or
    column -> level -> share, which are multiplied. `least` counts rows, `tolerance` is a difference of shares or rates.
    Raises InputError for what is wrong, and for targets that rows cannot keep.
    """

    target: Target
    groups: tuple[str, ...]
    outcome: str | None = None
    positive: str | float | bool | None = None
    given: tuple[str, ...] = ()
    pool: Mapping[str, Mapping[str, tuple[str, ...] | str]] = field(default_factory=dict)
    cuts: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    shares: Mapping[str, Any] | None = None
    least: int = 10
    tolerance: float = 0.005

    def __post_init__(self) -> None:
        _check_target(self.target)
        if not self.groups:
            raise InputError("fair: groups is empty; name the columns whose intersections are the groups: [race, sex]")
        named = [*self.groups, *self.given, *([] if self.outcome is None else [self.outcome])]
        if twice := sorted({name for name in named if named.count(name) > 1}):
            raise InputError(f'fair: column "{twice[0]}" stands twice among groups, given and outcome; name it once')
        if (self.outcome is None) != (self.positive is None):
            raise InputError("fair: outcome and positive belong together: outcome: income, positive: '>50K'")
        if self.target != "representation" and self.outcome is None:
            raise InputError(f"fair: {self.target} needs outcome (a column) and positive (one of its two values)")
        if self.target == "conditional parity" and not self.given:
            raise InputError(
                "fair: conditional parity needs given, the columns that may rightly explain a difference; "
                "without any it is label parity"
            )
        if self.target == "representation" and self.given:
            raise InputError("fair: representation is a matter of groups alone; leave given out")
        if not 0 < self.tolerance <= 0.1:
            raise InputError(f"fair: tolerance is {self.tolerance}; give a difference above 0 and at most 0.1")
        if self.least < 1:
            raise InputError(f"fair: least is {self.least}; give a number of rows from 1")
        _check_parts(self)

    @property
    def quotas(self) -> bool:
        """Whether the rows of each group are counted out."""
        return self.target == "representation" or self.shares is not None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON."""
        return {
            "target": self.target, "groups": list(self.groups), "outcome": self.outcome, "positive": self.positive,
            "given": list(self.given), "pool": {n: {k: _plain(v) for k, v in p.items()} for n, p in self.pool.items()},
            "cuts": {name: list(points) for name, points in self.cuts.items()},
            "shares": None if self.shares is None else {k: _plain(v) for k, v in self.shares.items()},
            "least": self.least, "tolerance": self.tolerance,
        }  # fmt: skip

    def digest(self) -> str:
        """The hex SHA-256 of what was asked."""
        return digest_of(self.to_dict())

    def to_yaml(self) -> str:
        """The same as text."""
        return declared.dump(self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Spec:
        """Read fair.yaml."""
        data = declared.read(path, do="docs/fair.md shows one")
        with declared.within(path):
            return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Any) -> Spec:
        """The target that a person or `to_dict` wrote; raises InputError that names what is wrong."""
        if not isinstance(data, Mapping) or "target" not in data:
            raise InputError(f"fair: say what the rows must keep. {_choices()}")
        _check_target(data["target"])
        declared.check_entries("fair", data, [item.name for item in fields(cls)])
        given = {name: value for name, value in data.items() if value is not None}
        if given.get("shares") == "equal":
            del given["shares"]
        for name in ("groups", "given"):
            if name in given:
                given[name] = _names(name, given[name])
        if not isinstance(given.get("groups"), tuple):
            raise InputError(
                "fair: groups is missing; name the columns whose intersections are the groups: [race, sex]"
            )
        given["pool"] = {str(name): _pooled(str(name), parts) for name, parts in _mapping("pool", given).items()}
        given["cuts"] = {str(name): _points(str(name), points) for name, points in _mapping("cuts", given).items()}
        if "shares" in given:
            given["shares"] = {str(name): value for name, value in _mapping("shares", given).items()}
        for name, kind in (("least", int), ("tolerance", (int, float)), ("outcome", str)):
            if name in given and (isinstance(given[name], bool) or not isinstance(given[name], cast(Any, kind))):
                raise InputError(f"fair: {name} is {given[name]!r}; give {'text' if kind is str else 'a number'}")
        if not isinstance(given.get("positive", ""), str | int | float | bool):
            raise InputError(f"fair: positive is {given['positive']!r}; give one value of the outcome")
        return cls(**given)


def _choices() -> str:
    told = "; ".join(f"`{name}`: {what}" for name, what in TARGETS.items())
    return f"Rows can keep one of these exactly: {told}. What a model then does is measured, never promised"


def _check_target(target: Any) -> None:
    if target in get_args(Target):
        return
    said = str(target).lower()
    why = next((why for words, why in _REFUSED if any(word in said for word in words)), "it is not known here")
    close = did_you_mean(said, TARGETS)
    raise InputError(f"fair: target {target!r}{close}: {why}. {_choices()}")


def _check_parts(spec: Spec) -> None:
    cut = {*spec.groups, *spec.given}
    for entry, some in (("pool", spec.pool), ("cuts", spec.cuts)):
        for name in some:
            if name not in cut:
                raise InputError(
                    f'fair: {entry} names "{name}", which is in neither groups nor given; add it or drop it'
                )
    if both := sorted(set(spec.pool) & set(spec.cuts)):
        raise InputError(f'fair: "{both[0]}" is both pooled and cut; levels are pooled, numbers are cut')


def _names(entry: str, value: Any) -> tuple[str, ...]:
    some = [value] if isinstance(value, str) else value
    if not isinstance(some, list | tuple) or not all(isinstance(name, str) for name in some):
        raise InputError(f"fair: {entry} is {value!r}; give a list of column names")
    return tuple(some)


def _mapping(entry: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    value = given.get(entry, {})
    if not isinstance(value, Mapping):
        raise InputError(f"fair: {entry} is {value!r}; give a mapping")
    return value


def _pooled(name: str, parts: Any) -> dict[str, tuple[str, ...] | str]:
    if not isinstance(parts, Mapping) or not parts:
        raise InputError(f'fair: pool of "{name}" is {parts!r}; write it as {{new name: [level, level], others: rest}}')
    out: dict[str, tuple[str, ...] | str] = {}
    for label, levels in parts.items():
        if levels != REST and not isinstance(levels, list | tuple):
            raise InputError(f'fair: pool of "{name}": {label} is {levels!r}; give a list of levels, or rest')
        out[str(label)] = REST if levels == REST else tuple(str(level) for level in levels)
    named = [level for levels in out.values() if levels != REST for level in levels]
    if len(named) != len(set(named)) or list(out.values()).count(REST) > 1:
        raise InputError(f'fair: pool of "{name}": a level, or rest, stands twice; name it once')
    return out


def _points(name: str, points: Any) -> tuple[float, ...]:
    some = points if isinstance(points, list | tuple) else [points]
    right = all(isinstance(point, int | float) and not isinstance(point, bool) for point in some)
    if not some or not right or list(some) != sorted(set(some)):
        raise InputError(f'fair: cuts of "{name}" are {points!r}; give rising numbers such as [25, 45]')
    return tuple(float(point) for point in some)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(content) for name, content in value.items()}
    return list(value) if isinstance(value, tuple) else value
