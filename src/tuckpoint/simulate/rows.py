"""Rows of a calibrated simulator in a slice: calibrate, guard, place, simulate; each row tells where it comes from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError, ShortSample
from tuckpoint.measure.boost import Boosting
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.simulate import places
from tuckpoint.simulate.calibrate import FEW_VALUES, Calibration, Posterior, calibrate
from tuckpoint.simulate.columns import Observed, column_of, numbers, observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.simulate.guard import ALLOWED, Guard, guard
from tuckpoint.simulate.support import discrepancy, support
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded

PARAMETERS, DISTANCE, DISCREPANCY, EXTRAPOLATED = "_parameters", "_distance", "_discrepancy", "_extrapolated"


@dataclass(frozen=True)
class Request:
    """How rows are made: the calibration, where inputs come from, and how strict the guard is.

    `inputs` is `stretched` (real rows moved into the slice), `engine` (an engine's conditional) or `reference` (rows of
    a table that is given). `learner` is the data-only model of the guard.
    """

    calibration: Calibration = field(default_factory=Calibration)
    inputs: places.Origin = "stretched"
    engine: str = "trees"
    allowed: float = ALLOWED
    learner: Boosting = field(default_factory=Boosting)

    def __post_init__(self) -> None:
        if not 0 < self.allowed <= 10:
            raise InputError(f"allowed is {self.allowed}; give how many times the data-only error is let pass, as 1.1")


@dataclass(frozen=True)
class Batch:
    """What came of it: rows, or none and `why`; weights (n,) that fall with the discrepancy; posterior and guard."""

    table: pa.Table | None
    why: str
    weights: Array | None
    guard: Guard
    real: Observed
    posterior: Posterior | None = None
    extrapolated: float = 0.0
    discrepancy: Mapping[str, float] = field(default_factory=dict)


def make(
    simulator: Simulator, train: pa.Table, schema: Schema, *,
    rows: int, where: str | None, seed: Seed, request: Request, reference: pa.Table | None = None,
) -> Batch:  # fmt: skip
    """Rows in the slice `where`, made by the simulator calibrated to `train`; none if the guard refuses it.

    Raises InputError for columns, a condition or a reference that do not fit the simulator.
    """
    data = encode(train, schema)
    real = observed(simulator, data)
    slice_ = places.condition(where, data, schema, simulator)
    at = seed.child("places")
    try:
        if request.inputs == "reference":
            if reference is None:
                raise InputError("inputs: reference needs a table; name it, or take inputs: stretched")
            wanted = places.referred(data, slice_, simulator, reference, schema, rows=rows, seed=at)
        elif request.inputs == "engine":
            wanted = places.conditional(train, schema, data, where, engine=request.engine, rows=rows, seed=at)
        else:
            wanted = places.stretched(data, slice_, simulator, rows=rows, seed=at)
    except ShortSample as error:
        none = Guard(0, real.size, {}, {}, "not asked")
        return Batch(None, f"engine {request.engine} draws no inputs there: {error}", None, none, real)
    judged = guard(
        simulator, real, data, slice_, wanted, seed=seed.child("guard"), how=request.calibration,
        learner=request.learner, allowed=request.allowed,
    )  # fmt: skip
    if not judged.admitted:
        return Batch(None, f"the edge guard refuses {simulator.name}: {judged.why}", None, judged, real)
    posterior = calibrate(simulator, real, seed.child("calibrate"), request.calibration)
    return _filled(simulator, posterior, real, wanted, schema, judged=judged, seed=seed.child("fill"))


def _filled(
    simulator: Simulator, posterior: Posterior, real: Observed, wanted: Encoded, schema: Schema, *,
    judged: Guard, seed: Seed,
) -> Batch:  # fmt: skip
    """The wanted rows with simulated outputs, and with the columns that tell of each."""
    inputs = {name: numbers(wanted, name) for name in simulator.inputs}
    base = support(real.inputs, seed.child("support"))
    draw = seed.child("draw").numpy().integers(0, len(posterior.draws), wanted.rows)
    like = seed.child("noise").numpy().integers(0, real.size, wanted.rows)  # rows whose residuals are lent
    columns, spread, lost = dict(wanted.columns), dict[str, Array](), np.zeros(wanted.rows)
    for name, values in _simulated(simulator, posterior, inputs, draw, seed.child("simulate")).items():
        residuals = posterior.residuals[name]
        gap = discrepancy(base, real.inputs, residuals, seed.child("discrepancy", name))
        shift, spread[name] = gap.at(inputs)
        if not posterior.random and len(np.unique(real.outputs[name])) > FEW_VALUES:
            values = values + shift + (residuals - gap.at(real.inputs)[0])[like]
        lost = np.maximum(lost, spread[name] / (float(np.std(residuals)) or 1.0))
        there = simulator.outputs[name]
        columns[name] = column_of(np.clip(values, there.low, there.high), wanted.field(name))
    table = places.as_table(Encoded(wanted.fields, columns), schema, seed=seed.child("fresh"))
    beyond = base.beyond(inputs)
    told = [json.dumps({"draw": k, **posterior.at(k)}) for k in range(len(posterior.draws))]
    table = table.append_column(PARAMETERS, pa.array(told, pa.string()).take(pa.array(draw)))
    table = table.append_column(DISTANCE, pa.array(base.distance(inputs)))
    for name, values in spread.items():
        table = table.append_column(DISCREPANCY if len(spread) == 1 else f"{DISCREPANCY}_{name}", pa.array(values))
    table = table.append_column(EXTRAPOLATED, pa.array(beyond))
    means = {name: float(values.mean()) for name, values in spread.items()}
    return Batch(table, "", 1 / (1 + lost**2), judged, real, posterior, float(beyond.mean()), means)


def _simulated(
    simulator: Simulator, posterior: Posterior, inputs: Mapping[str, Array], draw: Array, seed: Seed
) -> dict[str, Array]:
    """Outputs (n,) of each row at its own draw of the parameters."""
    out = {name: np.empty(len(draw)) for name in simulator.outputs}
    for k in np.unique(draw):
        mine = np.flatnonzero(draw == k)
        told = simulator.run(
            posterior.at(int(k)), {n: column[mine] for n, column in inputs.items()}, seed.child(int(k))
        )
        for name, values in told.items():
            out[name][mine] = values
    return out
