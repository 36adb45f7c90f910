"""A simulator that is a Functional Mock-up Unit (FMI 1 to 3), run by FMPy: one simulation a row.

    fmu: plant.fmu
    start: 0                          # seconds of model time
    stop: 10
    step: 0.1                         # communication step (default: the unit's own)
    inputs: {weight: [1600, 5200, lb]}
    outputs: {mpg: mi/gal}            # the value at `stop`
    parameters: {drag: [0.2, 0.9, "1"]}

All names are variables of the unit. Inputs are held through a simulation; a unit has no random numbers.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.declared import check_entries
from tuckpoint.errors import InputError, MissingExtra, did_you_mean
from tuckpoint.simulate.contract import Simulator, digest_of_files, from_entries
from tuckpoint.table.engine import Array

ENTRIES = ("fmu", "start", "stop", "step", "inputs", "outputs", "parameters")


def simulator(path: Path, said: Mapping[str, Any]) -> Simulator:
    """The simulator that the entries of a YAML file describe.

    Raises InputError for a wrong entry or a name that the unit does not have, MissingExtra without FMPy.
    """
    try:
        import fmpy
        from fmpy.model_description import ValidationError
    except ImportError:
        raise MissingExtra("FMPy", "fmu") from None
    check_entries(str(path), said, ENTRIES)
    unit = path.resolve().parent / str(said["fmu"])
    if not unit.is_file():
        raise InputError(f"{path}: no file {said['fmu']} beside it; mend `fmu`")
    times = {name: _seconds(path, name, said.get(name)) for name in ("start", "stop", "step")}
    try:
        description = fmpy.read_model_description(str(unit))
    except (zipfile.BadZipFile, KeyError, SyntaxError, ValidationError) as error:
        raise InputError(f"{path}: {unit.name} cannot be read as an FMU: {error}") from None
    known = [variable.name for variable in description.modelVariables]
    for what in ("inputs", "outputs", "parameters"):
        for name in said.get(what) or {}:
            if name not in known:
                raise InputError(f'{path}: {what}: "{name}" is no variable of {unit.name}{did_you_mean(name, known)}')
    outputs = list(said.get("outputs") or {})

    def call(parameters: Mapping[str, float], inputs: Mapping[str, Array], random: np.random.Generator) -> Any:
        rows = len(next(iter(inputs.values())))
        out = {name: np.empty(rows) for name in outputs}
        folder = fmpy.extract(str(unit))
        try:
            for row in range(rows):
                start = {**parameters, **{name: float(column[row]) for name, column in inputs.items()}}
                told = fmpy.simulate_fmu(
                    folder, start_time=times["start"], stop_time=times["stop"], output_interval=times["step"],
                    start_values=start, output=outputs, model_description=description,
                )  # fmt: skip
                for name in outputs:
                    out[name][row] = told[name][-1]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return out

    return from_entries(path.name, "fmu", said, digest=digest_of_files([path, unit]), call=call)


def _seconds(path: Path, name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or (name == "step" and value <= 0):
        raise InputError(f"{path}: {name} is {value!r}; give seconds of model time")
    return float(value)
