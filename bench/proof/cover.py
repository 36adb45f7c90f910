"""How often the intervals hold a known effect: `python -m bench.proof.cover --engine oracle --runs 300`.

The known effect of each arm is its mean gain over real tables drawn anew, `--truths` of them, each judged on 4,000
fresh rows of the law; its own standard error is printed. The intervals are those of proofs of 300 real rows. For the
engines `independent` and `trees` they are read from the runs of `bench.proof.null`; `oracle`, whose rows do help, is
run here.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bench.proof import engines, null
from bench.proof.null import RESULTS, ROWS, kept, law, plan, short
from tuckpoint.measure.intervals import auc, clopper_pearson
from tuckpoint.prove.arms import DUPLICATED, FORCED, MADE, MIXED, OVERSAMPLE, PERMUTED, REAL, REWEIGHT, replicate
from tuckpoint.prove.proof import prove
from tuckpoint.prove.splits import Lock
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed

TEST = 4_000
POOL = round(0.7 * ROWS)
ARMS = (MIXED, MADE, REWEIGHT, OVERSAMPLE, PERMUTED, DUPLICATED)


def truth(engine: str, number: int) -> dict[str, Any]:
    """The gain of each arm of one resample of a pool drawn anew, on many fresh rows."""
    work = study(plan(engine, number), law(POOL + TEST, Seed(number, ("truth",))))
    rows = np.arange(POOL + TEST)
    work = replace(work, lock=Lock(rows[:POOL], rows[POOL:]))
    found = replicate(work, 0, {})
    positive = work.truth[work.lock.test] == 1
    values = {name: auc(found.test[name], positive).value for name in (REAL, *ARMS)}
    return {"run": number, "engine": engine, **{name: values[name] - values[REAL] for name in ARMS}}


def trial(engine: str, number: int) -> dict[str, Any]:
    """One proof, in short."""
    return {"run": number, "engine": engine, **short(prove(plan(engine, number), law(ROWS, Seed(number, ("cover",)))))}


def told(truths: Sequence[dict[str, Any]], runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs."""
    lines = []
    for arm in ARMS:
        gains = np.array([one[arm] for one in truths])
        known, error = gains.mean(), gains.std(ddof=1) / len(gains) ** 0.5
        spans = [run["arms"][arm] for run in runs if arm in run["arms"]]
        held = sum(low <= known <= high for _, low, high in spans)
        low, high = clopper_pearson(held, len(spans))
        width = np.median([high - low for _, low, high in spans])
        over = sum(span[1] > known for span in spans)
        lines.append(
            f"{arm}: effect {known:+.4f} (se {error:.4f}); held in {held} of {len(spans)} = {held / len(spans):.1%} "
            f"[{low:.1%}, {high:.1%}]; wholly above it in {over}; median width {width:.3f}"
        )
    return "\n".join(lines)


def gathered(file: Path, wanted: int, make: Any, *, only: bool) -> list[dict[str, Any]]:
    """Runs of a file, those that are missing made now unless `only` those that are there are asked for."""
    runs: list[dict[str, Any]] = list(kept(file))
    done = {run["run"] for run in runs}
    file.parent.mkdir(exist_ok=True)
    with file.open("a") as out:
        for number in [] if only else range(wanted):
            if number not in done:
                runs.append(make(number))
                out.write(json.dumps(runs[-1]) + "\n")
                out.flush()
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=("oracle", *null.ENGINES), default="oracle")
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--truths", type=int, default=400)
    parser.add_argument("--told", action="store_true", help="only tell the figures of the runs that were done")
    asked = parser.parse_args(arguments)
    engines.register()
    engine = asked.engine
    truths = gathered(
        RESULTS / f"truth-{engine}.jsonl", asked.truths, lambda number: truth(engine, number), only=asked.told
    )
    if engine in null.ENGINES:
        # Runs without this arm were made before the doubt of choosing none was counted.
        runs = [run for run in kept(RESULTS / "null.jsonl") if run["engine"] == engine and FORCED in run["arms"]]
    else:
        file = RESULTS / f"cover-{engine}.jsonl"
        runs = gathered(file, asked.runs, lambda number: trial(engine, number), only=asked.told)
    print(told(truths, runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
