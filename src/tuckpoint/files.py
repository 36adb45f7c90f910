"""Files and folders that appear whole or not at all, and their checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tuckpoint.errors import InputError


def sha256(path: Path) -> str:
    """The hex digest of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until the bytes of a file, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_new(path: Path, *, overwrite: bool) -> None:
    """Refuse what cannot be written, before any work starts; raises InputError that says what to do."""
    if not path.parent.is_dir():
        raise InputError(no_parent(path))
    if path.is_dir():
        raise InputError(f"cannot write {path}: it is a folder; give the name of a file in it")
    if path.exists() and not overwrite:
        raise InputError(
            f"{path} exists already and stays as it is; choose another name, or overwrite it on purpose (--overwrite)"
        )


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a place to write a file in (same suffix), and move it to `path` when the block ends without an error.

    The file at `path` is at every moment the old one, none, or the whole new one.
    Raises InputError if the folder does not exist, or the file does and `overwrite` is false.
    """
    check_new(path, overwrite=overwrite)
    with _room(path) as room:
        yield room / path.name
        sync(room / path.name)
        check_new(path, overwrite=overwrite)
        os.replace(room / path.name, path)  # noqa: PTH105 - pathlib's replace is this very call
        sync(path.parent)


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Write a text file that appears whole or not at all."""
    with replacing(path, overwrite=overwrite) as place:
        place.write_text(text, encoding="utf-8")


@contextmanager
def replacing_folder(folder: Path, *, overwrite: bool, ours: Callable[[Path], bool]) -> Iterator[Path]:
    """Give an empty folder to fill, and move it to `folder` when the block ends without an error.

    An existing folder is replaced only if it is empty, or `overwrite` is true and `ours(folder)` knows it: nobody
    loses a home folder to a slip of the keyboard. Raises InputError otherwise.
    """
    check_folder(folder, overwrite=overwrite, ours=ours)
    with _room(folder) as room:
        fresh = room / "new"
        fresh.mkdir()
        yield fresh
        for file in fresh.rglob("*"):
            sync(file)
        sync(fresh)
        put_folder(fresh, folder, overwrite=overwrite, ours=ours)


def put_folder(fresh: Path, folder: Path, *, overwrite: bool, ours: Callable[[Path], bool]) -> None:
    """Move a folder that is whole and on the disk to its name, on the same disk; see `replacing_folder`."""
    check_folder(folder, overwrite=overwrite, ours=ours)
    with _room(folder) as room:
        old = room / "old"
        if folder.exists():
            folder.rename(old)
        try:
            fresh.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        sync(folder.parent)


def check_folder(folder: Path, *, overwrite: bool, ours: Callable[[Path], bool]) -> None:
    """Refuse a folder that cannot be written, before any work starts; see `replacing_folder`."""
    if not folder.parent.is_dir():
        raise InputError(no_parent(folder))
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write the folder {folder}: a file has that name; choose another")
    if folder.is_dir() and any(folder.iterdir()):
        if not ours(folder):
            raise InputError(f"{folder} holds other files, which would be lost; choose a new folder")
        if not overwrite:
            raise InputError(
                f"{folder} exists already and stays as it is; choose another, or overwrite it on purpose (--overwrite)"
            )


def no_parent(path: Path) -> str:
    """What to say of a file or folder whose parent is missing."""
    return f"cannot write {path}: there is no folder {path.parent}; make it first: mkdir -p {path.parent}"


@contextmanager
def _room(path: Path) -> Iterator[Path]:
    room = Path(tempfile.mkdtemp(prefix=f".{path.name[:64]}.", suffix=".part", dir=path.parent))
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)
