"""Random streams by name: a root and a path of names, hashed into a generator.

Streams depend on their names and on nothing else, so shards, retries, workers and new draws elsewhere change nothing.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError


@dataclass(frozen=True, slots=True)
class Seed:
    """A root number and a path of names; every draw takes one."""

    root: int
    path: tuple[str | int, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.root, int) or isinstance(self.root, bool) or not 0 <= self.root < 2**63:
            raise InputError(f"seed {self.root!r} is not a whole number in 0..2**63-1")

    def child(self, *names: str | int) -> Seed:
        """The stream below this one that bears these names."""
        return Seed(self.root, self.path + names)

    def _digest(self) -> bytes:
        # A type tag and a length before each name: ("a", "b") and ("ab",) or 1 and "1" must not meet.
        hashed = hashlib.blake2b(self.root.to_bytes(8, "little"), digest_size=16)
        for name in self.path:
            data = str(name).encode()
            tag = b"i" if isinstance(name, int) else b"s"
            hashed.update(tag + len(data).to_bytes(4, "little") + data)
        return hashed.digest()

    def integer(self) -> int:
        """A 64-bit key of this stream, for kernels that count from a key."""
        return int.from_bytes(self._digest()[:8], "little")

    def numpy(self) -> np.random.Generator:
        """A fresh counter-based generator at the start of this stream."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self._digest(), "little")))
