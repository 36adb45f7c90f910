"""The ledger: what has been spent on which people, by whom and for what, reserved before their data are touched.

A reservation counts in full from the moment it is on the disk. A run that crashes leaves it as it is, and nothing
cancels it: nobody could prove that no result was seen. Closing it can only lower it to what was really spent.
"""

from __future__ import annotations

import getpass
import hmac
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, TraceError, count
from tuckpoint.privacy import admission, chain, statement
from tuckpoint.privacy.book import Book, Holder, Policy, Spend, exact, text
from tuckpoint.privacy.chain import Entry, Log
from tuckpoint.privacy.lock import WAIT_S
from tuckpoint.privacy.noise import uniform
from tuckpoint.privacy.posting import VERSION, enter, opened
from tuckpoint.privacy.statement import AccountView

VARIABLE = "TUCKPOINT_LEDGER"
STAMPED = "ledger"  # the entry of a record's `privacy` that bears the digest of the closing entry


def default_path() -> Path:
    """Where the ledger is unless it is named: what TUCKPOINT_LEDGER says, else a file in the user's state folder."""
    if named := os.environ.get(VARIABLE):
        return Path(named).expanduser()
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return home / "tuckpoint" / "ledger.jsonl"


def user() -> str:
    """The name under which the user is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name for this number
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


@dataclass(frozen=True)
class Reservation:
    """A budget that is set aside; `opened` says that the account is new, `digest` is that of its entry."""

    number: int
    digest: str
    holder: Holder
    rho: Fraction
    delta: Fraction
    opened: bool


@dataclass(frozen=True)
class Ledger:
    """A ledger file. Reading makes nothing; whatever writes waits up to `wait_s` seconds for other writers.

    Every method raises TraceError if the file was altered, PrivacyError if another process holds it for too long.
    """

    path: Path
    wait_s: float = WAIT_S

    @classmethod
    def at(cls, path: str | Path | None = None) -> Ledger:
        """The ledger at this place, or at the default one."""
        return cls(default_path() if path is None else Path(path).expanduser())

    def reserve(
        self,
        *,
        population: str,
        unit: str,
        rho: float | Fraction,
        delta: float | Fraction = 0,
        mechanism: str,
        columns: Sequence[str] = (),
        purpose: str = "",
        who: str | None = None,
        part: str | None = None,
        source: str | None = None,
        people: Iterable[str] | None = None,
        policy: Policy | None = None,
    ) -> Reservation:
        """Set a budget aside, before the data are touched; when this returns it is on the disk.

        `rho` is the most zCDP that may be spent, `delta` the most chance of outright failure beside it (not the delta
        at which rho is told as epsilon). `source` is the digest of the table and `people` are the identifiers of its
        units: who is charged under one name is not charged again under another. `policy` is that of an account which
        this opens. Raises PrivacyError if the policy does not allow it, the amount cannot be counted, the part was not
        declared, or these people have another account: then nothing is written.
        """
        holder = _holder(population, unit)
        amounts = {"rho": str(exact("rho", rho)), "delta": str(exact("delta", delta))}
        body = {
            **holder._asdict(),
            "part": part,
            **amounts,
            "mechanism": text("mechanism", mechanism),
            "columns": list(columns),  # whatever a table calls them
            **_said(who, purpose=purpose),
            "source": source,
        }
        with self._writing() as desk:
            body["people"] = _digest(desk.book.key, people)
            admission.check_people(desk.book, holder, part, body["source"], body["people"])
            new = holder not in desk.book.first
            if new:
                desk.open(holder, policy or Policy(), body["who"], "opened by the first reservation")
            spend = desk.book.spends[desk.post("reserve", body).number]
            admission.check_policy(desk.book, spend)
        return Reservation(spend.number, spend.digest, holder, spend.rho, spend.delta, new)

    def spend(
        self, reservation: Reservation, *, rho: float | Fraction, delta: float | Fraction = 0, model: str | None = None
    ) -> str:
        """Close a reservation with what was really spent and the digest of the model; the digest to stamp into files.

        Raises PrivacyError if that is more than was reserved, or it is closed or unknown; then it counts as it was.
        """
        amounts = {"rho": str(exact("rho", rho)), "delta": str(exact("delta", delta))}
        closing = {"reservation": reservation.number, "reserved": reservation.digest, **amounts, "model": model}
        with self._writing() as desk:
            return desk.post("spent", closing).digest

    def drawn(self, model: str, rows: int, *, purpose: str = "", who: str | None = None) -> str:
        """Note that rows were drawn from a fitted model, which is free; the digest of the entry.

        Raises InputError if no release in this ledger made that model (see `made`).
        """
        said = _said(who, purpose=purpose)
        with self._writing() as desk:
            spend = _made(desk.book, model)
            if spend is None:
                raise InputError(
                    f"no release in {self.path} made model {model[:12]}...; name its ledger: --ledger FILE"
                )
            return desk.post("drawn", {"reservation": spend.number, "model": model, "rows": rows, **said}).digest

    def set_policy(self, population: str, unit: str, policy: Policy, *, why: str, who: str | None = None) -> None:
        """Change what may be spent on an account and all that share it, or open the account with this policy.

        Raises PrivacyError if more is spent already.
        """
        holder, said = _holder(population, unit), _said(who, why=why)
        with self._writing() as desk:
            if holder in desk.book.first:
                admission.check_spent(desk.book, holder, policy)
                desk.post("policy", {**holder._asdict(), "policy": policy.to_dict(), **said})
            else:
                desk.open(holder, policy, said["who"], said["why"], on_purpose=True)

    def share(self, populations: Sequence[str], unit: str, *, why: str, who: str | None = None) -> None:
        """Declare that populations have people in common: from then on they are one account, and their spends add up.

        The stricter of their policies holds for all. Raises InputError for unknown accounts or if they are one already.
        """
        holders, said = [_holder(name, unit) for name in populations], _said(who, why=why)
        with self._writing() as desk:
            book = desk.book
            for holder in holders:
                book.check(holder)
            spends = {spend.number: spend for holder in holders for spend in book.of(holder)}
            _, delta = book.total(spends.values())
            strictest = min((book.policy(holder) for holder in holders), key=lambda policy: policy.limit(delta))
            names = [holder.population for holder in holders]
            desk.post("share", {"unit": unit, "populations": names, "policy": strictest.to_dict(), **said})

    def partition(
        self, population: str, unit: str, name: str, parts: Sequence[str], *, why: str, who: str | None = None
    ) -> None:
        """Declare parts of a population that never have anybody in common: of what is spent on them the most counts.

        It opens the account if there is none. Raises PrivacyError if the name or a part is declared already.
        """
        holder, said = _holder(population, unit), _said(who, why=why)
        named = {"name": text("partition", name), "parts": [text("part", part) for part in parts]}
        with self._writing() as desk:
            if holder not in desk.book.first:
                desk.open(holder, Policy(), said["who"], said["why"])
            desk.post("partition", {**holder._asdict(), **named, **said})

    def accounts(self) -> tuple[AccountView, ...]:
        """All accounts as they stand; none if there is no ledger yet."""
        return statement.views(self._book())

    def account(self, population: str, unit: str) -> AccountView:
        """One account as it stands; raises InputError if there is none."""
        book, holder = self._book(), _holder(population, unit)
        book.check(holder)
        return statement.view(book, holder)

    def charged(self, *, source: str | None = None, people: Iterable[str] | None = None) -> tuple[Holder, ...]:
        """Under which names these very people were charged before, latest first: the population to charge again."""
        book = self._book()
        digest = _digest(book.key, people)
        found = [spend.holder for spend in reversed(book.spends.values()) if admission.same(spend, source, digest)]
        return tuple(dict.fromkeys(found))

    def made(self, model: str) -> Spend | None:
        """The release that made a model, by the model's digest; None if it is not in this ledger."""
        return _made(self._book(), model)

    def head(self) -> str | None:
        """The digest of the last entry; None if there is no ledger yet."""
        log = chain.read(self.path)
        return log.head if log.entries else None

    def verify(self, head: str | None = None) -> Log:
        """Check the whole file, and that the digest `head`, which a stamped file bears, stands in it.

        Raises InputError if there is no ledger, TraceError if it was altered, deleted, rolled back or is another one.
        """
        log = chain.read(self.path)
        opened(log.entries)
        if head is not None and head not in {entry.digest for entry in log.entries}:
            held = f"{self.path} holds {count(len(log.entries), 'entry', 'entries')}"
            there = held if log.entries else f"there is no {self.path}"
            raise TraceError(
                f"no entry {head[:12]}... in the ledger: {there}, and that entry is not among them. It was deleted or "
                "rolled back, or this is another ledger: name the right one with --ledger, or bring back a copy"
            )
        if not log.entries:
            raise InputError(f"no ledger at {self.path}: nothing was reserved there yet")
        return log

    def to_json(self) -> str:
        """Everything, for programs; without the key of the digests of people."""
        entries = chain.read(self.path).entries
        return statement.to_json(statement.views(opened(entries)), entries)

    def to_csv(self) -> str:
        """One line for each release, draw and change, for a spreadsheet."""
        return statement.to_csv(self.accounts())

    def _book(self) -> Book:
        return opened(chain.read(self.path).entries)

    @contextmanager
    def _writing(self) -> Iterator[_Desk]:
        """The book as it stands, and entries to it that are all written, or none if an error ends the block."""
        with chain.writing(self.path, wait_s=self.wait_s) as writer:
            desk = _Desk(opened(writer.log.entries), writer)
            if not writer.log.entries:
                key = bytes(uniform(256, 32).tolist()).hex()  # from the operating system
                desk.post("ledger", {"tuckpoint_ledger": VERSION, "key": key})
            yield desk


