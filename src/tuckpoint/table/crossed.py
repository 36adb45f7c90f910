"""Two halves of a table, each the control of what was made from the other, as one table to be attacked at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tuckpoint.table.engine import Encoded, Field

LEAST_MARKS = 9


def crossed(halves: tuple[Encoded, Encoded], made: tuple[Encoded, Encoded]) -> tuple[Encoded, Encoded, Encoded]:
    """Real rows, made rows and controls: `made[i]` was learnt from `halves[i]`, so the other half is its control.

    Each row stands once among the real and once among the controls. So what is common or odd about it, by which an
    attack on one random split would err, cancels: only what a model remembers of its own half is left. Marks keep
    rows of one half from being near to rows made from the other.
    """
    first, second = halves
    return _joined(halves), _joined(made), _joined((second, first))


def _joined(pair: tuple[Encoded, Encoded]) -> Encoded:
    """Both tables in one, with columns that mark where a row comes from."""
    first, second = pair
    columns = {name: np.concatenate([values, second.columns[name]]) for name, values in first.columns.items()}
    side = np.repeat(np.array([0, 1], np.int32), [first.rows, second.rows])
    fields = list(first.fields)
    # Differing marks put rows farther apart than any two rows of a half are likely to be.
    for _ in range(max(LEAST_MARKS, len(first.fields))):
        name = "half"
        while name in columns:
            name += "+"
        columns[name] = side
        fields.append(Field(name, levels=("first", "second")))
    person = None if first.person is None or second.person is None else np.concatenate([first.person, second.person])
    return replace(first, fields=tuple(fields), columns=columns, person=person)
