"""One outer resample: all that learns is fitted to its training rows alone, and each arm predicts rows it never saw."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.measure.intervals import Estimate
from tuckpoint.prove import controls, sources, splits
from tuckpoint.prove.metric import SIGN, estimate, measurable
from tuckpoint.prove.ridge import Ridge
from tuckpoint.prove.smote import smoted
from tuckpoint.prove.sources import Batch, Block
from tuckpoint.prove.study import Study
from tuckpoint.scale.shards import Job
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

REAL, MIXED, MADE, MORE = "real only", "real + made", "made only", "more real"
REWEIGHT, OVERSAMPLE, SMOTE = "reweight", "oversample", "SMOTE"
FORCED = "real + made, always"
WEIGHED = "real + made at weight "
PERMUTED, DUPLICATED = "permuted labels", "duplicated rows"
INNER_LEAST = 3  # rows of each class in an inner fold


@dataclass(frozen=True)
class Choice:
    """What inner folds chose: source, rows made per real row, and what all of them weigh beside all real ones.

    Weight 0 means none: `source` is then the first of the plan, for the controls alone.
    """

    source: str
    amount: float
    weight: float


@dataclass(frozen=True)
class Replicate:
    """What one outer resample found: predictions of each arm on the locked rows, and on the rows left out of training.

    `copies` holds what the copy detector saw by source, and in `planted` with a tenth of the made rows replaced by
    locked rows. `fits` counts the fits of each source, inner ones too, by why they gave no rows ("" where they did);
    `facts` are figures that the source told of its outer fit.
    """

    left_out: Array  # (k,) positions
    trained: int
    test: Mapping[str, Array]
    out: Mapping[str, Array]
    choice: Choice
    copies: Mapping[str, Any] = field(default_factory=dict)
    planted: Mapping[str, Any] = field(default_factory=dict)
    fits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    facts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def replicate(study: Study, number: int, finished: Mapping[str, Batch], items: int = 0) -> Replicate:
    """Do outer resample `number`; with `items` real groups of each class alone, and then no controls."""
    seed = Seed(study.plan.seed).child("prove", "outer", number)
    pool = study.lock.pool
    inside, outside = splits.resample(study.groups[pool], study.plan.folds, seed.child("split"))
    if items:
        inside = splits.few(study.groups[pool], study.truth[pool], items, seed.child("items"))
        outside = np.setdiff1d(np.arange(len(pool)), inside)
    rows, left_out = pool[inside], pool[outside]
    choice, fits = choose(study, rows, seed.child("inner"), finished)
    batches = _batches(study, rows, seed, finished, fits)
    blocks = {name: batch.block for name, batch in batches.items()}
    base = sources.real(study, rows)
    arms = _arms(study, base, blocks, choice, seed)
    if items:
        arms = {name: parts for name, parts in arms.items() if name in (REAL, MIXED, FORCED)}
    elif (block := blocks[choice.source]) is not None:
        block = block.first(round(choice.amount * base.size))
        arms |= {f"{WEIGHED}{weight:g}": [base, block.weighing(weight * base.size)] for weight in study.plan.weights}
    test: dict[str, Array] = {}
    out: dict[str, Array] = {}
    same = {MIXED: REAL if arms[MIXED] is arms[REAL] else None, FORCED: MIXED if choice.weight else None}
    same[f"{WEIGHED}{choice.weight or middle(study.plan.weights):g}"] = FORCED
    for name, parts in arms.items():
        if (twin := same.get(name)) is not None and twin in test:
            test[name], out[name] = test[twin], out[twin]
            continue
        model = sources.trained(study, parts, seed.child("learner"))
        test[name] = sources.predicted(study, model, study.lock.test)
        out[name] = sources.predicted(study, model, left_out)
    facts = {name: dict(batch.facts) for name, batch in batches.items()}
    if items:
        return Replicate(left_out, len(rows), test, out, choice, fits=fits, facts=facts)
    for name, kept in {MORE: study.lock.pool, **_curve(study, rows, seed)}.items():
        model = sources.trained(study, [sources.real(study, kept)], seed.child("learner"))
        test[name] = sources.predicted(study, model, study.lock.test)
    looked = {name: block for name, block in blocks.items() if block is not None}
    seen = {name: controls.look(study, block, rows, left_out) for name, block in looked.items()}
    planted = {
        name: controls.look(study, controls.plant(study, block, seed.child("plant", name)), rows, left_out)
        for name, block in looked.items()
    }
    return Replicate(left_out, len(rows), test, out, choice, seen, planted, fits, facts)


def _batches(
    study: Study, rows: Array, seed: Seed, finished: Mapping[str, Batch], fits: dict[str, Counter[str]]
) -> dict[str, Batch]:
    """The most that each source may be asked for, from these training rows; told of in `fits`."""
    most, done = max(study.plan.amounts), {}
    for source in study.plan.sources:
        at = seed.child("made", source.name)
        done[source.name] = sources.made(study, source, rows, at, finished=finished, most=most)
        fits.setdefault(source.name, Counter())[done[source.name].why] += 1
    return done


def _arms(
    study: Study, base: Block, blocks: Mapping[str, Block | None], choice: Choice, seed: Seed
) -> dict[str, list[Block]]:
    """The blocks that each arm trains on; an arm whose source made no rows is as real only."""
    only = [base]
    arms = {REAL: only, MIXED: only}
    classes = study.outcome.classes
    if classes and not isinstance(study.plan.learner, Ridge):  # which weighs classes alike as it is
        arms[REWEIGHT] = [sources.reweighted(base, classes)]
        arms[OVERSAMPLE] = [sources.oversampled(base, classes, seed.child("oversample"))]
        if (between := smoted(study, base, seed.child("smote"))) is not None:
            arms[SMOTE] = [between]
    block = blocks[choice.source]
    if block is None:
        return arms
    block = block.first(round(choice.amount * base.size))
    weight = choice.weight or middle(study.plan.weights)
    arms[FORCED] = [base, block.weighing(weight * base.size)]
    if choice.weight:
        arms[MIXED] = arms[FORCED]
    arms[MADE] = [block]
    shuffled = sources.permuted(block, seed.child("permute"))
    again = sources.duplicated(base, block.size, seed.child("duplicate"))
    arms[PERMUTED] = [base, shuffled.weighing(weight * base.size)]
    arms[DUPLICATED] = [base, again.weighing(weight * base.size)]
    return arms


def _curve(study: Study, rows: Array, seed: Seed) -> dict[str, Array]:
    """Real training rows for each point of the learning curve below all of them."""
    return {
        curve_name(share): rows[splits.some(study.groups[rows], share, seed.child("curve"))]
        for share in study.plan.curve
    }


def curve_name(share: float) -> str:
    """The arm that trains on a share of the real training rows."""
    return f"{REAL} x {share:g}"


def choose(
    study: Study, rows: Array, seed: Seed, finished: Mapping[str, Batch]
) -> tuple[Choice, dict[str, Counter[str]]]:
    """Source, amount and weight by grouped folds within the training rows, and how the fits of each source went.

    No made rows is always a candidate. Of the candidates within one standard error of the best, paired over rows, the
    one that gives made rows the least weight is taken (Breiman et al. 1984). Where images hold one group of a class
    nothing can be held out, and what the plan names first is taken, at the weight in its middle.
    """
    plan = study.plan
    grid = [(s, a, w) for w in plan.weights for s in plan.sources for a in plan.amounts]
    found: list[list[Estimate]] = [[] for _ in range(len(grid) + 1)]
    fits: dict[str, Counter[str]] = {}
    if study.pictures and study.outcome.classes:
        folds = splits.stratified(study.groups[rows], study.truth[rows], plan.folds.inner, seed.child("folds"))
    else:
        folds = splits.inner(study.groups[rows], plan.folds.inner, seed.child("folds"))
    for fold, (train, held) in enumerate(folds):
        at = seed.child(fold)
        judged = rows[held][study.sought[rows[held]]]
        judged = rows[held] if measurable(plan.metric, study.truth[judged], least=INNER_LEAST) else judged
        if measurable(plan.metric, study.truth[judged], least=INNER_LEAST):
            continue
        base = sources.real(study, rows[train])
        blocks = {name: batch.block for name, batch in _batches(study, rows[train], at, finished, fits).items()}
        for place, candidate in enumerate([None, *grid]):
            parts = [base]
            if candidate is not None and (block := blocks[candidate[0].name]) is not None:
                parts.append(block.first(round(candidate[1] * base.size)).weighing(candidate[2] * base.size))
            model = sources.trained(study, parts, at.child("learner"))
            told = sources.predicted(study, model, judged)
            found[place].append(estimate(plan.metric, told, study.truth[judged], rate=plan.false_positive_rate))
    if not found[0]:
        if study.pictures:
            return Choice(plan.sources[0].name, plan.amounts[0], middle(plan.weights)), fits
        return Choice(plan.sources[0].name, plan.amounts[0], 0.0), fits
    place = least_within_error([pooled(estimates) for estimates in found], SIGN[plan.metric])
    if place == 0:
        return Choice(plan.sources[0].name, plan.amounts[0], 0.0), fits
    source, amount, weight = grid[place - 1]
    return Choice(source.name, amount, weight), fits


def middle(weights: tuple[float, ...]) -> float:
    """The weight that is taken where none was chosen."""
    return weights[len(weights) // 2]


def pooled(folds: list[Estimate]) -> Estimate:
    """The mean over folds of other rows, each fold counting as its rows."""
    sizes = [len(fold.influence) for fold in folds]
    value = float(np.average([fold.value for fold in folds], weights=sizes))
    return Estimate(value, np.concatenate([fold.influence for fold in folds]))


def least_within_error(candidates: list[Estimate], sign: int) -> int:
    """Place of the first candidate, in order of growing weight, within one paired standard error of the best."""
    best = candidates[int(np.argmax([sign * c.value for c in candidates]))]
    for place, candidate in enumerate(candidates):
        behind = best.minus(candidate)
        if sign * behind.value <= behind.se:
            return place
    return len(candidates) - 1


def work(initial: tuple[Study, Mapping[str, Batch], int], job: Job, place: Path) -> int:
    """Do one outer resample and write what it found; runs in a worker."""
    study, finished, items = initial
    save(replicate(study, job.index, finished, items), place)
    return job.rows


def save(one: Replicate, place: Path) -> None:
    """Write a replicate as arrays and JSON."""
    arrays = {f"test/{name}": values for name, values in one.test.items()}
    arrays |= {f"out/{name}": values for name, values in one.out.items()}
    told = {
        "trained": one.trained, "choice": vars(one.choice), "copies": one.copies, "planted": one.planted,
        "fits": one.fits, "facts": one.facts,
    }  # fmt: skip
    with place.open("wb") as file:
        np.savez(file, left_out=one.left_out, told=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]


def load(place: Path) -> Replicate:
    """The replicate that `save` wrote."""
    with np.load(place) as held:
        told = json.loads(str(held["told"]))
        sides: dict[str, dict[str, Array]] = {"test": {}, "out": {}}
        for name in held.files:
            side, slash, arm = name.partition("/")
            if slash:
                sides[side][arm] = held[name]
        return Replicate(
            held["left_out"], told["trained"], sides["test"], sides["out"], Choice(**told["choice"]), told["copies"],
            told["planted"], told["fits"], told["facts"],
        )  # fmt: skip
