"""A simulator's gain through a whole proof: `python -m bench.proof.plant --seed 0`.

Cars of the stated law of `bench.proof.fuel`: 150 heavy ones and `--light` light ones to learn from, 200 heavy and 150
light ones locked. The plan claims the light cars, by RMSE; its one source is the right simulator (or, with `--wrong`,
one in which heavy cars coast). Everything else is as in any proof: ten outer resamples, all calibrated, guarded and
chosen inside. Some light cars must be there, or nothing could be chosen by; with many, little is left to bring. The
proof is `tuckpoint prove plan.yaml --real cars.csv`, in the folder that is left (`--room`); every run's figures go into
results/plant.jsonl, the first of all (15 light cars, seed 0) among them.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from bench.proof.fuel import HEAD, LEAVES, LIGHT, SIMULATORS, WHERE, law
from tuckpoint.cli import main as cli
from tuckpoint.measure.boost import Boosting
from tuckpoint.prove.kinds.simulator import Simulator
from tuckpoint.prove.plan import Plan, Source
from tuckpoint.seed import Seed

HEAVY, LOCKED = 150, (200, 150)  # to learn from; locked heavy and light cars
SMALLEST = 0.5  # mpg
RESULTS = Path(__file__).parent / "results"


def cars(seed: Seed, light_ones: int) -> pa.Table:
    """Cars of the law, so many light ones to learn from; `side` says which are locked."""
    table = pa.concat_tables([law(seed.child("law", part)) for part in range(4)])
    light = np.asarray(table["weight"]) < LIGHT
    chosen, side = [], []
    for kind, learnt, judged in zip((~light, light), (HEAVY, light_ones), LOCKED, strict=True):
        rows = seed.child("rows", str(kind[0])).numpy().permutation(np.flatnonzero(kind))[: learnt + judged]
        if len(rows) < learnt + judged:
            raise SystemExit(f"{len(rows)} cars of a kind; {learnt + judged} are needed")
        chosen.append(rows)
        side += ["train"] * learnt + ["test"] * judged
    return table.take(pa.array(np.concatenate(chosen))).append_column("side", pa.array(side))


def plan_of(file: Path, seed: int) -> Plan:
    """The plan of the proof."""
    settings = {**Simulator.planned(file), "draws": 20, "learner": LEAVES}
    source = Source("plant", kind="simulator", settings=settings, where=WHERE)
    return Plan(
        "mpg", (source,), metric="rmse", smallest_effect=SMALLEST, slices=(WHERE,), weights=(0.1, 0.3, 1.0),
        curve=(0.5,), learner=Boosting(**LEAVES), locked='side == "test"', seed=seed,
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--light", type=int, default=8, help="light cars to learn from (default: 8)")
    parser.add_argument("--wrong", action="store_true", help="the simulator in which heavy cars coast")
    parser.add_argument("--room", type=Path, help="folder for all files (default: a fleeting one)")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as fleeting:
        room = Path(fleeting) if asked.room is None else asked.room
        room.mkdir(exist_ok=True)
        name = "coasting" if asked.wrong else "right"
        file, table = room / "plant.py", cars(Seed(asked.seed, ("plant",)), asked.light)
        file.write_text(HEAD + SIMULATORS[name], encoding="utf-8")
        pa.csv.write_csv(table, room / "cars.csv")
        plan = plan_of(file, asked.seed)
        (room / "plan.yaml").write_text(plan.to_yaml(), encoding="utf-8")
        begun, verdict = time.process_time(), room / "verdict.json"
        words = ["--real", str(room / "cars.csv"), "-o", str(verdict), "--overwrite", "--workers", "1"]
        status = cli(["prove", str(room / "plan.yaml"), *words])
        said = json.loads(verdict.read_text())
    told = {
        "seed": asked.seed, "simulator": name, "light": asked.light, "status": status,
        "seconds": time.process_time() - begun,
        "arms": {arm["name"]: [arm[key] for key in ("value", "gain", "low", "high")] for arm in said["arms"]},
        **{key: said[key] for key in ("state", "why", "sentences", "chosen", "notes", "digest")},
    }  # fmt: skip
    with (RESULTS / "plant.jsonl").open("a") as out:
        out.write(json.dumps(told) + "\n")
    print(told["state"], *told["sentences"], told["chosen"], told["arms"], sep="\n  ")


if __name__ == "__main__":
    main()
