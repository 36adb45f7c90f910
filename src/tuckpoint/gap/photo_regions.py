"""Regions of the embedding that hold too few training pictures: balls around pictures, scanned like a map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tuckpoint.gap.cells import enough
from tuckpoint.gap.columns import Parts
from tuckpoint.gap.finding import Missing
from tuckpoint.gap.spans import density, surprise
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

CENTRES = 1024
SHARES = (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.12, 0.14, 0.16)  # of all pictures, in a ball
MOST_TESTED = 20_000  # pictures of both sides that are counted; of more a sample is
MOST_PLACED = 4_000_000  # centres times pictures
RELABELLED = 199  # times that the sides are dealt out anew
STEPS = 6  # of moving the centre of a region that was found
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


@dataclass(frozen=True)
class Scan:
    """Balls around some of the rows (n, k): the rows nearest to each centre, `order` (c, n), of which a ball holds the
    first `sizes` (c, s).
    """

    rows: Array
    order: Array
    sizes: Array

    def counts(self, values: Array) -> Array:
        """Sums (c, s, v) over each ball of whole numbers (n, v), one column for each way of counting."""
        out = np.empty((*self.sizes.shape, values.shape[1]), np.int64)
        for centre, (order, sizes) in enumerate(zip(self.order, self.sizes, strict=True)):
            ends, place = np.unique(sizes, return_inverse=True)
            rings = np.add.reduceat(values[order[: ends[-1]]], np.concatenate([[0], ends[:-1]]), dtype=np.int32)
            out[centre] = np.cumsum(rings, axis=0)[place]
        return out

    def ball(self, centre: int, size: int) -> Ball:
        """The ball at these positions."""
        middle = self.rows[self.order[centre, 0]]
        last = self.rows[self.order[centre, self.sizes[centre, size] - 1]]
        return Ball(middle, _reach(((last - middle) ** 2).sum()))


def scan(rows: Array, seed: Seed, *, least: float) -> Scan:
    """Balls of 1 to 16 % of the rows (n, k) around up to 1,024 of them, drawn whichever side they are of.

    Balls of fewer than `least` rows are left out; rows as far away as the last one belong to the ball too.
    """
    n = len(rows)
    centres = np.sort(seed.numpy().permutation(n)[: min(CENTRES, max(1, MOST_PLACED // n))])
    wanted = np.unique([min(n, round(share * n)) for share in SHARES if share * n >= least]).astype(np.int64)
    order, sizes = np.empty((len(centres), n), np.int32), np.empty((len(centres), len(wanted)), np.int64)
    for place, centre in enumerate(centres):
        apart = ((rows - rows[centre]) ** 2).sum(axis=1)
        apart[centre] = -1.0  # first, also among rows that are the same
        order[place] = np.argsort(apart, kind="stable")
        ranked = apart[order[place]]
        sizes[place] = np.searchsorted(ranked, _reach(ranked[wanted - 1]) ** 2, side="right")
    return Scan(rows, order, sizes)


def unlike(train: Array, both: Array, n: Array | float, total: Array | float) -> Array:
    """By how much the log likelihood rises if a ball has a training share of its own, lower than elsewhere; else 0.

    `train` of `both` rows in it are training rows, `n` of `total` in all: Kulldorff's spatial scan statistic (1997).
    """
    inner, outer = both.astype(np.float64), np.asarray(total - both, np.float64)
    k, rest = train.astype(np.float64), np.asarray(n - train, np.float64)
    told = _likely(k, inner) + _likely(rest, outer) - _likely(np.asarray(n, float), np.asarray(total, float))
    lower = k * outer < rest * inner
    return np.where(lower, told, 0.0)


def regions(
    train: Array, reference: Array, seed: Seed, *, level: float, most: int = 5
) -> tuple[list[tuple[Ball, Missing]], int]:
    """Balls that hold fewer of the training rows (n, k) than the reference's (m, k) share of them, the clearest first;
    how many were tested.

    The scan statistic of the clearest ball is held against that of 199 relabellings of all rows, so that the chance of
    even one false region is at most `level`, however many balls overlap. The next is sought among the rows outside.
    """
    n, m = len(train), len(reference)
    least = enough(n, m) if n and m else np.inf
    every, side = np.concatenate([train, reference]), np.repeat([1, 0], [n, m])
    kept = np.arange(n + m)
    if n + m > MOST_TESTED:
        kept = np.sort(seed.child("rows").numpy().permutation(n + m)[:MOST_TESTED])
        every, side = every[kept], side[kept]
    if max(SHARES) * len(every) < least:
        return [], 0
    looked = scan(every, seed.child("centres"), least=least)
    chance = _by_chance(looked, side, seed.child("relabelled"))
    free, found = np.ones(len(every), np.int64), list[tuple[Ball, Missing]]()
    while len(found) < most and side @ free and (1 - side) @ free:
        inside = looked.counts(np.stack([side * free, free], axis=1))
        told = unlike(inside[..., 0], inside[..., 1], float(side @ free), float(free.sum()))
        told[inside[..., 1] < least] = 0.0
        centre, size = np.unravel_index(int(told.argmax()), told.shape)
        p = (1 + int((chance >= told[centre, size]).sum())) / (1 + len(chance))
        if told[centre, size] <= 0 or p > level:
            break
        rough = looked.ball(int(centre), int(size))
        ball = _settled(rough, every, side, free)
        mine, theirs = ball.holds(train), ball.holds(reference)
        if not any(_overlap(theirs, other.holds(reference)) >= SAME for other, _ in found):
            found.append((ball, _missing(f"{len(found) + 1}", int(mine.sum()), int(theirs.sum()), n, m, p)))
        free[rough.holds(every) | ball.holds(every)] = 0
    return found, looked.sizes.size


def _by_chance(looked: Scan, side: Array, seed: Seed) -> Array:
    """The clearest ball's statistic (199,) when the sides are dealt out anew."""
    random = seed.numpy()
    dealt = np.stack([random.permutation(side) for _ in range(RELABELLED)], axis=1).astype(np.int8)
    inside = looked.counts(dealt)
    told = unlike(inside, looked.sizes[..., None], float(side.sum()), float(len(side)))
    return np.asarray(told.max(axis=(0, 1)))


