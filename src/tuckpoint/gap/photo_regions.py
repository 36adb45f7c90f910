"""Regions of the embedding that hold too few training pictures: balls around pictures, counted like cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tuckpoint.gap.cells import enough, fewer, passed
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Missing
from tuckpoint.gap.spans import density, surprise
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

CENTRES = 128
SHARES = (0.01, 0.02, 0.04, 0.08, 0.16)  # of all pictures of both sides, in a ball
MOST_TESTED = 20_000  # pictures of both sides among which centres and radii are found
SAME = 0.3  # Jaccard overlap with a ball already told
COLUMN = "region"
WORDS = 3  # predicates of a description
GAIN = 0.02  # of the F1 measure, for which one more is told


@dataclass(frozen=True)
class Ball:
    """All pictures whose embedding lies within `radius` of `centre` (k,)."""

    centre: Array
    radius: float

    def holds(self, rows: Array) -> Array:
        """Which rows (n, k) lie in it."""
        return np.asarray(((rows - self.centre) ** 2).sum(axis=1) <= self.radius**2)


def balls(train: Array, reference: Array, seed: Seed) -> list[Ball]:
    """Candidates, from rows (n, k) and (m, k) together, whichever side they are of, so that an exact test stays exact.

    Centres are drawn each with a chance that rises with the squared distance to those before (Arthur and Vassilvitskii
    2007); radii hold 1 to 16 % of all rows.
    """
    every = np.concatenate([train, reference])
    random = seed.numpy()
    if len(every) > MOST_TESTED:
        every = every[np.sort(random.permutation(len(every))[:MOST_TESTED])]
    least = enough(len(train), len(reference)) / (len(train) + len(reference))
    found = []
    nearest = np.full(len(every), np.inf)
    at = int(random.integers(len(every)))
    for _ in range(min(CENTRES, len(every))):
        apart = ((every - every[at]) ** 2).sum(axis=1)
        ranked = np.sort(apart)
        for share in SHARES:
            if share >= least:
                place = min(len(ranked) - 1, round(share * len(ranked)))
                found.append(Ball(every[at], float(np.sqrt(ranked[place] * (1 + 1e-9) + 1e-12))))
        nearest = np.minimum(nearest, apart)
        if nearest.sum() <= 0:
            break
        at = int(random.choice(len(every), p=nearest / nearest.sum()))
    return found


def regions(
    train: Array, reference: Array, seed: Seed, *, level: float, most: int = 5
) -> tuple[list[tuple[Ball, Missing]], int]:
    """Balls that hold fewer of the training rows (n, k) than the reference's (m, k) share of them, the clearest first;
    how many were tested.

    Fisher's exact test, Holm over all balls at `level`. After each the count goes on as if it were filled.
    """
    found: list[tuple[Ball, Missing]] = []
    if not len(train) or not len(reference):
        return found, 0
    candidates = balls(train, reference, seed)
    if not candidates:
        return found, 0
    n, m = len(train), len(reference)
    mine = np.stack([ball.holds(train) for ball in candidates])
    theirs = np.stack([ball.holds(reference) for ball in candidates])
    counts, held = mine.sum(axis=1), theirs.sum(axis=1)
    p = fewer(counts, held, n, m)
    first = surprise(counts, held, n, m)
    open_ = passed(p, level) & (held > 0)
    bar = float(first[open_].min()) if open_.any() else np.inf
    filled, rows = counts.astype(np.float64), float(n)
    while open_.any() and len(found) < most:
        z = np.where(open_, surprise(filled, held, rows, m), -np.inf)
        at = int(z.argmax())
        if z[at] < bar:
            break
        found.append(
            (candidates[at], _missing(f"{len(found) + 1}", int(counts[at]), int(held[at]), n, m, float(p[at])))
        )
        lacking = max(0.0, (rows - filled[at]) * held[at] / max(m - held[at], 1) - filled[at])
        both = (theirs & theirs[at]).sum(axis=1)
        filled += lacking / held[at] * both
        rows += lacking
        open_ &= both < SAME * (held + held[at] - both)
    return found, len(candidates)


def _missing(name: str, rows: int, held: int, n: int, m: int, p: float) -> Missing:
    low, high = density(rows, held, n, m)
    return Missing(
        where=f'{COLUMN} == "{name}"', columns=(COLUMN,), basis="region", rows=rows, expected=n * held / m,
        share=held / m, ratio=rows / n / (held / m), low=low, high=high,
        z=float(surprise(np.array([rows]), np.array([held]), n, m)[0]), p=p,
        lacking=max(0, round((n - rows) * held / max(m - held, 1) - rows)), reference_rows=held,
    )  # fmt: skip


def named(rows: Array, found: Sequence[Ball]) -> list[str]:
    """The region (n,) of each row: the number of the first ball that holds it, or "none"."""
    names = np.full(len(rows), "none", dtype=object)
    for number, ball in reversed(list(enumerate(found, 1))):
        names[ball.holds(rows)] = str(number)
    return [str(name) for name in names]


def described(inside: Array, columns: Sequence[Parts]) -> str:
    """The predicates that single out the reference rows `inside` (m,) best, at most three, with how well they do.

    Each in turn is the one that raises the F1 measure of their conjunction most: a predicate is told for its lift, and
    for how much of the region it covers.
    """
    chosen, words, best = np.ones(len(inside), bool), list[str](), 0.0
    for _ in range(WORDS):
        options = [
            (_f1(chosen & (column.reference == part), inside), column, part)
            for column in columns
            for part, where in enumerate(column.where)
            if where is not None
        ]
        top = max(options, key=lambda one: one[0], default=None)
        if top is None or top[0] < best + GAIN:
            break
        best, column, part = top
        chosen &= column.reference == part
        words.append(column.where[part] or "")
    if not words:
        return "no attribute singles it out; look at its pictures"
    of_it = float((chosen & inside).sum() / max(inside.sum(), 1))
    in_it = float((chosen & inside).sum() / max(chosen.sum(), 1))
    lift = in_it / max(float(inside.mean()), 1e-12)
    return f"mostly {' and '.join(words)}: {of_it:.0%} of its pictures; {in_it:.0%} of such lie in it (lift {lift:.1f})"


def _f1(chosen: Array, inside: Array) -> float:
    return float(2 * (chosen & inside).sum() / max(int(chosen.sum()) + int(inside.sum()), 1))
