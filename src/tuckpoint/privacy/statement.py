"""Statements of account: what was spent on whom, by whom, for what, and what is left; as values, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from tuckpoint.privacy.account import round_up
from tuckpoint.privacy.book import Book, Change, Draw, Holder, Policy, Spend, round_down
from tuckpoint.privacy.chain import Entry

VERSION = 1
_CSV = (
    "population",
    "unit",
    "entry",
    "time",
    "what",
    "state",
    "who",
    "purpose",
    "mechanism",
    "part",
    "columns",
    "rho",
    "delta",
    "epsilon_alone",
    "rows",
    "source_sha256",
    "model_sha256",
)


@dataclass(frozen=True)
class AccountView:
    """One account as it stands: `rho` and `delta` are the exact totals, `epsilon` their loss at the policy's delta.

    `holders` share the account. `epsilon` never errs downwards and is None if outright failures used up delta; it is
    less than the sum of `alone`, the epsilon of each spend by itself (by entry number). `left` is the rho that may
    still be spent, `epsilon_left` the largest epsilon of one more release that fits, at the delta of the policy.
    `over` says that more is spent than the policy allows, which can come from sharing.
    """

    holders: tuple[Holder, ...]
    policy: Policy
    rho: Fraction
    delta: Fraction
    epsilon: float | None
    left: Fraction
    epsilon_left: float
    over: bool
    spends: tuple[Spend, ...]
    draws: tuple[Draw, ...]
    changes: tuple[Change, ...]
    parts: Mapping[str, Mapping[str, tuple[str, ...]]]  # population -> partition -> parts
    alone: Mapping[int, float | None]

    @property
    def populations(self) -> tuple[str, ...]:
        """The names of all that share the account."""
        return tuple(holder.population for holder in self.holders)

    @property
    def unit(self) -> str:
        """What one person is."""
        return self.holders[0].unit

    def total(self) -> dict[str, float | None]:
        """The total for a gate or report: `epsilon` at `delta`, the `rho` behind it, the delta spent outright."""
        return {
            "epsilon": self.epsilon,
            "delta": self.policy.delta,
            "rho": round_up(self.rho),
            "failure": round_up(self.delta),
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; exact amounts as fractions in text, beside floats that never err downwards."""
        return {
            "populations": list(self.populations),
            "unit": self.unit,
            "policy": self.policy.to_dict(),
            **self.total(),
            "rho_exact": str(self.rho),
            "failure_exact": str(self.delta),
            "rho_left": round_down(self.left),
            "epsilon_left": self.epsilon_left,
            "over_policy": self.over,
            "spends": [self._spend(spend) for spend in self.spends],
            "draws": [_told(draw) for draw in self.draws],
            "changes": [_told(change) for change in self.changes],
            "parts": {name: {by: list(parts) for by, parts in split.items()} for name, split in self.parts.items()},
        }

    def _spend(self, spend: Spend) -> dict[str, Any]:
        return {
            **_told(spend),
            "rho": round_up(spend.rho),
            "delta": round_up(spend.delta),
            "rho_exact": str(spend.rho),
            "delta_exact": str(spend.delta),
            "epsilon_alone": self.alone[spend.number],
            "state": state(spend),
        }


def state(spend: Spend) -> str:
    """`spent` once it is closed; before that it is `reserved`, which counts in full."""
    return "reserved" if spend.closed is None else "spent"


def views(book: Book) -> tuple[AccountView, ...]:
    """All accounts, in the order in which they were opened."""
    return tuple(view(book, first) for first in dict.fromkeys(book.first.values()))


def view(book: Book, holder: Holder) -> AccountView:
    """The account of a holder."""
    holders, policy, spends = book.holders(holder), book.policy(holder), book.of(holder)
    rho, delta = book.total(spends)
    left = book.left(holder)
    return AccountView(
        holders=holders,
        policy=policy,
        rho=rho,
        delta=delta,
        epsilon=policy.epsilon_spent(rho, delta),
        left=left,
        epsilon_left=policy.epsilon_fitting(left, delta),
        over=rho > policy.limit(delta) or delta > policy.delta,
        spends=tuple(spends),
        draws=tuple(draw for draw in book.draws if draw.holder in holders),
        changes=tuple(change for change in book.changes if set(change.holders) & set(holders)),
        parts={each.population: dict(book.parts[each]) for each in holders if book.parts[each]},
        alone={spend.number: policy.epsilon_spent(spend.rho, spend.delta) for spend in spends},
    )


def to_json(accounts: Iterable[AccountView], entries: Sequence[Entry]) -> str:
    """Everything: the accounts, and the entries as they stand in the chain.

    The first entry comes without its body, which holds the key of the digests of people.
    """
    plain = {
        "tuckpoint_ledger_export": VERSION,
        "head": entries[-1].digest if entries else None,
        "accounts": [account.to_dict() for account in accounts],
        "entries": [{**asdict(entry), "body": {} if entry.number == 0 else dict(entry.body)} for entry in entries],
    }
    return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def to_csv(accounts: Iterable[AccountView]) -> str:
    """One line for each spend, draw and change, for a spreadsheet.

    Text that a spreadsheet would compute gets an apostrophe in front (OWASP, CSV injection).
    """
    out = io.StringIO()
    table = csv.DictWriter(out, _CSV, restval="", lineterminator="\n")
    table.writeheader()
    for account in accounts:
        for line in sorted((*_spends(account), *_draws(account), *_changes(account)), key=lambda line: line["entry"]):
            table.writerow({name: _cell(value) for name, value in line.items()})
    return out.getvalue()


def _spends(account: AccountView) -> Iterable[dict[str, Any]]:
    for spend in account.spends:
        yield {
            "population": spend.holder.population,
            "unit": spend.holder.unit,
            "entry": spend.number,
            "time": spend.time,
            "what": "release",
            "state": state(spend),
            "who": spend.who,
            "purpose": spend.purpose,
            "mechanism": spend.mechanism,
            "part": spend.part,
            "columns": ", ".join(spend.columns),
            "rho": round_up(spend.rho),
            "delta": round_up(spend.delta),
            "epsilon_alone": account.alone[spend.number],
            "source_sha256": spend.source,
            "model_sha256": spend.model,
        }


def _draws(account: AccountView) -> Iterable[dict[str, Any]]:
    for draw in account.draws:
        yield {
            "population": draw.holder.population,
            "unit": draw.holder.unit,
            "entry": draw.number,
            "time": draw.time,
            "what": f"rows drawn from the model of entry {draw.spend}",
            "state": "free",
            "who": draw.who,
            "purpose": draw.purpose,
            "rho": 0,
            "delta": 0,
            "epsilon_alone": 0,
            "rows": draw.rows,
            "model_sha256": draw.model,
        }


def _changes(account: AccountView) -> Iterable[dict[str, Any]]:
    for change in account.changes:
        yield {
            "population": ", ".join(holder.population for holder in change.holders),
            "unit": account.unit,
            "entry": change.number,
            "time": change.time,
            "what": f"{change.kind}: {change.text}",
            "who": change.who,
            "purpose": change.why,
        }


def _told(value: Spend | Draw | Change) -> dict[str, Any]:
    plain = {name: list(item) if isinstance(item, tuple) else item for name, item in vars(value).items()}
    if isinstance(value, Change):
        return {**plain, "holders": [holder.population for holder in value.holders]}
    return {**plain, "holder": value.holder.population}


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r"):
        return "'" + value
    return "" if value is None else value
