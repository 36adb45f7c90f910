"""Can a boosted classifier tell made rows from real ones that no model has seen?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure import boost
from tuckpoint.measure.intervals import Z95, auc
from tuckpoint.measure.limits import DEFAULT, Limits
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, cut

MOST_ROWS = 10_000
# Variance of the mean of two folds over that of one fold: 1 / 2 + test rows / training rows (Nadeau and Bengio 2003).
# Each fold judges by what it learnt on the other, so they err together; without this 86 of 100 intervals held.
SPREAD = 1.5


@dataclass(frozen=True)
class Told:
    """How well two samples were told apart: mean AUC of two folds, its standard error, rows a side, gain per column."""

    value: float
    se: float
    rows: int
    gains: dict[str, float]


def told_apart(first: Encoded, second: Encoded, *, seed: Seed, threads: int = 1, most: int = MOST_ROWS) -> Told:
    """The classifier two-sample test: min(`most`, both sizes) rows a side, two random folds.

    Each fold's AUC has DeLong's variance, widened for what the folds share. Copies of rows across the two samples push
    the AUC below 0.5: a twin's label misleads the classifier. Where sides say whose each row is, a person is in one
    fold with all rows: else the judge knows a person again, and with that the side. Source: Lopez-Paz and Oquab 2017,
    with AUC for accuracy.
    """
    rows = min(most, first.rows, second.rows)
    sides = [cut(data, rows, seed.child("cut", i).numpy()) for i, data in enumerate((first, second))]
    inputs = [boost.features(side) for side in sides]
    both = boost.Features(inputs[0].names, np.concatenate([one.values for one in inputs]), inputs[0].categories)
    label = np.repeat([1.0, 0.0], rows)
    fold, person = _folds(sides, seed.child("folds"))
    found, models, errors = [], [], []
    for k in (0, 1):
        train, test = fold != k, fold == k
        model = boost.train(both.take(train), label[train], classes=2, seed=seed.child("fold", k), threads=threads)
        found.append(auc(boost.predict(model, both.take(test), threads=threads), label[test] == 1))
        models.append(model)
        errors.append(found[-1].of_people(None if person is None else person[test]).se)
    se = float(np.sqrt(SPREAD * np.mean(np.square(errors))))
    return Told(float(np.mean([one.value for one in found])), se, rows, boost.gains(models, both.names))


def _folds(sides: Sequence[Encoded], seed: Seed) -> tuple[Array, Array | None]:
    """Fold 0 or 1 of each row of both sides, and whose each row is, None where nobody has several."""
    rows = sides[0].rows
    even = seed.numpy().permutation(2 * rows) % 2
    if all(side.person is None for side in sides):
        return even, None
    alone = -1 - np.arange(2 * rows)
    whose = [alone[i * rows : (i + 1) * rows] if s.person is None else s.person for i, s in enumerate(sides)]
    people, person = np.unique(np.concatenate(whose), return_inverse=True)
    if len(people) == 2 * rows:
        return even, None
    fold = (seed.child("people").numpy().permutation(len(people)) % 2)[person]
    few = min(np.bincount(2 * (np.arange(2 * rows) >= rows) + fold, minlength=4))
    return (fold, person) if few >= rows // 10 else (even, person)


def _separation(told: Told) -> tuple[float, float]:
    """An AUC as the distance of two normal laws that give it, in standard deviations, and its standard error."""
    from scipy.special import ndtri

    at = float(ndtri(np.clip(told.value, 1e-6, 1 - 1e-6)))
    return np.sqrt(2) * at, float(np.sqrt(2) * told.se * np.sqrt(2 * np.pi) * np.exp(at * at / 2))


def _beyond(told: Told, null: Told) -> tuple[float, float]:
    """How much better than real rows made ones are told apart, as an AUC from 0.5, and what of it is sure.

    Where the judge surely tells real rows from real holdout rows, so much is not the fault of made rows. The distance
    of the two is taken where it adds up: an AUC of 0.95 beside one of 0.91 is more than one of 0.54 beside 0.5.
    """
    from scipy.special import ndtr

    (far, error), (base, base_error) = _separation(told), _separation(null)
    gap, sure = far - base, far - base - Z95 * float(np.hypot(error, base_error))
    return float(ndtr(gap / np.sqrt(2))), float(ndtr(sure / np.sqrt(2)))


def detection(
    real: Encoded,
    made: Encoded,
    holdout: Encoded | None,
    *,
    seed: Seed,
    threads: int = 1,
    limits: Limits = DEFAULT,
    null: Told | None = None,
) -> Score:
    """`detection`: AUC of telling made rows from the real holdout; the reference tells real rows from the holdout.

    The interval covers the AUC of this judge at this many rows. It grows with n: compare at equal n only. Where the
    reference is surely above 0.5, the limits hold for what made rows have beyond it (`detail["beyond"]`).
    """
    why = _too_few(limits, made=made, holdout=holdout)
    if why:
        return Score("detection", None, why=why)
    assert holdout is not None
    null = null_detection(real, holdout, seed=seed, threads=threads) if null is None else null
    told = told_apart(made, holdout, seed=seed.child("holdout"), threads=threads)
    low, high = max(told.value - Z95 * told.se, 0.0), min(told.value + Z95 * told.se, 1.0)
    copied = _alarm(told)
    beyond, sure = told.value, low
    allowed = f"up to {limits.detection:g} by its interval and {limits.detection_worst:g} by its value"
    if null.value - Z95 * null.se > 0.5:
        beyond, sure = _beyond(told, null)
        allowed += ", beyond what tells real rows apart"
    passed = not copied and sure <= limits.detection and beyond <= limits.detection_worst
    worst = [name for name, share in told.gains.items() if share > 0][:3]
    advice = f"What gives made rows away most: {', '.join(worst)}."
    if copied:
        advice = (
            "Clearly below 0.5: made rows repeat holdout rows, so the holdout was not untouched. Split before fitting."
        )
    return Score(
        "detection", told.value, low, high, told.rows, "lower", null.value,
        "real training rows told from real holdout rows by the same judge", passed=passed,
        advice="" if passed else advice,
        detail={"gains": told.gains, "rows_a_side": told.rows, "se": told.se, "beyond": beyond, "copied": copied},
        allowed=allowed,
    )  # fmt: skip


def null_detection(real: Encoded, holdout: Encoded, *, seed: Seed, threads: int = 1) -> Told:
    """The perfect null: real training rows against real holdout rows."""
    return told_apart(real, holdout, seed=seed.child("null"), threads=threads)


def detection_against_training(
    real: Encoded, made: Encoded, *, seed: Seed, threads: int = 1, limits: Limits = DEFAULT
) -> Score:
    """`detection_against_training`: the same judge against the rows learnt from; far below 0.5 is a copying alarm.

    Whoever meets the shares of each value in these very rows falls a little below 0.5 without copying a row: what is
    too frequent in one fold is too rare in the other, and made rows stand between. How far that goes is told by rows
    whose columns are drawn each by itself from the training rows; only what is clearly below them is an alarm.
    """
    why = _too_few(limits, made=made, real=real)
    if why:
        return Score("detection_against_training", None, better="reference", why=why)
    told = told_apart(made, real, seed=seed.child("training"), threads=threads)
    low, high = max(told.value - Z95 * told.se, 0.0), min(told.value + Z95 * told.se, 1.0)
    detail: dict[str, float | int] = {"rows_a_side": told.rows, "se": told.se}
    reference, what, passed = 0.5, "guessing", True
    if _alarm(told):
        null = null_of_margins(real, told.rows, seed=seed.child("margins"), threads=threads)
        reference, what = min(null.value, 0.5), "rows whose columns are drawn each by itself from the training rows"
        passed = told.value + Z95 * float(np.hypot(told.se, null.se)) >= reference
        detail["reference_se"] = null.se
    advice = "Clearly below what shared shares of values explain: made rows sit on training rows."
    return Score(
        "detection_against_training", told.value, low, high, told.rows, "reference", reference, what, passed=passed,
        advice="" if passed else advice, detail=detail, allowed="not surely below the reference",
    )  # fmt: skip


def null_of_margins(real: Encoded, rows: int, *, seed: Seed, threads: int = 1) -> Told:
    """Two samples with the values of `rows` real rows, each column in an order of its own: alike but for no row."""
    part = cut(real, rows, seed.child("cut").numpy())
    sides = [_shuffled(part, seed.child("side", side)) for side in (0, 1)]
    return told_apart(*sides, seed=seed.child("told"), threads=threads)


def _shuffled(data: Encoded, seed: Seed) -> Encoded:
    columns = {name: seed.child(name).numpy().permutation(values) for name, values in data.columns.items()}
    return replace(data, columns=columns, person=None)


def _alarm(told: Told) -> bool:
    return told.value + Z95 * told.se < 0.5


def _too_few(limits: Limits, **sides: Encoded | None) -> str:
    for name, data in sides.items():
        if data is None:
            return f"no {name} rows were given; split them off before fitting"
        if data.rows < limits.min_rows:
            return (
                f"only {count(data.rows, f'{name} row')}; a classifier needs {limits.min_rows} a side to say anything"
            )
    return ""
