"""A simulator that is a command: rows on its standard input, columns on its standard output.

    command: [python, plant.py]       # relative files are those beside this file
    input: csv                        # csv: one line a row, parameters repeated as columns; or json: one object
    timeout: 60                       # seconds a call
    files: [plant.py]                 # what the command consists of, for the digest
    inputs: {weight: [1600, 5200, lb]}
    outputs: {mpg: mi/gal}
    parameters: {drag: [0.2, 0.9, "1"]}

JSON is {"parameters": {...}, "inputs": {name: [...]}, "seed": n}. The seed stands also in the environment, as
TUCKPOINT_SEED. Out comes CSV with a header; columns that are not declared are let be.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.declared import check_entries
from tuckpoint.errors import InputError, ToolError, count
from tuckpoint.simulate.contract import Simulator, digest_of_files, from_entries
from tuckpoint.table.engine import Array

ENTRIES = ("command", "input", "timeout", "files", "inputs", "outputs", "parameters")
LAST = 400  # characters of what a failed command said


def simulator(path: Path, said: Mapping[str, Any]) -> Simulator:
    """The simulator that the entries of a YAML file describe; raises InputError that names what is wrong."""
    check_entries(str(path), said, ENTRIES)
    command, form, timeout = said["command"], said.get("input", "csv"), said.get("timeout", 60)
    if not isinstance(command, list) or not command or not all(isinstance(part, str) for part in command):
        raise InputError(f"{path}: command is {command!r}; write a list such as [python, plant.py]")
    if form not in ("csv", "json"):
        raise InputError(f"{path}: input is {form!r}; the command reads csv or json")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout <= 0:
        raise InputError(f"{path}: timeout is {timeout!r}; give seconds above 0")
    folder = path.resolve().parent
    own = [part for part in command if (folder / part).is_file()]
    listed = said.get("files", [])
    if not isinstance(listed, list) or not all(isinstance(part, str) for part in listed):
        raise InputError(f"{path}: files is {listed!r}; write a list of files")
    files = [path, *(folder / part for part in dict.fromkeys([*own, *listed]))]

    def call(parameters: Mapping[str, float], inputs: Mapping[str, Array], random: np.random.Generator) -> Any:
        seed = int(random.integers(2**31))
        text = _json(parameters, inputs, seed) if form == "json" else _csv(parameters, inputs)
        return _read(path.name, _ran(path.name, command, folder, text=text, seed=seed, timeout=timeout))

    return from_entries(path.name, "command", said, digest=digest_of_files(files), call=call)


def _ran(title: str, command: Sequence[str], folder: Path, *, text: str, seed: int, timeout: float) -> str:
    try:
        done = subprocess.run(
            list(command), input=text, capture_output=True, text=True, cwd=folder, timeout=timeout, check=False,
            env={**os.environ, "TUCKPOINT_SEED": str(seed)},
        )  # fmt: skip
    except FileNotFoundError:
        raise ToolError(f"{title}: no program {command[0]}; install it, or mend `command`") from None
    except PermissionError:
        raise ToolError(
            f"{title}: {command[0]} may not be run; make it executable, or name the program first"
        ) from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"{title}: {' '.join(command)} took over {timeout:g} s; raise `timeout`, or mend it") from None
    if done.returncode:
        last = done.stderr.strip()[-LAST:] or "it said nothing"
        raise ToolError(f"{title}: {' '.join(command)} ended with {done.returncode}: {last}")
    return done.stdout


def _csv(parameters: Mapping[str, float], inputs: Mapping[str, Array]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*inputs, *parameters])
    same = [repr(float(value)) for value in parameters.values()]
    writer.writerows([*map(repr, row), *same] for row in zip(*(c.tolist() for c in inputs.values()), strict=True))
    return text.getvalue()


def _json(parameters: Mapping[str, float], inputs: Mapping[str, Array], seed: int) -> str:
    columns = {name: column.tolist() for name, column in inputs.items()}
    return json.dumps({"parameters": dict(parameters), "inputs": columns, "seed": seed})


def _read(title: str, text: str) -> dict[str, Array]:
    """The columns of a CSV; text that is no number is NaN, which the contract then refuses by name and row."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if not rows:
        raise ToolError(f"{title}: the command wrote nothing; it must write CSV with a header to standard output")
    header, body = [name.strip() for name in rows[0]], rows[1:]
    for number, row in enumerate(body, 1):
        if len(row) != len(header):
            raise ToolError(
                f"{title}: row {number} of its output has {count(len(row), 'field')}, the header {len(header)}"
            )
    return {name: np.array([_number(row[at]) for row in body]) for at, name in enumerate(header)}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
