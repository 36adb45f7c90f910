"""Fuel use of cars with the light ones removed: `python -m bench.proof.fuel --runs 200`.

Run `n` (seed `n`) trains on 150 cars of 2,300 lb and more. Rows below 2,300 lb come from a simulator of four parameters
by the source kind `simulator` and, as the ceiling, from half of the real light cars; all are judged on the other light
cars by the mean absolute error of mpg. As many rows are made as real ones are trained on (a plan's default); the
learner is LightGBM with leaves of 5 rows. The share is the gain of the simulator over that of the real light cars.

By turns the cars are those of a public table (Auto-MPG as vega_datasets carries it: install that package) and those of
a stated law, drawn anew each time. Two simulators of the wrong structure stand beside: in `cubed` fuel goes with the
third power of weight alone; in `coasting` momentum carries heavy cars, so that fuel falls with weight. Each must be
refused by the edge guard; in one run of five it is measured what its rows would have brought. Runs are kept in a file,
and a stopped bench goes on.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.proof.null import study
from tuckpoint.asked import schema_of
from tuckpoint.measure import boost
from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.prepare import coded
from tuckpoint.prove.kinds.simulator import Simulator
from tuckpoint.prove.source import Made, Task
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded

LIGHT = 2300  # lb
WHERE = f"weight < {LIGHT}"
TRAINED = 150
LEAVES = {"leaf_rows": 5}
HEAD = """
INPUTS = {"weight": (1500, 5200, "lb"), "displacement": (60, 460, "cu in"), "year": (1970, 1982, "1")}
OUTPUTS = {"mpg": "mi/gal"}
"""
# Fuel per mile: rolling resistance goes with weight, friction with the engine's size, air with neither; engines get
# better by a share each year.
RIGHT = """
PARAMETERS = {
    "rolling": (0.2, 2.0, "gal/100 mi/1000 lb"),
    "friction": (0.0, 2.0, "gal/100 mi/100 cu in"),
    "air": (0.0, 3.0, "gal/100 mi"),
    "progress": (0.0, 0.06, "1/year"),
}


def simulate(parameters, inputs, random):
    work = parameters["rolling"] * inputs["weight"] / 1000 + parameters["friction"] * inputs["displacement"] / 100
    return {"mpg": 100 / ((work + parameters["air"]) * (1 - parameters["progress"]) ** (inputs["year"] - 1970))}
"""
CUBED = """
PARAMETERS = {"inertia": (0.01, 1.0, "gal/100 mi/(1000 lb)^3"), "progress": (0.0, 0.06, "1/year")}


def simulate(parameters, inputs, random):
    work = parameters["inertia"] * (inputs["weight"] / 1000) ** 3
    return {"mpg": 100 / (work * (1 - parameters["progress"]) ** (inputs["year"] - 1970))}
"""
COASTING = """
PARAMETERS = {
    "rest": (1.0, 10.0, "gal/100 mi"),
    "momentum": (0.0, 1.0, "1/1000 lb"),
    "progress": (0.0, 0.06, "1/year"),
}


def simulate(parameters, inputs, random):
    work = parameters["rest"] / (1 + parameters["momentum"] * inputs["weight"] / 1000)
    return {"mpg": 100 / (work * (1 - parameters["progress"]) ** (inputs["year"] - 1970))}
