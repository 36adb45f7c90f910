"""One writer at a time: a lock that is waited for, though not for ever, and that tells who holds it."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from tuckpoint.errors import PrivacyError

WAIT_S = 30.0
_AGAIN_S = 0.02


@contextmanager
def locked(path: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Be the only one who writes `path` until the block ends; the lock is a file beside it, `<name>.lock`.

    Where the system knows advisory locks (flock), a process that dies lets go. Elsewhere the existence of the file is
    the lock, and one left behind by a crash is removed by hand. The file gets the permissions of `path`, so that those
    who may write the one can lock it. Raises PrivacyError that names the holder after `wait_s` seconds.
    """
    place = path.with_name(path.name + ".lock")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    until = time.monotonic() + wait_s
    while (handle := _taken(place, mode)) is None:
        if time.monotonic() >= until:
            raise PrivacyError(_refusal(path, place, wait_s))
        time.sleep(_AGAIN_S)
    try:
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {platform.node() or 'this machine'}".encode())
        yield
    finally:
        _let_go(handle, place)


def _advisory() -> bool:
    return sys.platform != "win32"


def _taken(place: Path, mode: int) -> int | None:
    """The handle of the lock, None if another holds it."""
    if not _advisory():
        try:
            return os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            return None
    import fcntl

    handle = os.open(place, os.O_RDWR | os.O_CREAT, mode)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            return None
        raise
    with suppress(PermissionError):  # it is its owner's to change
        os.fchmod(handle, mode)
    return handle


def _let_go(handle: int, place: Path) -> None:
    if _advisory():
        import fcntl

        os.ftruncate(handle, 0)
        fcntl.flock(handle, fcntl.LOCK_UN)  # closing is not enough: a child forked meanwhile has the handle too
        os.close(handle)
    else:
        os.close(handle)
        place.unlink()


def _refusal(path: Path, place: Path, wait_s: float) -> str:
    holder, since = "another process", ""
    with suppress(OSError, ValueError):
        holder = place.read_text("utf-8") or holder
        since = f" since {datetime.fromtimestamp(place.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%SZ}"
    todo = "wait for it or end it" if _advisory() else f"if it runs no more, delete {place}"
    return (
        f"the ledger {path} is locked by {holder}{since}; waited {wait_s:g} s, and nothing was spent; "
        f"{todo}, then try again"
    )
