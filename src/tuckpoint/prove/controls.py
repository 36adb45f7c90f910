"""Do made rows know the locked rows? Three looks: equal rows, nearness beside other unseen rows, and crowding."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tuckpoint.measure.attacks.copies import keys
from tuckpoint.measure.boost import features
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.neighbours import metric, nearest
from tuckpoint.prove.sources import Block
from tuckpoint.prove.study import Study
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.expression import parse

ALARM = 0.001  # level of the tests: an honest source is accused once in a thousand proofs
CROWDED = 0.10  # share of made rows nearer to a locked row than 99 % of real rows are: ten times what is natural
NATURAL = 0.01
PLANTED, LEAST_PLANTED = 0.1, 10  # share of made rows that the control replaces by locked rows, and how many at least
MOST = 4_000  # rows of a side that are placed in space
CUTS = (0.02, 0.05, 0.1, 0.25, 0.5)


def look(study: Study, block: Block, rows: Array, left_out: Array) -> dict[str, float]:
    """What the three looks saw of one source's rows, made from the real rows at `rows`.

    `equal` and `made`: made rows equal to a locked row and to none of the pool, of so many; `base_equal` and `base`:
    the same of pool rows that stand there once. `nearer`: p value that locked rows are as far from made rows as rows
    left out of training are; both are unseen by an honest source, so they can be exchanged (1 where the locked rows are
    of the user's own choice, or later ones). `crowding`: share of made rows nearer to a locked row than the nearest 1 %
    of pool rows are, and than locked rows of the same place are to one another: where made rows fill a gap, more rows
    may be locked than in the pool. Columns that say which rows are locked are left out of it all.
    """
    assert block.rows is not None
    data, made = _telling(study, study.data), _telling(study, block.rows)
    of_made, of_test, of_pool = keys([made, data.take(study.lock.test), data.take(study.lock.pool)])
    own = np.unique(of_pool, return_counts=True)
    alone = own[0][own[1] == 1]
    secret = np.setdiff1d(of_test, of_pool)
    return {
        "equal": int(np.isin(of_made, secret).sum()), "made": len(of_made),
        "base_equal": int(np.isin(alone, of_test).sum()), "base": len(of_pool),
    } | _near(study, data, made, rows, left_out)  # fmt: skip


def _telling(study: Study, rows: Encoded) -> Encoded:
    """The columns by which rows are compared: not those that say which rows are locked, for no made row shares them."""
    if study.plan.locked is None:
        return rows
    named = parse(study.plan.locked, study.data.fields, study.schema).names
    return rows.select(tuple(field.name for field in rows.fields if field.name not in named))


def _near(study: Study, data: Encoded, made: Encoded, rows: Array, left_out: Array) -> dict[str, float]:
    space = metric(data.take(rows))
    made_at = space.place(made.take(_spread(np.arange(made.rows))))
    train, test = (space.place(data.take(_spread(part))) for part in (rows, study.lock.test))
    natural = float(np.quantile(nearest(train, test), NATURAL, method="lower"))
    if natural > 0 and len(test) > 1:
        there = nearest(test, test, own=np.arange(len(test)))[_which(made_at, test)]
        natural = min(natural, float(np.quantile(there, NATURAL, method="lower")))
    crowding = float((nearest(made_at, test) < natural).mean()) if natural > 0 else 0.0
    if study.ordered or study.plan.locked is not None:  # the locked rows are others than those left out
        return {"nearer": 1.0, "crowding": crowding}
    alone = (_one_each(study, part) for part in (study.lock.test, left_out))
    ours, others = (nearest(space.place(data.take(_spread(part))), made_at) for part in alone)
    return {"nearer": nearer(ours, others), "crowding": crowding}


def _which(points: Array, others: Array) -> Array:
    """Which of the others (m, d) is nearest to each point (n, d): places (n,)."""
    square = (others**2).sum(axis=1)
    parts = np.array_split(points, max(1, len(points) // 500))
    return np.concatenate([np.argmin(square - 2 * (part @ others.T), axis=1) for part in parts])


def _spread(rows: Array) -> Array:
    """At most 4,000 of the rows, evenly."""
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(np.int64)]


def _one_each(study: Study, rows: Array) -> Array:
    """One row of each group: rows of one person are no independent witnesses."""
    return rows[np.unique(study.groups[rows], return_index=True)[1]]


def nearer(test: Array, out: Array) -> float:
    """p value that distances `test` (n,) to made rows are no smaller than `out` (m,), at five cuts, times five."""
    from scipy.stats import hypergeom

    both = np.sort(np.concatenate([test, out]))
    found = [1.0]
    for cut in CUTS:
        limit = both[max(round(cut * len(both)) - 1, 0)]
        inside, all_inside = int((test <= limit).sum()), int((both <= limit).sum())
        found.append(float(hypergeom.sf(inside - 1, len(both), len(test), all_inside)))
    return min(1.0, len(CUTS) * min(found))


def plant(study: Study, block: Block, seed: Seed) -> Block:
    """The block with a tenth of its rows (ten at least) replaced by locked rows: what a leak looks like.

    Among few real rows it takes more: so many that equal rows on the made side alone are no chance at a tenth of
    `ALARM`.
    """
    assert block.rows is not None
    random = seed.numpy()
    telling = math.ceil(math.log(ALARM / 10) / math.log(block.size / (block.size + len(study.lock.pool))))
    count = min(max(LEAST_PLANTED, round(PLANTED * block.size), telling), len(study.lock.test), block.size)
    at = random.permutation(block.size)[:count]
    taken = study.lock.test[random.permutation(len(study.lock.test))[:count]]
    columns = {name: values.copy() for name, values in block.rows.columns.items()}
    for name, values in columns.items():
        values[at] = study.data.columns[name][taken]
    codes = replace(block.rows, columns=columns)
    truth = block.truth.copy()
    truth[at] = study.truth[taken]
    return replace(block, rows=codes, truth=truth, inputs=features(codes, without=study.outcome.name))


def accused(looks: Sequence[Mapping[str, Any]]) -> str:
    """Why the rows of a source, as seen in several resamples, must know locked rows; empty if nothing says so.

    The resamples share rows, so their counts are averaged, not added.
    """
    from scipy.stats import fisher_exact

    equal, made, base_equal, base = (
        round(float(np.mean([one[name] for one in looks]))) for name in ("equal", "made", "base_equal", "base")
    )
    if equal and made:
        p = float(fisher_exact([[equal, made - equal], [base_equal, base - base_equal]], alternative="greater")[1])
        if p < ALARM:
            return (
                f"{equal} of {made} made rows equal a locked row that stands nowhere else; of {base} real rows "
                f"{base_equal} do"
            )
    p = float(np.median([one["nearer"] for one in looks]))
    if p < ALARM:
        return f"made rows lie nearer to locked rows than to other rows that they cannot know (p = {p:.1g})"
    crowding = float(np.mean([one["crowding"] for one in looks]))
    if made and clopper_pearson(round(crowding * made), made)[0] > CROWDED:
        return f"{crowding:.0%} of made rows lie nearer to a locked row than the nearest {NATURAL:.0%} of real rows do"
    return ""
