"""`tuckpoint rare`: how likely is what a simulator hardly ever shows, and rows of it with their weights."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError, count
from tuckpoint.files import check_new, sha256

if TYPE_CHECKING:
    from tuckpoint.record import Record
    from tuckpoint.simulate.contract import Simulator
    from tuckpoint.simulate.inputs import Inputs
    from tuckpoint.simulate.splitting import Rare, Splitting
    from tuckpoint.table.engine import Encoded
    from tuckpoint.table.frame import Frame

ABOUT = """Reach an event that data do not hold and a simulator can: importance splitting. Rows climb towards it over
levels that about one in ten passes; the product of those shares is its probability, told with an interval over
independent repetitions. Every made row keeps its weight: the column _weight adds up to the probability."""
MORE = """examples:
  tuckpoint rare plant.py --event 'temperature > 700' --inputs inputs.yaml -n 1000 -o rows.parquet
  tuckpoint rare plant.py --event 'temperature > 700 and flow < 3' --real train.csv -n 1000 -o rows.parquet
  tuckpoint rare plant.py --event 'leak == 1' --inputs inputs.yaml --parameter wear=0.3 -n 200 -o rows.csv

A Python file runs as your own code. See docs/rare.md.
ends with 0 if rows were made, 2 if the event was not reached (or something cannot be used)."""


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint rare`."""
    place.add_argument("simulator", type=Path, metavar="SIMULATOR", help="plant.py, or plant.yaml of a command or FMU")
    place.add_argument("--event", required=True, metavar="CONDITION", help="what is rare, of inputs and outputs")
    origin = place.add_mutually_exclusive_group(required=True)
    origin.add_argument("--inputs", type=Path, metavar="YAML", help="how the inputs are distributed")
    origin.add_argument(
        "--real",
        type=Path,
        metavar="FILE",
        help="real rows: inputs are distributed, and parameters calibrated, by them",
    )
    place.add_argument(
        "--parameter", action="append", default=[], type=shared.setting, metavar="NAME=VALUE",
        help="hold a parameter (default: calibrated to --real, else drawn from its prior); repeatable",
    )  # fmt: skip
    place.add_argument("-n", "--rows", type=shared.at_least_one, required=True, metavar="N", help="rows of the event")
    place.add_argument(
        "--climbers", type=shared.at_least_one, default=1000, metavar="N",
        help="rows that climb in each repetition (default: 1000)",
    )  # fmt: skip
    place.add_argument(
        "--repetitions", type=shared.at_least_one, default=10, metavar="N", help="independent ones (default: 10)"
    )
    shared.output(place, "the rows: .parquet or .csv")
    shared.seed(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.seed import Seed
    from tuckpoint.simulate.contract import load
    from tuckpoint.simulate.inputs import declared, fitted
    from tuckpoint.simulate.rare import rare
    from tuckpoint.simulate.splitting import Splitting
    from tuckpoint.write import table as writing

    writing.suffix(options.output)
    check_new(options.output, overwrite=options.overwrite)
    simulator, seed = load(options.simulator), Seed(options.seed).child("rare")
    how = Splitting(options.climbers, options.repetitions)
    frame, real = (None, None) if options.real is None else _real(options)
    inputs = declared(simulator, options.inputs) if real is None else fitted(simulator, real)
    progress("looking at parameters", 0.0)
    draws, said = _parameters(simulator, real, options, seed.child("parameters"))
    progress("climbing", 0.1)
    found, table = rare(
        simulator, options.event, inputs, draws, rows=options.rows, seed=seed.child("split"), how=how
    )  # fmt: skip
    record = _record(simulator, found, frame, draws, how=how, options=options)
    writing.write(table, options.output, record, overwrite=options.overwrite)
    return "\n".join(_lines(simulator, found, inputs, said, options)), 0


def _real(options: argparse.Namespace) -> tuple[Frame, Encoded]:
    from tuckpoint.asked import schema_of
    from tuckpoint.table.encode import encode
    from tuckpoint.table.frame import read

    frame = read(options.real)
    return frame, encode(frame.table, schema_of(frame.table, options.schema))


def _parameters(simulator: Simulator, real: Any, options: argparse.Namespace, seed: Any) -> tuple[Any, str]:
    """Parameters of each repetition, and where they come from in words."""
    from tuckpoint.simulate.rare import calibrated_draws, prior_draws

    given: dict[str, float] = {}
    for name, value in options.parameter:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise InputError(f"--parameter {name}={value}: give a number")
        given[name] = float(value)
    outputs = real is not None and {field.name for field in real.fields} >= set(simulator.outputs)
    if not simulator.parameters or set(given) == set(simulator.parameters):
        return prior_draws(simulator, given, options.repetitions, seed), "as given" if given else "none"
    if outputs and not given:
        return (
            calibrated_draws(simulator, real, options.repetitions, seed),
            "calibrated to the real rows, another draw in each repetition: the interval holds what they leave open",
        )
    return (
        prior_draws(simulator, given, options.repetitions, seed),
        "drawn from their priors where not given, anew in each repetition: the probability is the mean over the priors",
    )


def _lines(
    simulator: Simulator, found: Rare, inputs: Inputs, parameters: str, options: argparse.Namespace
) -> list[str]:  # fmt: skip
    """The probability, what it cost, and the rows."""
    estimates, p = found.estimates, found.probability
    lines = [
        f"{simulator.name}: P({options.event}) = {p:.3g} [{found.low:.2g}, {found.high:.2g}], the 95 % interval of "
        f"{len(estimates)} independent repetitions",
        f"  inputs: {inputs.told}",
        f"  parameters: {parameters}",
        f"  {count(len(found.ladder.levels), 'level')} before the event; {count(found.calls, 'run')} of the simulator",
    ]
    if found.error > 0 and p < 1:
        plain = (1 - p) / p / found.error**2
        lines[-1] += f"; plain Monte Carlo would need {plain:,.0f} for as small a standard error ({found.error:.0%})"
    if not estimates.all():
        lines.append(
            f"  {int((estimates == 0).sum())} repetitions never reached the event and count as 0: let more rows climb "
            "(--climbers)"
        )
    if found.fresh < 0.5:
        lines.append(
            f"  only {found.fresh:.0%} of the rows differ from one another: the event is hard to move in; ask for fewer"
        )
    lines.append("  It is the simulator's probability: where the simulator is wrong, so is it.")
    lines.append(f"{options.output}: {count(options.rows, 'row')} of the event; their _weight adds up to {p:.3g}")
    return lines


def _record(
    simulator: Simulator, found: Rare, frame: Frame | None, draws: Any, *, how: Splitting, options: argparse.Namespace
) -> Record:
    """How the rows came to be; the inputs are the real rows, if there are any."""
    from tuckpoint.record import Input, Maker, Record, digest_of
    from tuckpoint.run import stamp_of

    inputs: tuple[Input, ...] = ()
    if frame is not None:
        stamp = stamp_of(options.real)
        inputs = (Input.of(frame.name, sha256=frame.digest, rows=frame.table.num_rows, stamp=stamp),)
    declared = None if options.inputs is None else sha256(options.inputs)
    asked = {
        "verb": "rare", "simulator": simulator.digest, "event": options.event, "rows": options.rows,
        "seed": options.seed, "splitting": asdict(how), "parameters": [dict(one) for one in draws],
        "declared": declared, "inputs": [one.sha256 for one in inputs],
    }  # fmt: skip
    told = {"event": options.event, "value": found.probability, "low": found.low, "high": found.high}
    return Record(
        dataset=options.output.name,
        maker=Maker(f"simulator {simulator.name}", simulator.digest),
        recipe=digest_of(asked),
        seed=options.seed,
        rows=options.rows,
        inputs=inputs,
        evidence={"probability": told},
    )
