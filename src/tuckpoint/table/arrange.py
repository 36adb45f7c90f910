"""What is found out about a table before its columns are learnt: dependences, formulas, and the order to draw in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuckpoint.seed import Seed
from tuckpoint.table import order
from tuckpoint.table.codes import code_column
from tuckpoint.table.engine import Encoded
from tuckpoint.table.formula import Formula, find
from tuckpoint.table.protect import LEAST_PEOPLE
from tuckpoint.table.rule import Rule


@dataclass(frozen=True)
class Arrangement:
    """The order of columns, their mutual information (d, d) in nats, the formulas that some nearly follow, and the
    blocks that fix some of them.
    """

    sequence: tuple[str, ...]
    information: NDArray[Any]
    formulas: tuple[Formula, ...] = ()
    blocks: tuple[Rule, ...] = ()


def arrange(real: Encoded, target: str | None, fold: NDArray[np.uint8], features: int, seed: Seed) -> Arrangement:
    """Arrange the columns; the target comes last and follows no formula.

    `fold` (n,) halves the rows to judge orders on, `features` are those of a column at most.
    """
    names = tuple(item.name for item in real.fields)
    if not names:
        return Arrangement((), np.zeros((0, 0)))
    coded = {f.name: code_column(f, real.columns[f.name], atom_rows=LEAST_PEOPLE) for f in real.fields}
    information = order.dependence(coded, seed.child("order").numpy())
    crowded = order.crowded(coded)
    chain = order.order(names, information, target, crowded)
    formulas = find(coded, [name for name in chain if name != target], seed.child("formulas").numpy())
    last = crowded | (frozenset() if target is None else {target})
    orders = order.candidates(names, chain, coded, last)
    for formula in formulas:
        orders = [order.after_parents(each, formula.column, formula.needs) for each in orders]
    return Arrangement(order.best(list(dict.fromkeys(orders)), coded, fold, features), information, formulas)
