"""Which of the numbers that a column can hold satisfy a condition, as runs of neighbouring values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.errors import InputError, count, did_you_mean
from tuckpoint.table.engine import Array, Condition, Field

Steps = NDArray[np.int64]
_ALL = 2**18  # up to so many values are looked at one by one
_ROUND = (60, 900, 3600, 86400)  # minutes, quarters, hours, days: where conditions on times like to cut


def to_steps(values: NDArray[np.float64], decimals: int) -> NDArray[np.float64]:
    """Numbers as whole counts of 10**-decimals, float64 since they may lie far outside any domain."""
    return np.rint(values * 10.0**decimals)


def from_steps(steps: NDArray[Any], decimals: int) -> NDArray[np.float64]:
    """The numbers nearest to these counts of 10**-decimals."""
    return np.asarray(steps / 10.0**decimals, dtype=np.float64)


def allowed_runs(
    mask: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    low: int,
    high: int,
    decimals: int,
    landmarks: Steps | None = None,
) -> Steps:
    """The runs [first, past) of steps in low..high whose numbers satisfy the mask, int64 (runs, 2).

    Up to 2**18 possible numbers the answer is exact for any mask. Beyond, the mask is tried at landmarks, at round
    numbers and evenly between, and each change is traced to its exact place; what changes twice between two trials
    (one odd number picked out of millions) is not seen, so every run is allowed but a tiny one can be lost.
    """
    tried = _trials(low, high, landmarks)
    allowed = np.asarray(mask(from_steps(tried, decimals)), dtype=bool)
    change = np.flatnonzero(allowed[1:] != allowed[:-1])
    left, right, before = tried[change], tried[change + 1], allowed[change]
    while (right - left > 1).any():
        middle = left + (right - left) // 2
        same = np.asarray(mask(from_steps(middle, decimals)), dtype=bool) == before
        left, right = np.where(same, middle, left), np.where(same, right, middle)
    edges = np.concatenate([tried[:1][allowed[:1]], right, [high + 1] if allowed[-1] else []]).astype(np.int64)
    return edges.reshape(-1, 2)


def _trials(low: int, high: int, landmarks: Steps | None) -> Steps:
    if high - low < _ALL:
        return np.arange(low, high + 1, dtype=np.int64)
    size = high - low
    tries = [np.linspace(low, high, 2**14).astype(np.int64), np.array([low, high])]
    decade = 10 ** int(np.ceil(np.log10(size / _ALL)))
    for grain in (decade, *(g for g in _ROUND if size // g <= _ALL)):
        tries.append(np.arange(-(-low // grain) * grain, high + 1, grain, dtype=np.int64))
    if landmarks is not None:
        tries += [landmarks - 1, landmarks, landmarks + 1]
    every = np.unique(np.concatenate(tries))
    return every[(every >= low) & (every <= high)]


def separate(
    condition: Condition | None, given: Mapping[str, Array], rows: int
) -> dict[str, Callable[[Array], NDArray[np.bool_]]]:
    """One mask a column, for a condition that is an `and` of conditions on single columns.

    Raises InputError if given columns have another length than `rows` or themselves break the condition.
    """
    parts = {} if condition is None else dict(condition.parts or {})
    for name, values in given.items():
        if len(values) != rows:
            raise InputError(
                f'given column "{name}" has {count(len(values), "value")} for {count(rows, "row")}; give one a row'
            )
        broken = ~np.asarray(parts[name](values), dtype=bool) if name in parts else np.zeros(rows, bool)
        if broken.any():
            raise InputError(
                f'given column "{name}": {count(int(broken.sum()), "value breaks", "values break")} '
                f"the condition (first: row {int(np.flatnonzero(broken)[0]) + 1}); drop those rows or the condition"
            )
    return parts


def refusal(engine: str, fields: tuple[Field, ...], condition: Condition | None, given: tuple[str, ...]) -> str | None:
    """Why an engine that draws exactly under `and`s of single-column conditions cannot draw; None if it can."""
    known = {item.name for item in fields}
    for name in (*given, *(condition.names if condition else ())):
        if name not in known:
            return f'this model has no column "{name}"{did_you_mean(name, known)}'
    if condition is not None and condition.parts is None:
        return (
            f"engine {engine} cannot draw under {condition.text!r}, which is more than single-column conditions "
            "joined by `and`; split it, or use engine trees"
        )
    return None
