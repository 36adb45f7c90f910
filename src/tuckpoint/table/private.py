"""What private engines do alike: check their settings, bound each person's rows, open the account, tell the promise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from tuckpoint.errors import InputError, PrivacyError
from tuckpoint.privacy.account import Account, rho_of
from tuckpoint.table.contribution import bounded, rows_of_unit, unit_in_words
from tuckpoint.table.counting import Singles, check_public
from tuckpoint.table.decomposable import DecomposableModel, Node
from tuckpoint.table.engine import Context, Encoded, Guarantee, PrivateEngine

WHOLE: Mapping[str, tuple[int, int]] = {"rows_per_person": (1, 10**6), "bins": (2, 64), "cells": (2, 4096)}


class Counter(Protocol):
    """One fit: counts with noise, and makes the nodes of a model from the counts."""

    singles: Singles

    def nodes(self) -> tuple[Node, ...]:
        """The columns, each after those that it hangs on."""
        ...


def check_settings(engine: PrivateEngine, **whole: tuple[int, int]) -> None:
    """Raise PrivacyError for a promise that cannot be kept, InputError for a number outside its range.

    `whole` are further settings that must be whole numbers, each with the least and the largest.
    """
    rho_of(engine.epsilon, engine.delta)
    if engine.unit not in ("person", "row"):
        raise PrivacyError(f"unit {engine.unit!r}: use person or row")
    for name, (low, high) in {**WHOLE, **whole}.items():
        value = getattr(engine, name)
        if not isinstance(value, int) or not low <= value <= high:
            raise InputError(f"{name} is {value!r}; use a whole number in {low}..{high}")


def fit(
    engine: PrivateEngine,
    real: Encoded,
    context: Context,
    begin: Callable[[Encoded, int, Account], Counter],
    *,
    cells: int,
    mechanism: str,
) -> DecomposableModel:
    """The model that a counter makes of the rows that are kept, and what the account says was spent on it.

    `begin` takes these rows, how many of them one unit can add or remove, and the account. Raises PrivacyError if a
    domain was read off the data.
    """
    check_public(engine.name, real.fields)
    account = Account.open(engine.epsilon, engine.delta) if context.account is None else context.account
    kept = real if engine.unit == "row" else bounded(real, engine.rows_per_person)
    most = rows_of_unit(real, engine.unit, engine.rows_per_person)
    context.progress("counting with noise", 0.1)
    counter = begin(kept, most, account)
    nodes = counter.nodes() if real.fields else ()
    context.progress("counting with noise", 1.0)
    rows, cells = (round(counter.singles.total), counter.singles.cells) if real.fields else (None, cells)
    guarantee = Guarantee.of(account, unit=unit_in_words(engine.unit, most), mechanism=mechanism, rows=rows)
    return DecomposableModel(engine.name, real.fields, nodes, cells, guarantee)
