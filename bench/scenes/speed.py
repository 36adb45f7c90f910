"""Frames a minute and core of `raycast`, and its memory: `python -m bench.scenes.speed`.

Twenty things on a plane, 256 x 256 pixels, every label of `Buffers`; one process pinned to one core. CPU seconds of the
renderer alone, of all annotators, of the lens, and of the whole way from specification to shard.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.tables.report import lines
from tuckpoint import parts, pictures
from tuckpoint.scene.annotate import annotate
from tuckpoint.scene.annotator import View
from tuckpoint.scene.film import develop
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.spec import Spec
from tuckpoint.scene.stage import staged
from tuckpoint.seed import Seed

RESULTS = Path(__file__).resolve().parent / "results"
SPEC = Spec.from_dict(
    {
        "name": "twenty",
        "things": {
            "ground": {"family": "plane", "labelled": False, "shape": {"width_m": 3.0, "depth_m": 3.0}},
            "goods": {
                "family": {"choice": ["bottle", "can", "bowl", "box", "ball"]},
                "count": 20,
                "place": {"on": "ground"},
            },
        },
        "sun": {"elevation_deg": {"uniform": [15, 60]}},
        "camera": {"distance_m": 3.0, "elevation_deg": 35.0},
    }
)


def cost(work: Callable[[int], object], times: int) -> float:
    """CPU seconds of one call, after one that is not counted."""
    work(0)
    start = time.process_time()
    for number in range(times):
        work(number)
    return (time.process_time() - start) / times


def memory_mb() -> float:
    """Resident memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--long", type=int, default=10_000, help="frames after which memory is looked at again")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    renderer = Raycast(device="cpu")
    stages = [staged(plan(SPEC, Seed(1), number)) for number in range(10)]
    shot = renderer.render(stages[0], 0)
    view, every = View(stages[0], shot, 0), parts.names("annotator")
    assert shot.radiance is not None
    light = shot.radiance
    found = {
        "renderer, labels alone": cost(lambda n: renderer.render(stages[n % 10], 0, shaded=False), given.frames),
        "renderer, shaded": cost(lambda n: renderer.render(stages[n % 10], 0), given.frames),
        "all annotators": cost(lambda n: annotate(every, view, key="0"), given.frames),
        "lens": cost(lambda n: develop(light, shot.depth, stages[0].scene.camera), given.frames),
    }
    with tempfile.TemporaryDirectory() as room:
        start = time.process_time()
        pictures.render(SPEC, Path(room) / "set", given.frames, workers=1)
        found["specification to shard, shaded"] = (time.process_time() - start) / given.frames
    before = memory_mb()
    for number in range(given.long):
        renderer.render(stages[number % 10], 0, shaded=False)
    told = {
        "cpu_s": found,
        "mb_before": before,
        "mb_after": memory_mb(),
        "long": given.long,
        "load": os.getloadavg()[0],
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "speed.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    triangles = sum(len(stage.faces) for stage in stages) / len(stages)
    rows = [["what", "CPU-s a frame", "frames a minute and core"]]
    rows += [[what, f"{seconds:.4f}", f"{60 / seconds:,.0f}"] for what, seconds in found.items()]
    text = [
        "# Speed of scenes",
        "",
        f"`python -m bench.scenes.speed` on one core ({platform.machine()}), 256 x 256, 20 things and a plane, "
        f"{triangles:,.0f} triangles; load at the end {told['load']:.1f}.",
        "",
        *lines(rows),
        "",
        f"Resident memory before and after {given.long:,} more frames: {before:.0f} and {told['mb_after']:.0f} MB.",
        "",
    ]
    (RESULTS / "speed.md").write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
