"""anonymeter on the files that the catalogue left: `python -m bench.privacy.beside --splits 20`.

One process per split, in anonymeter's own environment, for all made tables of that split.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator

from bench.privacy import environments, outcomes
from bench.privacy.adapters.anonymeter import SETTINGS
from bench.privacy.files import folder_of
from bench.privacy.leaky import GENERATORS
from bench.privacy.splits import SOURCES
from bench.tables.adapters.clock import SINGLE
from bench.tables.run import ROOT

ANONYMETER = outcomes.RESULTS / "anonymeter.jsonl"


def ran(name: str, number: int, makers: list[str], settings: str, cap_s: int) -> Iterator[dict[str, object]]:
    """An outcome per made table, as soon as it is there; a failure is an outcome of the first without one."""
    command = ["nice", "-n", "10", str(environments.interpreter("anonymeter")), "-m"]
    command += ["bench.privacy.adapters.anonymeter", str(folder_of(name, number)), *makers]
    command += ["--settings", settings, "--seed", str(number)]
    place = {"set": name, "split": number, "settings": settings}
    left = list(makers)
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **dict.fromkeys(SINGLE, "1")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cap_s * len(makers), cap_s * len(makers) + 5)),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            found = json.loads(line)
            left.remove(found["maker"])
            yield {**place, **found}
        said = process.stderr.read().strip().splitlines()
    if left:
        yield {**place, "maker": left[0], "failed": (said or [f"exit {process.returncode}"])[-1][:300]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SOURCES), choices=list(SOURCES))
    parser.add_argument("--makers", nargs="+", default=list(GENERATORS), choices=list(GENERATORS))
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--cap-s", type=int, default=300, help="CPU seconds per made table")
    given = parser.parse_args()
    if why := environments.absent("anonymeter"):
        print(why, file=sys.stderr)
        return 2
    done = outcomes.read(ANONYMETER)
    places = [
        (settings, number, name)
        for settings in given.settings
        for number in range(given.first, given.first + given.splits)
        for name in given.sets
    ]
    for settings, number, name in places:
        there = [maker for maker in given.makers if (folder_of(name, number) / f"{maker}.parquet").exists()]
        place = {"set": name, "split": number, "settings": settings}
        left = [maker for maker in there if outcomes.key({**place, "maker": maker}) not in done]
        for item in ran(name, number, left, settings, given.cap_s) if left else ():
            outcomes.note(ANONYMETER, dict(item))
            print(f"{name:13} {number:3} {settings:9} {item['maker']:18} {told(item)}", flush=True)
    return 0


def told(item: dict[str, object]) -> str:
    """One line about an outcome for the terminal."""
    if "failed" in item:
        return str(item["failed"])
    risks = item["risks"]
    assert isinstance(risks, dict)
    joint = [name for name, risk in risks.items() if risk["low_joint"] > 0]
    usual = [name for name, risk in risks.items() if risk["low"] > 0]
    return f"{len(usual)} of {len(risks)} risks above 0, {len(joint)} jointly  {item['cpu_s']} CPU-s"


if __name__ == "__main__":
    sys.exit(main())
