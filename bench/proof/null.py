"""How often useless rows are said to help: `python -m bench.proof.null --runs 500`.

Each run draws a real table from a law of its own and proves an engine that is fitted to that table alone, so that its
rows hold no information that the real rows lack: by turns `independent`, which loses every relation, and `trees`. The
printed lines give the share of `helps` with its Clopper-Pearson interval, and the mean gain on locked rows with its
standard error: where that is above zero, made rows did help. Runs are kept in a file, and a stopped bench goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tuckpoint.measure.boost import Boosting
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.prove.effect import Effect, state, wider
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import prove
from tuckpoint.prove.verdict import Proof
from tuckpoint.seed import Seed

ROWS = 300
SMALLEST = 0.005
ENGINES = ("independent", "trees")
SMALL = Boosting(rounds=40, rate=0.12, leaves=15, leaf_rows=10)
RESULTS = Path(__file__).parent / "results"


def law(rows: int, seed: Seed, *, slope: float = 1.0) -> pa.Table:
    """Four numbers, a category, and a yes or no that hangs on three of them."""
    random = seed.numpy()
    x = random.normal(size=(rows, 4))
    place = random.integers(0, 3, rows)
    logit = slope * (x[:, 0] + 0.5 * x[:, 1] * x[:, 2] + 0.4 * (place == 1))
    yes = random.random(rows) < 1 / (1 + np.exp(-logit))
    numbers = {f"x{i}": np.round(x[:, i], 2) for i in range(4)}
    return pa.table({**numbers, "place": np.array(list("abc"))[place], "y": np.where(yes, "yes", "no")})


def plan(engine: str, seed: int) -> Plan:
    """The plan of one run: fast, and with the protocol whole."""
    return Plan(
        "y", (Source("made", engine, mine_rules=False),), smallest_effect=SMALLEST, weights=(0.1, 0.3, 1.0), curve=(),
        folds=Folds(inner=2), learner=SMALL, seed=seed,
    )  # fmt: skip


def trial(number: int) -> dict[str, Any]:
    """One proof, in short."""
    engine = ENGINES[number % len(ENGINES)]
    proof = prove(plan(engine, number), law(ROWS, Seed(number, ("null",))))
    return {"run": number, "engine": engine, **short(proof)}


def short(proof: Proof) -> dict[str, Any]:
    """What a bench keeps of a proof."""
    claim = proof.claims[0]
    effects = [
        {"method": e.method, "gain": e.gain, "training": e.training, "testing": e.testing, "df": e.df}
        for e in claim.effects
    ]
    failed = [control.name for control in proof.controls if not control.passed]
    none = proof.chosen.get("no made rows", 0)
    return {
        "state": proof.state, "low": claim.low, "high": claim.high, "effects": effects, "failed": failed,
        "why": proof.why if proof.state == "blocked" else "", "none": none,
        "arms": {arm.name: [arm.gain, arm.low, arm.high] for arm in proof.arms},
    }  # fmt: skip


def kept(file: Path) -> list[dict[str, Any]]:
    """The runs that were done before."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def helped(run: dict[str, Any]) -> bool:
    """Whether the interval of the run says `helps`, whatever the controls say."""
    effects = [
        Effect(e["gain"], (e["training"] + e["testing"]) ** 0.5, e["df"], e["method"], e["training"], e["testing"])
        for e in run["effects"]
    ]
    return bool(effects) and state(wider(effects), SMALLEST) == "helps"


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs."""
    lines = []
    for name in (*ENGINES, "all"):
        part = [run for run in runs if name in ("all", run["engine"])]
        if not part:
            continue
        helps = sum(helped(run) for run in part)
        low, high = clopper_pearson(helps, len(part))
        gains = np.array([run["effects"][0]["gain"] for run in part if run["effects"]])
        lines.append(
            f"{name}: helps in {helps} of {len(part)} = {helps / len(part):.2%} [{low:.2%}, {high:.2%}]; "
            f"mean gain {gains.mean():+.4f} (se {gains.std(ddof=1) / len(gains) ** 0.5:.4f}); "
            f"{dict(Counter(str(run['state']) for run in part))}"
        )
    return "\n".join(lines)


def study(
    doc: str | None, name: str, count: int, trial: Callable[[int], dict[str, Any]],
    told: Callable[[list[dict[str, Any]]], str], arguments: Sequence[str] | None,
) -> int:  # fmt: skip
    """Do the runs that were not done before, keep each in results/NAME.jsonl, and tell the figures of all."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--runs", type=int, default=count)
    parser.add_argument("--file", type=Path, default=RESULTS / f"{name}.jsonl")
    parser.add_argument("--told", action="store_true", help="only tell the figures of the runs that were done")
    asked = parser.parse_args(arguments)
    asked.file.parent.mkdir(exist_ok=True)
    runs = kept(asked.file)
    done = {run["run"] for run in runs}
    with asked.file.open("a") as out:
        for number in [] if asked.told else range(asked.runs):
            if number not in done:
                runs.append(trial(number))
                out.write(json.dumps(runs[-1]) + "\n")
                out.flush()
    print(told(runs))
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    return study(__doc__, "null", 500, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
