"""Figures of an audit as they may be told: rounded and capped, since a report is itself a release.

Exact answers to repeated questions about real rows give the rows away (ReconSyn, arXiv 2312.05114). So shares come in
steps of half a per cent below 10 %, of one above, p-values with one digit and no smaller than 0.001, proven losses
rounded down to a tenth, counts of real rows behind a private release with two digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tuckpoint.measure.checks import EXCESS
from tuckpoint.measure.finding import Audit, Finding
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.score import Score

LEAST_P = 0.001
GUESSED = ("membership_auc", "best_guesses", "canaries")  # one of two: the reference is a coin
KEPT = ("limit", "guessed", "guessed_by", "variant", "difference")
BOUNDS = ("difference_low", "difference_high")


@dataclass(frozen=True)
class Span:
    """A share of 0..1 with its interval, rounded; without interval `low` and `high` are None."""

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def value_told(self) -> str:
        """The share in per cent alone."""
        return percent(self.value)

    @property
    def told(self) -> str:
        """The share in per cent, with its interval in brackets."""
        if self.low is None or self.high is None:
            return percent(self.value)
        return f"{percent(self.value)} ({_ends(self.low, self.high)})"


def rounded(share: float) -> float:
    """A share in steps that may be told; a difference of shares keeps its sign."""
    step = 200 if abs(share) < 0.1 else 100
    return math.floor(abs(share) * step + 0.5) / step * (1 if share >= 0 else -1)


def outward(low: float, high: float) -> tuple[float, float]:
    """The ends of an interval in the same steps, rounded apart, so that no bound is told too narrow."""
    below, above = (200 if abs(end) < 0.1 else 100 for end in (low, high))
    return math.floor(low * below + 1e-9) / below, math.ceil(high * above - 1e-9) / above


def percent(share: float) -> str:
    """A rounded share in words: no figure between 0 and half a per cent, nor between 99 and 100."""
    if 0 < share < 0.005:
        return "under 0.5%"
    if 0.99 < share < 1:
        return "over 99%"
    return f"{100 * rounded(share):.1f}".removesuffix(".0").replace("-", "−") + "%"


def _ends(low: float, high: float) -> str:
    return f"{percent(low).removesuffix('%')} to {percent(high)}"


def members(score: Score) -> Span | None:
    """The attack on people who were in the data; None if it was not measured."""
    if score.value is None:
        return None
    if score.low is None or score.high is None:
        return Span(rounded(score.value))
    return Span(rounded(score.value), *outward(score.low, score.high))


def outsiders(score: Score) -> Span | None:
    """The same attack on people who were not; None where the reference is guessing rather than people."""
    count = score.detail.get("count_outsiders")
    if score.reference is None or guessing(score):
        return None
    among = score.detail.get("of_outsiders", score.n)
    if not isinstance(count, int) or not isinstance(among, int) or not 0 <= count <= among or not among:
        return Span(rounded(score.reference))
    return Span(rounded(score.reference), *outward(*clopper_pearson(count, among)))


def guessing(score: Score) -> bool:
    """Whether the attack picks one of two, so that its reference is a coin."""
    return score.reference == 0.5 and score.name in GUESSED


def limit_of(score: Score) -> float | None:
    """The limit of the score, if it stands in its detail."""
    limit = score.detail.get("limit")
    return float(limit) if isinstance(limit, int | float) and not isinstance(limit, bool) else None


def on_excess(score: Score) -> bool:
    """Whether the limit is held against the excess over outsiders, rather than against the share itself."""
    return score.name in EXCESS and "difference_high" in score.detail


def p_value(value: float | None) -> str:
    """A p-value with one digit, capped below."""
    if value is None:
        return ""
    return f"under {LEAST_P}" if value < LEAST_P else f"{capped_p(value):g}"


def capped_p(value: float) -> float:
    """The same as a number."""
    return max(LEAST_P, float(f"{value:.1g}"))


def proven(value: float) -> str:
    """A proven privacy loss, rounded down to a tenth."""
    return f"{math.floor(10 * value + 1e-9) / 10:g}"


def people(count: float, *, private: bool) -> str:
    """A count of real rows; two digits of it where the release is private and its true number must not be told."""
    return f"{count:,.0f}" if not private or count <= 0 else f"about {_two_digits(count):,.0f}"


def _two_digits(count: float) -> float:
    grain = 10.0 ** (math.floor(math.log10(count)) - 1)
    return math.floor(count / grain + 0.5) * grain


def told_audit(audit: Audit, *, private: bool) -> dict[str, Any]:
    """The audit as plain values for JSON, every figure as it may be told; without its reasons."""
    rows = {name: _row_count(name, count, private=private) for name, count in audit.rows.items()}
    return {
        "rows": rows,
        "unit": audit.unit,
        "decision": audit.decision,
        "proven_epsilon_at_least": None if audit.epsilon.value is None else float(proven(audit.epsilon.value)),
        "claimed_epsilon": audit.epsilon.reference,
        "findings": [_finding(finding) for finding in audit.findings],
        "controls": [asdict(control) | {"p": capped_p(control.p)} for control in audit.controls],
        "power": [asdict(power) for power in audit.power],
        "worst": [
            {"row": worst.row, "attack": worst.attack, "percentile": min(rounded(worst.percentile), 0.99)}
            for worst in audit.worst
        ],
        "notes": list(audit.notes),
    }


def _row_count(name: str, count: int, *, private: bool) -> int:
    return int(_two_digits(count)) if private and name != "made" and count > 0 else count


def _finding(finding: Finding) -> dict[str, Any]:
    score, inside, outside = finding.score, members(finding.score), outsiders(finding.score)
    return {
        "attack": finding.attack,
        "criterion": finding.criterion,
        "score": score.name,
        "subject": list(score.subject),
        "members": None if inside is None else asdict(inside),
        "outsiders": None if outside is None else asdict(outside),
        "reference": None if score.reference is None else rounded(score.reference),
        "reference_is": score.reference_is,
        "adjusted_p": None if finding.adjusted is None else capped_p(finding.adjusted),
        "proven_epsilon_at_least": None if finding.epsilon is None else float(proven(finding.epsilon)),
        "within_limit": score.passed,
        "why": score.why,
        "advice": score.advice,
        "detail": _detail(score.detail),
    }


def _detail(detail: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: detail[name] for name in KEPT if name in detail}
    told = {name: rounded(value) if isinstance(value, float) else value for name, value in kept.items()}
    low, high = (detail.get(name) for name in BOUNDS)
    return told | (dict(zip(BOUNDS, outward(low, high), strict=True)) if low is not None and high is not None else {})
