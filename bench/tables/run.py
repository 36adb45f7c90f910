"""Fit, sample and score every generator on every set: `python -m bench.tables.run DATA --sets adult --peers cart`.

One generator at a time, on one core, in its own environment. Each outcome is one JSON line in results/peers.jsonl (or
results/tuckpoint.jsonl); what stands there is not run again, so an interrupted run is taken up where it stopped.
The made rows stay under results/raw (not tracked), so that `--only score` can score them again without a new fit.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.tables.adapters.clock import SINGLE
from bench.tables.environments import PEERS, Peer, interpreter
from bench.tables.sets import SETS, TableSet, missing, split

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = HERE / "results"
RAW = RESULTS / "raw"


def ledger(peer: str) -> Path:
    """The file that holds the outcomes of a generator."""
    return RESULTS / ("tuckpoint.jsonl" if peer.startswith("tuckpoint") else "peers.jsonl")


def outcomes() -> dict[tuple[str, str, int], dict[str, Any]]:
    """The outcome of each (set, peer, seed)."""
    found = {}
    for path in (ledger("cart"), ledger("tuckpoint")):
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            item = json.loads(line)
            found[key(item)] = item
    return found


def key(item: dict[str, Any]) -> tuple[str, str, int]:
    """What tells one run from another."""
    return item["set"], item["peer"], item["seed"]


def note(item: dict[str, Any]) -> None:
    """Keep one outcome in place of an earlier one of the same run; other programs may be writing too."""
    with ledger(item["peer"]).open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        kept = [line for line in file.read().splitlines() if key(json.loads(line)) != key(item)]
        file.seek(0)
        file.truncate()
        file.write("\n".join([*kept, json.dumps(item)]) + "\n")


def rest(max_load: float) -> None:
    """Wait until the machine is quiet enough to time anything."""
    while os.getloadavg()[0] > max_load:
        time.sleep(5)


def launch(peer: Peer, real: Path, made: Path, *, rows: int, target: str, seed: int, cap_s: int) -> dict[str, Any]:
    """Run one adapter in its environment; CPU seconds over the cap, or a failure, are an outcome too."""
    made.unlink(missing_ok=True)
    command = ["nice", "-n", "10", str(interpreter(peer.environment)), "-m", f"bench.tables.adapters.{peer.adapter}"]
    command += [str(real), str(made), "--rows", str(rows), "--target", target, "--seed", str(seed)]
    command += ["--settings", json.dumps(peer.settings)]
    environment = {**os.environ, **dict.fromkeys(SINGLE, "1"), "CUDA_VISIBLE_DEVICES": "", "PYTHONWARNINGS": "ignore"}
    load = round(os.getloadavg()[0], 1)
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cap_s, cap_s + 5)),
    )
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return {"stopped": f"stopped at cap of {cap_s} CPU-s"}
    if done.returncode != 0 or not made.exists():
        last = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        return {"stopped": f"failed: {last[:300]}"}
    return {**json.loads(done.stdout.strip().splitlines()[-1]), "load": load}


def commit() -> str:
    """The commit that our own figures belong to, with a plus if files were changed since."""
    told = [("rev-parse", "--short", "HEAD"), ("status", "--porcelain", "--", "src")]
    found = [subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False) for words in told]
    return found[0].stdout.strip() + ("+" if found[1].stdout.strip() else "")


def runs(sets: list[str], peers: list[str], seeds: list[int]) -> Iterator[tuple[str, str, int]]:
    """Seed by seed, so that an interrupted run leaves whole tables."""
    for seed in seeds:
        for name in sets:
            for peer in peers:
                yield name, peer, seed


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder that holds NAME/NAME.csv")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--peers", nargs="+", default=["tuckpoint", "cart", "mostlyai", "copula"], choices=list(PEERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--cap-s", type=int, default=600, help="CPU seconds after which one fit is stopped")
    parser.add_argument("--max-load", type=float, default=3.0, help="wait while the machine is busier than this")
    parser.add_argument("--only", choices=["run", "score"], help="run without scoring, or score the rows of old runs")
    parser.add_argument("--again", action="store_true", help="run what was run before once more")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    if why := missing(given.data, tuple(given.sets)):
        print(why, file=sys.stderr)
        return 2
    absent = {PEERS[peer].environment for peer in given.peers if not interpreter(PEERS[peer].environment).exists()}
    if absent:
        print(f"make first: python -m bench.tables.environments make {' '.join(map(str, absent))}", file=sys.stderr)
        return 2
    done = outcomes()
    for name, peer, seed in runs(given.sets, given.peers, given.seeds):
        before = done.get((name, peer, seed))
        failed = str((before or {}).get("stopped", "")).startswith("failed")
        wanted = before is not None if given.only == "score" else given.again or before is None or failed
        if not wanted:
            continue
        outcome = work(given, SETS[name], peer, seed, before)
        note({"set": name, "peer": peer, "seed": seed, **outcome})
        print(f"{name:10} {peer:16} {seed}  {told(outcome)}", flush=True)
    return 0


def work(
    given: argparse.Namespace, item: TableSet, peer: str, seed: int, before: dict[str, Any] | None
) -> dict[str, Any]:
    """One run and its scores; with `--only score` the cost of the run before is kept."""
    train, holdout = split(given.data, item)
    made = RAW / item.name / f"{peer}-{seed}.parquet"
    if given.only == "score" and before is not None:
        outcome = {key: value for key, value in before.items() if key not in ("set", "peer", "seed")}
    else:
        rest(given.max_load)
        (RAW / item.name).mkdir(parents=True, exist_ok=True)
        train.to_parquet(RAW / item.name / "train.parquet", index=False)
        real = RAW / item.name / "train.parquet"
        asked = {"rows": len(train), "target": item.target, "seed": seed, "cap_s": given.cap_s}
        outcome = launch(PEERS[peer], real, made, **asked) | {"limits": PEERS[peer].limits}
        outcome |= {"commit": commit()} if PEERS[peer].environment is None else {}
    if given.only != "run" and "stopped" not in outcome and made.exists():
        from bench.tables.score import score

        outcome["scores"] = score(train, made, holdout, target=item.target)
    return outcome


def told(outcome: dict[str, Any]) -> str:
    """One line about an outcome for the terminal."""
    if "stopped" in outcome:
        return str(outcome["stopped"])
    cost = f"{outcome['fit']['cpu_s'] + outcome['sample']['cpu_s']:8.1f} CPU-s {outcome['peak_mb']:6.0f} MB"
    scores = outcome.get("scores", {})
    shown = [f"{name} {scores[name]:.4f}" for name in ("c2st", "tstr", "mia") if name in scores]
    return "  ".join([cost, *shown])


if __name__ == "__main__":
    sys.exit(main())
