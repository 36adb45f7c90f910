"""Offsets from Greenwich: fixed ones, those of places that change their clocks, and as text."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tuckpoint.errors import SchemaError

# Places that change their clocks, one for each way of doing so: offsets that vary are looked for among theirs.
PLACES = (
    *("Europe/London", "Europe/Berlin", "Europe/Helsinki", "Asia/Jerusalem", "Australia/Sydney", "Pacific/Auckland"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Halifax"),
)


def offset(zone: str | None) -> int:
    """Seconds east of Greenwich of an offset such as `+02:00`; 0 for other zones."""
    found = re.fullmatch(r"([+-])(\d\d)(?::?(\d\d))?", zone or "")
    if found is None:
        return 0
    seconds = int(found[2]) * 3600 + int(found[3] or 0) * 60
    return -seconds if found[1] == "-" else seconds


def offsets_of(texts: pa.Array) -> NDArray[np.int64]:
    """Seconds east of Greenwich of offsets as text (n,)."""
    encoded = texts.dictionary_encode()
    seconds = np.array([offset(zone) for zone in encoded.dictionary.to_pylist()], np.int64)
    return seconds.take(np.asarray(encoded.indices))


def offsets_at(seconds: NDArray[np.float64], zone: str | None) -> NDArray[np.int64]:
    """Seconds east of Greenwich at each moment (n,), whole seconds since 1970-01-01 UTC.

    Raises SchemaError for an unknown zone.
    """
    if zone in (None, "UTC") or offset(zone):
        return np.full(len(seconds), offset(zone), np.int64)
    at = seconds.astype(np.int64)
    try:
        there = pc.local_timestamp(pa.array(at, pa.timestamp("s", zone)))
    except pa.ArrowInvalid:
        raise SchemaError(f'unknown time zone "{zone}"; use a name such as "Europe/Berlin" or "UTC"') from None
    return np.asarray(there.cast(pa.int64())) - at


def written(offsets: NDArray[np.int64]) -> pa.Array:
    """Offsets (n,) in seconds as text: +02:00."""
    known, places = np.unique(offsets, return_inverse=True)
    texts = [f"{'-' if one < 0 else '+'}{abs(one) // 3600:02d}:{abs(one) // 60 % 60:02d}" for one in known.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(places))
