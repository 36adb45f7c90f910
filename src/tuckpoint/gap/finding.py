"""What was found: frozen values that go into gaps.json, for people and for `plan`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Basis = Literal["sample", "margins", "domain", "region"]
Support = Literal["inside", "edge", "outside", "unknown"]
VERSION = 1


@dataclass(frozen=True)
class Missing:
    """One condition that training rows satisfy less often than they should.

    `rows` training rows satisfy it where `expected` would, at the reference's `share`; `ratio` is the density ratio (1:
    as it should be) with its 95 % interval; `p` is one-sided. `lacking` is how many rows would bring it to its share,
    `beyond` the density ratio that the shares of its single columns do not explain, and `also` other words for nearly
    the same rows.
    """

    where: str
    columns: tuple[str, ...]
    basis: Basis
    rows: int
    expected: float
    share: float
    ratio: float
    low: float
    high: float
    z: float
    p: float
    lacking: int
    reference_rows: int | None = None
    beyond: float | None = None
    also: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Harm:
    """How the model does in a gap: loss and calibration on rows that it did not learn from.

    `excess` is the mean loss there less that elsewhere, with its 95 % interval; `bias` the mean of predicted less true,
    with its standard errors `bias_z`. `state` is `harmful` where the loss is surely greater or the bias sure.
    """

    state: Literal["harmful", "not shown", "too few rows"]
    judged: int
    loss: float | None = None
    excess: float | None = None
    low: float | None = None
    high: float | None = None
    bias: float | None = None
    bias_z: float | None = None


@dataclass(frozen=True)
class Reducible:
    """What more rows of a slice would bring, by its learning curve: mean loss at each number of training rows.

    `gain` is the forecast fall of the loss when the slice is filled, with its interval; `needed` how many more rows
    would bring the smallest fall that matters, where a curve was fitted and falls that far.
    """

    state: Literal["reducible", "not reducible", "not known", "not estimable"]
    points: tuple[tuple[int, float], ...] = ()
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    needed: int | None = None


@dataclass(frozen=True)
class Expected:
    """What the model expects of the target over `rows` rows of a gap whose outcome it needs not know.

    By level (of a number: one, named ""): `means` of the predictions with their standard `errors`, and `costs`, what an
    error of the mean adds to the mean loss per its square: 1 / (2 mean p(1 - p)), or 1 / variance of a number.
    """

    rows: int
    means: Mapping[str, float]
    errors: Mapping[str, float]
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Provable:
    """The smallest change of mean loss that `rows` test rows (as many as `effective` independent ones) would show in
    80 % of trials at 5 % two-sided, in units of the loss.
    """

    rows: int
    effective: float
    detectable: float | None
    why: str = ""


@dataclass(frozen=True)
class Gap:
    """One gap with everything known of it; `advice` says what to do, in one sentence."""

    missing: Missing
    support: Support = "unknown"
    outside: float | None = None
    harm: Harm | None = None
    reducible: Reducible | None = None
    provable: Provable | None = None
    expected: Expected | None = None
    hints: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Weak:
    """A slice that the model does worse in: raw and partially pooled mean loss, interval of the pooled one, p."""

    where: str
    columns: tuple[str, ...]
    rows: int
    loss: float
    pooled: float
    low: float
    high: float
    p: float
    bias: float
    bias_z: float
    missing: bool = False


@dataclass(frozen=True)
class Off:
    """A slice in which predictions are off: mean of predicted less true with its 95 % interval, and p.

    `cost` is how far the mean loss there would fall if the mean were right (log loss, or squared standard deviations).
    """

    where: str
    columns: tuple[str, ...]
    rows: int
    bias: float
    low: float
    high: float
    cost: float
    p: float


@dataclass(frozen=True)
class Leak:
    """Something wrong with the rows themselves; `serious` ones void what is measured on them."""

    name: str
    told: str
    count: int
    serious: bool


@dataclass(frozen=True)
class Gaps:
    """All that `find` found. `about` says what was searched and how, `notes` what a reader must know."""

    about: Mapping[str, Any]
    gaps: tuple[Gap, ...] = ()
    weak: tuple[Weak, ...] = ()
    off: tuple[Off, ...] = ()
    leaks: tuple[Leak, ...] = ()
    notes: tuple[str, ...] = ()
    tested: int = 0
    overall: Mapping[str, Any] = field(default_factory=dict)

    @property
    def worth(self) -> tuple[Gap, ...]:
        """The gaps that may be worth filling: not those that were shown to cost nothing that more rows would mend."""
        return tuple(gap for gap in self.gaps if gap.reducible is None or gap.reducible.state != "not reducible")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        plain: dict[str, Any] = json.loads(json.dumps(asdict(self), allow_nan=False))
        return {"tuckpoint_gaps": VERSION, "worth": [gap.missing.where for gap in self.worth], **plain}
