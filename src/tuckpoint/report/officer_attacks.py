"""The attacks for the officer: people in the data beside people outside it, the audit's own trials, the worst off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuckpoint.measure.checks import beside_leaks, leaks
from tuckpoint.measure.finding import Audit, Control, Finding
from tuckpoint.report import officer_chart as chart
from tuckpoint.report.chart import glyph, prose, text
from tuckpoint.report.officer_figures import (
    LEAST_P,
    guessing,
    limit_of,
    members,
    on_excess,
    outsiders,
    outward,
    p_value,
    percent,
    proven,
    rounded,
)
from tuckpoint.report.officer_words import QUESTIONS, by, label, outcome
from tuckpoint.report.sheet import Section, table
from tuckpoint.report.words import count

DRAWN = 4  # attacks of one kind that are drawn, the worst first
LISTED = 60  # findings in the table of all figures
EXPOSED = 10
ORDER = ("Leak", "Might be above its limit", "Not measured", "No leak", "Within its limit", "Shown, decides nothing")
CONTROL = {"leaky copy": "A leaky copy must be caught", "other real people": "Other real people must pass"}


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with the worst first: leaks, then what is above its limit; among equals the largest excess."""

    def rank(finding: Finding) -> tuple[int, float, str]:
        score = finding.score
        excess = (score.value or 0.0) - (score.reference or 0.0)
        return ORDER.index(outcome(finding)[1]), -excess, finding.key

    return sorted(findings, key=rank)


def reasons(audit: Audit | None) -> list[str]:
    """What blocks an audit, in plain words: what made it fail, then the leaks, the worst first."""
    return [] if audit is None else [*beside_leaks(audit), *map(_in_short, leaks(audit))]


def _in_short(finding: Finding) -> str:
    inside, outside, how = members(finding.score), outsiders(finding.score), by(finding).partition(" (")[0]
    named = f"{label(finding)}{f' ({how})' if how else ''}"
    if inside is None:
        return named
    other = "50% by guessing" if outside is None else f"{percent(outside.value)} outside of it"
    return f"{named}: {percent(inside.value)} in the data, {other}"


def three(audit: Audit | None, *, bounded: bool) -> list[Section]:
    """Singling out, linkability and inference: a section each, whatever was found or not.

    `bounded` says whether the limits of attacks decide, here and below: they do where no formal guarantee counts.
    """
    return [
        Section(criterion.split()[0], title, question, _drawn(audit, (criterion,), bounded=bounded))
        for criterion, (title, question) in QUESTIONS.items()
    ]


def copies_and_members(audit: Audit | None, *, bounded: bool) -> Section:
    """Copying and membership, and what they prove of the privacy loss."""
    lead = "Were rows or values of real people copied, and can somebody tell who was in the data at all?"
    return Section("copies", "Copying and membership", lead, _drawn(audit, ("copying", "membership"), bounded=bounded))


def _drawn(audit: Audit | None, criteria: Sequence[str], *, bounded: bool) -> str:
    own = [] if audit is None else ordered(item for item in audit.findings if item.criterion in criteria)
    if not own:
        return "<p>It was not tried. What was not tried does not pass.</p>"
    measured = [item for item in own if item.score.value is not None]
    shown, missing = measured[:DRAWN], [item for item in own if item.score.value is None]
    parts = [_verdict_line(own, bounded=bounded), chart.key() if shown else ""]
    parts += [_trial(item) for item in shown]
    if len(measured) > len(shown):
        rest = count(len(measured) - len(shown), "more result")
        parts.append(f'<p class="soft"><a href="#figures">{rest} among all figures</a>, none worse than these.</p>')
    parts += [f'<p class="soft">{text(label(item))}: not measured: {prose(item.score.why)}</p>' for item in missing[:4]]
    return "".join(parts)


