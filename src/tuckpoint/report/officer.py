"""The page for the data-protection officer: what the gate decided, what protects these people, who signs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tuckpoint.measure.checks import BOUNDS, figure
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import Verdict
from tuckpoint.report.chart import text
from tuckpoint.report.officer_attacks import all_figures, copies_and_members, proof, reasons, three, trust, worst_off
from tuckpoint.report.officer_decision import all_checks, decision, outcome, people_and_purpose, sign_off
from tuckpoint.report.officer_figures import people, told_audit
from tuckpoint.report.officer_ledger import spent_so_far
from tuckpoint.report.officer_method import method, not_covered, repetition, uncovered
from tuckpoint.report.officer_promise import promise
from tuckpoint.report.officer_words import GLYPH, headline
from tuckpoint.report.sections import without_values
from tuckpoint.report.sheet import LIMIT_BYTES, Head, Section, sheet
from tuckpoint.report.words import count, visible
from tuckpoint.schema import Schema

VERSION = 1
BANNER = (
    "<strong>Internal page.</strong> It tells figures of real people, rounded but without noise, and points at records "
    "of the real table. It is for those who decide and sign, and no part of what they release."
)


def officer_page(
    audit: Audit | None,
    *,
    verdicts: Sequence[Verdict],
    record: Mapping[str, Any] | None,
    guarantee: Mapping[str, Any] | None,
    schema: Schema | None,
    ledger: Sequence[Mapping[str, Any]] | None = None,
    account: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    title: str,
    commands: Sequence[str] = (),
) -> str:
    """The whole page as HTML under 400 kB, without scripts and without anything to load, fit to be printed and signed.

    `record` and `guarantee` are what their `to_dict` gives, `account` the ledger's total on these people and `ledger`
    its spends, `commands` what makes and audits the same again. `context` holds what only people know: `people`,
    `purpose`, `legal_basis`, `recipient`, `side_knowledge`, `controls`, `expiry`, `signers` (a list of roles, or of
    mappings with `role` and `name`); what is not given is left as a blank to fill in. Figures are rounded, as
    `officer_figures` says.
    """
    record, context = record or {}, context or {}
    claimed = None if guarantee is None else figure(guarantee, "epsilon")
    bounded = any(check.what.startswith(BOUNDS) for verdict in verdicts for check in verdict.checks)
    html = ""
    for named in (120, 30, 5):
        sections = [
            decision(verdicts, audit),
            people_and_purpose(audit, context, guarantee=guarantee, schema=schema),
            promise(guarantee, account=account, record=record, schema=schema, named=named),
            *three(audit, bounded=bounded),
            copies_and_members(audit, bounded=bounded),
            proof(audit, claimed),
            trust(audit),
            worst_off(audit, bounded=bounded),
            spent_so_far(ledger, account),
            not_covered(audit, private=guarantee is not None),
            sign_off(verdicts, context),
            all_checks(verdicts),
            all_figures(audit),
            method(audit, verdicts),
            repetition(verdicts, record, commands, private=guarantee is not None),
        ]
        html = _fill(
            audit, sections, verdicts=verdicts, guarantee=guarantee, account=account, record=record, title=title
        )
        if len(html.encode()) < LIMIT_BYTES:
            break
    return html


def _fill(
    audit: Audit | None,
    sections: Sequence[Section],
    *,
    verdicts: Sequence[Verdict],
    guarantee: Mapping[str, Any] | None,
    account: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    title: str,
) -> str:
    said, state = headline(verdicts)
    head = Head(
        title=f"{visible(title, 120)} · privacy assessment",
        description="Privacy assessment of synthetic data, made by tuckpoint.",
        banner=BANNER,
        heading=f"Privacy assessment of {text(title, 120)}",
        about=_about(audit, record, private=guarantee is not None),
        state="open" if state is None else GLYPH[state],
        headline=said,
        outcome=outcome(audit, verdicts, guarantee=guarantee, account=account),
    )
    return sheet(head, sections, legend="Figures are rounded.", styles=("style.css", "officer.css"))


def _about(audit: Audit | None, record: Mapping[str, Any], *, private: bool) -> str:
    maker = record.get("maker")
    engine = maker.get("engine") if isinstance(maker, Mapping) else None
    facts = []
    if audit is not None:
        rows = audit.rows
        facts.append(count(rows.get("made", 0), "made row"))
        facts.append(f"{people(rows.get('train', 0), private=private)} real rows behind them")
        facts.append(f"{people(rows.get('holdout', 0), private=private)} held out")
    facts += [f"engine {text(engine, 40)}"] if engine else ["engine not known"]
    return " · ".join(facts)


def officer_json(
    audit: Audit | None,
    *,
    verdicts: Sequence[Verdict],
    record: Mapping[str, Any] | None,
    guarantee: Mapping[str, Any] | None,
    schema: Schema | None,
    ledger: Sequence[Mapping[str, Any]] | None = None,
    account: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    title: str,
    commands: Sequence[str] = (),
) -> str:
    """The same for machines, with the same rounding and nothing left out for want of room."""
    private = guarantee is not None
    told = None if audit is None else {**told_audit(audit, private=private), "reasons": reasons(audit)}
    value = {
        "tuckpoint_officer": VERSION,
        "internal": True,
        "title": title,
        "headline": headline(verdicts)[0],
        "verdicts": [verdict.to_dict() for verdict in verdicts],
        "context": dict(context or {}),
        "guarantee": None if guarantee is None else dict(guarantee),
        "account": None if account is None else dict(account),
        "ledger": None if ledger is None else [dict(entry) for entry in ledger],
        "audit": told,
        "not_covered": list(uncovered(audit, private=private)),
        "schema": None if schema is None else without_values(schema).to_dict(),
        "record": dict(record or {}),
        "commands": list(commands),
    }
    return json.dumps(value, indent=2, allow_nan=False) + "\n"
