"""Slices of a census table cut to ten rows: `python -m bench.proof.slices adult.csv --sets 10`.

Ten disjoint training sets of 3,000 rows; in each, five slices in turn are cut to 10 rows. What is taken away is put
back (the oracle), or made: by drawing the ten rows again, by SMOTE between them, by the tree engine under the slice's
condition, and by the source `rates` with one published rate, that of the slice in all rows which are in neither this
training set nor the test (its standard error is their binomial one). Made rows weigh together what was taken away. All
arms train the learner of a proof, and are judged on 12,000 other rows, on those in the slice.

Beside each: what `find` says of the gap, with another training set without outcomes as the reference and the labelled
rows of neither training nor test, and what `plan` would do with `trees` and the published rate as sources. And one
proof a slice that matters, `--only prove`: 40 rows of the slice are left, 4,300 later rows are the test. Runs are kept
in files, one a line, and a stopped bench goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import yaml

from tuckpoint.gap.assess import mask_of
from tuckpoint.gap.find import Settings, find
from tuckpoint.prove import sources
from tuckpoint.prove.draft import draft
from tuckpoint.prove.metric import losses
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import prove
from tuckpoint.prove.study import Study, study
from tuckpoint.seed import Seed
from tuckpoint.table.engine import Array
from tuckpoint.table.frame import read

SLICES = {
    'education in ["Doctorate", "Prof-school"]': True,  # whether rows matter there, by the oracle
    'sex == "Female" and marital_status == "Married-civ-spouse"': True,
    'workclass == "Self-emp-inc"': False,
    'sex == "Female" and race == "Black"': False,
    'age < 25 and marital_status == "Married-civ-spouse"': False,
}
PROVED, LATER = 40, 4300  # rows of the slice that are left for a proof, and later rows that are its test
LEFT_OUT = ["fnlwgt", "education_num"]  # a sampling weight, and education once more
TRAIN, SETS, TEST, LEFT = 3000, 10, 12_000, 10
SPREAD = 16  # made rows per row taken away, each of a 16th of its weight: labels are drawn, and so say less by chance
SMALLEST = 0.02
RESULTS = Path(__file__).parent / "results"
ARMS = ("oracle", "oversample", "SMOTE", "trees", "rates")


def parts(table: pa.Table, seed: int) -> tuple[list[Array], Array, Array]:
    """Rows of each training set, of the test, and the rest."""
    order = Seed(seed, ("slices",)).numpy().permutation(table.num_rows)
    end = SETS * TRAIN
    sets = [order[k * TRAIN : (k + 1) * TRAIN] for k in range(SETS)]
    return sets, order[end : end + TEST], order[end + TEST :]


def rate_of(truth: Array, inside: Array, rows: Array) -> dict[str, Any]:
    """The rate of a slice among some rows, as it would be published."""
    known = truth[rows[inside[rows]]]
    rate = float(known.mean())
    return {
        "rate": rate, "standard_error": (rate * (1 - rate) / len(known)) ** 0.5, "source": "rows of neither side",
    }  # fmt: skip


def one(whole: Study, table: pa.Table, number: int, where: str, seed: int) -> dict[str, Any]:
    """One slice of one training set."""
    begun, sets = time.perf_counter(), parts(table, seed)
    train, test, rest = sets[0][number], sets[1], sets[2]
    inside = mask_of(where, whole.data, whole.schema)
    gone = train[inside[train]][LEFT:]
    kept, judged = np.setdiff1d(train, gone), test[inside[test]]
    beside = np.concatenate([rest, *(rows for k, rows in enumerate(sets[0]) if k != number)])
    published = {"where": where, **rate_of(whole.truth, inside, beside)}
    many = int(inside[beside].sum())
    base = sources.real(whole, kept)
    own, at = Seed(seed, ("slices", str(number), where)), len(gone)
    again = own.child("again").numpy().choice(kept[inside[kept]], at)
    kinds = {
        "SMOTE": Source("SMOTE", kind="smote", where=where),
        "trees": Source("trees", where=where),
        "rates": Source("rates", kind="rates", settings={"rates": [published], "level": ">50K"}, where=where),
    }
    blocks: dict[str, list[sources.Block]] = {
        "real only": [], "oracle": [sources.real(whole, gone)], "oversample": [sources.real(whole, again)],
    }  # fmt: skip
    facts, why = {}, {}
    for name, source in kinds.items():
        batch = sources.made(whole, source, kept, own.child(name), finished={}, most=SPREAD * at / len(kept))
        blocks[name] = [] if batch.block is None else [batch.block.weighing(at)]
        facts[name], why[name] = dict(batch.facts), batch.why
    told: dict[str, Any] = {}
    truth, plain = whole.truth[judged], None
    for name, more in blocks.items():
        model = sources.trained(whole, [base, *more], own.child("learner"))
        predicted = sources.predicted(whole, model, judged)
        loss = losses(predicted, truth)
        plain = loss if plain is None else plain
        told[name] = {
            "loss": float(loss.mean()), "bias": float(predicted.mean() - truth.mean()),
            "testing": float(np.var(plain - loss, ddof=1) / len(judged)),
        }  # fmt: skip
    return {
        "set": number, "where": where, "seed": seed, "taken": at, "judged": len(judged),
        "rate": published["rate"], "error": published["standard_error"],
        "rate_rows": many, "arms": told, "facts": facts,
        "why": {name: reason for name, reason in why.items() if reason},
        "seconds": time.perf_counter() - begun,
    }  # fmt: skip


def asked(table: pa.Table, number: int, where: str, seed: int) -> dict[str, Any]:
    """What `find` and `plan` say of the gap. The reference is the next training set, without outcomes; labelled are the
    rows of neither training nor test.
    """
    sets, _, rest = parts(table, seed)
    schema = study(Plan("income", (Source("none"),), metric="log_loss"), table)
    inside = mask_of(where, schema.data, schema.schema)
    kept = np.setdiff1d(sets[number], sets[number][inside[sets[number]]][LEFT:])
    reference, test = (table.take(pa.array(rows)) for rows in (sets[(number + 1) % SETS], rest))
    settings = Settings(smallest_effect=SMALLEST, seed=number)
    found = find(
        table.take(pa.array(kept)), target="income", reference=reference.drop_columns(["income"]), test=test,
        settings=settings,
    )  # fmt: skip
    true = inside[rest]
    masks = [mask_of(gap.missing.where, schema.data, schema.schema)[rest] for gap in found.gaps]
    mine = [k for k, mask in enumerate(masks) if (mask & true).sum() >= 0.5 * (mask | true).sum()]
    if not mine:
        return {"set": number, "where": where, "seed": seed, "found": None}
    gap = found.gaps[mine[0]]
    data = {**found.to_dict(), "gaps": [found.to_dict()["gaps"][mine[0]]]}
    with tempfile.TemporaryDirectory() as room:
        file = Path(room) / "rates.yaml"
        published = rate_of(
            schema.truth, inside, np.concatenate([rest, *(s for k, s in enumerate(sets) if k != number)])
        )
        told = {"tuckpoint_rates": 1, "level": ">50K", "rates": [{"where": where, **published}]}
        file.write_text(yaml.safe_dump(told))
        does = draft(data, ("trees", f"rates: {file}")).decisions[0]
    about = gap.reducible
    return {
        "set": number, "where": where, "seed": seed, "found": gap.missing.where, "do": does.do, "why": does.why,
        "state": None if about is None else about.state, "gain": None if about is None else about.gain,
        "low": None if about is None else about.low, "high": None if about is None else about.high,
        "harm": None if gap.harm is None else gap.harm.state, "advice": gap.advice,
    }  # fmt: skip


def proved(table: pa.Table, where: str, seed: int) -> dict[str, Any]:
    """A whole proof of the source `rates` for one slice; what is locked is later than what is learnt from."""
    sets, test, rest = parts(table, seed)
    whole = study(Plan("income", (Source("none"),), metric="log_loss", positive=">50K"), table)
    inside = mask_of(where, whole.data, whole.schema)
    kept = np.setdiff1d(sets[0], sets[0][inside[sets[0]]][PROVED:])
    rows = np.concatenate([kept, test[:LATER]])
    year = (np.arange(len(rows)) >= len(kept)).astype(int)
    published = {"where": where, **rate_of(whole.truth, inside, rest)}
    source = Source("rates", kind="rates", settings={"rates": [published], "level": ">50K"}, where=where)
    plan = Plan(
        "income", (source,), metric="log_loss", smallest_effect=SMALLEST, slices=(where,), positive=">50K",
        amounts=(0.2,), weights=(0.02, 0.05, 0.15), curve=(), folds=Folds(test=0.6), seed=seed,
    )  # fmt: skip
    begun = time.perf_counter()
    done = prove(plan, table.take(pa.array(rows)).append_column("year", pa.array(year)), time="year")
    said = done.to_dict()
    keys = ("state", "why", "sentences", "chosen", "notes", "digest")
    arms = {arm.name: (arm.value, arm.gain, arm.low, arm.high) for arm in done.arms}
    seconds = time.perf_counter() - begun
    return {"where": where, "seed": seed, "arms": arms, "seconds": seconds, **{key: said[key] for key in keys}}


def gain(runs: Sequence[dict[str, Any]], arm: str) -> tuple[float, float, float]:
    """The fall of the loss with a 95 % interval: t over training sets, and the test rows besides."""
    from scipy.special import stdtrit

    falls = np.array([run["arms"]["real only"]["loss"] - run["arms"][arm]["loss"] for run in runs])
    testing = float(np.mean([run["arms"][arm]["testing"] for run in runs]))
    half = float(stdtrit(len(falls) - 1, 0.975)) * (falls.var(ddof=1) / len(falls) + testing) ** 0.5
    return float(falls.mean()), float(falls.mean() - half), float(falls.mean() + half)


def share(runs: Sequence[dict[str, Any]], arm: str) -> tuple[float, float, float]:
    """The share of the oracle's gain, with a 95 % interval over training sets (linearised ratio of means)."""
    from scipy.special import stdtrit

    mine, best = (
        np.array([run["arms"]["real only"]["loss"] - run["arms"][name]["loss"] for run in runs])
        for name in (arm, "oracle")
    )
    ratio = float(mine.mean() / best.mean())
    rest = mine - ratio * best
    half = float(stdtrit(len(rest) - 1, 0.975)) * rest.std(ddof=1) / len(rest) ** 0.5 / abs(best.mean())
    return ratio, ratio - half, ratio + half


