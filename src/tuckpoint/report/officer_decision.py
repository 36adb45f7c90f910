"""The decision for the officer: a verdict per tier with its reasons, who is concerned, and where to sign."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tuckpoint.measure.checks import AUDITED, STATES, Check, figure
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import TIERS, Verdict
from tuckpoint.report.chart import glyph, prose, text
from tuckpoint.report.officer_attacks import reasons
from tuckpoint.report.officer_figures import people
from tuckpoint.report.officer_promise import loss
from tuckpoint.report.officer_words import GLYPH, STATE, TIER
from tuckpoint.report.sheet import Section, facts, table
from tuckpoint.report.words import count, in_words, visible
from tuckpoint.schema import Schema

BLANK = '<span class="blank">to be filled in</span>'
ASKED = {
    "people": "Who is in the source",
    "purpose": "What the made rows are for",
    "legal_basis": "Legal basis",
    "recipient": "Who receives them",
    "side_knowledge": "What the recipient may know already",
    "controls": "What else protects: contract, access, deletion",
}
SIGNING = ("expiry", "signers")
ROLES = ("Data-protection officer", "Whoever answers for the data", "Whoever made the release")
SIGNERS = 8
CHECKS = 40
LEAKS = 5  # named as reasons
SHORT = 110  # characters of a reason on the first screen
ASSUMED = (
    "The attacks below assume the worst: somebody who knows all other facts of a person exactly, has as many real "
    "people from outside the data to practise on, and may look at the made rows for as long as they like."
)


def ordered(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts from the widest circle of readers to the narrowest."""
    return sorted(verdicts, key=lambda verdict: TIERS.index(verdict.tier))


def outcome(
    audit: Audit | None,
    verdicts: Sequence[Verdict],
    *,
    guarantee: Mapping[str, Any] | None,
    account: Mapping[str, Any] | None,
) -> str:
    """What was found and what is promised in two sentences, then a verdict per tier."""
    leak = next(iter(reasons(audit)), "")
    tiers = "".join(_tier(verdict, leak) for verdict in ordered(verdicts))
    listed = f'<ul class="tiers">{tiers}</ul>' if tiers else ""
    return f'<p class="outcome">{_found(audit)} {_promised(guarantee, account, audit)}</p>{listed}'


def _tier(verdict: Verdict, leak: str) -> str:
    """One tier on the first screen: the word, whom it means, and the first reason."""
    state, (name, meaning) = GLYPH[verdict.state], TIER[verdict.tier]
    word = f'<span class="word {state}">{STATE[verdict.state]}</span>'
    said = f'<p class="soft">{meaning}</p><p>{_because(verdict, leak)}</p>'
    return f'<li class="{state}">{glyph(state)}<div><h3>{name}: {word}</h3>{said}</div></li>'


def _found(audit: Audit | None) -> str:
    if audit is None:
        return "These rows were not attacked, so nothing is known of what they give away."
    if not all(control.worked for control in audit.controls) or len(audit.controls) < 2:
        return "The audit did not pass its own trials, so it shows nothing."
    if audit.decision == "pass":
        return "No attack learnt notably more about people in the data than about people who were not in it."
    return "At least one attack found people of the data by what these rows tell."


def _promised(guarantee: Mapping[str, Any] | None, account: Mapping[str, Any] | None, audit: Audit | None) -> str:
    own = None if guarantee is None else figure(guarantee, "epsilon")
    if own is None:
        return "No formal guarantee limits what an attack could learn that was not tried."
    total = figure(account or {}, "epsilon")
    told = f"ε = {loss(own)}" + ("" if total is None else f", in total {loss(max(total, own))} for these people")
    link = f'<a href="#guarantee">{told}</a>'
    if audit is not None and audit.decision != "pass":
        return f"A formal guarantee is claimed ({link}); what was found must be explained before it is believed."
    return f"A formal guarantee limits what any attack can ever learn: {link}."


def _because(verdict: Verdict, leak: str) -> str:
    if verdict.state == "pass":
        days = count(verdict.policy.valid_days, "day")
        return f"All {len(verdict.checks)} checks hold. An approval lapses after {days}."
    first, more = verdict.reasons[0], len(verdict.reasons) - 1
    found = leak if leak and first.what == AUDITED else first.found.partition("; ")[0]
    rest = f" And {count(more, 'more reason')}." if more else ""
    return f"{_sentence(prose(_shortened(found)))}.{rest}"


