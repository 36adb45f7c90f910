"""Fabricated privacy assessments of every kind, for looking at the page; no number here was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from measure.audits import GUARANTEE, audit, broken, record
from report import fabricate, hostile

from tuckpoint.measure.finding import Audit, Control, Criterion, Exposed, Finding
from tuckpoint.measure.gate import TIERS, Verdict, gate
from tuckpoint.report.officer import officer_json, officer_page
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.score import Score

NAMES = tuple(name for name in hostile.NAMES if name != "\ud800")  # no table holds text that is no Unicode
CONTEXT = {
    "people": "Adults of the 1994 census sample, residents of one country",
    "purpose": "Teaching and software tests",
    "legal_basis": "Article 6(1)(e) GDPR; opinion of 3 March",
    "recipient": "Two universities named in the contract",
    "side_knowledge": "Public registers of names and addresses; the published census tables",
    "expiry": "31 December 2027",
    "signers": [{"role": "Data-protection officer", "name": "A. Example"}, "Head of the data office"],
}
ACCOUNT: dict[str, Any] = {
    "populations": ["census 1994"], "unit": "person", "policy": {"epsilon": 10.0, "delta": 1e-6}, "epsilon": 2.9,
    "delta": 1e-9, "rho": 0.105, "failure": 0.0, "epsilon_left": 6.1,
}  # fmt: skip
LEDGER: list[dict[str, Any]] = [
    {
        "number": 2, "time": "2026-03-04T09:12:44Z", "who": "m.muster", "purpose": "first trial of the twin",
        "mechanism": "marginals", "rho": 0.0319, "delta": 0.0, "epsilon_alone": 1.5, "state": "spent",
    },
    {
        "number": 5, "time": "2026-11-02T15:40:03Z", "who": "m.muster", "purpose": "release for teaching",
        "mechanism": "marginals", "rho": 0.0731, "delta": 0.0, "epsilon_alone": 2.4, "state": "reserved",
    },
]  # fmt: skip
COMMANDS = (
    "tuckpoint make people.csv --private 2.4 --unit person -o out/",
    "tuckpoint audit people.csv out/data.parquet --holdout held.csv -o audit.html",
    "tuckpoint gate out/ --tier public",
)


def public_schema() -> Schema:
    """The fabricated schema with domains that nobody read off the rows."""
    known = [
        replace(column, domain=replace(column.domain, provenance="expert" if i % 3 else "public"))
        if column.domain
        else column
        for i, column in enumerate(fabricate.schema().columns)
    ]
    return replace(fabricate.schema(), columns=tuple(known))


def verdicts(found: Audit | None, private: dict[str, Any] | None, **given: Any) -> tuple[Verdict, ...]:
    """What the gate says for every tier."""
    base = {"audit": found, "record": record(private), "guarantee": private}
    return tuple(gate(tier, **{**base, **given}) for tier in TIERS)


def given(kind: str) -> dict[str, Any]:
    """All arguments of a page: `private`, `internal`, `leaky`, `invalid`, `unaudited`, `foreign` or `empty`."""
    private = GUARANTEE if kind in ("private", "leaky") else None
    account = ACCOUNT if private else None
    found: Audit | None = audit(leaky=kind == "leaky", claimed=private and private["epsilon"])
    if kind == "invalid":
        found = broken(audit(), "leaky copy")
    if kind in ("unaudited", "empty"):
        found = None
    told = None if kind in ("foreign", "empty") else record(private)
    judged = () if kind == "empty" else verdicts(found, private, record=told, account=account)
    return {
        "audit": found, "verdicts": judged, "record": told, "guarantee": private, "title": "people",
        "schema": None if kind == "empty" else public_schema() if private else fabricate.schema(),
        "ledger": LEDGER if private else None, "account": account, "commands": COMMANDS,
        "context": CONTEXT if kind in ("private", "leaky") else None,
    }  # fmt: skip


KINDS = ("private", "internal", "leaky", "invalid", "unaudited", "foreign", "empty")


def page_of(kind: str, **changes: Any) -> str:
    """The page of one kind."""
    asked = {**given(kind), **changes}
    return officer_page(asked.pop("audit"), **asked)


def json_of(kind: str, **changes: Any) -> str:
    """The JSON of one kind."""
    asked = {**given(kind), **changes}
    return officer_json(asked.pop("audit"), **asked)


def hostile_audit(names: tuple[str, ...]) -> Audit:
    """An audit whose every text is hostile."""
    found = audit(leaky=True)
    criteria: tuple[Criterion, ...] = (
        "copying",
        "membership",
        "singling out",
        "linkability",
        "inference",
        "worst case",
    )
    odd = []
    for i, name in enumerate(names):
        like = found.findings[i % 7].score
        score = replace(like, name=name, subject=(name, name), why=name, advice=name)
        odd.append(Finding(name, criteria[i % 6], score, 0.5, 0.5))
    odd += [Finding(name, "inference", Score("unmeasured", None, subject=(name,), why=name)) for name in names[:3]]
    controls = tuple(Control(control.name, True, 0.5, names[0], names[i]) for i, control in enumerate(found.controls))
    worst = tuple(Exposed(i, name, 0.5) for i, name in enumerate(names))
    return replace(
        found,
        unit=names[0],
        findings=(*found.findings, *odd),
        reasons=names,
        notes=names,
        controls=controls,
        worst=worst,
    )


def hostile_given(names: tuple[str, ...] = NAMES, *, columns: int = 0) -> dict[str, Any]:
    """Arguments of a page in which everything that can be text is hostile."""
    found = hostile_audit(names)
    private = {**GUARANTEE, "unit": names[0], "neighbours": names[1], "mechanism": names[2], "spent": {names[3]: 1.0}}
    entry = {"number": names[0], "time": names[1], "who": names[2], "purpose": names[3], "mechanism": names[4]}
    account = {**ACCOUNT, "populations": list(names)}
    wide = [
        Column(f"{i} {names[i % len(names)]}", "category", "string", domain=Domain("public")) for i in range(columns)
    ]
    told = {**hostile.record(), "maker": {"engine": names[0], "version": names[1], "model": names[2]}}
    return {
        "audit": found,
        "verdicts": verdicts(found, private, record=told, account=account, failure=names[0]),
        "record": told, "guarantee": private, "schema": Schema(tuple(wide)) if wide else hostile.schema(),
        "ledger": [{**entry, "state": name, "rho": 0.1, "epsilon_alone": 1.0} for name in names],
        "account": account, "title": names[3], "commands": hostile.NAMES,
        "context": {
            **{name: name for name in hostile.NAMES}, "people": names[0], "expiry": names[1],
            "signers": [{"role": names[2], "name": names[3]}, *names],
        },
    }  # fmt: skip
