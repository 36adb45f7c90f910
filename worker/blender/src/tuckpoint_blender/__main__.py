# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of the worker: say hello, take one scene after the other, until the line closes or the parent is gone.

A message is four bytes of length (big-endian) and so many of JSON in UTF-8, both ways: over standard input and what was
standard output, which is kept for this alone. What Blender itself prints goes to standard error.
"""

import json
import os
import signal
import struct
import sys
import traceback
from typing import Any, BinaryIO

from tuckpoint_blender import PROTOCOL

LARGEST = 1 << 26  # bytes of a message
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def receive(line: BinaryIO) -> dict[str, Any] | None:
    """The next message; None where the line ends."""
    head = line.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    if length > LARGEST:
        raise ValueError(f"a message of {length} bytes; the line is out of step")
    body = line.read(length)
    return json.loads(body) if len(body) == length else None


def send(line: BinaryIO, message: dict[str, Any]) -> None:
    """One message."""
    body = json.dumps(message).encode()
    line.write(struct.pack(">I", len(body)) + body)
    line.flush()


def private_line() -> BinaryIO:
    """What was standard output, for messages alone; all that is printed from now on goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(kept, "wb")


def end_with_parent(parent: int) -> None:
    """Die with the process that started this one, also in the middle of a render (Linux; elsewhere when it is done)."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and os.getppid() != parent:
        sys.exit(0)  # it was gone before that call


def main() -> None:
    """Serve until the line closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what an interrupt means
    if len(sys.argv) > 1:
        end_with_parent(int(sys.argv[1]))
    answers = private_line()
    from tuckpoint_blender import shoot

    send(answers, {"hello": "tuckpoint-blender", "protocol": PROTOCOL, "blender": shoot.version()})
    while (asked := receive(sys.stdin.buffer)) is not None:
        try:
            send(answers, {"done": shoot.shoot(asked), "memory_mb": shoot.memory_mb()})
        except shoot.RefusedError as error:
            send(answers, {"refused": str(error)})
        except Exception:  # whatever it is, the parent is told and decides
            send(answers, {"failed": "".join(traceback.format_exc(limit=-4))})


if __name__ == "__main__":
    main()
