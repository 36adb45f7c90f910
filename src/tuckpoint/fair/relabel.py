"""Which labels change so that a cell has its quota of positives: as few as can be, and those nearest to changing.

A row's label is taken for a draw with the probability that the fitted engine gives it, `label = (u < p)`; u is drawn
anew given the label. Moving the logits of a whole cell by one constant until its quota is met changes the labels in the
order of logit(u) - logit(p), all in one direction: as few change as can (as in massaging: Kamiran and Calders 2012),
and those that do are drawn with the odds that the model gives them, as Pareto sampling of fixed size draws (Rosen
1997): labels keep their chance and do not become a function of the score, as they would if the highest scores changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.fair.cells import Cells, Label
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Progress, quiet
from tuckpoint.table.fit import TableModel

DRAWS = 32  # of every label given the rest of its row, which estimate its probability
EDGE = 0.5  # a draw of either label is added, so that no probability is 0 or 1
BY_CHANCE = "by chance alone: the engine cannot draw a label given the rest of its row"
BY_MODEL = f"in the order of the engine's own probabilities ({DRAWS} draws of each label given the rest of its row)"


@dataclass(frozen=True)
class Lever:
    """The free column by which the outcome is moved, the outcome itself as a rule, and its two values (codes)."""

    name: str
    no: float
    yes: float

    def flipped(self, values: Array) -> Array:
        """The other value (n,) of each row; what is neither stays."""
        out = values.copy()
        out[values == self.no], out[values == self.yes] = self.yes, self.no
        return out


def lever(model: TableModel, columns: Mapping[str, Array], label: Label) -> Lever:
    """What moves the outcome; raises InputError where rules leave nothing that does, or it has not two values."""
    book = model.book
    known, positive = label.read(Encoded(book.fields, columns))
    sources = book.sources(label.name)
    if len(sources) != 1:
        raise InputError(
            f'fair: "{label.name}" is computed from {", ".join(sources)} by a rule, so its labels cannot be changed; '
            "fit the model without that rule, or take representation"
        )
    values = columns[sources[0]]
    no, yes = np.unique(values[known & ~positive]), np.unique(values[positive])
    if sources == (label.name,) and len(no) > 1:
        raise InputError(
            f'fair: "{label.name}" has {len(no) + 1} values; labels can be changed where it has two: pool the others '
            "into one before the fit, or write its two levels as its domain into the schema"
        )
    if len(no) != 1 or len(yes) != 1:
        alone = "positive" if not len(no) else "not positive"
        if not len(no) or not len(yes):
            raise InputError(
                f'fair: every made row is {alone} in "{label.name}" (rate {float(not len(no)):g}): there is no label '
                "to share out; look at the outcome, or at what the model was fitted to"
            )
        raise InputError(
            f'fair: "{label.name}" follows from "{sources[0]}" by a rule, and several of its values give one label, so '
            "labels cannot be changed alone; fit the model without that rule, or take representation"
        )
    return Lever(sources[0], float(no[0]), float(yes[0]))


@dataclass(frozen=True)
class Flips:
    """What the rows become when every label is the other one.

    `columns` (n,) by name; `may` (n,) bool where that breaks no rule and leaves the cell; `why` tells what forbids it,
    with the rows it does; `follows` are columns that follow from the outcome and change with it.
    """

    columns: Mapping[str, Array]
    may: Array
    why: Mapping[str, int]
    follows: tuple[str, ...]


def flips(model: TableModel, columns: Mapping[str, Array], lever: Lever, label: Label, cells: Cells) -> Flips:
    """All labels changed at once, the columns that rules compute made anew, and where that may be."""
    book = model.book
    free = book.reduced(columns)
    rows = len(free[lever.name])
    turned = book.construct({**free, lever.name: lever.flipped(free[lever.name])}, rows)
    before, after = Encoded(book.fields, columns), Encoded(book.fields, turned)
    known, positive = label.read(before)
    undone = label.read(after)[1] == positive
    moved = cells.place(after) != cells.place(before)
    broken = book.violations(turned, every=True)
    may = known & ~undone & ~moved
    for mask in broken.values():
        may &= ~mask
    why = {text: int((mask & known).sum()) for text, mask in broken.items() if (mask & known).any()}
    if (undone & known).any():
        why["another column fixes the outcome"] = int((undone & known).sum())
    if (moved & known).any():
        why["a rule would change the group"] = int((moved & known).sum())
    follows = tuple(
        item.name
        for item in book.fields
        if item.name not in (label.name, lever.name) and _differ(columns[item.name], turned[item.name])[may].any()
    )
    return Flips(turned, may, why, follows)


def scores(
    model: TableModel, columns: Mapping[str, Array], lever: Lever, seed: Seed, *, progress: Progress = quiet
) -> tuple[Array, str]:
    """The engine's probability (n,) of a positive label given the rest of each row, and how it was found."""
    rest = {name: values for name, values in model.book.reduced(columns).items() if name != lever.name}
    rows = len(columns[lever.name])
    if not rest or model.engine.refuse(None, tuple(rest)):
        return np.full(rows, 0.5), BY_CHANCE
    hits = np.full(rows, EDGE)
    for k in range(DRAWS):
        progress("probabilities of labels", k / DRAWS)
        hits += model.engine.draw(rows, seed.child(k), given=rest).columns[lever.name] == lever.yes
    return hits / (DRAWS + 2 * EDGE), BY_MODEL


def order(probability: Array, positive: Array, seed: Seed) -> Array:
    """How far (n,) the logits must move before a label is negative: below zero if it is positive, least first.

    The k rows of the lowest are the positives of a cell whose quota is k.
    """
    share = seed.numpy().random(len(probability))
    u = np.where(positive, share * probability, probability + share * (1 - probability))
    u = np.clip(u, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(u / (1 - u)) - np.log(probability / (1 - probability)))


def chosen(rank: Array, positive: Array, may: Array, quota: int) -> tuple[Array, int]:
    """The rows of one cell whose labels change, as places, and how many more would have to but may not."""
    change = quota - int(positive.sum())
    wanted = np.flatnonzero(may & (~positive if change > 0 else positive))
    nearest = wanted[np.argsort(rank[wanted] if change > 0 else -rank[wanted], kind="stable")]
    taken = nearest[: abs(change)]
    return taken, abs(change) - len(taken)


def _differ(first: Array, second: Array) -> Array:
    if first.dtype.kind == "f":
        return np.asarray(~np.isclose(first, second, rtol=1e-12, atol=1e-12, equal_nan=True))
    return np.asarray(first != second)
