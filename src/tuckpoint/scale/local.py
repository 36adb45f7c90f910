"""Run the shards of a plan over processes of this machine: same bytes for any number of workers, also after a stop."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from tuckpoint import errors
from tuckpoint.errors import InputError, ToolError, TuckpointError
from tuckpoint.scale import shards
from tuckpoint.scale.shards import Entry, Job, Work

Progress = Callable[[str, float], None]  # what is being done, share done in 0..1
Made = Generator[Entry, None, None]
TRIES = 3
RECYCLE_AFTER = 64  # shards: what a library leaks in a worker is given back before it counts
LAST_LINES = 12


def run(
    jobs: Sequence[Job],
    work: str | Work,
    *,
    folder: Path,
    plan_digest: str,
    workers: int = 1,
    progress: Progress | None = None,
    initial: Any = None,
    suffix: str = ".parquet",
    recycle_after: int = RECYCLE_AFTER,
    overwrite: bool = False,
) -> list[Entry]:
    """Make all shards in `folder`, or those that are missing there, and return their entries in order.

    `work(initial, job, path)` writes one shard to `path` and returns its rows. It is a module's function or its name
    "module:function" and draws from nothing but its arguments; `initial` is sent once to each process. `plan_digest`
    stands for all else that decides the bytes (model, seed, conditions). One worker means this process; of several each
    is replaced by a fresh one after `recycle_after` shards. With `overwrite` shards of another plan there are dropped.
    Raises what `work` raises of tuckpoint's own errors at once, ToolError for a job that failed three times otherwise,
    and as `shards.opened` does. After an interrupt, or any error, the same call goes on where it stopped; if no shard
    was finished by then, nothing is left of it.
    """
    if workers < 1:
        raise InputError(f"{workers} workers: ask for 1 or more")
    whole = shards.digest(jobs, of=plan_digest, suffix=suffix)
    with shards.opened(folder, whole, overwrite=overwrite), shards.forsaken(folder):
        done = {job.index: entry for job in jobs if (entry := shards.finished(folder, job)) is not None}
        missing = [job for job in jobs if job.index not in done]
        crew = min(workers, len(missing))
        _tell(progress, done, jobs)
        try:
            many = _supervise(missing, work, initial, folder, suffix, workers=crew, recycle_after=recycle_after)
            with closing(many if crew > 1 else _here(missing, work, initial, folder, suffix)) as made:
                for entry in made:
                    done[entry.index] = entry
                    _tell(progress, done, jobs)
        except KeyboardInterrupt:
            have = f"{len(done)} of {len(jobs)} shards"
            raise KeyboardInterrupt(
                f"stopped with {have} in {folder}; run the same again to go on from there"
            ) from None
        entries = [done[job.index] for job in jobs]
        shards.close(folder, whole, entries)
    return entries


def paced(progress: Progress, count: int, noun: str) -> Progress:
    """Tells how many of `count` things are done, how many come in a minute, and how long the rest takes.

    What stood there before is no pace.
    """
    start, first = time.monotonic(), None

    def show(what: str, share: float) -> None:
        nonlocal first
        first = share if first is None else first
        told = f"{round(share * count):,} of {count:,} {noun}"
        if share > first:
            pace = (share - first) * count / max(time.monotonic() - start, 1e-9)  # in a second
            left = round((1 - share) * count / pace)
            told += f" · {60 * pace:,.0f} a minute · {left // 3600}:{left // 60 % 60:02d}:{left % 60:02d} left"
        progress(told, share)

    return show


def _tell(progress: Progress | None, done: Mapping[int, Entry], jobs: Sequence[Job]) -> None:
    if progress is not None:
        rows, total = sum(entry.rows for entry in done.values()), sum(job.rows for job in jobs)
        progress(f"{rows:,} of {total:,} rows", len(done) / max(len(jobs), 1))


def _here(jobs: Sequence[Job], work: str | Work, initial: Any, folder: Path, suffix: str) -> Made:
    """All jobs in this process, one after the other."""
    call = _importable(work)
    for job in jobs:
        place = shards.aside(folder, job, suffix, room=_room(0))
        for attempt in range(1, TRIES + 1):
            try:
                written = shards.write(call, initial, job, place)
                break
            except TuckpointError:
                raise
            except Exception:
                if attempt == TRIES:
                    raise _failed(job, _last_lines()) from None
        yield shards.commit(folder, job, place, written)


@dataclass
class Worker:
    """A process, the line to it, its number, how many jobs it did, and the job it has with the place to write it."""

    process: BaseProcess
    line: Connection
    number: int
    done: int = 0
    job: Job | None = None
    place: Path = Path()


def _supervise(
    jobs: Sequence[Job], work: str | Work, initial: Any, folder: Path, suffix: str, *, workers: int, recycle_after: int
) -> Made:
    """All jobs over processes, one job a process at a time; a process that dies is replaced and its job tried again."""
    waiting, tries = deque(jobs), Counter[int]()
    crew: list[Worker] = []
    try:
        crew.extend(_start(work, initial, number) for number in range(workers))
        while waiting or any(worker.job is not None for worker in crew):
            for worker in crew:
                if worker.job is None and waiting:
                    _hand(worker, waiting.popleft(), folder, suffix)
            for worker in _ready(crew):
                job, place, (what, *answer) = worker.job, worker.place, _hear(worker)
                assert job is not None
                worker.job = None
                if what == "done":
                    worker.done += 1
                    if worker.done >= recycle_after and waiting:
                        _stop(worker)
                        worker = crew[worker.number] = _start(work, initial, worker.number)
                    if waiting:  # it goes on while this shard is brought to the disk
                        _hand(worker, waiting.popleft(), folder, suffix)
                    rows, size, content = answer
                    yield shards.commit(folder, job, place, (rows, size, content))
                    continue
                if what == "error":
                    raise _rebuilt(*answer)
                tries[job.index] += 1
                if tries[job.index] == TRIES:
                    raise _failed(job, answer[0])
                waiting.appendleft(job)
                if what == "died":
                    crew[worker.number] = _start(work, initial, worker.number)
    finally:
        for worker in crew:
            _stop(worker)


def _start(work: str | Work, initial: Any, number: int) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work, initial), daemon=True, name=f"tuckpoint-{number}")
    try:
        with _without_main(work):
            process.start()
    except Exception as error:
        ours.close()
        raise ToolError(f"a worker cannot be started: {error!r}; use 1 worker, or things that modules define") from None
    finally:
        theirs.close()
    return Worker(process, ours, number)


@contextmanager
def _without_main(work: str | Work) -> Iterator[None]:
    """Start processes that do not run the caller's script again.

    Without this a script that lacks `if __name__ == "__main__":` would start itself anew in every worker. Only work
    that is defined in the script itself needs it there.
    """
    main = sys.modules["__main__"]
    if isinstance(work, str) or work.__module__ != "__main__":
        sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _hand(worker: Worker, job: Job, folder: Path, suffix: str) -> None:
    worker.job, worker.place = job, shards.aside(folder, job, suffix, room=_room(worker.number))
    with suppress(OSError):  # that it is dead is heard when listening to it
        worker.line.send((job, worker.place))


def _ready(crew: Sequence[Worker]) -> list[Worker]:
    """Wait until busy workers have something to say, or died."""
    busy = [worker for worker in crew if worker.job is not None]
    speaking = wait([thing for worker in busy for thing in (worker.line, worker.process.sentinel)])
    return [worker for worker in busy if worker.line in speaking or worker.process.sentinel in speaking]


def _hear(worker: Worker) -> tuple[Any, ...]:
    """What a worker says: done, failed (may be tried again), error (one of ours, final), or that it died."""
    with suppress(EOFError, OSError):
        if worker.line.poll():
            answer: tuple[Any, ...] = worker.line.recv()
            return answer
    worker.process.join(1)
    code = worker.process.exitcode
    _stop(worker)
    if code is not None and code < 0:
        ended = f"by signal {signal.Signals(-code).name}"
        hint = "; is memory short? Try fewer workers or smaller shards" if -code == signal.SIGKILL else ""
        return "died", f"its process was ended {ended}{hint}"
    return "died", f"its process ended with exit code {code}; what it said stands above"


def _stop(worker: Worker) -> None:
    worker.line.close()
    worker.process.kill()
    worker.process.join()


def _room(number: int) -> str:
    # The process id keeps apart a worker that outlived its watcher for a moment.
    return f"{os.getpid()}-{number}"


def _importable(work: str | Work) -> Work:
    if not isinstance(work, str):
        return work
    module, _, name = work.partition(":")
    call: Work = getattr(import_module(module), name)
    return call


def _last_lines() -> str:
    return "\n".join(traceback.format_exc().rstrip().splitlines()[-LAST_LINES:])


def _failed(job: Job, why: str) -> ToolError:
    rows = f"rows {job.first_row:,} to {job.first_row + job.rows:,}"
    return ToolError(
        f"shard {job.index} ({rows}) failed {TRIES} times; run the same again to retry. The last time:\n{why}"
    )


def _rebuilt(name: str, message: str) -> TuckpointError:
    """An error of ours out of its name and text: its constructor may want more than a message."""
    kind = getattr(errors, name, ToolError)
    error: TuckpointError = kind.__new__(kind)
    error.args = (message,)
    if isinstance(error, errors.ShortSample):
        error.rows = None
    return error


def _serve(line: Connection, work: str | Work, initial: Any) -> None:
    """The life of a worker: take a job, write it, say so, until the line closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the watcher decides what an interrupt means
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            job, place = line.recv()
            try:
                line.send(("done", *shards.write(_importable(work), initial, job, place)))
            except TuckpointError as error:
                line.send(("error", type(error).__name__, str(error)))
            except Exception:
                line.send(("failed", _last_lines()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
