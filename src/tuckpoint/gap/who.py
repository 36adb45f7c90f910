"""Who is in a gap: few people whom a generator would copy, and groups that the law or decency protects."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tuckpoint.gap.finding import Missing
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array
from tuckpoint.table.patterns import is_personal, is_sensitive

FEW = 10  # people under which whatever is made of them would show them


def hints(gap: Missing, people: int, schema: Schema, *, pictures: bool = False) -> tuple[str, ...]:
    """Sentences on privacy and fairness; `people` (of pictures: people or things) have training rows in the gap."""
    told = []
    if 0 < people < FEW and pictures:
        whom = "one person or thing" if people == 1 else f"{people} people or things"
        told.append(f"few: its training pictures show {whom}; pictures made from so few would be copies: look for them")
    elif 0 < people < FEW:
        whom = "one person stands" if people == 1 else f"{people} people stand"
        told.append(f"privacy: {whom} behind its rows; rows made from so few would show them: audit these")
    protected = [
        name for name in gap.columns if is_sensitive(name) or (name in schema.names and schema[name].sensitive)
    ]
    if protected:
        told.append(
            f"fairness: {', '.join(protected)} may be protected by law; compare errors between these groups before and "
            "after, since more rows alone do not make a model fair"
        )
    named = [name for name in gap.columns if is_personal(name) or (name in schema.names and schema[name].personal)]
    if named:
        told.append(f"privacy: {', '.join(named)} may name single people")
    return tuple(told)


def people_in(mask: Array, groups: Array) -> int:
    """How many groups (people) have a row where the mask (n,) is true."""
    return len(np.unique(groups[mask]))


def one_each(groups: Array, seed: Seed) -> Array:
    """Places of one row of each group (n,), drawn by chance, in their order: rows of one person are no independent
    witnesses.
    """
    order = seed.numpy().permutation(len(groups))
    return np.sort(order[np.unique(groups[order], return_index=True)[1]])


def grouped(table: pa.Table, name: str) -> Array:
    """The group (n,) of each row as a number; a row without one is a group of its own."""
    values = [None if value is None else str(value) for value in table[name].to_pylist()]
    texts = sorted({value for value in values if value is not None})
    place = {text: number for number, text in enumerate(texts)}
    return np.array([len(texts) + row if value is None else place[value] for row, value in enumerate(values)])
