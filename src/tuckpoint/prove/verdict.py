"""What a proof says in the end: claims with their effects, arms, controls, the curve, and one state in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tuckpoint.prove.effect import Effect
from tuckpoint.prove.metric import TITLE
from tuckpoint.prove.plan import Plan
from tuckpoint.prove.study import ELSEWHERE, EVERYWHERE
from tuckpoint.record import tuckpoint_version

Overall = Literal["helps", "no evidence", "equivalent", "hurts", "unverifiable", "blocked"]
# 0 to 3 as the other verbs of the command line: done, a bug, what the user must mend, what a person must decide.
EXIT: Mapping[str, int] = {
    "helps": 0, "blocked": 2, "no evidence": 3, "unverifiable": 3, "equivalent": 4, "hurts": 5,
}  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """The effect of real + made beside real only on the locked rows of one slice.

    `low` to `high` is the gain on locked rows within the wider of the two intervals, at 1 - `level` (Holm over the
    claimed slices); `effects` holds both. `unharmed` says whether a loss as large as the smallest effect that matters
    is ruled out. Without an effect `why` says what is wanting.
    """

    name: str
    rows: int
    state: str
    effect: Effect | None = None
    low: float = 0.0
    high: float = 0.0
    level: float = 0.05
    unharmed: bool = False
    detectable: float = 0.0
    rows_needed: int | None = None
    effects: tuple[Effect, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Arm:
    """How one way of training did on the locked rows of the claim: its metric, its gain beside real only, and whether
    its probabilities can be trusted (`calibration`: predicted over true rate, or for numbers the mean error).
    """

    name: str
    value: float
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    log_loss: float | None = None
    calibration: float | None = None


@dataclass(frozen=True)
class Control:
    """One thing that must come out as it did, else no verdict counts."""

    name: str
    passed: bool
    told: str


@dataclass(frozen=True)
class Saved:
    """Real rows saved: `points` of the real-only curve (rows, metric), where real + made stands on it, and the share
    saved with its interval. `beyond`: the curve ends below it, so the share is at least this.
    """

    points: tuple[tuple[float, float], ...]
    rows: float
    value: float
    share: float | None = None
    low: float | None = None
    high: float | None = None
    beyond: bool = False


@dataclass(frozen=True)
class Weighed:
    """Real + made at one weight of the made rows, taken by every resample: its metric, and its gain with interval."""

    weight: float
    value: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """The proof with `items` real groups of each class: `rows` real rows on average, the metric of both arms, the gain
    with its interval at 1 - `level` (Holm over the points), and where real + made stands on the curve of real rows.
    """

    items: int
    rows: float
    real: float
    mixed: float
    state: str
    gain: float
    low: float
    high: float
    level: float
    chosen: Mapping[str, int]
    saved: Saved | None = None


@dataclass(frozen=True)
class Proof:
    """The whole outcome of a plan on real rows; `digest` is that of the plan, `real` names the input with its SHA-256.

    `chosen` counts over the outer resamples what their inner folds chose. `notes` are what a reader must know;
    `weights` tells of other shares of made rows, `points` of fewer real ones.
    """

    state: Overall
    why: str
    plan: Plan
    digest: str
    real: Mapping[str, Any]
    claims: tuple[Claim, ...]
    arms: tuple[Arm, ...]
    controls: tuple[Control, ...]
    chosen: Mapping[str, int]
    saved: Saved | None = None
    notes: tuple[str, ...] = ()
    weights: tuple[Weighed, ...] = ()
    points: tuple[Point, ...] = ()
    tuckpoint: str = field(default_factory=tuckpoint_version)

    @property
    def exit(self) -> int:
        """The exit status of the command line."""
        return EXIT[self.state]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**asdict(self), "plan": self.plan.to_dict(), "exit": self.exit, "sentences": list(sentences(self))}


def decide(
    claims: Sequence[Claim],
    elsewhere: Claim | None,
    *,
    leaks: Sequence[str],
    controls: Sequence[Control],
    bare: Sequence[str],
    no_more_than_copies: bool,
) -> tuple[Overall, str]:
    """The one state, and why.

    A leak or a failed control blocks; rows from a bare file are unverifiable; harm anywhere is harm; help counts if
    harm elsewhere is ruled out and mere copies of real rows do not help as much.
    """
    if leaks:
        return "blocked", f"made rows know the locked test rows: {'; '.join(leaks)}"
    if failed := [control for control in controls if not control.passed]:
        return "blocked", f"a control failed: {'; '.join(f'{c.name}: {c.told}' for c in failed)}"
    if bare:
        return "unverifiable", (
            f"{', '.join(bare)} came as finished rows, so nobody can tell whether their maker "
            "saw the locked rows; name the engine in the plan, and it is fitted anew inside every resample"
        )
    every = [*claims, *([] if elsewhere is None else [elsewhere])]
    if harmed := [claim.name for claim in every if claim.state == "hurts"]:
        return "hurts", f"worse in {', '.join(map(named, harmed))}"
    helped = [claim.name for claim in claims if claim.state == "helps"]
    if helped and no_more_than_copies:
        return "no evidence", "copies of the real rows help as well, so the gain is a matter of the learner's settings"
    if helped and elsewhere is not None and not elsewhere.unharmed:
        return "no evidence", f"better in {', '.join(map(named, helped))}, but harm elsewhere is not ruled out"
    if helped:
        return "helps", f"better in {', '.join(map(named, helped))}"
    if all(claim.state == "equivalent" for claim in claims):
        return "equivalent", "no difference that matters in either direction"
    return "no evidence", "no difference was shown, and none that matters is ruled out"


def sentences(proof: Proof) -> tuple[str, ...]:
    """Each claim in one sentence: state, metric, slice, effect with interval, and what it would take to know."""
    told = tuple(_sentence(claim, proof.plan) for claim in proof.claims)
    return told + tuple(_at_items(point, proof.plan) for point in proof.points)


def _at_items(point: Point, plan: Plan) -> str:
    told = (
        f"{point.state}: {metric_title(plan)} with {point.items} real of each class {signed(point.gain)} "
        f"[{signed(point.low)}, {signed(point.high)}] ({point.real:.3g} to {point.mixed:.3g})"
    )
    if point.saved is None or point.saved.share is None or point.saved.low is None or point.saved.high is None:
        return told
    least = "at least " if point.saved.beyond else ""
    return f"{told}; real rows saved {least}{point.saved.share:.0%} [{point.saved.low:.0%}, {point.saved.high:.0%}]"


def _sentence(claim: Claim, plan: Plan) -> str:
    where = f"{metric_title(plan)} in {named(claim.name)}"
    if claim.effect is None:
        return f"no evidence: {where} cannot be measured: {claim.why}"
    told = (
        f"{claim.state}: {where} {signed(claim.effect.gain)} [{signed(claim.low)}, {signed(claim.high)}] "
        f"({100 * (1 - claim.level):.3g} % interval, above 0 is better; {claim.rows:,} locked rows)"
    )
    if claim.state == "helps" and claim.low < plan.smallest_effect:
        return f"{told}; whether by the {plan.smallest_effect:g} that matters is not shown"
    if claim.state == "no evidence":
        needed = claim.rows_needed
        takes = (
            f"about {needed:,} locked rows would show {plan.smallest_effect:g}"
            if needed is not None
            else f"more locked rows alone would not show {plan.smallest_effect:g}: give more real rows to train on"
        )
        return f"{told}; a gain of {claim.detectable:.2g} would be seen in four of five trials, {takes}"
    return told


def signed(gain: float) -> str:
    """A gain with its sign, to four decimals, or three digits where it is large or tiny."""
    text = f"{gain:+.4f}" if gain == 0 or 0.001 <= abs(gain) < 10 else f"{gain:+.2g}"
    return text.replace("-", "\N{MINUS SIGN}")


def named(claim: str) -> str:
    """A slice as it stands in a sentence: conditions between backticks, or between quotes where they hold some."""
    if claim in (EVERYWHERE, ELSEWHERE):
        return claim
    return f"\N{LEFT DOUBLE QUOTATION MARK}{claim}\N{RIGHT DOUBLE QUOTATION MARK}" if "`" in claim else f"`{claim}`"


def metric_title(plan: Plan) -> str:
    """The metric in words."""
    rate = plan.false_positive_rate
    return TITLE[plan.metric] if rate is None else f"recall at {rate:.3g} false positives"