"""
SIMULATORS = {"right": RIGHT, "cubed": CUBED, "coasting": COASTING}
WRONG = ("cubed", "coasting")
DATA = ("cars", "law")
EACH = 10  # runs of which two, one a table, show what refused rows would have brought


@cache
def cars() -> pa.Table:
    """The public table: 392 cars of 1970 to 1982 with known mpg and horsepower."""
    from vega_datasets import data

    frame = data.cars().dropna(subset=["Miles_per_Gallon", "Horsepower"])
    names = {
        "mpg": "Miles_per_Gallon", "cylinders": "Cylinders", "displacement": "Displacement", "horsepower": "Horsepower",
        "weight": "Weight_in_lbs", "acceleration": "Acceleration",
    }  # fmt: skip
    columns = {ours: np.asarray(frame[theirs]) for ours, theirs in names.items()}
    return pa.table({**columns, "year": frame["Year"].dt.year.to_numpy(), "origin": frame["Origin"].to_list()})


def law(seed: Seed) -> pa.Table:
    """As many cars of a stated law: size goes with weight, fuel is that of the right simulator times lognormal 10 %."""
    random, rows = seed.numpy(), 392
    weight = np.round(random.uniform(1600, 5100, rows))
    displacement = np.round(np.clip(0.115 * weight - 150 + random.normal(0, 25, rows), 65, 455))
    year = random.integers(1970, 1983, rows)
    work = (1.3 * weight / 1000 + 0.35 * displacement / 100 + 0.8) * 0.97 ** (year - 1970.0)
    mpg = np.round(100 / work * np.exp(random.normal(0, 0.1, rows)), 1)
    horsepower = np.round(0.35 * displacement + 0.015 * weight + random.normal(0, 12, rows))
    return pa.table(
        {"mpg": mpg, "displacement": displacement, "horsepower": horsepower, "weight": weight, "year": year}
    )  # fmt: skip


def trial(number: int) -> dict[str, Any]:
    """One selection of cars, in short."""
    kind, seed = DATA[number % 2], Seed(number, ("fuel",))
    table = cars() if kind == "cars" else law(seed.child("law"))
    schema = schema_of(table, None, target="mpg")
    light = np.asarray(table["weight"]) < LIGHT
    random = seed.child("split").numpy()
    heavy, others = random.permutation(np.flatnonzero(~light)), random.permutation(np.flatnonzero(light))
    train = table.take(pa.array(heavy[:TRAINED]))
    more, test = (table.take(pa.array(part)) for part in np.array_split(others, 2))
    task = Task(train, schema, "mpg", TRAINED, WHERE, seed.child("made"))
    errors = {"real only": _error(schema, [(train, None)], test)}
    errors["real light cars"] = _error(schema, [(train, None), (more, None)], test)
    guards: dict[str, Any] = {}
    for name in SIMULATORS:
        made = _made(name, task)
        guards[name] = {"admitted": made.table is not None, **made.facts}
        if made.table is None and number % EACH < 2:
            made = _made(name, task, allowed=10.0)
        if made.table is not None:
            errors[name] = _error(schema, [(train, None), (made.table, made.weights)], test)
    return {"run": number, "data": kind, "light": int(light.sum()), "errors": errors, "guards": guards}


def _made(name: str, task: Task, *, allowed: float = 1.1) -> Made:
    """Rows of a simulator by its source kind; `allowed` of 10 shows what would be if the guard let it pass."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{name}.py"
        file.write_text(HEAD + SIMULATORS[name], encoding="utf-8")
        kind = Simulator(**Simulator.planned(file), allowed=allowed, learner=LEAVES)
        return kind.make(task)


def _error(schema: Schema, parts: Sequence[tuple[pa.Table, Array | None]], test: pa.Table) -> float:
    """Mean absolute error of mpg on test cars of a model of these rows."""
    fields = encode(pa.concat_tables([*(part.select(schema.names) for part, _ in parts), test]), schema).fields
    rows = [Encoded(fields, coded(part, schema, fields, "made")) for part, _ in parts]
    inputs = [boost.features(one, without="mpg") for one in rows]
    values = np.concatenate([one.values for one in inputs])
    weights = np.concatenate([np.ones(part.num_rows) if its is None else its for part, its in parts])
    truth = np.concatenate([one.columns["mpg"] for one in rows])
    whole = boost.Features(inputs[0].names, values, inputs[0].categories)
    model = boost.train(whole, truth, classes=0, seed=Seed(0), settings=Boosting(**LEAVES), weights=weights)
    judged = Encoded(fields, coded(test, schema, fields, "test"))
    return float(np.abs(boost.predict(model, boost.features(judged, without="mpg")) - judged.columns["mpg"]).mean())


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs, by data."""
    lines = []
    for kind in DATA:
        part = [run for run in runs if run["data"] == kind]
        if not part:
            continue
        lines.append(f"{kind}: {len(part)} runs")
        for name in ("real only", "real light cars", *SIMULATORS):
            found = [run["errors"][name] for run in part if name in run["errors"]]
            if found:
                lines.append(f"  {name}: mean absolute error {np.mean(found):.2f} ({len(found)} runs)")
        share, low, high = _share(part)
        lines.append(f"  share of what real light cars bring: {share:.0%} [{low:.0%}, {high:.0%}]")
        for name in SIMULATORS:
            right = [run["guards"][name]["admitted"] == (name == "right") for run in part]
            ratios = [_ratio(run["guards"][name]) for run in part]
            least, most = clopper_pearson(sum(right), len(right))
            word = "admitted" if name == "right" else "refused"
            lines.append(
                f"  {name} {word}: {sum(right)} of {len(right)} = {np.mean(right):.1%} [{least:.1%}, {most:.1%}]; "
                f"edge error over data only: median {np.median(ratios):.2f}, {min(ratios):.2f} to {max(ratios):.2f}"
            )
    return "\n".join(lines)


def _ratio(guard: dict[str, Any]) -> float:
    return float(guard["edge error of mpg"] / guard["edge error of mpg, data only"])


def _share(runs: Sequence[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean gain over mean gain, rows that the guard refused counted as no rows; a bootstrap interval over runs."""
    gained, most = (
        np.array([run["errors"]["real only"] - run["errors"][_used(run, name)] for run in runs])
        for name in ("right", "real light cars")
    )
    random = Seed(0, ("fuel", "bootstrap")).numpy()
    drawn = random.integers(0, len(runs), (2000, len(runs)))
    shares = gained[drawn].mean(axis=1) / most[drawn].mean(axis=1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(gained.mean() / most.mean()), float(low), float(high)


def _used(run: dict[str, Any], name: str) -> str:
    return "real only" if name == "right" and not run["guards"]["right"]["admitted"] else name


def main(arguments: Sequence[str] | None = None) -> int:
    return study(__doc__, "fuel", 200, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
