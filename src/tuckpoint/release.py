"""What stands between a private fit and its release: the charge to the ledger, the audit, the gate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint import declared
from tuckpoint.errors import InputError, TraceError, TuckpointError
from tuckpoint.measure.audit import audit
from tuckpoint.measure.audit_model import ModelSettings, audit_model
from tuckpoint.measure.finding import Audit
from tuckpoint.measure.gate import TIERS, Verdict, as_json, gate
from tuckpoint.measure.policy import Policy
from tuckpoint.privacy.ledger import STAMPED, Ledger, Reservation
from tuckpoint.privacy.statement import AccountView
from tuckpoint.recipe import Recipe
from tuckpoint.record import Record, digest_of
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Guarantee, PrivateEngine, Progress
from tuckpoint.table.estimate import open_account
from tuckpoint.table.fit import TableModel
from tuckpoint.table.frame import Frame, read
from tuckpoint.write import table as writing

AUDIT, GATE = "audit.json", "gate.json"
VERSION = 1
CONTEXT = ("people", "purpose", "legal_basis", "recipient", "side_knowledge", "controls", "expiry", "signers")


@dataclass(frozen=True)
class Audited:
    """An audit and what a page tells beside it.

    `made` is the digest of the rows on trial, `about` the plain record that they bear, or empty; `promise` the
    guarantee that was claimed; `account` what the ledger says of these people, None where nothing was charged;
    `context` what only people know (see `read_context`).
    """

    audit: Audit | None
    schema: Schema
    title: str = ""
    made: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    promise: Mapping[str, Any] | None = None
    account: AccountView | None = None
    verdicts: tuple[Verdict, ...] = ()
    failure: str = ""
    commands: tuple[str, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def beside(self, about: Mapping[str, Any], book: Ledger, **more: Any) -> Audited:
        """The same with the record that the rows bear, what the ledger says of the people behind them, and `more`."""
        account = _account(book, about)
        return replace(self, about=about, promise=promise_of(about), account=account, **more).judged()

    def judged(self, policy: Policy | None = None) -> Audited:
        """The same with what the gate says for each tier."""
        return replace(self, verdicts=tuple(self.verdict(tier, policy) for tier in TIERS))

    def verdict(self, tier: Any, policy: Policy | None = None) -> Verdict:
        """What the gate says for one tier."""
        return gate(
            tier,
            audit=self.audit,
            record=self.about or None,
            guarantee=self.promise,
            account=None if self.account is None else self.account.total(),
            policy=policy,
            failure=self.failure,
        )

    @property
    def blocked(self) -> bool:
        """Whether the audit found a leak or could not be trusted; without a record no tier is asked for."""
        return self.audit is None or self.audit.decision != "pass"

    def evidence(self) -> str:
        """What `audit.json` holds: the audit whole, and what it was an audit of."""
        value = {
            "tuckpoint_audit": VERSION,
            "internal": "computed from real rows without noise; not covered by a guarantee, not for release",
            "made": self.made,
            "record": digest_of(self.about) if self.about else None,
            "failure": self.failure,
            "audit": None if self.audit is None else self.audit.to_dict(),
        }
        return json.dumps(value, indent=1, allow_nan=False) + "\n"

    def write(self, folder: Path) -> None:
        """The evidence and the verdicts as files."""
        (folder / AUDIT).write_text(self.evidence(), encoding="utf-8")
        (folder / GATE).write_text(as_json(self.verdicts), encoding="utf-8")


def read_context(asked: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """What only people know of a release, as a mapping or its YAML file; what is not there stays a blank on the page.

    Entries: `people` (who is in the source), `purpose`, `legal_basis`, `recipient`, `side_knowledge` (what they could
    know), `controls`, `expiry` and `signers`, a list of roles or of mappings with role and name. Raises InputError.
    """
    do = f"it may hold: {', '.join(CONTEXT)}"
    data = declared.read(asked, do=do) if isinstance(asked, str | Path) else {} if asked is None else asked
    if not isinstance(data, Mapping):
        raise InputError(f"context is {type(data).__name__} {data!r}; give a mapping or its YAML file; {do}")
    declared.check_entries(str(asked) if isinstance(asked, str | Path) else "context", data, CONTEXT)
    told = {name: value if name == "signers" else str(value) for name, value in data.items() if value is not None}
    if not _are_signers(told.get("signers", [])):
        raise InputError(
            f"signers is {told['signers']!r}; list roles, or mappings of role and name: "
            "[data-protection officer, {role: head of the registry, name: A. Example}]"
        )
    return told


def _are_signers(found: Any) -> bool:
    if not isinstance(found, list | tuple):
        return False
    return all(isinstance(one, str) or (isinstance(one, Mapping) and set(one) <= {"role", "name"}) for one in found)


@contextmanager
def charged(
    recipe: Recipe, frame: Frame, engine: PrivateEngine, book: Ledger, who: str | None
) -> Iterator[Reservation]:
    """A budget set aside before the rows are touched; whatever happens in the block, it counts until it is closed.

    Raises PrivacyError if the policy of the population does not allow it: then nothing is written and nothing spent.
    """
    schema, asked = _schema(recipe), recipe.charged or {}
    by_row = engine.unit == "row" or schema.person is None
    account = open_account(schema, engine.epsilon, engine.delta)
    reservation = book.reserve(
        population=asked["population"] or "",
        unit="row" if by_row else str(schema.person),
        rho=account.rho,
        delta=account.failure,
        mechanism=f"engine {recipe.engine}, epsilon {engine.epsilon:g} at delta {engine.delta:g}",
        columns=[column.name for column in schema.columns if column.modelled],
        purpose=asked["purpose"] or "",
        who=who,
        part=asked["part"],
        source=frame.digest,
        people=None if by_row else people_in(frame.table, str(schema.person)),
    )
    try:
        yield reservation
    except TuckpointError as error:
        error.add_note(
            f"The real rows were touched: what was reserved counts as spent (entry {reservation.number} of {book.path})"
        )
        raise


def close(book: Ledger, reservation: Reservation, guarantee: Guarantee, model: str) -> str:
    """Enter what was really spent; returns the digest that every file of the release bears."""
    return book.spend(reservation, rho=guarantee.rho, delta=guarantee.failure, model=model)


def drawn(book: Ledger, model: TableModel, digest: str, rows: int) -> str | None:
    """Enter that rows were drawn from a private model, which is free; what to tell, None for a model without promise.

    A ledger that does not know the model, or none, is no hindrance: nothing is spent.
    """
    if model.guarantee is None:
        return None
    free = "drawing rows from this model costs no privacy"
    if book.made(digest) is None:
        return f"{free}; no ledger here knows it, so the draw was not entered (--ledger FILE)"
    book.drawn(digest, rows)
    return f"{free}; the draw was entered in {book.path}"


def privacy_of(guarantee: Guarantee | None, recipe_charge: Mapping[str, str | None] | None) -> dict[str, Any] | None:
    """What a record says of privacy: the guarantee, and the entry that closed its charge in the ledger."""
    if guarantee is None:
        return None
    entry = (recipe_charge or {}).get("entry")
    return {**guarantee.to_dict(), **({STAMPED: entry} if entry else {})}


def tried(
    real: pa.Table,
    made: pa.Table,
    holdout: pa.Table | None,
    schema: Schema,
    *,
    claimed: Guarantee | None,
    seed: Seed,
    threads: int,
    progress: Progress,
) -> Audited:
    """The audit of a made table, or why there is none."""
    if holdout is None:
        return Audited(None, schema, failure="no real rows were held out, so there is nobody to compare with")
    found = audit(
        real,
        made,
        holdout,
        schema,
        person=schema.person,
        claimed=claimed,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return Audited(found, schema)


def tried_model(
    model: TableModel,
    born: Recipe | None,
    real: pa.Table,
    holdout: pa.Table,
    *,
    canaries: int | None,
    shadows: int | None,
    seed: Seed,
    threads: int,
    progress: Progress,
) -> Audited:
    """The audit of a generator itself, fitted as the recipe `born` says, by the rows that it was fitted to."""
    found = audit_model(
        model,
        real,
        holdout,
        seed=seed,
        k=Recipe.k if born is None else born.k,
        mine_rules=True if born is None else born.mine_rules,
        threads=threads,
        progress=progress,
        settings=ModelSettings(canaries=canaries, shadows=shadows),
    )
    return Audited(found, model.schema, promise=privacy_of(model.guarantee, None))


def claim(about: Mapping[str, Any]) -> Guarantee | None:
    """The guarantee that a record states, as a value to hold an audit against; raises TraceError if it is none."""
    told = promise_of(about)
    if told is None:
        return None
    try:
        return Guarantee(**{item.name: told[item.name] for item in fields(Guarantee) if item.name in told})
    except TypeError as error:
        raise TraceError(f"the record states no guarantee that can be read: {error}; it was altered") from None


def promise_of(about: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The guarantee that a record states, if it states one."""
    privacy = about.get("privacy")
    return privacy if isinstance(privacy, Mapping) and privacy else None


