"""How close made rows come to real ones: total variation, correlations, missing values, rare levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tuckpoint.measure import bins
from tuckpoint.measure.intervals import around, average_ranks, paired_difference, resample
from tuckpoint.measure.limits import DEFAULT, Limits, figure
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, cut
from tuckpoint.table.protect import people_of

MOST_PAIRS = 300
RARE_SHARE = 0.01
RARE_LEAST = 5
NO_HOLDOUT = "no holdout was given, so there is no real distance to compare with; hold out rows before fitting"
HOLDOUT_IS = "real holdout rows, equally many"


@dataclass(frozen=True)
class Distances:
    """Total variation of each column and pair to the real rows, made cut to the size of the holdout (`eq`).

    `made`, `made_full` and `holdout` hold one distance per subject, in 0..1; `draws` (b,) bootstrap draws of the mean
    difference made - holdout. `holdout` and `draws` are None without a holdout.
    """

    subjects: tuple[tuple[str, ...], ...]
    made: Array
    made_full: Array
    holdout: Array | None
    draws: Array | None
    rows: int


def distances(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, ways: int = 1, most: int = MOST_PAIRS
) -> Distances:
    """Distances of all columns (`ways=1`) or of at most `most` random pairs of columns (`ways=2`)."""
    learnt = {field.name: bins.binning(field, real.columns[field.name]) for field in real.fields}
    rows = made.rows if holdout is None else min(made.rows, holdout.rows)
    cut_made = cut(made, rows, seed.child("made").numpy())
    cut_hold = None if holdout is None else cut(holdout, rows, seed.child("holdout").numpy())
    sides = [bins.assign(data, learnt) for data in (real, made, cut_made)]
    held = None if cut_hold is None else bins.assign(cut_hold, learnt)
    subjects = _subjects(tuple(learnt), ways, most, seed)
    bootstrap = seed.child("bootstrap")
    resampled_sides = {"made": cut_made, "holdout": cut_hold} if cut_hold is not None else {}
    weights = [
        resample(rows, bootstrap.child(name), person=side.person).astype(np.float32)
        for name, side in resampled_sides.items()
    ]
    found: list[tuple[float, float, float]] = []
    draws = np.zeros(weights[0].shape[1] if weights else 0)
    for subject in subjects:
        sizes = [learnt[name].size for name in subject]
        truth, full, equal = (_shares(_cells(side, subject, sizes), sizes) for side in sides)
        base = 0.0
        if held is not None:
            base = _tvd(_shares(_cells(held, subject, sizes), sizes), truth)
            resampled = zip((sides[2], held), weights, (1, -1), strict=True)
            draws += sum(
                sign * _resampled(_cells(side, subject, sizes), weight, truth) for side, weight, sign in resampled
            )
        found.append((_tvd(equal, truth), _tvd(full, truth), base))
    table = np.array(found).reshape(-1, 3)
    known = None if held is None else table[:, 2]
    spread = None if held is None else draws / max(len(subjects), 1)
    return Distances(subjects, table[:, 0], table[:, 1], known, spread, rows)


def _subjects(names: tuple[str, ...], ways: int, most: int, seed: Seed) -> tuple[tuple[str, ...], ...]:
    every = list(combinations(names, ways))
    if ways == 1 or len(every) <= most:
        return tuple(every)
    chosen = np.sort(seed.child("pairs").numpy().permutation(len(every))[:most])
    return tuple(every[i] for i in chosen)


def _cells(side: Mapping[str, Array], subject: tuple[str, ...], sizes: Sequence[int]) -> Array:
    return side[subject[0]] if len(subject) == 1 else side[subject[0]] * sizes[1] + side[subject[1]]


def _shares(cells: Array, sizes: Sequence[int]) -> Array:
    return np.bincount(cells, minlength=int(np.prod(sizes))) / len(cells)


def _tvd(shares: Array, truth: Array) -> float:
    return float(0.5 * np.abs(shares - truth).sum())


def _resampled(cells: Array, weights: Array, truth: Array) -> Array:
    """Distances (b,) of the bootstrap draws whose row counts are `weights` (n, b)."""
    from scipy.sparse import csr_matrix

    n = len(cells)
    order = np.argsort(cells.astype(np.int16), kind="stable")  # a pair has at most 33 x 33 cells; int16 sorts by radix
    starts = np.concatenate([[0], np.cumsum(np.bincount(cells, minlength=len(truth)))])
    counts = csr_matrix((np.ones(n, np.float32), order, starts), shape=(len(truth), n)) @ weights
    return np.asarray(0.5 * np.abs(counts / np.float32(n) - truth[:, None]).sum(axis=0), dtype=np.float64)


def distance_score(found: Distances, *, limits: Limits = DEFAULT) -> Score:
    """`one_way_distance` or `two_way_distance`: the mean, against the same distance of equally many holdout rows.

    `detail["full"]` is the distance of all made rows, which falls with their number and compares to nothing.
    """
    ways = len(found.subjects[0]) if found.subjects else 2
    name = "one_way_distance" if ways == 1 else "two_way_distance"
    if not found.subjects:
        return Score(name, None, why="the table has one column, so there are no pairs")
    advice = (
        "Values of single columns come too often or too seldom; see the worst columns."
        if ways == 1
        else "Made rows miss how pairs of columns hang together; see the worst pairs."
    )
    base = None if found.holdout is None else float(found.holdout.mean())
    full = float(found.made_full.mean())
    return against_reference(
        name, float(found.made.mean()), base, found.draws, rows=found.rows, full=full, limits=limits,
        slack=limits.distance_slack, advice=advice, detail={"subjects": len(found.subjects)},
    )  # fmt: skip


def against_reference(
    name: str,
    value: float,
    base: float | None,
    draws: Array | None,
    *,
    rows: int,
    full: float,
    limits: Limits,
    slack: float,
    advice: str,
    detail: Mapping[str, object],
) -> Score:
    """An error of made rows beside the same error of real holdout rows.

    The interval is that of the difference, set around the reference: the reference lies outside [low, high] where the
    difference is more than noise; it is cut at 0, `detail` has it whole.
    """
    if base is None or draws is None:
        return Score(name, value, n=rows, why=NO_HOLDOUT, detail={"full": full, **detail})
    difference = value - base
    low, high = around(difference, draws)
    room = max(limits.distance_ratio * base, slack)
    passed = low <= 0 or difference <= room
    most = figure(base + room, percent=name == "missing_share_error")
    return Score(
        name, value, max(base + low, 0.0), base + high, rows, "lower", base, HOLDOUT_IS, passed=passed,
        advice="" if passed else advice,
        detail={
            "full": full, "difference": difference, "difference_low": low, "difference_high": high,
            "interval_of": "difference to the reference", **detail,
        },
        allowed=f"up to {most}, or more by chance alone",
    )  # fmt: skip


def correlation_error(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT
) -> Score:
    """Mean absolute difference of Spearman correlations over pairs of columns of numbers or of ordered levels.

    Levels that real rows never hold have no place in the order: they count as missing. Where values are missing, ranks
    are those among a column's present values, over rows where both are present.
    """
    names = [field.name for field in real.fields if field.numeric or field.ordered]
    if len(names) < 2:
        why = "fewer than two columns of numbers or ordered levels, so there is no correlation"
        return Score("correlation_error", None, why=why)
    rows = made.rows if holdout is None else min(made.rows, holdout.rows)
    ones = np.ones
    truth = _correlations(_ranked(real, names), ones(real.rows))
    full = _gap(_correlations(_ranked(made, names), ones(made.rows)), truth)
    sides = [cut(made, rows, seed.child("made").numpy())]
    sides += [] if holdout is None else [cut(holdout, rows, seed.child("holdout").numpy())]
    ranked = [_ranked(side, names) for side in sides]
    errors = [_gap(_correlations(side, ones(rows)), truth) for side in ranked]
    draws = None
    if holdout is not None:
        weights = [resample(rows, seed.child("bootstrap", i), person=side.person) for i, side in enumerate(sides)]
        resampled = [
            [_gap(_correlations(side, weight[:, b]), truth) for b in range(weight.shape[1])]
            for side, weight in zip(ranked, weights, strict=True)
        ]
        draws = np.array(resampled[0]) - np.array(resampled[1])
    base = errors[1] if holdout is not None else None
    return against_reference(
        "correlation_error", errors[0], base, draws, rows=rows, full=full, limits=limits,
        slack=limits.correlation_slack, detail={"pairs": len(names) * (len(names) - 1) // 2},
        advice="Columns rise and fall together otherwise in made rows than in real ones.",
    )  # fmt: skip


def _ranked(data: Encoded, names: list[str]) -> Array:
    """Ranks in 0..1 (n, d), NaN for missing."""
    out = np.full((data.rows, len(names)), np.nan)
    for j, name in enumerate(names):
        field, values = data.field(name), data.columns[name]
        # Level columns end with one for all levels that real rows lack.
        known = ~np.isnan(values) if field.levels is None else (values >= 0) & (values < len(field.levels) - 1)
        if known.any():
            out[known, j] = (average_ranks(values[known]) - 0.5) / known.sum() - 0.5
    return out


def _correlations(ranks: Array, weight: Array) -> Array:
    """Weighted correlations (d, d) over rows where both are present; 0 where a column does not vary."""
    gone = np.isnan(ranks)
    present = (~gone).astype(np.float64) if gone.any() else np.ones((len(ranks), 1))  # one column stands for all
    values = np.where(gone, 0.0, ranks)
    scaled = values * weight[:, None]
    n = np.maximum(present.T @ (present * weight[:, None]), 1.0)
    mean = scaled.T @ present / n  # mean of the row's column over rows where the other is present
    square = (scaled * values).T @ present / n - mean**2
    cross = scaled.T @ values / n - mean * mean.T
    scale = np.sqrt(np.maximum(square, 0) * np.maximum(square.T, 0))
    return np.asarray(np.where(scale > 1e-12, cross / np.maximum(scale, 1e-12), 0.0))


def _gap(found: Array, truth: Array) -> float:
    upper = np.triu_indices(len(truth), 1)
    return float(np.abs(found - truth)[upper].mean())


def missing_share_error(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT
) -> Score:
    """Mean absolute difference of the shares of missing values over all columns."""
    names = list(real.columns)
    truth = _missing(real, names).mean(axis=0)
    full_gap = np.abs(_missing(made, names).mean(axis=0) - truth)
    rows = made.rows if holdout is None else min(made.rows, holdout.rows)
    sides = [cut(made, rows, seed.child("made").numpy())]
    sides += [] if holdout is None else [cut(holdout, rows, seed.child("holdout").numpy())]
    missing = [_missing(side, names) for side in sides]
    errors = [float(np.abs(side.mean(axis=0) - truth).mean()) for side in missing]
    worst = {names[j]: float(full_gap[j]) for j in np.argsort(-full_gap)[:5] if full_gap[j] > 0}
    draws = None
    if holdout is not None:
        weights = [resample(rows, seed.child("bootstrap", i), person=side.person) for i, side in enumerate(sides)]
        gaps = [
            np.abs(side.T @ weight / rows - truth[:, None]).mean(axis=0)
            for side, weight in zip(missing, weights, strict=True)
        ]
        draws = gaps[0] - gaps[1]
    return against_reference(
        "missing_share_error", errors[0], errors[1] if holdout is not None else None, draws, rows=rows,
        full=float(full_gap.mean()), limits=limits, slack=limits.missing_slack, detail={"worst": worst},
        advice=f"Values are missing too often or too seldom{_named(list(worst)[:3])}; check how they were read.",
    )  # fmt: skip


def _missing(data: Encoded, names: list[str]) -> Array:
    """Which cells are missing: (n, d) float64 of 0 and 1."""
    cells = [np.isnan(v) if v.dtype.kind == "f" else v < 0 for v in (data.columns[name] for name in names)]
    return np.stack(cells, axis=1).astype(np.float64)


def rare_level_coverage(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT
) -> Score:
    """Share of rare levels (held by five people or more, but at most 1 % of real rows) that occur among made rows.

    Made rows are cut to the size of the holdout. Levels are the matched pairs of the interval.
    """
    rows = made.rows if holdout is None else min(made.rows, holdout.rows)
    sides = [cut(made, rows, seed.child("made").numpy())]
    sides += [] if holdout is None else [cut(holdout, rows, seed.child("holdout").numpy())]
    hits: list[list[Array]] = [[] for _ in sides]
    lost: list[str] = []
    for field in real.fields:
        if field.levels is None:
            continue
        counts = _level_counts(real, field.name, len(field.levels))
        seen = real.columns[field.name] >= 0
        whose = None if real.person is None else real.person[seen]
        people = people_of(real.columns[field.name][seen], len(field.levels), whose)
        rare = np.flatnonzero((people >= RARE_LEAST) & (counts <= RARE_SHARE * real.rows))
        for found, side in zip(hits, sides, strict=True):
            found.append(_level_counts(side, field.name, len(field.levels))[rare] > 0)
        never = rare[_level_counts(made, field.name, len(field.levels))[rare] == 0]
        lost += [f"{field.name} = {field.levels[level]}" for level in never]
    kept = [np.concatenate([np.zeros(0, bool), *found]) for found in hits]
    n = len(kept[0])
    name = "rare_level_coverage"
    if n == 0:
        return Score(
            name,
            None,
            better="higher",
            why="no category has a level held by five people or more but at most 1 % of rows",
        )
    detail: dict[str, object] = {"never_made": lost[:20], "never_made_count": len(lost), "levels": n}
    value = float(kept[0].mean())
    if holdout is None:
        return Score(name, value, n=n, better="higher", why=NO_HOLDOUT, detail=detail)
    base = float(kept[1].mean())
    low, high = paired_difference(int((kept[0] & ~kept[1]).sum()), int((kept[1] & ~kept[0]).sum()), n)
    passed = value >= base - limits.rare_loss or high >= 0
    detail |= {"difference": value - base, "difference_low": low, "difference_high": high}
    detail["interval_of"] = "difference to the reference"
    return Score(
        name, value, max(base + low, 0.0), min(base + high, 1.0), n, "higher", base, HOLDOUT_IS, passed=passed,
        detail=detail,
        advice="" if passed else f"Rare levels are lost{_named(lost[:3])}.",
        allowed=f"from {figure(max(base - limits.rare_loss, 0.0), percent=True)}, or fewer by chance alone",
    )  # fmt: skip


def _named(names: Sequence[str]) -> str:
    return f": {', '.join(names)}" if names else ""


def _level_counts(data: Encoded, name: str, size: int) -> Array:
    codes = data.columns[name]
    return np.bincount(codes[codes >= 0], minlength=size)