def _verdict_line(own: Sequence[Finding], *, bounded: bool) -> str:
    """How many of the results are bad, in one sentence."""
    states = [outcome(item)[1] for item in own]
    leaks, above, missing = (states.count(word) for word in ("Leak", "Might be above its limit", "Not measured"))
    measured = len(states) - missing
    state, said = "holds", "No leak found, and every limit holds."
    if leaks:
        state, said = "fails", f"A leak: {leaks} of {count(measured, 'result')} beyond what chance explains."
    elif above:
        state = "review"
        said = f"No leak is proven, but {above} of {count(measured, 'result')} might lie above the limit."
        said += "" if bounded else " Under the formal guarantee the limits do not decide."
    elif not measured:
        state, said = "open", "Nothing could be measured."
    return f'<p class="result">{glyph(state)}<strong>{said}</strong></p>'


def _trial(finding: Finding) -> str:
    """One attack: what it is, the two sides on one axis, the figures in words."""
    score = finding.score
    inside, outside = members(score), outsiders(score)
    assert inside is not None
    state, word = outcome(finding)
    limit = limit_of(score)
    coin = guessing(score)
    marks: list[tuple[float, chart.Mark]] = [(0.5, "guessing")] if coin else []
    marks += [(limit, "limit")] if limit is not None and not on_excess(score) else []
    ends = chart.axis([side for side in (inside, outside) if side], [place for place, _ in marks], guessing=coin)
    told = _told(finding)
    picture = chart.beside(inside, outside, ends=ends, marks=marks, told=" ".join((label(finding), *told)))
    how = by(finding)
    under = f'<span class="under small soft">{text(how, 160)}</span>' if how else ""
    lines = "".join(f"<span>{line}</span>" for line in told)
    return (
        f'<div class="trial"><div><strong>{text(label(finding))}</strong>{under}</div>{picture}'
        f'<div class="told">{lines}<span class="word {state}">{word}</span></div></div>'
    )


def _told(finding: Finding) -> list[str]:
    """The figures of a finding, one short line each."""
    score = finding.score
    inside, outside, limit = members(score), outsiders(score), limit_of(score)
    lines = [] if inside is None else [f"In the data: {inside.told}"]
    if outside is not None:
        lines.append(f"Outside: {outside.told}")
    if guessing(score):
        lines.append("Guessing: 50%")
    if limit is not None and on_excess(score):
        low, high = outward(score.detail["difference_low"], score.detail["difference_high"])
        lines.append(f"Excess: {_points(score.detail['difference'])} points, {_points(low)} to {_points(high)}")
        lines.append(f"Limit of the excess: {_points(limit)} points")
    elif limit is not None:
        lines.append(f"Limit of the upper end: {percent(limit)}")
    return lines


def _points(share: float) -> str:
    return f"{100 * rounded(share):.1f}".removesuffix(".0").replace("-", "−")


def proof(audit: Audit | None, claimed: float | None) -> Section:
    """The privacy loss that the attacks prove at least, beside the claim."""
    lead = "Each person was in the data or held out by chance. So right guesses prove a least privacy loss."
    if audit is None or audit.epsilon.value is None:
        why = "there was no audit" if audit is None else audit.epsilon.why
        return Section("proof", "Proven against claimed", lead, f"<p>Not measured: {prose(why)}</p>")
    least = audit.epsilon.value
    said = f"At least ε = {proven(least)} is proven"
    if claimed is None:
        said += ". Nothing is claimed, so there is no claim that it could contradict."
    elif least > claimed:
        said += f", more than the claimed {claimed:.3g}. <strong>The claim is false.</strong>"
    else:
        said += f"; ε = {claimed:.3g} is claimed. The audit does not contradict the claim."
    rest = "A low figure proves no privacy: the true loss lies between what is proven and what is guaranteed."
    picture = chart.losses(least, claimed, told=said.replace("<strong>", "").replace("</strong>", ""))
    return Section("proof", "Proven against claimed", lead, f"<p>{said} {rest}</p>{picture}")