def _shortened(words: str) -> str:
    """At most so many characters, cut after a word."""
    return words if len(words) <= SHORT else words[:SHORT].rpartition(" ")[0] + " …"


def _sentence(words: str) -> str:
    """HTML text whose first letter is a capital, within the `bdi` that holds it."""
    return re.sub(r"^(<bdi>)([a-z])", lambda found: found[1] + found[2].upper(), words)


def decision(verdicts: Sequence[Verdict], audit: Audit | None) -> Section:
    """Why: the checks that decided, each with the tiers that it decides for."""
    deciding: dict[Check, list[str]] = {}
    for verdict in ordered(verdicts):
        for check in () if verdict.state == "pass" else verdict.reasons:
            deciding.setdefault(check, []).append(TIER[verdict.tier][0])
    items = [_reason(check, tiers, audit) for check, tiers in sorted(deciding.items(), key=lambda item: _rank(item[0]))]
    passed = [TIER[verdict.tier][0] for verdict in ordered(verdicts) if verdict.state == "pass"]
    if passed:
        told = '<p>Every check holds: <a href="#checks">all of them, with what was found</a>.</p>'
        items.append(_item("holds", " · ".join(passed), "Pass", told))
    lead = (
        "Why the gate says so. It decides nothing in your place: a release needs the signatures "
        '<a href="#signing">below</a>.'
    )
    body = f'<ul class="claims">{"".join(items)}</ul>' if items else "<p>The gate was not run.</p>"
    return Section("decision", "Decision", lead, body)


def _rank(check: Check) -> int:
    return STATES.index(check.state)


def _reason(check: Check, tiers: Sequence[str], audit: Audit | None) -> str:
    """One check that does not hold: what it means, for which tiers, and what to do."""
    word = {"block": "Does not hold", "review": "A person must judge"}.get(check.state, "Holds")
    what = {"block": "Blocks", "review": "Holds up"}.get(check.state, "Lets through")
    entries = [
        ("Found", _found_of(check, audit)),
        ("Threshold", prose(check.threshold)),
        (what, ", ".join(tiers)),
        ("What to do", prose(check.todo)),
    ]
    return _item(GLYPH[check.state], prose(check.what), word, f'<dl class="reason">{facts(entries)}</dl>')


def _found_of(check: Check, audit: Audit | None) -> str:
    told = reasons(audit) if check.what == AUDITED else []
    if not told:
        return f"<strong>{prose(check.found)}</strong>"
    left = len(told) - LEAKS
    more = f"<li>and {count(left, 'more result')}</li>" if left > 0 else ""
    return f'<ul class="found">{"".join(f"<li>{prose(item)}</li>" for item in told[:LEAKS])}{more}</ul>'


def _item(state: str, title: str, word: str, body: str) -> str:
    head = f'<h3>{title}</h3><p class="word {state}">{word}</p>'
    return f'<li class="{state}">{glyph(state)}<div>{head}{body}</div></li>'


def people_and_purpose(
    audit: Audit | None, context: Mapping[str, Any], *, guarantee: Mapping[str, Any] | None, schema: Schema | None
) -> Section:
    """Who is concerned and who receives: what is known, and blanks for what only people know."""
    known = [(ASKED["people"], _given(context, "people")), ("Unit", _unit(audit, guarantee))]
    known.append(("How many", _how_many(audit, guarantee)))
    known += [(title, _given(context, name)) for name, title in ASKED.items() if name != "people"]
    known += [
        (text(in_words(visible(name)), 60), text(value, 400))
        for name, value in list(context.items())[:20]
        if name not in ASKED and name not in SIGNING
    ]
    marked = [column.name for column in schema.columns if column.sensitive] if schema is not None else []
    if marked:
        shown = ", ".join(text(name, 40) for name in marked[:20])
        more = f" and {len(marked) - 20} more" if len(marked) > 20 else ""
        known.append(("Columns marked as sensitive", shown + more))
    lead = "Whether anybody can be identified depends on who looks, and with what. The answer is for this recipient."
    return Section("people", "Who, and for whom", lead, f'<dl class="card sheet">{facts(known)}</dl><p>{ASSUMED}</p>')


