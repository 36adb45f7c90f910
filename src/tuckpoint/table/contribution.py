"""How much one person can move what is counted: at most so many rows of each are kept, drawn by chance."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuckpoint.privacy import noise
from tuckpoint.table.engine import Encoded

Unit = Literal["person", "row"]
_FACES = 2**40


def bounded(real: Encoded, rows_per_person: int) -> Encoded:
    """At most so many rows of each person, in the order of the table; without `person` each row is a person.

    Which rows stay is drawn from the operating system, for each person by that person's rows alone: adding or removing
    a person moves the result by at most `rows_per_person` rows. A published seed would make the choice for one person
    depend on who else is there.
    """
    if real.person is None:
        return real
    order = noise.shuffled(real.rows)
    order = order[np.argsort(real.person[order], kind="stable")]
    people = real.person[order]
    begin = np.flatnonzero(np.append(True, people[1:] != people[:-1])) if len(people) else np.zeros(0, np.int64)
    nth = np.arange(len(people)) - np.repeat(begin, np.diff(np.append(begin, len(people))))
    return real.take(np.sort(order[nth < rows_per_person]))


def coins(size: int, share: float) -> NDArray[np.bool_]:
    """Independent coins (size,), true with probability `share` to within 2**-40, from the operating system."""
    return np.asarray(noise.uniform(_FACES, size) < round(_FACES * share), dtype=bool)


def rows_of_unit(real: Encoded, unit: Unit, rows_per_person: int) -> int:
    """How many rows one unit can add to or take from the bounded table: the sensitivity of every count."""
    return 1 if unit == "row" or real.person is None else rows_per_person


def unit_in_words(unit: Unit, rows: int) -> str:
    """Whose presence is hidden, as a guarantee tells it."""
    if unit == "row":
        return "one row"
    return f"one person (at most {rows} row{'s' if rows > 1 else ''} of each counted)"
