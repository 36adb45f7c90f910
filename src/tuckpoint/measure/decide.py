"""One decision from many findings: Holm's correction, and in words what blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure.finding import Control, Finding
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.onerun import BOUNDS
from tuckpoint.score import Score
from tuckpoint.table.engine import Array

COPIES = "copies"  # the attack whose p-values have a share of the level of their own
MOST_TOLD = 5


def holm(p: Sequence[float] | Array, weights: Sequence[float] | None = None) -> Array:
    """Adjusted p-values (k,) in the order given: with the chance of their level at most, one under it is false.

    `weights` (k,), fixed beforehand, share the level out; all alike by default (Holm 1979, section 4 for weights).
    """
    values = np.asarray(p, dtype=np.float64)
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, dtype=np.float64)
    order = np.argsort(values / shares, kind="stable")
    left = np.cumsum(shares[order][::-1])[::-1]  # of the level, among those not yet decided
    stepped = np.maximum.accumulate(values[order] / shares[order] * left)
    out = np.empty(len(values))
    out[order] = np.minimum(stepped, 1.0)
    return out


def adjust(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings with `adjusted` set for all that have a p-value; those on copied rows have a share of their own."""
    listed = list(findings)
    tested = [i for i, finding in enumerate(listed) if finding.p is not None]
    weights = level_shares([listed[i].attack for i in tested])
    for i, adjusted in zip(tested, holm([listed[i].p or 0.0 for i in tested], weights), strict=True):
        listed[i] = replace(listed[i], adjusted=float(adjusted))
    return tuple(listed)


def allotted(findings: Sequence[Finding], room: int = BOUNDS) -> tuple[Finding, ...]:
    """The findings, of which only the first so many bounds on epsilon are told: they share one level."""
    spare = [i for i, finding in enumerate(findings) if finding.epsilon is not None][room:]
    return tuple(replace(finding, epsilon=None) if i in spare else finding for i, finding in enumerate(findings))


def level_shares(attacks: Sequence[str]) -> list[float]:
    """The share of the level for each p-value, by the attack that gave it; they sum to 1."""
    share = AUDIT.copies_share
    copies = sum(name == COPIES for name in attacks)
    others = len(attacks) - copies
    if not copies or not others:
        return [1 / len(attacks) for _ in attacks]
    return [share / copies if name == COPIES else (1 - share) / others for name in attacks]


def strongest(findings: Sequence[Finding]) -> Finding | None:
    """The finding with the smallest p-value, None if there is none."""
    tested = [finding for finding in findings if finding.p is not None]
    return min(tested, key=lambda finding: (finding.adjusted or 0.0, finding.p or 0.0), default=None)


def reasons(
    findings: Sequence[Finding], epsilon: Score, controls: Sequence[Control], failed: Sequence[str]
) -> tuple[str, ...]:
    """Why a file is blocked, the gravest first; none if it passes."""
    told = list(failed)
    if epsilon.value is not None and epsilon.reference is not None and epsilon.value > epsilon.reference:
        told.append(
            f"incident: the release proves epsilon of at least {epsilon.value:.2f}, where {epsilon.reference:g} was "
            "claimed; the claim is false, so treat every release of this maker as unprotected"
        )
    for control in controls:
        if not control.worked and control.name == "leaky copy":
            told.append(
                f"the audit is blind here: it did not find {control.what} ({_p(control.p)}); hold out more people, "
                "or compare more columns"
            )
        elif not control.worked:
            told.append(
                f"the audit cannot be believed: it found a leak in {control.what} ({_p(control.p)}, {control.by}); "
                "training rows and holdout must come from one population, split by chance"
            )
    leaks = sorted(
        (f for f in findings if f.adjusted is not None and f.adjusted < AUDIT.level), key=lambda f: f.p or 0.0
    )
    told += [_leak(finding) for finding in leaks[:MOST_TOLD]]
    if len(leaks) > MOST_TOLD:
        told.append(f"and {count(len(leaks) - MOST_TOLD, 'more finding')}")
    return tuple(told)


def _leak(finding: Finding) -> str:
    score = finding.score
    name = " ".join((score.name.replace("_", " "), *(f"({subject})" for subject in score.subject)))
    beside = "" if score.reference is None else f", beside {score.reference:.3g} for {score.reference_is}"
    value = "" if score.value is None else f" {score.value:.3g}{beside}"
    return f"{finding.attack}: {name}{value} ({_p(finding.adjusted or 0.0)} after correction)"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
