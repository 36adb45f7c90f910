"""Planted gaps: `python -m bench.proof.gaps adult.csv --planted 140 --null 1000 --time 5 --mend 40 --known 300`.

Each planted trial draws 8,000 training rows and 6,000 others as the reference, cuts one of 14 two-way slices to 5 % in
the training rows, and asks whether the first gap told is that slice (Jaccard overlap of 0.5 or more over the
reference), whether it is among the first five, and how many other gaps are told. Each null trial draws both tables by
chance; any gap is then a false one. Each mending trial cuts one of five slices of 3,000 training rows to 10 rows; the
fall of the loss that `find` tells, from labelled reference rows, stands beside the one that the cut rows themselves
bring on 30,000 other rows: one refit, which scatters about the fall that is to be expected of the table. A known trial
draws a table of a stated law; the truth is what rows that the law gives bring to it, in the mean of three draws of
them, on 4,000 fresh rows. Trials are kept in a file, and a stopped bench goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.gap.assess import mask_of
from tuckpoint.gap.find import Settings, find
from tuckpoint.gap.model import losses, predicted
from tuckpoint.gap.reducible import Rows, both, corrected, measured
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.measure.prepare import prepare
from tuckpoint.measure.utility import Task, task
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Encoded, Field
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer

COLUMNS = ("age", "workclass", "education", "marital_status", "occupation", "race", "sex", "hours_per_week")
SLICES = (
    'sex == "Female" and marital_status == "Married-civ-spouse"',
    'race == "Black" and sex == "Female"',
    'age < 25 and sex == "Female"',
    'age >= 55 and marital_status == "Divorced"',
    'education == "Masters" and sex == "Male"',
    'education == "Bachelors" and marital_status == "Never-married"',
    'workclass == "Self-emp-not-inc" and hours_per_week >= 50',
    'occupation == "Sales" and sex == "Female"',
    'occupation == "Craft-repair" and age >= 50',
    'workclass == "Local-gov" and sex == "Female"',
    'education == "HS-grad" and age >= 60',
    'occupation == "Exec-managerial" and marital_status == "Divorced"',
    'hours_per_week < 35 and sex == "Male"',
    'education == "Some-college" and age < 23',
)
TRAIN, REFERENCE, KEPT = 8000, 6000, 0.05
NULL = (3000, 2000)
MENDED = (
    'education in ["Doctorate", "Prof-school"]',
    'sex == "Female" and marital_status == "Married-civ-spouse"',
    'workclass == "Self-emp-inc"',
    'sex == "Female" and race == "Black"',
    'occupation == "Exec-managerial" and sex == "Female"',
)
APART = (0.0, 0.7, 1.5)  # of a slice of the stated law, in logits
LAW, DRAWN = (1000, 120, 300, 4000), 3  # rows outside, that are added, reference rows there, judged; draws of the added
LEFT, SMALLEST = 10, 0.02  # rows that are left of a slice, and the fall of the loss that matters
RESULTS = Path(__file__).parent / "results"


def parted(table: pa.Table, seed: Seed, train: int, reference: int) -> tuple[pa.Table, pa.Table]:
    """Training rows and reference, drawn without replacement."""
    order = seed.numpy().permutation(table.num_rows)
    return table.take(pa.array(order[:train])), table.take(pa.array(order[train : train + reference]))


def inside(table: pa.Table, where: str, whole: pa.Table) -> np.ndarray:
    """Rows that satisfy the condition, as columns of the whole table mean it."""
    schema = infer(whole)
    return mask_of(where, encode(table, schema), schema)


def planted(table: pa.Table, number: int) -> dict[str, object]:
    """One planted slice."""
    where, seed = SLICES[number % len(SLICES)], Seed(number, ("planted",))
    train, reference = parted(table, seed.child("rows"), TRAIN, REFERENCE)
    keep = ~inside(train, where, table) | (seed.child("cut").numpy().random(TRAIN) < KEPT)
    begun = time.perf_counter()
    found = find(train.filter(pa.array(keep)), reference=reference)
    seconds = time.perf_counter() - begun
    true = inside(reference, where, table)
    masks = [inside(reference, gap.missing.where, table) for gap in found.gaps]
    overlap = [float((mask & true).sum() / (mask | true).sum()) for mask in masks]
    touched = [float((mask & true).mean() / mask.mean()) for mask in masks]
    return {
        "run": number, "kind": "planted", "where": where, "share": float(true.mean()), "seconds": seconds,
        "overlap": overlap, "told": [gap.missing.where for gap in found.gaps],
        "apart": sum(share < 0.1 for share in touched),
    }  # fmt: skip


def null(table: pa.Table, number: int) -> dict[str, object]:
    """Two tables of one law: every gap is false."""
    train, reference = parted(table, Seed(number, ("null",)), *NULL)
    found = find(train, reference=reference)
    return {"run": number, "kind": "null", "told": [gap.missing.where for gap in found.gaps], "tested": found.tested}


def timed(table: pa.Table, number: int) -> dict[str, object]:
    """50,000 x 8 training rows (drawn with replacement) beside 6,000 of the reference, one slice cut."""
    random = Seed(number, ("timed",)).numpy()
    train = table.take(pa.array(random.integers(0, table.num_rows, 53_000)))
    keep = ~inside(train, SLICES[0], table) | (random.random(train.num_rows) < KEPT)
    train = train.filter(pa.array(keep)).slice(0, 50_000)
    reference = table.take(pa.array(random.permutation(table.num_rows)[:REFERENCE]))
    begun = time.perf_counter()
    found = find(train, reference=reference, settings=Settings())
    return {
        "run": number, "kind": "timed", "rows": train.num_rows, "seconds": time.perf_counter() - begun,
        "told": [gap.missing.where for gap in found.gaps],
    }  # fmt: skip


def mended(table: pa.Table, number: int) -> dict[str, object]:
    """What more rows would bring to a slice, as told and as it is; `table` has the outcome."""
    where, seed = MENDED[number % len(MENDED)], Seed(number, ("mended",))
    order = seed.numpy().permutation(table.num_rows)
    train, reference, others = (table.take(pa.array(order[a:b])) for a, b in ((0, 3000), (3000, 15000), (15000, 45000)))
    gone = np.flatnonzero(inside(train, where, table))[LEFT:]
    kept = np.setdiff1d(np.arange(train.num_rows), gone)
    settings = Settings(smallest_effect=SMALLEST, seed=number)
    found = find(train.take(pa.array(kept)), target="income", reference=reference, settings=settings)
    true = inside(reference, where, table)
    masks = [(gap, inside(reference, gap.missing.where, table)) for gap in found.gaps]
    mine = [gap for gap, mask in masks if (mask & true).sum() >= 0.5 * (mask | true).sum()]
    about = mine[0].reducible if mine else None
    return {
        "run": number, "kind": "mended", "where": where, "true": gained(train, kept, others, where, table),
        "state": None if about is None else about.state, "gain": None if about is None else about.gain,
        "low": None if about is None else about.low, "high": None if about is None else about.high,
    }  # fmt: skip


def gained(train: pa.Table, kept: np.ndarray, others: pa.Table, where: str, whole: pa.Table) -> float:
    """The fall of the mean loss in the slice when the rows that were cut are there."""
    schema = infer(train, target="income")
    space = prepare(train, others, None, schema)
    work = task({"real": space.real, "others": space.made}, "income")
    rows = np.flatnonzero(inside(others, where, whole))
    losses_ = []
    for chosen in (kept, np.arange(train.num_rows)):
        out = predicted(space.real.take(chosen), work.truth["real"][chosen], space.made.take(rows), work, Seed(0))
        losses_.append(losses(out, work.truth["others"][rows], work.classes).mean())
    return float(losses_[0] - losses_[1])


def drawn(rows: int, inside: bool, apart: float, random: np.random.Generator) -> Rows:
    """Rows of the stated law: three numbers tell the outcome; in the slice it is likelier by `apart` logits."""
    columns = {f"x{k}": random.normal(size=rows) for k in range(3)} | {"slice": np.full(rows, float(inside))}
    score = columns["x0"] + 0.7 * columns["x1"] * (columns["x2"] > 0) - 0.5 + apart * inside
    truth = (random.random(rows) < 1 / (1 + np.exp(-score))).astype(float)
    columns["y"] = truth
    return Rows(Encoded(tuple(Field(name) for name in columns), columns), truth, np.full(rows, inside))


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows."""
    names = parts[0].data.columns
    data = Encoded(
        parts[0].data.fields, {name: np.concatenate([p.data.columns[name] for p in parts]) for name in names}
    )
    return Rows(data, np.concatenate([p.truth for p in parts]), np.concatenate([p.inside for p in parts]))