def told(runs: Sequence[dict[str, Any]], plans: Sequence[dict[str, Any]]) -> str:
    """The figures."""
    lines = []
    for where, matters in SLICES.items():
        mine = [run for run in runs if run["where"] == where]
        if len(mine) > 1:
            first = mine[0]
            lines.append(
                f"{where} ({'rows matter' if matters else 'rows do not matter'}): {len(mine)} sets, "
                f"{np.mean([run['taken'] for run in mine]):.0f} rows taken, {first['judged']} judged, published rate "
                f"{first['rate']:.3f} (se {first['error']:.3f})"
            )
            bias = np.mean([run["arms"]["real only"]["bias"] for run in mine])
            lines.append(f"  real only    bias {bias:+.3f}")
            for arm in ARMS:
                value, low, high = gain(mine, arm)
                bias = np.mean([run["arms"][arm]["bias"] for run in mine])
                part = ""
                if matters and arm != "oracle":
                    ratio, least, most = share(mine, arm)
                    part = f"  {ratio:.0%} of the oracle's [{least:.0%}, {most:.0%}]"
                missing = sum(arm in run["why"] for run in mine)
                none = f"  (no rows in {missing} sets)" if missing else ""
                lines.append(f"  {arm:<12} gain {value:+.3f} [{low:+.3f}, {high:+.3f}]  bias {bias:+.3f}{part}{none}")
        done = [run for run in plans if run["where"] == where]
        if done:
            said = {what: sum(run.get("do") == what for run in done) for what in ("make", "collect", "nothing")}
            states = {str(s): sum(r.get("state") == s for r in done) for s in {r.get("state") for r in done}}
            lost = sum(run["found"] is None for run in done)
            lines.append(f"  plan: {said}, not found {lost}; reducible: {states}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path, help="the census table `adult` as CSV")
    parser.add_argument("--sets", type=int, default=SETS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slices", type=int, default=len(SLICES), help="only the first of them")
    parser.add_argument("--only", choices=("make", "plan", "prove"), help="one part of the bench")
    parser.add_argument("--folder", type=Path, default=RESULTS)
    asked_for = parser.parse_args(arguments)
    table = read(asked_for.table).table.drop_columns(LEFT_OUT)
    asked_for.folder.mkdir(exist_ok=True)
    kept: dict[str, list[dict[str, Any]]] = {}
    whole = study(Plan("income", (Source("none"),), metric="log_loss", positive=">50K"), table)
    for kind in ("make", "plan"):
        file = asked_for.folder / f"slices-{kind}.jsonl"
        kept[kind] = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        if asked_for.only not in (None, kind):
            continue
        done = {(run["set"], run["where"], run["seed"]) for run in kept[kind]}
        with file.open("a") as out:
            for number in range(asked_for.sets):
                for where in list(SLICES)[: asked_for.slices]:
                    if (number, where, asked_for.seed) in done:
                        continue
                    run = (
                        one(whole, table, number, where, asked_for.seed)
                        if kind == "make"
                        else asked(table, number, where, asked_for.seed)
                    )
                    kept[kind].append(run)
                    out.write(json.dumps(run) + "\n")
                    out.flush()
    if asked_for.only == "prove":
        with (asked_for.folder / "slices-prove.jsonl").open("a") as out:
            for where in (where for where, matters in SLICES.items() if matters):
                run = proved(table, where, asked_for.seed)
                out.write(json.dumps(run) + "\n")
                out.flush()
                print(run["state"], *run["sentences"], run["chosen"], run["arms"], sep="\n  ")
        return 0
    mine = {kind: [run for run in runs if run["seed"] == asked_for.seed] for kind, runs in kept.items()}
    print(told(mine["make"], mine["plan"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
