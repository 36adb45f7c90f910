"""Parts the rows of a table into those that are fitted and those that are kept aside, person by person."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tuckpoint.schema import NUMERIC, Schema
from tuckpoint.seed import Seed
from tuckpoint.table.contribution import coins
from tuckpoint.table.engine import Array

FEW_NUMBERS = 15  # a target of no more distinct numbers is parted like levels
ENOUGH = 20  # people of a level that are kept aside on average: of so many, chance seldom leaves too few to test on
RARE = 0.25  # of all people, in rare levels together: with more, those kept aside would be alike beyond chance


def split(table: pa.Table, schema: Schema, share: float, seed: Seed | None) -> tuple[pa.Table, pa.Table | None]:
    """Rows to fit and rows kept aside, each in their order; rows of one person stay together.

    None instead of an empty holdout: a table of one person cannot be parted. Of each rare level of the target (or of
    its numbers, if they are few) the same share is kept aside: of 30 rare rows chance alone may keep two, which say
    nothing. All others are parted by chance, as every other column is, so that rows kept aside differ from the rest as
    much as made rows may; and everybody is as likely to be kept aside as all. Without a seed each person's coin comes
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
    many = round(len(distinct) * share)
    drawn = seed.numpy().permutation(distinct)
    levels = _levels(table, schema) if many else None
    chosen = drawn[:many] if levels is None else _alike(drawn, _strata(people, levels), many, seed.child("strata"))
    held = np.isin(people, chosen)
    if not held.any() or held.all():
        return table, None
    return table.filter(pa.array(~held)), table.filter(pa.array(held))


def _levels(table: pa.Table, schema: Schema) -> Array | None:
    """The level (n,) of the target in each row, rarest first; None without one, or where its numbers are many."""
    column = None if schema.target is None else schema[schema.target]
    if column is None or not column.modelled:
        return None
    encoded = table[column.name].combine_chunks().dictionary_encode()
    if column.kind in NUMERIC and len(encoded.dictionary) > FEW_NUMBERS:
        return None
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes, minlength=len(encoded.dictionary) + 1)
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    return np.asarray(rank[codes])


def _strata(people: Array, levels: Array) -> Array:
    """The rarest level that each person holds, by the person's number."""
    found = np.full(int(people.max(initial=-1)) + 1, levels.max(initial=0))
    np.minimum.at(found, people, levels)
    return found


def _alike(drawn: Array, strata: Array, many: int, seed: Seed) -> Array:
    """As `many` of the people as they were drawn (p,), the same share of each rare stratum and of all others together.

    A systematic draw rounds the shares, so that each person is chosen with the same chance, whatever the stratum.
    """
    sizes = np.bincount(strata[drawn])
    rare = (sizes * many < ENOUGH * len(drawn)) & (np.cumsum(sizes) <= RARE * len(drawn))
    part = np.where(rare, np.arange(len(sizes)), len(sizes))[strata[drawn]]
    ordered, ends = drawn[np.argsort(part, kind="stable")], np.cumsum(np.bincount(part))
    taken = np.floor(ends * many / len(drawn) + seed.numpy().random()).astype(np.int64)
    taken[-1] = many
    starts, counts = np.append(0, ends[:-1]), np.diff(np.minimum(taken, many), prepend=0)
    return np.concatenate([ordered[at : at + held] for at, held in zip(starts, counts, strict=True)])
