"""Asks every printed interval how often it holds a known truth: `python -m bench.intervals.coverage --trials 400`.

Each case draws data from a law of its own, asks the package for an interval and checks it against the truth: a closed
form, or a long simulation where none exists. The printed line gives the share that held, with its own Clopper-Pearson
interval.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from math import erf

import numpy as np

from tuckpoint.measure import boost, detect, fidelity
from tuckpoint.measure.attacks.copies import exact_copies
from tuckpoint.measure.attacks.membership import membership
from tuckpoint.measure.intervals import (
    Z95,
    auc,
    clopper_pearson,
    counted,
    paired_difference,
    r2,
    rate_at,
    share_difference,
    wilson,
)  # fmt: skip
from tuckpoint.measure.onerun import best_guesses
from tuckpoint.measure.unseen import unseen_pairs
from tuckpoint.measure.utility import global_utility
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Field

Interval = tuple[float, float]
Case = Callable[[Seed], tuple[Interval, float]]  # one trial: the interval, the truth

FIELDS = (
    Field("x"), Field("y"), Field("z"), Field("a", levels=tuple("pqrstu")), Field("b", levels=tuple("uvw")),
)  # fmt: skip
TRAIN_ROWS = 3_000


def law(rows: int, random: np.random.Generator, *, bend: float = 0.0) -> Encoded:
    """Rows of a mixed law; `bend` weakens the tie of y to x and moves a share of the levels."""
    x = random.normal(size=rows)
    y = (0.7 - bend) * x + random.normal(size=rows)
    z = np.where(random.random(rows) < 0.6, 0.0, random.exponential(size=rows))
    shares = np.array([0.4, 0.25, 0.2, 0.1, 0.04, 0.01]) + np.array([-1, 1, 0, 0, 0, 0]) * bend / 4
    a = random.choice(6, rows, p=shares).astype(np.int32)
    b = np.where(random.random(rows) < 0.5, a % 3, random.integers(0, 3, rows)).astype(np.int32)
    y[random.random(rows) < 0.08 + bend / 10] = np.nan
    columns: dict[str, Array] = {"x": np.round(x, 2), "y": np.round(y, 2), "z": np.round(z, 2), "a": a, "b": b}
    return Encoded(FIELDS, columns)


def people(data: Encoded, rows_each: int) -> Encoded:
    """People of whom each holds one row so many times over; with 1, the rows as they are, of nobody in particular."""
    if rows_each == 1:
        return data
    person = np.repeat(np.arange(data.rows), rows_each)
    return replace(data.take(person), person=person)


@cache
def train() -> Encoded:
    """The training rows: fixed, since the differences are for these training rows."""
    return law(TRAIN_ROWS, Seed(1, ("train",)).numpy())


def difference(score: Score) -> Interval:
    return score.detail["difference_low"], score.detail["difference_high"]


Measure = Callable[[Encoded, Encoded, Encoded, Seed], Score]


def one_way(real: Encoded, made: Encoded, holdout: Encoded, seed: Seed) -> Score:
    return fidelity.distance_score(fidelity.distances(real, made, holdout, seed=seed, ways=1))


def two_way(real: Encoded, made: Encoded, holdout: Encoded, seed: Seed) -> Score:
    return fidelity.distance_score(fidelity.distances(real, made, holdout, seed=seed, ways=2))


def correlation(real: Encoded, made: Encoded, holdout: Encoded, seed: Seed) -> Score:
    return fidelity.correlation_error(real, made, holdout, seed=seed)


def missing(real: Encoded, made: Encoded, holdout: Encoded, seed: Seed) -> Score:
    return fidelity.missing_share_error(real, made, holdout, seed=seed)


def rare(real: Encoded, made: Encoded, holdout: Encoded, seed: Seed) -> Score:
    return fidelity.rare_level_coverage(real, made, holdout, seed=seed)


def against_reference(measure: Measure, bend: float, rows: int, rows_each: int = 1) -> Case:
    """The difference made - holdout at `rows` rows each; its truth is 0 without bend or people, else the mean of 600
    draws.
    """

    def once(seed: Seed) -> Score:
        made, held = (
            law(rows, seed.child("made").numpy(), bend=bend),
            law(rows // rows_each, seed.child("held").numpy()),
        )
        return measure(train(), made, people(held, rows_each), seed)

    @cache
    def truth() -> float:
        if bend == 0 and rows_each == 1:
            return 0.0
        return float(np.mean([once(Seed(2, ("truth", i))).detail["difference"] for i in range(600)]))

    def trial(seed: Seed) -> tuple[Interval, float]:
        return difference(once(seed)), truth()

    return trial


def naive_distance(rows: int) -> Case:
    """The trap: a percentile bootstrap of 1 - distance between two samples of one law, whose truth is 1."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        first, second = (random.choice(10, rows, p=np.full(10, 0.1)) for _ in range(2))
        draws = []
        for _ in range(200):
            one, two = (np.bincount(side[random.integers(0, rows, rows)], minlength=10) for side in (first, second))
            draws.append(1 - 0.5 * np.abs(one - two).sum() / rows)
        low, high = np.quantile(draws, [0.025, 0.975])
        return (float(low), float(high)), 1.0

    return trial


