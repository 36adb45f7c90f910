"""The reports of a run as files: for people and for programs, for users and for the data-protection officer."""

from __future__ import annotations

from typing import Any

from tuckpoint.outcome import Made, Measured
from tuckpoint.release import AUDIT, Audited
from tuckpoint.report.officer import officer_json, officer_page
from tuckpoint.report.page import as_json, page
from tuckpoint.settings import typed


@typed
def pages_of(result: Made | Measured | Audited) -> dict[str, str]:
    """Pages as text by file name, for `Made.save(folder, pages=...)`.

    `report.html` and `report.json` of what was measured; of what was audited `audit.html` and the same for programs,
    `officer.json`, with figures rounded, and for an audit alone the evidence itself, `audit.json`.
    """
    if isinstance(result, Audited):
        return {**_officer(result), AUDIT: result.evidence()}
    measured = result.measured if isinstance(result, Made) else result
    told: dict[str, Any] = {
        "schema": measured.schema,
        "record": measured.about,
        "title": measured.title,
        "repeat": measured.commands,
        "rules": measured.rules,
    }
    reports = {"report.html": page(measured.evaluation, **told), "report.json": as_json(measured.evaluation, **told)}
    return reports if measured.audited is None else {**reports, **_officer(measured.audited)}


def _officer(audited: Audited) -> dict[str, str]:
    account = None if audited.account is None else audited.account.to_dict()
    told: dict[str, Any] = {
        "verdicts": audited.verdicts,
        "record": audited.about,
        "guarantee": audited.promise,
        "schema": audited.schema,
        "ledger": None if account is None else account["spends"],
        "account": account,
        "context": audited.context,
        "title": audited.title,
        "commands": audited.commands,
    }
    return {"audit.html": officer_page(audited.audit, **told), "officer.json": officer_json(audited.audit, **told)}
