"""The annex for the officer: what is not covered, methods with their sources, thresholds, how to repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import Verdict
from tuckpoint.measure.limits import AUDIT
from tuckpoint.report.chart import text
from tuckpoint.report.officer_words import COVERED_NOT, NOT_BEYOND, NOT_FORMAL, SCORES, SOURCES, UNKNOWN, label
from tuckpoint.report.sheet import Section, table

MARGIN = (
    "Attacks that tell people apart count as a leak only if they are surely right more often than in "
    f"{100 * AUDIT.membership:.0f} of 100 cases (ε = {AUDIT.negligible:g}): every figure bears a trace of those it was "
    "taken from. Copied rows and published values know no such margin; copied rows have a share of the error rate to "
    "themselves."
)
NOTES = 30
COMMANDS = 20
THRESHOLDS = {
    "public_epsilon": "Publication: total ε at most",
    "partner_epsilon": "A named partner: total ε at most",
    "delta_people": "δ at most one in this many times the number of people",
    "power": "Share of trials in which copied rows must be found",
    "valid_days": "Days that an approval may stand",
    "public_needs_ledger": "Publication needs a ledger",
}


def uncovered(audit: Audit | None, *, private: bool) -> Iterator[str]:
    """What neither the guarantee nor the audit speaks of, one sentence each."""
    yield from COVERED_NOT
    yield from NOT_BEYOND if private else NOT_FORMAL
    yield from () if audit is None else audit.notes


def not_covered(audit: Audit | None, *, private: bool) -> Section:
    """What is not covered, as a list."""
    every = list(uncovered(audit, private=private))
    items = "".join(f"<li>{text(item, 300)}</li>" for item in every[:NOTES])
    left = len(every) - NOTES
    more = f'<li class="soft">and {left} more in the JSON</li>' if left > 0 else ""
    lead = "Neither guarantee nor audit says anything about these. Who signs should have thought of them."
    return Section("limits", "What is not covered", lead, f'<ul class="lines">{items}{more}</ul>')


def method(audit: Audit | None, verdicts: Sequence[Verdict]) -> Section:
    """Each attack and its source, what regulators ask, and the thresholds of the gate."""
    names = {} if audit is None else {finding.score.name: finding for finding in reversed(audit.findings)}
    parts = []
    for name, finding in reversed(names.items()):
        known = SCORES.get(name)
        does, source = (UNKNOWN, "") if known is None else (known.does, known.source)
        told = f'{escape(does)} <span class="soft">{escape(source)}</span>'
        parts.append(f"<div><dt>{text(label(finding))}</dt><dd>{told}</dd></div>")
    attacks = f'<dl class="method">{"".join(parts[:40])}</dl>' if parts else ""
    asked = "".join(f"<li>{escape(source)}</li>" for source in SOURCES)
    rules = f'<h3>What is answered here, and for whom</h3><ul class="lines">{asked}</ul>'
    body = f"<p>{MARGIN}</p>{attacks}{rules}{_thresholds(verdicts)}"
    lead = (
        "Every attack is run on people who were in the data and on others who were not, kept aside by chance. Only "
        "what goes beyond the second is a leak. All results share one error rate of 5% (Holm 1979). Lines and brackets "
        "are 95% intervals. Figures are rounded and capped, since exact answers about real rows give rows away "
        "(ReconSyn, arXiv 2312.05114)."
    )
    return Section("method", "Method and sources", lead, body)


def _thresholds(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    told = asdict(verdicts[0].policy)
    rows = [
        (THRESHOLDS.get(name, text(name, 40)), ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}")
        for name, value in told.items()
    ]
    heads = ("Threshold of the gate", "Set to")
    return f"<h3>Thresholds of the gate</h3>{table(heads, rows, right=heads[1:], css='pairs')}"


def repetition(
    verdicts: Sequence[Verdict], record: Mapping[str, Any], commands: Sequence[str], *, private: bool
) -> Section:
    """The commands that make and audit the same again, with the versions and digests."""
    maker = record.get("maker")
    maker = maker if isinstance(maker, Mapping) else {}
    first = verdicts[0] if verdicts else None
    known = [
        ("Judged by tuckpoint", None if first is None else first.version),
        ("Made by tuckpoint", maker.get("version")),
        ("Engine", maker.get("engine")),
        ("Digest of the model", maker.get("model")),
        ("Digest of the recipe", record.get("recipe")),
        ("Digest of the audit", None if first is None else first.audit),
        ("Digest of the record", None if first is None else first.record),
    ]
    rows = [(name, f"<code>{text(value, 80)}</code>") for name, value in known if value is not None]
    listed = "\n".join(text(command, 400) for command in commands[:COMMANDS])
    told = f"<pre><code>{listed}</code></pre>" if listed else "<p>No command was recorded.</p>"
    lead = "The same inputs, seed and version give the same audit and the same verdict."
    if private:
        lead += (
            " A private fit gives other rows each time: its noise cannot be repeated, or it could be taken off again."
        )
    return Section("repeat", "How to repeat", lead, told + table(("What", "Which"), rows))
