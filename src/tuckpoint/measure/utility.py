"""Does training on made rows give the model that training on real rows gives, for the target and for every column?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tuckpoint.errors import count
from tuckpoint.measure import boost
from tuckpoint.measure.boost import PUBLISHED, Boosting
from tuckpoint.measure.intervals import Z95, Estimate, auc, average_ranks, mean, r2
from tuckpoint.measure.limits import DEFAULT, Limits, figure
from tuckpoint.score import Score
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded, Progress, cut, quiet

CLASS_VALUES = 15  # a number with no more values than this counts as a class
MOST_CLASSES = 20
QUICK = Boosting(rounds=40, rate=0.12, leaves=15)
QUICK_ROWS = 5_000
QUICK_COLUMNS = 20
QUICK_CLASSES = 3
MEASURES = {0: "R2", 2: "AUC"}
Pair = tuple[Estimate, Estimate]  # a model that learnt from made rows, one that learnt from real rows


@dataclass(frozen=True)
class Task:
    """One column to predict: its values per side (codes, or numbers where `classes` is 0; NaN: leave the row out).

    `linear` asks for ridge regression rather than boosted trees, where the caller can choose (inputs of one scale).
    """

    target: str
    classes: int
    truth: Mapping[str, Array]
    labels: tuple[str, ...] = ()
    linear: bool = False

    @property
    def measure(self) -> str:
        """What the model is scored by."""
        return MEASURES.get(self.classes, "macro one-vs-rest AUC")


def task(sides: Mapping[str, Encoded], target: str, *, most_classes: int = MOST_CLASSES) -> Task:
    """How `target` is predicted: as classes if it holds levels or at most 15 numbers, the rarest pooled into one."""
    field = sides["real"].field(target)
    columns = {side: data.columns[target].astype(np.float64) for side, data in sides.items()}
    if field.levels is not None:
        columns = {side: np.where(values < 0, np.nan, values) for side, values in columns.items()}
    real = columns["real"][~np.isnan(columns["real"])]
    distinct, counts = np.unique(real, return_counts=True)
    if field.numeric and len(distinct) > CLASS_VALUES:
        return Task(target, 0, columns)
    if len(distinct) == 0:
        return Task(target, 1, columns, ("(none)",))
    order = distinct[np.argsort(-counts, kind="stable")]
    kept = np.sort(order[: len(order) if len(order) <= most_classes else most_classes - 1])
    classes = min(len(order), most_classes)
    truth = {side: _codes(values, distinct, kept) for side, values in columns.items()}
    names = [str(v) for v in kept] if field.levels is None else [field.levels[int(v)] for v in kept]
    return Task(target, classes, truth, (*names, *(["(other)"] if classes > len(kept) else [])))


def _codes(values: Array, known: Array, kept: Array) -> Array:
    """Class of each row: places among `kept`, one more for the other known values, NaN for missing and unseen."""
    codes = np.full(len(values), np.nan)
    codes[np.isin(values, known)] = len(kept)
    hit = np.isin(values, kept)
    codes[hit] = np.searchsorted(kept, values[hit])
    return codes


def fitted(
    data: Encoded,
    truth: Array,
    holdout: Encoded,
    work: Task,
    *,
    seed: Seed,
    threads: int = 1,
    settings: Boosting = PUBLISHED,
) -> Array:
    """Train on the rows of `data` whose truth is known; predictions for all holdout rows: (n,) or (n, classes)."""
    known = ~np.isnan(truth)
    flat = not known.any() or len(np.unique(truth[known])) < 2
    if flat:
        level = float(truth[known][0]) if known.any() else 0.0
        return np.full((holdout.rows, work.classes) if work.classes > 2 else holdout.rows, level)
    inputs = boost.features(data, without=work.target).take(known)
    model = boost.train(inputs, truth[known], classes=work.classes, seed=seed, threads=threads, settings=settings)
    return boost.predict(model, boost.features(holdout, without=work.target), threads=threads)


def graded(predicted: Array, truth: Array, classes: int, *, least: int = 2) -> Estimate | None:
    """AUC, macro one-vs-rest AUC over classes of `least` rows or more, or R2; None if no class has so many."""
    if classes == 0:
        return r2(predicted, truth) if len(truth) >= least and np.ptp(truth) > 0 else None
    counts = np.bincount(truth.astype(np.int64), minlength=classes)
    fit = [c for c in range(classes) if least <= counts[c] <= len(truth) - least]
    if classes == 2:
        return auc(predicted, truth == 1) if len(fit) == 2 else None
    return mean([auc(predicted[:, c], truth == c) for c in fit]) if fit else None


def utility(
    real: Encoded,
    made: Encoded,
    holdout: Encoded | None,
    target: str,
    *,
    seed: Seed,
    threads: int = 1,
    limits: Limits = DEFAULT,
) -> Score:
    """`utility`: train on made rows, test on real holdout rows; the reference trains on real rows, tested alike.

    AUC, macro one-vs-rest AUC or R2. The interval is the value's own over holdout rows; `detail` has the interval of
    the paired difference to the reference, which decides. A few extreme values can decide an R2: where a model does no
    better than the mean, models of the target's ranks are told beside it, and decide if it is the model of real rows.
    """
    why, subject = _unable(real, holdout, target, limits), (target,)
    if why or holdout is None:
        return Score("utility", None, better="higher", subject=subject, why=why)
    work = task({"real": real, "made": made, "holdout": holdout}, target)
    rows = int((~np.isnan(work.truth["holdout"])).sum())

    def both(work: Task) -> tuple[Estimate, Estimate]:
        test = np.flatnonzero(~np.isnan(work.truth["holdout"]))
        truth, untouched = work.truth["holdout"][test], holdout.take(test)
        grades = []
        for data, side in ((made, "made"), (real, "real")):
            predicted = fitted(data, work.truth[side], untouched, work, seed=seed.child(side), threads=threads)
            grades.append(graded(predicted, truth, work.classes, least=limits.min_positives))
        assert grades[0] is not None
        assert grades[1] is not None
        return grades[0].of_people(untouched.person), grades[1].of_people(untouched.person)

    raw = both(work)
    score = _utility_score(work, *raw, rows=rows, limits=limits)
    if work.classes or (not _useless(work, raw[1]) and raw[0].value >= 0):
        return score
    ranks = both(_ranked(work))
    return _beside_ranks(score, work, raw, ranks, rows=rows, limits=limits)


def _useless(work: Task, on_real: Estimate) -> bool:
    """Whether the model that learnt from real rows predicts no better than guessing or the mean."""
    return on_real.value - Z95 * on_real.se <= (0.5 if work.classes else 0.0)


def _beside_ranks(score: Score, work: Task, raw: Pair, ranks: Pair, *, rows: int, limits: Limits) -> Score:
    """A score by R2 in which somebody does worse than the mean, with that of ranks beside it or in its place."""
    told = [f"{one.value:,.3g}".replace("-", "−") for one in (*raw, *ranks)]
    on_ranks = {"made": ranks[0].value, "real": ranks[1].value}
    if not _useless(work, raw[1]):
        why = (
            f"R² on made rows is {told[0]}: worse than always guessing the mean. A few extreme values can decide that; "
            f"of the target's ranks made rows explain {told[2]}, real rows {told[3]}."
        )
        return replace(score, why=why, detail={**score.detail, "ranks": on_ranks})
    if _useless(work, ranks[1]):
        return replace(score, detail={**score.detail, "ranks": on_ranks})
    by_rank = _utility_score(work, *ranks, rows=rows, limits=limits)
    why = (
        f"R² is {told[1]} for real rows and {told[0]} for made rows: a few extreme values decide it (below 0 it is "
        "worse than always guessing the mean). So the target's ranks are judged."
    )
    detail = {**by_rank.detail, "measure": "R2 of ranks", "r2": {"made": raw[0].value, "real": raw[1].value}}
    return replace(by_rank, why=why, detail=detail)


def _utility_score(work: Task, on_made: Estimate, on_real: Estimate, *, rows: int, limits: Limits) -> Score:
    gap = on_made.minus(on_real)
    gap_low, gap_high = gap.interval()
    skill = on_real.value - (0.5 if work.classes else 0.0)
    low, high = on_made.interval()
    useless = _useless(work, on_real)
    passed = (
        None if useless else gap_high >= -limits.utility_loss * skill and gap.value >= -limits.utility_worst * skill
    )
    allowed = _allowed(on_real.value, skill, limits.utility_loss, limits.utility_worst)
    why = "Real rows themselves do not predict this target, so there is nothing to keep." if useless else ""
    advice = "Made rows train a weaker model; see the worst pairs with the target."
    return Score(
        "utility", on_made.value, low, min(high, 1.0), rows, "higher", on_real.value,
        "the same model trained on the real rows", (work.target,), passed, why,
        advice="" if passed is not False else advice,
        detail={
            "measure": work.measure, "classes": list(work.labels), "difference": gap.value, "difference_low": gap_low,
            "difference_high": gap_high, "interval_of": "value",
        },
        allowed="" if useless else allowed,
    )  # fmt: skip


def _allowed(real: float, skill: float, loss: float, worst: float) -> str:
    return (
        f"from {figure(real - loss * skill)}, or less by chance alone, and never under {figure(real - worst * skill)}"
    )


def _unable(real: Encoded, holdout: Encoded | None, target: str, limits: Limits) -> str:
    if holdout is None:
        return "no holdout rows were given to test on; split them off before fitting"
    if holdout.rows < limits.min_rows:
        return f"only {count(holdout.rows, 'holdout row')}; a test needs {limits.min_rows}"
    if len(real.columns) < 2:
        return "the table has one column, so there is nothing to predict the target from"
    work = task({"real": real, "holdout": holdout}, target)
    truth = work.truth["holdout"][~np.isnan(work.truth["holdout"])]
    if work.classes == 0:
        if len(truth) < limits.min_rows or np.ptp(truth) == 0:
            return f'target "{target}" has {count(len(truth), "holdout value")}, or only one value; R2 needs more'
        return ""
    counts = np.bincount(truth.astype(np.int64), minlength=max(work.classes, 2))
    enough = np.flatnonzero((counts >= limits.min_positives) & (counts <= len(truth) - limits.min_positives))
    if work.classes == 1 or len(enough) < (2 if work.classes == 2 else 1):
        rare = int(np.argmin(counts[: max(work.classes, 1)]))
        return (
            f'target "{target}": only {count(int(counts[rare]), "holdout row")} of class "{work.labels[rare]}" beside '
            f"{count(int(len(truth) - counts[rare]), 'other')}; an AUC needs {limits.min_positives}; hold out more"
        )
    return ""


def global_utility(
    real: Encoded,
    made: Encoded,
    holdout: Encoded | None,
    *,
    seed: Seed,
    threads: int = 1,
    limits: Limits = DEFAULT,
    progress: Progress = quiet,
) -> Score:
    """`global_utility`: each column in turn predicted from the rest; the mean skill of training on made rows.

    Skill is 2 AUC - 1 (macro over the three commonest classes and the rest) or the R2 of the column's rank among real
    rows. Capped: 20 random columns, 5,000 rows a side, small models. Source: TabStruct (arXiv 2509.11950), adapted.
    """
    name = "global_utility"
    if holdout is None or holdout.rows < limits.min_rows or len(real.columns) < 2:
        why = "fewer than two columns" if holdout is not None and holdout.rows >= limits.min_rows else ""
        return Score(name, None, better="higher", why=why or "too few holdout rows, or none, to test on")
    rows = min(QUICK_ROWS, real.rows, made.rows)
    sides = {
        "real": cut(real, rows, seed.child("real").numpy()),
        "made": cut(made, rows, seed.child("made").numpy()),
        "holdout": cut(holdout, QUICK_ROWS, seed.child("holdout").numpy()),
    }
    names = list(real.columns)
    chosen = [names[j] for j in np.sort(seed.child("columns").numpy().permutation(len(names))[:QUICK_COLUMNS])]
    found: dict[str, tuple[Estimate, Estimate]] = {}
    for k, target in enumerate(chosen):
        progress(f"predicting {target}", k / len(chosen))
        pair = _skills(sides, target, seed=seed.child(target), threads=threads, limits=limits)
        if pair is not None:
            found[target] = pair
    if not found:
        return Score(
            name, None, better="higher", why="no column has enough holdout rows of two classes to be predicted"
        )
    return _global_score(found, sides["holdout"].rows, limits)


def _skills(
    sides: Mapping[str, Encoded], target: str, *, seed: Seed, threads: int, limits: Limits
) -> tuple[Estimate, Estimate] | None:
    work = _ranked(task(sides, target, most_classes=QUICK_CLASSES + 1))
    truth = work.truth["holdout"]
    known = ~np.isnan(truth)
    if work.classes == 1 or known.sum() < limits.min_rows:
        return None
    grades = []
    for side in ("made", "real"):
        predicted = fitted(
            sides[side], work.truth[side], sides["holdout"], work, seed=seed, threads=threads, settings=QUICK
        )
        grade = graded(predicted[known], truth[known], work.classes, least=limits.min_positives)
        if grade is None:
            return None
        # Rows without the truth carry no influence; the others carry theirs times n / known, so that the mean holds.
        scale = 2.0 if work.classes else 1.0
        spread = np.zeros(len(truth))
        spread[known] = grade.influence * scale * len(truth) / known.sum()
        skill = Estimate(2 * grade.value - 1 if work.classes else grade.value, spread)
        grades.append(skill.of_people(sides["holdout"].person))
    return grades[0], grades[1]


def _ranked(work: Task) -> Task:
    """Numbers as their rank in 0..1 among real rows, so that R2 does not hang on a few extremes."""
    if work.classes:
        return work
    real = work.truth["real"]
    known = real[~np.isnan(real)]
    values, first = np.unique(known, return_index=True)
    ranks = (average_ranks(known)[first] - 0.5) / len(known)
    return Task(work.target, 0, {side: np.interp(v, values, ranks) for side, v in work.truth.items()})


def _global_score(found: Mapping[str, tuple[Estimate, Estimate]], rows: int, limits: Limits) -> Score:
    on_made, on_real = (mean([pair[i] for pair in found.values()]) for i in (0, 1))
    gap = on_made.minus(on_real)
    gap_low, gap_high = gap.interval()
    low, high = on_made.interval()
    useless = on_real.value - Z95 * on_real.se <= 0
    skill = on_real.value
    passed = None if useless else gap_high >= -limits.global_loss * skill and gap.value >= -limits.utility_worst * skill
    worst = sorted(found, key=lambda name: found[name][0].value - found[name][1].value)
    advice = f"Columns least predictable from made rows: {', '.join(worst[:3])}."
    return Score(
        "global_utility", on_made.value, low, min(high, 1.0), rows, "higher", on_real.value,
        "the same models trained on equally many real rows", (), passed,
        "Real columns do not predict one another, so there is nothing to keep." if useless else "",
        "" if passed is not False else advice,
        {
            "difference": gap.value, "difference_low": gap_low, "difference_high": gap_high, "interval_of": "value",
            "columns": {name: {"made": pair[0].value, "real": pair[1].value} for name, pair in found.items()},
        },
        "" if useless else _allowed(on_real.value, skill, limits.global_loss, limits.utility_worst),
    )  # fmt: skip
