"""Questions that the gate asks of an audit: was it held, could it see, what did it see, do the upper bounds hold?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tuckpoint.errors import count
from tuckpoint.measure.finding import Audit, Finding
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.policy import Policy

State = Literal["pass", "review", "block"]

STATES: tuple[State, ...] = ("block", "review", "pass")  # worst first
CONTROLS = {"leaky copy": "a leaky copy is caught", "other real people": "other real people pass"}
DECIDING = ("copying", "membership")  # an audit without these has not looked
BOUNDED = ("membership", "singling out", "linkability", "inference", "worst case", "copying")
AUDITED = "The audit passes"
BOUNDS = "Upper bounds hold"  # how the checks of `bounds` begin
PRIVATELY = "make them with a guarantee (tuckpoint make --private EPSILON --unit COLUMN)"
WORDS = {"true_positives": "members recognised at 1% false alarms"}  # where the name of a score tells too little
EXCESS = ("singling_out", "linkability", "attribute_inference")  # limited is what goes beyond that of outsiders
ROUNDING = 1 + 1e-9
_NAMED = 3  # findings named in one check


@dataclass(frozen=True)
class Check:
    """One question of the gate: what was found, what it was held against, the state it leads to, what to do."""

    what: str
    state: State
    found: str
    threshold: str
    todo: str = ""


def worst(checks: Sequence[Check]) -> State:
    """The state that all checks together lead to; there must be one at least."""
    return min((check.state for check in checks), key=STATES.index)


def evidence(audit: Audit | None, failure: str) -> Iterator[Check]:
    """Whether there is an audit, whether it could see, and what it saw; `failure` says why there is none."""
    if audit is None:
        found, threshold = failure or "no audit was given", "an audit of this very file"
        todo = "audit the made rows with real rows that were held out"
        yield Check("This file was attacked", "block", found, threshold, todo)
        return
    held, people = audit.rows.get("holdout", 0), audit.rows.get("people", 0)
    if not held or people < AUDIT.min_people:
        yield Check(
            "Real people outside the data were there to compare with",
            "block",
            f"{count(held, 'row')} held out, {count(people, 'person', 'people')} a side",
            f"{AUDIT.min_people} a side: without evidence nothing passes",
            "keep real rows aside by chance before anything is fitted, and audit with them (--holdout)",
        )
    yield from _leaks(audit)
    yield from _controls(audit)
    yield from _computed(audit)


def _leaks(audit: Audit) -> Iterator[Check]:
    what, threshold = AUDITED, f"no leak; {AUDIT.level:.0%} error for all findings together"
    if audit.decision != "pass":
        found = listed(_blocking(audit)) or "it blocks and does not say why"
        todo = f"keep the rows back; {PRIVATELY}, or with coarser values and larger groups; audit anew"
        yield Check(what, "block", found, threshold, todo)
        return
    lowest = min((item.adjusted for item in audit.findings if item.adjusted is not None), default=None)
    told = "" if lowest is None else f" (smallest adjusted {p_value(lowest)})"
    yield Check(what, "pass", f"{count(len(audit.findings), 'finding')}, none a leak{told}", threshold)


def _blocking(audit: Audit) -> Iterator[str]:
    """What the audit blocks for; leaks in rounded figures, since a verdict stands beside the data."""
    yield from beside_leaks(audit)
    for item in leaks(audit):
        score = item.score
        figures = [None if value is None else _share(value) for value in (score.value, score.reference)]
        told = "" if None in figures else f": {figures[0]} in the data, {figures[1]} outside of it or by guessing"
        yield f"{_named(item)}{told}"


def leaks(audit: Audit) -> list[Finding]:
    """The findings that chance does not explain, all taken together, the largest excess first."""
    found = [item for item in audit.findings if item.adjusted is not None and item.adjusted < AUDIT.level]
    return sorted(found, key=lambda item: (item.score.reference or 0.0) - (item.score.value or 0.0))


def beside_leaks(audit: Audit) -> tuple[str, ...]:
    """The audit's reasons that are no leaks: failed attacks and controls, a false claim, too few people."""
    exact = (*(f"{item.attack}: " for item in leaks(audit)), "and ")
    return tuple(reason for reason in audit.reasons if len(exact) == 1 or not reason.startswith(exact))


def _controls(audit: Audit) -> Iterator[Check]:
    ran = {str(control.name): control for control in audit.controls}
    for name, wanted in CONTROLS.items():
        control = ran.get(name)
        if control is not None and control.worked:
            yield Check(f"Control: {wanted}", "pass", f"so it was ({p_value(control.p)})", "it must be so")
            continue
        found = "it was not run" if control is None else f"it was not so ({p_value(control.p)}): {control.what}"
        todo = "audit with more real rows held out, split off by chance from the same population"
        yield Check(f"Control: {wanted}", "block", found, "it must be so, or the audit shows nothing", todo)