def binormal_auc(shift: float, positives: int, negatives: int) -> Case:
    """DeLong against the closed form Phi(shift / sqrt 2)."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        score = np.concatenate([random.normal(shift, 1, positives), random.normal(0, 1, negatives)])
        found = auc(score, np.arange(positives + negatives) < positives)
        return found.interval(), 0.5 * (1 + erf(shift / 2))

    return trial


def recognised(shift: float, rows: int, alarms: float = 0.01) -> Case:
    """Share of positives over the score that few negatives exceed, against the closed form."""
    from scipy.special import ndtr, ndtri

    truth = float(ndtr(ndtri(alarms) + shift))

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        _, low, high = rate_at(random.normal(shift, 1, rows), random.normal(0, 1, rows), alarms)
        return (low, high), truth

    return trial


def proved(epsilon: float, people: int) -> Case:
    """The certified bound of one release, [bound, infinity), where each person's coin is told with known odds.

    Randomised response: the score is right with probability e^epsilon / (1 + e^epsilon), for all people alike, which is
    the worst that this epsilon allows. The bound has room for several attacks, so it should hold even more often.
    """

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        member = random.random(people) < 0.5
        truthful = random.random(people) < 1 / (1 + np.exp(-epsilon))
        found = best_guesses(
            np.where(truthful, member, ~member).astype(float), member, seed=seed.child("ties"), level=0.05
        )
        return (found.epsilon, np.inf), epsilon

    return trial


def paired_auc(rows: int) -> Case:
    """The difference of two correlated AUCs against the closed forms."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        label = np.arange(rows) < rows // 4
        shared = random.normal(size=rows)
        scores = [shared + random.normal(size=rows) + shift * label for shift in (1.0, 0.7)]
        gap = auc(scores[0], label).minus(auc(scores[1], label))
        truth = [0.5 * (1 + erf(shift / np.sqrt(2) / 2)) for shift in (1.0, 0.7)]
        return gap.interval(), truth[0] - truth[1]

    return trial


def explained(rows: int, *, heavy: bool = False) -> Case:
    """R2 of a fixed prediction against its population value; `heavy` draws a log-normal spread."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        signal = np.exp(random.normal(0, 0.7, rows)) if heavy else random.normal(0, 1, rows)
        noise = random.normal(0, 0.5, rows) * (signal if heavy else 1.0)
        mean, square = np.exp(0.7**2 / 2), np.exp(2 * 0.7**2)
        error = 0.25 * (square if heavy else 1.0)
        spread = (square - mean**2 if heavy else 1.0) + error
        return r2(signal, signal + noise).interval(), float(1 - error / spread)

    return trial


def share(method: Callable[[int, int], Interval], truth: float, rows: int) -> Case:
    def trial(seed: Seed) -> tuple[Interval, float]:
        return method(int(seed.numpy().binomial(rows, truth)), rows), truth

    return trial


def two_shares(first: float, second: float, rows: int) -> Case:
    def trial(seed: Seed) -> tuple[Interval, float]:
        counts = seed.numpy().binomial([4 * rows, rows], [first, second])
        return share_difference(int(counts[0]), 4 * rows, int(counts[1]), rows), first - second

    return trial


def matched(gained: float, lost: float, pairs: int) -> Case:
    def trial(seed: Seed) -> tuple[Interval, float]:
        counts = seed.numpy().multinomial(pairs, [gained, lost, 1 - gained - lost])
        return paired_difference(int(counts[0]), int(counts[1]), pairs), gained - lost

    return trial


def planted_copies(rate: float, rows: int) -> Case:
    """Made rows that copy a training row at a known rate, and otherwise cannot equal one."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        made, real = law(rows, random), train()
        copied = random.random(rows) < rate
        taken = real.take(random.integers(0, real.rows, rows))
        columns = {name: np.where(copied, taken.columns[name], made.columns[name]) for name in made.columns}
        columns["x"] = np.where(copied, columns["x"], columns["x"] + 1000.0)
        score = exact_copies(real, Encoded(FIELDS, columns), None)
        assert score.low is not None
        assert score.high is not None
        return (score.low, score.high), rate

    return trial


