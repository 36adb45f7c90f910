"""An audit, and what the gate says of it, as text for a terminal: decision first, then attacks, trials and the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuckpoint.measure.checks import Check
from tuckpoint.measure.finding import Audit, Finding
from tuckpoint.measure.gate import Verdict
from tuckpoint.report.lines import NARROWEST, encodable, table, wrapped
from tuckpoint.report.officer_attacks import ordered, reasons
from tuckpoint.report.officer_figures import guessing, members, outsiders, proven
from tuckpoint.report.officer_words import STATE, TIER, headline, outcome
from tuckpoint.report.words import count, in_words, visible

SHOWN = 12  # results listed, the worst first
REASONS = 6  # of one tier
MARKS = {"pass": "✓", "review": "–", "block": "✗", "holds": "✓", "open": "–", "fails": "✗"}
COLOURS = {"pass": "32", "review": "33", "block": "31"}


def audited(
    audit: Audit,
    *,
    verdicts: Sequence[Verdict] = (),
    width: int = 80,
    colour: bool = False,
    report: str = "",
    encoding: str = "utf-8",
) -> str:
    """The decision, the worst results of the attacks, what the audit could see, and where the page is.

    No line is wider than `width` columns (at least 40). Colour codes only if asked for. What `encoding` cannot show is
    written in ASCII. Figures are rounded, as on the page.
    """
    width = max(width, NARROWEST)
    rows = audit.rows
    about = (
        f"{count(rows.get('made', 0), 'made row')}, {rows.get('train', 0):,} real, {rows.get('holdout', 0):,} held out"
    )
    lines = [headline(verdicts)[0] if verdicts else _decision(audit)]
    lines += [*wrapped(f"{about}; {count(rows.get('people', 0), 'person', 'people')} a side", width), ""]
    lines += list(_tiers(verdicts, width, colour=colour)) if verdicts else list(_reasons(audit, width, colour=colour))
    lines += ["", *_results(audit, width)] if audit.findings else []
    lines += ["", *_trials(audit, width), ""]
    lines += wrapped("An attack that failed proves only that this one failed.", width)
    lines += wrapped(f"Page: {visible(report, 400)}", width) if report else []
    return encodable("\n".join(lines), encoding, width) + "\n"


def gated(
    verdicts: Sequence[Verdict], *, width: int = 80, colour: bool = False, report: str = "", encoding: str = "utf-8"
) -> str:
    """What the gate says for each tier, with reasons and what to do; options as for `audited`."""
    width = max(width, NARROWEST)
    lines = [*wrapped(headline(verdicts)[0], width), "", *_tiers(verdicts, width, colour=colour)]
    lines += ["", *wrapped(f"Page: {visible(report, 400)}", width)] if report else []
    return encodable("\n".join(lines), encoding, width) + "\n"


def _decision(audit: Audit) -> str:
    if audit.decision == "pass":
        return "No leak found"
    trusted = all(control.worked for control in audit.controls) and len(audit.controls) > 1
    return "Blocked: a leak was found" if trusted else "Blocked: the audit cannot be trusted"


def _coloured(lines: Sequence[str], state: str, *, colour: bool) -> list[str]:
    return [f"\x1b[{COLOURS[state]}m{line}\x1b[0m" for line in lines] if colour else list(lines)


def _tiers(verdicts: Sequence[Verdict], width: int, *, colour: bool) -> Iterator[str]:
    """Each tier with its reasons; reasons that an earlier tier gave are not told again."""
    told: set[Check] = set()
    for verdict in verdicts:
        name, meaning = TIER[verdict.tier]
        head = wrapped(f"{MARKS[verdict.state]} {name}: {STATE[verdict.state]}", width, hang=2)
        yield from _coloured(head, verdict.state, colour=colour)
        if verdict.state == "pass":
            days = f"an approval lapses after {count(verdict.policy.valid_days, 'day')}"
            yield from wrapped(f"{meaning} All {len(verdict.checks)} checks hold; {days}.", width, indent=4)
            continue
        fresh = [check for check in verdict.reasons if check not in told]
        told |= set(fresh)
        for check in fresh[:REASONS]:
            yield from _reason(check, width)
        if len(fresh) > REASONS:
            yield from wrapped(f"and {count(len(fresh) - REASONS, 'more reason')}", width, indent=4)
        if not fresh:
            yield from wrapped("For the reasons above.", width, indent=4)


def _reason(check: Check, width: int) -> Iterator[str]:
    yield from wrapped(f"{visible(check.what, 120)}: {visible(check.found, 400)}", width, indent=4)
    yield from wrapped(f"Threshold: {visible(check.threshold, 200)}", width, indent=6)
    yield from wrapped(f"What to do: {visible(check.todo, 400)}", width, indent=6) if check.todo else ()


def _reasons(audit: Audit, width: int, *, colour: bool) -> Iterator[str]:
    """Why the audit blocks, where no gate was asked."""
    if audit.decision == "pass":
        head = wrapped("✓ No attack learnt notably more about people in the data than about others", width, hang=2)
        yield from _coloured(head, "pass", colour=colour)
    for reason in reasons(audit)[:REASONS]:
        yield from _coloured(wrapped(f"✗ {visible(reason, 400)}", width, hang=2), "block", colour=colour)


def _results(audit: Audit, width: int) -> list[str]:
    """The worst results, in the data beside outside."""
    every = ordered(audit.findings)
    rows = [("Attacks, the worst first", "in the data", "outside", "outcome"), *map(_row, every[:SHOWN])]
    left = len(every) - SHOWN
    return table(rows, width) + (
        wrapped(f"and {count(left, 'more result')} on the page", width, indent=2) if left > 0 else []
    )


def _row(finding: Finding) -> tuple[str, str, str, str]:
    score, inside, outside = finding.score, members(finding.score), outsiders(finding.score)
    beside = [name for name in (finding.attack, *score.subject) if name != score.name]
    named = in_words(visible(score.name)) + (
        f" ({', '.join(visible(name, 30) for name in beside[:3])})" if beside else ""
    )
    other = outside.value_told if outside else "50%" if guessing(score) else ""
    return named, inside.value_told if inside else "–", other, outcome(finding)[1].lower()


def _trials(audit: Audit, width: int) -> Iterator[str]:
    """What is proven, whether the controls worked, and what would have been seen."""
    if audit.epsilon.value is None:
        yield from wrapped(f"Proven loss: not measured: {visible(audit.epsilon.why, 200)}", width, hang=2)
    else:
        claimed = audit.epsilon.reference
        beside = "nothing is claimed" if claimed is None else f"{claimed:.3g} is claimed"
        yield from wrapped(f"Proven: epsilon is at least {proven(audit.epsilon.value)}; {beside}", width, hang=2)
    told = {"leaky copy": "a leaky copy was caught", "other real people": "other real people passed"}
    for control in audit.controls:
        word = told[control.name] if control.worked else f"FAILED: {control.name}: {visible(control.what, 120)}"
        yield from wrapped(f"Control: {word}", width, hang=2)
    if not audit.controls:
        yield from wrapped("Controls: none was run, so the audit shows nothing", width, hang=2)
    for power in sorted(audit.power, key=lambda power: -power.copied)[:3]:
        said = f"{count(power.copied, 'copied row')} would have been found in {power.caught} of {power.trials} trials"
        yield from wrapped(f"Power: {said}", width, hang=2)