@dataclass
class _Desk:
    """Where entries are drafted: each must fit the book before it is written."""

    book: Book
    writer: chain.Writer

    def post(self, kind: str, body: Mapping[str, Any]) -> Entry:
        entry = self.writer.add(kind, body)
        enter(self.book, entry)
        return entry

    def open(self, holder: Holder, policy: Policy, who: str, why: str, *, on_purpose: bool = False) -> None:
        admission.check_name(self.book, holder, on_purpose=on_purpose)
        self.post("open", {**holder._asdict(), "policy": policy.to_dict(), "who": who, "why": why})


def _holder(population: str, unit: str) -> Holder:
    return Holder(text("population", population), text("unit", unit))


def _said(who: str | None, *, purpose: str | None = None, why: str | None = None) -> dict[str, str]:
    said = {"who": text("who", user() if who is None else who)}
    if purpose is not None:
        said["purpose"] = text("purpose", purpose, empty=True)
    if why is not None:
        said["why"] = text("why", why)
    return said


def _digest(key: bytes, people: Iterable[str] | None) -> str | None:
    """The keyed digest of a set of identifiers (HMAC, RFC 2104), which nobody can guess without the key.

    None for nobody: there are none to charge twice.
    """
    names = sorted({str(name) for name in people or ()})
    if not names or not key:
        return None
    hashed = hmac.new(key, digestmod="sha256")
    for name in names:
        data = name.encode("utf-8", "surrogatepass")
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()


def _made(book: Book, model: str) -> Spend | None:
    return next((spend for spend in reversed(book.spends.values()) if spend.model == model), None)
