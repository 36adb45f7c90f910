"""The folder of a run that is not finished: what stands in it is whole, and follows from the inputs as they are.

OUT.unfinished/STEP/made/     files that will be part of OUT
OUT.unfinished/STEP/told/     plain values of single images, for what is written over all of them at the end
OUT.unfinished/STEP/shards/   see `scale.shards`; each names the files it wrote or stands on, and the inputs it read
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuckpoint.errors import TraceError
from tuckpoint.files import sha256, sync, write_text
from tuckpoint.record import canonical
from tuckpoint.scale import local, shards
from tuckpoint.scale.local import Progress
from tuckpoint.scale.shards import Work

SUFFIX = ".json"
MOST_IMAGES = 32  # in a shard
LEAST_BYTES, MOST_BYTES = 2_000_000, 16_000_000  # of hosts in a shard: its overhead, and what an interrupt may cost
SHARDS_PER_WORKER = 4
SYNCING = 8  # threads: a disk takes many requests to sync as fast as a few


@dataclass(frozen=True)
class Step:
    """One step of a run and its folder."""

    folder: Path

    @property
    def shards(self) -> Path:
        """Which images are done."""
        return self.folder / "shards"

    @property
    def made(self) -> Path:
        """What was made of them."""
        return self.folder / "made"

    @property
    def told(self) -> Path:
        """What is to be told of them."""
        return self.folder / "told"


@dataclass(frozen=True)
class Told:
    """What a step told of its images, in order; read anew each time, and never held whole."""

    folder: Path
    count: int
    name: str = ""

    def __iter__(self) -> Iterator[Any]:
        return (read_told(self.folder, number, self.name) for number in range(self.count))


def write_told(folder: Path, number: int, value: Any, name: str = "") -> None:
    """Tell of an image."""
    _told_path(folder, number, name).write_bytes(canonical(value))


def read_told(folder: Path, number: int, name: str = "") -> Any:
    """What was told of an image."""
    return json.loads(_told_path(folder, number, name).read_bytes())


def _told_path(folder: Path, number: int, name: str) -> Path:
    return folder / name / f"{number:06d}.json"


@contextmanager
def opened(out: Path, digest: str, *, overwrite: bool) -> Iterator[Path]:
    """Hold the folder of an unfinished run into `out`, whose `digest` stands for all that decides its bytes.

    It goes away when the block ends, and stays after an error if a shard was finished. Raises InputError if another
    run works in it; TraceError if another one was interrupted there, which `overwrite` throws away.
    """
    room = out.with_name(f"{out.name}.unfinished")
    try:
        with shards.opened(room, digest):
            pass
    except TraceError:
        if not overwrite:
            raise TraceError(
                f"{room} holds what another run into {out} had finished when it was interrupted: hosts, settings or "
                "seed differ; repeat that run to go on with it, or throw it away (--overwrite)"
            ) from None
        shutil.rmtree(room)
    with shards.opened(room, digest):
        whole = False
        try:
            yield room
            whole = True
        finally:
            if whole or not any(room.glob(f"*/shards/part-*{SUFFIX}")):
                shutil.rmtree(room)


def images_per_shard(room: Path, images: int, *, host_bytes: int, workers: int) -> int:
    """How many images a shard takes: enough to be worth its overhead, few enough for all workers and for interrupts.

    No byte of what is made depends on it; a run that goes on keeps to what it began with.
    """
    path = room / "shard.json"
    if not path.exists():
        least, most = (min(max(size // max(host_bytes, 1), 1), MOST_IMAGES) for size in (LEAST_BYTES, MOST_BYTES))
        asked = min(max(images // (SHARDS_PER_WORKER * workers), least), most)
        write_text(path, json.dumps({"images": asked}) + "\n")
    return int(json.loads(path.read_text(encoding="utf-8"))["images"])


@dataclass(frozen=True)
class Running:
    """How a run goes: its images, how many of them a shard takes, over how many processes, and who is told."""

    images: int
    per_shard: int
    workers: int
    progress: Progress | None


def run(
    step: Step, work: Work, running: Running, *, digest: str, initial: Mapping[str, Any], noun: str,
    current: Callable[[str], str] = str,
) -> None:  # fmt: skip
    """Do what is missing of a step; `work` gets `initial` with the `step`, and ends with `commit`.

    `current(name)` is the digest that an input has now: a shard that read another one is done again, as is one whose
    files are not what it wrote.
    """
    jobs = shards.plan(running.images, rows_per_shard=running.per_shard)
    step.folder.mkdir(exist_ok=True)
    try:
        with shards.opened(step.shards, shards.digest(jobs, of=digest, suffix=SUFFIX)):
            _sweep(step, current)
    except TraceError:  # what it was made of has changed
        shutil.rmtree(step.folder)
        step.folder.mkdir()
    local.run(
        jobs, work, folder=step.shards, plan_digest=digest, workers=running.workers, suffix=SUFFIX,
        initial={**initial, "step": step},
        progress=None if running.progress is None else local.paced(running.progress, running.images, noun),
    )  # fmt: skip


def commit(step: Step, place: Path, fresh: Path, *, uses: Iterable[str] = (), inputs: Mapping[str, str]) -> None:
    """Bring the files of a shard, made and told below `fresh`, to their places; then tell of them in its file `place`.

    `uses` are files of other shards, relative to the step, that this one stands on. `inputs` are the digests of what
    was read.
    """
    files = sorted(path for path in fresh.rglob("*") if path.is_file())
    _synced(files)
    found = [_entry(path, path.relative_to(fresh).as_posix()) for path in files]
    places = [step.folder / path.relative_to(fresh) for path in files]
    for folder in {target.parent for target in places}:
        folder.mkdir(parents=True, exist_ok=True)
    for path, target in zip(files, places, strict=True):
        path.replace(target)
    _synced({target.parent for target in places})
    found += [_entry(step.folder / name, name) for name in sorted(uses)]
    place.write_bytes(canonical({"inputs": dict(inputs), "files": found}) + b"\n")


def synced_whole(folder: Path) -> None:
    """Wait until the folders below, and the files at its top, are on the disk; other files were synced before."""
    _synced([folder, *(path for path in folder.rglob("*") if path.is_dir()), *folder.glob("*.json")])


def _synced(paths: Iterable[Path]) -> None:
    with ThreadPoolExecutor(SYNCING) as pool:
        list(pool.map(sync, paths))


def _entry(path: Path, name: str) -> list[Any]:
    return [name, path.stat().st_size, sha256(path)]


def _sweep(step: Step, current: Callable[[str], str]) -> None:
    """Let go of shards that no longer hold, and of all files that belong to none."""
    kept: set[Path] = set()
    for path in sorted(step.shards.glob(f"part-*{SUFFIX}")):
        try:
            told = json.loads(path.read_bytes())
            holds = all(current(name) == digest for name, digest in told["inputs"].items()) and all(
                _stands(step.folder / name, size, digest) for name, size, digest in told["files"]
            )
        except (OSError, ValueError, KeyError, TypeError):
            holds = False
        if holds:
            kept.update(step.folder / name for name, *_ in told["files"])
        else:
            path.unlink()
    for area in (step.made, step.told):
        for path in sorted(area.rglob("*"), reverse=True):  # what lies in a folder comes before it
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in kept:
                path.unlink()


def _stands(path: Path, size: int, digest: str) -> bool:
    return path.is_file() and path.stat().st_size == size and sha256(path) == digest
