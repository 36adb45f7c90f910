"""Values that only one person holds: do made rows publish those of people in the data?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tuckpoint.measure.attacks.copies import rounded
from tuckpoint.measure.exchange import Hits, beside
from tuckpoint.measure.finding import Finding, Sides
from tuckpoint.measure.people import found_again, hits_among, holders
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

LEAST = 20  # people with a value of their own, for a column to be tested alone
REST = "all columns with few such values"
HOLDOUT_IS = "the same share of people who were not in the data"
NO_COLUMN = "no column holds values of their own for people both in the data and out of it"
ADVICE = "Values of single people were written again: pool or round them, or leave the column out."


def values(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Per column, how many of the people who alone hold some value find it in the made rows.

    Numbers, rare levels, identifiers and free text alike; all rows of train and holdout count. A value is of one's own
    if nobody else in both tables holds it, so members and outsiders have such values on the same terms, and who of
    their holders was in the data is by chance: the p-value is exact (Fisher 1935). Columns with fewer than 20 such
    people are tested together. It finds what attacks on rows are blind to, such as columns that were resampled alone.
    """
    person, member = holders(sides)
    few: list[tuple[Array, Array]] = []
    found: list[tuple[str, Hits]] = []
    for name, real, made in _columns(sides):
        own, hit = found_again(real, made, person, len(member))
        if own.sum() < LEAST:
            few.append((own, hit))
        else:
            found.append((name, hits_among(own, hit, member)))
    if few:
        found.append((REST, _together(few, member)))
    tested = tuple(_finding(hits, name) for name, hits in found if hits.of_members and hits.of_outsiders)
    return tested or (Finding("values", "copying", Score("unique_values", None, why=NO_COLUMN)),)


def _columns(sides: Sides) -> Iterator[tuple[str, Array, Array]]:
    """Each column as codes of real rows, train before holdout, and of made rows."""
    for field in sides.train.fields:
        real = np.concatenate([side.columns[field.name] for side in (sides.train, sides.holdout)])
        made = sides.made.columns[field.name]
        if field.numeric:
            codes = np.unique(rounded(np.concatenate([real, made])), return_inverse=True)[1].reshape(-1)
            codes[np.isnan(np.concatenate([real, made]))] = -1
            real, made = codes[: len(real)], codes[len(real) :]
        yield field.name, real, made
    for name, (train, holdout, made) in sides.texts.items():
        yield name, np.concatenate([train, holdout]), made


def _together(few: list[tuple[Array, Array]], member: Array) -> Hits:
    own, hit = np.any(few, axis=0)
    return hits_among(own, hit, member)


def _finding(hits: Hits, column: str) -> Finding:
    advice = ADVICE if hits.members / hits.of_members > hits.outsiders / hits.of_outsiders else ""
    score = beside("unique_values", hits, reference_is=HOLDOUT_IS, subject=(column,), advice=advice)
    return Finding("values", "copying", score, hits.p)
