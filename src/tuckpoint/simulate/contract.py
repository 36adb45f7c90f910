"""The contract of a user's own mechanistic model: names, units, valid ranges, priors, and one function.

    INPUTS = {"weight": (1600, 5200, "lb")}                    # column: valid range, unit
    OUTPUTS = {"mpg": "mi/gal"}                                # column: unit, or (low, high, unit)
    PARAMETERS = {"drag": (0.2, 0.9, "1"), "k": (1e-4, 1e-1, "1/s", "log")}   # uniform priors, or uniform in the log

    def simulate(parameters, inputs, random):                  # numbers by name, arrays (n,) by name, a numpy Generator
        return {"mpg": ...}                                    # arrays (n,) by name

A Python file says it so; a command and an FMU say the same names in YAML (see `command` and `fmu`). The file runs as
the user's own code: load none that you would not run.
"""

from __future__ import annotations

import hashlib
import math
import runpy
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tuckpoint import declared
from tuckpoint.errors import InputError, ToolError, TuckpointError, count, did_you_mean
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array

Call = Callable[[Mapping[str, float], Mapping[str, Array], np.random.Generator], Mapping[str, Any]]
Kind = Literal["python", "command", "fmu"]
YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Range:
    """Where a column lies, both ends included; without limits for an output of which only the unit is declared."""

    low: float = -math.inf
    high: float = math.inf
    unit: str = ""


@dataclass(frozen=True)
class Prior:
    """A uniform prior from `low` to `high`; with `log` it is uniform in the logarithm."""

    low: float
    high: float
    unit: str = ""
    log: bool = False

    def at(self, share: Array | float) -> Array:
        """Values at these shares 0..1 of the prior's mass."""
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** np.asarray(share, float))
        return np.asarray(self.low + (self.high - self.low) * np.asarray(share, float))

    def share(self, value: Array | float) -> Array:
        """The share 0..1 of the prior's mass below these values."""
        if self.log:
            return np.asarray(np.log(np.asarray(value, float) / self.low) / np.log(self.high / self.low))
        return np.asarray((np.asarray(value, float) - self.low) / (self.high - self.low))


@dataclass(frozen=True)
class Simulator:
    """A mechanistic model under the contract; `digest` is the SHA-256 of all files that it consists of."""

    name: str
    kind: Kind
    inputs: Mapping[str, Range]
    outputs: Mapping[str, Range]
    parameters: Mapping[str, Prior]
    digest: str
    call: Call = field(repr=False, compare=False)

    def run(
        self, parameters: Mapping[str, float], inputs: Mapping[str, Array], seed: Seed, *, tried: bool = False
    ) -> dict[str, Array]:
        """Outputs (n,) float64 by name for these parameters and inputs (n,), of which only the declared ones are used.

        Parameters that are only `tried` may give outputs outside their declared range: calibration leaves those.
        Raises InputError for a parameter or input that lacks, is no finite number, or lies outside its declared range,
        and ToolError for an output that lacks, has another shape, is no finite number or lies outside its range.
        """
        if unknown := sorted(set(parameters) - set(self.parameters)):
            raise InputError(
                f'{self.name} has no parameter "{unknown[0]}"{did_you_mean(unknown[0], self.parameters)}; it has: '
                f"{', '.join(self.parameters)}"
            )
        given = {name: _parameter(self, name, parameters, prior) for name, prior in self.parameters.items()}
        columns = {name: _input(self, name, inputs, there) for name, there in self.inputs.items()}
        if len({len(column) for column in columns.values()}) > 1:
            raise InputError(f"{self.name}: inputs of different lengths; give as many values of each")
        rows = len(next(iter(columns.values())))
        if not rows:
            return {name: np.empty(0) for name in self.outputs}
        with _guarded(self.name, "failed", given):
            told = self.call(given, {name: column.copy() for name, column in columns.items()}, seed.numpy())
        if not isinstance(told, Mapping):
            raise ToolError(f"{self.name} gave {type(told).__name__}; it must give arrays by name: {set(self.outputs)}")
        return {name: _output(self, name, told, rows, given, tried=tried) for name in self.outputs}

    def outside(self, inputs: Mapping[str, Array]) -> Array:
        """Rows (n,) bool of which an input is missing, or outside its declared range."""
        wrong = [
            ~((column >= there.low) & (column <= there.high))  # a missing value compares as false
            for name, there in self.inputs.items()
            for column in (np.asarray(inputs[name], float),)
        ]
        return np.asarray(np.any(wrong, axis=0))