def _computed(audit: Audit) -> Iterator[Check]:
    threshold, todo = "what cannot be computed blocks", "find out why, mend it and audit anew"
    for criterion in DECIDING:
        own = [item.score for item in audit.findings if item.criterion == criterion]
        if all(score.value is None for score in own):
            why = listed(score.why for score in own) or "no such attack is among the findings"
            yield Check(f"Attacks on {criterion} were computed", "block", why, threshold, todo)
    if audit.epsilon.value is None:
        yield Check("The proven loss was computed", "block", audit.epsilon.why, threshold, todo)


def claim(guarantee: Mapping[str, Any], audit: Audit | None) -> Check:
    """Whether the attacks prove a larger privacy loss than was claimed: then the claim is false."""
    what, claimed = "The attacks prove no larger loss than is claimed", figure(guarantee, "epsilon")
    if claimed is None or audit is None:
        found = "no epsilon is stated" if audit is not None else "no audit was given"
        return Check(what, "block", found, "a stated epsilon and an audit", "give both")
    proven = max(audit.epsilon.value or 0.0, *(item.epsilon or 0.0 for item in audit.findings), 0.0)
    found = f"at least {math.floor(10 * proven) / 10:g} is proven"
    threshold = f"at most the claimed epsilon {claimed:.3g}"
    if proven <= claimed * ROUNDING:
        return Check(what, "pass", found, threshold)
    todo = "treat it as an incident: the guarantee is false; call back what was released and report the engine"
    return Check(what, "block", found, threshold, todo)


def bounds(audit: Audit) -> Iterator[Check]:
    """Whether the upper bound of every attack holds; a kind of attack that was not measured does not hold."""
    threshold = "upper end of each 95% interval within its limit, since no formal guarantee counts"
    todo = f"whoever answers for the data reads these figures and decides; or {PRIVATELY}"
    for criterion in BOUNDED:
        own = [item for item in audit.findings if item.criterion == criterion]
        measured = [item for item in own if item.score.value is not None]
        above = [item for item in measured if item.score.passed is False]
        what = f"{BOUNDS}: {criterion}"
        if above:
            yield Check(what, "review", listed(map(_told, above)), threshold, todo)
        elif not measured:
            why = listed(item.score.why for item in own) or "no such attack was tried"
            yield Check(what, "review", f"not measured: {why}", threshold, todo)
        else:
            yield Check(what, "pass", f"{len(measured)} measured, all within", threshold)


def _told(item: Finding) -> str:
    """A finding with what its limit is held against: its value, or how much more than that of outsiders it is."""
    detail, high = item.score.detail, item.score.high
    more, most, limit = (detail.get(name) for name in ("difference", "difference_high", "limit"))
    told, unit = _share(item.score.value or 0.0), "%"
    if item.score.name in EXCESS and isinstance(more, float) and isinstance(most, float):
        told, high, unit = f"{count(round(100 * more), 'point')} above outsiders", most, ""
    upper = "" if high is None else f", up to {math.ceil(100 * high - 1e-9)}{unit}"
    against = f", limit {100 * limit:g}{unit}" if isinstance(limit, float) else ""
    return f"{_named(item)} {told}{upper}{against}"


def _named(item: Finding) -> str:
    name = WORDS.get(item.score.name, item.score.name.replace("_", " "))
    how = item.attack.replace("_", " ")
    inside = [*item.score.subject, *(() if how in name else (how,))]
    return f"{name} ({', '.join(inside)})" if inside else name


def _share(value: float) -> str:
    """A share in whole per cent: exact figures of real rows are not told beside the data."""
    return "under 1%" if 0 < value < 0.01 else f"{value:.0%}"


def power(audit: Audit, policy: Policy) -> Check:
    """Whether the audit would have found some tried number of copied rows often enough."""
    what, threshold = "The audit could see", f"some number of copied rows found in {policy.power:.0%} of trials"
    tried = [item for item in audit.power if item.trials > 0]
    if not tried:
        return Check(what, "review", "its power was not measured", threshold, "audit anew and measure it")
    best = max(tried, key=lambda item: (item.caught / item.trials, -item.copied))
    found = f"{count(best.copied, 'copied row')} found in {best.caught} of {count(best.trials, 'trial')}"
    if best.caught >= policy.power * best.trials:
        return Check(what, "pass", found, threshold)
    return Check(what, "review", found, threshold, "hold out more rows; until then its silence says little")


def p_value(value: float) -> str:
    """A p-value as the report may tell it: one digit, capped below."""
    return "p below 0.001" if value < 0.001 else f"p = {value:.1g}"


def listed(items: Iterable[str]) -> str:
    """The first few different texts, joined."""
    known = list(dict.fromkeys(item for item in items if item))
    more = f"; and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return "; ".join(known[:_NAMED]) + more


def figure(values: Mapping[str, Any], name: str) -> float | None:
    """The entry of that name if it is a finite number from 0, else None."""
    value = values.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value) or value < 0:
        return None
    return float(value)
