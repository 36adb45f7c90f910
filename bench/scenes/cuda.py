"""Does `raycast` give on a CUDA device what it gives on the CPU? `python -m bench.scenes.cuda`.

Its kernels are compiled for the architectures below, which needs no device. Where there is one, the same stages are
rendered on both, labels are compared bit for bit and light within 1/255, and frames a minute are told.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.scenes.speed import RESULTS, SPEC
from tuckpoint.scene.buffers import Buffers
from tuckpoint.scene.film import develop
from tuckpoint.scene.plan import plan
from tuckpoint.scene.renderers.raycast import Raycast
from tuckpoint.scene.stage import Stage, staged
from tuckpoint.seed import Seed

ARCHITECTURES = (75, 80, 90)
MODULES = ("tuckpoint.scene.renderers.kernels", "tuckpoint.scene.renderers.lighting")


def compiled(wp: Any) -> dict[str, int]:
    """Bytes of PTX of each module by architecture; Warp raises where one does not compile."""
    told = {}
    for name in MODULES:
        for architecture in ARCHITECTURES:
            with tempfile.TemporaryDirectory() as room:
                wp.compile_aot_module(import_module(name), arch=[architecture], module_dir=room, use_ptx=True)
                sizes = [path.stat().st_size for path in Path(room).glob("*.ptx")]
            if not sizes:
                raise RuntimeError(f"{name}: no code for sm_{architecture}")
            told[f"{name.rpartition('.')[2]} sm_{architecture}"] = sum(sizes)
    return told


def unequal(one: Buffers, other: Buffers) -> dict[str, float]:
    """Share of entries of each label that differ at all."""
    told = {}
    for field in fields(Buffers):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if a is not None and field.name != "radiance":
            same = np.equal(a, b) | (np.isnan(a) & np.isnan(b)) if np.issubdtype(a.dtype, np.floating) else a == b
            told[field.name] = float(1 - same.mean())
    return told


def picture(shot: Buffers, stage: Stage) -> NDArray[np.uint8]:
    """What the lens makes of the light."""
    assert shot.radiance is not None
    return develop(shot.radiance, shot.depth, stage.scene.camera)


def beside(frames: int) -> dict[str, Any]:
    """CPU and CUDA on the same stages: labels that differ, levels of 255 between pictures, frames a minute."""
    stages = [staged(plan(SPEC, Seed(1), number)) for number in range(10)]
    on_cpu, on_cuda = Raycast(device="cpu"), Raycast(device="cuda")
    differ: list[dict[str, float]] = []
    apart = 0
    for stage in stages:
        one, other = on_cpu.render(stage, 0), on_cuda.render(stage, 0)
        differ.append(unequal(one, other))
        pictures = [picture(shot, stage) for shot in (one, other)]
        apart = max(apart, int(np.abs(pictures[0].astype(int) - pictures[1].astype(int)).max()))
    pace = {}
    for shaded in (False, True):
        start = time.perf_counter()
        for number in range(frames):
            on_cuda.render(stages[number % 10], 0, shaded=shaded)
        pace["shaded" if shaded else "labels alone"] = 60 * frames / (time.perf_counter() - start)
    worst = {name: max(told[name] for told in differ) for name in differ[0]}
    return {"share of labels unequal (worst of 10)": worst, "levels apart": apart, "frames a minute": pace}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200)
    given = parser.parse_args()
    import warp as wp

    wp.config.log_level = wp.LOG_ERROR
    wp.init()  # type: ignore[no-untyped-call]
    told: dict[str, Any] = {"warp": wp.__version__, "bytes of PTX": compiled(wp)}
    told["device"] = wp.get_device("cuda:0").name if wp.is_cuda_available() else "none on this machine"
    if wp.is_cuda_available():
        told |= beside(given.frames)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "cuda.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
