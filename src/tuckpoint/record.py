"""The record of how a data set was made: what is stamped into all that is written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import replacing

VERSION = 1
NO_GUARANTEE = "no formal guarantee"
WITHHELD = "withheld"  # in place of a fingerprint of rows that a private release must not tell


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no whitespace, UTF-8 (compare RFC 8785).

    Raises InputError for what JSON cannot hold and give back: NaN, infinity, keys that are not text, other types.
    """
    try:
        plain = _plain(value, "value")
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a value for JSON: {error}; use finite numbers, valid text, less depth") from None


def digest_of(value: Any) -> str:
    """The hex SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical(value)).hexdigest()


@cache
def tuckpoint_version() -> str:
    """The version of the installed code."""
    return version("tuckpoint")


@dataclass(frozen=True)
class Input:
    """A fingerprint of one input: `sha256` of its content, its rows, and how often it was synthesised before.

    `generation` is 0 for real data, 1 for a twin of real data, and so on; `record` is the digest of the record that an
    input of generation 1 or more bears. A private release tells neither digest nor number of rows: whoever guesses the
    table right, one person more or less, could check the guess. They stand in the ledger.
    """

    name: str
    sha256: str
    rows: int | None
    generation: int = 0
    record: str | None = None

    @classmethod
    def of(cls, name: str, *, sha256: str, rows: int | None, stamp: Mapping[str, Any] | None = None) -> Input:
        """The fingerprint of an input; `stamp` is what `read_stamp` found on it, None for unmarked data."""
        if stamp is None:
            return cls(name, sha256, rows)
        return cls(
            name, sha256, rows, generation=int(stamp["generation"]), record=stamp.get("digest") or digest_of(stamp)
        )


@dataclass(frozen=True)
class Maker:
    """What made the rows: the engine's name, the digest of its saved model, the version of tuckpoint."""

    engine: str
    model: str | None = None
    version: str = field(default_factory=tuckpoint_version)


@dataclass(frozen=True)
class Record:
    """How one data set came to be; the same run gives the same record, byte for byte.

    `recipe` is the digest of the recipe, `seed` the root of all draws, `privacy` a guarantee as a mapping or None for
    none, `protections` what was done to rare values, `evidence` the digest of the scores and the verdict per claim,
    `rows` the rows of the whole data set. Neither clock nor user nor path enters: see docs/decisions/001.
    Raises InputError if a name holds a path.
    """

    dataset: str
    maker: Maker
    recipe: str
    seed: int
    rows: int
    inputs: tuple[Input, ...] = ()
    privacy: Mapping[str, Any] | None = None
    protections: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.dataset, *(item.name for item in self.inputs)):
            if "/" in name or "\\" in name:
                raise InputError(
                    f"record: the name {name!r} holds a path, which may tell who you are; pass a bare name"
                )

    @property
    def generation(self) -> int:
        """1 for a twin of real data, 2 for a twin of a twin, and so on."""
        return 1 + max((item.generation for item in self.inputs), default=0)

    @property
    def parents(self) -> tuple[str, ...]:
        """The digests of the records that the inputs bear, in order of text."""
        return tuple(sorted({item.record for item in self.inputs if item.record is not None}))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with what follows from the rest spelled out for readers."""
        return {
            "tuckpoint_record": VERSION,
            "synthetic": True,
            "dataset": self.dataset,
            "maker": asdict(self.maker),
            "recipe": self.recipe,
            "seed": self.seed,
            "inputs": [asdict(item) for item in self.inputs],
            "parents": list(self.parents),
            "generation": self.generation,
            "privacy": None if self.privacy is None else dict(self.privacy),
            "privacy_statement": self.privacy_statement(),
            "protections": list(self.protections),
            "evidence": dict(self.evidence),
            "rows": self.rows,
        }

    def privacy_statement(self) -> str:
        """The privacy of the data set in words."""
        if self.privacy is None:
            return NO_GUARANTEE
        epsilon, delta, unit = (self.privacy.get(name, "?") for name in ("epsilon", "delta", "unit"))
        return f"differential privacy with epsilon {epsilon}, delta {delta} per {unit}"

    @property
    def unvalidated(self) -> str:
        """Why nobody should trust the data yet, or an empty text: writers put it beside what says "synthetic"."""
        return str(self.evidence.get("unvalidated", ""))

    def digest(self) -> str:
        """The hex SHA-256 of the canonical JSON: the identity of the record."""
        return digest_of(self.to_dict())

    def sealed(self) -> bytes:
        """The canonical JSON of the record beside its digest: what files carry.

        Signatures over the digest will stand as a third entry here; readers already let unknown entries be.
        """
        return canonical({"digest": self.digest(), "record": self.to_dict()})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Record:
        """The record that `to_dict` wrote; raises TraceError if it cannot be one."""
        _check_version(data)
        try:
            plain = {item.name: data[item.name] for item in fields(cls)}
            plain |= {"maker": Maker(**data["maker"]), "inputs": tuple(Input(**item) for item in data["inputs"])}
            record = cls(**{**plain, "protections": tuple(data["protections"])})
            same = canonical(record.to_dict()) == canonical(data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise TraceError(f"not a record of tuckpoint: {error!r}; it was altered or cut") from None
        if not same:
            raise TraceError("the record contradicts itself (generation, parents or privacy statement); it was altered")
        return record

    def dump(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the sealed record as a file."""
        with replacing(Path(path), overwrite=overwrite) as place:
            place.write_bytes(self.sealed() + b"\n")

    @classmethod
    def load(cls, path: str | Path) -> Record:
        """Read a record that `dump` wrote; raises TraceError if its digest does not match."""
        try:
            data = Path(path).read_bytes()
        except FileNotFoundError:
            raise InputError(f"no record {path}; runs of tuckpoint write one as record.json") from None
        try:
            return cls.from_dict(unseal(data))
        except TraceError as error:
            raise TraceError(f"{path}: {error}") from None


def unseal(data: bytes) -> dict[str, Any]:
    """The plain record inside sealed bytes; raises TraceError if its digest does not match."""
    try:
        envelope = json.loads(data)
        plain, claimed = envelope["record"], envelope["digest"]
        found = digest_of(plain)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TraceError(f"not a sealed record: {error!r}; it was altered or cut") from None
    _check_version(plain)
    if found != claimed:
        raise TraceError(f"the record was altered: its digest is {found[:12]}..., it claims {str(claimed)[:12]}...")
    return dict(plain)


def _check_version(data: Any) -> None:
    if not isinstance(data, Mapping) or not isinstance(data.get("tuckpoint_record"), int):
        raise TraceError("not a record of tuckpoint: it does not say `tuckpoint_record`")
    if data["tuckpoint_record"] > VERSION:
        raise TraceError(f"record version {data['tuckpoint_record']} is newer than {VERSION}; upgrade tuckpoint")


def _plain(value: Any, where: str) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise InputError(f"{where}: the key {key!r} is not text, and JSON would change it; use text keys")
        return {key: _plain(content, f"{where}.{key}") for key, content in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(content, where) for content in value]
    raise InputError(f"{where}: {type(value).__name__} is not a plain JSON value; convert it first")
