"""A learnt column as JSON values and arrays, and back: what does not fit together is refused, not followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.table import kernel
from tuckpoint.table.boosting import FOLDS, Boost
from tuckpoint.table.cells import Cells
from tuckpoint.table.conditional import Conditional
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.formula import Formula
from tuckpoint.table.never import Never

Array = NDArray[Any]


def told(column: Conditional) -> tuple[dict[str, Any], dict[str, Array]]:
    """A learnt column as JSON values and arrays."""
    arrays: dict[str, Array] = {}
    values: dict[str, Any] = {"features": list(column.features), "low": column.low, "high": column.high}
    values["follows"] = column.rests is not None
    for kind, boost in (("head", column.head), ("mean", column.mean)):
        if boost is None:
            continue
        values[kind] = len(boost.models)
        for k, (model, maps) in enumerate(zip(boost.models, boost.maps, strict=True)):
            for item in fields(kernel.Boosted):
                arrays[f"{kind}.{k}.{item.name}"] = getattr(model, item.name)
            arrays[f"{kind}.{k}.sizes"] = np.array([len(mapping) for mapping in maps], np.int64)
            arrays[f"{kind}.{k}.maps"] = np.concatenate([*maps, np.zeros(0, np.uint8)])
    if column.never is not None:
        values["never"], masks = column.never.told()
        arrays.update(masks)
    if column.forest is not None:
        for item in fields(kernel.Forest):
            array = getattr(column.forest, item.name)
            if item.name == "nodes":
                array = array.view(np.uint16).reshape(-1, 4)
            arrays[f"forest.{item.name}"] = array
    if column.out_of_fold is not None:
        arrays["out_of_fold"] = column.out_of_fold
    return values, arrays


def heard(
    values: Mapping[str, Any], arrays: Mapping[str, Array], field: Field, before: Sequence[Field], real: Encoded
) -> Conditional:
    """The column of this field that `told` told; `before` are the fields drawn before it, `real` the real rows.

    What its formula leaves is not stored: whoever holds the real rows puts it back.
    Raises KeyError, TypeError or ValueError for what `told` never tells.
    """
    if not isinstance(values["follows"], bool):
        raise ValueError("a column follows a formula or does not")
    known = {item.name: item for item in before}
    given = [known[name] for name in values["features"]]
    rows, own = real.rows, real.columns[field.name]
    levels = len(np.unique(own[~np.isnan(own)])) if field.levels is None else len(field.levels)
    head = _boost(values, arrays, "head", 1, len(given))
    mean = _boost(values, arrays, "mean", FOLDS, len(given))
    if head is not None and head.models[0].outputs not in ({1, 3} if levels == 2 else {levels + 1}):
        raise ValueError("a head does not fit the levels of its column")
    if mean is not None and any(model.outputs != 1 for model in mean.models):
        raise ValueError("a mean is more than one number")
    out_of_fold = arrays.get("out_of_fold")
    if (out_of_fold is None) != (mean is None):
        raise ValueError("a mean and its out-of-fold predictions belong together")
    if out_of_fold is not None and (out_of_fold.dtype != np.float32 or out_of_fold.shape != (rows,)):
        raise ValueError("the out-of-fold predictions do not fit the real rows")
    forest = _forest(arrays, [*(not item.numeric for item in given), *([False] if mean else [])], rows)
    if (forest is None) == (head is None):
        raise ValueError("a column has either a forest or a head")
    low, high = float(values["low"]), float(values["high"])
    plain = None if out_of_fold is None else np.ascontiguousarray(out_of_fold)
    never = None
    if head is not None and "never" in values:
        never = Never.heard(values["never"], arrays, len(given), head)
    return Conditional(tuple(values["features"]), head, forest, mean, plain, low, high, never=never)


def formulas(entries: Sequence[Mapping[str, Any]], fields: Sequence[Field]) -> tuple[Formula, ...]:
    """The formulas as they were saved; raises KeyError, TypeError or ValueError for what cannot be one."""
    numeric = {item.name for item in fields if item.numeric}
    made = []
    for entry in entries:
        weights, middles = (tuple(map(float, entry[name])) for name in ("weights", "middles"))
        offset, low, high = (float(entry[name]) for name in ("offset", "low", "high"))
        parents, logarithm = tuple(entry["parents"]), bool(entry["logarithm"])
        cells = entry.get("cells")
        parted = None if cells is None else Cells(tuple(cells["groups"]), tuple(map(tuple, cells["values"])))
        offsets = tuple(map(float, entry.get("offsets", ())))
        formula = Formula(entry["column"], parents, weights, middles, offset, logarithm, low, high, parted, offsets)
        if parted is not None and not _cells_fit(parted, offsets, formula, {item.name for item in fields}):
            raise ValueError("the cells of a formula do not fit it")
        if not {formula.column, *formula.parents} <= numeric or formula.column in formula.parents:
            raise ValueError("a formula holds for numbers in other numbers")
        if not len(formula.parents) == len(formula.weights) == len(formula.middles):
            raise ValueError("a formula has a weight and a middle for each parent")
        if not np.isfinite([*weights, *middles, offset, low, high, *offsets]).all():
            raise ValueError("a formula is made of finite numbers")
        made.append(formula)
    return tuple(made)


def _cells_fit(cells: Cells, offsets: tuple[float, ...], formula: Formula, names: set[str]) -> bool:
    """Whether cells are of columns that are there and not the formula's own, of sorted values, each with an offset."""
    good = all(len(known) and np.isfinite(known).all() and (np.diff(known) > 0).all() for known in cells.values)
    told = set(cells.groups) <= names and formula.column not in cells.groups
    return bool(good and told and len(cells.groups) == len(cells.values) and cells.count == len(offsets))


