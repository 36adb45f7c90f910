"""How each kind of entry changes the book of a ledger: what the chain holds is followed here, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from tuckpoint.errors import InputError, PrivacyError, TraceError
from tuckpoint.privacy.book import Book, Change, Draw, Holder, Policy, Spend, alike, exact, text
from tuckpoint.privacy.chain import TORN, Entry

VERSION = 1


def opened(entries: Iterable[Entry]) -> Book:
    """The book of these entries; raises TraceError for one that no ledger would have let in."""
    book = Book()
    for entry in entries:
        try:
            enter(book, entry)
        except (InputError, PrivacyError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise TraceError(
                f"entry {entry.number} ({entry.kind}) cannot stand in a ledger: {error}; the file was written by "
                "something else, and nothing can be spent: bring back a copy"
            ) from None
    return book


def enter(book: Book, entry: Entry) -> None:
    """Add one entry to the book.

    Raises InputError or PrivacyError if it contradicts those before; whether the policy allows it is not asked here.
    """
    if (entry.number == 0) != (entry.kind == "ledger"):
        raise InputError("a ledger begins with the entry `ledger`, and has one of them")
    if entry.kind not in _ENTER:
        raise InputError(f'the kind "{entry.kind}" is not known; was it written by a newer tuckpoint?')
    _ENTER[entry.kind](book, entry)


def _holder(body: Mapping[str, Any]) -> Holder:
    return Holder(text("population", body["population"]), text("unit", body["unit"]))


def _change(book: Book, entry: Entry, holders: Sequence[Holder], said: str) -> None:
    body = entry.body
    book.changes.append(Change(entry.number, entry.time, entry.kind, tuple(holders), said, body["who"], body["why"]))


def _begin(book: Book, entry: Entry) -> None:
    if entry.body["tuckpoint_ledger"] != VERSION:
        raise InputError(f"ledger version {entry.body['tuckpoint_ledger']} is not {VERSION}; upgrade tuckpoint")
    book.key = bytes.fromhex(entry.body["key"])


def _open(book: Book, entry: Entry) -> None:
    holder, policy = _holder(entry.body), Policy(**entry.body["policy"])
    if holder in book.first:
        raise InputError(f"population {holder} has an account already")
    book.first[holder], book.policies[holder], book.parts[holder] = holder, policy, {}
    _change(book, entry, [holder], allows(policy))


def _set_policy(book: Book, entry: Entry) -> None:
    holder, policy = _holder(entry.body), Policy(**entry.body["policy"])
    book.check(holder)
    book.policies[book.first[holder]] = policy
    _change(book, entry, book.holders(holder), allows(policy))


def allows(policy: Policy) -> str:
    """A policy in words."""
    return f"epsilon {policy.epsilon:g} at delta {policy.delta:g}"


def _share(book: Book, entry: Entry) -> None:
    holders = [Holder(name, entry.body["unit"]) for name in entry.body["populations"]]
    for holder in holders:
        book.check(holder)
    firsts = {book.first[holder] for holder in holders}
    if len(firsts) < 2:
        raise InputError(f"{' and '.join(map(str, holders))} have one account already")
    first = min(firsts, key=list(book.first).index)
    for holder, old in book.first.items():
        if old in firsts:
            book.first[holder] = first
    for old in firsts:
        del book.policies[old]
    book.policies[first] = Policy(**entry.body["policy"])
    told = " and ".join(f'"{holder.population}"' for holder in holders)
    _change(book, entry, book.holders(first), f"{told} have people in common; {allows(book.policies[first])} for all")


def _partition(book: Book, entry: Entry) -> None:
    holder, name, parts = _holder(entry.body), entry.body["name"], tuple(entry.body["parts"])
    book.check(holder)
    known = {alike(part) for others in book.parts[holder].values() for part in others}
    twice = [part for part in parts if alike(part) in known or sum(alike(part) == alike(p) for p in parts) > 1]
    if name in book.parts[holder] or twice:
        raise PrivacyError(
            f"population {holder}: {f'parts {twice} are' if twice else f'a partition {name!r} is'} declared already; "
            "what was declared disjoint stays as it is"
        )
    if len(parts) < 2:
        raise InputError(f'partition "{name}": {len(parts)} part; name at least two that have nobody in common')
    book.parts[holder][name] = parts
    _change(book, entry, [holder], f'by "{name}" into {", ".join(parts)}; nobody is in two of them')


def _reserve(book: Book, entry: Entry) -> None:
    spend = reservation(entry)
    book.check(spend.holder)
    if spend.part is not None:
        book.partition(spend.holder, spend.part)
    if not spend.rho and not spend.delta:
        raise PrivacyError("rho and delta are both 0; a release that costs nothing needs no reservation")
    book.spends[entry.number] = spend


def reservation(entry: Entry) -> Spend:
    """The spend that an entry `reserve` opens."""
    body = entry.body
    return Spend(
        number=entry.number,
        digest=entry.digest,
        time=entry.time,
        holder=_holder(body),
        part=body["part"],
        rho=exact("rho", Fraction(body["rho"])),
        delta=exact("delta", Fraction(body["delta"])),
        columns=tuple(body["columns"]),
        **{name: body[name] for name in ("mechanism", "who", "purpose", "source", "people")},
    )


def _spent(book: Book, entry: Entry) -> None:
    body = entry.body
    spend = book.spends.get(body["reservation"])
    if spend is None or spend.digest != body["reserved"]:
        raise PrivacyError(
            f"this ledger holds no reservation {body['reservation']} with that digest; nothing is closed"
        )
    if spend.closed is not None:
        raise PrivacyError(f"reservation {spend.number} was closed at {spend.closed} already")
    rho, delta = exact("rho", Fraction(body["rho"])), exact("delta", Fraction(body["delta"]))
    if rho > spend.rho or delta > spend.delta:
        raise PrivacyError(
            f"reservation {spend.number}: rho {float(rho):.6g} and delta {float(delta):.3g} are more than was reserved "
            f"({float(spend.rho):.6g} and {float(spend.delta):.3g}); the reservation stands as it is"
        )
    book.spends[spend.number] = replace(spend, rho=rho, delta=delta, model=body["model"], closed=entry.time)


def _drawn(book: Book, entry: Entry) -> None:
    body = entry.body
    spend = book.spends[body["reservation"]]
    if spend.model is None or spend.model != body["model"]:
        raise InputError(f"reservation {spend.number} was not closed with model {body['model'][:12]}...")
    if not isinstance(body["rows"], int) or body["rows"] < 0:
        raise InputError(f"{body['rows']!r} rows drawn: give a whole number from 0")
    book.draws.append(
        Draw(
            entry.number,
            entry.time,
            spend.holder,
            spend.number,
            spend.model,
            body["rows"],
            body["who"],
            body["purpose"],
        )
    )


def _torn(book: Book, entry: Entry) -> None:
    """What a crash left of a line changes nothing: its writer was never told that it stands."""


_ENTER: Mapping[str, Callable[[Book, Entry], None]] = {
    "ledger": _begin,
    "open": _open,
    "policy": _set_policy,
    "share": _share,
    "partition": _partition,
    "reserve": _reserve,
    "spent": _spent,
    "drawn": _drawn,
    TORN: _torn,
}
