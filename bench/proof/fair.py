"""What fair rows do to models: `python -m bench.proof.fair adult.csv --runs 6`.

Adult, race (White, others) by sex. Run `n` fits the engine `trees` to the n-th of disjoint training sets of 5,000 rows
and makes 20,000 rows four times: as they come, in equal shares of the four groups (representation), with one rate of
high incomes in every group (label parity), and in every group of one schooling (conditional parity). One LightGBM model
is trained on each, and on the 5,000 real rows, and tested on the same 15,000 real rows, which no run learns from. Each
run keeps the error of each target on the rows as written. Runs are kept in a file, and a stopped bench goes on.

Intervals of means over runs: variance over training sets divided by their number, plus the variance over test people
(bootstrap, all runs' models on the same people), t with runs - 1 degrees of freedom. The differences to `as is` are
paired by run and by people.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy import stats

from bench.proof.null import RESULTS, kept
from tuckpoint.fair.cells import Label, group_cells
from tuckpoint.fair.make import check, fair_rows
from tuckpoint.fair.spec import Spec
from tuckpoint.measure.fairness import MEASURES, Judged, measures, redrawn
from tuckpoint.measure.fairness_arms import trained
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Context
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import sample

TRAIN, TEST, MADE, DRAWS = 5_000, 15_000, 20_000, 400
POOL = {
    "race": {"White": ["White"], "others": "rest"},
    "education": {
        "degree": ["Bachelors", "Masters", "Doctorate", "Prof-school"],
        "some college": ["Some-college", "Assoc-voc", "Assoc-acdm"],
        "school": "rest",
    },
}
GROUPS = {"groups": ["race", "sex"], "outcome": "income", "positive": ">50K", "pool": {"race": POOL["race"]}}
TARGETS: Mapping[str, Mapping[str, Any]] = {
    "representation": {**GROUPS, "target": "representation"},
    "label parity": {**GROUPS, "target": "label parity"},
    "conditional parity": {**GROUPS, "target": "conditional parity", "given": ["education"], "pool": POOL},
}
ARMS = ("real", "as is", *TARGETS)
TITLES = {"real": "real rows", "as is": "made, as they come"}


def parted(table: pa.Table, number: int) -> tuple[pa.Table, pa.Table]:
    """The training set of a run, and the test rows of all."""
    order = Seed(0, ("fair",)).numpy().permutation(table.num_rows)
    at = TEST + TRAIN * number
    return table.take(pa.array(order[at : at + TRAIN])), table.take(pa.array(order[:TEST]))


def trial(table: pa.Table, number: int, room: Path) -> dict[str, Any]:
    """One training set: all arms, and for each the people tested, by group, label and prediction."""
    train, test = parted(table, number)
    seed, schema, begun = Seed(number, ("fair",)), infer(train, target="income"), time.perf_counter()
    model = fitting.fit(train, schema, engine=Trees(), seed=seed.child("fit"), context=Context(target="income"))
    stream, arms, told = seed.child("draw"), {}, {}
    arms["as is"] = sample(model, MADE, stream)
    for name, asked in TARGETS.items():
        done = fair_rows(model, Spec.from_dict(asked), MADE, stream, real=train)
        told[name] = {"error": check(done.table, done), "changed": done.told.changed, "between": done.told.between[1]}
        arms[name] = done.table
    made = time.perf_counter() - begun
    label = Label("income", ">50K")
    known, truth, predicted = trained(train, arms, test, model.schema, label, seed.child("train"))
    cells = group_cells(Spec.from_dict(TARGETS["representation"]), model.book.fields, model.schema)
    group = cells.place(encode(test, model.schema, strict=False))[known]
    file = room / f"fair-{number}.npz"
    arrays: dict[str, Any] = {f"arm.{name}": found for name, found in predicted.items()}
    np.savez_compressed(file, truth=truth, group=group, **arrays)
    figures = {
        name: {key: measure.value for key, measure in measures(Judged(truth, found, group, cells.names), seed).items()}
        for name, found in predicted.items()
    }
    return {"run": number, "told": told, "figures": figures, "seconds": made, "names": list(cells.names)}


def spread(runs: Sequence[dict[str, Any]], room: Path) -> tuple[Array, Array]:
    """Values (runs, arms, measures), and of their mean over runs the bootstrap (draws, arms, measures) over people."""
    values = np.array([[[run["figures"][arm][name] for name in MEASURES] for arm in ARMS] for run in runs])
    drawn = []
    for run in runs:
        with np.load(room / f"fair-{run['run']}.npz") as held:
            judged = [Judged(held["truth"], held[f"arm.{a}"], held["group"], tuple(run["names"])) for a in ARMS]
        drawn.append(np.stack([redrawn(one, Seed(0, ("people",)), draws=DRAWS) for one in judged], axis=1))
    return values, np.mean(drawn, axis=0)


def interval(by_run: Array, by_people: Array) -> str:
    """A mean over runs with its two-way interval."""
    count = len(by_run)
    half = stats.t.ppf(0.975, count - 1) * (by_run.var(ddof=1) / count + by_people.var(ddof=1)) ** 0.5
    mean = by_run.mean()
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def told(runs: Sequence[dict[str, Any]], room: Path) -> str:
    """The tables of all runs, in Markdown."""
    values, people = spread(runs, room)
    base = ARMS.index("as is")
    heads = list(MEASURES)
    lines = [f"| trained on | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for a, arm in enumerate(ARMS):
        cells = [interval(values[:, a, m], people[:, a, m]).replace("+", "") for m in range(len(heads))]
        lines.append(f"| {TITLES.get(arm, arm)} | {' | '.join(cells)} |")
    lines += ["", f"| beside rows as they come | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for a, arm in enumerate(ARMS):
        if a != base:
            gaps, drawn = values[:, a] - values[:, base], people[:, a] - people[:, base]
            cells = [interval(gaps[:, m], drawn[:, m]) for m in range(len(heads))]
            lines.append(f"| {TITLES.get(arm, arm)} | {' | '.join(cells)} |")
    lines += ["", "| target | largest error on the rows, all runs | labels changed of 20,000, mean |", "|---|---|---|"]
    for name in TARGETS:
        worst = max(run["told"][name]["error"] for run in runs)
        changed = np.mean([run["told"][name]["changed"] for run in runs])
        lines.append(f"| {name} | {worst:.5f} | {changed:,.0f} |")
    return "\n".join([*lines, "", f"{len(runs)} runs."])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--file", type=Path, default=RESULTS / "fair.jsonl")
    parser.add_argument("--room", type=Path, required=True, help="folder for the predictions of each run")
    asked = parser.parse_args(arguments)
    table = read(asked.table).table
    asked.room.mkdir(exist_ok=True)
    runs = kept(asked.file)
    done = {run["run"] for run in runs if (asked.room / f"fair-{run['run']}.npz").exists()}
    runs = [run for run in runs if run["run"] in done]
    for number in range(asked.runs):
        if number not in done:
            runs.append(trial(table, number, asked.room))
            asked.file.write_text("".join(json.dumps(run) + "\n" for run in runs))
    print(told(runs, asked.room))
    return 0


if __name__ == "__main__":
    sys.exit(main())