def load(path: str | Path, *, sha256: str | None = None) -> Simulator:
    """The simulator in a Python file (.py), or that which a YAML file describes as a command or an FMU.

    Raises InputError for what does not keep the contract, or for another digest than `sha256`; ToolError if the file
    itself fails; MissingExtra for an FMU without FMPy.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no simulator {path}; write one as docs/simulate.md shows")
    if path.suffix == ".py":
        found = _python(path)
    elif path.suffix in YAML:
        found = _described(path)
    else:
        raise InputError(f"{path}: a simulator is a .py file, or a .yaml file that names a command or an FMU")
    if sha256 is not None and found.digest != sha256:
        raise InputError(
            f"{path} is not the simulator that was named: its digest is {found.digest}, not {sha256}; bring the old "
            "files back, or plan anew"
        )
    return found


def from_entries(title: str, kind: Kind, entries: Mapping[str, Any], *, digest: str, call: Call) -> Simulator:
    """A simulator of these entries `inputs`, `outputs` and `parameters`; raises InputError that names what is wrong."""
    inputs = {name: _range(title, "input", name, entry) for name, entry in _named(title, "inputs", entries).items()}
    outputs = {
        name: Range(unit=entry) if isinstance(entry, str) else _range(title, "output", name, entry)
        for name, entry in _named(title, "outputs", entries).items()
    }
    parameters = {
        name: _prior(title, name, entry) for name, entry in _named(title, "parameters", entries, some=False).items()
    }
    columns = [*inputs, *outputs, *parameters]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise InputError(f'{title}: "{twice[0]}" is declared twice; an input, output or parameter has its own name')
    return Simulator(title, kind, inputs, outputs, parameters, digest, call)


def digest_of_files(paths: Sequence[Path]) -> str:
    """SHA-256 of names and contents of files, in this order; one file alone has the digest of its content.

    Raises InputError for a file that is not there.
    """
    for path in paths:
        if not path.is_file():
            raise InputError(f"no file {path}, which the simulator is said to consist of; mend the list of files")
    parts = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]
    if len(parts) == 1:
        return parts[0][1]
    return hashlib.sha256("".join(f"{name}\0{digest}\n" for name, digest in parts).encode()).hexdigest()


def _python(path: Path) -> Simulator:
    # What was read is what is hashed and run: bytecode beside the file may be older.
    with _beside(path), _guarded(path.name, "failed when it was loaded"):
        module = runpy.run_path(str(path))
    function = module.get("simulate")
    if not callable(function):
        raise InputError(f"{path.name} has no function simulate(parameters, inputs, random); write one")
    files = module.get("FILES", ())
    if isinstance(files, str) or not isinstance(files, Sequence):
        raise InputError(f'{path.name}: FILES is a list of further files of the simulator, such as ["map.csv"]')

    entries = {name: module.get(name.upper()) for name in ("inputs", "outputs", "parameters")}
    digest = digest_of_files([path, *(path.parent / str(file) for file in files)])
    return from_entries(path.name, "python", entries, digest=digest, call=function)


def _described(path: Path) -> Simulator:
    from tuckpoint.simulate import command, fmu

    do = "say `command: [program, ...]` or `fmu: FILE`, with inputs, outputs, parameters"
    said = declared.read(path, do=do)
    if ("command" in said) == ("fmu" in said):
        raise InputError(f"{path}: {do}")
    return command.simulator(path, said) if "command" in said else fmu.simulator(path, said)


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """Let the file import what lies beside it."""
    place = str(path.resolve().parent)
    sys.path.insert(0, place)
    try:
        yield
    finally:
        sys.path.remove(place)


@contextmanager
def _guarded(title: str, what: str, given: Mapping[str, float] | None = None) -> Iterator[None]:
    """Tell a failure of the user's own code as such."""
    try:
        yield
    except TuckpointError:
        raise
    except Exception as error:
        trace, line = error.__traceback__, ""
        while trace is not None:
            if Path(trace.tb_frame.f_code.co_filename).name == title:
                line = f", line {trace.tb_lineno}"
            trace = trace.tb_next
        where = "" if given is None else f" at {_spelt(given)}"
        raise ToolError(f"{title} {what}{where}{line}: {type(error).__name__}: {error}") from error


def _named(title: str, what: str, entries: Mapping[str, Any], *, some: bool = True) -> Mapping[str, Any]:
    found = entries.get(what)
    if found is None and not some:
        return {}
    if not isinstance(found, Mapping) or (some and not found) or not all(isinstance(name, str) for name in found):
        raise InputError(f"{title}: {what} is {found!r}; give a mapping of names, see docs/simulate.md")
    return found


