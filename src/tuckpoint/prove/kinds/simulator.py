"""Source `simulator`: the user's own mechanistic model, calibrated to the training rows and admitted at their edge.

Named by its file alone (plant.py, or plant.yaml of a command or FMU), or by one that says more:

tuckpoint_simulator: 1
file: plant.py                    # beside this one
allowed: 1.2                      # what the guard lets pass
learner: {leaf_rows: 5}           # the guard's data-only model: give the settings of the plan's
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from tuckpoint import declared, settings
from tuckpoint.errors import InputError
from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.source import Made, Task
from tuckpoint.simulate import rows
from tuckpoint.simulate.calibrate import Calibration, Calibrator
from tuckpoint.simulate.contract import YAML, load
from tuckpoint.simulate.contract import Simulator as Model
from tuckpoint.simulate.guard import ALLOWED
from tuckpoint.simulate.places import Origin
from tuckpoint.table.frame import read

KIND, GUIDE = "simulator", "docs/simulate.md"
KNOWN = (
    "file", "calibrator", "draws", "starts", "simulations", "inputs", "engine", "reference", "allowed", "learner",
)  # fmt: skip


@dataclass(frozen=True)
class Simulator:
    """A simulator's file and digest, how it is calibrated, where its inputs come from, and what the guard lets pass.

    `inputs` is `stretched` (training rows moved into the slice), `engine` (the conditional of the engine of that name)
    or `reference` (rows of a table, with its digest). `learner` holds settings of the guard's data-only model: give
    those of the plan. Raises InputError for files that are not those that were named, and what `load` raises.
    """

    name: ClassVar[str] = "simulator"
    once: ClassVar[bool] = False
    file: str
    sha256: str
    calibrator: Calibrator = "auto"
    draws: int = 60
    starts: int = 8
    simulations: int = 4000
    inputs: Origin = "stretched"
    engine: str = "trees"
    reference: str | None = None
    reference_sha256: str | None = None
    allowed: float = ALLOWED
    learner: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model()
        self.request()
        if (self.inputs == "reference") != (self.reference is not None):
            raise InputError("inputs: reference goes with reference: FILE; give both or neither")
        self.table()

    def model(self) -> Model:
        """The simulator itself."""
        return load(self.file, sha256=self.sha256)

    def request(self) -> rows.Request:
        """How rows are made."""
        how = Calibration(self.calibrator, self.draws, self.starts, self.simulations)
        return rows.Request(how, self.inputs, self.engine, self.allowed, settings.build(Boosting, self.learner))

    def table(self) -> pa.Table | None:
        """The reference, if one is named; raises InputError if it is another than its digest says."""
        if self.reference is None:
            return None
        frame = read(self.reference)
        if frame.digest != self.reference_sha256:
            raise InputError(
                f"reference {self.reference}: its digest is {frame.digest}, and reference_sha256 says "
                f"{self.reference_sha256}; name the digest, or bring the old table back"
            )
        return frame.table

    def make(self, task: Task) -> Made:
        """Calibrate, guard, and make rows in the slice; none if the guard refuses."""
        model = self.model()
        if task.target not in model.outputs:
            raise InputError(
                f'{model.name} does not give the target "{task.target}"; its outputs are: {", ".join(model.outputs)}'
            )
        made = rows.make(
            model, task.train, task.schema, rows=task.rows, where=task.where, seed=task.seed.child("simulator"),
            request=self.request(), reference=self.table(),
        )  # fmt: skip
        return Made(made.table, made.why, facts(made), made.weights)

    @classmethod
    def planned(cls, file: Path) -> Mapping[str, Any]:
        """The file and the digest of all that the simulator consists of, and what a file of settings says besides.

        Raises InputError for a file that is neither a simulator nor one of settings.
        """
        if file.suffix not in YAML or f"tuckpoint_{KIND}" not in declared.read(file, do=f"see {GUIDE}"):
            return {"file": str(file), "sha256": load(file).digest}
        given = declared.load(file, KIND, KNOWN, guide=GUIDE)
        if not isinstance(given.get("file"), str):
            raise InputError(f"{file}: say which simulator, file: plant.py")
        told = {name: value for name, value in given.items() if name in KNOWN}
        told["file"] = str(file.parent / given["file"])
        told["sha256"] = load(told["file"]).digest
        if isinstance(given.get("reference"), str):
            told["reference"] = str(file.parent / given["reference"])
            told["reference_sha256"] = read(told["reference"]).digest
        settings.build(cls, told)
        return told

    def serves(self, gap: Mapping[str, Any]) -> str:
        """It knows what its inputs do, also where no training row is."""
        model, columns = self.model(), list(gap["missing"]["columns"])
        if given := [name for name in columns if name in model.outputs]:
            return f"{given[0]} is what {model.name} gives: nobody knows before where that happens"
        if not set(columns) & set(model.inputs):
            return f"{model.name} takes none of: {', '.join(columns)}; it knows nothing of that gap"
        return ""


def facts(made: rows.Batch) -> dict[str, float]:
    """Figures of one calibration: the guard's two errors by output, extrapolation, discrepancy, parameters."""
    told = {f"edge error of {name}": value for name, value in made.guard.simulator.items()}
    told |= {f"edge error of {name}, data only": value for name, value in made.guard.data.items()}
    if made.posterior is not None:
        told["extrapolated"] = made.extrapolated
        told |= {f"discrepancy of {name}": value for name, value in made.discrepancy.items()}
        told |= {name: made.posterior.interval(name)[0] for name in made.posterior.names}
    return told
