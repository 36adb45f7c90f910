"""Three-valued logic over encoded columns: in each row a comparison is true, false, or unknown for want of a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from tuckpoint.table.engine import Array, Field

Columns = Mapping[str, Array]
Truth = tuple[Any, Any]  # certainly true, certainly false; (n,) bool each, or one bool
Test = Callable[[Columns], Truth]
Values = Callable[[Columns], Any]  # (n,) float64 or one number, NaN for missing

EXACT = 9  # decimals of a result that is not a multiple of anything


def negation(test: Test) -> Test:
    """True where the test is false, unknown where it is unknown."""
    return lambda columns: test(columns)[::-1]


def conjunction(tests: Sequence[Test]) -> Test:
    """True where all are, false where any is."""

    def run(columns: Columns) -> Truth:
        pairs = [test(columns) for test in tests]
        return reduce(np.logical_and, [pair[0] for pair in pairs]), reduce(np.logical_or, [pair[1] for pair in pairs])

    return run if len(tests) > 1 else tests[0]


def disjunction(tests: Sequence[Test]) -> Test:
    """True where any is, false where all are."""
    return negation(conjunction([negation(test) for test in tests]))


def level_is(name: str, code: int) -> Test:
    """The column holds this level."""
    return lambda columns: (columns[name] == code, (columns[name] != code) & (columns[name] >= 0))


def level_below(name: str, code: int) -> Test:
    """The column holds an earlier level."""
    return lambda columns: ((columns[name] < code) & (columns[name] >= 0), columns[name] >= code)


def level_above(name: str, code: int) -> Test:
    """The column holds a later level."""
    return lambda columns: (columns[name] > code, (columns[name] <= code) & (columns[name] >= 0))


def levels_meet(first: Field, second: Field, *, less: bool) -> Test:
    """Two categorical columns hold the same level, or the first holds the earlier one of the same list."""
    places = {level: place for place, level in enumerate(first.levels or ())}
    # The second column's codes in terms of the first's; a level unknown there gets a number that equals none. (k + 1,)
    table = np.array([places.get(level, 10**6 + i) for i, level in enumerate(second.levels or ())] + [-1])

    def run(columns: Columns) -> Truth:
        left, right = columns[first.name], table[columns[second.name]]
        known, holds = (left >= 0) & (right >= 0), (left < right) if less else (left == right)
        return known & holds, known & ~holds

    return run


def numbers_meet(first: Values, second: Values, *, decimals: int, less: bool) -> Test:
    """Two numbers are equal within half of 10**-decimals, or the first is smaller by more than that."""
    half = 0.5 * 10.0 ** -min(decimals, EXACT)

    def run(columns: Columns) -> Truth:
        left, right = first(columns), second(columns)
        gap = np.subtract(left, right)
        tolerance = half + 1e-12 * (np.abs(left) + np.abs(right))
        equal, apart = np.abs(gap) <= tolerance, np.abs(gap) > tolerance  # both false for a missing value
        return ((gap < 0) & apart, equal | ((gap > 0) & apart)) if less else (equal, apart)

    return run


def arithmetic(act: Any, left: Values, right: Values) -> Values:
    """`act` on two numbers; what divides by zero or overflows is missing."""

    def run(columns: Columns) -> Any:
        with np.errstate(all="ignore"):
            out = act(left(columns), right(columns))
        return np.where(np.isfinite(out), out, np.nan)

    return run
