"""Rows of an event that a simulator reaches and data do not, each with its weight, and how likely the event is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from tuckpoint.errors import InputError
from tuckpoint.seed import Seed
from tuckpoint.simulate.calibrate import Calibration, calibrate
from tuckpoint.simulate.columns import observed
from tuckpoint.simulate.contract import Simulator
from tuckpoint.simulate.event import event
from tuckpoint.simulate.inputs import Inputs
from tuckpoint.simulate.rows import PARAMETERS
from tuckpoint.simulate.splitting import Model, Rare, Splitting, split
from tuckpoint.table.engine import Array, Encoded

WEIGHT = "_weight"
_REPETITION = "_repetition"
Draws = Sequence[Mapping[str, float]]


def rare(
    simulator: Simulator, text: str, inputs: Inputs, draws: Draws, *, rows: int, seed: Seed, how: Splitting
) -> tuple[Rare, pa.Table]:  # fmt: skip
    """How likely the event `text` is, and rows of it: inputs, outputs, `_weight`, `_parameters`.

    `draws` are the parameters of each repetition. The weights add up to the probability. Raises InputError for an event
    that is none or is not reached, and what the simulator raises.
    """
    asked = event(text, [*simulator.inputs, *simulator.outputs])
    if len(draws) != how.repetitions:
        raise InputError(f"{len(draws)} draws of the parameters for {how.repetitions} repetitions; give one for each")
    models = [_model(simulator, inputs, given, number) for number, given in enumerate(draws)]
    # The pilot climbs with parameters of its own middle: levels may be anything but made from what they judge.
    middle = {name: float(np.median([one[name] for one in draws])) for name in simulator.parameters}
    found = split(
        _model(simulator, inputs, middle, -1), inputs.size, asked, rows=rows, how=how, seed=seed, each=models
    )  # fmt: skip
    columns = {name: pa.array(found.rows[name]) for name in (*simulator.inputs, *simulator.outputs)}
    table = pa.table({**columns, WEIGHT: pa.array(found.weights)})
    if simulator.parameters:
        spelt = pa.array([json.dumps(dict(one)) for one in draws], pa.string())
        table = table.append_column(PARAMETERS, spelt.take(pa.array(found.rows[_REPETITION].astype(np.int64))))
    return found, table


def prior_draws(simulator: Simulator, given: Mapping[str, float], count: int, seed: Seed) -> list[dict[str, float]]:
    """Parameters of each repetition: those `given`, the others by their priors, spread evenly (a Latin hypercube)."""
    if unknown := sorted(set(given) - set(simulator.parameters)):
        raise InputError(
            f'{simulator.name} has no parameter "{unknown[0]}"; it has: {", ".join(simulator.parameters) or "none"}'
        )
    drawn: list[dict[str, float]] = [{} for _ in range(count)]
    for name, prior in simulator.parameters.items():
        random = seed.child(name).numpy()
        shares = (random.permutation(count) + random.random(count)) / count
        for one, share in zip(drawn, shares, strict=True):
            one[name] = float(given[name]) if name in given else float(prior.at(share))
    return drawn


def calibrated_draws(simulator: Simulator, real: Encoded, count: int, seed: Seed) -> list[dict[str, float]]:
    """Parameters of each repetition, drawn from what real rows of inputs and outputs leave open."""
    posterior = calibrate(simulator, observed(simulator, real), seed.child("calibrate"), Calibration())
    size = len(posterior.draws)
    chosen = seed.child("draw").numpy().choice(size, count, replace=size < count)
    return [posterior.at(int(k)) for k in chosen]


def _model(simulator: Simulator, inputs: Inputs, given: Mapping[str, float], number: int) -> Model:
    """Standard normal numbers (n, d) into inputs, outputs and the number of the repetition."""

    def run(at: Array, seed: Seed) -> dict[str, Array]:
        columns = inputs.at(at)
        return {**columns, **simulator.run(given, columns, seed), _REPETITION: np.full(len(at), float(number))}

    return run