def check_real(real: Encoded) -> None:
    """Raise ValueError if the real rows that leaves point to are not columns of one length, with codes of levels."""
    for item in real.fields:
        values = real.columns[item.name]
        if values.shape != (real.rows,) or values.dtype != (np.float64 if item.numeric else np.int32):
            raise ValueError(f"the real rows of {item.name!r} do not fit")
        if not item.numeric and len(values) and not -1 <= values.min() <= values.max() < len(item.levels or ()):
            raise ValueError(f"the real rows of {item.name!r} hold levels that are not there")
    if real.person is not None and (real.person.shape != (real.rows,) or (real.person < 0).any()):
        raise ValueError("the people of the real rows do not fit")


def _boost(
    values: Mapping[str, Any], arrays: Mapping[str, Array], kind: str, models: int, features: int
) -> Boost | None:
    if kind not in values:
        return None
    if values[kind] != models:
        raise ValueError(f"a {kind} has {models} models, not {values[kind]!r}")
    made, maps = [], []
    for k in range(models):
        parts = {item.name: np.ascontiguousarray(arrays[f"{kind}.{k}.{item.name}"]) for item in fields(kernel.Boosted)}
        made.append(kernel.Boosted(**parts))
        kernel.check_boosted(made[-1], features=features)
        sizes, flat = arrays[f"{kind}.{k}.sizes"], arrays[f"{kind}.{k}.maps"]
        if len(sizes) != features or (sizes < 1).any() or sizes.sum() != len(flat) or flat.dtype != np.uint8:
            raise ValueError(f"the bins of a {kind} do not fit its features")
        maps.append(tuple(np.ascontiguousarray(part) for part in np.split(flat, np.cumsum(sizes)[:-1])))
    return Boost(tuple(made), tuple(maps))


def _forest(arrays: Mapping[str, Array], categorical: Sequence[bool], rows: int) -> kernel.Forest | None:
    if "forest.nodes" not in arrays:
        return None
    parts = {item.name: np.ascontiguousarray(arrays[f"forest.{item.name}"]) for item in fields(kernel.Forest)}
    parts["nodes"] = parts["nodes"].view(kernel.NODE).reshape(-1)
    forest = kernel.Forest(**parts)
    kernel.check_forest(forest, categorical=categorical, rows=rows)
    return forest
