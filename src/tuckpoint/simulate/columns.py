"""Between the codes of a table and the plain numbers of a simulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tuckpoint.errors import InputError, did_you_mean
from tuckpoint.simulate.contract import Simulator
from tuckpoint.table.engine import Array, Encoded, Field

TRUTHS = {"false": 0.0, "true": 1.0}


@dataclass(frozen=True)
class Observed:
    """Real rows that a simulator can be held against: inputs and outputs (n,) by name, whose rows they are (n,), and
    their positions (n,) in the table that they are from.
    """

    inputs: Mapping[str, Array]
    outputs: Mapping[str, Array]
    groups: Array
    rows: Array

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self.rows)

    def take(self, places: Array) -> Observed:
        """The rows at these places, or where the mask is true."""
        return replace(
            self,
            inputs={name: column[places] for name, column in self.inputs.items()},
            outputs={name: column[places] for name, column in self.outputs.items()},
            groups=self.groups[places],
            rows=self.rows[places],
        )


def observed(simulator: Simulator, data: Encoded) -> Observed:
    """The rows (n,) whose inputs lie where the simulator is declared for and whose outputs are known.

    Raises InputError for a column that the table does not have, or that holds no numbers, and if no row is left.
    """
    known = {field.name for field in data.fields}
    for what, names in (("input", simulator.inputs), ("output", simulator.outputs)):
        for name in names:
            if name not in known:
                raise InputError(
                    f'{what} "{name}" of {simulator.name} is no column of the real table{did_you_mean(name, known)}; '
                    "name inputs and outputs as the columns are named"
                )
    inputs = {name: numbers(data, name) for name in simulator.inputs}
    outputs = {name: numbers(data, name) for name in simulator.outputs}
    kept = ~simulator.outside(inputs) & ~np.any([np.isnan(column) for column in outputs.values()], axis=0)
    if not kept.any():
        raise InputError(
            f"no real row has all inputs within the ranges that {simulator.name} declares ({_ranges(simulator)}) and "
            "known outputs; mend the ranges, or the units of the columns"
        )
    groups = np.arange(data.rows) if data.person is None else data.person
    return Observed(inputs, outputs, groups, np.arange(data.rows)).take(np.flatnonzero(kept))


def numbers(data: Encoded, name: str) -> Array:
    """A column as float64 (n,), NaN where missing; truth values are 0 and 1, and levels that spell numbers are those.

    Raises InputError for a column of other levels.
    """
    field, column = data.field(name), data.columns[name]
    if field.numeric:
        return np.asarray(column, np.float64)
    return np.append(_levels(field), np.nan)[column]


def column_of(values: Array, field: Field) -> Array:
    """Numbers (n,) as the column of a table holds them: rounded to its decimals, or the code of the nearest level."""
    if field.numeric:
        return np.asarray(np.round(values, field.decimals))
    levels = _levels(field)
    nearest = np.abs(np.asarray(values)[:, None] - levels[None, :]).argmin(axis=1)  # (n,) of (n, levels)
    return np.asarray(nearest, np.int32)


def _levels(field: Field) -> Array:
    try:
        return np.array([TRUTHS[level] if level in TRUTHS else float(level) for level in field.levels or ()])
    except ValueError:
        raise InputError(
            f'column "{field.name}" holds words ({", ".join((field.levels or ())[:4])}), and a simulator takes and '
            "gives numbers; add a column that says them as numbers"
        ) from None


def _ranges(simulator: Simulator) -> str:
    return ", ".join(f"{name} {r.low:g}..{r.high:g} {r.unit}".rstrip() for name, r in simulator.inputs.items())
