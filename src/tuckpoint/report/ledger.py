"""The accounts of a ledger as text for a terminal: what is spent, what is left, by whom and for what."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from tuckpoint.privacy.book import Change, Draw, Spend
from tuckpoint.privacy.statement import AccountView, state
from tuckpoint.report.lines import NARROWEST, encodable, wrapped
from tuckpoint.report.words import count, visible

SHOWN = 20  # lines of an account, unless all are asked for
LEAD = 46  # columns of a terminal before what a line is about
KINDS = {"open": "opened", "policy": "policy", "share": "shared", "partition": "parts"}


def shown(
    accounts: Sequence[AccountView], *, place: str, width: int = 80, encoding: str = "utf-8", every: bool = False
) -> str:
    """Each account with its balance in words, then its releases, changes and free draws in order.

    `place` says which ledger; of each account the last lines, or `every` one. No line is wider than `width` columns (at
    least 40). What `encoding` cannot show is written in ASCII.
    """
    width = max(width, NARROWEST)
    lines = wrapped(visible(place, 400), width)
    for account in accounts:
        lines += ["", *_account(account, width, every=every)]
    if any(account.spends for account in accounts):
        told = "Epsilon is of each release alone, at the delta of the policy; together they are less than their sum."
        lines += ["", *wrapped(told, width)]
    return encodable("\n".join(lines), encoding, width)


def balance(account: AccountView) -> str:
    """What is spent and what is left, in one or two sentences."""
    policy = account.policy
    if account.epsilon is None:
        spent = f"All of delta {policy.delta:g} is spent, so no epsilon can be told."
    else:
        spent = f"Of epsilon {policy.epsilon:g} at delta {policy.delta:g}, {up(account.epsilon)} is spent."
    if account.over:
        return f"{spent} That is more than the policy allows: nothing more is let through."
    if not account.epsilon_left:
        return f"{spent} Nothing more fits."
    return f"{spent} One more release of up to epsilon {account.epsilon_left:g} fits."


def up(value: float) -> str:
    """A loss in four digits, rounded up."""
    if not value:
        return "0"
    grain = 10.0 ** (math.floor(math.log10(value)) - 3)
    return f"{math.ceil(value / grain * (1 - 1e-9)) * grain:.4g}"


def _account(account: AccountView, width: int, *, every: bool) -> Iterator[str]:
    names = " and ".join(f'"{visible(name)}"' for name in account.populations)
    yield from wrapped(f"{names} per {visible(account.unit)}", width, hang=2)
    yield from wrapped(balance(account), width, indent=2)
    lines = sorted((*_releases(account), *_changes(account), *_draws(account.draws)))
    kept = lines if every else lines[-SHOWN:]
    if len(kept) < len(lines):
        yield from wrapped(f"{count(len(lines) - len(kept), 'earlier line')}: --all", width, indent=2)
    if width - LEAD >= 24:
        yield f"  {'entry':>5}  {'when (UTC)':<16}  {'what':<8}  {'epsilon':>7}  who, what for"
    for number, when, what, epsilon, about in kept:
        yield from _line(f"  {number:>5}  {when[:16].replace('T', ' ')}  {what:<8}  {epsilon:>7}  ", about, width)
    if any(spend.closed is None for spend in account.spends):
        told = "What is reserved counts in full: its run goes on or has crashed, or it was reserved by hand."
        yield from wrapped(told, width, indent=2)


def _line(lead: str, about: str, width: int) -> Iterator[str]:
    """The facts and, beside them or in a narrow window below them, what they are about."""
    if width - LEAD < 24:
        yield from wrapped(lead, width, indent=2)
        yield from wrapped(about, width, indent=4)
        return
    first, *rest = wrapped(about, width - LEAD) or [""]
    yield (lead + first).rstrip()
    for line in rest:
        yield " " * LEAD + line


Line = tuple[int, str, str, str, str]


def _releases(account: AccountView) -> Iterator[Line]:
    for spend in account.spends:
        alone = account.alone[spend.number]
        yield spend.number, spend.time, state(spend), "delta" if alone is None else up(alone), _about(spend, account)


def _about(spend: Spend, account: AccountView) -> str:
    several = len(account.populations) > 1
    facts = [
        spend.who,
        spend.purpose,
        spend.mechanism,
        count(len(spend.columns), "column") if spend.columns else "",
        f"of {spend.holder.population}" if several else "",
        f"part {spend.part}" if spend.part is not None else "",
    ]
    return " · ".join(visible(fact, 120) for fact in facts if fact)


def _changes(account: AccountView) -> Iterator[Line]:
    for change in account.changes:
        yield change.number, change.time, KINDS.get(change.kind, change.kind), "", _why(change)


def _why(change: Change) -> str:
    return " · ".join(visible(fact, 160) for fact in (change.who, change.text, change.why) if fact)


def _draws(draws: Sequence[Draw]) -> Iterator[Line]:
    """One line for all draws from one model, where the last of them stands."""
    for spend in dict.fromkeys(draw.spend for draw in draws):
        mine = [draw for draw in draws if draw.spend == spend]
        who = ", ".join(visible(name) for name in dict.fromkeys(draw.who for draw in mine))
        drawn = f"{count(sum(draw.rows for draw in mine), 'row')} in {count(len(mine), 'draw')}"
        yield mine[-1].number, mine[-1].time, "free", "0", f"{who} · {drawn} from the model of entry {spend}"
