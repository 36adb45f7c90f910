"""What a published rate foretells: `python -m bench.proof.rates TABLES`, a folder that holds NAME/NAME.csv.

Random slices of one or two columns of three tables (those of `bench.proof.slices` left out) are cut to ten of 3,000
training rows. What the real rows bring when they are put back is measured on up to 12,000 other rows, as the mean over
four refits; beside it stands what the rate of the slice in the whole table foretells: the square of its distance from
the mean that the model expects on another 3,000 rows, times the cost of an error (`tuckpoint.gap.expected`). Runs are
kept in a file, one a line, and a stopped bench goes on.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tuckpoint.gap.assess import Case, Side
from tuckpoint.gap.expected import expected
from tuckpoint.gap.model import losses, predicted
from tuckpoint.measure.utility import Task, task
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Array, Encoded
from tuckpoint.table.frame import read
from tuckpoint.table.infer import infer

TABLES = {  # target, level, columns left out, slices
    "adult": ("income", ">50K", ("fnlwgt", "education_num"), 40),
    "shoppers": ("Revenue", "true", (), 40),
    "default": ("has_default", "1", (), 30),
}
SEEN = (
    "Doctorate",
    "Prof-school",
    "Self-emp-inc",
    "Wife",
    "Married-civ-spouse & ",
    "Black & sex",
    "sex == Female & race",
)
TRAIN, TEST, LEFT, SETS, REFITS, KEPT = 3000, 12_000, 10, 3, 4, 0.8
SHARE = (60 / 3000, 400 / 3000)  # of all rows in a slice
RATE = (0.02, 0.98)
FEWEST = (20, 20, 60)  # rows taken, of the reference, judged
SMALLEST = 0.02
FILE = Path(__file__).parent / "results" / "rates.jsonl"


def slices(data: Encoded, target: str, truth: Array) -> list[tuple[str, Array]]:
    """Levels and fifths of each column, and pairs of them, that hold few of the rows and both outcomes."""
    single = []
    for field in data.fields:
        column = data.columns[field.name]
        if field.name == target:
            continue
        if field.levels is not None:
            single += [(field.name, f"{field.name} == {level}", column == k) for k, level in enumerate(field.levels)]
            continue
        edges = np.unique(np.nanquantile(column.astype(float), np.linspace(0, 1, 6)))
        for low, high in itertools.pairwise(edges):
            single.append((field.name, f"{low:g} <= {field.name} < {high:g}", (column >= low) & (column < high)))
    found = [(text, mask) for _, text, mask in single]
    pairs = itertools.combinations(single, 2)
    found += [(f"{one[1]} & {two[1]}", one[2] & two[2]) for one, two in pairs if one[0] != two[0]]
    return [
        (text, mask)
        for text, mask in found
        if SHARE[0] < mask.mean() < SHARE[1]
        and RATE[0] < truth[mask].mean() < RATE[1]
        and not any(word in text for word in SEEN)
    ]


def runs(name: str, file: Path) -> Iterator[dict[str, Any]]:
    """Each slice of each training set of one table."""
    target, level, left_out, count = TABLES[name]
    table = read(file).table.drop_columns(list(left_out))
    schema = infer(table, target=target)
    data = encode(table, schema)
    work = task({"real": data}, target)
    truth = (work.truth["real"] == [*work.labels].index(f"{float(level)}" if level == "1" else level)).astype(float)
    work = Task(target, 2, {"real": truth}, ("other", level))
    found = slices(data, target, truth)
    picked = Seed(92, ("rates", name)).numpy().permutation(len(found))[:count]
    rows, size = Seed(91, ("rates", name)).numpy().permutation(table.num_rows), min(TRAIN, table.num_rows // 6)
    judged = rows[5 * size : 5 * size + TEST]
    for place, number in itertools.product(picked, range(SETS)):
        text, mask = found[int(place)]
        train, beside = (rows[part * size : (part + 1) * size] for part in (number, number + 1))
        gone = train[mask[train]][LEFT:]
        counts = (len(gone), int(mask[beside].sum()), int(mask[judged].sum()))
        if any(have < least for have, least in zip(counts, FEWEST, strict=True)):
            continue
        kept, seed = np.setdiff1d(train, gone), Seed(number, ("rates", name, text))
        sides = [
            Side(role, data, data.take(some), truth[some]) for role, some in (("train", kept), ("reference", beside))
        ]
        case = Case(schema, sides[0], work, sides[1], None, sides[1], SMALLEST, 0.05, seed)
        (told,) = expected([mask[beside]], case)
        assert told is not None
        gains = refits(data, truth, kept, gone, judged[mask[judged]], work, seed)
        rate = float(truth[mask].mean())
        yield {
            "table": name, "where": text, "set": number,
            "taken": counts[0], "reference": counts[1], "judged": counts[2],
            "rate": rate, "mean": told.means[level], "error": told.errors[level],
            "foretold": told.costs[level] * (rate - told.means[level]) ** 2,
            "gain": float(gains.mean()), "se": float(gains.std(ddof=1) / len(gains) ** 0.5),
        }  # fmt: skip


def refits(data: Encoded, truth: Array, kept: Array, gone: Array, judged: Array, work: Task, seed: Seed) -> Array:
    """How far the loss of each judged row (m,) falls with the rows that were taken: the mean over refits."""
    gains = []
    for refit in range(REFITS):
        some = seed.child("rows", refit).numpy().permutation(kept)[: round(KEPT * len(kept))] if refit else kept
        both = [
            losses(
                predicted(data.take(mine), truth[mine], data.take(judged), work, seed.child("fit")), truth[judged], 2
            )
            for mine in (some, np.concatenate([some, gone]))
        ]
        gains.append(both[0] - both[1])
    return np.asarray(np.mean(gains, axis=0))


def summary(done: Sequence[dict[str, Any]]) -> str:
    """How well what is foretold tells what the rows brought, by table."""
    lines = []
    for name in (*TABLES, "all"):
        mine = [run for run in done if name in (run["table"], "all")]
        if len(mine) < 2:
            continue
        foretold, gain, se = (np.array([run[key] for run in mine]) for key in ("foretold", "gain", "se"))
        low = foretold < SMALLEST
        surely = (gain - 1.96 * se > SMALLEST)[low]
        lines.append(
            f"{name}: {len(mine)} sets, correlation {np.corrcoef(foretold, gain)[0, 1]:.2f}; less than {SMALLEST:g} "
            f"foretold in {low.sum()}: mean gain {gain[low].mean():+.4f}, {(gain[low] > SMALLEST).sum()} above "
            f"{SMALLEST:g}, {surely.sum()} of them beyond doubt; more foretold in {(~low).sum()}: "
            f"mean gain {gain[~low].mean() if (~low).any() else float('nan'):+.4f}"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder that holds NAME/NAME.csv")
    parser.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES))
    asked = parser.parse_args(arguments)
    done = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []
    whole = {run["table"] for run in done}
    for name in asked.tables:
        if name in whole:
            continue
        found = list(runs(name, asked.data / name / f"{name}.csv"))
        done += found
        with FILE.open("a") as out:
            out.writelines(json.dumps(run) + "\n" for run in found)
    print(summary(done))
    return 0


if __name__ == "__main__":
    sys.exit(main())
