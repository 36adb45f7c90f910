"""Shadow models: the generator is fitted again and again with and without the most exposed people, and told apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tuckpoint.errors import InputError
from tuckpoint.measure.exchange import Hits
from tuckpoint.measure.finding import Finding
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.limits import AUDIT
from tuckpoint.measure.nearness import embedding
from tuckpoint.measure.neighbours import closest
from tuckpoint.measure.onerun import LEVEL
from tuckpoint.measure.prepare import coded, prepare
from tuckpoint.schema import Schema
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Progress, quiet

SLOWEST_S = 5.0  # of computing, for one fit with its draw; a slower generator is not shadowed unasked
BUDGET_S = 120.0  # for all fits, as far as the fewest are done
FEWEST, MOST = 40, 200  # fits, half of them with each target
NEIGHBOURS = 5
REFERENCE_IS = "the same in fits without this person"
ADVICE = "Made rows show whether this person was there; use larger leaves, a larger k, or `--private`."
Refit = Callable[[pa.Table, Seed], pa.Table]  # fits a table and draws made rows from it


@dataclass(frozen=True)
class Targets:
    """Whose presence is guessed: the rows of each, what to call them, and the rows that stand in every fit."""

    people: tuple[pa.Table, ...]
    names: tuple[str, ...]
    others: pa.Table

    def table(self, present: Sequence[bool] | Array) -> pa.Table:
        """All other rows and those of the targets that are present."""
        return pa.concat_tables([self.others, *(one for one, here in zip(self.people, present, strict=True) if here)])


def targets(
    train: pa.Table, rows: Sequence[int], *, person: str | None = None, canary: pa.Table | None = None
) -> Targets:
    """Targets by their rows in the training table, and a canary that is in none of the others.

    With `person`, a column of ids, all rows of the same person go together. Raises InputError for a row that is not
    there.
    """
    inside = np.zeros(train.num_rows, bool)
    people, names = [], []
    for row in rows:
        if not 0 <= row < train.num_rows:
            raise InputError(f"row {row + 1} is no row of the training table, which has {train.num_rows}")
        if inside[row]:
            continue
        own = np.zeros(train.num_rows, bool)
        own[row] = True
        if person is not None and train[person][row].is_valid:
            own |= np.asarray(pc.fill_null(pc.equal(train[person], train[person][row]), False))
        inside |= own
        people.append(train.filter(pa.array(own)))
        names.append(f"row {row + 1}")
    if canary is not None:
        people.append(canary)
        names.append("canary")
    return Targets(tuple(people), tuple(names), train.filter(pa.array(~inside)))


@dataclass(frozen=True)
class Event:
    """What an attacker looks for, fixed before the counted fits: the n-th nearest made row lies within a bound.

    `near` says whether that speaks for the presence of the target; else its failing does. `sure` is what it tells more
    surely when it speaks: "present", or when it does not, "absent".
    """

    neighbour: int
    bound: float
    near: bool
    sure: Literal["present", "absent"]

    def seen(self, distances: Array) -> Array:
        """In which fits (fits,) bool it speaks for the target's presence, from distances (fits, neighbours)."""
        return np.asarray((distances[:, self.neighbour] <= self.bound) == self.near)


@dataclass(frozen=True)
class Counted:
    """How often the event spoke for the target's presence in the counted fits, with the target and without."""

    hits: Hits
    sure: Literal["present", "absent"]


def affordable(seconds: float) -> int:
    """How many fits fit into two minutes, if one takes so many seconds: 40 to 200, or 0 where one takes over five."""
    if seconds > SLOWEST_S:
        return 0
    return int(min(max(BUDGET_S / max(seconds, 1e-9), FEWEST), MOST)) // 4 * 4


def shadow(
    refit: Refit,
    whom: Targets,
    schema: Schema,
    *,
    seed: Seed,
    fits: int | None = None,
    allowed: float = 0.0,
    delta: float = 0.0,
    progress: Progress = quiet,
) -> tuple[Finding, ...]:
    """Can it be told from made rows whether a target was in the data?

    `refit(table, seed)` fits a table with the generator's own engine and settings and draws rows. Every fit holds half
    of the targets by lot, and every target stands in half of the fits: so all share them, and for each there are as
    many fits with it as without. On the first half an event is chosen for each target (how near the nearest made row
    lies, or the second to fifth nearest), on the second half it is counted. The loss is at least
    ln((low - delta) / high), low and high being Clopper-Pearson bounds of the event's chance with the target and
    without, or of its failing the other way round. The finding is that of the worst target, its p-value times their
    number: how likely the counts are if the loss is at most `allowed` (Fisher's where that is 0).

    `fits`, a multiple of four, is by default what two minutes hold; where one fit takes over five seconds, none is done
    and the finding says so. Refits of real rows stay in here: of a private engine each would be a release of its own.
    Sources: Jagielski, Ullman and Oprea 2020 (arXiv 2006.07709); Stadler, Oprisanu and Troncoso 2022.
    """
    if not whom.people:
        return (_silent("no record stands out as exposed, and no canary was given"),)
    if fits is not None and (fits < 8 or fits % 4):
        raise InputError(f"{fits} shadow fits: give a multiple of four, 8 or more, for halves with and without")
    start = process_time()
    look = _look(whom, refit(whom.table([True] * len(whom.people)), seed.child("timed")), schema, seed.child("space"))
    seconds = process_time() - start
    fits = affordable(seconds) if fits is None else fits
    if not fits:
        return (
            _silent(
                f"one fit takes {seconds:.1f} s of computing, over {SLOWEST_S:g} s: shadow models would take too long"
            ),
        )
    inside = halves(fits, len(whom.people), seed.child("lots"))
    distances = np.empty((fits, len(whom.people), NEIGHBOURS))
    for number in range(fits):
        progress(f"shadow model {number + 1} of {fits}", number / fits)
        distances[number] = look(refit(whom.table(inside[number]), seed.child("fit", number)))
    counts = [counted(distances[:, one], inside[:, one]) for one in range(len(whom.people))]
    return (_finding(counts, whom.names, fits, allowed=allowed, delta=delta),)


