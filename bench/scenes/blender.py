"""Frames a minute and core of `blender` beside plain `bpy`, in one run: `python -m bench.scenes.blender`.

Twenty things on a plane, 256 x 256, 16 samples, denoised, every label of `Buffers`. Both sides render the same scenes
in turns, on one core; CPU seconds are those of all processes, with the start of Blender in them. Needs the worker
(`tuckpoint blender install`). Plain `bpy` is worker/blender/plain.py: one render a frame with all passes in it and
Blender's own settings. It gives no silhouettes behind others, no parts, and not what gets hidden by what.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from bench.scenes.speed import SPEC
from bench.tables.report import lines
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers import worker
from tuckpoint.scene.renderers.blender import Blender, interpreter, question
from tuckpoint.scene.stage import Stage, staged
from tuckpoint.seed import Seed

RESULTS = Path(__file__).resolve().parent / "results"
PLAIN = Path(__file__).resolve().parents[2] / "worker" / "blender" / "plain.py"


def spent() -> float:
    """CPU seconds of this process and of those that it has ended."""
    ours = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ours.ru_utime + ours.ru_stime + theirs.ru_utime + theirs.ru_stime


def by_tuckpoint(stages: list[Stage], renderer: Blender) -> float:
    """CPU seconds of all frames, with the start and the end of the worker."""
    start = spent()
    for stage in stages:
        assert renderer.render(stage, 0).radiance is not None
    worker.stop()
    return spent() - start


def by_plain(stages: list[Stage], renderer: Blender, room: Path) -> float:
    """CPU seconds of a process that renders the same; what it is told is written before."""
    folders = []
    for number, stage in enumerate(stages):
        folder = room / str(number)
        folder.mkdir(exist_ok=True)
        asked = question(stage, 0, renderer, folder, "light")
        (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
        folders.append(os.fspath(folder))
    start = spent()
    subprocess.run([os.fspath(interpreter()), os.fspath(PLAIN), *folders], check=True, capture_output=True)
    return spent() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--frames", type=int, default=10, help="of one side in a round")
    given = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    renderer = Blender()
    stages = [staged(plan(SPEC, Seed(1), number)) for number in range(given.frames)]
    for stage in stages:
        renderer.render(stage, 0, shaded=False)  # kernels are compiled, meshes drawn
    costs: dict[str, list[float]] = {"`blender`": [], "plain `bpy`": []}
    loads = []
    with tempfile.TemporaryDirectory() as room:
        for _ in range(given.rounds):
            costs["`blender`"].append(by_tuckpoint(stages, renderer) / given.frames)
            costs["plain `bpy`"].append(by_plain(stages, renderer, Path(room)) / given.frames)
            loads.append(os.getloadavg()[0])
            time.sleep(1)
    seconds = [sum(each) / len(each) for each in costs.values()]
    told = {"cpu_s": costs, "loads": loads, "frames": given.frames, "ratio": seconds[1] / seconds[0]}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "blender.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    rows = [["what", "CPU-s a frame: mean", "least and most of a round", "frames a minute and core"]]
    rows += [
        [name, f"{mean:.2f}", f"{min(each):.2f} to {max(each):.2f}", f"{60 / mean:.1f}"]
        for (name, each), mean in zip(costs.items(), seconds, strict=True)
    ]
    text = [
        "# Speed of the path tracer",
        "",
        f"`python -m bench.scenes.blender` on one core ({platform.machine()}), 256 x 256, 16 samples, denoised, 20 "
        f"things and a plane; {given.rounds} rounds of {given.frames} frames each, the start of Blender in every "
        f"round; load {min(loads):.1f} to {max(loads):.1f}.",
        "",
        *lines(rows),
        "",
        f"Plain `bpy` takes {told['ratio']:.2f} times as much. It renders the labels it has within the picture; here "
        "they are those of `raycast`, which has more of them.",
        "",
    ]
    (RESULTS / "blender.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
