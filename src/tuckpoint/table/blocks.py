"""What rules fix of a column while others are learnt and drawn one after another, so that nothing has to undo it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table.engine import Array, Field
from tuckpoint.table.rule import Patch, Rule, patches


class Blocks:
    """Rules that fix columns where another holds a value, by the column that they fix."""

    def __init__(self, rules: Sequence[Rule], fields: Sequence[Field]) -> None:
        by_name = {item.name: item for item in fields}
        self._patches: dict[str, list[Patch]] = defaultdict(list)
        for patch in (each for rule in rules for each in patches(rule, by_name)):
            self._patches[patch.target].append(patch)

    def free(self, name: str, before: Sequence[str], real: Mapping[str, Array]) -> NDArray[np.bool_] | None:
        """Rows (n,) where no column before fixes this one; None where no rule does, or in no row."""
        found = [patch.run(real)[0] for patch in self._patches.get(name, ()) if patch.source in before]
        free = ~np.logical_or.reduce(found) if found else None
        return free if free is not None and free.any() and not free.all() else None

    def held(self, name: str, drawn: Mapping[str, Array]) -> Array:
        """The column as drawn (n,), but what the columns drawn so far fix."""
        values = drawn[name]
        for patch in self._patches.get(name, ()):
            if patch.source in drawn:
                where, due = patch.run(drawn)
                values = np.where(where, due, values).astype(values.dtype, copy=False) if where.any() else values
        return values
