"""Importance splitting: the probability of what a simulator hardly ever shows, and rows of it that keep their weight.

Rows climb towards the event over levels that about one in ten passes; those that pass are copied and moved by a Markov
chain that keeps the distribution of the inputs above the level (subset simulation, Au and Beck 2001). A pilot finds
levels and step sizes; independent repetitions then use them as they stand, which makes the product of the shares that
pass, and every weighted sum of rows, unbiased (Del Moral 2004, ch. 7; adaptive levels would bias it by order 1/rows).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tuckpoint.errors import InputError, count
from tuckpoint.seed import Seed
from tuckpoint.simulate.event import Event
from tuckpoint.table.engine import Array

Rows = Mapping[str, Array]
Model = Callable[[Array, Seed], Rows]  # standard normal numbers (n, d) into columns (n,) by name, drawn afresh
STEPS = (0.1, 0.2, 0.35, 0.6, 0.85, 1.0)  # sizes that the pilot tries side by side
ACCEPTED = 1.5  # proposals that each row should take after a level, on average
MOST_MOVES = 8  # times `moves`, where few proposals are taken


@dataclass(frozen=True)
class Splitting:
    """How rows climb: `rows` a repetition, independent `repetitions`, `moves` of the chain after each level, or up to
    eight times as many where few of them succeed.

    `pass_share` is about the share that passes a level; `levels` is the most, `calls` the most runs of the simulator
    that the pilot may spend before it gives up.
    """

    rows: int = 1000
    repetitions: int = 10
    moves: int = 5
    pass_share: float = 0.1
    levels: int = 30
    calls: int = 5_000_000

    def __post_init__(self) -> None:
        for name, value, least in (
            ("rows", self.rows, 50), ("repetitions", self.repetitions, 4), ("moves", self.moves, 1),
            ("levels", self.levels, 1), ("calls", self.calls, self.rows),
        ):  # fmt: skip
            if value < least:
                raise InputError(f"splitting: {name} is {value}; give {least} or more")
        if not 0.02 <= self.pass_share <= 0.5:
            raise InputError(f"splitting: pass_share is {self.pass_share}; give 0.02 to 0.5")


@dataclass(frozen=True)
class Ladder:
    """What the pilot found: the event with its scales, rising scores below it, and for each level, and the event after
    them, a step size and how many moves.
    """

    event: Event
    levels: tuple[float, ...]
    steps: tuple[float, ...]
    moves: tuple[int, ...]
    calls: int


@dataclass(frozen=True)
class Rare:
    """The probability of an event with its interval, from independent estimates (r,), some of which may be 0.

    `rows` are rows of the event; their `weights` (n,) add up to `probability`. `fresh` is the share that differ.
    """

    probability: float
    low: float
    high: float
    estimates: Array
    rows: Mapping[str, Array]
    weights: Array
    ladder: Ladder
    calls: int
    fresh: float = field(default=1.0)

    @property
    def error(self) -> float:
        """The relative standard error of the probability."""
        r = len(self.estimates)
        return float(np.std(self.estimates, ddof=1) / r**0.5 / self.probability) if self.probability else float("inf")


@dataclass
class _Climbers:
    """Rows on their way: normal numbers (n, d), columns (n,), score (n,), whether the event holds (n,)."""

    at: Array
    columns: dict[str, Array]
    score: Array
    hit: Array

    def take(self, places: Array) -> _Climbers:
        columns = {name: column[places] for name, column in self.columns.items()}
        return _Climbers(self.at[places], columns, self.score[places], self.hit[places])


def split(
    model: Model, size: int, event: Event, *, rows: int, how: Splitting, seed: Seed, each: Sequence[Model] | None = None
) -> Rare:
    """The probability of the event, and `rows` rows of it, for a model of `size` standard normal numbers.

    `each` are models of the repetitions (default: the same), as with a parameter that is not known: the probability is
    their mean, and the interval holds what they differ in. A model that draws by itself is moved with fresh draws,
    which keeps the joint distribution. Raises InputError for an event that the pilot does not reach, with how near it
    came.
    """
    models = [model] * how.repetitions if each is None else each
    most = -(-rows // max(how.repetitions, 1))
    if most > how.rows:
        raise InputError(
            f"{rows:,} rows of {how.repetitions} repetitions need {most:,} in each, and each climbs with {how.rows:,}; "
            "ask for fewer rows or more in each (--climbers)"
        )
    ladder = pilot(model, size, event, how=how, seed=seed.child("pilot"))
    told = [_climb(one, size, ladder, how, seed.child("repetition", k)) for k, one in enumerate(models)]
    estimates = np.array([estimate for estimate, _ in told])
    low, high = interval(estimates)
    kept, weights = _kept(told, rows, seed.child("rows"))
    spent = ladder.calls + how.repetitions * how.rows * (1 + sum(ladder.moves))
    fresh = len(np.unique(kept.at, axis=0)) / max(len(kept.at), 1)
    return Rare(float(estimates.mean()), low, high, estimates, kept.columns, weights, ladder, spent, fresh)


def interval(estimates: Array, level: float = 0.05) -> tuple[float, float]:
    """Interval of the mean of independent estimates (r,) of a probability.

    Such estimates are about lognormal (Berard, Del Moral and Doucet 2014), so that few of them hide their own upper
    tail: the mean is that of a lognormal, with Cox's standard error (Zhou and Gao 1997) and Student's t. Where some are
    0, the interval is symmetric in the logarithm of their mean.
    """
    from scipy.special import stdtrit

    r, mean = len(estimates), float(estimates.mean())
    if mean <= 0:
        return 0.0, 1.0
    quantile = float(stdtrit(r - 1, 1 - level / 2))
    if (estimates > 0).all():
        logs = np.log(estimates)
        variance = float(np.var(logs, ddof=1))
        centre = float(logs.mean()) + variance / 2
        half = quantile * (variance / r + variance**2 / (2 * (r - 1))) ** 0.5
    else:
        centre = float(np.log(mean))
        half = quantile * float(np.std(estimates, ddof=1)) / r**0.5 / mean
    return float(np.exp(centre - half)), min(1.0, float(np.exp(centre + half)))


def pilot(model: Model, size: int, event: Event, *, how: Splitting, seed: Seed) -> Ladder:
    """Levels and step sizes, each from the rows that came so far; its own estimate is thrown away."""
    columns = model(seed.child("start").numpy().standard_normal((how.rows, size)), seed.child("look"))
    found = event.scaled(columns)
    climbers = _start(model, size, found, how.rows, seed.child("first"))
    levels, tuned, calls = list[float](), list[tuple[float, int]](), 2 * how.rows
    while climbers.hit.mean() < how.pass_share:
        level = _next(climbers.score, levels[-1] if levels else -np.inf, how.pass_share)
        if level is None and climbers.hit.any():
            break  # nothing lies between the last level and the event, as with outputs of few values
        if level is None or len(levels) == how.levels or calls >= how.calls:
            raise InputError(_unreached(event, climbers, len(levels), calls, how, stuck=level is None))
        levels.append(level)
        inside, at = np.flatnonzero(climbers.score >= level), seed.child("level", len(levels))
        climbers = climbers.take(at.child("copy").numpy().choice(inside, how.rows))
        tuned.append(_tuned(model, found, climbers, level, at, how=how))
        calls += tuned[-1][1] * how.rows
    if not climbers.hit.all():
        inside, at = np.flatnonzero(climbers.hit), seed.child("event")
        climbers = climbers.take(at.child("copy").numpy().choice(inside, how.rows))
    tuned.append(_tuned(model, found, climbers, None, seed.child("last"), how=how))
    calls += tuned[-1][1] * how.rows
    return Ladder(found, tuple(levels), tuple(step for step, _ in tuned), tuple(n for _, n in tuned), calls)


def _tuned(
    model: Model, event: Event, climbers: _Climbers, level: float | None, seed: Seed, *, how: Splitting
) -> tuple[float, int]:
    """Move the rows in place; the step size that carries rows farthest, and how many moves one needs with it.

    Sizes are tried side by side. Small steps are taken more often, yet where the simulator draws by itself that is no
    gain: what is refused is the fresh draw.
    """
    steps = np.resize(np.array(STEPS), how.rows)
    carried, taken, moves = np.zeros(len(STEPS)), np.zeros(len(STEPS)), 0
    which = np.arange(how.rows) % len(STEPS)
    tried = np.bincount(which)
    while moves < how.moves or (taken.mean() < ACCEPTED and moves < how.moves * MOST_MOVES):
        before = climbers.at.copy()
        accepted = _moved(model, event, climbers, steps[:, None], level, seed.child("move", moves))
        carried += np.bincount(which, weights=((climbers.at - before) ** 2).sum(axis=1)) / tried
        taken += np.bincount(which, weights=accepted) / tried
        moves += 1
        which, steps = np.roll(which, 1), np.roll(steps, 1)
    best = int(carried.argmax())
    needed = ACCEPTED / max(float(taken[best]) / moves, 1e-9)
    return STEPS[best], int(np.clip(np.ceil(needed), how.moves, how.moves * MOST_MOVES))


def _next(score: Array, last: float, share: float) -> float | None:
    """The next level: the score that `share` of the rows reach, above the last one and below the event; None: none."""
    level = float(np.quantile(score, 1 - share, method="higher"))
    if level <= last:
        above = score[score > last]
        level = float(above.min()) if len(above) else last
    if level > 0:  # the event is nearer than a level away, yet rows beyond the score 0 do not hold it
        level = 0.0
    return level if level > last and np.isfinite(level) else None


def _start(model: Model, size: int, event: Event, rows: int, seed: Seed) -> _Climbers:
    at = seed.child("draw").numpy().standard_normal((rows, size))
    columns = dict(model(at, seed.child("run")))
    return _Climbers(at, columns, *event.judge(columns))


def _moved(
    model: Model, event: Event, climbers: _Climbers, step: float | Array, level: float | None, seed: Seed
) -> Array:
    """Move all rows once in place; which proposals (n,) were taken.

    The preconditioned Crank-Nicolson proposal (Cotter and others 2013) leaves the normal distribution alone, so it is
    taken if it stays above the level (within the event, where that is None), and only then.
    """
    fresh = seed.child("step").numpy().standard_normal(climbers.at.shape)
    at = np.sqrt(1 - step**2) * climbers.at + step * fresh
    columns = model(at, seed.child("run"))
    score, hit = event.judge(columns)
    taken = hit if level is None else score >= level
    climbers.at[taken], climbers.score[taken], climbers.hit[taken] = at[taken], score[taken], hit[taken]
    for name, column in columns.items():
        climbers.columns[name][taken] = column[taken]
    return taken


def _climb(model: Model, size: int, ladder: Ladder, how: Splitting, seed: Seed) -> tuple[float, _Climbers | None]:
    """One repetition: its unbiased estimate, and rows that are spread over the event; none if it never reached it."""
    climbers = _start(model, size, ladder.event, how.rows, seed.child("first"))
    estimate = 1.0
    for number, step in enumerate(ladder.steps):
        level = None if number == len(ladder.levels) else ladder.levels[number]
        inside = np.flatnonzero(climbers.hit if level is None else climbers.score >= level)
        estimate *= len(inside) / how.rows
        if not len(inside):
            return 0.0, None
        climbers = climbers.take(seed.child("copy", number).numpy().choice(inside, how.rows))
        for move in range(ladder.moves[number]):
            _moved(model, ladder.event, climbers, step, level, seed.child("move", number, move))
    return estimate, climbers


def _kept(told: list[tuple[float, _Climbers | None]], rows: int, seed: Seed) -> tuple[_Climbers, Array]:
    """So many rows of all repetitions, and weights: those of a repetition share its part of the mean."""
    alive = [(estimate, climbers) for estimate, climbers in told if climbers is not None]
    if not alive:
        raise InputError(
            f"no repetition of {len(told)} reached the event, though the pilot did; let more rows climb (--climbers)"
        )
    sizes = [len(part) for part in np.array_split(np.arange(rows), len(alive))]
    if max(sizes) > len(alive[0][1].at):
        raise InputError(
            f"only {len(alive)} of {len(told)} repetitions reached the event, too few for {rows:,} rows; let more rows "
            "climb (--climbers), or ask for fewer"
        )
    parts, weights = [], []
    for number, ((estimate, climbers), size) in enumerate(zip(alive, sizes, strict=True)):
        if not size:
            continue
        places = seed.child(number).numpy().permutation(len(climbers.at))[:size]
        parts.append(climbers.take(places))
        weights.append(np.full(len(places), estimate / len(told) / len(places)))
    columns = {name: np.concatenate([one.columns[name] for one in parts]) for name in parts[0].columns}
    joined = [np.concatenate([getattr(one, name) for one in parts]) for name in ("at", "score", "hit")]
    return _Climbers(joined[0], columns, joined[1], joined[2]), np.concatenate(weights)


def _unreached(event: Event, climbers: _Climbers, levels: int, calls: int, how: Splitting, *, stuck: bool) -> str:
    place = int(climbers.score.argmax())
    nearest = ", ".join(f"{name} = {climbers.columns[name][place]:.4g}" for name in event.names)
    why = (
        "no row comes nearer: the event may be impossible, or say nothing of how near a row is"
        if stuck
        else f"{count(how.levels, 'level')} or {count(how.calls, 'run')} are spent"
    )
    return (
        f"the event `{event.text}` was not reached after {count(levels, 'level')} and {count(calls, 'run')}; nearest: "
        f"{nearest}; {why}."
        f" Its probability is not estimated (with {count(levels, 'level')} passed it would be below about "
        f"{how.pass_share**levels:.0e}); check units and ranges, or ask for a milder event first"
    )