def known(_table: pa.Table, number: int) -> dict[str, object]:
    """What more rows would bring by the stated law, as told; the rows that are lacking are those that are added."""
    apart, seed = APART[number % len(APART)], Seed(number, ("known",))
    random, work = seed.numpy(), Task("y", 2, {})
    train = joined([drawn(LAW[0], False, apart, random), drawn(LEFT, True, apart, random)])
    reference = joined([drawn(LAW[0], False, apart, random), drawn(LAW[2], True, apart, random)])
    refitted = measured(train, reference, work, lacking=LAW[1], smallest=SMALLEST, seed=seed.child("measured"))
    correction = corrected(train, reference, work, smallest=SMALLEST, seed=seed.child("corrected"))
    about = both(refitted, correction)
    return {
        "run": number, "kind": "known", "apart": apart, "state": about.state, "gain": about.gain, "low": about.low,
        "high": about.high, "true": fall(train, apart, number),
        "correction": [correction.gain, correction.low, correction.high],
    }  # fmt: skip


def fall(train: Rows, apart: float, number: int) -> float:
    """What the lacking rows bring to this table, by the stated law."""
    random, work = Seed(number, ("cond",)).numpy(), Task("y", 2, {})
    judged = drawn(LAW[3], True, apart, random)

    def loss(rows: Rows) -> float:
        out = predicted(rows.data, rows.truth, judged.data, work, Seed(0))
        return float(losses(out, judged.truth, 2).mean())

    filled = [loss(joined([train, drawn(LAW[1], True, apart, random)])) for _ in range(DRAWN)]
    return loss(train) - float(np.mean(filled))