def _given(context: Mapping[str, Any], name: str) -> str:
    value = context.get(name)
    return text(value, 400) if value else BLANK


def _unit(audit: Audit | None, guarantee: Mapping[str, Any] | None) -> str:
    if guarantee is not None and guarantee.get("unit"):
        return text(guarantee["unit"], 120)
    return "not known" if audit is None else f"one {text(audit.unit, 60)}"


def _how_many(audit: Audit | None, guarantee: Mapping[str, Any] | None) -> str:
    noisy = None if guarantee is None else figure(guarantee, "rows")
    if noisy:
        return f"{people(noisy, private=True)} rows, counted with noise"
    if audit is None:
        return "not known"
    return f"{people(audit.rows.get('train', 0), private=guarantee is not None)} rows behind the made ones"


def sign_off(verdicts: Sequence[Verdict], context: Mapping[str, Any]) -> Section:
    """Expiry, and who signs for what."""
    days = min((verdict.policy.valid_days for verdict in verdicts), default=365)
    given = context.get("expiry")
    until = f"<strong>{text(given, 60)}</strong>" if given else BLANK
    boxes = "".join(f'<span class="choice">{TIER[tier][0]}</span>' for tier in TIERS)
    signers = context.get("signers")
    listed = signers if isinstance(signers, list | tuple) and signers else ROLES
    choice = "".join(f'<span class="choice">{word}</span>' for word in ("approve", "with conditions", "refuse"))
    rows = [(*_signer(signer), choice, '<span class="blank line"></span>') for signer in listed[:SIGNERS]]
    body = (
        f"<h3>Expiry</h3><p>An approval lapses on {until}, at most {count(days, 'day')} after it was signed. It lapses "
        "at once when these people are used for another release, when somebody else receives the rows, when a stronger "
        "attack becomes known, or when somebody is found in them.</p>"
        f'<h3>Approved for</h3><p class="choices">{boxes}</p>'
        f'<h3>Conditions</h3><p class="ruled"></p>'
        f"<h3>Signatures</h3>{table(('Role', 'Name', 'Decision', 'Date and signature'), rows, css='signing')}"
        f"{_bound(verdicts)}"
    )
    lead = "The gate advises; whoever signs decides and answers for it."
    return Section("signing", "Expiry and sign-off", lead, body)


def _signer(signer: object) -> tuple[str, str]:
    if isinstance(signer, Mapping):
        name = signer.get("name")
        return text(signer.get("role") or "Signer", 80), text(name, 80) if name else '<span class="blank line"></span>'
    return text(signer, 80), '<span class="blank line"></span>'


def _bound(verdicts: Sequence[Verdict]) -> str:
    """The digests that bind a signature to what was judged."""
    if not verdicts:
        return ""
    first = verdicts[0]
    told = [(name, digest) for name, digest in (("audit", first.audit), ("record", first.record)) if digest]
    listed = "; ".join(f"{name} <code>{digest}</code>" for name, digest in told)
    return (
        f'<p class="small soft">The signature is for what bears these digests (SHA-256): {listed}.</p>' if told else ""
    )


def all_checks(verdicts: Sequence[Verdict]) -> Section:
    """Every check of the gate once, with the tiers that it speaks for."""
    found: dict[Check, list[str]] = {}
    for verdict in ordered(verdicts):
        for check in verdict.checks:
            found.setdefault(check, []).append(TIER[verdict.tier][0])
    whole = len(verdicts)
    rows = [
        (
            prose(check.what) + f'<span class="under small soft">{_for(tiers, whole)}</span>',
            prose(check.found),
            prose(check.threshold),
            f'<span class="word {GLYPH[check.state]}">{STATE[check.state]}</span>',
        )
        for check, tiers in sorted(found.items(), key=lambda item: _rank(item[0]))[:CHECKS]
    ]
    lead = "Everything that the gate asked, with the circles of readers that the answer counts for."
    return Section("checks", "All checks", lead, table(("Asked", "Found", "Threshold", "Leads to"), rows))


def _for(tiers: Sequence[str], whole: int) -> str:
    return "" if len(tiers) == whole else f"for {', '.join(tiers)}"
