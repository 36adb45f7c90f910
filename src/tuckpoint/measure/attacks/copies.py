"""Do made rows repeat training rows, exactly or nearly, more often than other real rows do?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from tuckpoint.errors import count
from tuckpoint.measure.exchange import beside, crowd
from tuckpoint.measure.finding import CLOSER, Finding, Sides
from tuckpoint.measure.guesses import near as nearness_of
from tuckpoint.measure.intervals import clopper_pearson, counted, share_difference
from tuckpoint.measure.limits import DEFAULT, Limits, figure
from tuckpoint.measure.neighbours import metric, nearest
from tuckpoint.measure.people import alone, found_again, hits_among, holders
from tuckpoint.schema import Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, cut

DECIMALS = 6
MOST_DECIMALS = 300
WHOLE = 1e10  # beyond this float64 holds no 6 decimals
NEAR_QUANTILE = 0.01
MOST_MADE = 4_000
MOST_REAL = 6_000
MOST_PROBES = 2_000
CLOSE = 0.1
DRAWS = 20_000
ENOUGH, BATCH = 50, 1_000
MOST_HITS = 500
OUTSIDE_IS = "the same share of people who were not in the data"
COMMON = "no row is held by one person alone both in the data and out of it: rows are too common to be anybody's"
COPIED = f"Rows of single people were written again; {CLOSER}."
BASE_IS = "share of real holdout rows that do the same"
NO_BASE = "no holdout was given, so the natural rate is unknown; hold out rows before fitting"
FEW_BASE = "the holdout is too small to tell the natural rate ({held} of {least} rows needed); hold out more rows"


class Hits(NamedTuple):
    """Of how many rows so many were found again; of real people with several rows, as many as tell as much."""

    hits: float
    rows: float


def keys(sides: list[Encoded]) -> list[Array]:
    """One integer per row and side; rows with equal values (numbers to 6 decimals) share it, and no others do."""
    sizes = [side.rows for side in sides]
    code = np.zeros(sum(sizes), dtype=np.int64)
    for field in sides[0].fields:
        values = np.concatenate([side.columns[field.name] for side in sides])
        if field.numeric:
            values = rounded(values)
        part = np.unique(values, return_inverse=True)[1].reshape(-1)
        code = np.unique(code * (int(part.max()) + 1) + part, return_inverse=True)[1].reshape(-1)
    return np.split(code, np.cumsum(sizes)[:-1])


def rounded(values: Array) -> Array:
    """Numbers to 6 decimals, or to 7 digits of the largest where all are small; infinite for missing."""
    known = np.abs(values[~np.isnan(values)])
    largest = float(known.max()) if len(known) else 1.0
    more = -int(np.floor(np.log10(largest))) if 0 < largest < 1 else 0
    whole = np.abs(values) > WHOLE
    small = np.round(np.where(whole, 0.0, values), min(DECIMALS + more, MOST_DECIMALS)) + 0.0
    return np.where(np.isnan(values), np.inf, np.where(whole, values, small))


def exact_copies(real: Encoded, made: Encoded, holdout: Encoded | None, *, limits: Limits = DEFAULT) -> Score:
    """`exact_copies`: share of made rows equal to some training row, against the share of holdout rows that are.

    Values that real rows never hold, in a category, equal none of theirs. The interval is the share's own (exact);
    the verdict asks whether the share exceeds its base rate by more than noise (Newcombe).
    """
    return against_base(
        "exact_copies", exact_hits(real, made, holdout), limits=limits,
        advice="Made rows repeat real rows more often than chance.",
    )  # fmt: skip


def exact_hits(real: Encoded, made: Encoded, holdout: Encoded | None) -> list[Hits]:
    """How many made rows, and holdout rows if there are any, equal some training row, and of how many."""
    known, *others = keys([side for side in (real, made, holdout) if side is not None])
    return [hits_of(np.isin(found, known), side) for found, side in zip(others, (None, holdout), strict=False)]


def near_copies(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, limits: Limits = DEFAULT
) -> Score:
    """`near_copies`: share of made rows nearer to a training row than 99 % of training rows are to one another.

    Up to 4,000 made and holdout rows against 6,000 training rows.
    """
    if real.rows < limits.min_rows:
        why = f"only {count(real.rows, 'real row')}; what counts as near needs {limits.min_rows}"
        return Score("near_copies", None, why=why)
    hits, near = near_hits(real, made, holdout, seed=seed)
    return against_base(
        "near_copies", hits, limits=limits,
        advice="Made rows crowd around real rows.", near=near,
    )  # fmt: skip


def near_hits(
    real: Encoded, made: Encoded, holdout: Encoded | None, *, seed: Seed, most: int = MOST_MADE
) -> tuple[list[Hits], float]:
    """The same of rows that stand near some training row, among `most` of either side, and what distance is near."""
    space = metric(real)
    base = space.place(cut(real, MOST_REAL, seed.child("real").numpy()))
    probe = seed.child("probe").numpy().permutation(len(base))[:MOST_PROBES]
    own = nearest(base[probe], base, own=probe)
    near = float(np.quantile(own, NEAR_QUANTILE, method="lower"))
    sides = [
        cut(side, most, seed.child("cut", i).numpy()) for i, side in enumerate((made, holdout)) if side is not None
    ]
    found = [nearest(space.place(side), base) <= near for side in sides]
    return [
        hits_of(held, None if i == 0 else side) for i, (held, side) in enumerate(zip(found, sides, strict=True))
    ], near


def hits_of(found: Array, people: Encoded | None) -> Hits:
    """Made rows are drawn one by one, and count; rows of real people count as far as they tell apart."""
    return Hits(int(found.sum()), len(found)) if people is None else Hits(*counted(found, people.person))


def against_base(
    name: str,
    found: list[Hits],
    *,
    limits: Limits,
    advice: str,
    near: float | None = None,
    base_is: str = BASE_IS,
    slack: float = 0.0,
) -> Score:
    """A share of made rows beside the same share of holdout rows, above which it may lie by noise and `slack`."""
    made = found[0]
    low, high = clopper_pearson(int(made.hits), int(made.rows))
    detail: dict[str, object] = {"count": made.hits, "interval_of": "value"} | ({} if near is None else {"near": near})
    value = made.hits / made.rows
    if len(found) < 2 or found[1].rows < limits.min_rows:
        few = NO_BASE if len(found) < 2 else FEW_BASE.format(held=round(found[1].rows), least=limits.min_rows)
        return Score(name, value, low, high, int(made.rows), why=few, detail=detail)
    more_low, more_high = share_difference(*made, *found[1])
    base = found[1].hits / found[1].rows
    detail |= {"difference": value - base, "difference_low": more_low, "difference_high": more_high}
    passed = more_low <= 0 or value - base <= slack
    return Score(
        name, value, low, high, int(made.rows), "lower", base, base_is, passed=passed,
        advice="" if passed else advice, detail=detail,
        allowed=f"up to {figure(base + slack, percent=True)}, or more by chance alone",
    )  # fmt: skip


def copies(sides: Sides, seed: Seed) -> tuple[Finding, ...]:
    """Three findings on rows that one person alone holds among all real people.

    `exact_copies`: for how many such people in the data, and outside of it, the row stands in the made table; rows of
    several people prove nothing and cancel. Who of those hit was in the data is by chance: exact (Fisher 1935), for any
    two sizes. `rare_copies`: the same, but each hit weighs as much as its row is unlikely to come up by accident, by
    the squared distance to its neighbours. `near_copies`: as rare copies, for people to whom some made row is ten times
    nearer than any other person is. The chance of the weighted sums is drawn 20,000 times, each hit in or out by a
    coin; that errs upwards (drawing without replacement varies less, Hoeffding 1963). Numbers count to 6 decimals.
    """
    person, member = holders(sides)
    real, held, made = keys([sides.train, sides.holdout, sides.made])
    own, hit = found_again(np.concatenate([real, held]), made, person, len(member))
    found = nearness_of(sides, seed)
    people, inside = crowd(sides)
    row, fake = keys([people, sides.made])
    single = alone(row, np.arange(len(row)))
    exact = single & np.isin(row, fake)
    close = (found.others[:, 0] > 0) & (found.made[:, 0] <= CLOSE * found.others[:, 0])
    rarity = found.others.mean(axis=1) ** 2
    return (
        _finding("exact_copies", own, hit, member),
        _finding("rare_copies", single, exact, inside, surprise(rarity[exact], inside[exact], seed.child("exact"))),
        _finding("near_copies", np.ones(len(row), bool), close, inside,
                 surprise(rarity[close], inside[close], seed.child("close"))),
    )  # fmt: skip


def surprise(weights: Array, member: Array, seed: Seed, *, draws: int = DRAWS) -> float:
    """How often hits (h,), each a member's or an outsider's by a fair coin, weigh as much for members as these do.

    Only the 500 heaviest count. One in `draws` + 1 is the least that can be told; draws end early once 50 of them weigh
    as much (sequential Monte Carlo, Besag and Clifford 1991).
    """
    heaviest = np.argsort(-weights, kind="stable")[:MOST_HITS]
    if not len(heaviest):
        return 1.0
    weights, member = weights[heaviest] / max(float(weights.max()), np.finfo(float).tiny), member[heaviest]
    least, random = float(weights[member].sum()) * (1 - 1e-4), seed.numpy()  # float32 must not break ties
    above = done = 0
    while done < draws and above < ENOUGH:
        coins = random.integers(0, 2, (min(BATCH, draws - done), len(weights)), dtype=np.int8)
        above += int(np.count_nonzero(coins.astype(np.float32) @ weights.astype(np.float32) >= least))
        done += len(coins)
    return (1 + above) / (done + 1)


def _finding(name: str, own: Array, hit: Array, member: Array, p: float | None = None) -> Finding:
    hits = hits_among(own, hit, member)
    if not hits.of_members or not hits.of_outsiders:
        return Finding("copies", "copying", Score(name, None, why=COMMON))
    more = hits.excess[0] > 0
    score = beside(name, hits, reference_is=OUTSIDE_IS, advice=COPIED if more else "")
    return Finding("copies", "copying", score, hits.p if p is None else p)


def reissued_identifiers(real: pa.Table, made: pa.Table, holdout: pa.Table | None, schema: Schema) -> list[Score]:
    """One `reissued_identifiers` per identifier column that is no running number: share of made ones that are real."""
    scores = []
    for column in schema.columns:
        if column.modelled or (column.pattern or "").startswith("key") or column.name not in made.column_names:
            continue
        sides = [table[column.name] for table in (real, made, holdout) if table is not None]
        if pa.types.is_integer(sides[0].type):
            continue
        known, *others = [{str(v) for v in side.drop_null().unique().to_pylist()} for side in sides]
        if not known or not others[0]:
            continue
        counts, sizes = [len(values & known) for values in others], [len(values) for values in others]
        n, value = sizes[0], counts[0] / sizes[0]
        base = counts[1] / sizes[1] if len(others) > 1 and sizes[1] else 0.0
        # Names recur by nature and are judged beyond noise; where holdout values never recur, one is too many.
        passed = value <= base or (base > 0 and share_difference(counts[0], n, counts[1], sizes[1])[0] <= 0)
        scores.append(
            Score(
                "reissued_identifiers", value, *clopper_pearson(counts[0], n), n, "lower", base,
                "share of distinct holdout values that training rows hold", (column.name,), passed,
                advice="" if passed else "Identifiers of real people were written again; make them anew.",
                detail={"count": counts[0], "interval_of": "value"},
                allowed=f"up to {figure(base, percent=True)}{', or more by chance alone' if base > 0 else ''}",
            )
        )  # fmt: skip
    return scores
