"""Whether more rows of a slice would mend it: measured with labelled rows of it, or forecast from a learning curve."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tuckpoint.gap.finding import Reducible
from tuckpoint.gap.model import logistic, losses, predicted
from tuckpoint.measure.utility import Task
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded

SHARES = (1.0, 0.5, 0.25)  # of the slice's training rows
REPEATS = 5  # choices of them
FEWEST = 10  # training rows of a slice without which it has no learning curve
LEAST = 30  # rows of a slice that are needed to judge by
OTHERS = 6000  # training rows outside the slice
POWERS = np.arange(0.1, 1.01, 0.1)  # how fast a loss falls with rows
DRAWS = 200
REPLICATES = 10
TRAINED = 0.8  # of the training rows, in each replicate
CORRECTED = 60  # labelled rows of a slice on which a model can be corrected, and judged
FOLDS, ROUNDS = 5, 4  # of correcting on four fifths of them and judging on the other, and how often
PRIOR = (2.0, 0.5)  # standard deviations of the correction beforehand: its shift (logits, spreads), its slope around 1
NEWTON = 25


@dataclass(frozen=True)
class Rows:
    """Encoded rows, their truth (n,), and which of them (n,) lie in the slice; rows without a truth are left out."""

    data: Encoded
    truth: Array
    inside: Array

    def some(self, mask: Array) -> Rows:
        """The rows at these positions, or where the mask is true."""
        return Rows(self.data.take(mask), self.truth[mask], self.inside[mask])


def forecast(counts: Array, curves: Array, target: int, seed: Seed) -> tuple[float, float, float]:
    """How far the loss falls from the largest of counts (k,) to `target` rows, with a 95 % interval.

    `curves` (k, repeats, rows) are losses. Fits a + b n^-c to the means, c from 0.1 to 1, b at least 0 (least squares);
    repeats and rows are drawn again for the interval, and c with them, since three points do not tell it.
    """
    random, (_, repeats, rows) = seed.numpy(), curves.shape
    gain, misfit = _falls(counts, curves.mean(axis=(1, 2)), target)
    best = float(gain[int(np.argmin(misfit))])
    drawn = []
    for _ in range(DRAWS):
        share = random.multinomial(repeats, np.full(repeats, 1 / repeats)) / repeats
        weight = random.multinomial(rows, np.full(rows, 1 / rows)) / rows
        falls, _ = _falls(counts, share @ (curves @ weight).T, target)
        drawn.append(falls[int(random.integers(0, len(falls)))])
    low, high = np.quantile(drawn, [0.025, 0.975])
    return best, float(min(low, best)), float(max(high, best))


def _falls(counts: Array, mean: Array, target: int) -> tuple[Array, Array]:
    """For each power (p,): the fall of the loss up to `target` rows if it goes as this power, and its misfit."""
    x = counts.astype(np.float64) ** -POWERS[:, None]
    x0, y0 = x - x.mean(axis=1, keepdims=True), mean - mean.mean()
    slope = np.maximum(0.0, (x0 @ y0) / (x0**2).sum(axis=1))
    misfit = ((y0 - slope[:, None] * x0) ** 2).sum(axis=1)
    return slope * (float(counts.max()) ** -POWERS - float(target) ** -POWERS), misfit


def curve(train: Rows, test: Rows, work: Task, *, lacking: int, smallest: float, seed: Seed) -> Reducible:
    """Refit with all, half and a quarter of the slice's training rows, and forecast the loss with `lacking` more."""
    inside, other = np.flatnonzero(train.inside), np.flatnonzero(~train.inside)
    judged = test.some(test.inside)
    if len(inside) < FEWEST:
        return Reducible(
            "not estimable",
            why=f"{len(inside)} training rows there make no learning curve",
        )
    if len(judged.truth) < LEAST:
        return Reducible("not estimable", why=f"{len(judged.truth)} rows there to judge by, {LEAST} are needed")
    other = np.sort(seed.child("others").numpy().permutation(other)[:OTHERS])
    counts = np.array([max(2, round(share * len(inside))) for share in SHARES])
    curves = np.empty((len(counts), REPEATS, len(judged.truth)))
    for repeat in range(REPEATS):
        order = seed.child("rows", repeat).numpy().permutation(inside)
        for place, count in enumerate(counts):
            # All rows of the slice are the same in every repeat: the others are drawn, so that these differ too.
            base = seed.child("base", repeat, place).numpy().choice(other, len(other)) if len(other) else other
            chosen = np.concatenate([order[:count], base])
            model = predicted(train.data.take(chosen), train.truth[chosen], judged.data, work, seed.child("fit"))
            curves[place, repeat] = losses(model, judged.truth, work.classes)
    gain, low, high = forecast(counts, curves, len(inside) + max(lacking, 1), seed.child("forecast"))
    points = tuple((int(n), float(v)) for n, v in zip(counts, curves.mean(axis=(1, 2)), strict=True))
    found = _state(gain, low, high, smallest, points, f"{_fall(gain, low, high)}, forecast from its learning curve")
    return replace(found, needed=needed(counts, curves.mean(axis=(1, 2)), smallest))


