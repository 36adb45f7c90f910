"""When a pattern in real rows may be called a rule, and the sample on which patterns are first looked for.

A rule must hold in every row, and so many rows must have had the chance to break it that neither luck nor thin data
explain it: the probability that unrelated columns obey, times the number of patterns tried, must be below 1e-9 (with
people instead of rows where one person has many). A rule that only forbids must moreover be broken, at 95 % confidence
(3 / trials, the rule of three), less than a tenth as often as unrelated columns would break it.

That one of two amounts is 0 (a gain and a loss, a debit and a credit) is asked of few pairs, and forbids nothing but
rows of a kind that none of the real ones is: there 1e-4 and a quarter suffice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field
from tuckpoint.table.rule import Value

LUCK = math.log(1e-9)  # of the whole search
EITHER_LUCK = math.log(1e-4)  # of all pairs of amounts of which one might always be 0
MIN_ROWS = 50
MIN_TRIALS = 30
MIN_SOFT_TRIALS = 100
MIN_LEVEL_TRIALS = 300  # rows with a level that fixes something: levels are many, and some go together by custom
FEWEST_PEOPLE = 5  # behind any single value that a stored rule names
EITHER = 0.25  # exceptions to "one of two amounts is 0", as a share of those of unrelated columns, at most
LIFT = 0.1  # exceptions of a finding, as a share of those that unrelated columns would show, at most
SOFT = 0.95  # from this support on, what is not a rule is a finding
RARE = "(rare)"


@dataclass(frozen=True)
class View:
    """A table to look for rules in, with a sample of its rows as one matrix.

    `sample` (s, d) float64 holds numbers and codes, NaN for missing; `rows` (s,) are the positions of its rows.
    """

    table: Encoded
    sample: Array
    rows: Array

    @property
    def fields(self) -> tuple[Field, ...]:
        """The columns, in the order of the sample's."""
        return self.table.fields

    @cached_property
    def independence(self) -> float:
        """How many independent rows one row counts for: people over rows."""
        person = self.table.person
        return 1.0 if person is None or not len(person) else len(np.unique(person)) / len(person)

    def full(self, name: str) -> Array:
        """A whole column as numbers (n,) float64, NaN for missing."""
        return numbers(self.table.columns[name])


def view(table: Encoded) -> View:
    """A view with a sample that shrinks as columns multiply, drawn by a fixed seed."""
    wide = len(table.fields)
    size = 4096 if wide <= 60 else 2048 if wide <= 250 else 1024
    rows = np.arange(table.rows)
    if table.rows > size:
        rows = np.sort(Seed(0).child("rules", "sample").numpy().choice(table.rows, size, replace=False))
    columns = [numbers(table.columns[item.name][rows]) for item in table.fields]
    return View(table, np.stack(columns, axis=1) if columns else np.empty((len(rows), 0)), rows)


def numbers(values: Array) -> Array:
    """Codes or numbers (n,) as float64, NaN for missing."""
    return values if values.dtype.kind == "f" else np.where(values < 0, np.nan, values.astype(np.float64))


def value(item: Field, number: float) -> Value:
    """What a number or code of a field stands for."""
    if math.isnan(number):
        return None
    return float(number) if item.levels is None else item.levels[int(number)]


def thin(trials: float, unrelated: float, share: float = LIFT) -> bool:
    """Whether too few trials without an exception stand behind a rule that unrelated columns break at this rate: it
    might be broken more often than the `share` of that."""
    return trials < MIN_TRIALS or 3 / trials > share * unrelated


def lucky(log_chance: float, tries: int) -> bool:
    """Whether chance explains a pattern: its log probability (nats), corrected for how many were tried."""
    return log_chance + math.log(max(tries, 1)) > LUCK


def told(support: float, rows: int, log_chance: float, *, enforced: bool) -> dict[str, Any]:
    """The evidence of a rule, as its constructor takes it."""
    return {"support": support, "rows": int(rows), "chance": round(log_chance / math.log(10), 1), "enforced": enforced}