def joined(rate: float, rows: int) -> Case:
    """Made rows that join two levels which training rows keep apart, at a known rate."""
    fields = (Field("sex", levels=("f", "m", "-")), Field("pregnant", levels=("no", "yes", "-")))

    def one_side(rows: int, random: np.random.Generator, wrong: float) -> Encoded:
        sex = random.integers(0, 2, rows).astype(np.int32)
        pregnant = np.where(sex == 0, random.random(rows) < 0.2, False)
        bad = random.random(rows) < wrong
        return Encoded(fields, {"sex": np.where(bad, 1, sex), "pregnant": (pregnant | bad).astype(np.int32)})

    def trial(seed: Seed) -> tuple[Interval, float]:
        real = one_side(TRAIN_ROWS, seed.child("real").numpy(), 0.0)
        made = one_side(rows, seed.child("made").numpy(), rate)
        score = unseen_pairs(real, made, None, kinds={}, seed=seed)
        assert score.low is not None
        assert score.high is not None
        return (score.low, score.high), rate

    return trial


def _membership_trial(leak: float, rows: int, seed: Seed, rows_each: int = 1) -> Score:
    """Members are drawn anew; a `leak` of the made rows are members with a little noise."""
    real, holdout = law(rows, seed.child("real").numpy()), law(rows, seed.child("holdout").numpy())
    random = seed.child("made").numpy()
    made = law(rows, random)
    near = real.take(random.integers(0, rows, rows))
    leaked = random.random(rows) < leak
    columns = {name: np.where(leaked, near.columns[name], made.columns[name]) for name in made.columns}
    sides = people(real, rows_each), people(holdout, rows_each)
    return membership(sides[0], Encoded(FIELDS, columns), sides[1], seed=seed)


def attacked(leak: float, rows: int, rows_each: int = 1) -> Case:
    @cache
    def truth() -> float:
        if leak == 0:
            return 0.5
        return float(np.mean([_membership_trial(leak, rows, Seed(3, ("truth", i))).value or 0.0 for i in range(300)]))

    def trial(seed: Seed) -> tuple[Interval, float]:
        score = _membership_trial(leak, rows, seed, rows_each)
        assert score.low is not None
        assert score.high is not None
        return (score.low, score.high), truth()

    return trial


def told(bend: float, rows: int) -> Case:
    """Detection against the mean AUC that this judge reaches at this many rows; 0.5 without bend."""

    def once(seed: Seed) -> detect.Told:
        sides = law(rows, seed.child("made").numpy(), bend=bend), law(rows, seed.child("holdout").numpy())
        return detect.told_apart(*sides, seed=seed)

    @cache
    def truth() -> float:
        return 0.5 if bend == 0 else float(np.mean([once(Seed(4, ("truth", i))).value for i in range(200)]))

    def trial(seed: Seed) -> tuple[Interval, float]:
        found = once(seed)
        return (found.value - Z95 * found.se, found.value + Z95 * found.se), truth()

    return trial


def used(rows: int) -> Case:
    """Global utility of fixed training rows against its value on a holdout of 5,000 rows drawn 20 times."""
    made = law(TRAIN_ROWS, Seed(5, ("made",)).numpy(), bend=0.5)
    fixed = Seed(5, ("judge",))

    def once(size: int, seed: Seed) -> Score:
        return global_utility(train(), made, law(size, seed.numpy()), seed=fixed)

    @cache
    def truth() -> float:
        return float(np.mean([once(5_000, Seed(6, ("truth", i))).value or 0.0 for i in range(20)]))

    def trial(seed: Seed) -> tuple[Interval, float]:
        score = once(rows, seed)
        assert score.low is not None
        assert score.high is not None
        return (score.low, score.high), truth()

    return trial


