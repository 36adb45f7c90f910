"""How often rows that know the locked test are caught: `python -m bench.proof.leak --runs 100`.

Each run draws a real table and proves, in turn: an engine that was shown the whole table before the proof and hands out
its rows as they are, or with numbers moved a little (a leaked generator); finished tables (`--made`) that are rows of a
twin fitted to all rows, of which a tenth or a twentieth are copies of locked rows; and, as a check of false alarms,
honest engines. Caught means that the proof ends with `blocked` for the leak. A finished table can never earn `helps`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from bench.proof import engines
from bench.proof.null import ROWS, law, plan, study
from tuckpoint.measure.intervals import clopper_pearson
from tuckpoint.prove.plan import Folds, Plan, Source
from tuckpoint.prove.proof import prove
from tuckpoint.prove.splits import lock
from tuckpoint.prove.verdict import Proof
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

LEAKY = {"shown rows": 0.0, "shown rows, moved 1 %": 0.01, "shown rows, moved 5 %": 0.05}
COPIED = {"a tenth copied": 0.1, "a twentieth copied": 0.05}
HONEST = ("independent", "trees", "oracle")
CASES = (*LEAKY, *COPIED, *(f"honest {name}" for name in HONEST))


def quick(engine: str, number: int) -> Plan:
    """A plan with as few resamples as may be: what is asked is the alarm, not the effect."""
    return replace(plan(engine, number), folds=Folds(repeats=4, inner=2), weights=(0.3,))


def trial(number: int) -> dict[str, Any]:
    """All cases on one table."""
    table = law(ROWS, Seed(number, ("leak",)))
    engines.SHOWN["rows"] = encode(table, infer(table, target="y"))
    found = {}
    for name, jitter in LEAKY.items():
        given = replace(
            quick("leaky", number), sources=(Source("made", "leaky", {"jitter": jitter}, mine_rules=False),)
        )
        found[name] = outcome(prove(given, table))
    for name, share in COPIED.items():
        found[name] = outcome(prove(quick("trees", number), table, made={"made": copied(table, share, number)}))
    for engine in HONEST:
        found[f"honest {engine}"] = outcome(prove(quick(engine, number), table))
    return {"run": number, **found}


def copied(table: pa.Table, share: float, number: int) -> pa.Table:
    """Rows of the same law with a share of copies of locked rows among them."""
    locked = lock(np.arange(table.num_rows), Folds(), Seed(number).child("prove")).test
    random = Seed(number, ("copied",)).numpy()
    count = round(share * ROWS)
    fresh = law(ROWS - count, Seed(number, ("fresh",)))
    rows = pa.concat_tables([fresh, table.take(pa.array(random.permutation(locked)[:count]))])
    return rows.take(pa.array(random.permutation(rows.num_rows)))


def outcome(proof: Proof) -> str:
    """`leak` if it was caught, else the state."""
    return "leak" if proof.why.startswith("made rows know") else proof.state


def told(runs: Sequence[dict[str, Any]]) -> str:
    """The figures of the runs."""
    lines = []
    leaks = {"all leaks": tuple(name for name in CASES if not name.startswith("honest"))}
    for name, cases in ({case: (case,) for case in CASES} | leaks).items():
        ends = [run[case] for run in runs for case in cases]
        caught, helped = ends.count("leak"), ends.count("helps")
        low, high = clopper_pearson(caught, len(ends))
        lines.append(f"{name}: caught in {caught} of {len(ends)} [{low:.2%}, {high:.2%}]; `helps` in {helped}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    engines.register()
    return study(__doc__, "leak", 100, trial, told, arguments)


if __name__ == "__main__":
    sys.exit(main())