def judge(
    folder: Path,
    tier: str,
    *,
    evidence: Path | None = None,
    policy: Policy | None = None,
    book: Ledger,
) -> Verdict:
    """What the gate says of a folder that `make` wrote.

    The rows that lie there must be those that were audited and bear the record; the ledger's total counts if the ledger
    knows this release. Raises TraceError for files that do not belong together, InputError where there is no release.
    """
    data = _rows_in(folder)
    record = Record.load(folder / "record.json")
    about = record.to_dict()
    if writing.read_stamp(data) != about:
        raise TraceError(f"{data} bears another record than {folder / 'record.json'}; one of them was replaced")
    place = folder / AUDIT if evidence is None else evidence
    found, failure = None, f"there is no {place}"
    if place.is_file():
        found, failure = _evidence(place, read(data).digest, digest_of(about))
    return gate(
        tier,  # type: ignore[arg-type]
        audit=found,
        record=about,
        guarantee=promise_of(about),
        account=None if (account := _account(book, about)) is None else account.total(),
        policy=policy,
        failure=failure,
    )


def _evidence(place: Path, made: str, record: str) -> tuple[Audit | None, str]:
    try:
        told = json.loads(place.read_text(encoding="utf-8"))
        wrong = None if told["tuckpoint_audit"] == VERSION else "it is of another version of tuckpoint"
        other = told["made"] != made or told["record"] not in (record, None)
        found = None if told["audit"] is None else Audit.from_dict(told["audit"])
    except (ValueError, KeyError, TypeError) as error:
        raise TraceError(f"{place} is no audit: {error!r}; it was altered or cut; audit again") from None
    if wrong or other:
        raise TraceError(f"{place}: {wrong or 'it is the audit of other rows than those that lie there'}; audit again")
    return found, str(told.get("failure") or "")


def _account(book: Ledger, about: Mapping[str, Any]) -> AccountView | None:
    """What the ledger says of the people behind a release, if the release bears an entry of it.

    Raises TraceError if it does and the ledger is gone or does not hold that entry.
    """
    entry = (promise_of(about) or {}).get(STAMPED)
    if not isinstance(entry, str):
        return None
    book.verify(entry)
    made = book.made(str(about["maker"]["model"]))
    if made is None:
        raise TraceError(f"{book.path} holds the entry of this release, but of another model; the record was altered")
    return book.account(*made.holder)


def _rows_in(folder: Path) -> Path:
    for name in ("data.parquet", "data.csv"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder} holds no made rows (data.parquet or data.csv); give the folder of `tuckpoint make`")


def people_in(table: pa.Table, person: str) -> Sequence[str]:
    """The people of a table, as the ledger knows them again: the distinct values of a column, as text."""
    names: Sequence[str] = pc.unique(table[person].cast(pa.string())).to_pylist()
    return names


def _schema(recipe: Recipe) -> Schema:
    assert recipe.schema is not None
    return recipe.schema
