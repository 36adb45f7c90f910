"""Durations as ISO 8601 writes them, such as PT30M and P1DT2H: how a column does, and to seconds and back.

A format names the parts, each with n for its number, in brackets where it is left out when it is zero:
`P[nD]T[nH][nM]nS`. The largest part counts as far as it must; nothing at all is a zero of the last part.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Seconds = NDArray[np.float64]
_SIZES = {"W": 604_800, "D": 86_400, "H": 3600, "M": 60, "S": 1}
_TEXT = (
    r"^(?P<N>[+-]?)P(?:(?P<W>[0-9]{1,6})W)?(?:(?P<D>[0-9]{1,7})D)?"
    r"(?:T(?:(?P<H>[0-9]{1,8})H)?(?:(?P<M>[0-9]{1,10})M)?(?:(?P<S>[0-9]{1,11}(?:[.,][0-9]{1,9})?)S)?)?$"
)
_SOME = r"^[+-]?PT?[0-9].*[WDHMS]$"  # at least one part
_FORMAT = re.compile(r"^P(?:(\[?)n([WD])\]?)*(?:T(?:\[?n[HMS]\]?)+)?$")


def is_format(format_: str) -> bool:
    """Whether a format is one of ISO 8601's."""
    return "n" in format_ and _FORMAT.match(format_) is not None


def recognise(texts: pa.Array) -> str | None:
    """The format of distinct texts that are all such durations; None if they are not."""
    if not len(texts) or "P" not in texts[0].as_py()[:2] or not pc.all(pc.match_substring_regex(texts, _SOME)).as_py():
        return None
    found = pc.extract_regex(texts, _TEXT)
    if found.null_count:
        return None
    there = {part: np.asarray(pc.not_equal(found.field(part), "")) for part in _SIZES}
    nothing = parse(texts)[0] == 0
    used = [part for part in _SIZES if there[part].any()]
    there[used[-1]] |= nothing
    pieces = [f"n{part}" if there[part].all() else f"[n{part}]" for part in used]
    days = "".join(piece for piece, part in zip(pieces, used, strict=True) if part in "WD")
    clock = "".join(piece for piece, part in zip(pieces, used, strict=True) if part not in "WD")
    return f"P{days}T{clock}" if clock else f"P{days}"


def parse(texts: pa.Array) -> tuple[Seconds, NDArray[np.bool_]]:
    """Seconds per text (n,), NaN where unreadable, and which non-null texts are unreadable."""
    trimmed = pc.utf8_trim_whitespace(texts)
    good = pc.fill_null(pc.match_substring_regex(trimmed, _SOME), False)
    found = pc.extract_regex(pc.if_else(good, trimmed, pa.scalar(None, pa.string())), _TEXT)
    seconds = np.where(np.asarray(found.is_valid()), 0.0, np.nan)
    for part, size in _SIZES.items():
        digits = pc.replace_substring(pc.fill_null(found.field(part), ""), ",", ".")
        seconds += size * np.asarray(pc.cast(pc.replace_substring_regex(digits, "^$", "0"), pa.float64()))
    negative = np.asarray(pc.fill_null(pc.equal(found.field("N"), "-"), False))
    return np.where(negative, -seconds, seconds), np.isnan(seconds) & np.asarray(texts.is_valid())


def spell(seconds: Seconds, format_: str) -> pa.Array:
    """Each duration as text, null for NaN."""
    missing = np.isnan(seconds)
    micros = np.rint(np.where(missing, 0, seconds) * 1e6).astype(np.int64)
    left, last = np.abs(micros), re.findall(r"n([WDHMS])", format_)[-1]
    if last != "S":  # what the format has no part for goes to its last
        size = _SIZES[last] * 10**6
        left = (left + size // 2) // size * size
    nothing = pa.array([""] * len(left), pa.string())
    texts = {"days": nothing, "clock": nothing}
    for bracket, part in re.findall(r"(\[?)n([WDHMS])", format_):
        number, left = np.divmod(left, _SIZES[part] * 10**6)
        written = _numbered(number, left if part == "S" else np.zeros_like(left), part)
        shown = pc.if_else(pa.array((number > 0) | ((part == "S") & (left > 0))), written, "") if bracket else written
        side = "days" if part in "WD" else "clock"
        texts[side] = pc.binary_join_element_wise(texts[side], shown, "")
    clock = pc.if_else(pc.equal(texts["clock"], ""), "", pc.binary_join_element_wise("T", texts["clock"], ""))
    both = pc.binary_join_element_wise(texts["days"], clock, "")
    both = pc.if_else(pc.equal(both, ""), f"{'' if last in 'WD' else 'T'}0{last}", both)
    signed = pc.binary_join_element_wise(pc.if_else(pa.array(micros < 0), "-P", "P"), both, "")
    return pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), signed)


def _numbered(number: NDArray[np.int64], micros: NDArray[np.int64], part: str) -> pa.Array:
    """A part with its number and as many decimals as needed, such as 1.5S."""
    digits = pc.binary_join_element_wise(".", pc.utf8_lpad(pc.cast(pa.array(micros), pa.string()), 6, "0"), "")
    fraction = pc.replace_substring_regex(digits, r"\.?0*$", "")
    return pc.binary_join_element_wise(pc.cast(pa.array(number), pa.string()), fraction, part, "")
