"""An append-only file whose entries each bear the digest of the one before, so that none can be changed unseen.

One line of canonical JSON an entry. The chain shows that an entry was altered, moved or taken out. It cannot show that
the whole file was written anew or cut after some entry: for that, keep digests of entries elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, TraceError
from tuckpoint.files import sync
from tuckpoint.privacy.lock import WAIT_S, locked
from tuckpoint.record import canonical, digest_of

FIRST = "0" * 64  # what the first entry names as the one before
TORN = "torn"  # the kind of entry that tells what a crash left of a line
_START = b'{"body":{'
_SHOWN = 2000  # characters of a torn line that are kept
_LOOKS, _LOOK_S = 10, 0.02


@dataclass(frozen=True)
class Entry:
    """One line: `number` counts from 0, `time` is UTC, `previous` the digest of the entry before, `digest` its own."""

    number: int
    time: str
    kind: str
    body: Mapping[str, Any]
    previous: str
    digest: str

    def line(self) -> bytes:
        """The bytes of the entry in the file."""
        return canonical(asdict(self)) + b"\n"


@dataclass(frozen=True)
class Log:
    """All whole entries of a file. `size` are their bytes; `torn` is what a crash left of one more line, or nothing.

    Whoever wrote a torn line was never told that it stands: nothing was done on its account.
    """

    entries: tuple[Entry, ...] = ()
    size: int = 0
    ended: bool = True  # whether the last whole entry has its newline
    torn: bytes = b""

    @property
    def head(self) -> str:
        """The digest of the last entry."""
        return self.entries[-1].digest if self.entries else FIRST

    @property
    def sound(self) -> bool:
        """Whether the file ends as it should."""
        return self.ended and not self.torn


def read(path: Path) -> Log:
    """The entries of a file, each checked against the one before; no entries if there is no file.

    Raises TraceError that names the first entry which was altered.
    """
    for _ in range(_LOOKS):
        log = _parsed(path, _bytes(path))
        if log.sound:
            break
        time.sleep(_LOOK_S)  # a writer may be in the midst of the last line
    return log


@dataclass
class Writer:
    """The one who may append to a file just now: `log` is what stands there, `drafts` what will follow it."""

    log: Log
    drafts: list[Entry] = field(default_factory=list)

    def add(self, kind: str, body: Mapping[str, Any]) -> Entry:
        """Draft one more entry."""
        last = (*self.log.entries[-1:], *self.drafts[-1:])
        number, previous = (last[-1].number + 1, last[-1].digest) if last else (0, FIRST)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        bare = Entry(number, now, kind, dict(body), previous, "")
        self.drafts.append(replace(bare, digest=_digest(asdict(bare))))
        return self.drafts[-1]


@contextmanager
def writing(path: Path, *, wait_s: float = WAIT_S) -> Iterator[Writer]:
    """Be the only one who may append until the block ends; if it ends without an error, its drafts are on the disk.

    The file is made with the first entry, readable by its owner only. What a crash left of a line is cut off then, and
    told in an entry of its own. Raises PrivacyError if another process keeps the lock for `wait_s` seconds, TraceError
    if an entry was altered.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with locked(path, wait_s=wait_s):
        log = _parsed(path, _bytes(path))
        writer = Writer(log)
        if log.torn:
            left = log.torn.decode("utf-8", "backslashreplace").replace("\0", "\\0")[:_SHOWN]
            told = {"bytes": len(log.torn), "sha256": hashlib.sha256(log.torn).hexdigest(), "text": left}
            writer.add(TORN, told)
        yield writer
        if len(writer.drafts) > bool(log.torn):
            _append(path, log, b"".join(entry.line() for entry in writer.drafts))


def _append(path: Path, log: Log, data: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if log.torn:
            os.ftruncate(handle, log.size)
        data = data if log.ended else b"\n" + data
        while data:
            data = data[os.write(handle, data) :]
        os.fsync(handle)
    finally:
        os.close(handle)
    if not log.entries:
        sync(path.parent)


def _digest(plain: Mapping[str, Any]) -> str:
    return digest_of({name: value for name, value in plain.items() if name != "digest"})


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a ledger is a file in it: {path / 'ledger.jsonl'}") from None


def _parsed(path: Path, data: bytes) -> Log:
    *lines, tail = data.split(b"\n")
    entries: list[Entry] = []
    for line in lines:
        entries.append(_entry(path, line, entries))
    size = len(data) - len(tail)
    text = tail.rstrip(b"\0")  # after a loss of power the file may be longer than what reached the disk
    if not tail:
        return Log(tuple(entries), size)
    if _START.startswith(text) or (text.startswith(_START) and not _is_whole(text)):
        return Log(tuple(entries), size, torn=tail)
    entries.append(_entry(path, text, entries))
    return Log(tuple(entries), size + len(text), ended=False, torn=tail[len(text) :])


def _is_whole(text: bytes) -> bool:
    """Whether the bytes begin with a whole JSON value, so that no crash cut it."""
    try:
        json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    return True


def _entry(path: Path, line: bytes, before: Sequence[Entry]) -> Entry:
    """The entry of a line that follows those before."""
    number, head = (len(before), before[-1].digest) if before else (0, FIRST)
    try:
        plain = json.loads(line)
        entry = Entry(**plain)
        why = _fault(entry, plain, line, number, head)
    except (ValueError, TypeError, RecursionError) as error:
        why = f"it is no entry ({str(error)[:80]})"
    if why:
        kept = f"the {number} before it stand, up to {head[:12]}..." if number else "none stands"
        raise TraceError(
            f"{path}: entry {number} (line {number + 1}) was altered: {why}; {kept}. Nothing from there on can be "
            "trusted, so nothing can be spent: bring back a copy that holds the digest in your newest record "
            "(tuckpoint ledger verify)"
        )
    return entry


def _fault(entry: Entry, plain: Mapping[str, Any], line: bytes, number: int, head: str) -> str:
    if canonical(plain) != line or not isinstance(entry.body, dict):
        return "it is not written as entries are"
    if _digest(plain) != entry.digest:
        return f"its digest is {_digest(plain)[:12]}..., it claims {str(entry.digest)[:12]}..."
    if entry.number != number or entry.previous != head:
        return f"it is entry {entry.number} after {str(entry.previous)[:12]}..., not {number} after {head[:12]}..."
    return "" if isinstance(entry.kind, str) and isinstance(entry.time, str) else "kind and time are not text"
