"""Rows beside the real ones: from sources that learn from the training rows at hand alone, and the cheap baselines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError
from tuckpoint.measure import boost
from tuckpoint.measure.boost import Features
from tuckpoint.prove import ridge
from tuckpoint.prove.plan import Source
from tuckpoint.prove.ridge import Ridge, RidgeModel, Sums
from tuckpoint.prove.source import Made, Task
from tuckpoint.prove.study import Study
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array, Encoded


@dataclass(frozen=True)
class Block:
    """Rows to train on: inputs, truth (n,), weights (n,); for made rows also their codes.

    `sums` are what the learner ridge needs of them, if that was reckoned before; they stand for any total weight.
    """

    inputs: Features
    truth: Array
    weights: Array
    rows: Encoded | None = None
    sums: Sums | None = None

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.truth)

    def first(self, rows: int) -> Block:
        """The first rows."""
        return self if rows >= self.size else self.take(np.arange(rows))

    def take(self, kept: Array) -> Block:
        """The rows at these positions."""
        part = None if self.rows is None else self.rows.take(kept)
        return Block(self.inputs.take(kept), self.truth[kept], self.weights[kept], part)

    def weighing(self, total: float) -> Block:
        """The same rows weighing so much together."""
        return replace(self, weights=self.weights * (total / self.weights.sum()))


@dataclass(frozen=True)
class Batch:
    """What one fit of a source gave: a block, or none and why, and figures of the fit."""

    block: Block | None
    why: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)


def real(study: Study, rows: Array) -> Block:
    """Real rows at these positions, each of weight 1."""
    return Block(study.inputs.take(rows), study.truth[rows], np.ones(len(rows)))


def made(study: Study, source: Source, rows: Array, seed: Seed, *, finished: Mapping[str, Batch], most: float) -> Batch:
    """Rows of a source, `most` per real row, all that it learns learnt anew from the real rows at these positions.

    `finished` holds the rows of sources that learn nothing, or are files: if more than enough, in an order by chance.
    """
    wanted = max(1, round(most * len(rows)))
    if source.name in finished:
        whole = finished[source.name]
        if whole.block is None or whole.block.size <= wanted:
            return whole
        return replace(whole, block=whole.block.take(seed.child("order").numpy().permutation(whole.block.size)))
    train = study.table.take(pa.array(rows))
    return whole_block(
        study, source.maker().make(Task(train, study.schema, study.plan.target, wanted, source.where, seed))
    )


def once(study: Study, source: Source) -> Batch:
    """All rows of a source that learns nothing from real ones: it sees the names of their columns and levels."""
    seed = Seed(study.plan.seed).child("prove", "once", source.name)
    task = Task(study.table, study.schema, study.plan.target, len(study.truth), source.where, seed)
    return whole_block(study, source.maker().make(task))


def whole_block(study: Study, done: Made) -> Batch:
    """What was made as a block to train on."""
    if done.table is None:
        return Batch(None, done.why, done.facts)
    inputs, truth, codes, known = study.made(done.table)
    if not len(truth):
        return Batch(None, f"no made row has a known {study.plan.target}", done.facts)
    weights = np.ones(len(truth)) if done.weights is None else np.asarray(done.weights, float)[known]
    ready = None
    if isinstance(study.plan.learner, Ridge):
        ready = ridge.sums(inputs.values, truth, weights, study.outcome.classes)
    return Batch(Block(inputs, truth, weights, codes, ready), "", done.facts)


def permuted(block: Block, seed: Seed) -> Block:
    """The same rows with their outcomes dealt out anew: they can teach nothing of the outcome."""
    return replace(block, truth=seed.numpy().permutation(block.truth), sums=None)


def duplicated(block: Block, rows: int, seed: Seed) -> Block:
    """Real rows once more, drawn with replacement: no information that was not there."""
    taken = seed.numpy().integers(0, block.size, rows)
    return Block(block.inputs.take(taken), block.truth[taken], np.ones(rows))


def reweighted(block: Block, classes: int) -> Block:
    """Baseline `reweight`: each class weighs the same in all."""
    counts = np.bincount(block.truth.astype(np.int64), minlength=classes)
    per_row = len(block.truth) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    return replace(block, weights=per_row[block.truth.astype(np.int64)])


def oversampled(block: Block, classes: int, seed: Seed) -> Block:
    """Baseline `oversample`: rows of rarer classes drawn again until all classes are as many."""
    counts = np.bincount(block.truth.astype(np.int64), minlength=classes)
    random = seed.numpy()
    more = [
        random.choice(np.flatnonzero(block.truth == c), counts.max() - n) for c, n in enumerate(counts) if n
    ]  # fmt: skip
    taken = np.concatenate([np.arange(block.size), *more]).astype(np.int64)
    return Block(block.inputs.take(taken), block.truth[taken], np.ones(len(taken)))


def trained(study: Study, blocks: list[Block], seed: Seed) -> object:
    """A model of the plan's learner on these blocks; with one outcome alone, that outcome."""
    truth = np.concatenate([block.truth for block in blocks])
    if len(np.unique(truth)) < 2:
        if not len(truth):
            raise InputError("no rows to train on; give more real rows")
        return float(truth[0])
    if isinstance(study.plan.learner, Ridge):
        return _ridge(study, blocks, study.plan.learner)
    values = np.concatenate([block.inputs.values for block in blocks])
    inputs = Features(blocks[0].inputs.names, values, blocks[0].inputs.categories)
    weights = np.concatenate([block.weights for block in blocks])
    return boost.train(
        inputs, truth, classes=study.outcome.classes, seed=seed, settings=study.plan.learner,
        weights=None if (weights == 1).all() else weights,
    )  # fmt: skip


def _ridge(study: Study, blocks: list[Block], settings: Ridge) -> RidgeModel:
    """Each block weighs what it weighs beside the first, in which every class weighs 1."""
    first, classes = blocks[0], study.outcome.classes
    held = [block.sums or ridge.sums(block.inputs.values, block.truth, block.weights, classes) for block in blocks]
    total = held[0]
    for block, one in zip(blocks[1:], held[1:], strict=True):
        total = total + one.times(float(block.weights.sum() / first.weights.sum()))
    own = np.bincount(first.truth.astype(np.int64), weights=first.weights, minlength=classes)
    weights = first.weights / own[first.truth.astype(np.int64)]
    return ridge.train(total, first.inputs.values, first.truth, weights, settings)


def predicted(study: Study, model: object, rows: Array) -> Array:
    """What a model says of real rows at these positions: probabilities (n,) or (n, classes), or numbers (n,)."""
    if isinstance(model, float):
        if study.outcome.classes > 2:
            flat = np.zeros((len(rows), study.outcome.classes))
            flat[:, int(model)] = 1.0
            return flat
        return np.full(len(rows), model)
    if isinstance(model, RidgeModel):
        told = model.predict(study.inputs.values[rows])
        return told[:, 1] if study.outcome.classes == 2 else told
    return boost.predict(model, study.inputs.take(rows))