def needed(counts: Array, mean: Array, smallest: float) -> int | None:
    """How many more rows than the largest of counts (k,) let the mean loss (k,) fall by so much; None if none do.

    By the curve a + b n^-c that fits best: N = (n^-c - smallest / b)^(-1/c).
    """
    falls, misfit = _falls(counts, mean, 10**12)
    place = int(np.argmin(misfit))
    power, most = float(POWERS[place]), float(counts.max())
    b = float(falls[place]) / (most**-power - 1e12**-power)
    left = most**-power - smallest / b if b > 0 else 0.0
    return None if left <= 0 or (rows := left ** (-1 / power)) > 1e9 else max(1, int(np.ceil(rows - most)))


def measured(train: Rows, reference: Rows, work: Task, *, lacking: int, smallest: float, seed: Seed) -> Reducible:
    """Add rows of the reference that lie in the slice, whose outcome is known, and judge on its other rows.

    Ten times with other halves of them and other training rows. The interval counts both the choice of rows to learn
    from and of rows to judge by; replicates overlap, so their variance is corrected as Nadeau and Bengio (2003) do (t
    with 9 degrees of freedom). Nothing that is made can be expected to do better.
    """
    from scipy.special import stdtrit

    inside = np.flatnonzero(reference.inside)
    if len(inside) < 2 * LEAST:
        return Reducible("not estimable", why=f"{len(inside)} reference rows there; {2 * LEAST} are needed to measure")
    total, seen, means = np.zeros(len(inside)), np.zeros(len(inside)), []
    added = 0
    for replicate in range(REPLICATES):
        mine = seed.child("half", replicate // 2).numpy().permutation(len(inside))
        mine = mine if replicate % 2 else mine[::-1]
        give = mine[: min(len(mine) // 2, max(lacking, 1))]
        judge = mine[len(mine) // 2 :]
        base = seed.child("base", replicate).numpy().permutation(len(train.truth))[: OTHERS + int(train.inside.sum())]
        base = np.sort(base[: max(1, round(TRAINED * len(base)))]) if len(base) > 10 * FEWEST else np.sort(base)
        rows = reference.data.take(inside[judge])
        truth = reference.truth[inside[judge]]
        without = predicted(train.data.take(base), train.truth[base], rows, work, seed.child("fit"))
        more = _together(train.data.take(base), reference.data.take(inside[give]))
        truths = np.concatenate([train.truth[base], reference.truth[inside[give]]])
        filled = predicted(more, truths, rows, work, seed.child("fit"))
        gains = losses(without, truth, work.classes) - losses(filled, truth, work.classes)
        total[judge] += gains
        seen[judge] += 1
        means.append(float(gains.mean()))
        added = len(give)
    each = total[seen > 0] / seen[seen > 0]
    gain = float(np.mean(means))
    training = float(np.var(means, ddof=1)) * (1 / REPLICATES + (1 - TRAINED) / TRAINED)
    se = (training + float(np.var(each, ddof=1)) / len(each)) ** 0.5
    half = float(stdtrit(REPLICATES - 1, 0.975)) * se
    told = f"{_fall(gain, gain - half, gain + half)}, measured by adding {added:,} reference rows of it"
    return _state(gain, gain - half, gain + half, smallest, (), told)


def corrected(train: Rows, labelled: Rows, work: Task, *, smallest: float, seed: Seed) -> Reducible:
    """How far labelled rows of the slice let the loss of the model as it is fall, by its shift and slope there alone.

    Refitting a model moves its loss by chance; this does not, so that few rows tell whether the model is wrong there at
    all. What is wrong everywhere is no matter of the gap: the model is corrected on the rows outside first.
    Corrections are fitted to four fifths of the slice's rows (penalised by a normal prior) and judged on the others, in
    turn. What a law of its own would bring beyond shift and slope is not seen.
    """
    inside = np.flatnonzero(labelled.inside)
    if work.classes > 2:
        return Reducible("not estimable", why="a model of several classes is not corrected")
    if len(inside) < CORRECTED:
        return Reducible("not estimable", why=f"{len(inside)} labelled rows there; {CORRECTED} are needed")
    told = predicted(train.data, train.truth, labelled.data, work, seed.child("fit"))
    scores = _logit(told) if work.classes else told
    outside = np.flatnonzero(~labelled.inside)
    if len(outside) >= CORRECTED:
        scores = _moved(scores, _correction(scores[outside], labelled.truth[outside], work.classes))
    scores, truth = scores[inside], labelled.truth[inside]
    gains, each = np.zeros(len(inside)), []
    plain = losses(_spoken(scores, work.classes), truth, work.classes)
    for turn in range(ROUNDS):
        fold = seed.child("turn", turn).numpy().permutation(len(inside)) % FOLDS
        for part in range(FOLDS):
            rest, held = fold != part, fold == part
            moved = _moved(scores[held], _correction(scores[rest], truth[rest], work.classes))
            fell = plain[held] - losses(_spoken(moved, work.classes), truth[held], work.classes)
            gains[held] += fell / ROUNDS
            each.append(float(fell.mean()))
    # The corrections of all folds share most of their rows: their variance is corrected as Nadeau and Bengio (2003) do.
    shared = float(np.var(each, ddof=1)) * (1 / len(each) + 1 / (FOLDS - 1))
    gain, half = float(gains.mean()), 1.96 * max(float(np.var(gains, ddof=1)) / len(gains), shared) ** 0.5
    low, high = gain - half, gain + half
    how = f"its shift and slope alone would bring {gain:.3g} [{low:.3g}, {high:.3g}], on {len(gains):,} labelled rows"
    return _state(gain, low, high, smallest, (), how)


def both(refitted: Reducible, correction: Reducible) -> Reducible:
    """What refits and a correction say together: the correction decides where refits cannot tell.

    Its gain is another one, that of a shift and a slope alone: where refits were made, the gain told stays theirs.
    """
    if refitted.state not in ("not known", "not estimable") or correction.state == "not estimable":
        return refitted
    if refitted.state == "not estimable":
        return replace(correction, points=refitted.points, needed=refitted.needed)
    sure = refitted.low is not None and refitted.low > 0
    if correction.state == "reducible" or (correction.state == "not reducible" and not sure):
        return replace(refitted, state=correction.state, why=f"{refitted.why}; {correction.why}")
    return refitted


def _correction(scores: Array, truth: Array, classes: int) -> tuple[float, float]:
    """Shift and slope (around 1) that fit best, penalised: logistic by Newton's method, or least squares."""
    inputs, penalty = np.stack([np.ones(len(scores)), scores], axis=1), np.diag(1 / np.square(PRIOR))
    if not classes:
        spread = max(float(np.var(truth - scores)), 1e-12)
        step = np.linalg.solve(inputs.T @ inputs / spread + penalty, inputs.T @ (truth - scores) / spread)
        return float(step[0]), float(1 + step[1])
    at = np.zeros(2)
    for _ in range(NEWTON):
        chance = _spoken(scores + inputs @ at, classes)
        slope = inputs.T @ (truth - chance) - penalty @ at
        curvature = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + penalty
        step = np.linalg.solve(curvature, slope)
        at = at + step / max(1.0, float(np.abs(step).max()))  # no leap beyond 1, so that it cannot diverge
        if np.abs(step).max() < 1e-8:
            break
    return float(at[0]), float(1 + at[1])


def _moved(scores: Array, by: tuple[float, float]) -> Array:
    return by[0] + by[1] * scores


def _spoken(scores: Array, classes: int) -> Array:
    """Probabilities of logits, or the numbers themselves."""
    return logistic(scores) if classes else scores


def _logit(share: Array) -> Array:
    held = np.clip(share, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(held / (1 - held)))


def _together(first: Encoded, second: Encoded) -> Encoded:
    columns = {name: np.concatenate([values, second.columns[name]]) for name, values in first.columns.items()}
    return Encoded(first.fields, columns)


def _fall(gain: float, low: float, high: float) -> str:
    return f"the loss would fall by {gain:.3g} [{low:.3g}, {high:.3g}]"


def _state(
    gain: float, low: float, high: float, smallest: float, points: tuple[tuple[int, float], ...], told: str
) -> Reducible:
    if high < smallest:
        return Reducible("not reducible", points, gain, low, high, f"{told}: less than the {smallest:g} that matters")
    if low > 0:
        return Reducible("reducible", points, gain, low, high, told)
    return Reducible(
        "not known", points, gain, low, high, f"{told}: both nothing and {smallest:g} or more are possible"
    )
