"""Classes of a target that no real row joins with some value of another column, though chance would have: not drawn.

Boosting stops where held-out rows gain no more, which is long before a share of next to nothing has become nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table import kernel
from tuckpoint.table.boosting import Boost
from tuckpoint.table.codes import Coded

Array = NDArray[Any]
EXPECTED = 15.0  # people who would join the two by chance, from which on that nobody does is none
CODES = 33  # of a column whose values are asked, missing among them
FAR = 80.0  # a score as good as certain
ROUNDS = 20  # in which the scores are shifted so that shares stay


@dataclass(frozen=True)
class Never:
    """`features` are places among those of the column, `masks` (codes, classes) which classes their codes exclude, and
    `shift` (outputs,) is added to the scores so that each class keeps its share.
    """

    features: tuple[int, ...]
    masks: tuple[NDArray[np.bool_], ...]
    shift: NDArray[np.float32]

    def applied(self, score: NDArray[np.float32], codes: Sequence[kernel.Codes]) -> NDArray[np.float32]:
        """Scores (outputs, rows) under which no class is drawn that a row's codes exclude, unless they exclude all."""
        score = score + self.shift[:, None]
        out = np.zeros((score.shape[1], self.masks[0].shape[1]), bool)
        for place, mask in zip(self.features, self.masks, strict=True):
            out |= mask[np.minimum(codes[place], len(mask) - 1)]
        if len(score) == 1:
            out = out[:, :2]
        out &= ~out.all(axis=1, keepdims=True)
        if len(score) > 1:
            return np.ascontiguousarray(np.where(out.T, np.float32(-FAR), score))
        return np.where(out[:, 1], -FAR, np.where(out[:, 0], FAR, score)).astype(np.float32)

    def told(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """As JSON values and arrays."""
        arrays: dict[str, Array] = {f"never.{i}": mask for i, mask in enumerate(self.masks)}
        return {"features": list(self.features), "shift": [float(one) for one in self.shift]}, arrays

    @classmethod
    def heard(cls, values: Mapping[str, Any], arrays: Mapping[str, Array], features: int, head: Boost) -> Self:
        """What `told` told of a column with so many features; raises KeyError, TypeError or ValueError for else."""
        places = tuple(int(place) for place in values["features"])
        masks = tuple(arrays[f"never.{i}"] for i in range(len(places)))
        shift, outputs = np.array(values["shift"], np.float32), head.models[0].outputs
        classes = 3 if outputs == 1 else outputs
        if not places or not all(0 <= place < features for place in places) or shift.shape != (outputs,):
            raise ValueError("classes that are never drawn do not fit their features")
        if any(m.dtype != np.bool_ or m.ndim != 2 or not len(m) or m.shape[1] != classes for m in masks):
            raise ValueError("classes that are never drawn do not fit their column")
        if not np.isfinite(shift).all():
            raise ValueError("a shift of scores is finite")
        return cls(places, masks, shift)


def find(label: Array, classes: int, given: Sequence[Coded], head: Boost, person: Array | None) -> Never | None:
    """The classes (n,) that values of the given columns exclude; None if there are none."""
    alike = 1.0 if person is None else len(np.unique(person)) / len(label)
    shares = np.bincount(label, minlength=classes) / len(label)
    features, masks = [], []
    for place, column in enumerate(given):
        if column.size > CODES:
            continue
        joined = np.bincount(column.code.astype(np.int64) * classes + label, minlength=column.size * classes)
        counts = joined.reshape(column.size, classes)
        mask = (counts == 0) & (counts.sum(axis=1, keepdims=True) * shares * alike >= EXPECTED)
        if mask.any():
            features.append(place)
            masks.append(mask)
    if not features:
        return None
    outputs = head.models[0].outputs
    never = Never(tuple(features), tuple(masks), np.zeros(outputs, np.float32))
    codes = [column.code for column in given]
    score = head.predict(codes, len(label), 0)
    wanted = shares[1:2] if outputs == 1 else shares
    for _ in range(ROUNDS):
        share = _chances(never.applied(score, codes)).mean(axis=1, dtype=np.float64)
        step = np.log(np.maximum(wanted, 1e-12) / np.maximum(share, 1e-12))
        if outputs == 1:
            step -= np.log(np.maximum(1 - wanted, 1e-12) / np.maximum(1 - share, 1e-12))
        step[wanted == 0] = 0
        never = Never(never.features, never.masks, (never.shift + step).astype(np.float32))
    return never


def _chances(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """The chance (outputs, rows) of each class, of the second of two where there is one score."""
    if len(score) == 1:
        return np.asarray(1 / (1 + np.exp(-score)))
    raised = np.exp(score - score.max(axis=0))
    return np.asarray(raised / raised.sum(axis=0))
