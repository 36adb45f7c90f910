"""Gaps over ranges: neighbouring ranges of a number that both lack rows are told as one, with counts and intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tuckpoint.gap.cells import fewer
from tuckpoint.gap.columns import Parts, ranged, spelt
from tuckpoint.gap.finding import Missing
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.table.engine import Array

Span = tuple[tuple[int, int, int], ...]  # columns, each with its first and last part


def joined(columns: Sequence[Parts], spans: Sequence[Span]) -> list[list[int]]:
    """Which spans belong together, as positions, in the order of the first of each: those that differ in one column
    alone, in which they are neighbouring ranges that do not together cover it.
    """
    groups: list[tuple[Span, list[int]]] = []
    for at, span in enumerate(spans):
        place = next((i for i, (other, _) in enumerate(groups) if _both(columns, other, span) is not None), None)
        if place is None:
            groups.append((span, [at]))
            continue
        other, members = groups[place]
        both = _both(columns, other, span)
        assert both is not None
        groups[place] = (both, [*members, at])
    return [members for _, members in groups]


def hull(spans: Sequence[Span]) -> Span:
    """The span from the first to the last part of spans that were joined."""
    columns = zip(*spans, strict=True)
    return tuple((each[0][0], min(one[1] for one in each), max(one[2] for one in each)) for each in columns)


def _both(columns: Sequence[Parts], one: Span, other: Span) -> Span | None:
    if [c for c, _, _ in one] != [c for c, _, _ in other]:
        return None
    apart = [i for i in range(len(one)) if one[i] != other[i]]
    if len(apart) != 1:
        return None
    column, first, last = one[apart[0]]
    _, low, high = other[apart[0]]
    cuts = len(columns[column].cuts)
    if max(last, high) > cuts or not cuts or (high + 1 != first and last + 1 != low):
        return None
    both = hull((one, other))
    return None if both[apart[0]][1:] == (0, cuts) else both


def rows_of(columns: Sequence[Parts], span: Span, side: str) -> Array:
    """Which rows (n,) lie in the span."""
    masks = [(getattr(columns[c], side) >= first) & (getattr(columns[c], side) <= last) for c, first, last in span]
    return np.asarray(np.logical_and.reduce(masks))


def told(columns: Sequence[Parts], span: Span) -> str:
    """The span's condition."""
    said = []
    for c, first, last in span:
        name, one = spelt(columns[c].name), columns[c].where[first] or ""
        said.append(one if first == last else ranged(name, columns[c].cuts, first, last))
    return " and ".join(said)


def missing(columns: Sequence[Parts], span: Span, also: tuple[str, ...]) -> Missing:
    """The gap with its counts, density ratio and p value."""
    n, m = len(columns[0].train), len(columns[0].reference)
    rows, held = (int(rows_of(columns, span, side).sum()) for side in ("train", "reference"))
    low, high = density(rows, held, n, m)
    counted = np.array([rows]), np.array([held])
    return Missing(
        where=told(columns, span), columns=tuple(columns[c].name for c, _, _ in span), basis="sample", rows=rows,
        expected=n * held / m, share=held / m, ratio=rows / n / (held / m), low=low, high=high,
        z=float(surprise(*counted, n, m)[0]), p=float(fewer(*counted, n, m)[0]),
        lacking=max(0, round((n - rows) * held / max(m - held, 1) - rows)), reference_rows=held,
        beyond=_beyond(columns, span), also=also,
    )  # fmt: skip


def surprise(train: Array, reference: Array, n: float, m: int) -> Array:
    """How many standard errors each cell (k,) falls short: (e - n) / sqrt of both counts' variances; above 0: too few.

    e = N q is the expected count at the reference's share q = r / M; its own noise counts as well as that of n.
    """
    q = reference / m
    expected = n * q
    return np.asarray((expected - train) / np.sqrt(np.maximum(expected * (1 - q) * (1 + n / m), 1e-12)))


def density(rows: int, held: int, n: int, m: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of the density ratio (rows / n) / (held / m).

    Given their sum, one of two Poisson counts is binomial; Clopper and Pearson's interval of that share, turned back.
    """
    (low, high), scale = clopper_pearson(rows, rows + held, level), m / n
    return low / (1 - low) * scale, high / max(1 - high, 1e-12) * scale


def _beyond(columns: Sequence[Parts], span: Span) -> float | None:
    """Density ratio of the gap over the product of those of its single columns: below 1 the combination itself lacks
    rows, near 1 its columns' own shares explain it.
    """
    if len(span) == 1:
        return None
    product = float(np.prod([_ratio(columns, (one,)) for one in span]))
    return _ratio(columns, span) / product if product > 0 else None


def _ratio(columns: Sequence[Parts], span: Span) -> float:
    rows, held = (float(rows_of(columns, span, side).mean()) for side in ("train", "reference"))
    return rows / held if held else 0.0