def share(count: int, total: int) -> str:
    """A share with its Clopper-Pearson interval."""
    low, high = clopper_pearson(count, total)
    return f"{count} of {total} = {count / total:.1%} [{low:.1%}, {high:.1%}]"


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs."""
    lines = []
    if done := [run for run in runs if run["kind"] == "planted"]:
        first = sum(bool(run["overlap"]) and run["overlap"][0] >= 0.5 for run in done)
        five = sum(any(o >= 0.5 for o in run["overlap"][:5]) for run in done)
        apart = sum(run["apart"] > 0 for run in done)
        lines.append(f"planted: first in {share(first, len(done))}; among the first five in {share(five, len(done))}")
        lines.append(f"  some gap that shares less than a tenth with the planted one: {share(apart, len(done))}")
        lines.append(f"  {np.mean([len(run['told']) for run in done]):.2f} gaps told on the average")
    if done := [run for run in runs if run["kind"] == "null"]:
        lines.append(f"null: any gap in {share(sum(bool(run['told']) for run in done), len(done))}")
    if any(run["kind"] == "mended" for run in runs):
        lines.append("mended: slice cut to 10 rows; true fall of the log loss (mean, se) and what was told")
    for where in MENDED:
        mine = [run for run in runs if run["kind"] == "mended" and run["where"] == where]
        if mine:
            true = np.array([run["true"] for run in mine])
            states = {str(s): sum(r["state"] == s for r in mine) for s in {r["state"] for r in mine}}
            told_ = [run for run in mine if run["gain"] is not None]
            held = sum(run["low"] <= run["true"] <= run["high"] for run in told_)
            mean = np.mean([run["gain"] for run in told_]) if told_ else float("nan")
            lines.append(
                f"  {where}: {true.mean():+.3f} ({true.std(ddof=1) / len(true) ** 0.5:.3f}); told {mean:+.3f}, "
                f"interval holds the run's in {held} of {len(told_)}; {states}"
            )
    for apart in APART:
        mine = [run for run in runs if run["kind"] == "known" and run["apart"] == apart]
        if len(mine) > 1:
            held = sum(run["low"] <= run["true"] <= run["high"] for run in mine)
            states = {str(s): sum(r["state"] == s for r in mine) for s in {r["state"] for r in mine}}
            off = np.array([run["gain"] - run["true"] for run in mine])
            lines.append(
                f"law, {apart:g} logits apart: true fall {np.mean([run['true'] for run in mine]):+.4f}, told less true "
                f"{off.mean():+.4f} (se {off.std(ddof=1) / len(off) ** 0.5:.4f}); interval holds it in "
                f"{share(held, len(mine))}; {states}"
            )
    if done := [run for run in runs if run["kind"] == "timed"]:
        seconds = [run["seconds"] for run in done]
        lines.append(f"50,000 x 8: {np.median(seconds):.2f} s (median of {len(done)}, {max(seconds):.2f} s at most)")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="the census table `adult` as CSV")
    parser.add_argument("--planted", type=int, default=140)
    parser.add_argument("--null", type=int, default=1000)
    parser.add_argument("--time", type=int, default=5)
    parser.add_argument("--mend", type=int, default=40)
    parser.add_argument("--known", type=int, default=300)
    parser.add_argument("--file", type=Path, default=RESULTS / "gaps.jsonl")
    asked = parser.parse_args(arguments)
    whole = read(asked.table).table
    table, labelled = whole.select(COLUMNS), whole.drop_columns(["fnlwgt"])
    asked.file.parent.mkdir(exist_ok=True)
    runs = [json.loads(line) for line in asked.file.read_text().splitlines()] if asked.file.exists() else []
    done = {(run["kind"], run["run"]) for run in runs}
    with asked.file.open("a") as out:
        kinds = (
            (timed, asked.time), (planted, asked.planted), (mended, asked.mend), (null, asked.null),
            (known, asked.known),
        )  # fmt: skip
        for kind, count in kinds:
            for number in range(count):
                if (kind.__name__, number) not in done:
                    runs.append(kind(labelled if kind is mended else table, number))
                    out.write(json.dumps(runs[-1]) + "\n")
                    out.flush()
    print(told(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
