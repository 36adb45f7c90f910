"""The plan of a proof: what is claimed, by which metric, from which sources; fixed and hashed before anything is made.

tuckpoint_plan: 1
target: income
metric: auc                       # auc, log_loss, rmse, accuracy, macro_recall, or recall with a false_positive_rate
smallest_effect: 0.005            # the smallest gain that matters, in units of the metric
slices: ['age < 25']              # where the gain is claimed; none: for all rows
sources: [{name: twin, engine: trees}]
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tuckpoint import declared, parts, settings
from tuckpoint.errors import InputError, RecipeError
from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.source import Maker
from tuckpoint.record import digest_of

Metric = Literal["auc", "log_loss", "rmse", "recall", "accuracy", "macro_recall"]
VERSION = 1
HINT = "`tuckpoint plan` writes one; see docs/prove.md"


@dataclass(frozen=True)
class Source:
    """Where made rows come from: a kind of source with its settings, and a condition on the rows.

    The kind `engine` takes an engine of the parts table, that engine's settings, and whether rules are mined. With
    `file` the rows come from a table that somebody made before: it can only earn "unverifiable provenance".
    """

    name: str
    engine: str = "trees"
    settings: Mapping[str, Any] = field(default_factory=dict)
    where: str | None = None
    mine_rules: bool = True
    file: bool = False
    kind: str = "engine"

    def __post_init__(self) -> None:
        if not self.file:
            try:
                self.maker()
            except (InputError, RecipeError) as error:
                raise type(error)(f"source {self.name}: {error}") from None

    def maker(self) -> Maker:
        """The kind of source with its settings."""
        kind: Any = parts.find("source", self.kind)
        given = self.settings
        if self.kind == "engine":
            given = {"engine": self.engine, "settings": self.settings, "mine_rules": self.mine_rules}
        made: Maker = settings.build(kind, given)
        return made


@dataclass(frozen=True)
class Folds:
    """How real rows are parted: the share locked away as `test`, `repeats` outer resamples that each train on the share
    `train` of the rest, and `inner` folds in each of them, on which source, amount and weight are chosen.
    """

    test: float = 0.3
    repeats: int = 10
    train: float = 0.8
    inner: int = 3

    def __post_init__(self) -> None:
        _check("folds: test", self.test, 0.1 <= self.test <= 0.6, "a share from 0.1 to 0.6")
        _check("folds: train", self.train, 0.5 <= self.train <= 0.9, "a share from 0.5 to 0.9")
        _check("folds: repeats", self.repeats, 4 <= self.repeats <= 100, "a whole number from 4 to 100")
        _check("folds: inner", self.inner, 2 <= self.inner <= 10, "a whole number from 2 to 10")


@dataclass(frozen=True)
class Plan:
    """Everything that decides a verdict, but for the real rows.

    `smallest_effect` is the smallest gain that matters, in units of the metric. `amounts` are made rows per real
    training row; `weights` are what all made rows together weigh beside all real ones (0, no made rows, is always
    tried too). `positive` is the level that is sought (default: the rarer one); `false_positive_rate` goes with recall
    alone. `curve` holds the shares of the real training rows for the curve of rows saved; `items` numbers of real
    groups (people, things; rows without groups) of each class, at each of which it is proved with no more of them.
    `locked` is a condition on the rows that are the test, for data that come with a test of their own. Raises
    InputError for an entry out of range.
    """

    target: str
    sources: tuple[Source, ...]
    metric: Metric = "auc"
    smallest_effect: float = 0.01
    slices: tuple[str, ...] = ()
    positive: str | None = None
    false_positive_rate: float | None = None
    amounts: tuple[float, ...] = (1.0,)
    weights: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0)
    curve: tuple[float, ...] = (0.25, 0.5, 0.75)
    folds: Folds = field(default_factory=Folds)
    learner: Boosting | Ridge = field(default_factory=Boosting)
    items: tuple[int, ...] = ()
    locked: str | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _check("smallest_effect", self.smallest_effect, self.smallest_effect > 0, "a number above 0")
        _check("amounts", self.amounts, bool(self.amounts) and all(0 < a <= 100 for a in self.amounts), "0 to 100")
        _check("weights", self.weights, bool(self.weights) and all(0 < w <= 100 for w in self.weights), "0 to 100")
        _check("curve", self.curve, all(0.02 <= c < 1 for c in self.curve), "shares from 0.02 to below 1")
        _check("items", self.items, all(n >= 1 for n in self.items), "whole numbers from 1")
        names = [source.name for source in self.sources]
        _check("sources", names, bool(names) and len(set(names)) == len(names), "one or more, each with its own name")
        if (self.metric == "recall") != (self.false_positive_rate is not None):
            raise InputError(
                "recall is proved at a fixed rate of false alarms, else a moved threshold passes for a better model: "
                "say metric: recall and, say, false_positive_rate: 0.02, or leave both out"
            )
        if self.false_positive_rate is not None:
            rate = self.false_positive_rate
            _check("false_positive_rate", rate, 0 < rate <= 0.5, "a share above 0, up to 0.5")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON."""
        return {"tuckpoint_plan": VERSION, **json.loads(json.dumps(asdict(self)))}

    def digest(self) -> str:
        """The hex SHA-256 of all that the plan says; the verdict carries it."""
        return digest_of(self.to_dict())

    def to_yaml(self) -> str:
        """The plan as YAML text, with nothing left open."""
        return declared.dump(self.to_dict())

    @classmethod
    def from_dict(cls, data: Any) -> Plan:
        """The plan that these values say; raises RecipeError or InputError for what is not understood."""
        declared.check_version("a plan", data, "tuckpoint_plan", VERSION, do=HINT, wrong=RecipeError)
        given: dict[str, Any] = {name: value for name, value in data.items() if name != "tuckpoint_plan"}
        if not isinstance(given.get("target"), str):
            raise RecipeError("the plan names no target: say which column the model predicts, such as target: income")
        listed = given.get("sources") or []
        if not isinstance(listed, list) or not all(isinstance(entry, Mapping) for entry in listed):
            raise RecipeError("sources of a plan are a list such as [{name: twin, engine: trees}]")
        for entry in listed:
            if "name" not in entry:
                raise RecipeError(f"source {dict(entry)} has no name; give it one")
        given["sources"] = [settings.build(Source, entry) for entry in listed]
        ridge = isinstance(given.get("learner"), Mapping) and given["learner"].get("kind") == "ridge"
        for name, part in (("folds", Folds), ("learner", Ridge if ridge else Boosting)):
            if isinstance(given.get(name), Mapping):
                given[name] = settings.build(part, given[name])
        built = settings.build(cls, given)
        assert isinstance(built, Plan)
        return built

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """The plan in a YAML file."""
        data = declared.read(path, do=HINT, wrong=RecipeError)
        with declared.within(path, RecipeError):
            return cls.from_dict(data)


def _check(name: str, value: Any, right: bool, wanted: str) -> None:
    if not right:
        raise InputError(f"plan: {name} is {value}; give {wanted}")
