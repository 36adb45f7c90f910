"""`tuckpoint simulate`: rows of the user's own mechanistic model, calibrated to real rows and held to their edge."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError
from tuckpoint.files import check_new

if TYPE_CHECKING:
    from tuckpoint.record import Record
    from tuckpoint.simulate.contract import Simulator
    from tuckpoint.simulate.predictive import Predictive
    from tuckpoint.simulate.rows import Batch, Request
    from tuckpoint.table.frame import Frame

ABOUT = """Make rows where there are no real ones by your own mechanistic model: a Python file, a command or an FMU. It
is calibrated to the real rows, and admitted only if, calibrated without the real rows nearest to the slice, it predicts
those as well as a model of the data alone. Every row tells its parameters and how far it lies from the real ones."""
MORE = """examples:
  tuckpoint simulate plant.py --real train.csv --where 'weight < 2300' -n 500 -o rows.parquet
  tuckpoint simulate plant.yaml --real train.csv --reference population.csv --where 'weight < 2300' -n 500 -o rows.csv

A Python file runs as your own code. See docs/simulate.md.
ends with 0 if rows were made, 2 if the simulator was refused (or something cannot be used)."""

ORIGINS = {
    "stretched": "real rows stretched into the slice",
    "reference": "rows of the reference",
    "engine": "drawn by an engine",
}


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint simulate`."""
    place.add_argument("simulator", type=Path, metavar="SIMULATOR", help="plant.py, or plant.yaml of a command or FMU")
    place.add_argument(
        "--real", type=Path, required=True, metavar="FILE", help="real rows to calibrate and judge it on"
    )
    place.add_argument("--where", metavar="CONDITION", help="where rows are wanted (default: where the real rows are)")
    place.add_argument("-n", "--rows", type=shared.at_least_one, required=True, metavar="N", help="rows to make")
    place.add_argument(
        "--reference", type=Path, metavar="FILE", help="rows to take the inputs from (default: real rows, stretched)"
    )
    place.add_argument("--engine", metavar="NAME", help="draw the inputs by this table engine instead")
    place.add_argument(
        "--calibrator", choices=("auto", "least_squares", "abc", "sbi"), default="auto",
        help="default: least_squares, or abc for a simulator that draws or an output of few values",
    )  # fmt: skip
    place.add_argument("--draws", type=int, default=60, metavar="N", help="draws of the parameters (default: 60)")
    place.add_argument("--simulations", type=int, default=4000, metavar="N", help="runs of abc and sbi (default: 4000)")
    place.add_argument("--group", metavar="COLUMN", help="says whose row it is, if people have several rows")
    shared.output(place, "the rows: .parquet or .csv")
    shared.seed(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.asked import schema_of
    from tuckpoint.seed import Seed
    from tuckpoint.simulate import predictive, rows
    from tuckpoint.simulate.calibrate import Calibration
    from tuckpoint.simulate.contract import load
    from tuckpoint.table.encode import spell
    from tuckpoint.table.frame import read
    from tuckpoint.write import table as writing

    text = writing.suffix(options.output) != ".parquet"
    check_new(options.output, overwrite=options.overwrite)
    if options.reference is not None and options.engine is not None:
        raise InputError("--reference and --engine both say where the inputs come from; leave one out")
    simulator, frame = load(options.simulator), read(options.real)
    schema = schema_of(frame.table, options.schema, person=options.group)
    reference = None if options.reference is None else read(options.reference)
    how = Calibration(options.calibrator, draws=options.draws, simulations=options.simulations)
    origin: Any = "reference" if reference is not None else "engine" if options.engine else "stretched"
    request = rows.Request(how, origin, options.engine or "trees")
    seed = Seed(options.seed).child("simulate")
    progress("calibrating", 0.0)
    made = rows.make(
        simulator, frame.table, schema, rows=options.rows, where=options.where, seed=seed.child("rows"),
        request=request, reference=None if reference is None else reference.table,
    )  # fmt: skip
    progress("checking on held-out rows", 0.8)
    checked = predictive.check(simulator, made.real, seed.child("check"), how)
    said = _lines(simulator, made, checked, frame, options.where)
    if made.table is None:
        return "\n".join([*said, f"refused: {made.why}"]), 2
    record = _record(simulator, made, frame, reference, request=request, options=options)
    table = spell(made.table, schema) if text else made.table
    writing.write(table, options.output, record, overwrite=options.overwrite)
    where = "" if options.where is None else f" with {options.where}"
    said.append(
        f"{options.output}: {table.num_rows:,} rows{where}; inputs: {ORIGINS[origin]}; "
        f"{made.extrapolated:.0%} lie beyond the real rows"
    )
    return "\n".join(said), 0


def _lines(
    simulator: Simulator, made: Batch, checked: Predictive | None, frame: Frame, where: str | None
) -> list[str]:  # fmt: skip
    """The account: posterior, held-out rows, guard."""
    from tuckpoint.simulate.calibrate import open_parameters

    unused = frame.table.num_rows - made.real.size
    lines = [
        f"{simulator.name}: calibrated to {made.real.size:,} real rows"
        + (f"; {unused:,} lie outside what it declares, or lack an input or output" if unused else "")
    ]
    if made.posterior is not None:
        doubts = open_parameters(simulator, made.posterior)
        lines.append(f"parameters, median and 90 % interval ({made.posterior.method}):")
        for name, prior in simulator.parameters.items():
            middle, low, high = made.posterior.interval(name)
            said = f"  {name} = {middle:.4g} [{low:.4g}, {high:.4g}] {prior.unit}".rstrip()
            lines.append(said + (f" - {doubts[name]}" if name in doubts else ""))
    for name in simulator.outputs if checked is not None else ():
        assert checked is not None
        within, off = checked.within[name], f"real less predicted {checked.off[name]:+.3g} (z {checked.z[name]:+.1f})"
        share = "" if within is None else f"{within} of {checked.rows} in the 90 % interval, "
        lines.append(f"held-out real rows, {name}: {share}{off}")
    near = "drawn by chance" if where is None else f"nearest to {where}"
    for name, ours in made.guard.simulator.items():
        lines.append(
            f"edge guard, {name}: at the {made.guard.edge} real rows {near} the simulator is off by {ours:.3g}, "
            f"a model of the data alone by {made.guard.data[name]:.3g}"
        )
    return lines


def _record(
    simulator: Simulator, made: Batch, frame: Frame, reference: Frame | None, *, request: Request, options: Any
) -> Record:
    """How the rows came to be; the inputs are the real rows and the reference."""
    from tuckpoint.record import Input, Maker, Record, digest_of
    from tuckpoint.run import stamp_of

    sources = [(frame, options.real)] + ([] if reference is None else [(reference, options.reference)])
    inputs = tuple(
        Input.of(one.name, sha256=one.digest, rows=one.table.num_rows, stamp=stamp_of(path)) for one, path in sources
    )
    asked = {
        "verb": "simulate", "simulator": simulator.digest, "where": options.where, "rows": options.rows,
        "seed": options.seed, "request": asdict(request), "inputs": [one.sha256 for one in inputs],
    }  # fmt: skip
    guard = {
        "edge rows": made.guard.edge, "error": dict(made.guard.simulator), "data only": dict(made.guard.data),
    }  # fmt: skip
    return Record(
        dataset=frame.name,
        maker=Maker(f"simulator {simulator.name}", simulator.digest),
        recipe=digest_of(asked),
        seed=options.seed,
        rows=options.rows,
        inputs=inputs,
        evidence={"edge guard": guard, "extrapolated": made.extrapolated},
    )
