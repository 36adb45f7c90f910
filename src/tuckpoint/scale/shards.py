"""A plan cut into shards, and the folder that holds them: what is finished there, for which plan, and nothing torn.

    FOLDER/part-000017.parquet     the shards
    FOLDER/_manifest.json          written last: the plan, and every shard with its size and checksum
    FOLDER/_m/                     the plan, an entry per finished shard, and the workers' unfinished files

A shard is written aside, synced, moved to its name, and only then gets its entry. A folder with all entries of a plan
is finished, one with some can go on. Names that begin with `_` are passed over by readers of folders of Parquet.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tuckpoint.errors import InputError, ToolError, TraceError, count
from tuckpoint.files import no_parent, replacing, sha256, sync
from tuckpoint.record import canonical, digest_of

MANIFEST = "_manifest.json"


@dataclass(frozen=True)
class Job:
    """One shard of a plan: its number, which rows it makes, and of which table."""

    index: int
    first_row: int
    rows: int
    table: str = ""


@dataclass(frozen=True)
class Entry:
    """One finished shard: its number, file name, rows, size in bytes and SHA-256."""

    index: int
    file: str
    rows: int
    bytes: int
    sha256: str


Work = Callable[[Any, Job, Path], int]  # (initial, job, where to write) -> rows written


def plan(rows: int, *, rows_per_shard: int = 250_000, table: str = "") -> tuple[Job, ...]:
    """Cut rows into shards; depends on nothing but the arguments. No rows make one empty shard.

    Raises InputError for fewer than no rows or shards without rows.
    """
    if rows < 0:
        raise InputError(f"{rows} rows were asked for; ask for 0 or more")
    if rows_per_shard < 1:
        raise InputError(f"shards of {rows_per_shard} rows; put 1 or more in a shard")
    starts = range(0, max(rows, 1), rows_per_shard)
    return tuple(Job(i, start, min(rows_per_shard, rows - start), table) for i, start in enumerate(starts))


def digest(jobs: Sequence[Job], *, of: str, suffix: str) -> str:
    """The digest of a whole plan: its shards, their format, and `of`, which stands for all else that decides bytes."""
    return digest_of({"of": of, "jobs": [asdict(job) for job in jobs], "suffix": suffix})


@contextmanager
def opened(folder: Path, whole: str, *, overwrite: bool = False) -> Iterator[None]:
    """Hold the folder for the plan of digest `whole` alone, and leave nothing unfinished in it.

    With `overwrite` the shards of another plan are swept away first. Raises InputError if its parent is missing, it
    holds other files, or another run works in it; TraceError if it belongs to another plan.
    """
    notes = folder / "_m"
    if not folder.parent.is_dir():
        raise InputError(no_parent(folder))
    if folder.exists() and not notes.is_dir() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} is a file or holds other files; choose a new folder")
    notes.mkdir(parents=True, exist_ok=True)
    with _locked(notes / "lock"):
        _check_plan(folder, whole, overwrite=overwrite)
        shutil.rmtree(notes / "unfinished", ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(notes / "unfinished", ignore_errors=True)


@contextmanager
def forsaken(folder: Path) -> Iterator[None]:
    """After an error, leave nothing of an opened folder without a finished shard: it would be in another plan's way."""
    whole = False
    try:
        yield
        whole = True
    finally:
        notes = folder / "_m"
        if not whole and not any(notes.glob("[0-9]*.json")) and not any(folder.glob("part-*")):
            shutil.rmtree(notes, ignore_errors=True)
            with suppress(OSError):  # it holds other files
                folder.rmdir()


def write(work: Work, initial: Any, job: Job, place: Path) -> tuple[int, int, str]:
    """Write one shard aside; its rows, bytes and SHA-256.

    Raises ToolError if the work did not write what the plan says.
    """
    shutil.rmtree(place.parent, ignore_errors=True)
    place.parent.mkdir(parents=True)
    rows = work(initial, job, place)
    if rows != job.rows or not place.is_file():
        raise ToolError(
            f"shard {job.index}: the work wrote {count(rows, 'row')} to {place.name}, the plan says {job.rows}"
        )
    return rows, place.stat().st_size, sha256(place)


def aside(folder: Path, job: Job, suffix: str, *, room: str) -> Path:
    """Where a worker writes a shard; `room` is its own, and each shard has a place apart in it."""
    return folder / "_m" / "unfinished" / f"{room}-{job.index}" / f"part-{job.index:06d}{suffix}"


def commit(folder: Path, job: Job, place: Path, written: tuple[int, int, str]) -> Entry:
    """Wait until a shard that `write` wrote is on the disk, give it its name, then its entry."""
    rows, size, content = written
    path = folder / place.name
    sync(place)
    place.replace(path)
    sync(folder)
    entry = Entry(job.index, path.name, rows, size, content)
    _put(_entry_path(folder, job), asdict(entry))
    return entry


def finished(folder: Path, job: Job) -> Entry | None:
    """The entry of a shard that stands whole in the folder, its bytes compared with its checksum; else None."""
    try:
        entry = Entry(**json.loads(_entry_path(folder, job).read_bytes()))
        path = folder / Path(entry.file).name
        same = entry.rows == job.rows and path.stat().st_size == entry.bytes and sha256(path) == entry.sha256
    except (OSError, ValueError, TypeError):
        return None
    return entry if same else None


def close(folder: Path, whole: str, entries: Sequence[Entry]) -> None:
    """Write the manifest: the folder is finished."""
    shards = [asdict(entry) for entry in entries]
    _put(folder / MANIFEST, {"plan": whole, "rows": sum(entry.rows for entry in entries), "shards": shards})


def _check_plan(folder: Path, whole: str, *, overwrite: bool) -> None:
    path = folder / "_m" / "plan.json"
    if not path.exists():
        _put(path, {"plan": whole})
        return
    try:
        found = str(json.loads(path.read_bytes())["plan"])
    except (ValueError, KeyError, TypeError):
        found = ""
    if found == whole:
        return
    if not overwrite:
        mend = "choose another place, or drop the shards on purpose (--overwrite)"
        if not found:
            raise TraceError(f"{path} is damaged; {mend}")
        raise TraceError(
            f"{folder} holds shards of another run (plan {found[:12]}..., now {whole[:12]}...): model, seed, rows or "
            f"conditions differ; repeat that run to go on with it, {mend}"
        )
    for file in (folder / MANIFEST, *path.parent.glob("*.json"), *folder.glob("part-*")):
        file.unlink(missing_ok=True)
    _put(path, {"plan": whole})


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # a platform without it: there the user alone keeps two runs apart
        yield
        return
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            folder = path.parent.parent
            raise InputError(f"another run works in {folder}; wait for it or choose another folder") from None
        yield


def _entry_path(folder: Path, job: Job) -> Path:
    return folder / "_m" / f"{job.index:06d}.json"


def _put(path: Path, value: Any) -> None:
    with replacing(path, overwrite=True) as place:
        place.write_bytes(canonical(value) + b"\n")