def _range(title: str, what: str, name: str, entry: Any) -> Range:
    numbers, rest = _numbers(entry)
    if numbers is None or len(rest) > 1 or not all(isinstance(item, str) for item in rest):
        raise InputError(f'{title}: {what} "{name}" is {entry!r}; write (low, high, "unit") with low below high')
    return Range(*numbers, *rest)


def _prior(title: str, name: str, entry: Any) -> Prior:
    numbers, rest = _numbers(entry)
    right = numbers is not None and len(rest) <= 2 and all(isinstance(item, str) for item in rest)
    if numbers is None or not right or (len(rest) == 2 and rest[1] not in ("log", "uniform")):
        raise InputError(
            f'{title}: parameter "{name}" is {entry!r}; write (low, high, "unit"), or (low, high, "unit", "log")'
        )
    log = rest[1:] == ["log"]
    if log and numbers[0] <= 0:
        raise InputError(f'{title}: parameter "{name}": a prior in the log starts above 0, not at {numbers[0]:g}')
    return Prior(*numbers, rest[0] if rest else "", log)


def _numbers(entry: Any) -> tuple[tuple[float, float] | None, list[Any]]:
    """Low and high, None if they are no such; and what stands behind them."""
    if not isinstance(entry, list | tuple) or len(entry) < 2:
        return None, []
    low, high = entry[:2]
    right = all(isinstance(n, int | float) and not isinstance(n, bool) and math.isfinite(n) for n in (low, high))
    return ((float(low), float(high)) if right and low < high else None), list(entry[2:])


def _parameter(model: Simulator, name: str, given: Mapping[str, float], prior: Prior) -> float:
    if name not in given:
        raise InputError(f'{model.name}: parameter "{name}" is missing; give it a value')
    value, slack = float(given[name]), 1e-9 * (prior.high - prior.low)
    if not prior.low - slack <= value <= prior.high + slack:
        raise InputError(
            f'{model.name}: parameter "{name}" is {value:g} {prior.unit}, outside its prior '
            f"{prior.low:g}..{prior.high:g}; widen the prior, or mend the value"
        )
    return value


def _input(model: Simulator, name: str, given: Mapping[str, Array], there: Range) -> Array:
    if name not in given:
        raise InputError(f'{model.name}: input "{name}" is missing{did_you_mean(name, given)}; give a column of it')
    column = np.asarray(given[name])
    if column.ndim != 1 or column.dtype.kind not in "biuf":
        raise InputError(f'{model.name}: input "{name}" is no column of numbers; give an array of shape (n,)')
    column = column.astype(np.float64)
    wrong = ~((column >= there.low) & (column <= there.high))
    if wrong.any():
        raise InputError(_told(f'{model.name}: input "{name}"', column, wrong, there, "take such rows out"))
    return column


def _output(
    model: Simulator, name: str, told: Mapping[str, Any], rows: int, given: Mapping[str, float], *, tried: bool
) -> Array:
    def title() -> str:
        return f'{model.name}: output "{name}" at {_spelt(given)}'

    if name not in told:
        raise ToolError(
            f"{title()} is missing{did_you_mean(name, map(str, told))}; it gave: {', '.join(map(str, told))}"
        )
    try:
        column = np.asarray(told[name], np.float64)
    except (TypeError, ValueError):
        raise ToolError(f"{title()} is no column of numbers; give an array of shape ({rows},)") from None
    if column.shape != (rows,):
        raise ToolError(f"{title()} has the shape {column.shape}; give one value per row: ({rows},)")
    there = Range() if tried else model.outputs[name]
    wrong = ~((column >= there.low) & (column <= there.high)) | ~np.isfinite(column)
    if wrong.any():
        what = "narrow the priors"
        if not np.isfinite(column).all():
            what += " and the inputs' ranges to where the simulator gives numbers"
        else:
            what += ", or declare another range of the output"
        raise ToolError(_told(title(), column, wrong, there, what))
    return column


def _told(title: str, column: Array, wrong: Array, there: Range, what: str) -> str:
    first = int(np.flatnonzero(wrong)[0])
    value = f"{column[first]:g}" if np.isfinite(column[first]) else "no finite number"
    unit = f" {there.unit}" if there.unit else ""
    fault = f"not in {there.low:g}..{there.high:g}{unit}" if math.isfinite(there.high) else "not finite"
    many = count(int(wrong.sum()), "value is", "values are")
    return f"{title}: {many} {fault} (first: row {first + 1} = {value}); {what}"


def _spelt(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} = {value:.4g}" for name, value in parameters.items()) or "no parameters"
