"""`tuckpoint simulate`: rows of the user's own mechanistic model, calibrated to real rows and held to their edge."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError, count
from tuckpoint.files import check_new

if TYPE_CHECKING:
    from tuckpoint.record import Record
    from tuckpoint.simulate.contract import Simulator
    from tuckpoint.simulate.order import Order
    from tuckpoint.simulate.predictive import Predictive
    from tuckpoint.simulate.rows import Batch
    from tuckpoint.table.frame import Frame

ABOUT = """Make rows where there are no real ones by your own mechanistic model: a Python file, a command or an FMU. It
is calibrated to the real rows, and admitted only if, calibrated without the real rows nearest to the slice, it predicts
those as well as a model of the data alone. Every row tells its parameters and how far it lies from the real ones."""
MORE = """examples:
  tuckpoint simulate plant.py --real train.csv --where 'weight < 2300' -n 500 -o rows.parquet
  tuckpoint simulate plant.yaml --real train.csv --reference population.csv --where 'weight < 2300' -n 500 -o rows.csv

A Python file runs as your own code. See docs/simulate.md.
ends with 0 if rows were made, 2 if the simulator was refused (or something cannot be used)."""

BESIDE = ".recipe.yaml"  # stands beside the rows, under their whole name
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
    place.add_argument(
        "--allowed", type=float, default=1.1, metavar="TIMES",
        help="what the guard lets pass, in times the error of a model of the data alone (default: 1.1)",
    )  # fmt: skip
    place.add_argument(
        "--learner", type=shared.setting, action="append", default=[], metavar="NAME=VALUE",
        help="a setting of that model, such as leaf_rows=5; repeatable",
    )  # fmt: skip
    shared.group(place, "says whose row it is, if people have several rows")
    shared.output(place, "the rows: .parquet or .csv")
    shared.seed(place)
    shared.schema(place)
    shared.progress(place)


def told(options: argparse.Namespace, *, progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint.asked import schema_of
    from tuckpoint.simulate.contract import load
    from tuckpoint.simulate.order import Named, Order
    from tuckpoint.table.frame import read

    check_new(options.output, overwrite=options.overwrite)
    check_new(_beside(options.output), overwrite=options.overwrite)
    if options.reference is not None and options.engine is not None:
        raise InputError("--reference and --engine both say where the inputs come from; leave one out")
    simulator, frame = load(options.simulator), read(options.real)
    reference = None if options.reference is None else read(options.reference)
    order = Order(
        Named(str(options.simulator), simulator.digest), Named(str(options.real), frame.digest),
        None if reference is None else Named(str(options.reference), reference.digest),
        schema_of(frame.table, options.schema, person=options.group).to_dict(), options.rows, options.where,
        _request(options), options.seed,
    )  # fmt: skip
    places = tuple(place for place in (options.real, options.reference) if place is not None)
    inputs = _Inputs(simulator, frame, reference, places)
    return _filled(order, inputs, options.output, overwrite=options.overwrite, progress=progress)


def again(
    order: Order, recipe: Path, *, output: Path | None = None, overwrite: bool = False, progress: Any
) -> tuple[str, int]:
    """Repeat a recipe into `output`, or compare with the rows beside it; what to tell, and the exit status.

    Raises RecipeError for inputs that are not those named, TraceError if the rows come out otherwise.
    """
    import tempfile

    from tuckpoint.errors import RecipeError, TraceError
    from tuckpoint.files import sha256
    from tuckpoint.simulate.contract import load
    from tuckpoint.table.frame import read

    home = recipe.parent
    tables = [one for one in (order.real, order.reference) if one is not None]
    places = tuple(one.found(home) for one in tables)
    frames = [read(place) for place in places]
    for one, frame in zip(tables, frames, strict=True):
        if frame.digest != one.sha256:
            raise RecipeError(f"{one.path} is not what the recipe was written for; bring the old file back")
    simulator = load(order.simulator.found(home), sha256=order.simulator.sha256)
    inputs = _Inputs(simulator, frames[0], frames[1] if len(frames) > 1 else None, places)
    if output is not None:
        return _filled(order, inputs, output, overwrite=overwrite, progress=progress)
    old = recipe.with_name(recipe.name.removesuffix(BESIDE))
    with tempfile.TemporaryDirectory(prefix=".again-", dir=home.resolve()) as room:
        new = Path(room) / old.name
        said, status = _filled(order, inputs, new, overwrite=False, progress=progress)
        if not new.is_file():
            return said, status
        if not old.is_file() or sha256(old) != sha256(new):
            raise TraceError(
                f"{old} is {'gone' if not old.is_file() else 'not what comes out now'}; use -o to write it beside"
            )
    return f"the same bytes again: {old.name}", 0


@dataclass(frozen=True)
class _Inputs:
    """What an order names, read, and where its tables lie."""

    simulator: Simulator
    frame: Frame
    reference: Frame | None
    places: tuple[Path, ...]


def _beside(output: Path) -> Path:
    return output.with_name(output.name + BESIDE)


def _request(options: argparse.Namespace) -> dict[str, Any]:
    """How rows are made, as said; raises InputError for settings that there are not."""
    from tuckpoint import settings
    from tuckpoint.measure.boost import Boosting
    from tuckpoint.simulate.calibrate import Calibration
    from tuckpoint.simulate.order import requested
    from tuckpoint.simulate.rows import Request

    how = Calibration(options.calibrator, draws=options.draws, simulations=options.simulations)
    origin: Any = "reference" if options.reference is not None else "engine" if options.engine else "stretched"
    learner = settings.build(Boosting, dict(options.learner))
    return requested(Request(how, origin, options.engine or "trees", options.allowed, learner))


def _filled(order: Order, inputs: _Inputs, output: Path, *, overwrite: bool, progress: Any) -> tuple[str, int]:
    """Make the rows of an order and write them with their recipe; what to tell, and the exit status."""
    from tuckpoint.files import write_text
    from tuckpoint.seed import Seed
    from tuckpoint.simulate import predictive, rows
    from tuckpoint.table.encode import spell
    from tuckpoint.write import table as writing

    text = writing.suffix(output) != ".parquet"
    schema, request, seed = order.means(), order.asked, Seed(order.seed).child("simulate")
    progress("calibrating", 0.0)
    made = rows.make(
        inputs.simulator, inputs.frame.table, schema, rows=order.rows, where=order.where, seed=seed.child("rows"),
        request=request, reference=None if inputs.reference is None else inputs.reference.table,
    )  # fmt: skip
    progress("checking on held-out rows", 0.8)
    checked = predictive.check(inputs.simulator, made.real, seed.child("check"), request.calibration)
    said = _lines(inputs.simulator, made, checked, inputs.frame, order.where)
    if made.table is None:
        return "\n".join([*said, f"refused: {made.why}"]), 2
    table = spell(made.table, schema) if text else made.table
    writing.write(table, output, _record(order, inputs, made), overwrite=overwrite)
    write_text(_beside(output), order.to_yaml(), overwrite=True)
    where = "" if order.where is None else f" with {order.where}"
    said.append(
        f"{output}: {count(table.num_rows, 'row')}{where}; inputs: {ORIGINS[request.inputs]}; "
        f"{made.extrapolated:.0%} lie beyond the real rows"
    )
    said.append(f"{_beside(output)}: all settings; tuckpoint run repeats it, byte for byte")
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


def _record(order: Order, found: _Inputs, made: Batch) -> Record:
    """How the rows came to be; the inputs are the real rows and the reference."""
    from tuckpoint.record import Input, Maker, Record
    from tuckpoint.run import stamp_of

    sources = [found.frame] + ([] if found.reference is None else [found.reference])
    inputs = tuple(
        Input.of(one.name, sha256=one.digest, rows=one.table.num_rows, stamp=stamp_of(place))
        for one, place in zip(sources, found.places, strict=True)
    )
    guard = {
        "edge rows": made.guard.edge, "error": dict(made.guard.simulator), "data only": dict(made.guard.data),
    }  # fmt: skip
    return Record(
        dataset=found.frame.name,
        maker=Maker(f"simulator {found.simulator.name}", found.simulator.digest),
        recipe=order.digest(),
        seed=order.seed,
        rows=order.rows,
        inputs=inputs,
        evidence={"edge guard": guard, "extrapolated": made.extrapolated},
    )