def trust(audit: Audit | None) -> Section:
    """The audit's own trials: controls and power."""
    lead = "An audit that finds nothing is worth something only if it would have found something."
    if audit is None:
        return Section("trust", "Can the audit be trusted?", lead, "<p>There was no audit.</p>")
    ran = {str(control.name): control for control in audit.controls}
    items = "".join(_control(name, ran.get(name)) for name in CONTROL)
    said = [
        f"<li>{count(item.copied, 'copied row')} would have been found in {item.caught} of {item.trials} trials.</li>"
        for item in sorted(audit.power, key=lambda item: -item.copied)[:6]
    ]
    power = f'<h3>What it would have seen</h3><ul class="lines">{"".join(said)}</ul>' if said else ""
    power = power or "<h3>What it would have seen</h3><p>That was not measured.</p>"
    return Section("trust", "Can the audit be trusted?", lead, f'<ul class="claims">{items}</ul>{power}')


def _control(name: str, control: Control | None) -> str:
    if control is None:
        state, word, said = "fails", "Not run", "Without this trial the audit shows nothing."
    elif control.worked:
        state, word, said = "holds", "As it must be", f"{prose(control.what)} ({_p(control.p)})"
    else:
        state, word, said = (
            "fails",
            "Failed",
            f"{prose(control.what)} ({_p(control.p)}). The audit shows nothing.",
        )
    return (
        f'<li class="{state}">{glyph(state)}<div><h3>{CONTROL[name]}</h3><p class="word {state}">{word}</p>'
        f"<p>{said}</p></div></li>"
    )


def _p(value: float) -> str:
    return f"p {'' if value < LEAST_P else '= '}{p_value(value)}"


def worst_off(audit: Audit | None, *, bounded: bool) -> Section:
    """Unusual people, small groups, and the records that attacks find best."""
    lead = "An average can hide the few whom an attack is sure to find. So they are looked at by themselves."
    exposed = () if audit is None else audit.worst[:EXPOSED]
    rows = [(f"{item.row + 1:,}", text(item.attack, 60), _beyond(item.percentile)) for item in exposed]
    listed = table(("Row of the training file", "Found best by", "More exposed than"), rows, css="pairs")
    told = (
        "<h3>The most exposed records</h3><p>By their row in the training file (row 1 follows the header), for those "
        "who may look there: somebody must be the most exposed of all, also where nothing leaks. Ask whether these "
        "people need more protection.</p>"
    )
    body = _drawn(audit, ("worst case",), bounded=bounded) + (told + listed if listed else "")
    return Section("worst", "Worst cases and minorities", lead, body)


def _beyond(share: float) -> str:
    share = share / 100 if share > 1 else share
    return "over 99% of outsiders" if share >= 0.99 else f"{percent(share)} of outsiders"


def all_figures(audit: Audit | None) -> Section:
    """Every finding, the worst first."""
    own = [] if audit is None else ordered(audit.findings)
    heads = ("Attack", "In the data", "Outside", "p, all together", "ε at least", "Outcome")
    rows = [_figures_row(item) for item in own[:LISTED]]
    left = len(own) - LISTED
    more = (
        f'<p class="soft">And {count(left, "more result")} in the JSON, none worse than these.</p>' if left > 0 else ""
    )
    lead = (
        "Rounded, as this page is itself a release. p: how often chance alone would show as much, all results taken "
        "together (Holm); under 0.05 counts as a leak."
    )
    return Section("figures", "All figures", lead, table(heads, rows, right=heads[1:5]) + more)


def _figures_row(finding: Finding) -> tuple[str, ...]:
    score, inside, outside = finding.score, members(finding.score), outsiders(finding.score)
    state, word = outcome(finding)
    how = by(finding)
    under = f'<span class="under small soft">{text(how, 160)}</span>' if how else ""
    other = outside.told if outside else "guessing 50%" if guessing(score) else ""
    loss = "" if finding.epsilon is None else proven(finding.epsilon)
    return (
        text(label(finding)) + under,
        inside.told if inside else "not measured",
        other,
        p_value(finding.adjusted),
        loss,
        f'<span class="word {state}">{word}</span>',
    )
