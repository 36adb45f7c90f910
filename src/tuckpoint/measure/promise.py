"""Questions that the gate asks of a guarantee: does the record bear it out, is it void, is it enough for the tier?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tuckpoint.errors import TraceError, count
from tuckpoint.measure.checks import PRIVATELY, ROUNDING, Check, figure, listed
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.policy import Policy
from tuckpoint.record import Record, digest_of

FILTERS = ("similarity filter", "similarity_filter", "distance filter", "distance_filter")
PROMISE = ("epsilon", "delta", "rho", "unit", "neighbours")


@dataclass(frozen=True)
class Promise:
    """All that speaks of the guarantee of one release, as plain mappings; None where there is nothing."""

    guarantee: Mapping[str, Any] | None
    record: Mapping[str, Any] | None
    account: Mapping[str, Any] | None
    audit: Audit | None

    def lacks(self, most: float, policy: Policy) -> str:
        """Why the guarantee does not count up to this total epsilon; empty if it does."""
        if self.guarantee is None:
            return "no formal guarantee"
        epsilon, delta = figure(self.guarantee, "epsilon"), figure(self.guarantee, "delta")
        if epsilon is None or delta is None or delta >= 1:
            return "the guarantee states no epsilon and delta"
        if not (self.guarantee.get("unit") and self.guarantee.get("neighbours")):
            return "an epsilon without its unit and its neighbouring tables promises nothing"
        if self.account is not None:
            total = figure(self.account, "epsilon")
            if total is None:
                return "the ledger states no total epsilon"
            epsilon = max(epsilon, total)
        if epsilon > most * ROUNDING:
            return f"total epsilon {epsilon:.3g}"
        people = self.people()
        if not people:
            return "the number of people is not known, so delta cannot be judged"
        if delta * policy.delta_people * people > ROUNDING:
            return f"delta {delta:.2g} with about {people:,.0f} rows"
        return ""

    def people(self) -> float | None:
        """About how many people there are: noisy rows where they are told, at most the rows of the training file."""
        noisy = None if self.guarantee is None else figure(self.guarantee, "rows")
        return noisy if noisy or self.audit is None else figure(self.audit.rows, "train")

    def spent(self) -> str:
        """What was spent, in words; only for a guarantee that lacks nothing."""
        assert self.guarantee is not None
        own = f"epsilon {self.guarantee['epsilon']:.3g}, delta {self.guarantee['delta']:.2g}"
        total = None if self.account is None else figure(self.account, "epsilon")
        if total is None:
            return f"{own}, for this release alone: no ledger was given, so earlier releases are not counted"
        return f"{own}; in total for these people epsilon {max(total, self.guarantee['epsilon']):.3g} (ledger)"


def enough(tier: str, promise: Promise, policy: Policy) -> Check:
    """Whether the guarantee is enough for the tier."""
    what = "A formal guarantee protects each person"
    if tier == "internal":
        lacks = promise.lacks(policy.partner_epsilon, policy)
        found = f"{lacks}: the attacks alone decide" if lacks else promise.spent()
        return Check(
            what, "pass", found, f"not required inside; an approval lapses after {count(policy.valid_days, 'day')}"
        )
    most = policy.public_epsilon if tier == "public" else policy.partner_epsilon
    threshold = f"total epsilon at most {most:g}, delta at most 1 / ({policy.delta_people:g} × people)"
    lacks = promise.lacks(most, policy)
    if not lacks and tier == "public" and policy.public_needs_ledger and promise.account is None:
        lacks = "no ledger was given, so earlier releases about these people are not counted"
    if not lacks:
        return Check(what, "pass", promise.spent(), threshold)
    if tier == "public":
        return Check(what, "block", lacks, threshold, f"{PRIVATELY} within this budget")
    todo = f"{PRIVATELY}; or whoever answers for the data weighs contract and controls, and signs"
    return Check(what, "review", lacks, threshold, todo)


def consistent(promise: Promise) -> Check:
    """Whether record, guarantee, ledger and audit speak of the same release."""
    what, threshold = "The record matches", "record, guarantee, ledger and audit of one release"
    wrong = list(_contradictions(promise))
    if wrong:
        todo = "give record, model and audit of this very file; if they are, the file was altered: make it anew"
        return Check(what, "block", listed(wrong), threshold, todo)
    if promise.record is None:
        return Check(what, "pass", "no record came with the rows: how they were made is not known", threshold)
    return Check(what, "pass", "no contradiction", threshold)


def _contradictions(promise: Promise) -> Iterator[str]:
    audit, guarantee, account = promise.audit, promise.guarantee, promise.account
    if promise.record is None:
        if guarantee is not None:
            yield "a guarantee is claimed, but no record came with the rows to bear it out"
        return
    try:
        record = Record.from_dict(promise.record)
    except TraceError as error:
        yield str(error)
        return
    if (record.privacy is None) != (guarantee is None):
        yield f"the record states {'no' if record.privacy is None else 'a'} guarantee, unlike the model"
    elif record.privacy is not None and guarantee is not None:
        differ = [name for name in PROMISE if record.privacy.get(name) != guarantee.get(name)]
        if differ:
            yield f"the guarantees of record and model differ in {', '.join(differ)}"
    if audit is not None:
        if audit.rows.get("made") != record.rows:
            yield f"the record is of {count(record.rows, 'row')}, the audit of {audit.rows.get('made', 0):,}"
        told = record.evidence.get("audit")
        if isinstance(told, str) and told != digest_of(audit.to_dict()):
            yield "the record names another audit"
    if account is not None and guarantee is not None:
        total, own = figure(account, "rho"), figure(guarantee, "rho")
        if total is not None and own is not None and total * ROUNDING < own:
            yield "the ledger's total is less than this release alone has spent"


def unfiltered(record: Mapping[str, Any] | None) -> Check:
    """Whether rows were dropped for being near real ones, after the noise was added."""
    what, threshold = "No similarity filter was applied", "never on a private release: it voids the guarantee"
    done = {} if record is None else {name: record.get(name) for name in ("protections", "privacy", "evidence")}
    named = [text for text in _told(done) if any(word in text.lower() for word in FILTERS)]
    if not named:
        return Check(what, "pass", "the record tells of none", threshold)
    todo = "make the release anew without dropping rows for being near real ones"
    return Check(what, "block", f'the record tells of one: "{named[0][:120]}"', threshold, todo)


def _told(value: object) -> Iterator[str]:
    """All text in a nested value, and the names of entries that are neither false nor empty."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, content in value.items():
            if content:
                yield str(name)
                yield from _told(content)
    elif isinstance(value, list | tuple):
        for content in value:
            yield from _told(content)