def halves(fits: int, count: int, seed: Seed) -> Array:
    """Which targets stand in which fit (fits, count) bool: in each half of the fits, one half holds each target."""
    random = seed.numpy()
    quarter = np.repeat([True, False], fits // 4)
    return np.stack([np.concatenate([random.permutation(quarter) for _ in range(2)]) for _ in range(count)], axis=1)


def choose(distances: Array, inside: Array) -> Event:
    """The event that best tells the fits with the target (fits,) bool; distances (fits, neighbours)."""
    best, chosen = -1.0, Event(0, math.inf, True, "present")
    for neighbour in range(distances.shape[1]):
        values = np.sort(distances[:, neighbour])
        for bound in (values[1:] + values[:-1]) / 2:
            within = distances[:, neighbour] <= bound
            gap = float(within[inside].mean() - within[~inside].mean())
            if abs(gap) > best:
                seen = within == (gap >= 0)
                sure: Literal["present", "absent"] = (
                    "present" if seen[~inside].mean() <= 1 - seen[inside].mean() else "absent"
                )
                best, chosen = abs(gap), Event(neighbour, float(bound), gap >= 0, sure)
    return chosen


def counted(distances: Array, inside: Array) -> Counted:
    """What the event chosen on the first half of the fits does in the second."""
    half = len(inside) // 2
    event = choose(distances[:half], inside[:half])
    return Counted(Hits.of(event.seen(distances[half:]), inside[half:]), event.sure)


def least_epsilon(counts: Counted, *, delta: float, alpha: float) -> float:
    """The privacy loss that these counts prove, wrong with probability alpha at most; 0 if none.

    Of the event's happening with the target against without, or of its failing without against with, whichever was
    surer when it was chosen; alpha is halved between the two Clopper-Pearson bounds.
    """
    hits = counts.hits
    more, less = (hits.members, hits.of_members), (hits.outsiders, hits.of_outsiders)
    if counts.sure == "absent":
        more, less = (less[1] - less[0], less[1]), (more[1] - more[0], more[1])
    low, high = clopper_pearson(*more, 1 - alpha)[0], clopper_pearson(*less, 1 - alpha)[1]
    return max(math.log((low - delta) / high), 0.0) if low > delta and high > 0 else 0.0


def surprise(counts: Counted, *, allowed: float, delta: float) -> float:
    """How likely such counts are, at most, if the loss is at most (allowed, delta): Fisher's p-value where that is 0,
    else the least alpha at which more is proved.
    """
    if allowed == 0 and delta == 0:
        return counts.hits.p

    def proved(log_alpha: float) -> bool:
        return least_epsilon(counts, delta=delta, alpha=math.exp(log_alpha)) > allowed

    low, high = math.log(1e-30), 0.0
    if not proved(high):
        return 1.0
    while high - low > 1e-3:
        middle = (low + high) / 2
        low, high = (low, middle) if proved(middle) else (middle, high)
    return math.exp(high)


def _silent(why: str) -> Finding:
    return Finding("shadow_models", "worst case", Score("shadow", None, why=why))


def _finding(counts: Sequence[Counted], names: Sequence[str], fits: int, *, allowed: float, delta: float) -> Finding:
    chances = [surprise(one, allowed=allowed, delta=delta) for one in counts]
    worst = min(range(len(counts)), key=lambda one: (chances[one], counts[one].hits.p))
    proved = [least_epsilon(one, delta=delta, alpha=LEVEL / len(counts)) for one in counts]
    hits, p = counts[worst].hits, min(1.0, chances[worst] * len(counts))
    difference, low, high = hits.excess
    passed = p > AUDIT.level
    score = Score(
        "shadow", hits.members / hits.of_members, *clopper_pearson(hits.members, hits.of_members), hits.of_members,
        "lower", hits.outsiders / hits.of_outsiders, REFERENCE_IS, (names[worst],), passed,
        advice="" if passed else ADVICE,
        detail={
            "fits": fits, "targets": list(names), "count": hits.members, "count_without": hits.outsiders,
            "difference": difference, "difference_low": low, "difference_high": high, "allowed": allowed,
            "interval_of": "value",
        },
    )  # fmt: skip
    return Finding("shadow_models", "worst case", score, p=p, epsilon=max(proved))


def _look(whom: Targets, made: pa.Table, schema: Schema, seed: Seed) -> Callable[[pa.Table], Array]:
    """How near (targets, neighbours) made rows come to the rows of each target, in a space learnt from all of them."""
    whole = whom.table([True] * len(whom.people))
    real = prepare(whole, made, None, schema).real
    space = embedding(real, seed)
    start = whom.others.num_rows
    points = space.place(real)[start:]
    ends = np.cumsum([one.num_rows for one in whom.people])[:-1]

    def look(table: pa.Table) -> Array:
        rows = Encoded(real.fields, coded(table, schema, real.fields, "made"))
        near = closest(points, space.place(rows), NEIGHBOURS)
        return np.stack([part.min(axis=0) for part in np.split(near, ends)])

    return look
