"""The extract of the ledger: what was spent on these people so far, by whom and for what, and what is left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tuckpoint.measure.checks import figure
from tuckpoint.report.chart import text
from tuckpoint.report.officer_promise import loss
from tuckpoint.report.sheet import Section, table
from tuckpoint.report.words import count, scientific

ENTRIES = 30
STATES = {"reserved": "reserved, counts in full", "spent": "spent"}
NO_LEDGER = (
    "<p>No ledger was given. What was spent on these people before is not known, and nothing here counts it.</p>"
)


def spent_so_far(ledger: Sequence[Mapping[str, Any]] | None, account: Mapping[str, Any] | None) -> Section:
    """Every release about these people, latest last, and what is left; that nothing is known without a ledger.

    `ledger` are the spends of an account as plain values, `account` its totals (epsilon, delta, rho, policy,
    epsilon_left, populations).
    """
    lead = "Privacy losses add up over releases about the same people. More rows from one fitted model cost nothing."
    if ledger is None and account is None:
        return Section("ledger", "Spent so far", lead, NO_LEDGER)
    entries = list(ledger or ())
    heads = ("Release", "When", "Who, what for", "State", "ρ", "ε alone")
    listed = table(heads, map(_row, entries[-ENTRIES:]), right=heads[-2:]) or "<p>No release stands in the ledger.</p>"
    left = len(entries) - ENTRIES
    more = f'<p class="soft">{count(left, "earlier entry", "earlier entries")} in the JSON.</p>' if left > 0 else ""
    return Section("ledger", "Spent so far", lead, _balance(account or {}) + listed + more)


def _balance(account: Mapping[str, Any]) -> str:
    policy = account.get("policy")
    policy = policy if isinstance(policy, Mapping) else {}
    delta = figure(account, "delta")
    at = f' <span class="soft">at δ = {scientific(delta)}</span>' if delta else ""
    known = (
        ("Spent in total", figure(account, "epsilon"), at),
        ("Allowed in total", figure(policy, "epsilon"), ""),
        ("Left for one more release", figure(account, "epsilon_left"), ""),
    )
    shown = [(name, f"<b>ε = {loss(value)}</b>{rest}") for name, value, rest in known if value is not None]
    populations = account.get("populations")
    if isinstance(populations, list | tuple) and populations:
        shown.append(("Whose account", text(", ".join(map(str, populations[:8])), 160)))
    listed = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in shown)
    return f'<dl class="facts">{listed}</dl>' if shown else ""


def _row(entry: Mapping[str, Any]) -> tuple[str, ...]:
    named = text(entry.get("release") or entry.get("mechanism") or "a release", 120)
    mark = entry.get("number")
    under = "" if mark is None else f'<span class="under small soft">entry {text(mark, 20)}</span>'
    who = " · ".join(text(entry[part], 120) for part in ("who", "purpose") if entry.get(part))
    state = str(entry.get("state") or entry.get("status") or "")
    known = (figure(entry, "rho"), figure(entry, "epsilon_alone"))
    return (
        named + under,
        text(str(entry["time"])[:10], 20) if entry.get("time") else "",
        who,
        text(STATES.get(state, state), 40) if state else "",
        *("" if value is None else loss(value) for value in known),
    )
