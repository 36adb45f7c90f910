"""The response surface of a model's loss over knobs: main effects, pairs, and the corner where it fails worst.

Means of bins with clustered errors and intervals that hold together (Bonferroni over all cells told). The worst corner
is sought on one half of the clusters and measured on the other, which did not choose it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from tuckpoint.errors import InputError
from tuckpoint.prove.cuts import Knob
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

LEVEL = 0.05
LEAST_ROWS, LEAST_CLUSTERS = 20, 8  # of a cell that is told
LEAST_REAL = 10  # real rows that are held against it
CORNER_SHARE, CORNER_ROWS = 0.03, 30  # fewest rows of a corner, in the half that seeks it
BEAM, DEPTH = 15, 3
SEEN = 2.0  # standard errors by which a corner's excess is discounted while it is sought


@dataclass(frozen=True)
class Cell:
    """A part of the surface: rows, mean loss, and the effect with its interval (of a pair, beyond both main effects).

    `places` are its parts of each knob. `real` is the same effect among real rows that the model did not learn, of
    `real_rows`; None where they are too few.
    """

    where: str
    places: tuple[int, ...]
    rows: int
    mean: float
    effect: float
    low: float
    high: float
    real: float | None = None
    real_rows: int = 0


@dataclass(frozen=True)
class Part:
    """A knob, or two: which share of the variance of the loss its cells explain (of two, beyond each), and the cells.

    `where` holds the conditions of all parts of each knob, None for one without words.
    """

    names: tuple[str, ...]
    where: tuple[tuple[str | None, ...], ...]
    share: float
    cells: tuple[Cell, ...]
    numeric: bool = False


@dataclass(frozen=True)
class Corner:
    """A condition under which the loss is high: excess over elsewhere on the half that chose it (`sought`), and on the
    other half (`excess`, with its 95 % interval), and among real rows, if there are enough.
    """

    where: str
    rows: int
    share: float
    mean: float
    rest: float
    sought: float
    excess: float
    low: float
    high: float
    real: tuple[int, float, float, float] | None = None  # rows, excess, low, high

    @property
    def confirmed(self) -> bool:
        """Whether the half that did not choose it says that the loss is higher there."""
        return self.low > 0


@dataclass(frozen=True)
class Surface:
    """What the loss of made rows does over knobs.

    `agreement` is the correlation of main effects with those of real rows, over `compared` cells.
    """

    rows: int
    clusters: int
    mean: float
    mains: tuple[Part, ...]
    pairs: tuple[Part, ...]
    corner: Corner | None
    cells: int
    real_rows: int = 0
    real_mean: float | None = None
    agreement: float | None = None
    compared: int = 0


@dataclass(frozen=True)
class Losses:
    """Rows (n,) that were judged: the loss of each, whose it is (rows of one cluster go together), and its knobs."""

    loss: Array
    clusters: Array
    knobs: Mapping[str, Array] = field(default_factory=dict)

    def take(self, rows: Array) -> Losses:
        """The rows of a mask."""
        return Losses(self.loss[rows], self.clusters[rows], {name: codes[rows] for name, codes in self.knobs.items()})


def surface(knobs: Sequence[Knob], made: Losses, real: Losses | None, seed: Seed) -> Surface:
    """The surface of the loss of made rows over knobs, beside that of real rows.

    Raises InputError for too few rows or clusters.
    """
    groups = np.unique(made.clusters, return_inverse=True)[1]
    made = Losses(made.loss, groups, made.knobs)
    count = int(groups.max()) + 1 if len(groups) else 0
    if len(groups) < 10 * LEAST_ROWS or count < 2 * LEAST_CLUSTERS:
        raise InputError(
            f"{len(groups)} made rows in {count} clusters tell no surface; {10 * LEAST_ROWS} rows in "
            f"{2 * LEAST_CLUSTERS} clusters are needed (of a simulator a cluster is one draw of its parameters)"
        )
    mains = [_cells(made, (knob,)) for knob in knobs]
    pairs = {both: _cells(made, both) for both in combinations(knobs, 2)}
    tested = sum(map(len, mains)) + sum(map(len, pairs.values()))
    level = LEVEL / max(tested, 1)
    own = {knob.name: _share(made, (knob,)) for knob in knobs}
    told = [
        Part((knob.name,), (knob.where,), own[knob.name], tuple(_told(one, level, real) for one in cells), knob.numeric)
        for knob, cells in zip(knobs, mains, strict=True)
    ]
    both = [
        Part(
            (a.name, b.name), (a.where, b.where), max(0.0, _share(made, (a, b)) - own[a.name] - own[b.name]),
            tuple(_told(one, level, None) for one in cells),
        )
        for (a, b), cells in pairs.items() if cells
    ]  # fmt: skip
    agreement, compared = _agreement(told)
    return Surface(
        len(groups), count, float(made.loss.mean()), tuple(sorted(told, key=lambda part: -part.share)),
        tuple(sorted(both, key=lambda part: -part.share)), corner(knobs, made, real, seed), tested,
        0 if real is None else len(real.loss), None if real is None or not len(real.loss) else float(real.loss.mean()),
        agreement, compared,
    )  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """A cell before its interval: mask among made rows, effect, standard error, clusters, codes of its knobs."""

    where: str
    rows: int
    mean: float
    effect: float
    se: float
    clusters: int
    codes: Mapping[str, int]


def _cells(made: Losses, knobs: Sequence[Knob]) -> list[_Found]:
    """The cells of one knob, or of two, that hold enough rows; of two, the effect beyond both main effects."""
    found = []
    n, overall = len(made.loss), float(made.loss.mean())
    for places in np.ndindex(*(len(knob.where) for knob in knobs)):
        parts = [made.knobs[knob.name] == place for knob, place in zip(knobs, places, strict=True)]
        mask = np.logical_and.reduce(parts)
        rows, clusters = int(mask.sum()), len(np.unique(made.clusters[mask]))
        words = [knob.where[place] for knob, place in zip(knobs, places, strict=True)]
        if rows < LEAST_ROWS or clusters < LEAST_CLUSTERS or rows == n or None in words:
            continue
        mean, influence = _mean(made.loss, mask)
        effect, all_rows = mean - overall, made.loss - overall
        moved = influence - all_rows
        if len(knobs) == 2:
            sides = [_mean(made.loss, part) for part in parts]
            effect = mean - sides[0][0] - sides[1][0] + overall
            moved = influence - sides[0][1] - sides[1][1] + all_rows
        codes = {knob.name: place for knob, place in zip(knobs, places, strict=True)}
        found.append(
            _Found(" and ".join(map(str, words)), rows, mean, effect, _se(moved, made.clusters), clusters, codes)
        )
    return found


def _mean(loss: Array, mask: Array) -> tuple[float, Array]:
    """The mean loss of a part, and what each row (n,) adds to it beside the mean."""
    mean = float(loss[mask].mean())
    return mean, np.where(mask, (loss - mean) * (len(loss) / mask.sum()), 0.0)


def _se(influence: Array, clusters: Array) -> float:
    """Standard error of a mean from the influence of its rows (n,), by clusters."""
    sums = np.bincount(clusters, weights=influence)
    g = int(np.count_nonzero(np.bincount(clusters)))
    return float(np.sqrt((sums**2).sum() * g / max(g - 1, 1)) / len(influence))


def _told(one: _Found, level: float, real: Losses | None) -> Cell:
    from scipy.special import stdtrit

    half = float(stdtrit(one.clusters - 1, 1 - level / 2)) * one.se
    beside, rows = None, 0
    if real is not None and len(real.loss):
        mask = np.logical_and.reduce([real.knobs[name] == place for name, place in one.codes.items()])
        rows = int(mask.sum())
        beside = float(real.loss[mask].mean() - real.loss.mean()) if rows >= LEAST_REAL else None
    places = tuple(one.codes.values())
    return Cell(one.where, places, one.rows, one.mean, one.effect, one.effect - half, one.effect + half, beside, rows)


def _share(made: Losses, knobs: Sequence[Knob]) -> float:
    """The share of the variance of the loss between the cells of knobs, less what chance alone gives (epsilon squared,
    Kelley 1935).
    """
    codes = np.zeros(len(made.loss), np.int64)
    for knob in knobs:
        codes = codes * (len(knob.where) + 1) + made.knobs[knob.name] + 1
    place = np.unique(codes, return_inverse=True)[1]
    counts, n = np.bincount(place), len(place)
    total = float(((made.loss - made.loss.mean()) ** 2).sum())
    if n <= len(counts) or total <= 0:
        return 0.0
    means = np.bincount(place, weights=made.loss) / counts
    within = float(((made.loss - means[place]) ** 2).sum())
    return max(0.0, 1 - within / total * (n - 1) / (n - len(counts)))


def _agreement(parts: Sequence[Part]) -> tuple[float | None, int]:
    """The correlation of the main effects of made rows with those of real ones, cells weighing by their real rows."""
    pairs = [(one.effect, one.real, one.real_rows) for part in parts for one in part.cells if one.real is not None]
    if len(pairs) < 4:
        return None, len(pairs)
    made, real, weights = (np.array(column, float) for column in zip(*pairs, strict=True))
    made, real = made - np.average(made, weights=weights), real - np.average(real, weights=weights)
    spread = float(np.sqrt((weights * made**2).sum() * (weights * real**2).sum()))
    return (float((weights * made * real).sum()) / spread if spread > 0 else None), len(pairs)


def corner(knobs: Sequence[Knob], made: Losses, real: Losses | None, seed: Seed) -> Corner | None:
    """The worst corner, sought on half of the clusters and measured on the others; None if no part is large enough."""
    kinds = np.unique(made.clusters)
    chosen = seed.child("half").numpy().permutation(kinds)[: len(kinds) // 2]
    half = np.isin(made.clusters, chosen)
    found = _sought(knobs, made.take(half))
    if found is None:
        return None
    terms, sought = found
    where = " and ".join(text for _, _, text in terms)
    other = made.take(~half)
    mask = _inside(other, terms)
    if mask.sum() < LEAST_ROWS or mask.all() or len(np.unique(other.clusters[mask])) < 2:
        return None
    excess, low, high = _excess(other, mask)
    beside = None
    if real is not None and len(real.loss):
        held = _inside(real, terms)
        if held.sum() >= LEAST_REAL and not held.all() and len(np.unique(real.clusters[held])) > 2:
            beside = (int(held.sum()), *_excess(real, held))
    loss = other.loss
    return Corner(
        where, int(mask.sum()), float(mask.mean()), float(loss[mask].mean()), float(loss[~mask].mean()), sought,
        excess, low, high, beside,
    )  # fmt: skip


Term = tuple[str, Array, str]  # knob, which of its places, in words


def _sought(knobs: Sequence[Knob], half: Losses) -> tuple[tuple[Term, ...], float] | None:
    """The conditions, up to three of them, whose rows lose most for certain beside the others (a beam search)."""
    least = max(CORNER_ROWS, int(CORNER_SHARE * len(half.loss)))
    terms = [term for knob in knobs for term in _terms(knob)]
    masks = [np.isin(half.knobs[name], places) for name, places, _ in terms]
    beam: list[tuple[float, tuple[int, ...]]] = [(-np.inf, ())]
    best: tuple[float, tuple[int, ...]] | None = None
    for _ in range(DEPTH):
        tried: dict[tuple[int, ...], float] = {}
        for _, held in beam:
            inside = np.logical_and.reduce([masks[at] for at in held]) if held else np.ones(len(half.loss), bool)
            for at, mask in enumerate(masks):
                if any(terms[one][0] == terms[at][0] for one in held):
                    continue
                key = tuple(sorted((*held, at)))
                if key not in tried:
                    tried[key] = _bound(half, inside & mask, least)
        beam = sorted(((score, key) for key, score in tried.items() if np.isfinite(score)), reverse=True)[:BEAM]
        if beam and (best is None or beam[0][0] > best[0]):
            best = beam[0]
        elif best is not None:
            break
    if best is None:
        return None
    chosen = tuple(terms[at] for at in best[1])
    inside = _inside(half, chosen)
    return chosen, float(half.loss[inside].mean() - half.loss[~inside].mean())


def _terms(knob: Knob) -> Iterator[Term]:
    """What can be said of a knob: one part of it, or of a number all parts up to, or from, a cut."""
    for place, text in enumerate(knob.where):
        if text is not None:
            yield knob.name, np.array([place]), text
    for place in range(1, len(knob.cuts)):
        yield knob.name, np.arange(place + 1), knob.below(place)
        yield knob.name, np.arange(place, len(knob.cuts) + 1), knob.above(place - 1)


def _bound(half: Losses, mask: Array, least: int) -> float:
    """By how much the loss of a part exceeds that elsewhere, less two standard errors."""
    rows = int(mask.sum())
    if rows < least or len(mask) - rows < least:
        return -np.inf
    inside, influence = _mean(half.loss, mask)
    outside, beside = _mean(half.loss, ~mask)
    return inside - outside - SEEN * _se(influence - beside, half.clusters)


def _inside(rows: Losses, terms: Sequence[Term]) -> Array:
    return np.asarray(np.logical_and.reduce([np.isin(rows.knobs[name], places) for name, places, _ in terms]))


def _excess(rows: Losses, mask: Array) -> tuple[float, float, float]:
    """The mean loss of a part less that elsewhere, with its 95 % interval by clusters."""
    from scipy.special import stdtrit

    clusters = np.unique(rows.clusters, return_inverse=True)[1]
    inside, influence = _mean(rows.loss, mask)
    outside, beside = _mean(rows.loss, ~mask)
    df = min(len(np.unique(clusters[mask])), len(np.unique(clusters[~mask]))) - 1
    half = float(stdtrit(max(df, 1), 1 - LEVEL / 2)) * _se(influence - beside, clusters)
    return inside - outside, inside - outside - half, inside - outside + half