def fixed_model(rows: int, rows_each: int = 1) -> Case:
    """A boosted model's AUC on few holdout rows against the same model's on 200,000: what `utility` prints."""
    real = train()
    x = boost.features(real, without="b")
    label = (real.columns["b"] == 0).astype(np.float64)
    model = boost.train(x, label, classes=2, seed=Seed(7))

    def score(data: Encoded) -> tuple[Array, Array]:
        return boost.predict(model, boost.features(data, without="b")), data.columns["b"] == 0

    truth = auc(*score(law(200_000, Seed(8).numpy()))).value

    def trial(seed: Seed) -> tuple[Interval, float]:
        held = people(law(rows // rows_each, seed.numpy()), rows_each)
        return auc(*score(held)).of_people(held.person).interval(), truth

    return trial


def repeated(first: float, second: float, rows: int, rows_each: int) -> Case:
    """The difference of two shares, the second among rows of people of whom each holds so many alike."""

    def trial(seed: Seed) -> tuple[Interval, float]:
        random = seed.numpy()
        person = np.repeat(np.arange(rows // rows_each), rows_each)
        base = counted((random.random(rows // rows_each) < second)[person], person)
        return share_difference(int(random.binomial(rows, first)), rows, *base), first - second

    return trial


def cases() -> Iterator[tuple[str, Callable[[], Case]]]:
    """All cases by name; made only when asked for."""
    measures: list[tuple[str, Measure]] = [
        ("one_way_distance", one_way), ("two_way_distance", two_way), ("correlation_error", correlation),
        ("missing_share_error", missing), ("rare_level_coverage", rare),
    ]  # fmt: skip
    for name, measure in measures:
        for bend in (0.0, 0.3):
            yield f"{name}, bend {bend}, 800 rows", lambda m=measure, b=bend: against_reference(m, b, 800)  # type: ignore[misc]
    for name, measure in measures:
        yield f"{name}, people of 4 rows, 800 rows", lambda m=measure: against_reference(m, 0.0, 800, 4)  # type: ignore[misc]
    yield "naive percentile bootstrap of 1 - distance", lambda: naive_distance(2000)
    yield "DeLong, 60 against 60, near 1", lambda: binormal_auc(2.0, 60, 60)
    yield "DeLong, 30 against 600", lambda: binormal_auc(1.0, 30, 600)
    yield "DeLong, no skill", lambda: binormal_auc(0.0, 200, 200)
    for shift in (0.0, 1.0, 3.0):
        yield f"share recognised at 1 % false alarms, shift {shift}", lambda s=shift: recognised(s, 1000)  # type: ignore[misc]
    for epsilon in (0.0, 1.0, 3.0):
        yield f"epsilon proved by one release, {epsilon}", lambda e=epsilon: proved(e, 1000)  # type: ignore[misc]
    yield "paired difference of AUC", lambda: paired_auc(400)
    yield "R2, normal", lambda: explained(300)
    yield "R2, log-normal with growing spread", lambda: explained(1000, heavy=True)
    yield "Wilson, 0.2 % of 2,000", lambda: share(wilson, 0.002, 2000)
    yield "Wilson, 30 % of 50", lambda: share(wilson, 0.3, 50)
    yield "Clopper-Pearson, 0.2 % of 2,000", lambda: share(clopper_pearson, 0.002, 2000)
    yield "Newcombe, equal rare shares", lambda: two_shares(0.002, 0.002, 2000)
    yield "Newcombe, 3 % against 1 %", lambda: two_shares(0.03, 0.01, 1000)
    yield "matched pairs, 20", lambda: matched(0.05, 0.15, 20)
    yield "matched pairs, 50, rare", lambda: matched(0.01, 0.01, 50)
    yield "exact_copies, 1 %", lambda: planted_copies(0.01, 1500)
    yield "unseen_pairs, 1 %", lambda: joined(0.01, 1500)
    yield "membership, innocent", lambda: attacked(0.0, 500)
    yield "membership, innocent people of 4 rows", lambda: attacked(0.0, 250, 4)
    yield "membership, a fifth leaked", lambda: attacked(0.2, 500)
    yield "detection, same law", lambda: told(0.0, 600)
    yield "detection, bend 0.5", lambda: told(0.5, 600)
    yield "utility of a fixed model", lambda: fixed_model(600)
    yield "utility of a fixed model, people of 4 rows", lambda: fixed_model(1200, 4)
    yield "two shares, one of people of 4 rows", lambda: repeated(0.03, 0.03, 2000, 4)
    yield "global_utility of fixed models", lambda: used(500)


def coverage(case: Case, trials: int) -> tuple[int, float, float]:
    """How often the interval held the truth in so many trials, and the Clopper-Pearson interval of that share."""
    held = 0
    for i in range(trials):
        (low, high), truth = case(Seed(20, ("trial", i)))
        held += low <= truth <= high
    return held, *clopper_pearson(held, trials)


def main() -> None:
    """Print one line per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    for name, build in cases():
        if options.only in name:
            held, low, high = coverage(build(), options.trials)
            sys.stdout.write(f"{name:52} {held / options.trials:6.1%}  [{low:.3f}, {high:.3f}]  n={options.trials}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