def _settled(ball: Ball, rows: Array, side: Array, free: Array) -> Ball:
    """The ball moved to the mean of its reference rows, of the size that tells most, as long as that tells more."""
    best = -np.inf
    total, n = float(free.sum()), float(side @ free)
    places = np.unique([max(1, round(share * len(rows))) for share in SHARES]) - 1
    centre = ball.centre
    for _ in range(STEPS):
        apart = ((rows - centre) ** 2).sum(axis=1)
        order = np.argsort(apart, kind="stable")
        train, both = (np.cumsum(one[order])[places] for one in (side * free, free))
        told = unlike(train, both, n, total)
        if told.max() <= best:
            break
        best, at = float(told.max()), int(told.argmax())
        ball = Ball(centre, _reach(apart[order[places[at]]]))
        held = ball.holds(rows) & (side == 0)
        if not held.any():
            break
        centre = rows[held].mean(axis=0)
    return ball


def _likely(hits: Array, rows: Array) -> Array:
    """The greatest log likelihood of so many hits among so many rows."""
    from scipy.special import xlogy

    share = np.divide(hits, rows, out=np.zeros(np.broadcast(hits, rows).shape), where=rows > 0)
    return np.asarray(xlogy(hits, share) + xlogy(rows - hits, 1 - share))


def _reach(square: Array | float) -> Any:
    """The radius that holds a row at this squared distance, whatever the last bit."""
    return np.sqrt(np.asarray(square) * (1 + 1e-9) + 1e-12)


def _overlap(one: Array, other: Array) -> float:
    return float((one & other).sum() / max(int((one | other).sum()), 1))


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
