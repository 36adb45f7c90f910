"""A renderer in a process of its own: started when it is needed, watched, recycled, and asked again when it fails.

A message is four bytes of length (big-endian) and so many of JSON in UTF-8, over standard input and output of the
process. It says hello first; then each question has one answer: `done`, `refused` (no retry would help) or `failed`.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tuckpoint.errors import InputError, ToolError

PROTOCOL = 1
TRIES = 3
LAST_LINES = 12
LARGEST = 1 << 26  # bytes of a message
START_S = 300.0  # a cold disk takes long to read all of Blender
LOOK_S = 0.25  # how often time and memory are looked at
Message = dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """Seconds for one scene; scenes, and MB of resident memory, after which a fresh process takes over.

    A process that holds twice that memory within one scene is ended at once (where /proc tells).
    """

    timeout_s: float
    recycle_after: int
    memory_mb: int


@dataclass
class _Process:
    """A running worker, what it said last on standard error, and the messages that came from it."""

    child: subprocess.Popen[bytes]
    errors: IO[bytes]
    heard: queue.SimpleQueue[Message]
    listener: threading.Thread
    scenes: int = 0


class _LostError(Exception):
    """The process did not answer as it should; it has to be ended."""


_crew: dict[tuple[int, tuple[str, ...]], _Process] = {}
_one_at_a_time = threading.RLock()


def ask(command: Sequence[str], question: Message, limits: Limits) -> Message:
    """What the process of this command answers; it is started first if it does not run, and serves the next call too.

    A process that ends, hangs, speaks out of turn or grows too large is ended, and a new one is asked the same, three
    times in all. Raises InputError for what it refuses, ToolError with its last lines if no try succeeded.
    """
    key = (os.getpid(), tuple(command))
    with _one_at_a_time:
        for _ in range(TRIES):
            try:
                answer = _answered(key, question, limits)
            except _LostError as lost:
                why = str(lost)
                continue
            if "refused" in answer:
                raise InputError(f"blender: {answer['refused']}")
            return dict(answer["done"])
    raise ToolError(f"the renderer failed {TRIES} times on the same scene: {' '.join(command)}\nthe last time: {why}")


def hello(command: Sequence[str]) -> Message:
    """What a fresh process of this command says of itself. Raises ToolError if it cannot be started."""
    with _one_at_a_time:
        try:
            process = _started(tuple(command))
            try:
                return _greeting(process)
            finally:
                _end(process)
        except _LostError as lost:
            raise ToolError(f"{' '.join(command)} cannot be used: {lost}") from None


def stop() -> None:
    """End all processes; the next question starts new ones."""
    with _one_at_a_time:
        while _crew:
            _end(_crew.popitem()[1])


atexit.register(stop)


def _answered(key: tuple[int, tuple[str, ...]], question: Message, limits: Limits) -> Message:
    process = _crew.pop(key, None)
    if process is None:
        process = _started(key[1])
        try:
            _greeting(process)
        except _LostError:
            _end(process)
            raise
    kept = False
    try:
        with suppress(OSError):  # that it is dead is heard below
            _send(process, question)
        answer = _hear(process, limits.timeout_s, 2 * limits.memory_mb)
        if "failed" in answer:
            raise _LostError(str(answer["failed"]))
        if "refused" not in answer and not isinstance(answer.get("done"), Mapping):
            raise _LostError(f"it answered {str(answer)[:200]}")
        process.scenes += 1
        large = answer.get("memory_mb", 0) > limits.memory_mb
        kept = process.scenes < limits.recycle_after and not large
        if kept:
            _crew[key] = process
    finally:
        if not kept:
            _end(process)
    return answer


def _started(command: tuple[str, ...]) -> _Process:
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process is ended
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    try:
        child = subprocess.Popen([*command, str(os.getpid())], stdin=pipe, stdout=pipe, stderr=errors, env=environment)
    except OSError as error:
        errors.close()
        raise ToolError(f"the renderer cannot be started: {' '.join(command)}: {error}") from None
    heard: queue.SimpleQueue[Message] = queue.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(child, heard), daemon=True, name="tuckpoint-listens")
    listener.start()
    return _Process(child, errors, heard, listener)


def _greeting(process: _Process) -> Message:
    told = _hear(process, START_S, None)
    if told.get("protocol") != PROTOCOL:
        raise _LostError(f"it speaks protocol {told.get('protocol')!r}, not {PROTOCOL}; install it again")
    return told


def _send(process: _Process, message: Message) -> None:
    assert process.child.stdin is not None
    body = json.dumps(message).encode()
    process.child.stdin.write(struct.pack(">I", len(body)) + body)
    process.child.stdin.flush()


def _listen(child: subprocess.Popen[bytes], heard: queue.SimpleQueue[Message]) -> None:
    """Put each message on the queue, in a thread, since a pipe cannot be waited for with a limit on every system."""
    line = child.stdout
    assert line is not None
    while len(head := line.read(4)) == 4:
        (length,) = struct.unpack(">I", head)
        body = line.read(length) if length <= LARGEST else b""
        try:
            message = json.loads(body)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            heard.put({"lost": f"it sent what is no message: {(head + body)[:60]!r}"})
            return
        heard.put(message)
    heard.put({"lost": "its process ended"})


def _hear(process: _Process, seconds: float, memory_mb: int | None) -> Message:
    """The next message. Raises _LostError with the last lines of its errors if there is none in time."""
    until = time.monotonic() + seconds
    while True:
        try:
            message = process.heard.get(timeout=min(LOOK_S, max(until - time.monotonic(), 0.0)))
        except queue.Empty:
            if time.monotonic() >= until:
                raise _LostError(_with_last_lines(process, f"no answer in {seconds:g} s")) from None
            held = _memory_mb(process.child.pid)
            if memory_mb is not None and held > memory_mb:
                raise _LostError(_with_last_lines(process, f"it held {held:.0f} MB, over {memory_mb} MB")) from None
            continue
        if "lost" in message:
            with suppress(subprocess.TimeoutExpired):
                process.child.wait(1.0)
            code = process.child.poll()
            raise _LostError(_with_last_lines(process, f"{message['lost']} (exit code {code})"))
        return message


def _memory_mb(pid: int) -> float:
    """Resident memory of a process; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def _with_last_lines(process: _Process, what: str) -> str:
    process.errors.seek(max(process.errors.seek(0, os.SEEK_END) - 10_000, 0))
    lines = process.errors.read().decode("utf-8", "replace").rstrip().splitlines()[-LAST_LINES:]
    return "\n".join([what, *lines])


def _end(process: _Process) -> None:
    process.child.kill()
    process.child.wait()
    process.listener.join()
    for pipe in (process.child.stdin, process.child.stdout, process.errors):
        with suppress(OSError):  # what was not yet sent cannot be
            if pipe is not None:
                pipe.close()
