"""Parts the rows of a table into those that are fitted and those that are kept aside, person by person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.contribution import coins


def split(table: pa.Table, schema: Schema, share: float, seed: Seed | None) -> tuple[pa.Table, pa.Table | None]:
    """Rows to fit and rows kept aside, each in their order; rows of one person stay together.

    None instead of an empty holdout: a table of one person cannot be parted. Without a seed each person's coin comes
    from the operating system, as a private fit needs it: one person more or less then moves nobody else to the other
    side, which a draw that everybody can repeat, of a share that depends on their number, would do.
    """
    people = np.arange(table.num_rows)  # (n,)
    if schema.person is not None:
        codes = table[schema.person].combine_chunks().dictionary_encode().indices
        known = codes.fill_null(-1).to_numpy(zero_copy_only=False)
        people = np.where(known < 0, known.max(initial=-1) + 1 + people, known)  # a row without a person is its own
    distinct = np.unique(people)
    if seed is None:
        held = np.isin(people, distinct[coins(len(distinct), share)])
        return table.filter(pa.array(~held)), table.filter(pa.array(held)) if held.any() else None
    chosen = seed.numpy().permutation(distinct)[: round(len(distinct) * share)]
    held = np.isin(people, chosen)
    if not held.any() or held.all():
        return table, None
    return table.filter(pa.array(~held)), table.filter(pa.array(held))
